"""What is told of inputs and outputs."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

import chainrule as cr
from chainrule.export.meaning import meaning
from chainrule.export.subject import subject_of


def _of(what):
    return meaning(subject_of(what, None, network_only=False, name="net"))


def test_every_kind_of_column_is_told_and_the_rules_hold():
    """The rules of a row, worked out by hand, beside the matrix that the model makes of it."""
    table = {
        "age": [20.0, None, 40.0, 60.0] * 5,
        "kind": ["a", "b", "a", "c"] * 5,
        "member": [True, False, None, True] * 5,
        "since": [dt.date(2020, 1, 1), dt.date(2021, 1, 1), dt.date(2022, 6, 1), None] * 5,
        "t": ["x", "y", "x", "y"] * 5,
    }
    model = cr.train(table, target="t", epochs=1)
    told = _of(model)
    rules = {place.name: place.rule for place in told.places}
    row = dict(zip(rules, model.columns.encode(table)[0], strict=True))
    assert told.classes == ("x", "y")
    assert told.numbers == ()  # not all are numbers
    assert rules["kind=a"] == "1 where kind is 'a', else 0"
    assert row["kind=a"] == 1
    assert rules["age is missing"] == "1 where age is missing, else 0"
    formula, median = rules["age"].split("; ")
    assert np.isclose(eval(formula, {"age": 20.0}), row["age"])  # noqa: S307 -- our own words
    assert median == "40 in place of a missing one"
    assert rules["member"].startswith("1 where member is true, 0 where it is false")
    assert any(name.startswith("since") and "year of since" in rule for name, rule in rules.items())


def test_a_network_alone_knows_its_classes():
    net = cr.Network([cr.Dense(3, "softmax")], n_inputs=2)
    assert _of(net).classes == ()
    net.fit([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["low", "mid", "top"], epochs=1)
    assert _of(net).classes == ("low", "mid", "top")


def test_values_have_a_target_with_its_units():
    model = cr.train({"a": [1.0, 2.0, 3.0, 4.0], "v": [10.0, 20.0, 30.0, 40.0]}, target="v", epochs=1)
    told = _of(model)
    assert (told.target.name, told.target.mean) == ("v", 25.0)
    assert [column.name for column in told.numbers] == ["a"]


def test_below_zero_a_center_is_added():
    model = cr.train({"a": [-1.0, -2.0, -3.0, -5.0], "v": [10.0, 20.0, 30.0, 40.0]}, target="v", epochs=1, validation=0)
    formula = _of(model).places[0].rule.split("; ")[0]
    assert formula.startswith("(a + ")
    encoded = model.columns.encode(pl.DataFrame({"a": [-4.0]}))[0, 0]
    assert np.isclose(eval(formula, {"a": -4.0}), encoded)  # noqa: S307 -- our own words
