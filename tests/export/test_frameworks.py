"""Sources for PyTorch and Keras, run where these are installed."""

from __future__ import annotations

import ast
import importlib.util

import pytest

import chainrule as cr
from chainrule import activations
from chainrule.export import layered
from chainrule.export.keras import ACTIVATIONS as IN_KERAS
from chainrule.export.torch import ACTIVATIONS as IN_TORCH

INSTALLED = {name: importlib.util.find_spec(name) is not None for name in ("torch", "keras")}
BOTH = pytest.mark.parametrize("library", ["torch", "keras"])


def _layers():
    return [
        cr.BatchNorm(),
        *(cr.Residual([cr.LayerNorm(), cr.Activation(f), cr.Dense(4, bias=False)]) for f in activations.names()),
        cr.Dense(6, activations.LeakyReLU(0.2), frozen="W"),
        cr.LayerNorm(frozen=("gamma", "beta")),
        cr.Dropout(0.5),
        cr.Dense(3, "softmax"),
    ]


@BOTH
@pytest.mark.slow
def test_it_runs_and_gives_our_outputs(library, tmp_path):
    if not INSTALLED[library]:
        pytest.skip(f"{library} is not installed")
    net = cr.Network(_layers(), n_inputs=4)
    net.fit([[1.0, 2.0, 3.0, 4.0], [2.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 2.0]], [0, 1, 2], epochs=3)
    exported = net.export(tmp_path / "net.py", library)
    assert f"running it in {library}" in str(exported)
    assert exported.max_difference < 1e-4
    assert {path.name for path in tmp_path.iterdir()} == {"net.py", "net_weights.safetensors"}
    assert cr.load(tmp_path / "net_weights.safetensors").theta.tolist() == net.theta.tolist()


@BOTH
def test_without_the_library_the_source_is_written_and_said_to_be_unchecked(library, tmp_path, monkeypatch):
    monkeypatch.setattr(layered.importlib.util, "find_spec", lambda _: None)
    exported = cr.Network(_layers(), n_inputs=4, dtype="float64").export(tmp_path / "net.py", library)
    assert f"Not checked: {library} is not installed here." in str(exported)
    tree = ast.parse((tmp_path / "net.py").read_text())
    assert "load" in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_what_keras_cannot_do_is_named_with_the_layer(tmp_path, monkeypatch):
    monkeypatch.setattr(layered.importlib.util, "find_spec", lambda _: None)
    notes = " ".join(cr.Network(_layers(), n_inputs=4).export(tmp_path / "net.py", "keras").notes)
    assert "W of dense_1 is frozen here alone" in notes
    assert "batch_norm_1" in notes
    assert " layer_norm_1 " not in notes  # all of it is frozen, as Keras can


@BOTH
def test_the_model_beside_it_is_not_overwritten(library, tmp_path, monkeypatch):
    monkeypatch.setattr(layered.importlib.util, "find_spec", lambda _: None)
    (tmp_path / "net.safetensors").write_text("a model")
    cr.Network(_layers(), n_inputs=4).export(tmp_path / "net.py", library)
    assert (tmp_path / "net.safetensors").read_text() == "a model"


def test_every_activation_has_its_words():
    assert set(IN_TORCH) == set(IN_KERAS) == set(activations.names())
