"""The objective: layers, loss and penalties as one function of the flat parameter vector theta.

L(theta) = loss(network(X; theta), T) + l1 sum |w| + l2/2 sum w^2,   the sums over the weights, not over biases.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from msgspec.structs import replace

from chainrule import checks
from chainrule.arrays import Array, namespace
from chainrule.layers import PREDICTION, Activation, Dense, Mode, Params, Sequence, Shape
from chainrule.losses import Loss
from chainrule.parameters import Layout


class Step(NamedTuple):
    """``L(theta) = loss + penalty``, ``gradient = dL/dtheta (P,)``, and what the forward pass saved."""

    loss: Array
    penalty: Array
    gradient: Array
    saved: Any


@dataclass(frozen=True, eq=False)
class Objective:
    """What is minimised, for rows of a known shape; it holds no numbers.

    Attributes:
        network: the layers as the person gave them.
        loss: as the person gave it.
        input_shape: of one row, ``(I,)``.
        l1: factor of the sum of absolute weights.
        l2: factor of half the sum of squared weights.
    """

    network: Sequence
    loss: Loss
    input_shape: Shape
    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        for name in ("l1", "l2"):
            checks.at_least_zero(getattr(self, name), name, where="Network")

    @cached_property
    def layout(self) -> Layout:
        """Where each parameter stands in theta."""
        return Layout(self.network.parameters(self.input_shape))

    @cached_property
    def output_shape(self) -> Shape:
        """The shape of one row of outputs, ``(O,)``."""
        return self.network.output_shape(self.input_shape)

    @cached_property
    def fused(self) -> bool:
        """Whether the last activation and the loss are computed as one, from the logits (softmax + cross-entropy)."""
        last = self.network.layers[-1] if self.network.layers else None
        return (
            bool(self.loss.fuses_with) and isinstance(last, Dense | Activation) and last.f.name == self.loss.fuses_with
        )

    @cached_property
    def trained(self) -> tuple[Sequence, Loss]:
        """The layers and the loss that training runs: those given, or the fused pair in place of the last two."""
        if not self.fused:
            return self.network, self.loss
        *before, last = self.network.layers
        return Sequence((*before, replace(last, activation="identity"))), self.loss.fused()

    def predict(self, params: Params, X: Array) -> Array:
        """The outputs ``Y (B, O)``."""
        Y, _ = self.network.forward(params, X, PREDICTION)
        return Y

    def data_term(
        self, params: Params, X: Array, T: Array, weights: Array | None = None, mode: Mode = PREDICTION
    ) -> tuple[Array, dict[Any, Any], Any]:
        """The loss without penalties, its gradients nested as `params` is, and what the forward pass saved."""
        layers, loss = self.trained
        Y, saved = layers.forward(params, X, mode)
        value, dY = loss.value_and_gradient(Y, T, weights)
        _, grads = layers.backward(params, saved, dY, want_dX=False)
        return value, grads, saved

    def evaluate(self, params: Params, X: Array, T: Array, weights: Array | None = None) -> tuple[Array, Array]:
        """The loss without penalties and the outputs ``Y (B, O)``, in prediction mode, from one forward pass."""
        layers, loss = self.trained
        Z, _ = layers.forward(params, X, PREDICTION)
        value, _ = loss.value_and_gradient(Z, T, weights)
        return value, self.outputs(Z)

    def outputs(self, Z: Array) -> Array:
        """The outputs ``Y`` from what the trained layers give: the last activation, where it is fused with the loss."""
        last = self.network.layers[-1]
        return last.f.value(Z) if self.fused and isinstance(last, Dense | Activation) else Z

    @property
    def penalised(self) -> bool:
        """Whether there is any penalty."""
        return self.l1 > 0 or self.l2 > 0

    def penalty(self, theta: Array) -> tuple[Array, Array]:
        """``l1 sum |w| + l2/2 sum w^2`` over the weights, and its gradient ``(P,)``, 0 for frozen ones; sign(0) = 0."""
        xp = namespace(theta)
        dtype = str(theta.dtype)
        w = theta * xp.asarray(self.layout.weights(dtype))
        value, slope = 0.5 * self.l2 * xp.sum(w * w), self.l2 * w
        if self.l1 > 0:
            value, slope = self.l1 * xp.sum(xp.abs(w)) + value, self.l1 * xp.sign(w) + slope
        return value, slope if self.layout.all_trainable else slope * xp.asarray(self.layout.trainable(dtype))

    def step(self, theta: Array, params: Params, batch: tuple[Array, Array, Array | None], mode: Mode) -> Step:
        """What a step of gradient descent needs, loss and penalty apart.

        Args:
            theta: ``(P,)``.
            params: theta as layers take it, see `Layout.split`.
            batch: X, T and the weights of the rows.
            mode: training or prediction.
        """
        loss, grads, saved = self.data_term(params, *batch, mode)
        gradient = self.layout.join(grads, theta)
        if not self.penalised:
            return Step(loss, 0.0, gradient, saved)
        penalty, slope = self.penalty(theta)
        return Step(loss, penalty, gradient + slope, saved)

    def value_and_gradient(
        self, theta: Array, X: Array, T: Array, weights: Array | None = None, mode: Mode = PREDICTION
    ) -> tuple[Array, Array]:
        """``L(theta)`` and ``dL/dtheta (P,)``; 0 for what is frozen or not trained."""
        step = self.step(theta, self.layout.split(theta), (X, T, weights), mode)
        return step.loss + step.penalty, step.gradient
