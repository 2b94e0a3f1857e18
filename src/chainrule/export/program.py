"""A network as a list of operations between named variables: what every generated source is written from.

Variables have the names of the field: ``X`` goes in, ``Z1 = X W1 + b1``, ``Y1 = f(Z1)``, and so on: the numbers count
the layers, those inside of a residual layer too. ``dZ1`` is the derivative of the loss by ``Z1``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.activations import ActivationFunction, Identity
from chainrule.errors import ArgumentError
from chainrule.export.formulas import ACTIVATIONS
from chainrule.export.subject import OWN
from chainrule.layers import Activation, BatchNorm, Dense, Dropout, LayerNorm, Mode, Residual, Sequence
from chainrule.network import Network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.arrays import Floats
    from chainrule.layers import Layer, Parameter, Shape
    from chainrule.layers.composite import Composite


@dataclass(frozen=True, kw_only=True)
class Op:
    """One operation: ``result (B, O)`` from ``source (B, I)``.

    Attributes:
        layer: the name of the layer in the network, ``"dense_1"``.
        number: of the layer, which ends the names of its variables and parameters.
        wanted: whether the derivative by `source` is: whether any layer before this one is trained.
    """

    layer: str
    number: int
    source: str
    result: str
    I: int
    O: int
    wanted: bool = False


@dataclass(frozen=True, kw_only=True)
class Linear(Op):
    """``result = source W + b``.

    Attributes:
        bias: whether there is a b.
        trained: which of W and b are.
    """

    bias: bool
    trained: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Apply(Op):
    """``result = f(source)``.

    Attributes:
        f: the activation.
        fused: whether training takes it together with the loss, from the logits.
    """

    f: ActivationFunction
    fused: bool = False


@dataclass(frozen=True, kw_only=True)
class Drop(Op):
    """``result = source * mask``, in training alone.

    Attributes:
        rate: the share that is dropped.
        stream: which random layer it is.
    """

    rate: float
    stream: int


@dataclass(frozen=True, kw_only=True)
class Normalize(Op):
    """``result = gamma * H + beta``, ``H = (source - mean) / std``.

    Attributes:
        over_rows: whether mean and variance are those of a feature over the rows (batch norm), with running averages
            for prediction; else those of a row over its features (layer norm).
        epsilon: added to the variance.
        momentum: of the running averages.
        trained: which of gamma and beta are.
    """

    over_rows: bool
    epsilon: float
    momentum: float
    trained: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Fork(Op):
    """Here a residual layer begins: `source`, which is `result`, goes into its layers and past them to `total`."""

    total: str


@dataclass(frozen=True, kw_only=True)
class Add(Op):
    """``result = shortcut + source``, where a residual layer ends."""

    shortcut: str


class Constant(NamedTuple):
    """A parameter: its name in a source, ``W1``, of which layer; in the network, ``dense_1.W``, kind and numbers."""

    name: str
    number: int
    full: str
    kind: str
    values: Floats


@dataclass(frozen=True)
class Program:
    """A network written out.

    Attributes:
        network: it.
        ops: in the order of the forward pass; those of training or of prediction alone.
        parameters: in the order of theta.
    """

    network: Network
    ops: tuple[Op, ...]
    parameters: tuple[Constant, ...]

    @property
    def n_inputs(self) -> int:
        """The number of inputs."""
        return self.network.input_shape[0]

    @property
    def n_outputs(self) -> int:
        """The number of outputs."""
        return int(self.network.objective.output_shape[0])

    @property
    def result(self) -> str:
        """The variable of the outputs."""
        return self.ops[-1].result if self.ops else "X"

    @property
    def fused(self) -> bool:
        """Whether the last activation and the loss are taken together."""
        return self.network.objective.fused

    def has(self, kind: type[Op]) -> bool:
        """Whether there is such an operation."""
        return any(isinstance(op, kind) for op in self.ops)


def program(network: Network, *, training: bool) -> Program:
    """The network written out: as it trains, or as it predicts, where dropout does nothing.

    Raises:
        ArgumentError: for a layer that no operation stands for, or an activation without a formula.

    >>> import chainrule as cr
    >>> net = cr.Network([cr.Dense(3, "tanh"), cr.Dense(1)], "mean_squared_error", n_inputs=2)
    >>> [(op.result, op.source) for op in program(net, training=False).ops]
    [('Z1', 'X'), ('Y1', 'Z1'), ('Y2', 'Y1')]
    """
    walk = _Walk(network, training=training)
    walk.layers(Sequence(network.layers), "", network.input_shape, Mode())
    ops = tuple(_wanted(walk.ops))
    if training and network.objective.fused:
        ops = (*ops[:-1], replace(ops[-1], fused=True))  # type: ignore[call-arg] # it is an Apply, says the objective
    return Program(network, ops, tuple(walk.parameters))


def _wanted(ops: list[Op]) -> Iterator[Op]:
    """The operations with `wanted` set."""
    trained_before = False
    for op in ops:
        yield replace(op, wanted=trained_before)
        trained_before = trained_before or bool(getattr(op, "trained", ()))


class _Walk:
    """Goes through the layers in order and notes what each does.

    Attributes:
        ops: so far.
        parameters: so far.
    """

    def __init__(self, network: Network, *, training: bool) -> None:
        self.network, self.training = network, training
        self.ops: list[Op] = []
        self.parameters: list[Constant] = []
        self._number, self._at = 0, "X"

    def layers(self, composite: Composite, prefix: str, shape: Shape, mode: Mode) -> None:
        """Every layer of a composite one."""
        for index, (name, layer, inside) in enumerate(composite.named(shape)):
            own = mode.child(index) if layer.random else mode
            if isinstance(layer, Residual):
                self._residual(layer, prefix + name, inside, own)
                continue
            self._number += 1
            self._layer(layer, prefix + name, inside[0], layer.output_shape(inside)[0], own)

    def _layer(self, layer: Layer, name: str, I: int, O: int, mode: Mode) -> None:
        n = self._number
        where: dict[str, Any] = {"layer": name, "number": n, "source": self._at, "I": I, "O": O}
        if isinstance(layer, Dense):
            self._dense(layer, where)
        elif isinstance(layer, Activation):
            self._apply(where, layer.f)
        elif isinstance(layer, Dropout):
            if self.training and layer.rate:
                self._note(Drop(**where, result=f"Y{n}", rate=layer.rate, stream=mode.stream))
        elif isinstance(layer, BatchNorm | LayerNorm):
            batch = isinstance(layer, BatchNorm)
            trained = self._take(layer.parameters((I,)), name)
            momentum = layer.momentum if isinstance(layer, BatchNorm) else 0.0
            self._note(
                Normalize(
                    **where,
                    result=f"Y{n}",
                    over_rows=batch,
                    epsilon=layer.epsilon,
                    momentum=momentum,
                    trained=trained,
                )
            )
        else:
            message = f"the layer {name}, a {layer.kind}, cannot be exported to source code"
            raise ArgumentError(message, where="export", mend=OWN)

    def _dense(self, layer: Dense, where: dict[str, Any]) -> None:
        n, plain = self._number, isinstance(layer.f, Identity)
        trained = self._take(layer.parameters((where["I"],)), where["layer"])
        self._note(Linear(**where, result=f"Y{n}" if plain else f"Z{n}", bias=layer.bias, trained=trained))
        if not plain:
            self._apply(where | {"source": f"Z{n}", "I": where["O"]}, layer.f)

    def _apply(self, where: dict[str, Any], f: ActivationFunction) -> None:
        if f.elementwise and f.name not in ACTIVATIONS:
            message = f"the activation {f.name} of {where['layer']} cannot be written as source code"
            raise ArgumentError(message, where="export", mend=OWN)
        self._note(Apply(**where, result=f"Y{self._number}", f=f))

    def _residual(self, layer: Residual, name: str, shape: Shape, mode: Mode) -> None:
        shortcut, (I,) = self._at, shape
        begin = len(self.ops)
        self.layers(layer, f"{name}.", shape, mode)
        self._number += 1
        where: dict[str, Any] = {"layer": name, "number": self._number, "I": I, "O": I}
        total = f"Y{self._number}"
        self.ops.insert(begin, Fork(**where, source=shortcut, result=shortcut, total=total))
        self._note(Add(**where, source=self._at, result=total, shortcut=shortcut))

    def _take(self, parameters: tuple[Parameter, ...], layer: str) -> frozenset[str]:
        """Note the parameters of a layer; which of them are trained."""
        for each in parameters:
            full = f"{layer}.{each.name}"
            values = self.network.parameters[full]
            self.parameters.append(Constant(f"{each.name}{self._number}", self._number, full, each.kind, values))
        return frozenset(each.name for each in parameters if each.trainable)

    def _note(self, op: Op) -> None:
        self.ops.append(op)
        self._at = op.result


def layers_of(program: Program) -> list[str]:
    """A line for each layer: its name, its sizes, its activation.

    >>> import chainrule as cr
    >>> net = cr.Network([cr.Dense(3, "tanh"), cr.Dense(1)], "mean_squared_error", n_inputs=2)
    >>> layers_of(program(net, training=False))
    ['dense_1: 2 -> 3, tanh', 'dense_2: 3 -> 1']
    """
    lines: dict[str, list[str]] = {}
    for op in program.ops:
        if isinstance(op, Linear):
            lines[op.layer] = [f"{op.I} -> {op.O}"]
        elif isinstance(op, Apply):
            lines.setdefault(op.layer, []).append(op.f.name)
        elif isinstance(op, Normalize):
            lines[op.layer] = ["over the rows of a batch" if op.over_rows else "over the entries of a row"]
        elif isinstance(op, Drop):
            lines[op.layer] = [f"{op.rate:g}"]
        elif isinstance(op, Add):
            lines[op.layer] = ["what came in is added"]
    return [f"{name}: {', '.join(told)}" for name, told in lines.items()]
