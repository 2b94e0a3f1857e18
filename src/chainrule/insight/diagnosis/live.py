"""The diagnosis of a training while it runs."""

from __future__ import annotations

import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule import checks
from chainrule.callbacks import Callback
from chainrule.errors import ArgumentError, DivergenceError, NotFittedError
from chainrule.insight.diagnosis.diagnosing import course_of, examine
from chainrule.insight.diagnosis.evidence import Evidence
from chainrule.insight.diagnosis.look import take_look
from chainrule.insight.diagnosis.setup import Setup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chainrule.arrays import Floats
    from chainrule.insight.diagnosis.finding import Finding
    from chainrule.insight.diagnosis.findings import Findings
    from chainrule.insight.diagnosis.look import Look
    from chainrule.records import Epoch
    from chainrule.training import Training

_FIRST_COST = 0.02  # seconds that a look may take, before one was taken
_ROWS_A_SECOND = 1000
_ROWS = (64, 256)  # of a look, at least and at most


class Diagnosis(Callback):
    """Listens to a training and says at its end what is wrong: `findings`.

    Watching costs the training two copies of the weights: it looks, at a sample of 64 to 256 rows with the first
    weights and with the last, when `findings` is asked for, and in between only where somebody is to be told. Nothing
    that it does changes a bit of the training.

    Args:
        tell: called with each new alarm, as soon as it is found; epochs 1, 2, 4, 8, ... are looked at for it.
        share: of the time of the training that looking in between may take.
        names: of the inputs, to call them by.

    Attributes:
        cost: seconds of the training that it has taken.

    >>> import chainrule as cr
    >>> net = cr.Network([cr.Dense(4, "tanh"), cr.Dense(1, "softmax")], "mean_squared_error")
    >>> watching = Diagnosis()
    >>> history = net.fit([[0.0, 1.0], [1.0, 0.0]], [0.0, 1.0], epochs=3, callbacks=[watching])
    >>> watching.findings.alarms[0].says
    'softmax of one output is 1, whatever comes in'
    """

    def __init__(
        self, *, tell: Callable[[Finding], Any] | None = None, share: float = 0.01, names: Sequence[str] = ()
    ) -> None:
        if tell is not None and not callable(tell):
            raise ArgumentError("tell", where="Diagnosis", expected="a function of a Finding", got=tell)
        self.share = checks.positive(share, "share", where="Diagnosis")
        self.cost = 0.0
        self.only_watches = tell is None  # weights are looked at before the first step and after the last
        self._tell, self._names = tell, tuple(names)
        self._training: Training | None = None
        self._setup: Setup | None = None
        self._start: Floats | None = None
        self._first: Look | None = None
        self._end: _Standing | None = None
        self._findings: Findings | None = None
        self._told: set[str] = set()
        self._last_cost = _FIRST_COST

    @property
    def findings(self) -> Findings:
        """What was found at the end; while the training runs, what there is to find at present.

        Raises:
            NotFittedError: before a training began.
        """
        if self._training is not None:
            return self._examine(_standing(self._training))
        if self._end is None:
            raise NotFittedError("this diagnosis has seen no training yet: give it to fit, callbacks=[diagnosis]")
        if self._findings is None:
            self._findings = self._examine(self._end)
        return self._findings

    def on_begin(self, training: Training) -> None:
        start = perf_counter()
        self._training, self._findings, self._first, self._end = training, None, None, None
        fresh = training.standing.taken == 0
        self._start = training.run.theta.copy() if fresh else None
        self._setup = Setup(
            objective=training.objective,
            dtype=str(training.run.theta.dtype),  # type: ignore[arg-type] # float32 or float64
            seed=training.settings.seed,
            data=training.data,
            settings=training.settings,
            held=training.scores.held,
            start=self._start,
            names=self._names,
        )
        self.cost = perf_counter() - start

    def on_epoch(self, record: Epoch) -> None:
        turn = record.epoch & (record.epoch - 1) == 0
        if self._tell is None or not turn or self._training is None:
            return
        if self.cost + self._last_cost > self.share * record.seconds:
            return
        begin = perf_counter()
        alarms = self._examine(_standing(self._training)).alarms
        self._last_cost = perf_counter() - begin
        self.cost += self._last_cost
        for finding in alarms:
            if finding.rule not in self._told:
                self._told.add(finding.rule)
                self._tell(finding)

    def on_end(self, training: Training) -> None:
        begin = perf_counter()
        fault = sys.exception()
        self._end = _standing(training, fault if isinstance(fault, DivergenceError) else None)
        self._training = None
        self.cost += perf_counter() - begin

    def _examine(self, at: _Standing) -> Findings:
        setup = self._setup
        if setup is None:
            raise AssertionError("on_begin was not called")
        rows = int(np.clip(_ROWS_A_SECOND * at.seconds, *_ROWS))  # a short training is looked at shortly
        if self._first is None and self._start is not None:
            self._first = take_look(setup, self._start, most=rows)
        look = take_look(setup, at.theta, step=at.taken, slots=at.slots, most=rows)
        course = course_of(setup, at.epochs, best_epoch=at.best_epoch, restored=at.restored, diverged=at.diverged)
        seen = course if at.epochs or at.diverged is not None else None
        return examine(Evidence(setup, look, self._first, seen, rows=4 * rows))


class _Standing(NamedTuple):
    """Where a training stands, in copies that it no longer changes."""

    theta: Floats
    slots: dict[str, Floats] | None
    taken: int
    epochs: tuple[Epoch, ...]
    best_epoch: int
    restored: bool
    seconds: float
    diverged: DivergenceError | None


def _standing(training: Training, diverged: DivergenceError | None = None) -> _Standing:
    now, restored = training.standing, training.settings.early_stopping is not None
    return _Standing(
        theta=training.run.theta.copy(),
        # Slots belong to the last weights, not to the best.
        slots=None if restored else {name: slot.copy() for name, slot in training.run.slots.items()},
        taken=now.taken,
        epochs=tuple(now.epochs),
        best_epoch=now.best_epoch,
        restored=restored,
        seconds=training.seconds,
        diverged=diverged,
    )
