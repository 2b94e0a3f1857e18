"""How many threads work on a step."""

from __future__ import annotations

import pytest

from chainrule.engines.threads import Fastest, for_pass, for_steps


def course(seconds: dict[int, float], turns: int, fastest: Fastest | None = None) -> list[int]:
    """The ways taken, when each always takes as long."""
    fastest, taken = fastest or Fastest([1, 2]), []
    for _ in range(turns):
        taken.append(fastest.way)
        fastest.note(steps=10, seconds=10 * seconds[fastest.way])
    return taken


@pytest.mark.parametrize("better", [1, 2])
def test_the_faster_way_is_taken_nearly_always(better: int) -> None:
    taken = course({better: 1.0, 3 - better: 1.5}, 500)
    assert taken[:2] == [2, 1]  # both are tried
    assert taken.count(better) >= 485
    assert taken.count(3 - better) >= 5  # and tried again now and then


def test_it_changes_with_the_times() -> None:
    fastest = Fastest([1, 2])
    course({1: 1.0, 2: 0.5}, 200, fastest)
    assert course({1: 1.0, 2: 3.0}, 100, fastest).count(1) > 90


def test_one_way_is_no_choice() -> None:
    assert set(course({4: 1.0}, 10, Fastest([4]))) == {4}


def test_small_steps_and_short_passes_stay_with_one_thread() -> None:
    assert for_steps(None, 10_000) == (1,)
    assert for_steps(3, 10_000) == (3,)
    assert for_steps(None, 10**9)[0] == 1
    assert for_pass(None, 10_000) == 1
    assert for_pass(3, 10_000) == 3
