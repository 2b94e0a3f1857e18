"""`mark` and `exercise` from the command line."""

from __future__ import annotations

import json

import pytest

import chainrule as cr


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "iris.safetensors"
    cr.train("iris", layers=(3,), epochs=1).save(path)
    return path


@pytest.mark.slow
def test_mark_says_what_is_right_and_what_is_wrong(call, model, tmp_path):
    step = cr.trace(cr.load(model), "iris", optimizer=cr.SGD(0.5), rows=[0, 70])
    answers = {name: step[name].tolist() for name in ("dense_1.Z", "dense_2.dW", "dense_2.W.new")}
    (tmp_path / "mine.json").write_text(json.dumps(answers))
    begin = ("mark", model, "iris", "mine.json", "--rows", "0,70", "--optimizer", "sgd", "--lr", "0.5")
    code, out, err = call(*begin)
    assert (code, err) == (0, "")
    assert out.startswith("All 3 answers are right")
    (tmp_path / "mine.json").write_text(
        json.dumps(answers | {"dense_2.W.new": (2 * step["dense_2.W"] - step["dense_2.W.new"]).tolist()})
    )
    code, out, _ = call(*begin)
    assert code == 1
    assert "The gradient was added instead of subtracted" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80
    assert json.loads(call(*begin, "--json").out)["first"] == "dense_2.W.new"


@pytest.mark.slow
def test_mark_takes_names_of_ones_own(call, model, tmp_path):
    step = cr.trace(cr.load(model), "iris", rows=[0])
    (tmp_path / "mine.json").write_text(json.dumps({"w5": step["dense_2.W[0, 0]"], "err": step.loss}))
    (tmp_path / "names.json").write_text('{"err": "loss"}')
    code, out, _ = call("mark", model, "iris", "mine.json", "--name", "w5 = dense_2.W[0,0]", "--name", "names.json")
    assert code == 0
    assert "w5      dense_2.W[0, 0]  right" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["mine.json", "--name", "w5"], '--name: expected MINE=NAME, such as "w5=dense_2.W[0, 0]"'),
        (["mine.json", "--name", "=loss"], "--name: expected MINE=NAME"),
        (["mine.json", "--name", "gone.json"], "gone.json: cannot be read"),
        (["mine.json", "--lr", "0.5"], "--lr is the rate of a step"),
        (["mine.json", "--optimizer", "sdg"], "Did you mean 'sgd'?"),
        (["mine.json"], "cannot be read"),
        (["mine.doc"], "ends in .json, .npz or .csv"),
        ([], "ANSWERS is missing"),
    ],
)
def test_what_mark_refuses(call, model, arguments, words):
    code, out, err = call("mark", model, "iris", *arguments)
    assert (code, out) == (2, "")
    assert words in err


@pytest.mark.slow
def test_sheets_are_written_and_marked(call, tmp_path):
    code, out, _ = call("exercise", "--seed", "7", "--students", "2", "--hidden", "2,3", "--out", "sheets")
    assert code == 0
    assert "Wrote 2 sheets" in out
    names = {path.name for path in (tmp_path / "sheets").iterdir()}
    assert names == {f"{kind}-{k}.{form}" for kind in ("sheet", "answers") for k in (1, 2) for form in ("html", "json")}
    code, out, _ = call("exercise", "--mark", "sheets/sheet-1.json", "sheets/answers-1.json")
    assert (code, out.splitlines()[0]) == (0, "All 26 answers are right")
    assert call("exercise", "--mark", "sheets/answers-2.json").code == 0
    assert call("exercise", "--mark", "sheets/sheet-1.json", "sheets/answers-2.json").code == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "expected the folder for the sheets"),
        (["sheet.json"], "Put --mark before"),
        (["--mark"], "expected a sheet"),
        (["--mark", "gone.json"], "cannot be read"),
        (["--hidden", "x", "--out", "d"], "whole numbers such as 3,2"),
        (["--hidden", "99", "--out", "d"], "at most 12"),
        (["--students", "0", "--out", "d"], "from 1 to 1000"),
        (["--seed", "-1", "--out", "d"], "expected a whole number >= 0"),
        (["--out", "d", "--format", "html"], "--format and --json are for --mark"),
        (["--loss", "huberr", "--out", "d"], "Did you mean 'huber'?"),
    ],
)
def test_what_exercise_refuses(call, arguments, words):
    code, _, err = call("exercise", *arguments)
    assert code == 2
    assert words in err


def test_a_folder_that_cannot_be_made(call, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = call("exercise", "--out", "file")
    assert code == 1
    assert "cannot be made" in err
