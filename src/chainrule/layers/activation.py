"""An activation on its own, for where it does not belong to a dense layer: after batch norm, after a residual sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import force_setattr

from chainrule import activations
from chainrule.activations import ActivationFunction, AnyActivation
from chainrule.layers.interface import Layer, Mode, Params

if TYPE_CHECKING:
    from chainrule.arrays import Array


class ActivationSaved(NamedTuple):
    """Input ``Z (B, O)`` and output ``Y (B, O)``."""

    Z: Array
    Y: Array


class Activation(Layer, frozen=True, tag="activation"):
    """``Y = f(Z)``; backward ``dZ = dY * f'(Z)`` (for softmax its whole Jacobian).

    Args:
        activation: f, a name or an object of `chainrule.activations`.

    Raises:
        ArgumentError: for an unknown name.

    >>> import chainrule as cr
    >>> cr.Network([cr.Activation("relu")], "mean_squared_error", n_inputs=2).forward([[-1.0, 3.0]]).tolist()
    [[0.0, 3.0]]
    """

    activation: AnyActivation | str

    def __post_init__(self) -> None:
        force_setattr(self, "activation", activations.get(self.activation, where="Activation"))

    @property
    def f(self) -> ActivationFunction:
        """The activation as an object."""
        return self.activation  # type: ignore[return-value] # __post_init__ has made it one

    @property
    def formulas(self) -> dict[str, str]:
        return self.f.formulas

    def forward(self, params: Params, X: Array, mode: Mode) -> tuple[Array, ActivationSaved]:  # noqa: ARG002 -- no weights
        Y = self.f.value(X)
        return Y, ActivationSaved(X, Y)

    def backward(
        self,
        params: Params,  # noqa: ARG002 -- no weights
        saved: ActivationSaved,
        dY: Array,
        *,
        want_dX: bool = True,
    ) -> tuple[Array | None, dict[Any, Any]]:
        return self.f.backward(saved.Z, saved.Y, dY) if want_dX else None, {}
