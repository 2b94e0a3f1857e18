"""How much each row and each class counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import ArgumentError, ShapeError, shown
from chainrule.inputs.matrices import as_array, as_floats, is_number

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.inputs.targets import Targets


def sample_weights(given: Any, n_rows: int, *, where: str) -> Floats | None:
    """The weight of each row ``(N,)`` in float64.

    Raises:
        InputError: unless they are finite numbers >= 0, one for each row, not all 0.
    """
    if given is None:
        return None
    array, _ = as_array(given, where=where, name="sample_weight")
    weights = as_floats(array, "float64", where=where, name="sample_weight")
    if weights.shape != (n_rows,):
        raise ShapeError("sample_weight", where=where, expected=f"({n_rows},), one for each row", got=weights.shape)
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong) or not weights.any():
        got = f"{weights[wrong[0]]} in row {wrong[0]}" if len(wrong) else "only 0"
        raise ArgumentError("sample_weight", where=where, expected="finite numbers >= 0, not all zero", got=got)
    return weights


def class_weights(class_weight: Any, targets: Targets, *, where: str) -> Floats | None:
    """The weight of each class ``(K,)``.

    ``"balanced"`` gives class k the weight N / (K N_k), so that every class counts the same.

    Raises:
        ArgumentError: when they do not fit the classes.
    """
    if class_weight is None:
        return None
    if targets.classes is None or targets.indices is None:
        raise ArgumentError(
            "class_weight", where=where, expected="nothing, since the targets are not classes", got=class_weight
        )
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.bincount(targets.indices, minlength=len(targets.classes))
        return np.asarray(counts.sum() / (len(counts) * np.maximum(counts, 1)))
    if not isinstance(class_weight, dict):
        raise ArgumentError(
            "class_weight", where=where, expected="'balanced' or a dict {label: weight}", got=class_weight
        )
    return _weights_by_label(class_weight, targets.classes.tolist(), where)


def _weights_by_label(given: dict[Any, Any], labels: list[Any], where: str) -> Floats:
    unknown = [label for label in given if label not in labels]
    if unknown:
        raise ArgumentError("class_weight", where=where, expected=f"labels among {shown(labels)}", got=unknown[0])
    for label, weight in given.items():
        if not is_number(weight) or not 0 <= weight < np.inf:
            raise ArgumentError(f"class_weight of {label!r}", where=where, expected="a finite number >= 0", got=weight)
    weights = np.array([float(given.get(label, 1.0)) for label in labels])
    if not weights.any():
        raise ArgumentError("class_weight", where=where, expected="a weight above 0 for some class", got=given)
    return weights
