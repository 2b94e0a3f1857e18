"""Addresses: the name of an array, and an entry or a part of it: ``dense_2.W[0, 1]``, ``dense_1.dZ[:, 3]``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from chainrule.errors import ArgumentError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterable

Place: TypeAlias = "int | slice"

_ADDRESS = re.compile(r"\s*([^\[\]]*?)\s*(?:\[([^\[\]]*)\])?\s*")
_PLACE = re.compile(r"[-+]?\d+|(?:[-+]?\d+)?:(?:[-+]?\d+)?(?::(?:[-+]?\d+)?)?|\.\.\.")


class Address(NamedTuple):
    """A name, and the places along the axes of its array; none for the whole of it."""

    name: str
    places: tuple[Any, ...] = ()

    def __str__(self) -> str:
        if not self.places:
            return self.name
        return f"{self.name}[{', '.join(map(_place_text, self.places))}]"

    def of(self, values: np.ndarray[Any, Any]) -> Any:
        """The entry or the part of this array: a view, or a number.

        Raises:
            ArgumentError: when the array has no such place; says how large it is.
        """
        axes = [place for place in self.places if place is not Ellipsis]
        if len(axes) > values.ndim or len(self.places) - len(axes) > 1:
            raise ArgumentError(str(self), expected=f"at most {values.ndim} places, for its shape {values.shape}")
        try:
            return values[self.places] if self.places else values
        except IndexError:
            raise ArgumentError(
                f"there is no {self}", expected=f"places within its shape {values.shape}, from 0", got=self._shown()
            ) from None

    def entries(self, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        """The flat places in an array of this shape, in the shape of the part; see `of` for errors."""
        count = np.arange(int(np.prod(shape))).reshape(shape)
        return np.asarray(self.of(count))

    def _shown(self) -> str:
        return f"[{', '.join(map(_place_text, self.places))}]"


def parse(text: object, known: Iterable[str], *, where: str) -> Address:
    """The address that a text means.

    Raises:
        ArgumentError: when there is no such name (says which was meant), or the places cannot be read.

    >>> parse("dense_2.W[0, 1]", ["dense_2.W"], where="trace")
    Address(name='dense_2.W', places=(0, 1))
    """
    if not isinstance(text, str):
        raise ArgumentError("name", where=where, expected="a text such as 'dense_1.W[0, 1]'", got=text)
    match = _ADDRESS.fullmatch(text)
    name = match[1] if match else text.partition("[")[0].strip()
    names = list(known)
    if name not in names:
        raise unknown_name("number", name, _nearest(name, names), where=where)
    if match is None:
        raise ArgumentError(text, where=where, expected=f"a name and places in one pair of brackets: {name}[0, 1]")
    return Address(name, tuple(_place(part.strip(), text, where) for part in _parts(match[2])))


def _nearest(name: str, names: list[str]) -> list[str]:
    """The names of the same layer where it has any, or else all."""
    layer = name.rpartition(".")[0]
    return [known for known in names if layer and known.startswith(f"{layer}.")] or names


def _parts(inside: str | None) -> list[str]:
    return inside.split(",") if inside and inside.strip() else []


def _place(part: str, text: str, where: str) -> Any:
    if not _PLACE.fullmatch(part):
        raise ArgumentError(text, where=where, expected="whole numbers or ranges such as [0, 1] or [:, 1]", got=part)
    if part == "...":
        return Ellipsis
    if ":" not in part:
        return int(part)
    numbers = [int(bound) if bound else None for bound in part.split(":")]
    if len(numbers) == 3 and numbers[2] == 0:
        raise ArgumentError(text, where=where, expected="a step other than 0", got=part)
    return slice(*numbers)


def _place_text(place: Any) -> str:
    if place is Ellipsis:
        return "..."
    if not isinstance(place, slice):
        return str(place)
    text = ":".join("" if bound is None else str(bound) for bound in (place.start, place.stop))
    return text if place.step is None else f"{text}:{place.step}"
