"""The training loop, as a generator of records.

    for record in Training(...):    # a `Steps` now and then within an epoch, an `Epoch` at its end
        ...

Whoever listens reads the records; nobody changes the run. To stop is to stop iterating. All that changes as a run goes
on is its `Standing`, theta, the optimiser's slots and the best theta: saved and given back at any record, the run
goes on to the same bits.
"""

from __future__ import annotations

from math import ceil, inf, isfinite, nan
from time import perf_counter
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import numpy as np

from chainrule.ahead import Ahead
from chainrule.divergence import Rewind, Stretch, place_in_pass, place_in_theta
from chainrule.engines.interface import Data, EpochsRun
from chainrule.errors import DivergenceError
from chainrule.layers import Mode
from chainrule.orders import Orders
from chainrule.pace import Pace
from chainrule.records import Epoch, EpochColumns, Epochs, Standing, Steps
from chainrule.schedules import Plan
from chainrule.stopping import monitored

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from chainrule.arrays import Floats, Ints
    from chainrule.engines.interface import Run
    from chainrule.metrics import Better, Metric
    from chainrule.objective import Objective
    from chainrule.training_settings import TrainingSettings


class Scores(Protocol):
    """Measures theta after each epoch.

    Attributes:
        better: for each score by name, ``validation_loss`` the first of them, which of two values is the better one.
        held: the rows that it measures on, where they are not those of the training.
        places: of the rows held out among those that were given; None where they are others.
        metrics: what is measured besides losses, by name.
    """

    better: Mapping[str, Better]
    held: Data | None
    places: Ints | None
    metrics: Mapping[str, Metric]

    def __call__(self) -> dict[str, float]:
        """The scores by name; nan where one is undefined."""


class NoScores:
    """Measures nothing."""

    better: Mapping[str, Better] = {}
    held: Data | None = None
    places: Ints | None = None
    metrics: Mapping[str, Metric] = {}

    def __call__(self) -> dict[str, float]:
        """Nothing."""
        return {}


