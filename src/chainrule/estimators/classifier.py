"""`MLPClassifier`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels

from chainrule import checks, losses
from chainrule.errors import ArgumentError, DataError
from chainrule.estimators.base import BaseMLP
from chainrule.estimators.building import loss_named, options_of
from chainrule.estimators.compat import with_callbacks
from chainrule.estimators.fitting import Given
from chainrule.inputs import Targets

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.estimators.options import Architecture, TrainingOptions
    from chainrule.losses import Loss


_NO_LABELS = {
    "continuous": "For values take MLPRegressor; for classes give text or whole numbers",
    "continuous-multioutput": "For values take MLPRegressor; for classes give text or whole numbers",
    "multiclass-multioutput": "Several labels of more than two classes: MultiOutputClassifier(MLPClassifier())",
    "unknown": "Give text or whole numbers, one kind of them, one label for each row",
}


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc] # scikit-learn has no types
    """scikit-learn's `MLPClassifier`: the same parameters, attributes and defaults, and more.

    Args:
        hidden_layer_sizes: units of each hidden layer; ``()``: none.
        activation: of the hidden layers: identity, logistic, tanh, relu, or any of `chainrule.activations`; or a list,
            one for each layer.
        solver: sgd, adam or lbfgs, or any of `chainrule.optimizers`, by name or as an object with its own rate.
        alpha: penalty ``alpha/2 sum W^2``, divided by the rows of a batch.
        batch_size: ``"auto"``: the smaller of 200 and all rows.
        learning_rate: constant, invscaling or adaptive (of sgd), or a schedule of `chainrule.schedules`, by name or as
            an object with its own rate.
        learning_rate_init: the rate, where `solver` or `learning_rate` does not bring its own.
        power_t: exponent of invscaling.
        max_iter: epochs, or iterations of lbfgs, at most.
        shuffle: whether each epoch takes the rows in a new order.
        random_state: of initial weights, order of rows, dropout and the split of early stopping.
        tol: the improvement, of the loss or the validation score, below which an epoch counts as none.
        verbose: print a line for each epoch.
        warm_start: whether `fit` goes on from the weights, and the state of the optimiser, of the fit before.
        momentum: of sgd.
        nesterovs_momentum: of sgd.
        early_stopping: stop by the score on held-out rows, and go back to the best weights.
        validation_fraction: share of the rows held out for it, unless `fit` is given X_val.
        beta_1: of adam.
        beta_2: of adam.
        epsilon: of adam.
        n_iter_no_change: epochs without improvement before training ends, or an adaptive rate falls.
        max_fun: evaluations of the loss by lbfgs, at most.
        loss: ``"log_loss"``, or any of `chainrule.losses`, by name or as an object.
        class_weight: ``"balanced"`` or ``{class: weight}``; a list of dicts for several labels at once.
        architecture: an `Architecture`: dropout, normalization, initial weights, layers.
        training: a `TrainingOptions`: gradient clipping, l1, engine.

    Attributes:
        network_: the `chainrule.Network`, for `cr.trace`, `cr.check_gradients`, `cr.diagnose` and all the others.
        classes_: the labels.
        coefs_, intercepts_: weights and biases of each layer: views into the network.
        loss_curve_, loss_, best_loss_: loss with penalty of each epoch, of the last and the lowest.
        validation_scores_, best_validation_score_, validation_loss_curve_: on held-out rows; None without.
        n_iter_, t_, n_features_in_, feature_names_in_, n_layers_, n_outputs_, out_activation_: as scikit-learn's.

    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> model = MLPClassifier(random_state=0, max_iter=300).fit(X[:1000], y[:1000])
    >>> model.score(X[1000:], y[1000:]) > 0.9
    True
    """

    def __init__(
        self,
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
        loss: str | Loss = "log_loss",
        class_weight: Any = None,
        architecture: Architecture | None = None,
        training: TrainingOptions | None = None,
    ) -> None:
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
        self.loss = loss
        self.class_weight = class_weight
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
            y: labels ``(N,)``, or a table of 0 and 1 ``(N, K)`` where several labels hold at once.
            sample_weight: a weight for each row.
            coef_init: initial weight matrices, one for each layer.
            intercept_init: initial bias vectors, likewise.
            X_val: rows to validate on after each epoch.
            y_val: their labels.
            sample_weight_val: their weights.

        Raises:
            InputError: when a parameter or the data are wrong.
            NonFiniteWeightsError: when the training diverged.
        """
        given = Given(sample_weight, coef_init, intercept_init, X_val, y_val, sample_weight_val)
        return self._fit(X, y, given)

    @available_if(lambda self: self._steps())  # type: ignore[untyped-decorator] # likewise
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """One epoch over these rows, from the present weights on.

        Args:
            X: inputs ``(N, I)``.
            y: labels.
            sample_weight: a weight for each row.
            classes: all labels there will be: for the first call.

        Raises:
            InputError: when a parameter or the data are wrong.
        """
        self._learn_classes(y, classes)
        return self._fit(X, y, Given(sample_weight), incremental=True)

    def _learn_classes(self, y: Any, classes: Any) -> None:
        """The labels of all calls of `partial_fit`.

        Raises:
            ArgumentError: when the first call has none, or a later one others.
        """
        known = hasattr(self, "network_")
        if classes is None and not known:
            raise ArgumentError("classes must be passed on the first call to partial_fit", where=type(self).__name__)
        if classes is None:
            return
        if known and not np.array_equal(self.classes_, unique_labels(classes)):
            raise ArgumentError("classes", where="partial_fit", expected=f"{self.classes_} as before", got=classes)
        if not known:
            self._learn(y if type_of_target(y).startswith("multilabel") else classes)

    def _learn(self, labels: Any) -> None:
        where = type(self).__name__
        try:
            kind = type_of_target(labels, input_name="y")
            if kind in _NO_LABELS:
                raise ArgumentError(f"Unknown label type: {kind}", where=where, mend=_NO_LABELS[kind])
            self._binarizer = LabelBinarizer().fit(labels)
        except TypeError:
            expected = "labels of one kind, all text (no bytes) or all numbers, none missing"
            raise DataError("y", where=where, expected=expected, got=list(labels)) from None
        self.classes_: np.ndarray[Any, Any] = self._binarizer.classes_

    def _learn_targets(self, y: Any, *, first: bool, incremental: bool) -> None:
        if first and not incremental:
            self._learn(y)
            return
        self._check_known(y)
        found = unique_labels(y)
        if self.warm_start and len(found) != len(self.classes_):
            self._refuse(found)

    def _check_known(self, y: Any, name: str = "y") -> None:
        found = unique_labels(y)
        strange = np.setdiff1d(found, self.classes_)
        if len(strange) and self.warm_start:
            self._refuse(found)
        if len(strange):
            raise ArgumentError(
                f"`{name}` has classes not in `self.classes_`: {strange}, beside {self.classes_}",
                where=type(self).__name__,
            )

    def _refuse(self, found: Any) -> NoReturn:
        raise ArgumentError(
            "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
            f"Previously got {self.classes_}, `y` has {found}"
        )

    def _encode(self, y: Any) -> np.ndarray[Any, Any]:
        T = self._binarizer.transform(y)
        return np.asarray(T.toarray() if hasattr(T, "toarray") else T)

    def _meaning(self, T: Floats) -> Targets:
        if self._several():
            return Targets(T)
        K = max(T.shape[1], 2)
        labels = self.classes_ if self.classes_.dtype.kind in "biufU" else self.classes_.astype(str)
        classes = labels if len(labels) == K else None
        return Targets(T, classes, T[:, 0].astype(int) if T.shape[1] == 1 else T.argmax(axis=1))

    def _several(self) -> bool:
        """Whether several labels hold at once."""
        return bool(self._binarizer.y_type_.startswith("multilabel"))

    def _output(self) -> tuple[str, Loss]:
        output = "softmax" if self._binarizer.y_type_ == "multiclass" else "sigmoid"
        self._check_output(("softmax", "sigmoid") if output == "softmax" else ("sigmoid",))
        loss = loss_named(self.loss, where=type(self).__name__)
        if loss.name == "cross_entropy" and output == "sigmoid":
            loss = losses.BinaryCrossEntropy(reduction=loss.reduction)
        return output, loss

    def _check_output(self, possible: tuple[str, ...]) -> None:
        """Raise when the outputs that are asked for would be no probabilities."""
        asked = options_of(self, "architecture").output
        if asked is not None and getattr(asked, "name", asked) not in {*possible, "logistic"}:
            expected = f"{' or '.join(possible)}, which give probabilities here"
            raise ArgumentError("architecture: output", where=type(self).__name__, expected=expected, got=asked)

    def _row_weights(self, sample_weight: Any, y: Any) -> Any:
        if self.class_weight is None:
            return sample_weight
        self._check_class_weight()
        of_class = compute_sample_weight(self.class_weight, y)
        return of_class if sample_weight is None else of_class * np.asarray(sample_weight, dtype=np.float64)

    def _check_class_weight(self) -> None:
        """Raise for what scikit-learn refuses in other words, or takes."""
        where, given = type(self).__name__, self.class_weight
        several = self._several()
        if not (isinstance(given, dict) or given == "balanced" or (several and isinstance(given, list))):
            expected = f"'balanced', {'a list of dicts' if several else 'a dict {label: weight}'}, or None"
            raise ArgumentError("class_weight", where=where, expected=expected, got=given)
        if not isinstance(given, dict):
            return
        labels = self.classes_.tolist()
        for label, weight in given.items():
            if label not in labels:
                raise ArgumentError("class_weight", where=where, expected=f"labels among {labels}", got=label)
            checks.at_least_zero(weight, f"class_weight of {label!r}", where=where)

    def _score_outputs(self, T: Floats, Y: Floats, weights: Any) -> float:
        right, chosen = self._labels(T), self._labels(Y)
        return float(accuracy_score(right, chosen, sample_weight=weights))

    # ---- prediction -------------------------------------------------------------------------------------------------

    def predict(self, X: Any) -> Any:
        """The label of each row ``(N,)``, or 0 and 1 for each label ``(N, K)``.

        Raises:
            InputError: when X does not fit.
        """
        labels = self._labels(self._outputs(X))
        return self._as_asked(labels, X, self._names() if labels.ndim == 2 else ["prediction"])

    def _labels(self, Y: Floats) -> Any:
        """As the binarizer's inverse, which takes several times as long as the outputs of a row."""
        if self._several() or len(self.classes_) < 2:
            return self._binarizer.inverse_transform(Y)
        return self.classes_[(Y[:, 0] > 0.5).astype(int) if Y.shape[1] == 1 else Y.argmax(axis=1)]

    def predict_proba(self, X: Any) -> Any:
        """The probability of each label, ``(N, K)`` in the order of `classes_`."""
        return self._as_asked(self._probabilities(X), X, self._names())

    def predict_log_proba(self, X: Any) -> Any:
        """The logarithm of `predict_proba`, -inf where that is 0."""
        with np.errstate(divide="ignore"):
            return self._as_asked(np.log(self._probabilities(X)), X, self._names())

    def _probabilities(self, X: Any) -> Floats:
        Y = self._outputs(X)
        if self._several():
            return Y
        if Y.shape[1] == 1:
            return np.hstack([1 - Y, Y]) if len(self.classes_) == 2 else np.ones_like(Y)
        return Y if self.out_activation_ == "softmax" else Y / Y.sum(axis=1, keepdims=True)

    def _names(self) -> list[str]:
        return self._target_names or [str(label) for label in self.classes_]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
