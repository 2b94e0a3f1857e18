"""Text files and their schema; what reads them is tested in `test_json_files.py`."""

from __future__ import annotations

import json

import jsonschema
import numpy as np
import pytest
from tests.export.onnx.test_onnx_network import FUNCTIONS, LAYERS
from tests.registry import LOSSES

import chainrule as cr
from chainrule import activations
from chainrule.export import json as export_json
from chainrule.export import schema


@pytest.fixture(scope="module")
def validator():
    record = json.loads(schema.PATH.read_bytes())
    jsonschema.Draft202012Validator.check_schema(record)
    return jsonschema.Draft202012Validator(record)


def test_the_schema_shipped_is_that_of_the_records():
    assert schema.PATH.read_bytes() == schema.text(), "the records have changed: python -m chainrule.export.schema"


def test_every_layer_activation_and_loss_is_valid(validator, tmp_path):
    stack = [*LAYERS.values(), *(cr.Activation(f) for f in FUNCTIONS), cr.Dense(1, "sigmoid", init=np.ones((5, 1)))]
    for loss in LOSSES:
        cr.Network(stack, loss(), n_inputs=5).export(tmp_path / "net.json")
        validator.validate(json.loads((tmp_path / "net.json").read_bytes()))


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.update(format=2),
        lambda r: r["parts"].pop("network"),
        lambda r: r["parts"]["network"]["layers"][0].update(layer="densse"),
        lambda r: r["parts"]["columns"]["features"][0].update(median="3"),
        lambda r: r["tensors"].update({"dense_1.b": ["0.5"]}),
        lambda r: r["tensors"].update({"dense_1.b": 0.5}),
    ],
)
def test_what_is_wrong_is_not_valid(validator, change, model, tmp_path):
    model.export(tmp_path / "model.json")
    record = json.loads((tmp_path / "model.json").read_bytes())
    validator.validate(record)
    change(record)
    assert not validator.is_valid(record)


@pytest.fixture(scope="module")
def model():
    return cr.train("iris", epochs=2, validation=0.0)


def test_a_model_comes_back(model, tmp_path):
    told = model.export(tmp_path / "model.json", "json")
    again = cr.load(told.files[0])
    assert isinstance(again, cr.Model)
    assert again.columns == model.columns
    assert again.settings == model.settings
    assert again.network.theta.tobytes() == model.network.theta.tobytes()
    assert again.predict("iris").equals(model.predict("iris"))
    model.export(tmp_path / "network.json", network_only=True)
    assert isinstance(cr.load(tmp_path / "network.json"), cr.Network)


def test_a_text_that_says_something_else_is_caught(model, tmp_path, monkeypatch):
    monkeypatch.setattr(
        export_json, "json_text", lambda parts, tensors: right(parts, {n: v + 1 for n, v in tensors.items()})
    )
    with pytest.raises(cr.ExportError, match="read back, is another network"):
        model.export(tmp_path / "model.json")
    assert not list(tmp_path.iterdir())


right = export_json.json_text


def test_what_no_model_file_holds_is_said(tmp_path):
    class Sine(activations.ActivationFunction, frozen=True, tag="sine"):
        def value(self, Z):
            return np.sin(Z)

    net = cr.Network([cr.Dense(2, Sine())], "huber", n_inputs=2)
    with pytest.raises(cr.ArgumentError, match="none of your own"):
        net.export(tmp_path / "net.json")
