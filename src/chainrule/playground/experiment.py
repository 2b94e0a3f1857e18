"""A setting and its rows as a network with a training that has not begun."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from chainrule import activations, losses
from chainrule.errors import ArgumentError, ShapeError, unknown_name
from chainrule.fitting import FitOptions
from chainrule.insight.marking.answers import array
from chainrule.layers import Activation, Dense
from chainrule.layers.composite import Composite
from chainrule.model import Model
from chainrule.network import Network
from chainrule.playground.records import made, name_of
from chainrule.playground.setting import Setting
from chainrule.playground.tables import Begun, Rows, Sources, read_rows
from chainrule.table_training import last_layer
from chainrule.training import Training

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.arrays import Floats
    from chainrule.layers import Shape

_WHERE = "playground"
_MOST_PARAMETERS = 20_000_000
_MOST_RECORDS = 1 / 33  # seconds of training between two records, so that the page moves smoothly


class Shown(NamedTuple):
    """A dense layer as the page draws it.

    Attributes:
        name: ``dense_1``.
        inputs: of the layer.
        units: its outputs.
        activation: by name.
        bias: whether it has one.
    """

    name: str
    inputs: int
    units: int
    activation: str
    bias: bool


@dataclass(eq=False)
class Experiment:
    """A network, its rows, and the training that changes it.

    Attributes:
        setting: as the person gave it.
        rows: of the table.
        network: the network; its theta is what the training changes.
        training: to be iterated.
        begun: the model that it began with, if any.
    """

    setting: Setting
    rows: Rows
    network: Network
    training: Training
    begun: Begun | None = None

    @cached_property
    def shown(self) -> tuple[Shown, ...]:
        """The dense layers in order, those inside a shortcut too."""
        return tuple(_shown(self.network.objective.network, self.network.input_shape, ""))

    def begin_at(self, theta: Floats) -> None:
        """A new training in place of the old one, from these weights."""
        self.network.theta = theta
        self.training = _prepare(self.setting, self.rows, self.network)

    def model(self, theta: Floats) -> Model:
        """A model with these weights, apart from the training."""
        network = Network(
            self.network.layers,
            self.network.loss,
            seed=self.network.seed,
            dtype=self.network.dtype,
            n_inputs=self.network.input_shape[0],
            l1=self.network.l1,
            l2=self.network.l2,
        )
        network.theta = theta
        network.classes = self.network.classes
        return Model(network, self.rows.columns, self.setting.settings())

    def trained(self, theta: Floats) -> Model | Network:
        """What a person takes away: the model of a table; of several targets, which a model has not, the network."""
        model = self.model(theta)
        return model if len(self.rows.targets) == 1 else model.network


def make(setting: Setting, sources: Sources) -> Experiment:
    """The experiment of a setting, at its initial weights.

    Raises:
        InputError: when the setting does not fit the table, or a part of it another.
    """
    rows = read_rows(setting, sources)
    network = _network(setting, rows)
    if network.objective.layout.size > _MOST_PARAMETERS:
        size = f"{network.objective.layout.size:,} parameters"
        raise ArgumentError("layers", where=_WHERE, expected=f"at most {_MOST_PARAMETERS:,} parameters", got=size)
    begun = sources.model_of(setting)
    if begun is not None:
        network.theta = begun.theta
    for name, numbers in setting.start.items():
        _begin_with(network, name, numbers)
    return Experiment(setting, rows, network, _prepare(setting, rows, network), begun)


def _begin_with(network: Network, name: str, numbers: object) -> None:
    """Put numbers in place of a parameter.

    Raises:
        ArgumentError: when there is no such parameter.
        InputError: when they do not fit it.
    """
    if name not in network.parameters:
        raise unknown_name("parameter", name, list(network.parameters), where="start")
    values, place = array(numbers, name=name, where="start"), network.parameters[name]
    if values.shape != place.shape:
        raise ShapeError(name, where="start", expected=f"shape {place.shape}", got=values.shape)
    place[...] = values


def _shown(layers: Composite, shape: Shape, before: str) -> Iterator[Shown]:
    """Each dense layer, with the activation that its units have in the end: a norm may stand before it."""
    named = list(layers.named(shape))
    for place, (name, layer, inside) in enumerate(named):
        if isinstance(layer, Composite):
            yield from _shown(layer, inside, f"{before}{name}.")
        if not isinstance(layer, Dense):
            continue
        after = [each for _, each, _ in named[place + 1 : place + 3]]
        f = after[1].activation if len(after) == 2 and isinstance(after[1], Activation) else layer.f
        yield Shown(f"{before}{name}", inside[0], layer.units, activations.get(f).name, layer.bias)


def changed(before: Experiment, setting: Setting) -> Experiment:
    """The same network, trained on from where it stands in another way."""
    network = before.model(before.network.theta).network
    network.l1, network.l2 = setting.l1, setting.l2
    network.build(network.input_shape[0]).theta = before.network.theta
    return Experiment(setting, before.rows, network, _prepare(setting, before.rows, network), before.begun)


def twin(experiment: Experiment) -> Experiment:
    """The same again, apart from it: whoever goes on with one leaves the other as it is."""
    return changed(experiment, experiment.setting)


def _network(setting: Setting, rows: Rows) -> Network:
    columns, name = rows.columns, name_of(setting.loss)
    if name == "auto":
        name = "cross_entropy" if columns.classes else "mean_squared_error"
        if len(columns.classes) == 2:
            name = "binary_cross_entropy"  # one output: its surface and its weights are easier to read than two
    if losses.get(name).for_classes and not columns.classes and rows.sheet is None:
        expected = "a loss for values, since the target holds values"
        raise ArgumentError("loss", where=_WHERE, expected=expected, got=name)
    usual = last_layer(columns, name) if rows.sheet is None else Dense(rows.sheet.exercise.outputs)
    loss = name if setting.loss == "auto" else made("loss", setting.loss)
    return Network(
        [*setting.hidden(), setting.output.dense(usual.units, usual.activation)],
        loss,
        seed=setting.seed,
        dtype=setting.dtype,
        n_inputs=len(columns.feature_names),
        l1=setting.l1,
        l2=setting.l2,
    )


def _prepare(setting: Setting, rows: Rows, network: Network) -> Training:
    kept = network.read(*rows.training, where=_WHERE)
    classes = kept.targets.classes
    held = None if rows.held is None else network.read(*rows.held, where=_WHERE, classes=classes)
    options = FitOptions(
        epochs=setting.epochs,
        batch_size=setting.batch_size or None,
        optimizer=setting.make_optimizer(),
        validation=held,
        metrics=("accuracy",) if rows.columns.classes else ("r2",),
    )
    training = network.prepare(kept, options)
    training.pace.seconds_at_once = _MOST_RECORDS
    return training
