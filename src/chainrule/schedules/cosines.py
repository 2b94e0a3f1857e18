"""Rates that go along a cosine over the whole run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from chainrule.checks import settle
from chainrule.schedules.interface import Plan, Schedule, settle_rate

if TYPE_CHECKING:
    from chainrule.schedules.interface import Numbers


class Cosine(Schedule, frozen=True):
    """rate(t) = final + (rate - final) / 2 * (1 + cos(pi t / total)),  total = steps of the run.

    Source: Loshchilov & Hutter 2017, "SGDR", eq. 5, with one period (no restarts) as long as the run. The last step of
    the run still takes a rate a little above `final`, which stands for the step after it, as in torch.

    >>> Cosine(1.0).rates(np.array([0, 5, 10]), Plan(5, 2, 32))
    array([1. , 0.5, 0. ])
    """

    rate: float
    final: float = 0.0

    def __post_init__(self) -> None:
        settle_rate(self)
        settle(self, "final", "a number from 0 to rate", lambda final: 0 <= final <= self.rate)

    def _rates(self, t: Numbers, plan: Plan, /) -> Numbers:
        done = np.minimum(t / plan.total_steps, 1.0)
        return self.final + (self.rate - self.final) * _cosine(done)


def _cosine(done: Numbers) -> Numbers:
    """Half a cosine: from 1 at done = 0 to 0 at done = 1."""
    return 0.5 * (1.0 + np.cos(math.pi * done))


class OneCycle(Schedule, frozen=True):
    """Up from peak / start_div to `peak` over the share `warm` of the run, then down to peak / (start_div * final_div).

    Both ways along half a cosine. Source: Smith & Topin 2017, "Super-Convergence", and Smith 2018, arXiv:1803.09820,
    in the form of torch's `OneCycleLR`: the peak is step warm * total - 1, the end step total - 1. The papers go in
    straight lines and move the momentum against the rate; the momentum stays as it is here.

    >>> OneCycle(1.0, start_div=10, final_div=100, warm=0.5).rates(np.array([0, 4, 9]), Plan(10, 1, 32))
    array([0.1  , 1.   , 0.001])
    """

    peak: float
    start_div: float = 25.0
    final_div: float = 1e4
    warm: float = 0.3

    def __post_init__(self) -> None:
        settle_rate(self, "peak")
        settle(self, "start_div", "a number >= 1", lambda div: div >= 1)
        settle(self, "final_div", "a number >= 1", lambda div: div >= 1)
        settle(self, "warm", "a share of the run, above 0 and below 1", lambda share: 0 < share < 1)

    def _rates(self, t: Numbers, plan: Plan, /) -> Numbers:
        start = self.peak / self.start_div
        end = start / self.final_div
        top, last = self.warm * plan.total_steps - 1, plan.total_steps - 1
        t = np.minimum(t, last)
        # A run of so few steps that the top lies at or before the first has no way up.
        up = self.peak + (start - self.peak) * _cosine(t / top) if top > 0 else np.full(t.shape, self.peak)
        down = end + (self.peak - end) * _cosine((t - top) / (last - top))
        return np.where(t <= top, up, down)
