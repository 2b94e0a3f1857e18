"""What listens to the training of an estimator: its curves, its stopping rule, and scikit-learn's callbacks."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from chainrule.callbacks import Callback, StopTraining
from chainrule.estimators.state import OptimizerState

if TYPE_CHECKING:
    from chainrule.records import Epoch
    from chainrule.training import Training

_LEAST_RATE = 1e-6  # scikit-learn's: an adaptive rate at or below it is not lowered again


class Follower(Callback):
    """Keeps the attributes of an estimator up to date, epoch by epoch, and ends its training by scikit-learn's rule.

    The rule: the loss, or with early stopping the validation score, has not improved by `tol` for more than
    `n_iter_no_change` epochs in a row. The loss is compared with the lowest so far, so that a slow descent counts as
    none.

    Args:
        estimator: whose.
        rows: that an epoch goes through.
        state: to go on from; None: from the beginning.
        tasks: of scikit-learn's callbacks.
        stepwise: whether the rule applies; L-BFGS has its own.
    """

    only_watches = True

    def __init__(
        self, estimator: Any, *, rows: int, state: OptimizerState | None, tasks: FitTasks | None, stepwise: bool
    ) -> None:
        self.estimator, self.state, self.tasks = estimator, state, tasks
        self._rows, self._stepwise = rows, stepwise
        self.after: OptimizerState | None = None
        self.stopped = False

    def on_begin(self, training: Training) -> None:
        self._training = training
        if self.state is not None and self.state.fits(training):
            self.state.hand_to(training)
        self._bound()

    def _bound(self) -> None:
        """Let the engine take no epoch in vain: none beyond the next that may be the last."""
        mlp = self.estimator
        left = 1 if self.tasks is not None and self.tasks.listened else mlp.n_iter_no_change + 1
        left -= mlp._no_improvement_count if left > 1 else 0  # noqa: SLF001 -- its own follower
        self._training.pace.steps_at_once = None if left == inf else max(left, 1) * self._training.steps_per_epoch

    def on_epoch(self, record: Epoch) -> None:
        mlp = self.estimator
        mlp.n_iter_ += 1
        mlp.t_ += self._rows
        mlp.loss_ = record.objective
        mlp.loss_curve_.append(record.objective)
        if "validation_loss" in record.scores:
            mlp.validation_loss_curve_.append(record.scores["validation_loss"])
            mlp.validation_scores_.append(record.scores["validation_score"])
        if mlp.verbose:
            print(f"Iteration {mlp.n_iter_}, loss = {mlp.loss_:.8f}")  # noqa: T201 -- what `verbose` asks for
            if mlp.early_stopping and self._stepwise:
                print(f"Validation score: {mlp.validation_scores_[-1]:f}")  # noqa: T201
        if self._stepwise:
            self._count()
        if self.tasks is not None and self.tasks.epoch():
            raise StopTraining("a callback asked for it")
        if self._stepwise and mlp._no_improvement_count > mlp.n_iter_no_change:  # noqa: SLF001
            self._give_up(record)
        self._bound()

    def on_end(self, training: Training) -> None:
        if self._stepwise:
            after = OptimizerState.after(training)
            self.after = after if after.finite else None  # a divergence leaves nothing to go on from

    def _count(self) -> None:
        """Count the epochs without improvement, and keep the best value."""
        mlp = self.estimator
        if mlp.early_stopping:
            score = mlp.validation_scores_[-1]
            better = score >= mlp.best_validation_score_ + mlp.tol
            mlp.best_validation_score_ = max(mlp.best_validation_score_, score)
        else:
            better = mlp.loss_ <= mlp.best_loss_ - mlp.tol
            mlp.best_loss_ = min(mlp.best_loss_, mlp.loss_)
        mlp._no_improvement_count = 0 if better else mlp._no_improvement_count + 1  # noqa: SLF001

    def _give_up(self, record: Epoch) -> None:
        mlp = self.estimator
        what = "Validation score" if mlp.early_stopping else "Training loss"
        why = f"{what} did not improve more than tol={mlp.tol:f} for {mlp.n_iter_no_change} consecutive epochs."
        lowers = mlp.learning_rate == "adaptive" and mlp.solver == "sgd"
        if lowers and record.rate > _LEAST_RATE:
            mlp._no_improvement_count = 0  # noqa: SLF001
            if mlp.verbose:
                print(f"{why} Setting learning rate to {record.rate / 5:f}")  # noqa: T201
            return
        if mlp.verbose:
            print(f"{why} Stopping.")  # noqa: T201
        self.stopped = True
        raise StopTraining(why)


class FitTasks:
    """Tells scikit-learn's callbacks (`sklearn.callback`, from 1.9 on) of the fit and of each of its epochs.

    Args:
        estimator: that is fitted.
        X: its rows.
        y: its targets.
        sample_weight: their weights, or None.
        epochs: how many at most.

    Attributes:
        listened: whether there is any callback.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any, epochs: int) -> None:
        self._estimator = estimator
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._data = {"X": X, "y": y, "metadata": metadata}
        self._root = estimator._init_callback_context(max_subtasks=epochs)  # noqa: SLF001 -- the protocol's own name
        self._root.call_on_fit_task_begin(estimator=estimator, **self._data)
        self.listened = bool(getattr(estimator, "_skl_callbacks", ()))

    def epoch(self) -> bool:
        """Tell of an epoch; whether a callback wants to stop."""
        if not self.listened:
            return False
        task = self._root.subcontext(task_name="epoch")
        task.call_on_fit_task_begin(estimator=self._estimator, **self._data)
        # The copy that a callback gets is made by way of a pickle's state: it has numbers of its own.
        return bool(task.call_on_fit_task_end(estimator=self._estimator, reconstruction_attributes={}, **self._data))

    def end(self) -> None:
        """Tell that the fit is over."""
        self._root.call_on_fit_task_end(estimator=self._estimator, reconstruction_attributes={}, **self._data)


def tasks_of(estimator: Any, X: Any, y: Any, sample_weight: Any, epochs: int) -> FitTasks | None:
    """The tasks of a fit; None where scikit-learn has no callbacks yet."""
    if not hasattr(estimator, "_init_callback_context"):
        return None
    return FitTasks(estimator, X, y, sample_weight, epochs)


def reset(estimator: Any) -> None:
    """The curves and counts of an estimator before its first epoch."""
    estimator.n_iter_ = estimator.t_ = 0
    estimator.loss_curve_ = []
    estimator.validation_loss_curve_ = estimator.validation_scores_ = None
    stops_early = estimator.early_stopping
    estimator.best_validation_score_ = -inf if stops_early else None
    estimator.best_loss_ = None if stops_early else inf
    estimator._no_improvement_count = 0  # noqa: SLF001
    estimator._optimizer = None  # noqa: SLF001
