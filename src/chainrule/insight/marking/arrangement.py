"""How somebody's arrays lie: W as (O, I), samples as columns, the bias in W; found by shape, or tried."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.errors import ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.arrays import Floats
    from chainrule.insight.addresses import Address
    from chainrule.insight.marking.answers import Answer
    from chainrule.insight.marking.precision import Precision
    from chainrule.insight.trace import Trace

_WEIGHTS = re.compile(r"\.d?W(\.|$)")
_BIASES = re.compile(r"\.db$")
_DIGITS, _MOST_DIGITS = 6, 17
_LOSSES = ("loss", "loss.new", "loss.rows")


class Arrangement(NamedTuple):
    """How arrays lie whose shape does not tell it.

    Attributes:
        weights: whether weights are transposed, (O, I).
        rows: whether rows are columns, (O, B).
        bias_first: whether the bias in W stands before the weights.
    """

    weights: bool = False
    rows: bool = False
    bias_first: bool = False


ARRANGEMENTS = tuple(
    Arrangement(weights, rows, first) for first in (False, True) for rows in (False, True) for weights in (False, True)
)


class Laid(NamedTuple):
    """An answer as the trace would have it.

    Attributes:
        said: the person's name for it.
        address: in the trace.
        values: in the shape of the trace's, or, where no arrangement fits, as they came.
        precision: how exactly they are written.
        how: what was done to the array, in words; empty for nothing.
        noise: how far a right number may lie off besides; see `noise`.
    """

    said: str
    address: Address
    values: Floats
    precision: Precision
    how: str = ""
    noise: Any = 0.0

    def right(self, numbers: Floats) -> bool:
        """Whether it is this, to the digits given; places left empty are."""
        return bool(np.shape(numbers) == self.values.shape and self.entries(numbers).all())

    def entries(self, numbers: Floats) -> Any:
        """Which entries are right, for numbers of the same shape."""
        with np.errstate(invalid="ignore"):
            off = np.abs(self.values - numbers)
            return np.isnan(self.values) | (off <= self.precision.tolerance(self.values, numbers) + self.noise)

    def digits(self, numbers: Floats) -> int:
        """Significant digits that show as much as was written, and where it is off."""
        written = self.precision.digits + 1 if self.precision.rounded else _DIGITS
        if np.shape(numbers) != self.values.shape:
            return max(written, _DIGITS)
        off, sizes = np.abs(self.values - numbers), np.abs(numbers)
        there = np.isfinite(off) & (off > 0) & ~self.entries(numbers)
        with np.errstate(all="ignore"):
            places = np.log10(sizes / off, where=there, out=np.zeros(np.shape(off)))
        shows = int(np.ceil(places.max(initial=0.0))) + 1
        return min(max(written, _DIGITS, shows), _MOST_DIGITS)


def lay(answer: Answer, trace: Trace, arrangement: Arrangement) -> Iterator[Laid]:
    """The answer in the shape of the trace: one array, or two where the bias stands in W.

    Raises:
        ShapeError: when no arrangement makes it fit.
    """
    meant = np.asarray(answer.address.of(np.asarray(trace[answer.address.name])))
    with_bias = _with_bias(answer, trace, meant.shape)
    if with_bias:
        yield from _split(answer, meant.shape, with_bias, arrangement)
        return
    transposed = arrangement.weights if _WEIGHTS.search(answer.address.name) else arrangement.rows
    values, how = _in_shape(answer, meant.shape, transposed=transposed, trace=trace)
    yield Laid(answer.said, answer.address, values, answer.precision, how)


def _in_shape(answer: Answer, shape: tuple[int, ...], *, transposed: bool, trace: Trace) -> tuple[Floats, str]:
    values = answer.values
    same, turned = values.shape == shape, values.ndim == 2 and values.T.shape == shape
    if turned and (transposed or not same):
        return values.T, "transposed"
    if same:
        return values, ""
    if _without_ones(values, shape) is not None:
        return np.asarray(_without_ones(values, shape)), "the column of ones left out"
    if values.size == np.prod(shape, dtype=int) and (values.ndim == 1 or 1 in (*values.shape, *shape)):
        flat = values.ravel()
        if len(shape) == 2 and transposed and min(shape) > 1:
            return flat.reshape(shape[::-1]).T, "flattened, transposed"
        squeezed = [n for n in values.shape if n > 1] == [n for n in shape if n > 1]
        return flat.reshape(shape), "" if squeezed else "flattened"
    mistaken = _mistaken_shapes(answer.address.name, trace) if answer.address.places == () else set()
    if values.ndim == 2 and values.T.shape in mistaken and (transposed or values.shape not in mistaken):
        values, how = values.T, "transposed"
    else:
        how = ""
    if values.shape in mistaken:
        return values, how
    raise ShapeError(
        answer.said,
        where="mark",
        expected=f"shape {shape}, that of {answer.address.name}" if shape else f"one number, {answer.address.name}",
        got=values.shape,
    )


def _mistaken_shapes(name: str, trace: Trace) -> set[tuple[int, ...]]:
    """Shapes that a mistake may give: rows not summed, or summed along the wrong axis."""
    B = len(trace.batch.X)
    if _BIASES.search(name):
        return {(B, *np.shape(trace[name])), (B,), ()}
    return {(B,)} if name in _LOSSES else set()


def _without_ones(values: Floats, shape: tuple[int, ...]) -> Floats | None:
    """The array without its first or last column, where that is the constant 1 beside the inputs."""
    if values.ndim != 2 or len(shape) != 2 or values.shape != (shape[0], shape[1] + 1):
        return None
    for column, rest in ((-1, values[:, :-1]), (0, values[:, 1:])):
        if (values[:, column] == 1).all():
            return rest
    return None


# ---- the bias in W --------------------------------------------------------------------------------------------------


def _with_bias(answer: Answer, trace: Trace, shape: tuple[int, ...]) -> str:
    """The name of the bias that stands in this W too; empty for none."""
    name = answer.address.name
    bias = re.sub(r"\.(d?)W(?=\.|$)", r".\1b", name)
    if bias == name or bias not in trace or answer.values.ndim != 2 or answer.address.places:
        return ""
    I, O = shape
    return bias if answer.values.shape in {(I + 1, O), (O, I + 1)} - {(I, O), (O, I)} else ""


def _split(answer: Answer, shape: tuple[int, ...], bias: str, arrangement: Arrangement) -> Iterator[Laid]:
    """W and b of the array that holds both."""
    I, O = shape
    values = answer.values
    turned = values.shape == (O, I + 1) and (arrangement.weights or values.shape != (I + 1, O))
    values = values.T if turned else values
    place = 0 if arrangement.bias_first else I
    word = f"{'first' if arrangement.bias_first else 'last'} {'column' if turned else 'row'}"
    how = f"{'transposed, ' if turned else ''}the bias its {word}"
    W = np.delete(values, place, axis=0)
    yield Laid(answer.said, answer.address, W, answer.precision, how)
    b = answer.address._replace(name=bias)
    yield Laid(f"{answer.said}: {word}", b, values[place], answer.precision, "")
