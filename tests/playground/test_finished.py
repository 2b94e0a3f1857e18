"""The epochs that are kept of a run: ends, best and newest, in bounded memory, and none of a course that was left."""

from __future__ import annotations

from itertools import pairwise

import pytest

from chainrule.playground.finished import Finished, FinishedEpochs
from chainrule.records import Epoch


def epoch(number: int, *, best: bool = False) -> Finished:
    return Finished(number, Epoch(number, number, 1.0 / number, 0.0, 0.1, 0.0, {}, best))


def filled(count: int, best: int = 0, most: int = 100) -> FinishedEpochs:
    """After so many epochs, of which one was the best."""
    epochs = FinishedEpochs(most)
    for number in range(1, count + 1):
        epochs.add(epoch(number, best=number == best))
    return epochs


def numbers(epochs: FinishedEpochs, last: int) -> list[int]:
    return [each.number for each in epochs.until(epoch(last))]


def test_before_the_first_epoch_there_is_none() -> None:
    assert filled(0).until(None) == ()


def test_of_few_all_are_kept() -> None:
    assert numbers(filled(60), 60) == list(range(1, 61))
    assert numbers(filled(60), 31) == list(range(1, 32))


@pytest.mark.parametrize("count", [101, 399, 10_007])
def test_of_many_some_are_kept_at_equal_distances_and_the_newest_one_by_one(count: int) -> None:
    kept = numbers(filled(count), count)
    assert len(kept) <= 100 + 20
    assert kept[0] == 1
    assert kept[-20:] == list(range(count - 19, count + 1))
    gaps = {after - before for before, after in pairwise(kept[:-20])}
    assert len(gaps) == 1
    assert gaps.pop() <= count / 50 + 1


def test_the_best_is_kept_and_only_from_where_it_was() -> None:
    epochs = filled(10_000, best=3333)
    assert 3333 in numbers(epochs, 10_000)
    assert 3333 not in numbers(epochs, 3000)
    kept = numbers(epochs, 10_000)
    assert kept == sorted(set(kept))


def test_where_somebody_went_back_the_same_epochs_are_not_kept_twice() -> None:
    epochs = filled(1000)
    before = numbers(epochs, 1000)
    for number in range(500, 1001):
        epochs.add(epoch(number))
    assert numbers(epochs, 1000) == before
    assert numbers(epochs, 523)[-1] == 523


def test_another_course_forgets_what_came_after_and_keeps_how_it_came_here() -> None:
    epochs = filled(1000, best=333)
    epochs.turn(epoch(777))
    assert max(numbers(epochs, 777)) == 777
    for number in range(778, 5000):
        epochs.add(epoch(number, best=number == 778))
    kept = numbers(epochs, 4999)
    assert {1, 333, 777, 778} <= set(kept)
    assert len(kept) <= 100 + 20 + 2
    assert kept == sorted(set(kept))


def test_from_the_beginning_there_is_another_course_too() -> None:
    epochs = filled(1000)
    epochs.turn(None)
    epochs.add(epoch(1))
    assert numbers(epochs, 1) == [1]


def test_a_copy_goes_its_own_way() -> None:
    one = filled(50)
    other = one.copy()
    other.add(epoch(51))
    one.turn(epoch(20))
    assert numbers(other, 51) == list(range(1, 52))
    assert numbers(one, 20) == list(range(1, 21))
