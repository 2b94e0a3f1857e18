"""The floors under the speed of a step: how many times faster than the best of each peer, and how near to the peak."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.entrants import ALL_CORES, CHAINRULE, JAX, NUMPY, ONE_CORE, TORCH
from benchmarks.peers.matrix_product import OPERATIONS
from benchmarks.problems import Problem
from benchmarks.tables import ratio_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.racing import Result

AUTO = f"{CHAINRULE}, auto"
ONE_THREAD = f"{CHAINRULE}, native, 1 thread"
COLUMNS = ("network, batch, optimizer", "x JAX", "x PyTorch", "x NumPy", "of the peak", "kept")


class Share(NamedTuple):
    """A part of what a matrix product does on one core, or on all of them."""

    least: float
    cores: str


class Bout(NamedTuple):
    """A problem and its floors.

    Attributes:
        problem: the network.
        floors: of JAX, PyTorch and NumPy: their time divided by ours.
        share: of the peak.
        long: how many times more steps an epoch of compiled code has: what it costs to call it is none of a step.
    """

    problem: Problem
    floors: tuple[float, float, float]
    share: Share | None = None
    long: int = 1


class Reached(NamedTuple):
    """What was reached against whom, nan where that one was not there, and the floor."""

    against: str
    value: float
    floor: float

    @property
    def kept(self) -> bool:
        """Whether it was reached, or nobody was there."""
        return not self.value < self.floor

    @property
    def text(self) -> str:
        """``1.52 >= 1.3``; of a share in percent."""
        if isnan(self.value):
            return "-"
        value, floor = [
            f"{number:.0%}" if self.against.startswith("the peak") else ratio_text(number)
            for number in (self.value, self.floor)
        ]
        return f"{value} {'>=' if self.kept else '<'} {floor}"


class Judged(NamedTuple):
    """A problem, what was reached against JAX, PyTorch and NumPy, and of the peak, where there is a floor."""

    problem: Problem
    reached: list[Reached | None]

    @property
    def cells(self) -> list[str]:
        """A line of the table of floors."""
        texts = [each.text if each else "-" for each in self.reached]
        return [self.problem.name, *texts, "NO" if self.missed else "yes"]

    @property
    def missed(self) -> list[str]:
        """The floors that were not reached, in words."""
        missed = [each for each in self.reached if each and not each.kept]
        return [f"{self.problem.name} against {each.against} ({each.text})" for each in missed]


_SMALL, _MIDDLE, _LARGE = (64, 32, 16, 10), (784, 256, 64, 10), (784, 2048, 2048, 10)
BOUTS = (
    Bout(Problem((2, 2, 1), 1, 200, loss="half_squared_error"), (1, 1000, 300), long=100),
    Bout(Problem(_SMALL, 1, 200), (3, 300, 100), long=50),
    Bout(Problem(_SMALL, 32, 200), (2.5, 20, 6), Share(0.4, ONE_CORE)),
    Bout(Problem(_SMALL, 32, 200, optimizer="adam"), (2.5, 20, 6), Share(0.4, ONE_CORE)),
    Bout(Problem((784, 30, 10), 10, 200), (2, 10, 3), Share(0.5, ONE_CORE)),
    Bout(Problem(_MIDDLE, 32, 60, "relu"), (1.3, 2, 2), Share(0.6, ALL_CORES)),
    Bout(Problem(_MIDDLE, 32, 60, "relu", optimizer="adam"), (1.3, 2, 2), Share(0.6, ALL_CORES)),
    Bout(Problem(_MIDDLE, 128, 20, "relu", optimizer="adam"), (1.15, 1.3, 1.5), Share(0.75, ALL_CORES)),
    Bout(
        Problem((4, 32, 16, 4), 10_000, 10, "tanh", "least_squares", "adam", full=True), (1.5, 5, 5)
    ),
    Bout(Problem(_LARGE, 256, 2, "relu", optimizer="adam"), (1, 1.2, 1.2), Share(0.85, ALL_CORES)),
)  # fmt: skip
"""The networks that the literature and the tutorials train, from the smallest to one that is all matrix products."""


def peak(results: Sequence[Result]) -> dict[str, float]:
    """The most floating point operations in a second, by cores, in the races of `multipliers`."""
    names = {result.peer.name for result in results}
    fastest = {name: min(result.seconds for result in results if result.peer.name == name) for name in sorted(names)}
    return {name: OPERATIONS / seconds for name, seconds in fastest.items()}


def judge(bout: Bout, results: Sequence[Result], peaks: Mapping[str, float]) -> Judged:
    """What was reached, floor by floor."""
    ours = {result.peer.name: result.seconds for result in results if not result.unable}
    families = zip((JAX, TORCH, NUMPY), bout.floors, strict=True)
    ratios = [Reached(family, best(results, family) / ours[AUTO], floor) for family, floor in families]
    if bout.share is None:
        return Judged(bout.problem, [*ratios, None])
    fastest = ours[ONE_THREAD if bout.share.cores == ONE_CORE else AUTO]
    part = bout.problem.steps * bout.problem.operations / fastest / peaks[bout.share.cores]
    return Judged(bout.problem, [*ratios, Reached(f"the peak of {bout.share.cores}", part, bout.share.least)])


def best(results: Sequence[Result], family: str) -> float:
    """Seconds of the family's fastest setting; nan where none took part."""
    times = [r.seconds for r in results if r.peer.name.partition(",")[0] == family and not r.unable]
    return min(times, default=np.nan)
