"""What a layer is: a frozen spec that holds no numbers, with `forward` and `backward` as a pair.

`forward` gives the output and a record of what `backward` needs (a NamedTuple, which a trace can print). Both are pure
and use the array-API standard only, so the same lines run on NumPy and under a compiler. `backward` is right next to
any loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias

import msgspec

from chainrule.arrays import Array, hash_int
from chainrule.errors import ArgumentError, ShapeError, unknown_name
from chainrule.initializers import Initializer

if TYPE_CHECKING:
    from collections.abc import Mapping

Shape: TypeAlias = tuple[int, ...]
"""The shape of one row: ``(I,)`` for a vector of I numbers; the batch axis comes before it."""

Params: TypeAlias = "Mapping[Any, Any]"
"""The arrays of a layer by name; those of a composite layer as mappings by the place of the layer inside."""

Kind: TypeAlias = Literal["weight", "bias", "scale", "shift", "state"]


class Parameter(msgspec.Struct, frozen=True):
    """One named array of a layer.

    Attributes:
        name: within the layer, ``"W"``; within a network, ``"dense_1.W"``.
        path: where it stands in nested `Params`: ``("W",)`` within the layer, ``(0, "W")`` within a network.
        kind: penalties and weight decay apply to ``"weight"`` alone; ``"state"`` is kept, not trained.
        trainable: whether gradient descent changes it.
    """

    name: str
    shape: Shape
    kind: Kind
    initial: Initializer
    fan_in: int
    fan_out: int
    trainable: bool = True
    path: tuple[int | str, ...] = ()

    def inside(self, name: str, index: int) -> Parameter:
        """The same parameter as the layer around it, which knows its layer by `name` and `index`, sees it."""
        path = (index, *(self.path or (self.name,)))
        return msgspec.structs.replace(self, name=f"{name}.{self.name}", path=path)


class Mode(NamedTuple):
    """How a forward pass is meant: training or prediction, and what the random layers hash.

    Attributes:
        training: dropout drops and batch norm uses the batch only when true.
        seed: of the run.
        step: of gradient descent, counted over the whole run.
        stream: which random layer asks.
    """

    training: bool = False
    seed: int = 0
    step: int = 0
    stream: int = 0

    def child(self, index: int) -> Mode:
        """The mode for the layer at this place, with a stream of its own."""
        return self._replace(stream=hash_int(self.stream, index + 1))


PREDICTION = Mode()


class Layer(msgspec.Struct, frozen=True, tag_field="layer"):
    """The contract. ``params`` maps the names of `parameters` to arrays.

    Attributes:
        random: whether `forward` draws random numbers in training.
    """

    random: ClassVar[bool] = False

    @property
    def has_modes(self) -> bool:
        """Whether `forward` gives other numbers in training than in prediction."""
        return False

    @property
    def formulas(self) -> dict[str, str]:
        """How its quantities are made, by name, in the notation of the docstrings; for explanations."""
        return {}

    def elementary(self) -> tuple[Layer, ...]:
        """The same function as simpler layers one after the other, all with these parameters; for explanations."""
        return (self,)

    @property
    def kind(self) -> str:
        """The word that names it in a network: ``"dense"`` gives ``"dense_1"``."""
        return str(type(self).__struct_config__.tag)

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of a row that comes out when rows of this shape go in.

        Raises:
            ShapeError: when such rows cannot go in.
        """
        return shape

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:  # noqa: ARG002 -- most layers without weights
        """The arrays that the layer needs for rows of this shape, in the order of theta."""
        return ()

    def forward(self, params: Params, X: Array, mode: Mode) -> tuple[Array, Any]:
        """``X (B, I) -> Y (B, O)`` and the record that `backward` needs."""
        raise NotImplementedError

    def backward(
        self, params: Params, saved: Any, dY: Array, *, want_dX: bool = True
    ) -> tuple[Array | None, dict[Any, Any]]:
        """``dY (B, O) -> dX (B, I)`` and the gradient of each trained parameter, by name.

        ``dX`` is None unless wanted: nobody asks the first layer for it, and it may cost as much as all the rest.
        """
        raise NotImplementedError

    def new_state(self, params: Params, saved: Any) -> dict[Any, Any]:  # noqa: ARG002 -- most layers have none
        """The state after this batch, by name: what is kept, not trained (batch norm's running averages)."""
        return {}


def frozen_names(frozen: object, known: tuple[str, ...], *, where: str) -> tuple[str, ...]:
    """The parameters that training leaves as they are, from one name or several.

    Raises:
        ArgumentError: for a name that the layer does not have.
    """
    names = (frozen,) if isinstance(frozen, str) else frozen
    if not isinstance(names, list | tuple | set | frozenset):
        raise ArgumentError("frozen", where=where, expected=f"names out of {', '.join(known)}", got=frozen)
    for name in names:
        if name not in known:
            raise unknown_name("parameter", name, known, where=f"{where}: frozen")
    return tuple(name for name in known if name in names)


def vector_size(layer: Layer, shape: Shape) -> int:
    """The number of inputs of a layer that takes vectors.

    Raises:
        ShapeError: when a row is not a vector.
    """
    if len(shape) != 1:
        raise ShapeError("input", where=layer.kind, expected="rows that are vectors", got=shape)
    return shape[0]
