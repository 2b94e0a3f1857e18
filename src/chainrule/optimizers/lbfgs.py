"""The settings of L-BFGS; `chainrule.lbfgs` runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from chainrule.checks import settle, settle_whole
from chainrule.schedules import get as get_schedule

if TYPE_CHECKING:
    from chainrule.schedules import AnySchedule


class LBFGS(Struct, frozen=True, tag=True):
    """Settings of SciPy's L-BFGS-B: full batch, one epoch an iteration, the step found by line search, no rate.

    Source: Liu & Nocedal 1989; Zhu, Byrd, Lu & Nocedal 1997, algorithm 778.

    Attributes:
        memory: pairs of steps and changes of the gradient that stand for the curvature (m of the paper).
        tolerance: it has converged when no entry of the gradient is larger.
        min_decrease: ... or when an iteration lowers the loss by less than this share of it.
        line_search: the most evaluations of the loss in one iteration.
        evaluations: the most in all; None: as many as the iterations need.

    >>> import chainrule as cr
    >>> line = cr.Network([cr.Dense(1)], loss="mean_squared_error")
    >>> history = line.fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], epochs=20, optimizer=LBFGS())
    >>> line.predict([[3.0]]).round(3).tolist()
    [7.0]
    """

    memory: int = 10
    tolerance: float = 1e-7
    min_decrease: float = 0.0
    line_search: int = 20
    evaluations: int | None = None

    def __post_init__(self) -> None:
        settle_whole(self, "memory", 1)
        settle_whole(self, "line_search", 1)
        if self.evaluations is not None:
            settle_whole(self, "evaluations", 1)
        for field in ("tolerance", "min_decrease"):
            settle(self, field, "a number >= 0", lambda least: least >= 0)

    @property
    def schedule(self) -> AnySchedule:
        """The rate is 1 in every step: how far to go is what the line search finds out."""
        return get_schedule(1.0)

    def options(self, iterations: int) -> dict[str, Any]:
        """The `options` of `scipy.optimize.minimize(method="L-BFGS-B")` for so many iterations at most."""
        enough = iterations * (self.line_search + 1) + 1
        return {
            "maxcor": self.memory,
            "gtol": self.tolerance,
            "ftol": self.min_decrease,
            "maxls": self.line_search,
            "maxiter": iterations,
            "maxfun": enough if self.evaluations is None else self.evaluations,
        }
