"""`chainrule train --report` and `--tensorboard`, `chainrule compare`."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr

pytestmark = pytest.mark.usefixtures("flowers")

TRAIN = ("train", "flowers.csv", "--target", "species", "--test", 0.2, "--epochs", 4)


@pytest.mark.slow
def test_the_report_is_written_and_changes_no_bit(call):
    call(*TRAIN, "--out", "plain.safetensors", "--quiet")
    code, out, _ = call(*TRAIN, "--out", "told.safetensors", "--report", "told.html")
    assert code == 0
    assert "told.html: the report" in out
    theta = [cr.load(f"{name}.safetensors").network.theta for name in ("plain", "told")]
    assert np.array_equal(*theta)
    page = Path("told.html").read_text()
    assert '<section id="layers"' in page
    command = re.search(r"<pre><code>(chainrule train.*?)</code>", page)[1].replace("&#x27;", "'")
    assert call(*shlex.split(command)[1:], "--out", "again.safetensors", "--quiet").code == 0
    assert np.array_equal(cr.load("again.safetensors").network.theta, theta[0])


@pytest.mark.slow
def test_of_several_seeds_the_best_is_told(call):
    code, out, _ = call(*TRAIN, "--seeds", 2, "--report", "best.html")
    assert code == 0
    assert "best.html: the report" in out
    page = Path("best.html").read_text()
    assert "the best of 2 seeds" in page
    assert "Norm of the gradient" in page
    told = [float(cell) for cell in re.findall(r"<tr><th scope=.row.>dense_1\.W</th><td[^>]*>(\d)</td>", page)]
    assert told == [0, 2, 4]  # the first look, the middle, the last


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--report", "r.txt"), "--report: expected a name that ends in .html"),
        (("--report", "no/r.html"), "--report: expected a file in a folder that exists"),
        (("--tensorboard", "flowers.csv"), "--tensorboard: expected the name of a folder"),
        (("--tensorboard", "tb", "--seeds", 2), "--tensorboard: expected nothing beside --seeds"),
    ],
)
def test_what_cannot_be_written_is_said_before_the_work(call, options, words):
    code, out, err = call(*TRAIN, *options)
    assert (code, out) == (2, "")
    assert words in err


def test_models_stand_side_by_side(call):
    call(*TRAIN, "--layers", 4, "--out", "small.safetensors", "--quiet")
    call(*TRAIN, "--layers", "8,8", "--lr", 0.01, "--out", "large.safetensors", "--quiet")
    code, out, err = call("compare", "small.safetensors", "large.safetensors", "--data", "flowers.csv")
    assert (code, err) == (0, "")
    assert "4 relu, 3 softmax" in out
    assert "seed" not in out  # the same for both
    assert max(map(len, out.splitlines())) <= 80
    told = json.loads(call("compare", "small.safetensors", "large.safetensors", "--data", "flowers.csv", "--json").out)
    for name in ("small", "large"):
        model = cr.load(f"{name}.safetensors")
        assert told["scores"]["accuracy"][name] == model.evaluate("flowers.csv").accuracy
        assert told["results"]["loss"][name] == model.history["loss"][-1]
        assert told["results"]["parameters"][name] == model.network.theta.size


def test_one_model_is_not_compared_and_a_missing_one_is_named(call):
    call(*TRAIN, "--out", "a.safetensors", "--quiet")
    assert call("compare", "a.safetensors").code == 2
    code, _, err = call("compare", "a.safetensors", "b.safetensors")
    assert code == 2
    assert "b.safetensors: there is no such model file" in err


@pytest.mark.slow
def test_the_page_of_a_comparison_has_their_curves(call):
    for name in ("a", "b"):
        call(*TRAIN, "--seed", 1 + (name == "b"), "--out", f"{name}.safetensors", "--quiet")
    assert call("compare", "a.safetensors", "b.safetensors", "--out", "both.html").code == 0
    page = Path("both.html").read_text()
    assert page.count("<svg") >= 1
    assert "<script" not in page


@pytest.mark.slow
def test_the_report_of_a_model_on_its_own_table_is_that_of_its_training(call):
    call(*TRAIN, "--validation", 0.1, "--out", "m.safetensors", "--report", "then.html", "--quiet")
    code, out, err = call("report", "m.safetensors", "flowers.csv", "--out", "now.html")
    assert (code, err) == (0, "")
    assert out == "Wrote now.html: the report on flowers.csv, split as it was for the training.\n"
    then, now = (Path(f"{name}.html").read_text() for name in ("then", "now"))
    for name in ("results", "inputs", "worst"):
        section = rf'<section id="{name}".*?</section>'
        assert re.search(section, now, re.DOTALL)[0] == re.search(section, then, re.DOTALL)[0]
    assert re.findall("<pre><code>chainrule train.*?</code>", now) == re.findall(
        "<pre><code>chainrule train.*?</code>", then
    )


@pytest.mark.slow
def test_the_report_of_a_model_on_another_table_scores_all_of_it(call):
    call(*TRAIN, "--out", "m.safetensors", "--quiet")
    rows = Path("flowers.csv").read_text().splitlines()
    Path("other.csv").write_text("\n".join([rows[0], *rows[30:50]]))
    code, out, _ = call("report", "m.safetensors", "other.csv")
    assert (code, out) == (0, "Wrote m.html: the report on other.csv, other rows than those of the training.\n")
    page = Path("m.html").read_text()
    accuracy = json.loads(call("evaluate", "m.safetensors", "other.csv", "--json").out)["accuracy"]
    assert f"<b>{accuracy:.4f}</b><span>accuracy, given rows</span>" in page
    assert "chainrule train" not in page


def test_what_a_report_of_a_model_cannot_be_made_of_is_said(call):
    call(*TRAIN, "--out", "m.safetensors", "--quiet")
    assert call("report", "m.safetensors", "flowers.csv", "--out", "r.pdf").code == 2
    code, _, err = call("report", "flowers.csv", "m.safetensors")
    assert code == 2
    assert "chainrule report m.safetensors flowers.csv" in err
    Path("bare.csv").write_text("a,b\n1,2\n")
    assert call("report", "m.safetensors", "bare.csv").code == 2
    assert not Path("m.html").exists()
