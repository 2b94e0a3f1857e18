"""How many threads work on a step: one or several, whichever was faster lately."""

from __future__ import annotations

import os
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MOST = 8  # of threads that nobody asked for: more were never measured
_LEAST_STEP = 150_000  # multiplications forward in a step; below, the waiting for each other costs more than it brings
_LEAST_PASS = 20_000_000  # in all; below, to start a thread costs more than it brings
_FIRST, _LAST = 4, 64  # turns from one comparison to the next


def cores() -> int:
    """The processor's cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def for_steps(asked: int | None, multiplications: int) -> tuple[int, ...]:
    """The numbers of threads worth trying for steps of so many multiplications forward; what was asked for is done."""
    if asked is not None:
        return (asked,)
    most = min(cores(), _MOST)
    return (1, most) if most > 1 and multiplications >= _LEAST_STEP else (1,)


def for_pass(asked: int | None, multiplications: int) -> int:
    """The number of threads for one pass over some rows."""
    if asked is not None:
        return asked
    return min(cores(), _MOST) if multiplications >= _LEAST_PASS else 1


class Fastest:
    """Chooses among some ways to do the same by how long they took; all are tried again now and then.

    For numbers of threads: what else the machine has to do changes, and the bits do not depend on them.

    >>> fastest = Fastest([1, 2])
    >>> fastest.way
    2
    >>> fastest.note(steps=1, seconds=1.0)
    >>> fastest.way
    1
    >>> fastest.note(steps=1, seconds=1.5)
    >>> fastest.way
    2
    """

    def __init__(self, ways: Sequence[int]) -> None:
        self._ways = tuple(ways)
        self._paces: dict[int, float] = {}
        self._turns, self._next, self._interval = 0, _FIRST, _FIRST
        self.way = self._ways[-1]

    def note(self, steps: int, seconds: float) -> None:
        """What the present way took; `way` is then what to do next."""
        if len(self._ways) == 1:
            return
        pace, before = seconds / max(steps, 1), self._paces.get(self.way)
        self._paces[self.way] = pace if before is None else 0.5 * (before + pace)
        untried = [way for way in self._ways if way not in self._paces]
        best = min(self._paces, key=self._paces.__getitem__)
        self._turns += 1
        if untried:
            self.way = untried[0]
        elif self._turns >= self._next and self.way == best:  # time to compare again
            self._interval = min(2 * self._interval, _LAST)
            self._next = self._turns + self._interval
            self.way = next(way for way in self._ways if way != best)
        else:
            self.way = best

    def timed(self, work: Callable[[int], int]) -> int:
        """Run ``work(way)``, which returns the steps it took."""
        start = perf_counter()
        steps = work(self.way)
        self.note(steps, perf_counter() - start)
        return steps
