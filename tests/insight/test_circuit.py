"""Circuits: published examples, difference quotients by SciPy-free means, SymPy, domains and kinks."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.insight.circuits.rules import FUNCTIONS, OPERATORS

# CS231n, "Backpropagation, Intuitions": its circuits and their printed numbers.


def test_the_first_circuit_of_cs231n():
    f = cr.circuit("(x + y) * z", x=-2, y=5, z=-4)
    assert f.value == -12
    assert f.gradient == {"x": -4, "y": -4, "z": 3}
    assert f.values == {"x": -2, "y": 5, "v1": 3, "z": -4, "f": -12}
    assert [(step.name, step.rule, step.gradient) for step in f.steps] == [("f", "product", 1), ("v1", "sum", -4)]
    assert [share.operand for share in f.steps[0].shares] == ["v1", "z"]
    assert [share.product for share in f.steps[0].shares] == [-4, 3]


def test_the_neuron_of_cs231n():
    f = cr.circuit("1/(1+exp(-(w0*x0+w1*x1+w2)))", w0=2, x0=-1, w1=-3, x1=-2, w2=-3)
    assert f.value == pytest.approx(0.73, abs=0.005)
    printed = {"w0": -0.20, "x0": 0.39, "w1": -0.39, "x1": -0.59, "w2": 0.20}  # its figure rounds as it goes
    assert f.gradient == pytest.approx(printed, abs=0.005)


# every rule against other means --------------------------------------------------------------------------------------

EXPRESSIONS = {
    "+": "x + y",
    "-": "x - y",
    "*": "x * y",
    "/": "x / y",
    "**": "x ** y",
    "exp": "exp(x)",
    "log": "log(x)",
    "sin": "sin(x)",
    "cos": "cos(x)",
    "tanh": "tanh(x)",
    "sigmoid": "sigmoid(x)",
    "sqrt": "sqrt(x)",
    "relu": "relu(x) + relu(-y)",
    "abs": "abs(x) + abs(-y)",
    "min": "min(x, y, 7 * x)",
    "max": "max(x, y, 0)",
}


def test_every_rule_has_its_expression():
    assert set(EXPRESSIONS) == {*OPERATORS, *FUNCTIONS}


def _point(symbol, x):
    text = EXPRESSIONS[symbol]
    inputs = {name: value for name, value in {"x": x, "y": 1.7}.items() if name in text.replace("exp", "")}
    return cr.circuit(f"3 * ({text}) ** 2", **inputs)


@pytest.mark.parametrize("symbol", EXPRESSIONS)
@pytest.mark.parametrize("x", [0.3, 2.5])
def test_a_rule_agrees_with_difference_quotients(symbol, x):
    for row in _point(symbol, x).compared:
        assert row.error <= 1e-9, row


@pytest.mark.slow
@pytest.mark.parametrize("symbol", EXPRESSIONS)
@pytest.mark.parametrize("x", [0.3, 2.5])
def test_a_rule_agrees_with_sympy(symbol, x):
    pytest.importorskip("sympy")
    for each in _point(symbol, x).symbolic():
        assert each.error <= 1e-12, each


def test_the_difference_quotient_notices_a_wrong_rule(monkeypatch):
    right = FUNCTIONS["tanh"]

    def wrong(a):
        y = math.tanh(a)
        return right.local(a)._replace(slopes=(lambda: 1 - y,))

    monkeypatch.setitem(FUNCTIONS, "tanh", right._replace(local=wrong))
    assert cr.circuit("tanh(x)", x=0.5).compared[0].error > 0.1


@pytest.mark.parametrize("x", [1e-12, 1e-3, 1e6])
def test_difference_quotients_fit_the_scale_of_the_input(x):
    assert cr.circuit("log(x) + 1 / x", x=x).compared[0].error < 1e-6


# sharing, inputs -----------------------------------------------------------------------------------------------------


def test_what_is_used_twice_adds_up():
    f = cr.circuit("x * x + exp(x * x)", x=1.5)
    assert f.gradient["x"] == pytest.approx(3 * (1 + math.exp(2.25)))
    assert f.compared[0].uses == 2
    assert f.gradients["v1"] == pytest.approx(1 + math.exp(2.25))


def test_a_number_gets_no_gradient_and_its_derivative_need_not_exist():
    f = cr.circuit("x ** 2 + 3", x=-2)
    assert f.gradient == {"x": -4}
    assert set(f.gradients) == {"x", "v1", "f"}
    assert cr.circuit("2 * 3").gradient == {}


def test_names_step_aside_for_inputs():
    f = cr.circuit("(f + v1) * F", f=1, v1=2, F=3)
    assert f.gradient == {"f": 3, "v1": 3, "F": 3}
    assert set(f.values) == {"f", "v1", "F", "w1", "result"}


def test_numpy_numbers_are_inputs_too():
    assert cr.circuit("x * 2", x=np.float32(0.5)).value == 1


@pytest.mark.slow
def test_a_chain_of_ten_thousand():
    f = cr.circuit("x" + " + 1" * 10_000, x=0.5)
    assert (f.value, f.gradient["x"]) == (10_000.5, 1)
    assert f.compared[0].error < 1e-9
    assert "too many to draw" in str(f)
    assert len(str(f).splitlines()) < 120
    g = cr.circuit("sin(" * 10_000 + "x" + ")" * 10_000, x=0.5)
    slope, value = 1.0, 0.5
    for _ in range(10_000):
        slope, value = slope * math.cos(value), math.sin(value)
    assert g.gradient["x"] == pytest.approx(slope, rel=1e-12)


# where there is no derivative ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "x", "words"),
    [
        ("log(x - 3)", 2, r"log\(x - 3\): log takes numbers above 0 \(x - 3 = -1\)"),
        ("1 / (x - x)", 1, r"1 / \(x - x\): it divides by 0 \(x - x = 0\)"),
        ("x ** -1", 0, "0 to a negative power"),
        ("x ** 0.5", -1, "is no real number"),
        ("x ** 0.5", 0, "infinite where the base is 0"),
        ("2 ** x * x ** x", -2, "needs a base above 0"),
        ("x ** x", 0, "0 [*][*] 0 has no derivative"),
        ("sqrt(x)", -1, "numbers from 0 up"),
        ("sqrt(x)", 0, "infinite at 0"),
        ("exp(x)", 1000, "beyond the numbers"),
        ("x * 1e308 * 10", 1, "beyond the numbers"),
        ("1 / x", 1e-200, "its derivative is beyond"),
        ("10 ** x", 400, "beyond the numbers"),
    ],
)
def test_outside_the_domain(text, x, words):
    with pytest.raises(cr.ArgumentError, match=words):
        cr.circuit(text, x=x)


@pytest.mark.parametrize(
    ("text", "gradient"), [("relu(x)", 0), ("abs(x)", 0), ("max(x, 0)", 0.5), ("min(0, x, x * 2)", 1)]
)
def test_a_kink_is_told_and_what_was_taken(text, gradient):
    f = cr.circuit(text, x=0)
    assert f.gradient["x"] == pytest.approx(gradient)
    assert "kink" in f.kinks[0]
    assert "kink" in str(f)


def test_no_kink_where_operands_are_the_same_or_nothing_comes_through():
    assert not cr.circuit("max(x, x) + 0 * relu(y)", x=1, y=0).kinks


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"x": 1}, "no value is given for y. Add y=1"),
        ({"x": 1, "y": 2, "z": 3}, "has no 'z'. Its names are: x, y"),
        ({"x": "a", "y": 2}, "x: expected a finite number, got 'a'"),
        ({"x": 1, "y": math.nan}, "y: expected a finite number, got nan"),
        ({"x": 1j, "y": 2}, "x: expected a finite number"),
    ],
)
def test_inputs_are_checked(inputs, words):
    with pytest.raises(cr.ArgumentError, match=words):
        cr.circuit("x * y", **inputs)


# SymPy, forms --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_symbolic_derivatives_are_formulas():
    pytest.importorskip("sympy")
    f = cr.circuit("x ** 2 * y", x=3, y=2)
    assert [(each.name, each.formula, each.value) for each in f.symbolic()] == [("x", "2*x*y", 12), ("y", "x**2", 9)]
    assert "2*x*y" in str(f)


def test_symbolic_derivatives_of_long_circuits_are_refused():
    with pytest.raises(cr.ArgumentError, match="at most 200"):
        cr.circuit("x" + "+1" * 300, x=1).symbolic()


def test_without_sympy_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sympy", None)
    with pytest.raises(cr.MissingExtraError, match=r"chainrule\[symbolic\]"):
        cr.circuit("x", x=1).symbolic()


def test_every_form():
    f = cr.circuit("relu(x) * y + exp(-y)", x=1, y=2)
    data = json.loads(f.to_json())
    assert data["gradient"] == f.gradient
    assert data["backward"][0]["shares"][0]["formula"] == "1"
    assert "<svg" in f._repr_html_()
    assert "| input |" in f.to_markdown()
    assert "relu" in f.to_latex()
    assert max(map(len, str(f).splitlines())) <= 80
