"""Initial weights, each with its source.

``n_in`` and ``n_out`` are the fan-in and fan-out of a unit: how many inputs it has, and how many units it feeds. For a
dense ``W (I, O)`` they are I and O; biases do not count. All numbers are drawn in float64, whatever the network trains
in, so that a float32 and a float64 network of one seed begin at the same place.

The normal forms are not truncated (as in the papers and in torch; Keras cuts them off at two standard deviations).
"""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from chainrule.checks import settle
from chainrule.errors import ArgumentError, ShapeError, unknown_name
from chainrule.initializers.given import Given
from chainrule.initializers.interface import Initializer, settle_finite

if TYPE_CHECKING:
    from chainrule.initializers.interface import Numbers, Rng, Shape

__all__ = [
    "NAMES",
    "AnyInitializer",
    "Constant",
    "Given",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "LeCunNormal",
    "LeCunUniform",
    "Normal",
    "Orthogonal",
    "Uniform",
    "Zeros",
    "for_activation",
    "get",
]


class Zeros(Initializer, frozen=True):
    """All 0. For biases: with all weights 0, the hidden units of a layer would stay copies of one another."""

    def _draw(self, _rng: Rng, shape: Shape, _n_in: int, _n_out: int, /) -> Numbers:
        return np.zeros(shape)


class Constant(Initializer, frozen=True):
    """All the same value."""

    value: float

    def __post_init__(self) -> None:
        settle_finite(self, "value")

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
        settle_finite(self, "mean")

    def _draw(self, rng: Rng, shape: Shape, _n_in: int, _n_out: int, /) -> Numbers:
        return self.mean + self.std * rng.standard_normal(shape)


class Uniform(Initializer, frozen=True):
    """U[low, high), whatever the fans."""

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        settle_finite(self, "low")
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
        settle_finite(self, "gain")

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
