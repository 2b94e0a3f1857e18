"""What is set on the page: one record, which a link holds whole."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from chainrule import activations, checks, initializers, losses, optimizers, schedules
from chainrule.errors import ArgumentError
from chainrule.layers import BatchNorm, Dense, Dropout, LayerNorm
from chainrule.settings import Settings, convert
from chainrule.tables.features import Scaling
from chainrule.tables.task import Task

if TYPE_CHECKING:
    from chainrule.layers import AnyLayer

MOST_LAYERS = 32
MOST_UNITS = 10_000
MOST_EPOCHS = 50_000
_WHERE = "playground"
_LINK = 20_000  # characters


class HiddenLayer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A hidden layer: ``Dense(units, activation)``, then its normalisation, then its dropout.

    Attributes:
        units: how many.
        activation: a name of `chainrule.activations`.
        init: of the weights, a name of `chainrule.initializers`, or ``auto``.
        norm: what stands after it.
        dropout: the share of units dropped in training.
    """

    units: int = 6
    activation: str = "tanh"
    init: str = "auto"
    norm: Literal["none", "batch", "layer"] = "none"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        checks.whole(self.units, "units", where=_WHERE)
        if self.units > MOST_UNITS:
            raise ArgumentError("units", where=_WHERE, expected=f"at most {MOST_UNITS}", got=self.units)
        activations.get(self.activation, where=_WHERE)
        checks.share(self.dropout, "dropout", where=_WHERE)
        if self.init != "auto":
            initializers.get(self.init, where=_WHERE)

    def layers(self) -> tuple[AnyLayer, ...]:
        """The same as the library's own layers."""
        made: list[AnyLayer] = [Dense(self.units, self.activation, init=self.init)]
        if self.norm != "none":
            made.append(BatchNorm() if self.norm == "batch" else LayerNorm())
        if self.dropout:
            made.append(Dropout(self.dropout))
        return tuple(made)


class Setting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a person sets on the page; what is not told here is told in `chainrule.Settings`.

    Attributes:
        data: the name of a table that the session has.
        noise: standard deviation of the normal noise added to every input, after scaling.
        training_share: of the rows; the others are held out.
        layers: the hidden ones.
    """

    data: str = "spirals"
    target: str | None = None
    task: Task = "auto"
    drop: tuple[str, ...] = ()
    scaling: Scaling = "standard"
    noise: float = 0.0
    training_share: float = 0.7
    layers: tuple[HiddenLayer, ...] = (HiddenLayer(units=8), HiddenLayer(units=6))
    loss: str = "auto"
    optimizer: str = "adam"
    lr: float | None = 0.01
    schedule: str = "constant"
    l1: float = 0.0
    l2: float = 0.0
    clip_norm: float = 0.0
    epochs: int = 5000
    batch_size: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.layers) > MOST_LAYERS:
            raise ArgumentError("layers", where=_WHERE, expected=f"at most {MOST_LAYERS}", got=len(self.layers))
        checks.at_least_zero(self.noise, "noise", where=_WHERE)
        if not 0.05 <= self.training_share <= 1:
            expected = "a share from 0.05 to 1"
            raise ArgumentError("training_share", where=_WHERE, expected=expected, got=self.training_share)
        if self.epochs > MOST_EPOCHS:
            raise ArgumentError("epochs", where=_WHERE, expected=f"at most {MOST_EPOCHS}", got=self.epochs)
        if self.optimizer == "lbfgs":
            raise ArgumentError("optimizer", where=_WHERE, expected="one that takes steps which can be taken back")
        self.settings()

    def settings(self) -> Settings:
        """The same as `chainrule.train` takes it; the hidden layers apart, which may differ here."""
        names = ("target", "task", "drop", "scaling", "loss", "optimizer", "lr", "schedule", "l1", "l2", "clip_norm")
        rest = ("epochs", "batch_size", "seed")
        return Settings(**{name: getattr(self, name) for name in (*names, *rest)})

    def hidden(self) -> list[AnyLayer]:
        """The hidden layers as the library's own."""
        return [layer for each in self.layers for layer in each.layers()]

    def needs_restart(self, before: Setting) -> bool:
        """Whether a training under way cannot go on with this one: data or network are others."""
        fixed = ("data", "target", "task", "drop", "scaling", "noise", "training_share", "layers", "loss", "seed")
        return any(getattr(self, name) != getattr(before, name) for name in fixed)

    def link(self) -> str:
        """The setting as a text for an address; see `from_link`."""
        given = {name: value for name, value in msgspec.to_builtins(self).items() if value != _DEFAULTS[name]}
        packed = zlib.compress(msgspec.json.encode(given), 9)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")


_DEFAULTS: dict[str, Any] = msgspec.to_builtins(Setting())


def from_link(text: str) -> Setting:
    """The setting that a link holds.

    Raises:
        ArgumentError: when it holds none, or one that is out of range.

    >>> from_link(Setting(data="moons", seed=3).link()).seed
    3
    """
    if len(text) > _LINK:
        raise ArgumentError("link", where=_WHERE, expected="a link made by the playground", got=text)
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        raw = zlib.decompressobj().decompress(packed, 10 * _LINK)
        given = msgspec.json.decode(raw, type=dict[str, Any])
    except (ValueError, zlib.error, msgspec.DecodeError):
        raise ArgumentError("link", where=_WHERE, expected="a link made by the playground", got=text) from None
    return convert(given, Setting, where=_WHERE)


def adjusted(setting: Setting, given: dict[str, Any]) -> Setting:
    """The setting with these fields in place of its own; what it said of the columns holds for its own table alone.

    Raises:
        ArgumentError: when one of them is unknown or out of range.

    >>> adjusted(Setting(seed=3), {"data": "moons"}).seed
    3
    """
    before = msgspec.to_builtins(setting)
    if given.get("data", setting.data) != setting.data:
        before |= {name: _DEFAULTS[name] for name in ("target", "task", "drop", "loss")}
    return convert(before | given, Setting, where=_WHERE)


class Choices(msgspec.Struct, frozen=True):
    """What there is to choose from, by the library's own names."""

    activations: tuple[str, ...]
    formulas: dict[str, str]
    initializers: tuple[str, ...]
    losses: dict[str, bool]
    """By name, whether it is for classes."""
    optimizers: tuple[str, ...]
    schedules: tuple[str, ...]
    scalings: tuple[str, ...]


def choices() -> Choices:
    """All that the library has, and nothing that it has not."""
    inner = {name: activations.get(name) for name in activations.names()}
    return Choices(
        activations=tuple(name for name, f in inner.items() if f.elementwise),
        formulas={name: f.formula for name, f in inner.items()},
        initializers=("auto", *initializers.NAMES),
        losses={name: losses.get(name).for_classes for name in losses.names()},
        optimizers=tuple(name for name in optimizers.NAMES if name != "lbfgs"),
        schedules=schedules.NAMES,
        scalings=("standard", "minmax", "minmax-matrix", "none"),
    )
