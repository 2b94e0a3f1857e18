"""Answers from files, names as people write them, and how exactly numbers were written."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.insight.marking.answers import from_file
from chainrule.insight.marking.naming import address
from chainrule.insight.marking.precision import precision

NET = cr.Network([cr.Dense(2, "tanh"), cr.Dense(1)], "half_squared_error", n_inputs=2)
STEP = cr.trace(NET, [[0.5, -1.0]], [[1.0]], cr.SGD(0.1))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("dense_1.W", "dense_1.W"),
        ("W1", "dense_1.W"),
        ("w_2", "dense_2.W"),
        ("delta2", "dense_2.dZ"),
        ("dW1", "dense_1.dW"),
        ("grad_b2", "dense_2.db"),
        ("a0", "dense_1.X"),
        ("A1", "dense_1.Y"),
        ("Y_hat", "dense_2.Y"),
        ("new_b1", "dense_1.b.new"),
        ("W1_new", "dense_1.W.new"),
        ("E", "loss"),
        ("loss after", "loss.new"),
        ("dense_1.W[0,1]", "dense_1.W[0, 1]"),
        ("W1[0, 1]", "dense_1.W[0, 1]"),
        ("hidden", "dense_1.Y"),
    ],
)
def test_names_as_people_write_them(said, meant):
    assert str(address(said, STEP.names, {"hidden": "dense_1.Y"}, where="mark")) == meant


def test_a_csv_file(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text('name,value\ndense_1.W,0.1,0.2\ndense_1.W,0.3,\nloss,0.5\n"dense_1.b[0]",1\ndense_1.dW[0, 1],2\n\n')
    assert from_file(path, where="mark") == {
        "dense_1.W": [["0.1", "0.2"], ["0.3", None]],
        "loss": "0.5",
        "dense_1.b[0]": "1",
        "dense_1.dW[0, 1]": "2",
    }


def test_a_csv_file_with_semicolons_and_decimal_commas(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("name;value\ndense_1.W;0,1;0,2\ndense_1.dW[0, 1];-2,5e-3\nloss;0.5\n")
    expected = {"dense_1.W": ["0.1", "0.2"], "dense_1.dW[0, 1]": "-2.5e-3", "loss": "0.5"}
    assert from_file(path, where="mark") == expected


@pytest.mark.parametrize("ending", ["json", "npz", "csv"])
def test_every_kind_of_file_gives_the_same(tmp_path, ending):
    numbers = {name: np.asarray(STEP[name]) for name in ("dense_1.Z", "dense_2.dW", "loss")}
    path = tmp_path / f"mine.{ending}"
    if ending == "json":
        path.write_text(json.dumps({name: values.tolist() for name, values in numbers.items()}))
    elif ending == "npz":
        np.savez(path, **numbers)
    else:
        lines = [(n, row) for n, v in numbers.items() for row in np.atleast_2d(v)]
        path.write_text("".join(f"{n},{','.join(map(repr, row.tolist()))}\n" for n, row in lines))
    marked = cr.mark(NET, [[0.5, -1.0]], [[1.0]], path)
    assert marked.ok
    assert len(marked.answers) == 3


def test_a_trace_as_it_writes_itself_is_right(tmp_path):
    STEP.to_json(tmp_path / "step.json")
    assert cr.mark(NET, [[0.5, -1.0]], [[1.0]], tmp_path / "step.json", optimizer=cr.SGD(0.1)).ok


@pytest.mark.parametrize(
    "content", [b"[1]", b"{", b"\xff", b"3", b"", b'{"loss": ' + b"[" * 10**5 + b"]" * 10**5 + b"}"]
)
def test_a_broken_file(tmp_path, content):
    path = tmp_path / "mine.json"
    path.write_bytes(content)
    with pytest.raises(cr.DataError, match=r"mine\.json"):
        cr.mark(NET, [[0.5, -1.0]], [[1.0]], path)


def test_a_broken_npz(tmp_path):
    (tmp_path / "mine.npz").write_bytes(b"PK\x03\x04nothing")
    with pytest.raises(cr.DataError, match="cannot be read"):
        cr.mark(NET, [[0.5, -1.0]], [[1.0]], tmp_path / "mine.npz")


def test_places_left_empty_are_not_wrong():
    W = np.asarray(STEP["dense_1.W"]).tolist()
    W[0][1] = None
    marked = cr.mark(NET, [[0.5, -1.0]], [[1.0]], {"dense_1.W": W})
    assert marked.ok


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=6), st.integers(1, 7))
def test_what_rounds_to_the_answer_is_within_its_tolerance(numbers, decimals):
    true = np.array(numbers)
    given = np.round(true, decimals)
    written = precision(given, decimals)
    if written.rounded:
        assert (np.abs(given - true) <= written.tolerance(given, true)).all()
