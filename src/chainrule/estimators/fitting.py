"""A training of ours for a fit of scikit-learn's: rows, weights, options, and what it comes to."""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager, nullcontext
from math import ceil, nan
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from chainrule.callbacks import Listeners
from chainrule.engines.threads import for_pass
from chainrule.errors import ArgumentError, DivergenceError
from chainrule.estimators.building import options_of, solver_of
from chainrule.estimators.following import FitTasks, Follower
from chainrule.estimators.sparse import SparseRows
from chainrule.estimators.state import rebuilt
from chainrule.fitting import FitOptions
from chainrule.metrics import Metric
from chainrule.optimizers import LBFGS
from chainrule.splitting import split_rows
from chainrule.stopping import EarlyStopping

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.inputs import Rows
    from chainrule.network import Network

_NEVER = 2**31  # epochs of patience: when to stop is the follower's business, what to go back to the training's
_AUTO_BATCH = 200


class NonFiniteWeightsError(DivergenceError, ValueError):
    """Training came to NaN or infinity; a ValueError too, as scikit-learn's users expect it."""


class Given(NamedTuple):
    """What `fit` was given beside X and y."""

    sample_weight: Any = None
    coef_init: Any = None
    intercept_init: Any = None
    X_val: Any = None
    y_val: Any = None
    sample_weight_val: Any = None

    def check(self, where: str) -> None:
        """Raise unless rows to validate on have targets, and targets rows."""
        if (self.X_val is None) != (self.y_val is None) or (self.X_val is None and self.sample_weight_val is not None):
            raise ArgumentError("rows to validate on", where=where, expected="X_val and y_val together")


def split_off(estimator: Any, rows: Rows) -> tuple[Rows, Rows | None]:
    """The rows to train on, and for early stopping those to score after each epoch, stratified by class.

    Raises:
        ArgumentError: when there would be fewer than two of these.
    """
    if not estimator.early_stopping or isinstance(solver_of(estimator), LBFGS):
        return rows, None
    N = len(rows.X)
    count = ceil(estimator.validation_fraction * N)
    if not 2 <= count < N:
        raise ArgumentError(
            f"The validation set is too small: {count} of {N} rows",
            where=type(estimator).__name__,
            mend="Increase 'validation_fraction' or the size of your dataset",
        )
    kept, held = split_rows(N, count / N, seed=estimator.network_.seed, classes=rows.targets.indices)
    return rows.take(kept), rows.take(held)


def train(estimator: Any, rows: Rows, held: Rows | None, tasks: FitTasks | None, *, incremental: bool) -> None:
    """Train the network of an estimator on these rows, from its present weights on; set its attributes.

    Raises:
        InputError: when a parameter is out of range.
        NonFiniteWeightsError: when the training diverged.
    """
    optimizer = solver_of(estimator, incremental=incremental)
    stepwise = not isinstance(optimizer, LBFGS)
    batch = _batch_size(estimator, len(rows.X)) if stepwise else len(rows.X)
    rows, mean_weight = _balanced(rows)
    _penalise(estimator, batch * mean_weight)
    state = estimator._optimizer if stepwise else None  # noqa: SLF001 -- the estimator's own fit
    if state is not None and state.kind != type(optimizer).__name__:
        state = None
    follower = Follower(estimator, rows=len(rows.X), state=state, tasks=tasks, stepwise=stepwise)
    monitored = EarlyStopping(_NEVER, monitor="validation_score") if estimator.early_stopping and stepwise else None
    options = FitOptions(
        epochs=(1 if incremental else estimator.max_iter) + (0 if state is None else state.epochs),
        batch_size=batch,
        optimizer=optimizer,
        shuffle=bool(estimator.shuffle),
        validation=None if held is None else _balanced(held)[0],
        early_stopping=monitored,
        metrics=() if held is None else (_score_of(estimator, held.weights),),
        engine="reference" if isinstance(rows.X, SparseRows) else options_of(estimator, "training").engine,
    )
    estimator.n_iter_ = 0
    if held is not None and estimator.validation_scores_ is None:
        estimator.validation_scores_, estimator.validation_loss_curve_ = [], []
    _run(estimator, rows, options, follower)
    if stepwise:
        estimator._optimizer = follower.after  # noqa: SLF001
        _warn_of_steps(estimator, follower, incremental=incremental)
    else:
        _conclude_lbfgs(estimator, rows)


def _forget_rows(estimator: Any) -> None:
    """Let go of the rows, as scikit-learn's estimators do: a hundred of them in a bag would keep a hundred copies."""
    history = estimator.network_.history
    if history is not None and not options_of(estimator, "training").keep_rows:
        history.trained = None


