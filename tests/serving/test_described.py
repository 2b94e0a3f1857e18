"""What a server tells of its model."""

from __future__ import annotations

import msgspec
import pytest
from starlette.testclient import TestClient
from tests.serving.served import CLIENTS

import chainrule as cr
from chainrule.serving.app import make_app


def test_the_schema_tells_columns_and_target(clients):
    told = clients.get("/schema").json()
    assert told["model"] == "clients"
    assert told["target"] == {"name": "y", "classes": ["a", "b"]}
    age, city, member, born = told["columns"]
    assert (age["name"], age["kind"], age["median"], age["range"], age["missing"]) == (
        "age",
        "number",
        31.0,
        [20.0, 50.0],
        True,
    )
    assert city == {"name": "city", "kind": "category", "categories": ["Bern", "Genf"]}
    assert (member["kind"], born["kind"], born["range"]) == ("boolean", "date", ["1998-07-08", "2003-04-05"])


def test_the_schema_of_a_network_tells_its_classes():
    network = cr.Network([cr.Dense(3, "softmax")], loss="cross_entropy").build(2)
    told = TestClient(make_app(network)).get("/schema").json()
    assert (told["inputs"], told["outputs"], told["target"]) == (2, 3, {"classes": [0, 1, 2]})


@pytest.mark.parametrize(("scaling", "known"), [("minmax", [20.0, 50.0]), ("standard", None)])
def test_a_model_file_of_before_ranges_were_kept(tmp_path, scaling, known):
    """Its columns lack them; those scaled to their range tell it all the same."""
    model = cr.train(CLIENTS, target="y", layers=(2,), epochs=1, scaling=scaling)
    old = [
        {name: value for name, value in msgspec.to_builtins(each).items() if name != "range"}
        for each in model.columns.features
    ]
    columns = msgspec.convert({**msgspec.to_builtins(model.columns), "features": old}, cr.tables.Columns)
    cr.Model(model.network, columns, model.settings).save(tmp_path / "old.safetensors")
    told = TestClient(make_app(cr.load(tmp_path / "old.safetensors"))).get("/schema").json()
    assert told["columns"][0].get("range") == known
