"""`MLPRegressor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if

from chainrule.errors import DataError
from chainrule.estimators.base import BaseMLP
from chainrule.estimators.building import loss_named
from chainrule.estimators.compat import with_callbacks
from chainrule.estimators.fitting import Given
from chainrule.inputs import as_targets

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.estimators.options import Architecture, TrainingOptions
    from chainrule.losses import Loss


_OUTPUTS = {"poisson": "exp", "binary_cross_entropy": "sigmoid", "cross_entropy": "softmax"}  # of these losses


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc] # scikit-learn has no types
    """scikit-learn's `MLPRegressor`: the same parameters, attributes and defaults, and more.

    ``loss="squared_error"`` is ``1/2 sum_o (y_o - t_o)^2`` of a row, the loss whose gradient training follows. With
    several outputs scikit-learn follows the same gradient but reports the mean over the outputs.

    Args:
        loss: squared_error, absolute_error, huber, quantile, poisson (with outputs exp(z)), or any of
            `chainrule.losses`, by name or as an object: ``Quantile(level=0.9)``. Under binary_cross_entropy and
            cross_entropy the targets are shares from 0 to 1, the outputs sigmoid or softmax.

    All other arguments and attributes: see `MLPClassifier`; there are no classes and no `class_weight`.

    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = MLPRegressor(hidden_layer_sizes=16, solver="lbfgs", alpha=1.0, tol=1e-3, random_state=0)
    >>> model.fit(X, y / 100).score(X, y / 100) > 0.5
    True
    """

    def __init__(
        self,
        loss: str | Loss = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        architecture: Architecture | None = None,
        training: TrainingOptions | None = None,
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.architecture = architecture
        self.training = training

    # ---- fitting ----------------------------------------------------------------------------------------------------

    @with_callbacks  # type: ignore[untyped-decorator] # scikit-learn has no types
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        coef_init: Any = None,
        intercept_init: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train from initial weights, or with `warm_start` from those of the fit before.

        Args:
            X: inputs ``(N, I)``: array, sparse matrix or frame.
            y: values ``(N,)`` or ``(N, O)``.
            sample_weight: a weight for each row.
            coef_init: initial weight matrices, one for each layer.
            intercept_init: initial bias vectors, likewise.
            X_val: rows to validate on after each epoch.
            y_val: their values.
            sample_weight_val: their weights.

        Raises:
            InputError: when a parameter or the data are wrong.
            NonFiniteWeightsError: when the training diverged.
        """
        given = Given(sample_weight, coef_init, intercept_init, X_val, y_val, sample_weight_val)
        return self._fit(X, y, given)

    @available_if(lambda self: self._steps())  # type: ignore[untyped-decorator] # likewise
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One epoch over these rows, from the present weights on.

        Args:
            X: inputs ``(N, I)``.
            y: values.
            sample_weight: a weight for each row.

        Raises:
            InputError: when a parameter or the data are wrong.
        """
        return self._fit(X, y, Given(sample_weight), incremental=True)

    def _learn_targets(self, y: Any, *, first: bool, incremental: bool) -> None:
        """Values are what they are."""

    def _encode(self, y: Any) -> np.ndarray[Any, Any]:
        where, (_, loss) = type(self).__name__, self._output()
        try:
            T = np.asarray(y, dtype=np.float64)
        except (TypeError, ValueError):
            raise DataError(
                "y", where=where, expected="numbers", got=np.ravel(y)[0], mend="For labels take MLPClassifier"
            ) from None
        T = T[:, None] if T.ndim == 1 else T
        if loss.for_classes or loss.name == "poisson":  # which know numbers that they cannot mean
            as_targets(T, loss, T.shape[1], "float64", where=where)
        return T

    def _output(self) -> tuple[str, Loss]:
        loss = loss_named(self.loss, where=type(self).__name__)
        return _OUTPUTS.get(loss.name, "identity"), loss

    def _score_outputs(self, T: Floats, Y: Floats, weights: Any) -> float:
        return float(r2_score(T, Y, sample_weight=weights))

    # ---- prediction -------------------------------------------------------------------------------------------------

    def predict(self, X: Any) -> Any:
        """The value of each row ``(N,)``, or of each of its outputs ``(N, O)``.

        Raises:
            InputError: when X does not fit.
        """
        Y = self._outputs(X)
        if Y.shape[1] == 1:
            return self._as_asked(Y[:, 0], X, ["prediction"])
        names = self._target_names or [f"prediction_{place}" for place in range(Y.shape[1])]
        return self._as_asked(Y, X, names)