def _batch_size(estimator: Any, rows: int) -> int:
    if estimator.batch_size == "auto":
        return min(_AUTO_BATCH, rows)
    if estimator.batch_size > rows:
        warnings.warn(f"batch_size={estimator.batch_size} is larger than the {rows} rows: it is clipped", stacklevel=6)
    return min(int(estimator.batch_size), rows)


def _balanced(rows: Rows) -> tuple[Rows, float]:
    """The rows with weights that are 1 on average, and what they were on average.

    So the loss is the weighted mean, sum w l / sum w, over all rows as over a batch of them on average, and rows with a
    weight of 2 are the same as such rows twice.
    """
    if rows.weights is None:
        return rows, 1.0
    mean = float(rows.weights.mean())
    return rows._replace(weights=rows.weights / mean), mean


def _penalise(estimator: Any, weight: float) -> None:
    """Set the penalty to ``alpha/2 sum W^2 / n``, n the weight of the rows in a batch; that of l1 likewise."""
    l2, l1 = estimator.alpha / weight, options_of(estimator, "training").l1 / weight
    if (estimator.network_.l1, estimator.network_.l2) != (l1, l2):
        estimator.network_ = rebuilt(estimator.network_, l1=l1, l2=l2)


def _score_of(estimator: Any, weights: Any) -> Metric:
    """The validation score as a training measures it."""

    def score(T: Floats, Y: Floats, sample_weight: Any = None) -> float:  # noqa: ARG001 -- those of the rows count
        return float(estimator._score_outputs(T, Y, weights))  # noqa: SLF001

    return Metric(name="score", kind="values", better="higher", function=score)


def _blas_threads(network: Network, rows: Rows, options: FitOptions) -> AbstractContextManager[Any]:
    """One thread for the matrix products of an L-BFGS whose passes are short; several would wait for each other."""
    if not isinstance(options.optimizer, LBFGS) or for_pass(None, len(rows.X) * network.objective.layout.size) > 1:
        return nullcontext()
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, "blas")  # type: ignore[no-any-return] # a context manager


def _run(estimator: Any, rows: Rows, options: FitOptions, follower: Follower) -> None:
    """Train; what ends it early becomes a warning, or an error of the kind that scikit-learn raises."""
    try:
        with np.errstate(over="ignore", invalid="ignore"), _blas_threads(estimator.network_, rows, options):
            estimator.network_.fit_rows(rows, options, Listeners(follower))
    except KeyboardInterrupt:
        follower.stopped = True
        warnings.warn("Training interrupted by user.", stacklevel=6)
    except DivergenceError as fault:
        if options.early_stopping is None:
            raise NonFiniteWeightsError(
                epoch=fault.epoch,
                step=fault.step,
                place=fault.place,
                mend="Solver produced non-finite parameter weights. The input data may contain large values and need "
                "to be preprocessed.",
            ) from None
        estimator.validation_scores_.append(nan)
        estimator.validation_loss_curve_.append(nan)
        follower.stopped = True
        warnings.warn(f"{fault}", ConvergenceWarning, stacklevel=6)
    finally:
        _forget_rows(estimator)


def _warn_of_steps(estimator: Any, follower: Follower, *, incremental: bool) -> None:
    if incremental or follower.stopped or estimator.n_iter_ < estimator.max_iter:
        return
    warnings.warn(
        f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the optimization hasn't "
        "converged yet.",
        ConvergenceWarning,
        stacklevel=6,
    )


def _conclude_lbfgs(estimator: Any, rows: Rows) -> None:
    """The loss at the end, and a warning where SciPy did not find it converged."""
    network = estimator.network_
    ended = "" if network.history is None else network.history.stopped
    if ended.startswith("L-BFGS"):
        estimator.n_iter_ -= 1  # SciPy has ended: it tells so in a record of no iteration
    loss, _ = network.engine_choice.engine.evaluate(network.objective, network.theta, rows.data())
    estimator.loss_ = loss + float(network.objective.penalty(network.theta)[0])
    estimator.best_loss_ = estimator.loss_
    if (ended and "CONVERGENCE" not in ended) or estimator.n_iter_ >= estimator.max_iter:
        warnings.warn(
            f"lbfgs has not converged after {estimator.n_iter_} iterations{': ' + ended if ended else ''}. Increase "
            "max_iter or max_fun, or scale the data.",
            ConvergenceWarning,
            stacklevel=6,
        )
