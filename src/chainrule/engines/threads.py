"""How many threads work on a step: one or several, whichever was faster lately."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MOST = 8  # of threads that nobody asked for: more were never measured
_LEAST_STEP = 150_000  # multiplications forward in a step; below, the waiting for each other costs more than it brings
_LEAST_PASS = 20_000_000  # in all; below, to start a thread costs more than it brings
_RARELY = 32  # turns, at most, from one trial to the next
_PORTION = 8  # a trial takes two eighths of a turn's steps,
_LEAST_PORTION = 4  # or all of them where an eighth is less than this


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
    """Chooses among some ways to do the same by how long a step took each lately; the others are tried again.

    For numbers of threads: what else the machine has to do changes, and the bits do not depend on them. A trial is
    short, and on a busy machine several threads do well for a short while only: what a whole turn took counts too.

    Attributes:
        way: what is fastest, as far as is known; at first the last of them.

    >>> fastest = Fastest([1, 2])
    >>> for way, steps in fastest.shares(80):  # both are tried, the rest is done in the better way
    ...     print(f"{steps} steps with {way}")
    ...     fastest.note(way, steps, seconds=steps / way)
    10 steps with 1
    10 steps with 1
    10 steps with 2
    10 steps with 2
    40 steps with 2
    """

    def __init__(self, ways: Sequence[int]) -> None:
        self._ways = tuple(ways)
        self._paces: dict[int, float] = {}
        self._to_try = list(ways)
        self._turn, self._next, self._interval = 0, 2, 2
        self.way = self._ways[-1]

    def shares(self, steps: int, unit: int = 1) -> Iterator[tuple[int, int]]:
        """So many steps in parts of whole units, each with its way; tell `note` of each part before the next."""
        self._turn += 1
        if self._turn > self._next:
            self._to_try = [way for way in self._ways if way != self.way]
            self._interval = min(2 * self._interval, _RARELY)
            self._next = self._turn + self._interval
        portion = steps // _PORTION // unit * unit
        while self._to_try and portion >= _LEAST_PORTION and len(self._ways) > 1:
            way = self._to_try.pop(0)
            for _ in range(2):  # first the threads begin and their caches fill
                yield way, portion
                steps -= portion
        yield (self._to_try.pop(0) if self._to_try else self.way), steps

    def note(self, way: int, steps: int, seconds: float) -> None:
        """What a part took; of a slow one the half is put down to chance."""
        pace = seconds / max(steps, 1)
        self._paces[way] = min(pace, (pace + self._paces.get(way, pace)) / 2)
        if len(self._paces) == len(self._ways):
            self.way = min(self._paces, key=self._paces.__getitem__)
