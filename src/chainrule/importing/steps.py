"""What a network elsewhere is made of, step by step, as every source file tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from chainrule.errors import ArgumentError, DataError, InputError
from chainrule.layers import AnyLayer
from chainrule.losses import Loss

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


Numbers: TypeAlias = np.ndarray[Any, Any]
DTYPES = ("float32", "float64")
EXACT_GELU = "the GELU here has the tanh form, which differs from z Phi(z) by 5e-4 at most"
LOGARITHM = "here softmax: cross_entropy takes the logarithm by itself"


class Affine(NamedTuple):
    """A scaling of each feature, ``Y = X * factor + shift``, both ``(I,)`` or one number for all."""

    factor: Numbers
    shift: Numbers

    def then(self, other: Affine) -> Affine:
        """This one, and the other after it, as one.

        >>> Affine(np.array(2.0), np.array(1.0)).then(Affine(np.array(10.0), np.array(5.0)))
        Affine(factor=np.float64(20.0), shift=np.float64(15.0))
        """
        return Affine(self.factor * other.factor, self.shift * other.factor + other.shift)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One layer or node of the source.

    Attributes:
        name: how its owner knows it: ``"2 Linear(8, 3)"``.
        becomes: the layer that does the same; an `Affine`; None for what changes no row, or what has steps inside.
        numbers: the parameters of that layer by their names within it.
        notes: what holds for it and does not show in the layer.
        approximates: whether the layer is known to compute something a little different.
        compared_as: what is done to its values there before they are compared with those here.
        inside: the steps past which a shortcut leads, where this one adds it.
    """

    name: str
    becomes: AnyLayer | Affine | None = None
    numbers: Mapping[str, Numbers] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    approximates: bool = False
    compared_as: Callable[[Numbers], Numbers] | None = None
    inside: tuple[Step, ...] = ()


def flat(steps: Iterable[Step]) -> Iterator[Step]:
    """All steps in the order in which they compute: those inside another before it."""
    for step in steps:
        yield from flat(step.inside)
        yield step


@dataclass(frozen=True, kw_only=True)
class Source:
    """A network elsewhere.

    Attributes:
        where: the function that reads it, for messages.
        origin: what it is: ``"torch.nn.Sequential"``.
        steps: in the order of the data.
        run: rows ``(B, I)`` to the values after each of `flat(steps)`, ``(B, ...)``; None where they cannot be had. The
            last ones are those of the whole network, called as its owner calls it.
        n_inputs: I, where the source tells it.
        loss: a loss, where the source tells it, and `loss_reason` why.
        classes: the labels of the outputs, where the source tells them.
        precision: of its arithmetic, where that is coarser than its numbers.
        notes: what else is to be said.
    """

    where: str
    origin: str
    steps: tuple[Step, ...]
    run: Callable[[Numbers], list[Numbers | None]]
    n_inputs: int | None = None
    loss: str | Loss | None = None
    loss_reason: str = ""
    classes: tuple[Any, ...] | None = None
    precision: str = ""
    notes: tuple[str, ...] = ()


def unsupported(what: str, where: str, supported: Iterable[str], *, mend: str = "") -> ArgumentError:
    """The error for a layer that has no counterpart here.

    >>> print(unsupported("layer 1, Conv2d(1, 8)", "from_torch", ["Linear", "ReLU"]))
    from_torch: layer 1, Conv2d(1, 8), is not supported. Supported are: Linear, ReLU.
    """
    listed = f"Supported are: {', '.join(supported)}."
    return ArgumentError(f"{what}, is not supported", where=where, mend=f"{mend} {listed}".lstrip())


def check_gelu(*, exact: bool, approximate: bool) -> None:
    """Raise for a GELU of the form that there is not here, unless the other one is asked for.

    Raises:
        ArgumentError: which says how to ask.
    """
    if exact and not approximate:
        raise ArgumentError(EXACT_GELU, mend="approximate_gelu=True takes that form for it.")


@contextmanager
def reading(step: str, where: str) -> Iterator[None]:
    """Whatever is refused in this block names the step.

    Raises:
        ArgumentError: in place of an InputError that does not know where it happened.
    """
    try:
        yield
    except InputError as fault:
        if fault.where == where:
            raise
        raise ArgumentError(f"{step}: {fault}", where=where) from None


def checked(values: Any, name: str, *, where: str) -> Numbers:
    """Numbers of a network as they came, finite and of a type that networks here compute with.

    Args:
        values: an array.
        name: of the array with its step, for messages.
        where: the function that reads it.

    Raises:
        ArgumentError: for another type of numbers.
        DataError: for NaN or infinity.
    """
    array = np.asarray(values)
    if array.dtype.name not in DTYPES:
        raise ArgumentError(
            name, where=where, expected="float32 or float64", got=array.dtype.name, mend="Convert the network first."
        )
    if not np.isfinite(array).all():
        place = tuple(int(axis[0]) for axis in np.nonzero(~np.isfinite(array)))
        raise DataError(f"{name} holds {array[place]} at {list(place)}", where=where, expected="finite numbers")
    return array
