"""Initial weights, each with its source.

``n_in`` and ``n_out`` are the fan-in and fan-out of a unit: how many inputs it has, and how many units it feeds. For a
dense ``W (I, O)`` they are I and O; biases do not count. All numbers are drawn in float64, whatever the network trains
in, so that a float32 and a float64 network of one seed begin at the same place.

The normal forms are not truncated (as in the papers and in torch; Keras cuts them off at two standard deviations).
"""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
from msgspec import Struct
from msgspec.structs import force_setattr

from chainrule import checks
from chainrule.checks import settle
from chainrule.errors import ArgumentError, ShapeError, unknown_name

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers: TypeAlias = npt.NDArray[np.float64]
    Shape: TypeAlias = tuple[int, ...]
    Rng: TypeAlias = np.random.Generator


class Initializer(Struct, frozen=True, tag=True):
    """The contract; a record of settings, the randomness comes from outside."""

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Numbers:
        """The initial numbers of a parameter: float64, of this shape.

        Raises:
            ShapeError: when a parameter of this shape cannot be drawn.
        """
        if fan_in < 1 or fan_out < 1:
            fans = f"fan-in {fan_in}, fan-out {fan_out}"
            raise ShapeError("initial weights", where=type(self).__name__, expected="inputs and outputs >= 1", got=fans)
        return np.asarray(self._draw(rng, shape, fan_in, fan_out))

    def _draw(self, rng: Rng, shape: Shape, n_in: int, n_out: int, /) -> Numbers:
        raise NotImplementedError


def _finite(record: Initializer, *fields: str) -> None:
    for field in fields:
        settle(record, field, "a finite number", lambda _: True)


class Zeros(Initializer, frozen=True):
    """All 0. For biases: with all weights 0, the hidden units of a layer would stay copies of one another."""

    def _draw(self, _rng: Rng, shape: Shape, _n_in: int, _n_out: int, /) -> Numbers:
        return np.zeros(shape)


class Constant(Initializer, frozen=True):
    """All the same value."""

    value: float

    def __post_init__(self) -> None:
        _finite(self, "value")

    def _draw(self, _rng: Rng, shape: Shape, _n_in: int, _n_out: int, /) -> Numbers:
        return np.full(shape, self.value)


class Normal(Initializer, frozen=True):
    """N(mean, std²), whatever the fans.

    >>> Normal(0.01).draw(np.random.default_rng(0), (2, 3), 2, 3).shape
    (2, 3)
    """

    std: float = 1.0
    mean: float = 0.0

    def __post_init__(self) -> None:
        settle(self, "std", "a number >= 0", lambda std: std >= 0)
        _finite(self, "mean")

    def _draw(self, rng: Rng, shape: Shape, _n_in: int, _n_out: int, /) -> Numbers:
        return self.mean + self.std * rng.standard_normal(shape)


class Uniform(Initializer, frozen=True):
    """U[low, high), whatever the fans."""

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        _finite(self, "low")
        settle(self, "high", f"a number >= {self.low:g}", lambda high: high >= self.low)

    def _draw(self, rng: Rng, shape: Shape, _n_in: int, _n_out: int, /) -> Numbers:
        return self.low + (self.high - self.low) * rng.random(shape)


def _normal(rng: Rng, shape: Shape, variance: float) -> Numbers:
    """N(0, variance)."""
    return math.sqrt(variance) * rng.standard_normal(shape)


def _uniform(rng: Rng, shape: Shape, variance: float) -> Numbers:
    """U[-a, a) of this variance: a²/3 = variance."""
    limit = math.sqrt(3.0 * variance)
    return limit * (2.0 * rng.random(shape) - 1.0)


class GlorotNormal(Initializer, frozen=True):
    """N(0, 2 / (n_in + n_out)): Glorot & Bengio 2010, eq. 12 ("Xavier")."""

    def _draw(self, rng: Rng, shape: Shape, n_in: int, n_out: int, /) -> Numbers:
        return _normal(rng, shape, 2.0 / (n_in + n_out))


class GlorotUniform(Initializer, frozen=True):
    """U[-a, a), a = √(6 / (n_in + n_out)): Glorot & Bengio 2010, eq. 16 ("normalized initialization").

    The variance 2 / (n_in + n_out) is a compromise between keeping that of the activations on the way forward
    (1 / n_in, eq. 10) and that of the deltas on the way back (1 / n_out, eq. 11). For the logistic sigmoid,
    scikit-learn takes 2 in place of 6.
    """

    def _draw(self, rng: Rng, shape: Shape, n_in: int, n_out: int, /) -> Numbers:
        return _uniform(rng, shape, 2.0 / (n_in + n_out))


class HeNormal(Initializer, frozen=True):
    """N(0, 2 / n_in): He et al. 2015, "Delving Deep into Rectifiers", eq. 10."""

    def _draw(self, rng: Rng, shape: Shape, n_in: int, _n_out: int, /) -> Numbers:
        return _normal(rng, shape, 2.0 / n_in)


