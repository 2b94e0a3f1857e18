"""Activation functions, each beside its slope.

An activation maps ``Z (B, O)`` to ``Y = f(Z) (B, O)``. `slope` gives ``f'(Z)`` from ``Z`` and the ``Y`` that the
forward pass already has, whichever is cheaper; `backward` turns ``dY`` into ``dZ``. For all but softmax, which mixes
the outputs of a row, ``dZ = dY * f'(Z)``.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, TypeAlias, get_args

import msgspec
from msgspec.structs import force_setattr

from chainrule import checks
from chainrule.arrays import Array, namespace, total
from chainrule.errors import ArgumentError, unknown_name


class ActivationFunction(msgspec.Struct, frozen=True, tag_field="name"):
    """What every activation offers; elementwise ones define `value` and `slope`.

    Attributes:
        kinks: the places at which the slope jumps; a finite difference across one is meaningless.
        formula: how it is written in what people read.
        slope_formula: the same of f'(z), for softmax of dy_k/dz_j.
    """

    kinks: ClassVar[tuple[float, ...]] = ()
    elementwise: ClassVar[bool] = True
    formula: ClassVar[str] = ""
    slope_formula: ClassVar[str] = ""

    @property
    def name(self) -> str:
        """The name by which `get` finds it."""
        return str(type(self).__struct_config__.tag)

    @property
    def constants(self) -> dict[str, float]:
        """The letters of its formulas that stand for numbers of its own."""
        return {}

    @property
    def formulas(self) -> dict[str, str]:
        """How outputs, slopes and gradients are made, entry by entry; for explanations."""
        return {"Y": self.formula, "slope": self.slope_formula, "dZ": "dY * slope", "dX": "dY * slope"}

    def value(self, Z: Array) -> Array:
        """``Y = f(Z)``, of the shape of ``Z``."""
        raise NotImplementedError

    def slope(self, Z: Array, Y: Array) -> Array:
        """``f'(Z)``, of the shape of ``Z``."""
        raise NotImplementedError

    def backward(self, Z: Array, Y: Array, dY: Array) -> Array:
        """``dZ = dY * f'(Z)``."""
        return dY * self.slope(Z, Y)


class Identity(ActivationFunction, frozen=True, tag="identity"):
    """f(z) = z, f'(z) = 1."""

    formula: ClassVar[str] = "z"
    slope_formula: ClassVar[str] = "1"

    def value(self, Z: Array) -> Array:
        return Z

    def slope(self, Z: Array, Y: Array) -> Array:  # noqa: ARG002 -- the slope is 1 everywhere
        return namespace(Z).ones_like(Z)

    def backward(self, Z: Array, Y: Array, dY: Array) -> Array:  # noqa: ARG002 -- nothing to multiply
        return dY


class Sigmoid(ActivationFunction, frozen=True, tag="sigmoid"):
    """f(z) = 1 / (1 + exp(-z)), f'(z) = f(z) (1 - f(z))."""

    formula: ClassVar[str] = "1 / (1 + exp(-z))"
    slope_formula: ClassVar[str] = "y (1 - y)"

    def value(self, Z: Array) -> Array:
        return _logistic(Z)

    def slope(self, Z: Array, Y: Array) -> Array:  # noqa: ARG002 -- Y is enough
        return Y * (1 - Y)


class Tanh(ActivationFunction, frozen=True, tag="tanh"):
    """f(z) = tanh(z), f'(z) = 1 - f(z)^2."""

    formula: ClassVar[str] = "tanh(z)"
    slope_formula: ClassVar[str] = "1 - y^2"

    def value(self, Z: Array) -> Array:
        return namespace(Z).tanh(Z)

    def slope(self, Z: Array, Y: Array) -> Array:  # noqa: ARG002 -- Y is enough
        return 1 - Y * Y


class ScaledTanh(ActivationFunction, frozen=True, tag="scaled_tanh"):
    """f(z) = 1.7159 tanh(2/3 z), f'(z) = 2/3 (1.7159 - f(z)^2 / 1.7159).

    LeCun, Bottou, Orr, Müller, "Efficient BackProp" (1998), section 4.4: f(1) = 1 and f(-1) = -1.
    """

    formula: ClassVar[str] = "1.7159 tanh(2/3 z)"
    slope_formula: ClassVar[str] = "2/3 (1.7159 - y^2 / 1.7159)"

    def value(self, Z: Array) -> Array:
        return 1.7159 * namespace(Z).tanh((2 / 3) * Z)

    def slope(self, Z: Array, Y: Array) -> Array:  # noqa: ARG002 -- Y is enough
        return (2 / 3) * (1.7159 - Y * Y * (1 / 1.7159))


