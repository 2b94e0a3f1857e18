"""Initial weights that a person gives as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from msgspec.structs import force_setattr

from chainrule import checks
from chainrule.errors import ArgumentError, ShapeError
from chainrule.initializers.interface import Initializer

if TYPE_CHECKING:
    from chainrule.initializers.interface import Numbers, Rng, Shape


class Given(Initializer, frozen=True, dict=True, eq=False, omit_defaults=True):
    """The numbers of an array, or of nested lists, kept as a copy.

    As JSON it is a record of the shape alone: the numbers of a trained network are in theta, and a large array does not
    belong in a header. Read back from there, it says so when it is asked to draw.

    >>> Given([[1, 2], [3, 4]]).draw(np.random.default_rng(), (2, 2), 2, 2)
    array([[1., 2.],
           [3., 4.]])

    Attributes:
        array: the numbers, read-only; None when it was read from a file.
        shape: their shape.
    """

    values: Any = None  # as given; moved to `array` at once, so that no encoder meets it
    shape: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.values is None:
            if self.shape is None:
                raise ArgumentError("values", where="Given", expected="an array or nested lists of numbers")
            return
        array = _checked_array(self.values)
        if self.shape not in {None, array.shape}:
            raise ShapeError("values", where="Given", expected=f"shape {self.shape}", got=array.shape)
        self.__dict__["_array"] = array
        force_setattr(self, "shape", array.shape)
        force_setattr(self, "values", None)

    @property
    def array(self) -> Numbers | None:
        """The numbers, read-only; None when it was read from a file."""
        return self.__dict__.get("_array")

    def _draw(self, _rng: Rng, shape: Shape, _n_in: int, _n_out: int, /) -> Numbers:
        if self.array is None:
            raise ArgumentError(
                f"the initial values {self.shape} are not in the file",
                where="Given",
                mend="A file keeps theta, not what it began with: give the array again, as init=array",
            )
        if shape != self.shape:
            turned = self.array.ndim == 2 and shape == self.array.shape[::-1]
            raise ShapeError(
                "values",
                where="Given",
                expected=f"shape {shape}",
                got=self.shape,
                mend="Weights are (inputs, outputs): transpose the array" if turned else "",
            )
        return self.array.copy()

    def __repr__(self) -> str:
        return f"Given({'values' if self.array is not None else 'no values'} of shape {self.shape})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Given) or self.shape != other.shape:
            return False
        if self.array is None or other.array is None:
            return self.array is other.array
        return np.array_equal(self.array, other.array)

    def __hash__(self) -> int:
        return hash(("Given", self.shape))

    def __copy__(self) -> Self:  # msgspec's own would leave the array behind
        return self

    def __deepcopy__(self, _memo: dict[int, object]) -> Self:
        return self

    def __reduce__(self) -> tuple[type[Given], tuple[Any, Any]]:
        return (Given, (self.array, self.shape))


def _checked_array(values: object) -> Numbers:
    """A read-only float64 copy of finite real numbers."""
    expected = "an array or nested lists of finite numbers"
    raw = checks.numbers(values, "values", where="Given", expected=expected)
    array = np.array(raw, dtype=np.float64)
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ArgumentError("values", where="Given", expected=expected, got=f"{array[place]} at {place}")
    array.flags.writeable = False
    return array
