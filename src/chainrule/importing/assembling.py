"""Steps become layers: scalings are folded into the dense layer beside them, activations go to the one before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from msgspec.structs import replace

from chainrule.errors import ArgumentError, ShapeError
from chainrule.importing.steps import Affine, Numbers, Source, Step, flat, reading
from chainrule.layers import Activation, AnyLayer, BatchNorm, Dense, LayerNorm, Residual, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Sequence as Sequence_

    from chainrule.layers import Shape
    from chainrule.layers.composite import Composite


_WIDEST = 4096  # features of a scaling that becomes a dense layer: 128 MB
_FOLDED = "folded into {0}.W and {0}.b"
_FOLDED_NORM = "folded into {0}.gamma and {0}.beta"


class Place(NamedTuple):
    """Where the values of a step stand here: the layer by its index (and that inside it), its net input or output."""

    layer: tuple[int, ...]
    part: Literal["Z", "Y"] = "Y"


@dataclass
class Piece:
    """A layer to be, with its numbers in float64, and the pieces inside it."""

    layer: AnyLayer
    numbers: dict[str, Numbers] = field(default_factory=dict)
    inside: list[Piece] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """The layers and what became of each step.

    Attributes:
        pieces: the layers, from the inputs on.
        n_inputs: I.
        dtype: of all numbers.
        places: of each step; None where its values stand nowhere.
        became: of each step, in words.
        first: the scaling of the inputs, if there is one.
    """

    pieces: tuple[Piece, ...]
    n_inputs: int
    dtype: str
    places: tuple[Place | None, ...]
    became: tuple[str, ...]
    first: Affine | None

    @property
    def layers(self) -> tuple[AnyLayer, ...]:
        """The layers alone."""
        return tuple(piece.layer for piece in self.pieces)

    def numbers(self, path: Sequence_[int | str]) -> Numbers:
        """A parameter by its path: indices of layers, and its name."""
        *places, name = path
        piece = Piece(self.pieces[0].layer, inside=list(self.pieces))
        for place in places:
            piece = piece.inside[int(place)]
        return piece.numbers[str(name)]


def assemble(source: Source) -> Assembly:
    """Make layers of the steps.

    Raises:
        ArgumentError: when there is nothing to compute, or the numbers are of several types.
        ShapeError: when the steps do not fit together.
    """
    dtype, n_inputs = _dtype(source), _n_inputs(source)
    assembler = _Assembler(source.where, n_inputs)
    assembler.take_all(source.steps)
    steps = range(len(list(flat(source.steps))))
    assembler.places.setdefault(steps[-1], Place((len(assembler.pieces) - 1,)))
    names = dict(_named(Sequence(tuple(piece.layer for piece in assembler.pieces)), (n_inputs,)))
    return Assembly(
        pieces=tuple(assembler.pieces),
        n_inputs=n_inputs,
        dtype=dtype,
        places=tuple(assembler.places.get(index) for index in steps),
        became=tuple(assembler.words(index, names) for index in steps),
        first=assembler.first,
    )


def _named(
    composite: Composite, shape: Shape, path: tuple[int, ...] = (), at: str = ""
) -> Iterator[tuple[tuple[int, ...], str]]:
    """The name of each layer by its path."""
    for index, (name, layer, inside) in enumerate(composite.named(shape)):
        yield (*path, index), f"{at}{name}"
        if isinstance(layer, Residual):
            yield from _named(layer, inside, (*path, index), f"{at}{name}.")


class _Assembler:
    """What has been made so far; a scaling waits until it is known which dense layer it is folded into.

    Args:
        where: for messages.
        width: of the rows.
        path: of the layer inside which this is.
        known: how many steps were taken before.
    """

    def __init__(self, where: str, width: int, path: tuple[int, ...] = (), known: int = 0) -> None:
        self.where, self.width, self.known, self._path = where, width, known, path
        self.pieces: list[Piece] = []
        self.places: dict[int, Place] = {}
        self.first: Affine | None = None
        self._became: dict[int, tuple[tuple[int, ...], str]] = {}  # of a step: a layer, and a sentence with its name
        self._waiting: Affine | None = None
        self._waiting_steps: list[int] = []

    def take_all(self, steps: Iterable[Step]) -> None:
        """Add these steps, and whatever waits in the end."""
        for step in steps:
            if step.inside:
                self._add_around(step)
            else:
                self._take(self.known, step)
            self.known += 1
        self.settle()

    def _take(self, index: int, step: Step) -> None:
        if step.becomes is None:
            if self.pieces and self._waiting is None:
                self.places[index] = self._here
        elif isinstance(step.becomes, Affine):
            self._scale(index, _spread(step.becomes, self.width, step.name, self.where))
        elif isinstance(step.becomes, Activation) and self._waiting is None and self._last_is_linear:
            self._activate(step.becomes)
            self._place(index, f"{{}}: {step.becomes.f.name}")
        else:
            self._add(index, step, step.becomes)

    def words(self, index: int, names: dict[tuple[int, ...], str]) -> str:
        """What became of a step."""
        if index not in self._became:
            return "nothing: it changes no row"
        layer, sentence = self._became[index]
        return sentence.format(names[layer])

    @property
    def _here(self) -> Place:
        return Place((*self._path, len(self.pieces) - 1))

    @property
    def _last_is_linear(self) -> bool:
        last = self.pieces[-1].layer if self.pieces else None
        return isinstance(last, Dense) and last.f.name == "identity"

    def _place(self, index: int, sentence: str) -> None:
        self.places[index] = self._here
        self._became[index] = (self._here.layer, sentence)

    def _activate(self, activation: Activation) -> None:
        """Give the last layer, which has none, an activation: what stood in its output is its net input now."""
        last = self.pieces[-1]
        last.layer = replace(last.layer, activation=activation.activation)
        outputs = [index for index, known in self.places.items() if known == self._here]
        self.places.update(dict.fromkeys(outputs, self._here._replace(part="Z")))

    def _scale(self, index: int, scaling: Affine) -> None:
        """Fold a scaling into a dense layer or a norm before it, or let it wait for the next."""
        if self._waiting is None and self._fold_back(scaling):
            self.places = {known: place for known, place in self.places.items() if place != self._here}
            self._place(index, _FOLDED if isinstance(self.pieces[-1].layer, Dense) else _FOLDED_NORM)
            return
        self._waiting = scaling if self._waiting is None else self._waiting.then(scaling)
        self._waiting_steps.append(index)
        if not self.pieces:
            self.first = self._waiting

    def _fold_back(self, scaling: Affine) -> bool:
        """``(X W + b) * factor + shift = X (W factor) + (b factor + shift)``; of a norm, gamma is W and beta is b."""
        last = self.pieces[-1] if self.pieces else None
        if last is None or not (self._last_is_linear or isinstance(last.layer, BatchNorm | LayerNorm)):
            return False
        W, b = ("W", "b") if isinstance(last.layer, Dense) else ("gamma", "beta")
        last.numbers[W] = last.numbers[W] * scaling.factor
        last.numbers[b] = last.numbers.get(b, np.zeros(self.width)) * scaling.factor + scaling.shift
        if isinstance(last.layer, Dense):
            last.layer = replace(last.layer, bias=True)
        return True

    def _fold_forward(self, layer: Dense, numbers: dict[str, Numbers]) -> Dense:
        """``(X * factor + shift) W + b = X (factor W) + (shift W + b)``."""
        factor, shift = self._take_waiting(_FOLDED)
        numbers["b"] = numbers.get("b", np.zeros(layer.units)) + shift @ numbers["W"]
        numbers["W"] = factor[:, None] * numbers["W"]
        return replace(layer, bias=True)

    def settle(self) -> None:
        """A scaling that no dense layer stands beside becomes one of its own, which training leaves as it is."""
        if self._waiting is None:
            return
        last = self._waiting_steps[-1]
        if self.width > _WIDEST:
            what = f"a scaling of {self.width:,} features beside no dense layer would become a far larger dense layer"
            raise ArgumentError(what, where=self.where, mend="Leave it out there, and scale the rows before.")
        factor, shift = self._take_waiting("{}, a layer of its own")
        self.pieces.append(Piece(Dense(self.width, frozen=("W", "b")), {"W": np.diag(factor), "b": shift}))
        self.places[last] = self._here

    def _take_waiting(self, sentence: str) -> Affine:
        """The scaling that waits, for the layer that comes next."""
        waiting = self._waiting
        assert waiting is not None  # noqa: S101 -- both callers have asked
        self._became.update(dict.fromkeys(self._waiting_steps, ((*self._path, len(self.pieces)), sentence)))
        self._waiting, self._waiting_steps = None, []
        return waiting

    def _add(self, index: int, step: Step, layer: AnyLayer) -> None:
        numbers = {name: values.astype(np.float64) for name, values in step.numbers.items()}
        self._check(step, layer, numbers)
        if self._waiting is not None and isinstance(layer, Dense):
            layer = self._fold_forward(layer, numbers)
        self.settle()
        self.pieces.append(Piece(layer, numbers))
        self._place(index, "{}")
        (self.width,) = layer.output_shape((self.width,))

    def _add_around(self, step: Step) -> None:
        """A shortcut past steps: ``Y = X + F(X)``."""
        self.settle()
        inner = _Assembler(self.where, self.width, (*self._path, len(self.pieces)), self.known)
        inner.take_all(step.inside)
        self.known = inner.known
        with reading(step.name, self.where):
            layer = Residual(tuple(piece.layer for piece in inner.pieces))
            layer.output_shape((self.width,))
        self.pieces.append(Piece(layer, inside=inner.pieces))
        self.places |= inner.places
        self._became |= inner._became
        self._place(self.known, "{}")

    def _check(self, step: Step, layer: AnyLayer, numbers: dict[str, Numbers]) -> None:
        """Raise unless the numbers have the shapes that this layer has for rows of this width."""
        for parameter in layer.parameters((self.width,)):
            got = numbers[parameter.name].shape if parameter.name in numbers else "nothing"
            if got != parameter.shape:
                expected = f"shape {parameter.shape}"
                raise ShapeError(f"{step.name}: {parameter.name}", where=self.where, expected=expected, got=got)


def _spread(scaling: Affine, width: int, name: str, where: str) -> Affine:
    """The scaling with a number for each feature.

    Raises:
        ShapeError: when it has another number of them.
    """
    factor, shift = (np.asarray(part, np.float64).reshape(-1) for part in scaling)
    if {len(factor), len(shift)} - {1, width}:
        got = max(len(factor), len(shift))
        raise ShapeError(name, where=where, expected=f"a number for each of {width} features", got=got)
    return Affine(np.broadcast_to(factor, width), np.broadcast_to(shift, width))


def _arrays(source: Source) -> Iterator[Numbers]:
    for step in flat(source.steps):
        yield from step.numbers.values()


def _dtype(source: Source) -> str:
    found = sorted({array.dtype.name for array in _arrays(source)})
    if not found:
        raise ArgumentError("there is no layer with weights in it", where=source.where)
    if len(found) > 1:
        raise ArgumentError("all numbers of one type", where=source.where, mend=f"These are of {' and '.join(found)}.")
    return str(found[0])


def _n_inputs(source: Source) -> int:
    """I: what the source says, or what the first of its layers that knows it takes.

    Raises:
        ShapeError: when it says more than there are numbers to take them: they would only cost memory.
    """
    if source.n_inputs is not None:
        numbers = sum(array.size for array in _arrays(source))
        if source.n_inputs > numbers:
            expected = f"at most one for each of its {numbers:,} numbers"
            raise ShapeError("its inputs", where=source.where, expected=expected, got=source.n_inputs)
        return source.n_inputs
    for step in flat(source.steps):
        if isinstance(step.becomes, Dense | BatchNorm | LayerNorm):
            return len(next(iter(step.numbers.values())))
        if isinstance(step.becomes, Affine) and step.becomes.factor.size > 1:
            return int(step.becomes.factor.size)
    raise ArgumentError("there is no layer with weights in it", where=source.where)
