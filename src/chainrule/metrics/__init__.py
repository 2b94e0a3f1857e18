"""Metrics: how good predictions are. Each is a NumPy function, and has a name for training to ask by (`get`).

Targets and predictions:

    ``t (N,)`` true class indices 0 .. K-1    ``y (N,)`` predicted class indices
    ``P (N, K)`` a probability per class; ``(N, 1)`` or ``(N,)`` is the probability of class 1 of two
    ``T, Y (N,)`` or ``(N, O)`` true and predicted values

``w (N,)`` is `sample_weight`, 1 for every row if left out; a row of weight 0 counts as if it were not there. Every sum
below is weighted by it. Metrics are computed in float64 and give Python floats. Where a metric is undefined, its
docstring says what comes instead; no warning is ever given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import msgspec

from chainrule.errors import ArgumentError, unknown_name
from chainrule.metrics.classes import (
    Average,
    ClassCounts,
    accuracy,
    averaged,
    balanced_accuracy,
    class_counts,
    confusion_matrix,
    f1,
    f1_of,
    precision,
    precision_of,
    recall,
    recall_of,
)
from chainrule.metrics.given import (
    class_indices,
    class_scores,
    numbers,
    predicted_classes,
    row_weights,
    value_pair,
)
from chainrule.metrics.probabilities import log_loss, roc_auc
from chainrule.metrics.values import mae, r2, rmse

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "Average",
    "Better",
    "ClassCounts",
    "Kind",
    "Metric",
    "accuracy",
    "averaged",
    "balanced_accuracy",
    "class_counts",
    "class_indices",
    "class_scores",
    "confusion_matrix",
    "f1",
    "f1_of",
    "get",
    "log_loss",
    "mae",
    "names",
    "numbers",
    "precision",
    "precision_of",
    "predicted_classes",
    "r2",
    "recall",
    "recall_of",
    "rmse",
    "roc_auc",
    "row_weights",
    "value_pair",
]

Kind: TypeAlias = Literal["classes", "probabilities", "values"]
Better: TypeAlias = Literal["higher", "lower"]


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """A metric that training can ask for by name.

    Attributes:
        name: what it is called.
        kind: what `function` takes beside the targets: predicted "classes" ``(N,)``, "probabilities" ``(N, K)`` or
            "values" ``(N,)``, ``(N, O)``.
        better: which of two results is better, the "higher" or the "lower".
        function: ``function(t, predicted, sample_weight=None) -> float``.

    >>> hits = Metric(name="hits", kind="classes", better="higher", function=accuracy)
    >>> hits([0, 1], [0, 1])
    1.0
    """

    name: str
    kind: Kind
    better: Better
    function: Callable[..., Any]

    def __post_init__(self) -> None:
        for field, value, options in (("kind", self.kind, get_args(Kind)), ("better", self.better, get_args(Better))):
            if value not in options:
                raise unknown_name(field, value, options, where=f"Metric {self.name}")
        if not callable(self.function):
            raise ArgumentError("function", where=f"Metric {self.name}", expected="a function", got=self.function)

    def __call__(
        self, t: npt.ArrayLike, predicted: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None
    ) -> float:
        """The metric of these predictions."""
        return float(self.function(t, predicted, sample_weight=sample_weight))


_KINDS: dict[Callable[..., Any], tuple[Kind, Better]] = {
    accuracy: ("classes", "higher"),
    balanced_accuracy: ("classes", "higher"),
    precision: ("classes", "higher"),
    recall: ("classes", "higher"),
    f1: ("classes", "higher"),
    roc_auc: ("probabilities", "higher"),
    log_loss: ("probabilities", "lower"),
    r2: ("values", "higher"),
    mae: ("values", "lower"),
    rmse: ("values", "lower"),
}
_METRICS = {
    function.__name__: Metric(name=function.__name__, kind=kind, better=better, function=function)
    for function, (kind, better) in _KINDS.items()
}


def names() -> list[str]:
    """The names that `get` knows."""
    return list(_METRICS)


def get(name: str | Metric) -> Metric:
    """The metric of this name; a `Metric` is handed back as it is.

    Raises:
        ArgumentError: for a name that is unknown; it says which was meant.

    >>> get("log_loss").better
    'lower'
    """
    if isinstance(name, Metric):
        return name
    metric = _METRICS.get(str(name))
    if metric is None:
        raise unknown_name("metric", name, names(), where="metrics")
    return metric
