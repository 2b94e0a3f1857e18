"""Functions that are not ours: ``theta -> (value, gradient)``, in NumPy, torch, JAX or anything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import checks
from chainrule.errors import ArgumentError, ShapeError, unknown_name
from chainrule.insight.gradcheck.probing import WHERE, Function, Part

if TYPE_CHECKING:
    from chainrule.arrays import Floats


def foreign_function(call: Callable[[Any], Any], theta: Any, gradient: Any) -> Function:
    """The function as the check reads it: it gets copies of float64 arrays, in the form of `theta`.

    Args:
        call: gives value and gradient, or, where `gradient` is given, maybe the value alone.
        theta: an array, or a mapping of arrays.
        gradient: to be checked in place of what `call` gives; of a mapping, some of the arrays.

    Raises:
        ArgumentError, ShapeError: when what comes is not of that form.
    """
    arrays = _named(theta, "theta")
    numbers = {name: array.reshape(-1) for name, array in arrays.items()}

    def at_present() -> Any:
        copies = {name: numbers[name].reshape(array.shape).copy() for name, array in arrays.items()}
        return copies if isinstance(theta, Mapping) else copies["theta"]

    def value() -> float:
        return _value(call(at_present()), alone=gradient is not None)

    if gradient is None:
        gradient = _pair(call(at_present()))[1]
    given = _named(gradient, "gradient") if isinstance(theta, Mapping) else {"theta": _array(gradient, "gradient")}
    parts = []
    for name, slopes in given.items():
        if name not in arrays:
            raise unknown_name("array", name, arrays, where=f"{WHERE}: gradient")
        if slopes.shape != arrays[name].shape:
            expected = f"shape {arrays[name].shape}, as {name} has"
            raise ShapeError("gradient", where=WHERE, expected=expected, got=slopes.shape)
        parts.append(Part(name, slopes.shape, numbers[name], slopes.reshape(-1)))
    return Function(value, parts)


def gradient_arrays(gradient: Any, names: Mapping[str, tuple[int, ...]], size: int) -> dict[str, Floats]:
    """A gradient from elsewhere by the names of the parameters: a vector like theta, or some of the arrays.

    Raises:
        ArgumentError, ShapeError: when it fits neither.
    """
    if not isinstance(gradient, Mapping):
        vector = _array(getattr(gradient, "theta", gradient), "gradient")
        if vector.shape != (size,):
            expected = f"shape {(size,)}, like theta, or a mapping of names to arrays"
            raise ShapeError("gradient", where=WHERE, expected=expected, got=vector.shape)
        ends = np.cumsum([int(np.prod(shape)) for shape in names.values()])[:-1]
        return dict(zip(names, np.split(vector, ends), strict=True))
    given = _named(gradient, "gradient")
    for name, slopes in given.items():
        if name not in names:
            raise unknown_name("parameter", name, names, where=f"{WHERE}: gradient")
        if slopes.shape != names[name]:
            raise ShapeError(name, where=f"{WHERE}: gradient", expected=f"shape {names[name]}", got=slopes.shape)
    return {name: slopes.reshape(-1) for name, slopes in given.items()}


def _named(arrays: Any, what: str) -> dict[str, Floats]:
    if not isinstance(arrays, Mapping):
        return {what: _array(arrays, what)}
    return {str(name): _array(array, f"{what}[{name!r}]") for name, array in arrays.items()}


def _array(numbers: Any, what: str) -> Floats:
    """A copy in float64, from anything that NumPy can read; tensors of torch leave their graph first.

    Raises:
        ArgumentError: when it holds no real numbers.
    """
    plain = numbers.detach().cpu().numpy() if hasattr(numbers, "detach") else numbers
    array = checks.numbers(plain, what, where=WHERE, expected="an array of numbers")
    return array.astype(np.float64, order="C")


def _pair(answer: Any) -> tuple[Any, Any]:
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        expected = "the pair (value, gradient)"
        raise ArgumentError("what the function returned", where=WHERE, expected=expected, got=answer)
    return answer[0], answer[1]


def _value(answer: Any, *, alone: bool) -> float:
    value = answer if alone and not isinstance(answer, tuple | list) else _pair(answer)[0]
    array = _array(value, "the function's value")
    if array.size != 1:
        raise ShapeError("the function's value", where=WHERE, expected="one number", got=array.shape)
    return float(array.reshape(()))
