"""Sheets: every student has other numbers, what is filled in is marked, and pages hold every blank."""

from __future__ import annotations

import json
import re

import msgspec
import numpy as np
import pytest

import chainrule as cr
from chainrule.insight.marking.sheets import Exercise, Sheet, read_sheet

KINDS = (
    Exercise(),
    Exercise(hidden=(3, 2), rows=2, activation="tanh"),
    Exercise(hidden=(), outputs=1),
    Exercise(loss="cross_entropy", outputs=3, rows=3, activation="relu"),
    Exercise(loss="binary_cross_entropy", outputs=1, rows=2),
    Exercise(loss="poisson"),
)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_answers_rounded_as_asked_are_right_and_others_are_not(kind):
    sheet = kind.draw(7)
    filled = {name: np.round(values, kind.digits) for name, values in sheet.solution().items()}
    assert sheet.mark(filled).ok
    wrong = filled | {"loss": filled["loss"] + 0.1}
    assert [answer.name for answer in sheet.mark(wrong).wrong] == ["loss"]


@pytest.mark.slow
def test_fewer_decimals_than_asked_for_are_not_enough():
    sheet = Exercise().draw(3)
    loss = sheet.solution()["loss"]
    assert abs(loss - 0.1457) < 1e-4
    given = {"loss": 0.1, "dense_1.Z": np.round(sheet.solution()["dense_1.Z"], 4)}
    assert [answer.name for answer in sheet.mark(given).wrong] == ["loss"]
    assert [answer.name for answer in sheet.mark(given | {"loss": 1}).wrong] == ["loss"]
    assert sheet.mark(given | {"loss": round(loss, 4)}).ok


def test_a_seed_gives_the_same_sheets_and_each_student_another():
    task = Exercise()
    assert task.draw(7, 3) == task.draw(7, 3)
    drawn = {json.dumps([s.X, s.weights]) for s in (task.draw(seed, k) for seed in (7, 8) for k in range(1, 20))}
    assert len(drawn) == 38


def test_a_sheet_comes_back_as_it_was_written(tmp_path):
    sheet = KINDS[3].draw(2)
    path = tmp_path / "sheet.json"
    sheet.page().to_json(path)
    assert read_sheet(path) == sheet
    assert all(entry is None for values in sheet.answers.values() for entry in np.ravel(np.array(values, object)))
    with pytest.raises(cr.ArgumentError, match="at least one number"):
        sheet.mark(path)


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_has_a_box_for_each_blank_and_no_answer(kind):
    sheet = kind.draw(1)
    html = sheet.page().to_html()
    assert html.count("<rect") == sum(np.size(values) for values in sheet.solution().values())
    assert "<script" not in html
    assert html.count("http") == html.count("http://www.w3.org/")
    solved = sheet.page(solved=True).to_html()
    assert "<rect" not in solved
    number = f"{np.ravel(sheet.solution()['dense_1.Y'])[0]:.4f}"
    assert re.search(re.escape(number.lstrip("-")).rstrip("0"), solved)


def test_what_is_no_sheet_is_refused(tmp_path):
    path = tmp_path / "sheet.json"
    path.write_text('{"dense_1.Z": 1}')
    with pytest.raises(cr.DataError, match="this is no sheet"):
        read_sheet(path)
    other = msgspec.to_builtins(Exercise().draw(1)) | {"weights": {}}
    path.write_text(json.dumps(other))
    with pytest.raises(cr.DataError, match=r"the sheet has no dense_1\.W"):
        read_sheet(path).mark({"loss": 1.0})
    assert isinstance(read_sheet(path), Sheet)


@pytest.mark.parametrize(
    "wrong",
    [{"inputs": 0}, {"hidden": (99,)}, {"rate": -1}, {"activation": "sigmod"}, {"loss": "l"}, {"rows": 2.5},
     {"loss": "cross_entropy", "outputs": 1}, {"output_activation": "soft"}],
)  # fmt: skip
def test_what_cannot_be_an_exercise_is_refused(wrong):
    with pytest.raises(cr.ArgumentError):
        Exercise(**wrong)
