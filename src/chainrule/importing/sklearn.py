"""Networks of scikit-learn, alone or behind scalers in a pipeline."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import ArgumentError, NotFittedError
from chainrule.importing.imported import ImportedNetwork
from chainrule.importing.steps import Affine, Numbers, Source, Step, checked, unsupported
from chainrule.layers import Dense

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.losses import Loss

_WHERE = "from_sklearn"
_ACTIVATIONS = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu", "softmax": "softmax"}
_NETWORKS = ("MLPClassifier", "MLPRegressor")


def from_sklearn(estimator: Any, *, loss: str | Loss | None = None, X: Any = None, seed: int = 0) -> ImportedNetwork:
    """The network of a fitted scikit-learn estimator, predicting the same.

    A scaler in front of it is folded into the first layer, ``W := factor W``, ``b := b + shift W``: the network takes
    the rows that the pipeline takes. ``net.report`` tells how far the two differ, layer by layer.

    Args:
        estimator: an `MLPClassifier` or `MLPRegressor`, or a `Pipeline` of scalers that ends in one.
        loss: a name or an object of `chainrule.losses`; unless given cross-entropy for classes, and for values
            ``half_squared_error``, whose gradient is the one that scikit-learn descends.
        X: rows to compare both on, beside random ones: what the estimator takes.
        seed: of further training.

    Returns:
        A `Network` with the attribute `report`.

    Raises:
        ArgumentError: for an estimator, or a step of a pipeline, that has no counterpart here.
        NotFittedError: before the estimator is fitted.

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_iris(return_X_y=True)
    >>> pipeline = make_pipeline(StandardScaler(), MLPClassifier((4,), solver="lbfgs", random_state=0, max_iter=1000))
    >>> net = from_sklearn(pipeline.fit(X, y))
    >>> bool((net.predict(X) == pipeline.predict(X)).all()), net.report.difference < 1e-12
    (True, True)
    >>> net.report.layers[0].became
    'folded into dense_1.W and dense_1.b'
    """
    *scalers, (name, network) = _parts(estimator)
    if type(network).__name__ not in _NETWORKS or not _is_sklearn(network):
        raise unsupported(f"{name}, {type(network).__name__}", _WHERE, _NETWORKS, mend=_mend(network))
    if not hasattr(network, "coefs_"):
        raise NotFittedError(f"{_WHERE}: this {type(network).__name__} has no weights yet: fit it first")
    steps = [_scaler(step, scaler) for step, scaler in scalers] + _layers(network)
    kinds = [type(part).__name__ for _, part in [*scalers, (name, network)]]
    source = Source(
        where=_WHERE,
        origin=f"scikit-learn's {' + '.join(kinds)}",
        steps=tuple(steps),
        run=_runner([scaler for _, scaler in scalers], network),
        loss=_loss(network),
        loss_reason="the one that scikit-learn descends",
        classes=_classes(network),
        notes=_notes(network),
    )
    return ImportedNetwork.from_source(source, loss=loss, X=X, seed=seed)


def _is_sklearn(thing: Any) -> bool:
    """Whether it is one of scikit-learn's own classes or made from one."""
    return any(kind.__module__.partition(".")[0] == "sklearn" for kind in type(thing).__mro__)


def _mend(thing: Any) -> str:
    for inner in ("best_estimator_", "regressor_", "network_"):
        if hasattr(thing, inner):
            return f"Give its {inner}." if inner != "network_" else "Its network_ is a Network already."
    return ""


def _parts(estimator: Any) -> list[tuple[str, Any]]:
    """The steps of a pipeline by name, nested ones too; those that do nothing are left out."""
    if type(estimator).__name__ != "Pipeline" or not _is_sklearn(estimator):
        return [(type(estimator).__name__, estimator)]
    parts = [
        (name if inner == type(step).__name__ else f"{name}.{inner}", part)
        for name, step in estimator.steps
        if step is not None and not (isinstance(step, str) and step == "passthrough")
        for inner, part in _parts(step)
    ]
    if not parts:
        raise ArgumentError("estimator", where=_WHERE, expected="a pipeline that ends in a network", got=estimator)
    return parts


# ---- scalers --------------------------------------------------------------------------------------------------------


def _standard(scaler: Any) -> Affine:
    scale = np.ones(scaler.n_features_in_) if scaler.scale_ is None else scaler.scale_
    mean = scaler.mean_ if scaler.with_mean else np.zeros(scaler.n_features_in_)  # mean_ is there either way
    return Affine(1 / scale, -mean / scale)


def _min_max(scaler: Any) -> Affine:
    if scaler.clip:
        raise unsupported("MinMaxScaler(clip=True)", _WHERE, ["clip=False"])
    return Affine(scaler.scale_, scaler.min_)