class HeUniform(Initializer, frozen=True):
    """U[-a, a), a = √(6 / n_in): the variance of He et al. 2015, eq. 10."""

    def _draw(self, rng: Rng, shape: Shape, n_in: int, _n_out: int, /) -> Numbers:
        return _uniform(rng, shape, 2.0 / n_in)


class LeCunNormal(Initializer, frozen=True):
    """N(0, 1 / n_in), which is N(0, 1) / √n_in: LeCun et al. 1998, "Efficient BackProp", eq. 16."""

    def _draw(self, rng: Rng, shape: Shape, n_in: int, _n_out: int, /) -> Numbers:
        return _normal(rng, shape, 1.0 / n_in)


class LeCunUniform(Initializer, frozen=True):
    """U[-a, a), a = √(3 / n_in): the variance of LeCun et al. 1998, eq. 16."""

    def _draw(self, rng: Rng, shape: Shape, n_in: int, _n_out: int, /) -> Numbers:
        return _uniform(rng, shape, 1.0 / n_in)


class Orthogonal(Initializer, frozen=True):
    """gain * Q: columns (or rows, where these are fewer) of length `gain` at right angles.

    W of more than two axes is taken as (all axes but the last, last). Source: Saxe, McClelland & Ganguli 2014, "Exact
    solutions to the nonlinear dynamics of learning in deep linear neural networks"; the signs that make Q uniform among
    all orthogonal matrices: Mezzadri 2007, section 5.
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        _finite(self, "gain")

    def _draw(self, rng: Rng, shape: Shape, _n_in: int, _n_out: int, /) -> Numbers:
        if len(shape) < 2:
            raise ShapeError(
                "the parameter",
                where="Orthogonal",
                expected="a matrix (two axes or more)",
                got=shape,
                mend="Give biases another initializer, such as 'zeros'",
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = rng.standard_normal((max(rows, columns), min(rows, columns)))
        Q, R = np.linalg.qr(tall)
        Q *= np.where(np.diagonal(R) < 0.0, -1.0, 1.0)
        return self.gain * (Q if rows >= columns else Q.T).reshape(shape)


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


AnyInitializer: TypeAlias = (
    Zeros
    | Constant
    | Normal
    | Uniform
    | GlorotNormal
    | GlorotUniform
    | HeNormal
    | HeUniform
    | LeCunNormal
    | LeCunUniform
    | Orthogonal
    | Given
)
"""Every initializer; msgspec reads the right one from its tag."""

_NAMES: dict[str, AnyInitializer] = {
    "zeros": Zeros(),
    "ones": Constant(1.0),
    "normal": Normal(),
    "uniform": Uniform(),
    "glorot_normal": GlorotNormal(),
    "glorot_uniform": GlorotUniform(),
    "he_normal": HeNormal(),
    "he_uniform": HeUniform(),
    "lecun_normal": LeCunNormal(),
    "lecun_uniform": LeCunUniform(),
    "orthogonal": Orthogonal(),
}

NAMES: tuple[str, ...] = tuple(_NAMES)
"""The names that `get` knows."""

_RECTIFIERS = frozenset({"relu", "leaky_relu", "elu", "gelu", "silu", "softplus"})


def get(initializer: Any, *, where: str = "") -> AnyInitializer:
    """An initializer from its name, a number (all the same), an array or nested lists, or the object itself.

    Raises:
        ArgumentError: for an unknown name, or values that are not numbers.

    >>> get("he_normal"), get(0.5)
    (HeNormal(), Constant(value=0.5))
    """
    if isinstance(initializer, AnyInitializer):
        return initializer
    if isinstance(initializer, str):
        plain = initializer.strip().lower().replace("-", "_").replace(" ", "_")
        if plain in _NAMES:
            return _NAMES[plain]
        raise unknown_name("initializer", initializer, NAMES, where=where)
    if not isinstance(initializer, bool) and isinstance(initializer, Real):
        return Constant(float(initializer))
    if isinstance(initializer, list | tuple) or hasattr(initializer, "__array__"):
        return Given(initializer)
    raise ArgumentError(
        "init",
        where=where,
        expected="a name, a number, an array or an initializer such as Normal(0.01)",
        got=initializer,
    )


def for_activation(activation: str) -> AnyInitializer:
    """What `init="auto"` means for the weights before an activation.

    | activation | initializer | source |
    | --- | --- | --- |
    | relu, leaky_relu, elu, gelu, silu, softplus | `HeNormal` | He et al. 2015: half of the signal is cut off |
    | selu | `LeCunNormal` | Klambauer et al. 2017, section 3, "Initialization" |
    | all others | `GlorotUniform` | Glorot & Bengio 2010: about linear around 0 |

    >>> for_activation("relu")
    HeNormal()
    """
    if activation in _RECTIFIERS:
        return HeNormal()
    return LeCunNormal() if activation == "selu" else GlorotUniform()
