"""What is set on the page: one record, which a link holds whole."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Any

import msgspec

from chainrule import activations, checks, initializers, losses, optimizers, schedules
from chainrule.activations import AnyActivation, Identity
from chainrule.arrays import DType
from chainrule.errors import ArgumentError
from chainrule.layers import Activation, Dense, Dropout, Residual
from chainrule.optimizers import LBFGS, AnyOptimizer
from chainrule.playground.records import Chosen, Field, forms, made, name_of, options_of, schedule_of
from chainrule.settings import Settings, convert
from chainrule.tables.features import Scaling
from chainrule.tables.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainrule.layers import AnyLayer

MOST_LAYERS = 32
MOST_UNITS = 10_000
MOST_EPOCHS = 50_000
_WHERE = "playground"
_LINK = 20_000  # characters
_GOES_ON = frozenset({"optimizer", "lr", "schedule", "l1", "l2", "epochs", "batch_size"})  # with the same network


class DenseLayer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be said of any dense layer, as `chainrule.Dense` takes it.

    Attributes:
        activation: of `chainrule.activations`; of the last layer ``auto``: what suits the loss.
        bias: whether it has one.
        frozen: parameters that training leaves as they are.
        init: of the weights, of `chainrule.initializers`, or ``auto``; `bias_init` of the bias.
    """

    activation: Chosen = "auto"
    bias: bool = True
    frozen: tuple[str, ...] = ()
    init: Chosen = "auto"
    bias_init: Chosen = "zeros"

    def __post_init__(self) -> None:
        self.dense(1, Identity())

    def dense(self, units: int, auto: AnyActivation | str) -> Dense:
        """The same as the library's own; `auto` is the activation where none was chosen."""
        f: AnyActivation | str = auto if self.activation == "auto" else made("activation", self.activation)
        init = "auto" if self.init == "auto" else made("initializer", self.init)
        bias_init = made("initializer", self.bias_init)
        return Dense(units, f, bias=self.bias, init=init, bias_init=bias_init, frozen=self.frozen)


