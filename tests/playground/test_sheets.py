"""Exercises on the page: the network of a sheet is the sheet's own, and marking is that of the library."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

import chainrule as cr
from chainrule import losses
from chainrule.errors import ArgumentError, InputError
from chainrule.examples import worked_example
from chainrule.playground import experiment as experiments
from chainrule.playground.exercises import marked, sheet_told
from chainrule.playground.setting import from_link
from chainrule.playground.sheets import WORKED_EXAMPLE, drawn, form, setting_of
from chainrule.playground.tables import Sources


def test_the_worked_example_steps_as_the_published_figures_do() -> None:
    sources = Sources()
    made = experiments.make(setting_of(sources.sheets[WORKED_EXAMPLE], WORKED_EXAMPLE), sources)
    losses_seen = [record.loss for _, record in zip(range(2), made.training, strict=False)]
    assert losses_seen == pytest.approx([0.298371109, 0.291027774], abs=5e-10)
    own = worked_example.network()
    own.fit(worked_example.X, worked_example.T, epochs=2, optimizer=cr.SGD(worked_example.RATE))
    assert np.allclose(made.network.theta, own.theta, rtol=1e-13, atol=0)
    assert made.network.parameters["dense_2.b"].tolist() == [0.6, 0.6]


@pytest.mark.parametrize("loss", losses.names())
def test_the_network_of_a_sheet_takes_the_step_of_the_sheet(loss: str) -> None:
    sheet, sources = drawn({"loss": loss, "hidden": [3], "rows": 2, "outputs": 3}, 7, 1), Sources()
    made = experiments.make(setting_of(sheet, sources.keep(sheet)), sources)
    right = sheet.trace()
    record = next(iter(made.training))
    assert record.loss == pytest.approx(float(right["loss"]), rel=1e-14)
    for name in made.network.parameters:
        assert np.allclose(made.network.parameters[name], right[f"{name}.new"], rtol=1e-14, atol=1e-16)


def test_a_sheet_is_told_with_a_place_for_every_number_and_the_right_ones_are_right() -> None:
    sheet = drawn({"hidden": [2, 3]}, 3, 2)
    told = sheet_told(sheet, "mine")
    assert [blank.name for blank in told.blanks] == list(sheet.asked())
    assert "rate 0.5" in " ".join(part.text for part in told.given)
    answers = {name: np.round(sheet.trace()[name], 4).tolist() for name in sheet.asked()}
    found = marked(sheet, "mine", answers)
    assert found.ok
    assert len(found.answers) == len(told.blanks)


def test_a_mistake_is_named() -> None:
    sheet = Sources().sheets[WORKED_EXAMPLE]
    right = sheet.trace()
    forgotten = {"dense_2.dZ": right["dense_2.dZ"].tolist(), "dense_1.dZ": right["dense_1.dY"].tolist()}
    found = marked(sheet, WORKED_EXAMPLE, forgotten)
    assert [(answer.name, answer.right) for answer in found.answers] == [("dense_2.dZ", True), ("dense_1.dZ", False)]
    assert found.answers[1].wrong_at == ((0, 0), (0, 1))
    assert "slope of the activation was forgotten" in " ".join(
        cell for part in found.parts for row in part.rows for cell in row
    )


def test_sheets_are_kept_by_name_and_bounded() -> None:
    sources = Sources()
    for student in range(1, 60):
        sources.keep(drawn({}, 5, student))
    assert len(sources.sheets) <= 34
    assert {WORKED_EXAMPLE, "exercise 5, sheet 59"} <= set(sources.sheets)
    with pytest.raises(ArgumentError):
        sources.sheet("exercise 5, sheet 1")


def test_a_sheet_brings_its_whole_setting_and_other_data_leave_it() -> None:
    sources = Sources()
    before = from_link(setting_of(sources.sheets[WORKED_EXAMPLE], WORKED_EXAMPLE).link())
    assert sources.adjusted(before, {"data": WORKED_EXAMPLE}) == before
    other = sources.adjusted(before, {"data": "moons"})
    assert (other.dtype, other.start, other.training_share) == ("float32", {}, 0.7)
    assert sources.adjusted(other, {"data": WORKED_EXAMPLE}) == before
    wider = sources.adjusted(before, {"layers": [{"units": 3}]})
    assert wider.start == {}


@pytest.mark.parametrize(
    ("options", "seed"), [({"hidden": [99]}, 0), ({"nose": 1}, 0), ({"loss": "cross"}, 0), ({}, -1), ({"rate": "x"}, 0)]
)
def test_what_is_no_exercise_is_refused(options: dict[str, object], seed: int) -> None:
    with pytest.raises(InputError):
        drawn(options, seed, 1)


def test_numbers_to_begin_with_must_fit() -> None:
    sources = Sources()
    setting = setting_of(sources.sheets[WORKED_EXAMPLE], WORKED_EXAMPLE)
    for start in ({"dense_9.W": [1]}, {"dense_1.b": [1, 2, 3]}, {"dense_1.b": ["a", 2]}):
        with pytest.raises(InputError):
            experiments.make(replace(setting, start=start), sources)


def test_the_form_asks_for_every_option_of_an_exercise() -> None:
    assert {field.name for field in form()} == {
        "inputs", "hidden", "outputs", "rows", "activation", "output_activation", "loss", "rate", "digits"
    }  # fmt: skip
