"""Reading expressions: Python's own precedence, and clear refusals; the oracle is Python's parser."""

from __future__ import annotations

import ast
import math
import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.insight.circuits import expression
from chainrule.insight.circuits.expression import read

PYTHON = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


def by_python(text, x):
    """The value as Python's parser understands the text."""

    def value(node):
        if isinstance(node, ast.Constant):
            return float(node.value)
        if isinstance(node, ast.Name):
            return x
        if isinstance(node, ast.UnaryOp):
            return PYTHON[type(node.op)](value(node.operand))
        if isinstance(node, ast.Call):
            return {"exp": math.exp, "max": max, "abs": abs}[node.func.id](*map(value, node.args))
        return PYTHON[type(node.op)](value(node.left), value(node.right))

    return value(ast.parse(text, mode="eval").body)


def joined(parts):
    def pair(inner):
        signs = st.sampled_from([" + ", "-", "*", " / ", "**"])
        return st.one_of(
            st.tuples(inner, signs, inner).map("".join),
            inner.map(lambda text: f"({text})"),
            inner.map(lambda text: f"-{text}"),
            inner.map(lambda text: f"+ {text}"),
            inner.map(lambda text: f"exp({text})"),
            st.tuples(inner, inner).map(lambda two: f"max({two[0]}, {two[1]})"),
        )

    return st.recursive(parts, pair, max_leaves=8)


@settings(max_examples=60, deadline=None)
@given(joined(st.sampled_from(["x", "2", "0.5", "3", "1e-1"])))
def test_it_understands_what_python_understands(text):
    try:
        expected = by_python(text, 1.5)
    except (OverflowError, ZeroDivisionError):
        return
    if isinstance(expected, complex) or not math.isfinite(expected):
        return
    graph = read(text)
    inputs = {"x": 1.5} if graph.inputs else {}
    assert graph.forward(inputs)[graph.result].value == pytest.approx(expected, rel=1e-12)


def test_identical_subexpressions_are_one_node():
    graph = read("(x + y) * exp(x + y) * (x + y)")
    assert len(graph.nodes) == 6  # x, y, one sum, exp, two products
    assert graph.uses()[2] == 3


def test_names_may_be_of_any_alphabet_and_pi_is_known():
    assert list(read("θ * x_1 + pi").inputs) == ["θ", "x_1"]
    assert cr.circuit("sin(pi * x)", x=0.5).value == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("__import__('os')", "no function '__import__'. There are: exp"),
        ("x.real", r"'\.' is not understood .*character 2.*Nothing has attributes"),
        ("lambda x: x", "'lambda' is a word of Python's"),
        ("x if y else 1", "'if' stands where an operator is expected"),
        ("[1, 2]", r"'\[' is not understood"),
        ("x = 2", "'=' is not understood"),
        ("'a'", "is not understood"),
        ("2x", r"'x' stands where an operator is expected .*2 \* x"),
        ("x(2)", "no function 'x'"),
        ("2 (x)", r"'\(' stands where an operator"),
        ("x ^ 2", r"Write \*\* for a power"),
        ("x // 2", "Write / to divide"),
        ("sin x", r"Write sin\(...\)"),
        ("sin(x, 2)", "sin takes one number, not 2"),
        ("sgn(x)", "Did you mean 'sin'"),
        ("max()", r"'\)' stands where a number"),
        ("max(x,,1)", "',' stands where a number"),
        ("x, 1", "a comma stands outside a function"),
        ("(x, 1)", "a comma stands outside a function"),
        ("(x", "is not closed"),
        ("x)", "closes nothing"),
        ("x +", "it ends where a number"),
        ("  ", "it is empty"),
        ("*x", r"'\*' stands where a number"),
        ("1e999", "beyond the numbers"),
        (None, "expected text"),
    ],
)
def test_what_is_refused(text, words):
    with pytest.raises(cr.ArgumentError, match=words):
        read(text)


def test_long_and_deep_expressions_need_no_recursion():
    assert len(read("x" + " + 1" * 3_000).nodes) == 6_001
    assert len(read("(" * 3_000 + "x" + ")" * 3_000).nodes) == 1
    assert len(read("sin(" * 3_000 + "x" + ")" * 3_000).nodes) == 3_001
    assert len(read("-" * 3_000 + "x").nodes) == 3_001


def test_size_is_bounded(monkeypatch):
    with pytest.raises(cr.ArgumentError, match="at most 2,000,000 characters"):
        read("x" * (expression.MOST_CHARACTERS + 1))
    monkeypatch.setattr("chainrule.insight.circuits.graph.MOST_NODES", 10)
    with pytest.raises(cr.ArgumentError, match="at most 10 operations"):
        read("x" + "+1" * 10)


_PIECES = ["x", "y", "2", ".5", "1e308", "+", "-", "*", "/", "**", "(", ")", ",", "exp(", "log(", "max(", "sqrt(", " "]
_STRANGE = [
    "__import__('os')",
    "lambda",
    ".",
    "[",
    "{",
    "=",
    "//",
    "^",
    "\0",
    "\u200b",
    "π",
    "𝐱",
    "0x1",
    "1_0",
    "1e400",
]


@pytest.mark.slow
@settings(max_examples=2000, deadline=None)
@given(st.lists(st.sampled_from(_PIECES + _STRANGE), max_size=14).map("".join) | st.text(max_size=12))
def test_whatever_is_written_is_a_number_or_a_clear_refusal(text):
    try:
        made = cr.circuit(text, **dict.fromkeys(read(text).inputs, 0.5))
    except cr.ArgumentError:
        return
    assert math.isfinite(made.value)