def _max_abs(scaler: Any) -> Affine:
    if getattr(scaler, "clip", False):
        raise unsupported("MaxAbsScaler(clip=True)", _WHERE, ["clip=False"])
    return Affine(1 / scaler.scale_, np.zeros(scaler.n_features_in_))


def _robust(scaler: Any) -> Affine:
    scale = np.ones(scaler.n_features_in_) if scaler.scale_ is None else scaler.scale_
    center = np.zeros(scaler.n_features_in_) if scaler.center_ is None else scaler.center_
    return Affine(1 / scale, -center / scale)


_SCALERS: dict[str, Callable[[Any], Affine]] = {
    "StandardScaler": _standard,
    "MinMaxScaler": _min_max,
    "MaxAbsScaler": _max_abs,
    "RobustScaler": _robust,
}


def _scaler(name: str, scaler: Any) -> Step:
    """A step of the pipeline before the network.

    Raises:
        ArgumentError: when it is no scaling of single columns.
    """
    kind = type(scaler).__name__
    if kind not in _SCALERS or not _is_sklearn(scaler):
        raise unsupported(f"step {name!r}, {kind}", _WHERE, [*_SCALERS, "then", *_NETWORKS])
    if not hasattr(scaler, "n_features_in_"):
        raise NotFittedError(f"{_WHERE}: step {name!r}, {kind}, is not fitted yet: fit the pipeline first")
    scaling = Affine(*(np.asarray(part, np.float64) for part in _SCALERS[kind](scaler)))
    for part, what in zip(scaling, ("scale", "shift"), strict=True):
        checked(part, f"step {name!r}, {kind}: its {what}", where=_WHERE)
    return Step(name=f"{name}: {kind}" if name != kind else kind, becomes=scaling)


# ---- layers ---------------------------------------------------------------------------------------------------------


def _layers(network: Any) -> list[Step]:
    """A step for each pair of coefs_ and intercepts_."""
    last = len(network.coefs_) - 1
    steps = []
    for place, (W, b) in enumerate(zip(network.coefs_, network.intercepts_, strict=True)):
        f = network.out_activation_ if place == last else network.activation
        if f not in _ACTIVATIONS:
            raise unsupported(f"layer {place + 1}, with activation {f!r}", _WHERE, _ACTIVATIONS)
        numbers = {
            "W": checked(W, f"coefs_[{place}]", where=_WHERE),
            "b": checked(b, f"intercepts_[{place}]", where=_WHERE),
        }
        steps.append(Step(name=f"coefs_[{place}], {f}", becomes=Dense(W.shape[1], _ACTIVATIONS[f]), numbers=numbers))
    return steps


def _loss(network: Any) -> str:
    if type(network).__name__ == "MLPRegressor":
        return "half_squared_error"
    return "cross_entropy" if network.out_activation_ == "softmax" else "binary_cross_entropy"


def _classes(network: Any) -> tuple[Any, ...] | None:
    """The labels; None for values, and where several classes hold at once."""
    if type(network).__name__ == "MLPRegressor":
        return None
    labels = np.asarray(network.classes_)
    return tuple(labels.tolist()) if len(labels) == max(network.n_outputs_, 2) and not _is_multilabel(network) else None


def _is_multilabel(network: Any) -> bool:
    return bool(network.n_outputs_ > 1 and network.out_activation_ == "logistic")


def _notes(network: Any) -> tuple[str, ...]:
    if not network.alpha:
        return ()
    note = (
        f"The penalty alpha={network.alpha:g} stays behind: it concerns further training alone, and scikit-learn "
        "divides it by the rows of a batch; here that is l2 = alpha / batch_size."
    )
    return (note,)


# ---- running it -----------------------------------------------------------------------------------------------------


def _runner(scalers: list[Any], network: Any) -> Callable[[Numbers], list[Numbers | None]]:
    """The values after each scaler and each layer; the last ones by the method that people call."""

    def run(X: Numbers) -> list[Numbers | None]:
        values: list[Numbers | None] = []
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="X does not have valid feature names")
            for scaler in scalers:
                X = np.asarray(scaler.transform(X))
                values.append(X)
            return [*values, *_hidden(network, X), _outputs(network, X)]

    return run


def _hidden(network: Any, X: Numbers) -> list[Numbers | None]:
    """The values of the hidden layers, by scikit-learn's own forward pass where it has the one that is known."""
    count = len(network.coefs_) - 1
    forward = getattr(network, "_forward_pass", None)
    if forward is None or not count:
        return [None] * count
    activations: list[Any] = [X, *[None] * (count + 1)]
    forward(activations)
    return activations[1:-1]


def _outputs(network: Any, X: Numbers) -> Numbers:
    if type(network).__name__ == "MLPRegressor":
        return np.asarray(network.predict(X)).reshape(len(X), -1)
    P = np.asarray(network.predict_proba(X))
    return P[:, 1:] if network.n_outputs_ == 1 else P
