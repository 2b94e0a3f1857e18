"""The fully connected layer."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from msgspec.structs import force_setattr, replace

from chainrule import activations, checks, initializers
from chainrule.activations import ActivationFunction, AnyActivation, Identity
from chainrule.arrays import Array, total
from chainrule.initializers import AnyInitializer
from chainrule.layers.activation import Activation
from chainrule.layers.interface import Layer, Mode, Parameter, Params, Shape, frozen_names, vector_size


class DenseSaved(NamedTuple):
    """What the forward pass of a dense layer keeps: input ``X (B, I)``, net input ``Z (B, O)``, output ``Y (B, O)``."""

    X: Array
    Z: Array
    Y: Array


class Dense(Layer, frozen=True, tag="dense"):
    """``Y = f(X W + b)``, with ``W (I, O)``, ``b (O,)`` and f applied to each row.

    Backward, from ``dY (B, O)``::

        dZ = dY * f'(Z)      (B, O)   the layer's delta
        dW = X^T dZ          (I, O)
        db = sum over B: dZ  (O,)
        dX = dZ W^T          (B, I)

    Args:
        units: the number of outputs O.
        activation: f, a name or an object of `chainrule.activations`.
        bias: whether there is a b.
        init: how W begins: a name, an object of `chainrule.initializers`, an array, or ``"auto"``: what suits f.
        bias_init: how b begins.
        frozen: the parameters that training leaves as they are: ``("b",)``, ``("W", "b")``.

    Raises:
        ArgumentError: when an argument is none of these.

    >>> Dense(3, "tanh").output_shape((4,))
    (3,)
    """

    units: int
    activation: AnyActivation | str = Identity()
    bias: bool = True
    init: AnyInitializer | str = "auto"
    bias_init: AnyInitializer | str = initializers.Zeros()
    frozen: tuple[str, ...] = ()

    PARAMETERS: ClassVar[tuple[str, ...]] = ("W", "b")

    def __post_init__(self) -> None:
        force_setattr(self, "units", checks.whole(self.units, "units", where="Dense"))
        checks.settle_flag(self, "bias")
        force_setattr(self, "frozen", frozen_names(self.frozen, self.PARAMETERS, where="Dense"))
        force_setattr(self, "activation", activations.get(self.activation, where="Dense"))
        force_setattr(self, "bias_init", initializers.get(self.bias_init, where="Dense: bias_init"))
        if not (isinstance(self.init, str) and self.init == "auto"):  # an array has an == of its own
            force_setattr(self, "init", initializers.get(self.init, where="Dense: init"))

    @property
    def f(self) -> ActivationFunction:
        """The activation as an object."""
        return self.activation  # type: ignore[return-value] # __post_init__ has made it one

    @property
    def formulas(self) -> dict[str, str]:
        Z = "X W + b" if self.bias else "X W"
        return self.f.formulas | {"Z": Z, "dW": "X^T dZ", "db": "sum_i dZ_i", "dX": "dZ W^T"}

    def elementary(self) -> tuple[Layer, ...]:
        """``Z = X W + b``, then ``Y = f(Z)``."""
        return (replace(self, activation=Identity(), init="auto"), Activation(self.activation))

    def output_shape(self, shape: Shape) -> Shape:
        vector_size(self, shape)
        return (self.units,)

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        I, O = vector_size(self, shape), self.units
        init = initializers.for_activation(self.f.name) if self.init == "auto" else initializers.get(self.init)
        W = Parameter("W", (I, O), "weight", init, I, O, trainable="W" not in self.frozen)
        b = Parameter("b", (O,), "bias", initializers.get(self.bias_init), I, O, trainable="b" not in self.frozen)
        return (W, b) if self.bias else (W,)

    def forward(self, params: Params, X: Array, mode: Mode) -> tuple[Array, DenseSaved]:  # noqa: ARG002 -- training or not, it is the same
        Z = X @ params["W"]
        if self.bias:
            Z += params["b"]
        Y = self.f.value(Z)
        return Y, DenseSaved(X, Z, Y)

    def backward(
        self, params: Params, saved: DenseSaved, dY: Array, *, want_dX: bool = True
    ) -> tuple[Array | None, dict[Any, Any]]:
        X, Z, Y = saved
        dZ = self.f.backward(Z, Y, dY)
        grads = {}
        if "W" not in self.frozen:
            grads["W"] = X.T @ dZ
        if self.bias and "b" not in self.frozen:
            grads["b"] = total(dZ, axis=0)
        return dZ @ params["W"].T if want_dX else None, grads
