"""``chainrule explain``: the trace, the chain rule of a weight, what another number would change."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

import chainrule as cr


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "iris.safetensors"
    cr.train("iris", epochs=2, layers=(4,)).save(path)
    return path


def test_a_trace_of_some_rows(call, model):
    done = call("explain", model, "iris", "--rows", "0,70")
    assert done.code == 0
    assert "Forward and backward of 4-4-3, 2 rows" in done.out
    assert "they are rows 0, 70 of the data" in " ".join(done.out.split())
    assert "sepal_length" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_a_step(call, model):
    done = call("explain", model, "iris", "--optimizer", "sgd", "--lr", "0.5")
    assert done.code == 0
    assert "SGD(rate=0.5): r = 0.5" in done.out
    assert "dense_2.W.new (4, 3) = W + change" in done.out


def test_why(call, model):
    done = call("explain", model, "iris", "--rows", "3,70", "--why", "dense_2.W[0, 1]", "--row", "70", "--paths", "5")
    assert done.code == 0
    assert "the share of row 1 (row 70 of the data) in a batch of 2" in " ".join(done.out.split())
    assert "Do they agree?" in done.out


def test_what_if(call, model):
    done = call("explain", model, "iris", "--what-if", "dense_2.b[0] = 0.5", "--format", "json")
    assert done.code == 0
    assert json.loads(done.out)["new"] == 0.5


@pytest.mark.parametrize("ending", ["txt", "md", "tex", "html", "json"])
def test_to_a_file(call, model, tmp_path, ending):
    done = call("explain", model, "iris", "--out", f"step.{ending}")
    assert (done.code, done.out) == (0, "")
    text = (tmp_path / f"step.{ending}").read_text(encoding="utf-8")
    assert "dense" in text
    if ending == "html":
        ET.fromstring(text.partition("<body>")[2].partition("</body>")[0].strip())  # noqa: S314 -- our own
    if ending == "json":
        assert "dense_1.dW" in json.loads(text)["numbers"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--rows", "0,200"), "0 to 149"),
        (("--rows", "x"), "whole numbers"),
        (("--why", "dense_1.w"), "Did you mean 'dense_1.W'"),
        (("--row", "3", "--why", "dense_1.W"), "one of the rows that are explained: 0"),
        (("--what-if", "dense_1.W"), "a name, = and a finite number"),
        (("--what-if", "a = 1", "--why", "b"), "two questions"),
        (("--row", "0"), "--row is for --why"),
        (("--paths", "3"), "--paths is for --why"),
        (("--format", "pdf"), "there is no format 'pdf'"),
        (("--out", "step.pdf"), ".html"),
        (("--out", "nowhere/step.html"), "nowhere"),
        (("--lr", "0.1"), "--optimizer"),
        (("--optimizer", "sdg"), "Did you mean 'sgd'"),
        (("--digits", "0"), "1 to 17"),
        (("--paths", "-2", "--why", "dense_1.W[0, 0]"), "paths"),
    ],
)
def test_what_is_wrong_is_said(call, model, options, said):
    done = call("explain", model, "iris", *options)
    assert done.code == 2
    assert said in " ".join(done.err.split())
    assert done.out == ""


def test_a_table_without_the_target(call, model, tmp_path):
    (tmp_path / "new.csv").write_text("sepal_length,sepal_width,petal_length,petal_width\n5,3,1,0.2\n")
    done = call("explain", model, "new.csv")
    assert done.code == 2
    assert "the target" in done.err
