"""`circuit` and `check`, and the forms that commands which explain have in common."""

from __future__ import annotations

import json

import pytest

import chainrule as cr
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
    code, out, err = call("check", model, "flowers.csv", "--batch-size", 5)
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
        (["flowers.safetensors", "flowers.csv", "--batch-size", "0"], "--batch-size: expected a whole number >= 1"),
        (["flowers.safetensors", "none.csv"], "none.csv"),
    ],
)
def test_what_check_refuses(call, model, arguments, words):  # noqa: ARG001 -- it has to be there
    code, out, err = call("check", *arguments)
    assert (code, out) == (2, "")
    assert words in " ".join(err.split())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A small model of a built-in table."""
    path = tmp_path_factory.mktemp("models") / "iris.safetensors"
    cr.train("iris", layers=(3,), epochs=3).save(path)
    return path


@pytest.mark.parametrize("command", ["explain", "check", "diagnose"])
def test_commands_that_explain_take_the_same_options(call, trained, tmp_path, command):
    exact = call(command, trained, "iris", "--json")
    assert (exact.code, exact.err) == (0, "")
    assert json.loads(exact.out) == json.loads(call(command, trained, "iris", "--format", "json").out)
    assert call(command, trained, "iris", "--json", "--format", "html").err == (
        "Error: --json and --format html are two forms. Ask for one of them\n"
    )
    assert call(command, trained, "iris", "--out", "told.html").err.startswith("Wrote told.html")
    assert (tmp_path / "told.html").read_text().startswith("<!DOCTYPE html>")
    for wrong, words in (("told.pdf", "a name that ends in .txt, .md"), ("no/told.html", "mkdir -p"), (".", "ends in")):
        code, out, err = call(command, trained, "iris", "--out", wrong)
        assert (code, out) == (2, "")
        assert words in err
    assert not (tmp_path / "told.pdf").exists()


@pytest.mark.parametrize("command", ["explain", "check", "diagnose", "evaluate"])
def test_a_table_of_other_columns_is_named(call, trained, command):
    code, _, err = call(command, trained, "xor")
    assert code == 2
    assert err.startswith("Error: xor: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["explain", "--rows", "999"], "Error: --rows: expected whole numbers from 0 to 149, got 999\n"),
        (["explain", "--rows", "a"], "Error: --rows: expected whole numbers such as 0,70, got 'a'\n"),
        (["explain", "--optimizer", "sgd", "--lr", "0"], "Error: --lr: expected a number > 0, got 0.0\n"),
        (["explain", "--what-if", "T[0, 0] = nan"], "Error: --what-if: expected a name, = and a finite number, such"),
        (["explain", "--why", "dense_1.W[0, 1]", "--paths", "-1"], "Error: --paths: expected a whole number >= 0"),
        (["check", "--seed", "-1"], "Error: --seed: expected a whole number >= 0, got -1\n"),
        (["check", "--seed", 2**63], "Error: --seed: expected a whole number below 2^63, got 9223372036854775808\n"),
        (["check", "--sample", "0"], "Error: --sample: expected a whole number >= 1, got 0\n"),
    ],
)
def test_options_are_named_as_they_were_given(call, trained, arguments, words):
    command, *options = arguments
    code, out, err = call(command, trained, "iris", *options)
    assert (code, out) == (2, "")
    assert err.startswith(words)
