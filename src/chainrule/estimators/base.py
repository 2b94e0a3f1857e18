"""What classifier and regressor share: scikit-learn's contract around a network."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from chainrule import checks
from chainrule.engines.choose import choose
from chainrule.errors import ArgumentError
from chainrule.estimators import following
from chainrule.estimators.building import (
    THEIR_NAME,
    build,
    layers_of,
    names_of,
    options_of,
    set_weights,
    stays_sparse,
)
from chainrule.estimators.compat import CallbackSupportMixin
from chainrule.estimators.fitting import Given, split_off, train
from chainrule.estimators.following import tasks_of
from chainrule.estimators.frames import as_frame, check_kind
from chainrule.estimators.options import Architecture, TrainingOptions
from chainrule.estimators.reading import as_dtype, inputs_alone, inputs_and_targets, names_of_targets
from chainrule.estimators.sparse import SparseRows, is_sparse, rows_of, takes_sparse
from chainrule.estimators.state import OptimizerState, pack_network, unpack_network
from chainrule.estimators.views import Views
from chainrule.inputs import Rows, Targets, sample_weights
from chainrule.optimizers import LBFGS

if TYPE_CHECKING:
    from chainrule.arrays import DType, Floats
    from chainrule.layers import Sequence
    from chainrule.losses import Loss

_OPTIONS = {"architecture": Architecture, "training": TrainingOptions}
_AT_LEAST_ZERO = ("alpha", "tol", "power_t")
_FLAGS = ("shuffle", "warm_start", "early_stopping", "nesterovs_momentum")


class BaseMLP(CallbackSupportMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """See `MLPClassifier` and `MLPRegressor`."""

    # ---- what the two differ in -------------------------------------------------------------------------------------

    @abstractmethod
    def _learn_targets(self, y: Any, *, first: bool, incremental: bool) -> None:
        """Learn what `_encode` needs from the targets of a fit, or compare them with what was learned."""

    @abstractmethod
    def _encode(self, y: Any) -> np.ndarray[Any, Any]:
        """Targets as the network has outputs, ``T (N, O)``."""

    @abstractmethod
    def _output(self) -> tuple[str, Loss]:
        """The output activation and the loss."""

    @abstractmethod
    def _score_outputs(self, T: Floats, Y: Floats, weights: Any) -> float:
        """The validation score of outputs."""

    def _check_known(self, y: Any, name: str = "y") -> None:
        """Raise when targets to validate on are none that the fit has learned."""

    def _row_weights(self, sample_weight: Any, y: Any) -> Any:  # noqa: ARG002 -- classes have weights too
        """The weight of each row, or None."""
        return sample_weight

    def _meaning(self, T: Floats) -> Targets:
        """The targets with their classes, where there are any."""
        return Targets(T)

    # ---- fitting ----------------------------------------------------------------------------------------------------

    def _fit(self, X: Any, y: Any, given: Given, *, incremental: bool = False) -> Self:
        self._check_parameters()
        given.check(type(self).__name__)
        if incremental and self.early_stopping:
            raise ArgumentError(
                "partial_fit does not support early_stopping=True", where=type(self).__name__, mend="Use fit"
            )
        first = not hasattr(self, "network_") or not (self.warm_start or incremental)
        if first:
            self._target_names = names_of_targets(y)
        X, y = inputs_and_targets(self, X, y, reset=first)
        self._learn_targets(y, first=first, incremental=incremental)
        dtype = X.dtype if first else np.dtype(self.network_.dtype)
        rows = self._read(X, y, given.sample_weight, dtype)
        if first:
            self._begin(rows, given)
        elif not incremental:
            self._check_same_layers(rows)
        rows, held = self._hold_out(rows, given)
        tasks = None if incremental else tasks_of(self, X, y, given.sample_weight, self.max_iter)
        train(self, rows, held, tasks, incremental=incremental)
        if tasks is not None:
            tasks.end()
        return self

    def _hold_out(self, rows: Rows, given: Given) -> tuple[Rows, Rows | None]:
        """The rows to train on and those to validate on, if any."""
        if given.X_val is None:
            return split_off(self, rows)
        X, y = inputs_and_targets(self, given.X_val, given.y_val, reset=False)
        self._check_known(y, "y_val")
        return rows, self._read(X, y, given.sample_weight_val, rows.X.dtype, may_stay=isinstance(rows.X, SparseRows))

    def _check_parameters(self) -> None:
        """Raise for what no other object checks."""
        where = type(self).__name__
        counts = ["max_iter", "max_fun"]
        counts += [] if self.n_iter_no_change == np.inf else ["n_iter_no_change"]
        counts += [] if isinstance(self.batch_size, str) and self.batch_size == "auto" else ["batch_size"]
        for name in counts:
            checks.whole(getattr(self, name), name, where=where)
        for name in _AT_LEAST_ZERO:
            checks.at_least_zero(getattr(self, name), name, where=where)
        checks.positive(self.learning_rate_init, "learning_rate_init", where=where)
        checks.share(self.validation_fraction, "validation_fraction", where=where)
        for name in _FLAGS:
            if not isinstance(getattr(self, name), bool | np.bool_):
                raise ArgumentError(name, where=where, expected="True or False", got=getattr(self, name))
        for name in _OPTIONS:
            options_of(self, name)
        checks.at_least_zero(options_of(self, "training").l1, "l1", where="TrainingOptions")

    def _read(self, X: Any, y: Any, sample_weight: Any, dtype: np.dtype[Any], *, may_stay: bool | None = None) -> Rows:
        """Rows that were checked, as a training takes them; a sparse X may stay so unless told."""
        where = type(self).__name__
        if is_sparse(X):
            X = rows_of(X, dtype, may_stay=stays_sparse(self) if may_stay is None else may_stay)
        else:
            X = as_dtype(X, dtype, name="X", where=where)
        T = as_dtype(self._encode(y), dtype, name="y", where=where)
        weights = self._row_weights(sample_weight, y)
        return Rows(X, self._meaning(T), sample_weights(weights, len(X), where=where))

    def _begin(self, rows: Rows, given: Given) -> None:
        """A new network with its initial weights, and empty curves."""
        layers, loss = self._wanted(rows)
        dtype: DType = "float32" if rows.X.dtype == np.float32 else "float64"
        network = build(self, layers, loss, rows.X.shape[1], dtype)
        set_weights(network, given.coef_init, given.intercept_init, where=type(self).__name__)
        last = network.layers[-1].f.name  # type: ignore[union-attr] # `layers_of` ends with a Dense
        self.n_outputs_, self.out_activation_ = rows.targets.T.shape[1], THEIR_NAME.get(last, last)
        self.n_layers_ = len(names_of(network, "W")) + 1
        self.network_ = network
        following.reset(self)

    def _wanted(self, rows: Rows) -> tuple[Sequence, Loss]:
        """The layers and the loss that the parameters ask for."""
        output, loss = self._output()
        return layers_of(self, rows.X.shape[1], rows.targets.T.shape[1], output), loss

    def _check_same_layers(self, rows: Rows) -> None:
        """Raise unless a warm start is asked for the network that there is."""
        if self._wanted(rows)[0].layers != self.network_.layers:
            raise ArgumentError(
                "warm_start goes on with the layers of the fit before, and these are others",
                where=type(self).__name__,
                mend="Set warm_start=False to begin anew, or set hidden_layer_sizes, activation and architecture back",
            )

    def _steps(self) -> bool:
        """Whether the solver takes steps; asked by `available_if`.

        Raises:
            AttributeError: when it does not.
        """
        if isinstance(self.solver, LBFGS) or self.solver == "lbfgs":
            raise AttributeError(f"partial_fit is only for solvers that take steps; {self.solver!r} takes all rows")
        return True

    # ---- prediction -------------------------------------------------------------------------------------------------

    def _outputs(self, X: Any) -> Floats:
        """What the network gives, ``Y (N, O)``."""
        if "network_" not in self.__dict__:
            check_is_fitted(self)
        network, X = self.network_, inputs_alone(self, X)
        engine = network.engine_choice.engine
        if is_sparse(X):
            X = rows_of(X, network.dtype, may_stay=takes_sparse(network.layers[0]))
            engine = choose("reference").engine if isinstance(X, SparseRows) else engine
        else:
            X = as_dtype(X, network.dtype, name="X", where=type(self).__name__)
        return engine.predict(network.objective, network.theta, X)

    def set_output(self, *, predict: str | None = None) -> Self:
        """Choose what `predict` and its like return.

        Args:
            predict: ``"default"`` arrays, ``"pandas"`` or ``"polars"`` series and frames; None: leave it.

        Raises:
            ArgumentError: for another name.
        """
        if predict is not None:
            self._predict_output = check_kind(predict, type(self).__name__)
        return self

    def _as_asked(self, values: Any, X: Any, names: Any) -> Any:
        return as_frame(values, getattr(self, "_predict_output", "default"), X, names)

    # ---- weights ----------------------------------------------------------------------------------------------------

    @property
    def coefs_(self) -> Views:
        """The weight matrices ``(I, O)``, one for each layer: the network's own numbers, to read and to set."""
        return self._views("coefs_", "W")

    @coefs_.setter
    def coefs_(self, values: Any) -> None:
        set_weights(self._fitted("coefs_"), values, None, where="coefs_")

    @property
    def intercepts_(self) -> Views:
        """The bias vectors ``(O,)``, likewise."""
        return self._views("intercepts_", "b")

    @intercepts_.setter
    def intercepts_(self, values: Any) -> None:
        set_weights(self._fitted("intercepts_"), None, values, where="intercepts_")

    def _views(self, name: str, kind: str) -> Views:
        network = self._fitted(name)
        return Views(network, names_of(network, kind))

    def _fitted(self, name: str) -> Any:
        """The network.

        Raises:
            AttributeError: before there is one.
        """
        if "network_" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__} has no {name} before fit; fit takes coef_init, intercept_init")
        return self.network_

    # ---- scikit-learn's contract ------------------------------------------------------------------------------------

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name; ``architecture__dropout=0.2`` makes an `Architecture` where there is none."""
        for name, make in _OPTIONS.items():
            if getattr(self, name) is None and any(given.startswith(f"{name}__") for given in params):
                setattr(self, name, make())
        return super().set_params(**params)  # type: ignore[no-any-return] # itself

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "network_" in state:
            state["network_"] = pack_network(state["network_"])
        if state.get("_optimizer") is not None:
            state["_optimizer"] = state["_optimizer"].pack()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        if "network_" in state:
            state["network_"] = unpack_network(state["network_"])
        if state.get("_optimizer") is not None:
            state["_optimizer"] = OptimizerState.unpack(state["_optimizer"])
        super().__setstate__(state)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _more_tags(self) -> dict[str, Any]:  # before scikit-learn 1.6
        return {"multilabel": True, "multioutput": True}