class ReLU(ActivationFunction, frozen=True, tag="relu"):
    """f(z) = max(0, z), f'(z) = 1 for z > 0, else 0 (at the kink, z = 0, too)."""

    kinks: ClassVar[tuple[float, ...]] = (0.0,)
    formula: ClassVar[str] = "max(0, z)"
    slope_formula: ClassVar[str] = "1 if z > 0 else 0"

    def value(self, Z: Array) -> Array:
        return namespace(Z).maximum(Z, 0)

    def slope(self, Z: Array, Y: Array) -> Array:  # noqa: ARG002 -- Z is enough
        return namespace(Z).astype(Z > 0, Z.dtype)


class LeakyReLU(ActivationFunction, frozen=True, tag="leaky_relu"):
    """f(z) = z for z > 0, else a z; f'(z) = 1 for z > 0, else a, with a = `leak`.

    Maas, Hannun, Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models" (2013), section 2.
    """

    leak: float = 0.01
    kinks: ClassVar[tuple[float, ...]] = (0.0,)
    formula: ClassVar[str] = "z if z > 0 else a z"
    slope_formula: ClassVar[str] = "1 if z > 0 else a"

    def __post_init__(self) -> None:
        force_setattr(self, "leak", checks.at_least_zero(self.leak, "leak", where="leaky_relu"))

    @property
    def constants(self) -> dict[str, float]:
        return {"a": self.leak}

    def value(self, Z: Array) -> Array:
        return namespace(Z).where(Z > 0, Z, self.leak * Z)

    def slope(self, Z: Array, Y: Array) -> Array:  # noqa: ARG002 -- Z is enough
        return _where(Z > 0, 1.0, self.leak, like=Z)


class ELU(ActivationFunction, frozen=True, tag="elu"):
    """f(z) = z for z > 0, else a (exp(z) - 1); f'(z) = 1 for z > 0, else f(z) + a, with a = `alpha`.

    Clevert, Unterthiner, Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear Units" (2016),
    eq. 15.
    """

    alpha: float = 1.0
    kinks: ClassVar[tuple[float, ...]] = (0.0,)  # smooth there for alpha = 1 only
    formula: ClassVar[str] = "z if z > 0 else a (exp(z) - 1)"
    slope_formula: ClassVar[str] = "1 if z > 0 else y + a"

    def __post_init__(self) -> None:
        force_setattr(self, "alpha", checks.at_least_zero(self.alpha, "alpha", where="elu"))

    @property
    def constants(self) -> dict[str, float]:
        return {"a": self.alpha}

    def value(self, Z: Array) -> Array:
        xp = namespace(Z)
        return xp.where(Z > 0, Z, self.alpha * xp.expm1(xp.minimum(Z, 0)))

    def slope(self, Z: Array, Y: Array) -> Array:
        return namespace(Z).where(Z > 0, 1.0, Y + self.alpha)


class SELU(ActivationFunction, frozen=True, tag="selu"):
    """f(z) = s z for z > 0, else s a (exp(z) - 1), with s = 1.0507..., a = 1.6732...

    Klambauer, Unterthiner, Mayr, Hochreiter, "Self-Normalizing Neural Networks" (2017), eq. 2 and section 2.
    """

    scale: ClassVar[float] = 1.0507009873554805
    alpha: ClassVar[float] = 1.6732632423543772
    kinks: ClassVar[tuple[float, ...]] = (0.0,)
    formula: ClassVar[str] = "s z if z > 0 else s a (exp(z) - 1)"
    slope_formula: ClassVar[str] = "s if z > 0 else y + s a"

    @property
    def constants(self) -> dict[str, float]:
        return {"a": self.alpha, "s": self.scale}

    def value(self, Z: Array) -> Array:
        xp = namespace(Z)
        return xp.where(Z > 0, self.scale * Z, self.scale * self.alpha * xp.expm1(xp.minimum(Z, 0)))

    def slope(self, Z: Array, Y: Array) -> Array:
        return namespace(Z).where(Z > 0, self.scale, Y + self.scale * self.alpha)


class GELU(ActivationFunction, frozen=True, tag="gelu"):
    """f(z) = z/2 (1 + tanh(u)), u = sqrt(2/pi) (z + 0.044715 z^3).

    Hendrycks, Gimpel, "Gaussian Error Linear Units" (2016), section 2. Sources disagree: this is the paper's
    approximation, which TensorFlow's and PyTorch's ``approximate="tanh"`` give too; their default, z Phi(z), differs by
    at most 5e-4.
    """

    formula: ClassVar[str] = "z/2 (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3)))"
    slope_formula: ClassVar[str] = "gelu'(z)"

    def value(self, Z: Array) -> Array:
        return 0.5 * Z * (1 + self._tanh(Z))

    def slope(self, Z: Array, Y: Array) -> Array:  # noqa: ARG002 -- Y does not help
        t = self._tanh(Z)
        du = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * Z * Z)
        return 0.5 * (1 + t) + 0.5 * Z * (1 - t * t) * du

    @staticmethod
    def _tanh(Z: Array) -> Array:
        return namespace(Z).tanh(math.sqrt(2 / math.pi) * (Z + 0.044715 * Z * Z * Z))


