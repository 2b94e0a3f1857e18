"""Layers made of layers: one after the other, and around a shortcut."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from msgspec.structs import force_setattr

from chainrule.errors import ArgumentError, ShapeError
from chainrule.layers.activation import Activation
from chainrule.layers.dense import Dense
from chainrule.layers.dropout import Dropout
from chainrule.layers.interface import Layer, Mode, Parameter, Params, Shape
from chainrule.layers.normalization import BatchNorm, LayerNorm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.arrays import Array


class Composite(Layer, frozen=True):
    """What is made of layers: names and parameters of those inside.

    Layers are named by their kind and their place among that kind: ``dense_1``, ``dropout_1``, ``dense_2``.
    """

    layers: tuple[AnyLayer, ...] = ()
    random: ClassVar[bool] = True

    def __post_init__(self) -> None:
        layers = tuple(self.layers) if isinstance(self.layers, list | tuple) else (self.layers,)
        for layer in layers:
            if not isinstance(layer, Layer):
                raise ArgumentError("layers", where=self.kind, expected="layers such as Dense(10, 'relu')", got=layer)
        force_setattr(self, "layers", layers)

    @property
    def has_modes(self) -> bool:
        return any(layer.has_modes for layer in self.layers)

    def named(self, shape: Shape) -> Iterator[tuple[str, Layer, Shape]]:
        """Each layer with its name and the shape of the rows that go into it."""
        seen: Counter[str] = Counter()
        for layer in self.layers:
            seen[layer.kind] += 1
            yield f"{layer.kind}_{seen[layer.kind]}", layer, shape
            shape = layer.output_shape(shape)

    def output_shape(self, shape: Shape) -> Shape:
        for layer in self.layers:
            shape = layer.output_shape(shape)
        return shape

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        return tuple(
            parameter.inside(name, index)
            for index, (name, layer, inside) in enumerate(self.named(shape))
            for parameter in layer.parameters(inside)
        )

    def _forward(self, params: Params, X: Array, mode: Mode) -> tuple[Array, tuple[Any, ...]]:
        kept = []
        for index, layer in enumerate(self.layers):
            own = mode.child(index) if layer.random and mode.training else mode
            X, saved = layer.forward(params.get(index, _NONE), X, own)
            kept.append(saved)
        return X, tuple(kept)

    def _backward(
        self, params: Params, saved: tuple[Any, ...], dY: Array, *, want_dX: bool
    ) -> tuple[Array | None, dict[Any, Any]]:
        grads = {}
        d: Array | None = dY
        for index in reversed(range(len(self.layers))):
            own = params.get(index, _NONE)
            d, grads[index] = self.layers[index].backward(own, saved[index], d, want_dX=want_dX or index > 0)
        return d, grads

    def new_state(self, params: Params, saved: Any) -> dict[Any, Any]:
        states = (
            (index, layer.new_state(params.get(index, _NONE), saved[index])) for index, layer in enumerate(self.layers)
        )
        return {index: state for index, state in states if state}


class Sequence(Composite, frozen=True, tag="sequence"):
    """The layers one after the other; backward goes in reverse, each layer handing its ``dX`` to the one before."""

    def forward(self, params: Params, X: Array, mode: Mode) -> tuple[Array, tuple[Any, ...]]:
        return self._forward(params, X, mode)

    def backward(
        self, params: Params, saved: tuple[Any, ...], dY: Array, *, want_dX: bool = True
    ) -> tuple[Array | None, dict[Any, Any]]:
        return self._backward(params, saved, dY, want_dX=want_dX)


class Residual(Composite, frozen=True, tag="residual"):
    """``Y = X + F(X)``, with F the layers inside; ``dX = dY + (dF/dX)^T dY``: the gradient has a way past them.

    He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition" (2016), eq. 1.

    Args:
        layers: what F is made of; its outputs are as many as its inputs.

    Raises:
        ArgumentError: when there are no layers, or something else is among them.
        ShapeError: once the inputs are known, when the outputs are not as many.

    >>> import chainrule as cr
    >>> block = cr.Residual((cr.Dense(2, init="zeros"),))
    >>> cr.Network([block], "mean_squared_error", n_inputs=2).forward([[1.0, 3.0]]).tolist()
    [[1.0, 3.0]]
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.layers:
            raise ArgumentError("layers", where=self.kind, expected="at least one layer", got=())

    @property
    def formulas(self) -> dict[str, str]:
        return {"Y": "X + F(X)", "dX": "dY + dF"}

    def output_shape(self, shape: Shape) -> Shape:
        out = super().output_shape(shape)
        if out != shape:
            raise ShapeError(
                "layers inside",
                where=self.kind,
                expected=f"outputs of the shape of the inputs {shape}",
                got=out,
                mend=f"End with a layer of {shape[-1]} units.",
            )
        return shape

    def forward(self, params: Params, X: Array, mode: Mode) -> tuple[Array, tuple[Any, ...]]:
        F, saved = self._forward(params, X, mode)
        return X + F, saved

    def backward(
        self, params: Params, saved: tuple[Any, ...], dY: Array, *, want_dX: bool = True
    ) -> tuple[Array | None, dict[Any, Any]]:
        dX, grads = self._backward(params, saved, dY, want_dX=want_dX)
        return dY + dX if want_dX else None, grads


AnyLayer: TypeAlias = Dense | Dropout | BatchNorm | LayerNorm | Activation | Residual

_NONE: Params = {}
