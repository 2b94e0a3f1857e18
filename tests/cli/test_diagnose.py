"""`chainrule diagnose`, and what `chainrule train` says of a sick training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("flowers")

TRAIN = ("train", "flowers.csv", "--target", "species", "--epochs", 12)


def test_a_healthy_training_is_not_commented_on(call):
    code, out, _ = call(*TRAIN)
    assert code == 0
    assert "alarm" not in out
    assert "warning" not in out


def test_a_sick_training_is_told_with_options(call):
    code, out, _ = call(*TRAIN, "--lr", 5)
    assert code == 0
    assert "alarm: the learning rate 5 is too high" in out
    assert "try --lr 0.5" in out
    assert "alarm" not in call(*TRAIN, "--lr", 5, "--no-diagnosis").out
    assert not call(*TRAIN, "--lr", 5, "--quiet").out


def test_a_divergence_is_told_too(call):
    code, out, err = call(*TRAIN, "--lr", 1e30, "--optimizer", "sgd")
    assert code == 1
    assert "is too high: the training diverged" in out
    assert "Error: training diverged" in err


def test_machines_get_the_findings(call):
    lines = call(*TRAIN, "--lr", 5, "--json").out.splitlines()
    found = json.loads(lines[-1])["diagnosis"]
    assert found[0]["rule"] == "learning_rate_too_high"
    assert found[0]["try"][0]["option"] == "--lr 0.5"
    assert "diagnosis" not in json.loads(call(*TRAIN, "--json", "--no-diagnosis").out.splitlines()[-1])


def test_a_model_is_diagnosed_and_a_remedy_tried(call, tmp_path):
    call(*TRAIN, "--lr", 5, "--quiet")
    code, out, _ = call("diagnose", "flowers.safetensors", "flowers.csv")
    assert code == 0
    assert out.startswith("Diagnosis of ")
    rules = [
        each["rule"]
        for each in json.loads(call("diagnose", "flowers.safetensors", "flowers.csv", "--format", "json").out)[
            "findings"
        ]
    ]
    code, out, _ = call("diagnose", "flowers.safetensors", "flowers.csv", "--try-it", rules[0])
    assert code == 0
    assert "accuracy on held-out rows" in out
    done = call("diagnose", "flowers.safetensors", "flowers.csv", "--format", "html", "--out", "d.html")
    assert done == (0, "", "Wrote d.html\n")
    assert (tmp_path / "d.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--format", "pdf"), "there is no format 'pdf'"),
        (("--try-it", "nothing"), "there is no finding 'nothing'"),
        (("--out", "missing/d.html"), "expected a file in a folder that exists"),
    ],
)
def test_wrong_calls(call, options, words):
    call(*TRAIN, "--lr", 5, "--quiet")
    code, _, err = call("diagnose", "flowers.safetensors", "flowers.csv", *options)
    assert code == 2
    assert words in err


def test_a_model_that_is_none(call):
    code, _, err = call("diagnose", "flowers.csv", "flowers.csv")
    assert code == 2
    assert "flowers.csv" in err


def test_there_is_nothing_to_try_where_nothing_was_found(call):
    call("train", "iris", "--epochs", 40, "--quiet")
    code, out, err = call("diagnose", "iris.safetensors", "iris", "--try-it", "class_imbalance")
    assert (code, out) == (2, "")
    assert "no rule found anything" in err


def test_a_model_file_remembers_its_training(call):
    call("train", "flowers.csv", "--target", "species", "--epochs", 12, "--lr", 5, "--quiet")
    told = call("diagnose", "flowers.safetensors", "flowers.csv").out
    assert "the loss leapt from" in told or "the loss rose from" in told
    assert "learning_rate_too_high" in told


def test_class_weights_of_the_training_count(call):
    rare = Path("flowers.csv").read_text("utf-8").splitlines()
    name = rare[-1].rpartition(",")[2]
    kept = [line for line in rare if not line.endswith(name)] + [line for line in rare if line.endswith(name)][:1]
    Path("rare.csv").write_text("\n".join(kept) + "\n", "utf-8")
    for weights, told in (("none", True), ("balanced", False)):
        call("train", "rare.csv", "--target", "species", "--epochs", 2, "--class-weight", weights, "--quiet")
        found = json.loads(call("diagnose", "rare.safetensors", "rare.csv", "--json").out)["findings"]
        assert ("class_imbalance" in {each["rule"] for each in found}) == told


def test_of_several_seeds_the_best_is_diagnosed(call):
    out = call(*TRAIN, "--lr", 5, "--seeds", 2).out
    assert "too high: the loss" in out
    last = json.loads(call(*TRAIN, "--lr", 5, "--seeds", 2, "--json").out.splitlines()[-1])
    assert "learning_rate_too_high" in {each["rule"] for each in last["diagnosis"]}
    assert "too high" not in call(*TRAIN, "--lr", 5, "--seeds", 2, "--no-diagnosis").out
    assert "alarm" not in call(*TRAIN, "--seeds", 2).out
