"""Both networks on the same rows, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import replace

from chainrule.errors import ArgumentError
from chainrule.importing.report import LayerComparison
from chainrule.importing.steps import flat
from chainrule.layers import PREDICTION, BatchNorm, Residual

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainrule.arrays import Floats
    from chainrule.importing.assembling import Assembly
    from chainrule.importing.steps import Numbers, Source
    from chainrule.layers import AnyLayer
    from chainrule.network import Network

RANDOM_ROWS = 64
_MARGIN = 100  # of the rounding that was seen: another order of the same sums may make more of it


def random_rows(assembly: Assembly) -> Numbers:
    """Rows such as the network may have been trained on: normal, in the scale of its first scaling or batch norm."""
    rows = np.random.Generator(np.random.PCG64(0)).normal(size=(RANDOM_ROWS, assembly.n_inputs))
    first = assembly.pieces[0]
    if assembly.first is not None:
        factor, shift = assembly.first
        rows = (rows - shift) / np.where(factor == 0, 1, factor)
    elif isinstance(first.layer, BatchNorm):
        rows = first.numbers["mean"] + np.sqrt(first.numbers["variance"]) * rows
    return rows.astype(assembly.dtype)


def compare(source: Source, assembly: Assembly, network: Network, rows: Numbers) -> tuple[LayerComparison, ...]:
    """The values after each step, there and here.

    Raises:
        ArgumentError: when they differ by more than rounding, or an approximation, explains.
    """
    with np.errstate(all="ignore"):  # values that overflow, there and here, are compared as they are
        here, other = (_values(assembly, network, rows, dtype) for dtype in (network.dtype, _other(network.dtype)))
        there = source.run(rows)
        found, exact, precision = [], True, source.precision or network.dtype
        for index, step in enumerate(flat(source.steps)):
            exact = exact and not step.approximates
            about = LayerComparison(step.name, assembly.became[index], approximates=step.approximates)
            original, place = there[index], assembly.places[index]
            if original is not None and place is not None:
                values = original.reshape(len(rows), -1)
                values = values if step.compared_as is None else step.compared_as(values)
                ours, others = (each[place.layer][place.part] for each in (here, other))
                about = replace(
                    about,
                    difference=_largest_difference(values, ours),
                    largest=_largest(values),
                    rounding=_rounding(ours, others, precision),
                )
            if exact:
                _refuse_others(about, source.where, precision)
            found.append(about)
    return tuple(found)


def _values(assembly: Assembly, network: Network, X: Numbers, dtype: str) -> dict[tuple[int, ...], dict[str, Floats]]:
    """Net input and output of each layer of the original, by its path, computed with this type of numbers."""
    params = network.objective.layout.split(network.theta.astype(dtype))
    values: dict[tuple[int, ...], dict[str, Floats]] = {}
    _run(assembly.layers, params, X.astype(dtype), (), values)
    return values


def _run(
    layers: Iterable[AnyLayer], params: Any, H: Any, path: tuple[int, ...], values: dict[tuple[int, ...], Any]
) -> Any:
    for index, layer in enumerate(layers):
        own, here = params.get(index, {}), (*path, index)
        if isinstance(layer, Residual):
            H = H + _run(layer.layers, own, H, here, values)
            values[here] = {"Y": H, "Z": H}
        else:
            H, saved = layer.forward(own, H, PREDICTION)
            values[here] = {"Y": H, "Z": getattr(saved, "Z", H)}
    return H


def _other(dtype: str) -> str:
    return "float64" if dtype == "float32" else "float32"


def _rounding(values: Numbers, other: Numbers, precision: str) -> float:
    """What rounding makes of these values: the difference between the two types, for float64 in its proportion."""
    coarse = _largest_difference(values, other)
    proportion = np.finfo(precision).eps / np.finfo(np.float32).eps
    return float(coarse * proportion)


def _largest_difference(one: Numbers, other: Numbers) -> float:
    """The largest difference; numbers that are not finite differ from all but their like."""
    alike = (one == other) | (np.isnan(one) & np.isnan(other))
    apart = np.abs(one.astype(np.float64) - other.astype(np.float64))
    return float(np.max(np.where(alike, 0.0, np.where(np.isfinite(apart), apart, np.inf))))


def _largest(values: Numbers) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(np.max(finite)) if finite.size else 0.0


def _refuse_others(found: LayerComparison, where: str, precision: str) -> None:
    """Raise when the difference is beyond rounding, and beyond half the digits of the type of numbers too."""
    half_of_the_digits = float(np.sqrt(np.finfo(precision).eps)) * found.largest
    bound = max(_MARGIN * found.rounding, half_of_the_digits)
    if found.difference is not None and not found.difference <= bound:
        raise ArgumentError(
            f"{found.name} computes something else than its parameters say: its values differ by "
            f"{found.difference:.2g} where the largest is {found.largest:.3g}",
            where=where,
            mend="A hook, a subclass or a converter may change it: remove that, and import again.",
        )
