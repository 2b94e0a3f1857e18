"""`circuit` and `check`, and the forms that commands which explain have in common."""

from __future__ import annotations

import json

import pytest

from chainrule.insight.gradcheck import check as gradcheck


def test_circuit_shows_values_gradients_and_quotients(call):
    code, out, err = call("circuit", "(x + y) * z", "x=-2", "y=5", "z=-4")
    assert (code, err) == (0, "")
    assert "f = (x + y) * z at x = -2, y = 5, z = -4" in out
    assert "f = v1 * z  product  v1         -4" in out
    assert max(map(len, out.splitlines())) <= 80


def test_an_expression_may_begin_with_a_minus(call):
    assert json.loads(call("circuit", "-x**2", "x=3", "--format", "json").out)["value"] == -9


@pytest.mark.parametrize(
    ("name", "begins"),
    [("f.svg", "<svg"), ("f.html", "<!DOCTYPE html>"), ("f.md", "# f = "), ("f.json", "{"), ("f.txt", "f = x * y")],
)
def test_the_ending_of_the_file_says_the_form(call, tmp_path, name, begins):
    code, out, err = call("circuit", "x * y", "x=2", "y=3", "--out", name)
    assert (code, out) == (0, "")
    assert f"Wrote {name}" in err
    assert (tmp_path / name).read_text().startswith(begins)


def test_a_form_on_the_screen(call):
    assert call("circuit", "x", "x=2", "--format", "svg").out.endswith("</svg>\n")
    assert r"\begin" in call("circuit", "x + 1", "x=2", "--format", "latex").out


@pytest.mark.slow
def test_symbolic_derivatives(call):
    pytest.importorskip("sympy")
    assert "2*x" in call("circuit", "x ** 2", "x=3", "--symbolic").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x * y", "x=1"], "no value is given for y"),
        (["x", "x"], "after the expression stands 'x'"),
        (["x", "x=one"], "such as x=-2"),
        (["x", "x=inf"], "expected a finite number"),
        (["__import__('os')"], "no function '__import__'"),
        (["log(x)", "x=-1"], "log takes numbers above 0"),
        (["x", "x=1", "--format", "svgg"], "Did you mean 'svg'?"),
        ([], "EXPRESSION is missing"),
    ],
)
def test_what_circuit_refuses(call, arguments, words):
    code, out, err = call("circuit", *arguments)
    assert (code, out) == (2, "")
    assert words in " ".join(err.split())


@pytest.fixture
def model(call, flowers):
    assert call("train", flowers, "--target", "species", "--epochs", 3, "--layers", "5", "--quiet").code == 0
    return "flowers.safetensors"


def test_check_passes_a_model(call, model):
    code, out, err = call("check", model, "flowers.csv", "--rows", 5)
    assert (code, err) == (0, "")
    assert "The gradient is right" in out
    assert "on 5 rows" in out


def test_check_ends_with_1_when_a_gradient_is_wrong(call, model, monkeypatch):
    right = gradcheck.loss_function

    def wrong(objective, point):
        function = right(objective, point)
        first, *rest = function.parts
        return function._replace(parts=[first._replace(gradient=1.5 * first.gradient), *rest])

    monkeypatch.setattr(gradcheck, "loss_function", wrong)
    code, out, err = call("check", model, "flowers.csv", "--all", "--json")
    assert (code, err) == (1, "")
    found = json.loads(out)
    assert found["ok"] is False
    assert found["table"][0]["factor"] == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["flowers.csv", "flowers.safetensors"], "the model comes first"),
        (["flowers.safetensors", "iris"], "columns are missing"),
        (["flowers.safetensors", "flowers.csv", "--rows", "0"], "rows: expected a whole number >= 1"),
        (["flowers.safetensors", "none.csv"], "none.csv"),
    ],
)
def test_what_check_refuses(call, model, arguments, words):  # noqa: ARG001 -- it has to be there
    code, out, err = call("check", *arguments)
    assert (code, out) == (2, "")
    assert words in " ".join(err.split())
