"""How many threads work on a step."""

from __future__ import annotations

import pytest

from chainrule.engines.threads import Fastest, for_pass, for_steps


def course(seconds: dict[int, float], turns: int, steps: int, fastest: Fastest | None = None) -> dict[int, int]:
    """The steps taken each way in so many turns, when a step always takes as long."""
    fastest, taken = fastest or Fastest([1, 2]), {1: 0, 2: 0}
    for _ in range(turns):
        for way, part in fastest.shares(steps):
            taken[way] += part
            fastest.note(way, part, part * seconds[way])
    assert taken[1] + taken[2] == turns * steps
    return taken


@pytest.mark.parametrize("steps", [1, 100])
@pytest.mark.parametrize("better", [1, 2])
def test_the_faster_way_is_taken_nearly_always(better: int, steps: int) -> None:
    taken = course({better: 1.0, 3 - better: 1.5}, 300, steps)
    assert 0 < taken[3 - better] < 0.06 * taken[better]  # both are tried, and again now and then


def test_it_changes_with_the_times() -> None:
    fastest = Fastest([1, 2])
    course({1: 1.0, 2: 0.5}, 100, 100, fastest)
    taken = course({1: 1.0, 2: 3.0}, 100, 100, fastest)
    assert taken[1] > 2 * taken[2]


def test_what_does_well_for_a_short_while_only_is_not_taken_again_and_again() -> None:
    """Two threads on a busy machine: quick until the system gives a processor to somebody else."""
    fastest, bad = Fastest([1, 2]), 0
    for _ in range(100):
        for way, steps in fastest.shares(100):
            long = steps > 50
            bad += long and way == 2
            fastest.note(way, steps, steps * {1: 1.0, 2: 2.0 if long else 0.6}[way])
    assert bad <= 10


def test_one_way_is_no_choice() -> None:
    assert list(Fastest([4]).shares(100)) == [(4, 100)]


def test_small_steps_and_short_passes_stay_with_one_thread() -> None:
    assert for_steps(None, 10_000) == (1,)
    assert for_steps(3, 10_000) == (3,)
    assert for_steps(None, 10**9)[0] == 1
    assert for_pass(None, 10_000) == 1
    assert for_pass(3, 10_000) == 3
