"""Two runs from one point: the same bits as long as nothing is changed, and neither changes the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec.structs import replace
from tests.playground.driving import moment_of

from chainrule.errors import ArgumentError
from chainrule.playground.answers import beside_of, results_of
from chainrule.playground.runs import Runs
from chainrule.playground.setting import HiddenLayer, Setting
from chainrule.playground.tables import Sources

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = Setting(data="xor", layers=(HiddenLayer(units=3),), epochs=40, batch_size=40, training_share=0.8)


@pytest.fixture
def runs() -> Iterator[Runs]:
    both = Runs(Sources(), lambda _: None)
    both.shown.configure(SMALL)
    yield both
    both.close()


@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
def test_the_twin_goes_the_same_way_with_the_same_memory(runs: Runs, optimizer: str) -> None:
    runs.shown.configure(replace(SMALL, optimizer=optimizer))
    runs.step("epoch")
    runs.shown.change("dense_1.b", (0,), 0.5)
    for _ in range(3):
        runs.step("batch")
    runs.fork()
    for _ in range(9):
        runs.step("batch")
    here, there = moment_of(runs.shown), moment_of(runs.beside)
    assert here.taken == there.taken == 20
    assert here.setup != there.setup
    assert np.array_equal(here.theta, there.theta)
    assert [each.record.loss for each in here.finished] == [each.record.loss for each in there.finished]
    runs.seek(2)
    assert np.array_equal(moment_of(runs.shown).theta, moment_of(runs.beside).theta)


def test_what_is_changed_in_one_leaves_the_other(runs: Runs) -> None:
    runs.step("epoch")
    runs.fork()
    runs.shown.configure(replace(SMALL, lr=0.5))
    runs.step("epoch")
    here, there = moment_of(runs.shown), moment_of(runs.beside)
    assert not np.array_equal(here.theta, there.theta)
    alone = Runs(Sources(), lambda _: None)
    alone.shown.configure(SMALL)
    alone.step("epoch")
    alone.step("epoch")
    assert np.array_equal(there.theta, moment_of(alone.shown).theta)
    alone.close()
    told = beside_of(here, there, held=True)
    assert told.differs == (("lr", "0.5", "0.01"),)
    assert told.results == results_of(there, held=True)
    assert {name: there for name, _, there in told.scores}["accuracy"] == dict(told.results.scores)["accuracy"]


def test_places_are_changed_and_one_is_ended(runs: Runs) -> None:
    for impossible in (runs.swap, runs.part):
        with pytest.raises(ArgumentError, match="one run alone"):
            impossible()
    runs.fork()
    first, second = runs.beside, runs.shown
    with pytest.raises(ArgumentError, match="two runs already"):
        runs.fork()
    runs.swap()
    assert (runs.shown, runs.beside) == (first, second)
    runs.part()
    assert runs.every == (first,)
    assert second is not None
    second._thread.join(timeout=10)
    assert not second._thread.is_alive()