class SiLU(ActivationFunction, frozen=True, tag="silu"):
    """f(z) = z s(z), f'(z) = s(z) + f(z) (1 - s(z)), with s the sigmoid.

    Elfwing, Uchibe, Doya, "Sigmoid-Weighted Linear Units" (2018), eq. 3 and 5; also called swish.
    """

    formula: ClassVar[str] = "z / (1 + exp(-z))"
    slope_formula: ClassVar[str] = "sigmoid(z) + y (1 - sigmoid(z))"

    def value(self, Z: Array) -> Array:
        return Z * _logistic(Z)

    def slope(self, Z: Array, Y: Array) -> Array:
        s = _logistic(Z)
        return s + Y * (1 - s)


class Softplus(ActivationFunction, frozen=True, tag="softplus"):
    """f(z) = log(1 + exp(z)), f'(z) = sigmoid(z)."""

    formula: ClassVar[str] = "log(1 + exp(z))"
    slope_formula: ClassVar[str] = "sigmoid(z)"

    def value(self, Z: Array) -> Array:
        xp = namespace(Z)
        return xp.maximum(Z, 0) + xp.log1p(xp.exp(-xp.abs(Z)))

    def slope(self, Z: Array, Y: Array) -> Array:  # noqa: ARG002 -- Z is enough
        return _logistic(Z)


class Exp(ActivationFunction, frozen=True, tag="exp"):
    """f(z) = exp(z), f'(z) = y. For outputs that are rates or counts: the logarithm of the output is what is linear."""

    formula: ClassVar[str] = "exp(z)"
    slope_formula: ClassVar[str] = "y"

    def value(self, Z: Array) -> Array:
        return namespace(Z).exp(Z)

    def slope(self, Z: Array, Y: Array) -> Array:  # noqa: ARG002 -- Y is enough
        return Y


class Softmax(ActivationFunction, frozen=True, tag="softmax"):
    """y_k = exp(z_k) / sum_j exp(z_j) over the outputs of a row; dy_k/dz_j = y_k (1[k = j] - y_j).

    The maximum of each row is subtracted first, which changes nothing but the overflow. `backward` is the whole
    Jacobian applied to ``dY``: dz_j = y_j (dy_j - sum_k dy_k y_k).
    """

    elementwise: ClassVar[bool] = False
    formula: ClassVar[str] = "exp(z_k) / sum_j exp(z_j)"
    slope_formula: ClassVar[str] = "y_k (1[k = j] - y_j)"

    @property
    def formulas(self) -> dict[str, str]:
        dZ = "Y * (dY - sum_k dY_k Y_k)"
        return {"Y": self.formula, "slope": self.slope_formula, "dZ": dZ, "dX": dZ}

    def value(self, Z: Array) -> Array:
        xp = namespace(Z)
        E = xp.exp(Z - xp.max(Z, axis=-1, keepdims=True))
        return E / total(E, axis=-1, keepdims=True)

    def slope(self, Z: Array, Y: Array) -> Array:  # noqa: ARG002 -- Y is enough
        """The diagonal of the Jacobian, dy_k/dz_k = y_k (1 - y_k); `backward` uses all of it."""
        return Y * (1 - Y)

    def backward(self, Z: Array, Y: Array, dY: Array) -> Array:  # noqa: ARG002 -- Y is enough
        return Y * (dY - total(dY * Y, axis=-1, keepdims=True))


AnyActivation: TypeAlias = (
    Identity | Sigmoid | Tanh | ScaledTanh | ReLU | LeakyReLU | ELU | SELU | GELU | SiLU | Softplus | Exp | Softmax
)

_BY_NAME: dict[str, type[ActivationFunction]] = {str(cls.__struct_config__.tag): cls for cls in get_args(AnyActivation)}


def names() -> tuple[str, ...]:
    """The names of all activations, in the order of this file."""
    return tuple(_BY_NAME)


def get(activation: str | ActivationFunction, *, where: str = "") -> Any:
    """The activation of that name, or the object itself.

    Raises:
        ArgumentError: for an unknown name or another type.

    >>> get("leaky_relu"), get(LeakyReLU(0.2))
    (LeakyReLU(leak=0.01), LeakyReLU(leak=0.2))
    """
    if isinstance(activation, ActivationFunction):
        return activation
    if not isinstance(activation, str):
        raise ArgumentError("activation", where=where, expected="a name or an activation", got=activation)
    if activation not in _BY_NAME:
        raise unknown_name("activation", activation, _BY_NAME, where=where)
    return _BY_NAME[activation]()


def _logistic(Z: Array) -> Array:
    """1 / (1 + exp(-z)) without overflow: below the floor it is the smallest number that float32 or float64 holds."""
    xp = namespace(Z)
    ceiling = 87.0 if Z.dtype == xp.float32 else 708.0
    return 1 / (1 + xp.exp(xp.minimum(-Z, ceiling)))


def _where(condition: Array, yes: float, no: float, *, like: Array) -> Array:
    xp = namespace(like)
    return xp.where(condition, xp.asarray(yes, dtype=like.dtype), xp.asarray(no, dtype=like.dtype))