class HiddenLayer(DenseLayer, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A hidden layer: ``Dense(units, activation)``, then its normalisation, then its dropout.

    Attributes:
        units: how many.
        norm: what stands after it.
        norm_first: whether that stands before the activation.
        dropout: the share of units dropped in training.
        shortcut: past how many layers, of which this is the last, a residual connection leads; 0: there is none.
    """

    units: int = 6
    activation: Chosen = "tanh"
    norm: Chosen = "none"
    norm_first: bool = False
    dropout: float = 0.0
    shortcut: int = 0

    def __post_init__(self) -> None:
        checks.whole(self.units, "units", where=_WHERE)
        if self.units > MOST_UNITS:
            raise ArgumentError("units", where=_WHERE, expected=f"at most {MOST_UNITS}", got=self.units)
        checks.share(self.dropout, "dropout", where=_WHERE)
        checks.whole(self.shortcut, "shortcut", where=_WHERE, least=0)
        self.layers()

    def layers(self) -> tuple[AnyLayer, ...]:
        """The same as the library's own layers, without the shortcut."""
        dense = self.dense(self.units, made("activation", self.activation))
        made_of: list[AnyLayer] = [dense]
        if self.norm != "none":
            made_of.append(made("norm", self.norm))
        if self.norm_first and self.norm != "none":
            made_of[0] = msgspec.structs.replace(dense, activation=Identity(), init=self._init(dense))
            made_of.append(Activation(dense.activation))
        if self.dropout:
            made_of.append(Dropout(self.dropout))
        return tuple(made_of)

    def _init(self, dense: Dense) -> Any:
        """Initial weights suit the activation, wherever it stands."""
        return initializers.for_activation(dense.f.name) if self.init == "auto" else dense.init


def stack(layers: Iterable[HiddenLayer]) -> list[AnyLayer]:
    """The hidden layers as the library's own, those that a shortcut passes inside of a `Residual`.

    Raises:
        ArgumentError: when a shortcut begins before the first layer or inside of another one.

    >>> [type(layer).__name__ for layer in stack([HiddenLayer(), HiddenLayer(shortcut=1)])]
    ['Dense', 'Residual']
    """
    groups: list[tuple[int, tuple[AnyLayer, ...]]] = []  # how many layers of the page each is, and what it is made of
    for layer in layers:
        groups.append((1, layer.layers()))
        inside: list[tuple[int, tuple[AnyLayer, ...]]] = []
        while sum(count for count, _ in inside) < layer.shortcut and groups:
            inside.insert(0, groups.pop())
        passed = sum(count for count, _ in inside)
        if passed != layer.shortcut:
            expected = "a beginning at a layer that is there, and not inside of another shortcut"
            raise ArgumentError("shortcut", where=_WHERE, expected=expected, got=layer.shortcut)
        if inside:
            groups.append((passed, (Residual(tuple(each for _, group in inside for each in group)),)))
    return [layer for _, group in groups for layer in group]


class Setting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a person sets on the page; what is not told here is told in `chainrule.Settings`.

    Attributes:
        data: the name of a table that the session has.
        noise: standard deviation of the normal noise added to every input, after scaling.
        training_share: of the rows; the others are held out.
        layers: the hidden ones.
        output: the last one.
        start: parameters that begin as these numbers, by name.
    """

    data: str = "spirals"
    target: str | None = None
    task: Task = "auto"
    drop: tuple[str, ...] = ()
    scaling: Scaling = "standard"
    noise: float = 0.0
    training_share: float = 0.7
    layers: tuple[HiddenLayer, ...] = (HiddenLayer(units=8), HiddenLayer(units=6))
    output: DenseLayer = DenseLayer()
    start: dict[str, Any] = {}
    loss: Chosen = "auto"
    optimizer: Chosen = "adam"
    lr: float | None = 0.01
    schedule: Chosen = "constant"
    l1: float = 0.0
    l2: float = 0.0
    epochs: int = 5000
    batch_size: int = 32
    seed: int = 0
    dtype: DType = "float32"

    def __post_init__(self) -> None:
        if len(self.layers) > MOST_LAYERS:
            raise ArgumentError("layers", where=_WHERE, expected=f"at most {MOST_LAYERS}", got=len(self.layers))
        checks.at_least_zero(self.noise, "noise", where=_WHERE)
        if not 0.05 <= self.training_share <= 1:
            expected = "a share from 0.05 to 1"
            raise ArgumentError("training_share", where=_WHERE, expected=expected, got=self.training_share)
        if self.epochs > MOST_EPOCHS:
            raise ArgumentError("epochs", where=_WHERE, expected=f"at most {MOST_EPOCHS}", got=self.epochs)
        if self.loss != "auto":
            made("loss", self.loss)
        self.settings()
        self.make_optimizer()
        self.hidden()

    def settings(self) -> Settings:
        """The same as `chainrule.train` takes it, by names; layers and options apart, which it has no words for."""
        names = ("target", "task", "drop", "scaling", "lr", "l1", "l2", "epochs", "batch_size", "seed", "dtype")
        given: dict[str, Any] = {name: getattr(self, name) for name in names}
        given |= {name: name_of(getattr(self, name)) for name in ("loss", "optimizer", "schedule")}
        limits = options_of(self.optimizer)
        given |= {name: limits[name] for name in ("clip_norm", "clip_value") if limits.get(name)}
        return Settings(**given)

    def make_optimizer(self) -> AnyOptimizer:
        """The optimizer with its options, its rate and schedule.

        Raises:
            ArgumentError: for a value out of range.
        """
        optimizer = made("optimizer", self.optimizer)
        if isinstance(optimizer, LBFGS):
            return optimizer
        rate = optimizer.rate if self.lr is None else self.lr
        changed: AnyOptimizer = msgspec.structs.replace(optimizer, rate=schedule_of(self.schedule, rate))
        return changed

    def hidden(self) -> list[AnyLayer]:
        """The hidden layers as the library's own."""
        return stack(self.layers)

    def needs_restart(self, before: Setting) -> bool:
        """Whether a training under way cannot go on with this one: data or network are others."""
        fixed = (name for name in self.__struct_fields__ if name not in _GOES_ON)
        return any(getattr(self, name) != getattr(before, name) for name in fixed)

    def differences(self, other: Setting) -> tuple[tuple[str, str, str], ...]:
        """What is set otherwise in another one: its name, as it is here, as it is there."""
        names = (name for name in self.__struct_fields__ if getattr(self, name) != getattr(other, name))
        return tuple((name, _words(getattr(self, name)), _words(getattr(other, name))) for name in names)

    def link(self) -> str:
        """The setting as a text for an address; see `from_link`."""
        given = {name: value for name, value in msgspec.to_builtins(self).items() if value != _DEFAULTS[name]}
        packed = zlib.compress(msgspec.json.encode(given), 9)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _words(value: Any) -> str:
    """A value of a setting in few words."""
    if isinstance(value, tuple):
        return ", ".join(map(_words, value)) or "none"
    if isinstance(value, msgspec.Struct):
        return _words_of_layer(value)
    if isinstance(value, dict) and "name" in value:
        options = ", ".join(f"{name} {_words(given)}" for name, given in options_of(value).items())
        return f"{name_of(value)} ({options})" if options else name_of(value)
    return "as by itself" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _words_of_layer(layer: msgspec.Struct) -> str:
    """What is not as by itself."""
    usual = type(layer)()
    given = {name: v for name in layer.__struct_fields__ if (v := getattr(layer, name)) != getattr(usual, name)}
    head = []
    if isinstance(layer, HiddenLayer):
        head = [str(layer.units), _words(layer.activation)]
        given = {name: v for name, v in given.items() if name not in {"units", "activation"}}
    return " ".join([*head, *(f"{name} {_words(v)}" for name, v in given.items())]) or "as by itself"


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
    except (ValueError, zlib.error, msgspec.DecodeError, RecursionError):
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
        before |= {name: _DEFAULTS[name] for name in ("target", "task", "drop", "loss", "start")}
    if {"layers", "output"} & given.keys():  # numbers to begin with belong to the layers that they were given for
        before["start"] = {}
    return convert(before | given, Setting, where=_WHERE)


class Choices(msgspec.Struct, frozen=True):
    """What there is to choose from, by the library's own names."""

    activations: tuple[str, ...]
    formulas: dict[str, str]
    initializers: tuple[str, ...]
    norms: tuple[str, ...]
    losses: dict[str, bool]
    """By name, whether it is for classes."""
    optimizers: tuple[str, ...]
    schedules: tuple[str, ...]
    scalings: tuple[str, ...]
    forms: dict[str, dict[str, tuple[Field, ...]]]
    """The options of each by its kind and name."""


def choices() -> Choices:
    """All that the library has, and nothing that it has not."""
    return Choices(
        activations=activations.names(),
        formulas={name: activations.get(name).formula for name in activations.names()},
        initializers=("auto", *initializers.NAMES),
        norms=("none", "batch", "layer"),
        losses={name: losses.get(name).for_classes for name in losses.names()},
        optimizers=optimizers.NAMES,
        schedules=schedules.NAMES,
        scalings=("standard", "minmax", "minmax-matrix", "none"),
        forms=forms(),
    )
