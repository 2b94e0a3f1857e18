"""The course of a run: the same bits as `Network.fit`, forward, back and forward again; changed on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec.structs import replace
from tests.playground.driving import SMALL, fitted

from chainrule.playground.course import Course
from chainrule.playground.tables import Sources

if TYPE_CHECKING:
    from chainrule.playground.moment import Moment


@pytest.fixture
def course() -> Course:
    return Course(Sources())


def moment_of(course: Course) -> Moment:
    """Where it stands."""
    moment = course.moment(1)
    assert moment is not None
    return moment


def test_steps_and_epochs_are_counted_out(course: Course) -> None:
    course.configure(SMALL)
    course.step("batch")
    assert moment_of(course).taken == 1
    course.step("epoch")
    moment = moment_of(course)
    assert (moment.taken, moment.epoch, moment.step) == (8, 1, 0)
    assert np.array_equal(moment.theta, fitted(SMALL, 1).theta)


@pytest.mark.parametrize("optimizer", ["adam", "momentum", "sgd"])
def test_going_back_and_forward_again_gives_the_same_bits(course: Course, optimizer: str) -> None:
    course.configure(replace(SMALL, optimizer=optimizer, epochs=40, schedule="reduce_on_plateau"))
    seen = {}
    for _ in range(30):
        course.step("batch")
        moment = moment_of(course)
        seen[moment.taken] = moment.theta
    course.timeline.most_entries = 4  # so that most are reached by training again
    for _ in range(10):
        course.step("batch")
        moment = moment_of(course)
        seen[moment.taken] = moment.theta
    for goal in (7, 33, 0, 12, 40, 39, 1):
        course.seek(goal)
        moment = moment_of(course)
        assert moment.taken == goal
        assert goal == 0 or np.array_equal(moment.theta, seen[goal])
    assert moment.furthest == 40


@pytest.mark.slow
def test_lbfgs_goes_back_and_forward_again_though_its_memory_is_its_own(course: Course) -> None:
    course.configure(replace(SMALL, optimizer="lbfgs", lr=None, epochs=40))
    seen = {}
    for _ in range(12):
        course.step("batch")
        moment = moment_of(course)
        seen[moment.taken] = moment.theta
    for goal in (5, 9, 12, 1, 11):
        course.seek(goal)
        moment = moment_of(course)
        assert (moment.taken, moment.furthest, len(moment.finished)) == (goal, 12, goal)
        assert np.array_equal(moment.theta, seen[goal])
    course.step("batch")
    assert np.array_equal(moment_of(course).theta, seen[12])
    steps, values = course.timeline.history(0)
    assert len(steps) > 10
    assert values[3] == seen[steps[3]][0]


def test_another_learning_rate_goes_on_from_here_and_back_before_it(course: Course) -> None:
    course.configure(SMALL)
    course.step("epoch")
    before = moment_of(course)
    course.configure(replace(SMALL, lr=0.5))
    course.step("epoch")
    after = moment_of(course)
    assert (after.taken, after.experiment.setting.lr) == (16, 0.5)
    assert [each.number for each in after.finished] == [1, 2]
    course.seek(8)
    again = moment_of(course)
    assert np.array_equal(again.theta, before.theta)
    course.seek(3)
    assert moment_of(course).experiment.setting.lr == SMALL.lr


def test_a_number_put_in_by_hand_stays_and_the_way_back_leads_before_it(course: Course) -> None:
    course.configure(SMALL)
    course.step("epoch")
    before = moment_of(course)
    course.change("dense_1.W", (1, 2), 4.5)
    moment = moment_of(course)
    layout = moment.experiment.network.objective.layout
    assert layout.view(moment.theta, "dense_1.W")[1, 2] == 4.5
    assert int((moment.theta != before.theta).sum()) == 1
    course.step("batch")
    course.seek(4)
    course.seek(9)
    assert moment_of(course).taken == 9
    course.seek(8)
    assert layout.view(moment_of(course).theta, "dense_1.W")[1, 2] == 4.5


def test_the_rows_of_a_batch_go_through_one_by_one_before_its_step(course: Course) -> None:
    course.configure(SMALL)
    course.step("batch")
    order = moment_of(course).experiment.training.order(0)
    rows = []
    for place in range(40):
        course.step("row")
        moment = moment_of(course)
        row, here, of = moment.batch_row
        rows.append(row)
        assert (moment.taken, here, of) == (1, place, 40)
    assert rows == order[40:80].tolist()
    course.step("row")
    moment = moment_of(course)
    assert (moment.taken, moment.batch_row) == (2, None)


@pytest.mark.slow
def test_however_many_epochs_there_were_some_are_kept_and_the_last_is_known(course: Course) -> None:
    course.configure(replace(SMALL, epochs=5000))
    course.step("epoch", 1500)
    moment = moment_of(course)
    assert len(moment.experiment.training.standing.epochs) == 0
    assert len(moment.finished) <= 500 + 20 + 1
    assert [each.number for each in moment.finished[-20:]] == list(range(1481, 1501))
    course.seek(8 * 777)
    there = moment_of(course)
    assert (there.epoch, there.finished[-1].number, there.finished[-1].record.taken) == (777, 777, 8 * 777)
    course.seek(8 * 1500)
    assert moment_of(course).finished[-1].record.loss == moment.finished[-1].record.loss