class Training:
    """A run over its epochs; iterate to run it.

    Args:
        objective: what is minimised.
        run: an engine's run, at the weights to begin or go on with.
        data: the rows that the run trains on.
        settings: how.
        scores: measure theta after each epoch.

    Attributes:
        may_run_ahead: whether the engine may take several short epochs in one call, to be told of one by one, each with
            the theta of its end. The slots are then ahead: only for those who do not change theta, and who call
            `settle_slots` before they read them.
        may_skip: whether of epochs taken in one call, where nothing is measured after each, the last alone may be told
            of; the others stand in `Standing.epochs`.
        pace: how much is taken at once; it may be changed between two records, and changes no bit of the result.
        watch: who listens to its layers, for a report; the history hands it on.

    Raises:
        ArgumentError: when early stopping is to monitor what is not measured.
    """

    def __init__(
        self,
        objective: Objective,
        run: Run,
        data: Data,
        settings: TrainingSettings,
        *,
        scores: Scores | None = None,
    ) -> None:
        self.objective, self.run, self.data, self.settings = objective, run, data, settings
        self.scores: Scores = NoScores() if scores is None else scores
        self.monitor, self._sign = monitored(settings.early_stopping, self.scores.better, objective)
        self._epochs = Epochs()
        self.standing, self.best_theta = Standing.at_the_start(self._epochs), run.theta.copy()
        self.steps_per_epoch = ceil(len(data.X) / settings.batch_size)
        self.schedule = settings.optimizer.schedule
        self.plan = Plan(self.steps_per_epoch, settings.epochs, settings.batch_size, len(data.X))
        shuffled = settings.shuffle and self.steps_per_epoch > 1
        self._orders = Orders(len(data.X), settings.seed) if shuffled else None
        self.pace = Pace()
        self.may_run_ahead, self.may_skip = False, False
        self._ahead = Ahead(run, self._orders, self.steps_per_epoch) if isinstance(run, EpochsRun) else None
        self.watch: Any = None
        self._rewind, self._last_rate = Rewind(), nan
        self._started = perf_counter()

    def go_on(self, standing: Standing, best_theta: Floats) -> None:
        """Go on where an earlier run stood; theta and the slots of `run` are put back by whoever has them."""
        standing.epochs = self._epochs = Epochs(standing.epochs)
        self.standing, self.best_theta = standing, best_theta.copy()
        if self._ahead is not None:
            self._ahead.epochs = 0
        self._started = perf_counter() - standing.seconds

    def __iter__(self) -> Iterator[Steps | Epoch]:
        """Train.

        Raises:
            DivergenceError: at the first number that is not finite; theta is then the best so far, or that of before.
        """
        now = self.standing
        while now.epoch < self.settings.epochs and not now.stopped:
            count = self._epochs_at_once()
            if count > 1:
                yield from self._several_epochs(count)
            else:
                yield from self._steps()
                yield self._finish_epoch()

    def forget_epochs(self) -> None:
        """Let go of the records so far, which grow: for those who keep what they need as they are told of it."""
        self.standing.epochs = self._epochs = Epochs()

    def restore_best(self) -> None:
        """Set theta to the best there was, if an epoch was finished."""
        if self.standing.best_epoch:
            self.run.theta[...] = self.best_theta

    @property
    def ahead(self) -> int:
        """How many epochs the engine has taken that are still to be told of; at 0 the slots are those of theta."""
        return 0 if self._ahead is None else self._ahead.epochs

    def settle_slots(self) -> None:
        """Take the slots back to the end of the epoch last told of, where the engine was ahead of it."""
        if self._ahead is not None:
            self._ahead.settle()

    def order(self, epoch: int) -> Ints | None:
        """The rows in the order of this epoch, 0 for the first; None: as they are."""
        return None if self._orders is None else self._orders.of_epoch(epoch)

    @property
    def seconds(self) -> float:
        """Spent on this run, before an interruption too."""
        return perf_counter() - self._started

    def _steps(self) -> Iterator[Steps]:
        """Advance to the end of the epoch, a fraction of a second at a time."""
        now, total = self.standing, self.steps_per_epoch
        order = self.order(now.epoch)
        while now.step < total:
            stretch = Stretch(now.epoch, now.step, now.taken, self._rates(self.pace.steps(total - now.step)))
            self._rewind.before(self.run, stretch)
            start = perf_counter()
            values = self.run.advance(order, now.step, stretch.rates, now.taken)
            self.pace.note(len(values), perf_counter() - start)
            self._last_rate = float(stretch.rates[-1])
            self._check_finite(values)
            self._add(values)
            if now.step < total:
                now.seconds = self.seconds
                yield Steps(now.epoch + 1, now.step, total, *values.mean(axis=0).tolist())

    def _epochs_at_once(self) -> int:
        """How many epochs the engine is to take in one call: not beyond where anything can depend on their outcome."""
        now, stopping = self.standing, self.settings.early_stopping
        # After the first epoch it is known how long one takes, and whether the schedule listens to the loss.
        if not self.may_run_ahead or self._ahead is None or not now.epoch or now.step or now.plateau is not None:
            return 1
        left = self.settings.epochs - now.epoch
        if stopping:
            left = min(left, now.best_epoch + stopping.patience - now.epoch)
        return min(left, self.pace.steps(self._ahead.most * self.steps_per_epoch) // self.steps_per_epoch)

    def _several_epochs(self, count: int) -> Iterator[Epoch]:
        """Take so many epochs, then tell of them; of none where a number is not finite: steps will find which."""
        now, S = self.standing, self.steps_per_epoch
        assert self._ahead is not None  # noqa: S101 -- `_epochs_at_once` looked
        self._rewind = Rewind()  # what it remembers does not lead on from here
        start, rates = perf_counter(), self._rates(count * S)
        taken = self._ahead.take(now.epoch, now.taken, rates)
        self.pace.note(count * S, perf_counter() - start)
        if taken is None:
            self.may_run_ahead = False
            return
        sums, last_rates = self._sums(taken.values), rates[S - 1 :: S]
        if self._skips:
            self._ahead.epochs = 0
            yield self._finish_epochs(sums, last_rates, taken.thetas)
            return
        of_epochs = zip(taken.thetas, sums.tolist(), last_rates.tolist(), strict=True)
        for theta, (now.loss_sum, now.penalty_sum), self._last_rate in of_epochs:
            self.run.theta[...] = theta
            now.taken += S
            self._ahead.epochs -= 1
            yield self._finish_epoch()
            if now.stopped:
                return

    @property
    def _skips(self) -> bool:
        """Whether several epochs are told of by the last; not where a better one is more than a lower value."""
        stopping = self.settings.early_stopping
        return self.may_skip and not self.scores.better and not (stopping and stopping.min_delta)

    @property
    def _share(self) -> int:
        """Of how many rows an epoch's sums tell."""
        return len(self.data.X) if self.objective.loss.reduction == "mean" else 1

    def _finish_epochs(self, sums: Floats, last_rates: Floats, thetas: Floats) -> Epoch:
        """Finish several at once, as `_finish_epoch` would one by one.

        Args:
            sums: of each ``(epochs, 2)``, see `_sums`.
            last_rates: that of each's last step.
            thetas: at the end of each ``(epochs, P)``.
        """
        now, count, start = self.standing, len(sums), self.standing.seconds
        loss, penalty = (sums / self._share).T
        value = loss if self.monitor == "loss" else loss + penalty
        lowest = np.minimum.accumulate([inf if now.best_value is None else now.best_value, *value])
        best = value < lowest[:-1]
        if best.any():
            last = int(np.flatnonzero(best)[-1])
            now.best_value, now.best_epoch = float(value[last]), now.epoch + last + 1
            self.best_theta[...] = thetas[last]
        each = np.arange(1, count + 1)
        epoch, taken = now.epoch + each, now.taken + self.steps_per_epoch * each
        now.epoch, now.taken, now.seconds = int(epoch[-1]), int(taken[-1]), self.seconds
        seconds = start + (now.seconds - start) / count * each
        self._epochs.extend(EpochColumns(epoch, taken, loss, penalty, last_rates, seconds, best))
        self._last_rate = float(last_rates[-1])
        self._stop_if_in_vain()
        return self._epochs[-1]

    def _finish_epoch(self) -> Epoch:
        now = self.standing
        loss, penalty = now.loss_sum / self._share, now.penalty_sum / self._share
        now.epoch, now.step, now.loss_sum, now.penalty_sum = now.epoch + 1, 0, 0.0, 0.0
        scores = self.scores()
        if not isfinite(scores.get("validation_loss", 0.0)):
            self._fail(now.epoch, now.taken, "the validation loss", kept="those of that epoch")
        improved = self._judge({"loss": loss, "objective": loss + penalty, **scores})
        now.stopped = now.stopped or self.run.finished
        now.seconds = self.seconds
        record = Epoch(now.epoch, now.taken, loss, penalty, self._last_rate, now.seconds, scores, improved)
        self._epochs.append(record)
        return record

    def _judge(self, measured: Mapping[str, float]) -> bool:
        """Whether this epoch is the best so far; notes it, its theta, and whether to stop."""
        now, stopping = self.standing, self.settings.early_stopping
        value = self._sign * measured[self.monitor]
        now.plateau = self.schedule.observe(now.plateau, value)
        margin = stopping.min_delta if stopping else 0.0
        improved = isfinite(value) and (now.best_value is None or value < now.best_value - margin)
        if improved:
            now.best_value, now.best_epoch = value, now.epoch
            self.best_theta[...] = self.run.theta
        self._stop_if_in_vain()
        return improved

    def _stop_if_in_vain(self) -> None:
        now, stopping = self.standing, self.settings.early_stopping
        if stopping and now.epoch - now.best_epoch >= stopping.patience:
            now.stopped = f"{self.monitor} has not improved for {stopping.patience} epochs"

    def _rates(self, count: int) -> Floats:
        steps = np.arange(self.standing.taken, self.standing.taken + count)
        return self.schedule.rates(steps, self.plan) * self.schedule.scale(self.standing.plateau)

    def _rows_of(self, order: Ints | None, step: int) -> Data:
        B = self.settings.batch_size
        rows = slice(step * B, (step + 1) * B) if order is None else order[step * B : (step + 1) * B]
        X, T, weights = self.data
        return Data(X[rows], T[rows], None if weights is None else weights[rows])

    def _add(self, values: Floats) -> None:
        """Add the values of some steps to the epoch's: means times their rows, for the mean over all rows.

        One after the other, so that no bit depends on how many steps were taken at once.
        """
        now, B = self.standing, self.settings.batch_size
        terms = np.vstack([(now.loss_sum, now.penalty_sum), values])
        now.step += len(values)
        now.taken += len(values)
        if self.objective.loss.reduction == "mean":
            terms[1:] *= B
            if now.step == self.steps_per_epoch:
                terms[-1] *= (len(self.data.X) - (now.step - 1) * B) / B
        now.loss_sum, now.penalty_sum = np.add.accumulate(terms)[-1].tolist()

    def _sums(self, values: Floats) -> Floats:
        """What `_add` makes of the values of whole epochs ``(epochs, S, 2)``, to the bit: ``(epochs, 2)``."""
        if self.objective.loss.reduction == "mean":
            B = self.settings.batch_size
            values *= B
            values[:, -1] *= (len(self.data.X) - (self.steps_per_epoch - 1) * B) / B
        return np.add.accumulate(values, axis=1)[:, -1]

    def _check_finite(self, values: Floats) -> None:
        """Raise when the last values or theta is not finite: name the first step and quantity that was not."""
        now, theta = self.standing, self.run.theta
        if not np.isfinite(theta).all():
            here, before = self._rewind.first_bad_update(self.run, self.order)
            place = place_in_theta(self.objective, theta)
            theta[...] = before
            self._fail(here.epoch + 1, here.taken + 1, place)
        if not np.isfinite(values[-1]).all():  # the engine stopped before this step's update
            step, taken = now.step + len(values) - 1, now.taken + len(values) - 1
            rows = self._rows_of(self.order(now.epoch), step)
            mode = Mode(training=True, seed=self.settings.seed, step=taken)
            self._fail(now.epoch + 1, taken + 1, place_in_pass(self.objective, theta, rows, mode))

    def _fail(self, epoch: int, taken: int, place: str, kept: str = "those before that step") -> NoReturn:
        best = self.standing.best_epoch
        self.restore_best()
        kept = f"those of epoch {best}, the best" if best else kept
        mend = "Try a smaller learning rate, clip_norm=1.0 in the optimizer, or scaled inputs"
        raise DivergenceError(epoch=epoch, step=taken, place=place, mend=f"{mend}. The weights kept are {kept}.")
