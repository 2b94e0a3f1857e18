"""The JavaScript module, run by Node; and what it says without."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest

import chainrule as cr
from chainrule import activations
from chainrule.export import javascript

needs_node = pytest.mark.skipif(not shutil.which("node"), reason="Node is not installed")


def _node(folder, code):
    done = subprocess.run(["node", "--input-type=module", "-e", code], cwd=folder, capture_output=True, check=True)
    return json.loads(done.stdout)


@needs_node
@pytest.mark.slow
def test_every_activation_and_layer(tmp_path):
    layers = [cr.Residual([cr.LayerNorm(), cr.Activation(f), cr.Dense(4)]) for f in activations.names()]
    net = cr.Network(
        [cr.BatchNorm(), *layers, cr.LayerNorm(), cr.Dropout(0.5), cr.Dense(3, bias=False)], "huber", n_inputs=4
    )
    for dtype, limit in (("float32", 1e-4), ("float64", 1e-12)):
        assert net.astype(dtype).export(tmp_path / "net.mjs").max_difference < limit


@needs_node
@pytest.mark.slow
def test_a_model_from_columns_to_the_name_of_a_class(tmp_path):
    model = cr.train("iris", epochs=5)
    model.export(tmp_path / "iris.mjs", data="iris")
    table = model.read("iris")
    (tmp_path / "rows.json").write_text(json.dumps(table.to_dicts()))
    code = """import { readFileSync } from "node:fs"; import { predict, encode, classOf } from "./iris.mjs";
        const rows = JSON.parse(readFileSync("rows.json"));
        console.log(JSON.stringify(rows.map((row) => classOf(predict(encode(row))))));"""
    assert _node(tmp_path, code) == model.predict(table)["prediction"].to_list()


@needs_node
@pytest.mark.slow
def test_values_come_back_in_their_units_and_what_is_missing_has_the_median(tmp_path):
    table = {"a": [1.0, None, 3.5, -2.0, 8.0], "b": [0.1, 0.2, 0.4, 0.8, 1.6], "v": [1.0, 2.0, 3.0, 5.0, 4.0]}
    model = cr.train(table, target="v", epochs=3, layers=(3,), missing=("-9.5",))
    model.export(tmp_path / "values.js", "javascript")
    (tmp_path / "values.mjs").write_text((tmp_path / "values.js").read_text())
    code = """import { predict, encode, decode } from "./values.mjs";
        const rows = [{a: 1, b: 0.1}, {a: null, b: 0.2}, {b: 0.4}, {a: -9.5, b: 1}];
        console.log(JSON.stringify(rows.map((row) => decode(predict(encode(row))))));"""
    ours = model.predict({"a": [1.0, None, None, -9.5], "b": [0.1, 0.2, 0.4, 1.0]})["prediction"].to_numpy()
    assert np.array(_node(tmp_path, code)) == pytest.approx(ours, rel=1e-5)


@needs_node
@pytest.mark.slow
def test_a_row_of_the_wrong_length_is_refused(tmp_path):
    cr.Network([cr.Dense(2)], "huber", n_inputs=4).export(tmp_path / "net.mjs")
    code = """import { predict } from "./net.mjs";
        try { predict([1, 2]); } catch (error) { console.log(JSON.stringify(error.message)); }"""
    assert _node(tmp_path, code) == "expected 4 inputs, got 2"


def test_without_node_it_says_that_nothing_was_checked(tmp_path, monkeypatch):
    monkeypatch.setattr(javascript.shutil, "which", lambda _: None)
    exported = cr.Network([cr.Dense(5, "gelu")], "huber", n_inputs=4).export(tmp_path / "net.mjs")
    assert "Not checked: there is no Node here." in str(exported)
    text = (tmp_path / "net.mjs").read_text()
    assert text.count("function gelu(") == 1
    assert "softmax" not in text
