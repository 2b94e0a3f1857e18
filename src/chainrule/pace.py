"""How much of a training is done at once."""

from __future__ import annotations

from math import inf

_AT_ONCE = 0.1  # seconds


class Pace:
    """How many steps to take at once.

    Attributes:
        seconds_at_once: what is taken at once fits this time, so that a person is never left waiting.
        steps_at_once: and is no more than so many steps; None: no limit.
    """

    def __init__(self) -> None:
        self.seconds_at_once = _AT_ONCE
        self.steps_at_once: int | None = None
        self._seconds_per_step = inf

    def steps(self, left: int) -> int:
        """How many of the steps that are left."""
        most = left if self.steps_at_once is None else min(left, self.steps_at_once)
        return min(most, max(1, int(self.seconds_at_once / self._seconds_per_step)))

    def note(self, steps: int, seconds: float) -> None:
        """So many steps took so long."""
        self._seconds_per_step = max(seconds / steps, 1e-9)
