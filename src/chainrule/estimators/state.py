"""What a fit leaves for the next to go on from, and how it is pickled: as bytes of the safe format, no objects.

The numbers of a network and the slots of its optimiser lie in a pickle as the bytes of two safetensors files, read with
the same distrust as a model file. (A pickle itself can hold anything: load only those that you trust.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

import msgspec
import numpy as np

from chainrule.arrays import Floats
from chainrule.losses import AnyLoss, HalfSquaredError
from chainrule.network import Network
from chainrule.records import Standing
from chainrule.schedules import PlateauState
from chainrule.storage import encode, open_bytes

if TYPE_CHECKING:
    from chainrule.losses import Loss
    from chainrule.training import Training

_WHERE = "pickled estimator"


class _Record(msgspec.Struct, frozen=True):
    """An `OptimizerState` without its slots."""

    kind: str
    learning_rate: float
    epochs: int
    steps: int
    plateau: PlateauState | None
    slots: dict[str, tuple[int, ...]]
    dtype: str


@dataclass(frozen=True)
class OptimizerState:
    """Where an optimiser stands between two fits.

    Attributes:
        kind: of the optimiser: another one begins anew.
        learning_rate: of the next step.
        epochs: so far; the order of rows depends on it.
        steps: so far; Adam's bias correction and dropout count by it.
        plateau: what an adaptive rate has heard.
        slots: the optimiser's vectors, by name.
    """

    kind: str
    learning_rate: float
    epochs: int
    steps: int
    plateau: PlateauState | None
    slots: dict[str, Floats] = field(repr=False)

    @classmethod
    def after(cls, training: Training) -> OptimizerState:
        """That of a training that has ended."""
        training.settle_slots()
        now, schedule = training.standing, training.schedule
        rate = float(schedule.rates(np.array([now.taken]), training.plan)[0]) * schedule.scale(now.plateau)
        slots = {name: slot.copy() for name, slot in training.run.slots.items()}
        kind = type(training.settings.optimizer).__name__
        return cls(kind, rate, now.epoch, now.taken, now.plateau, slots)

    @property
    def finite(self) -> bool:
        """Whether all slots are finite."""
        return all(bool(np.isfinite(slot).all()) for slot in self.slots.values())

    def fits(self, training: Training) -> bool:
        """Whether this training can go on from here."""
        slots = training.run.slots
        same = type(training.settings.optimizer).__name__ == self.kind and slots.keys() == self.slots.keys()
        return same and all(slots[name].shape == slot.shape for name, slot in self.slots.items())

    def hand_to(self, training: Training) -> None:
        """Let this training go on from here; its theta is left as it is."""
        theta = training.run.theta.copy()
        training.run.restore(theta, self.slots)
        standing = Standing.at_the_start()
        standing.epoch, standing.taken, standing.plateau = self.epochs, self.steps, self.plateau
        training.go_on(standing, theta)

    def pack(self) -> bytes:
        """As bytes."""
        shapes = {name: slot.shape for name, slot in self.slots.items()}
        dtype = next((str(slot.dtype) for slot in self.slots.values()), "float64")
        record = _Record(self.kind, self.learning_rate, self.epochs, self.steps, self.plateau, shapes, dtype)
        return encode(kind="checkpoint", parts={"optimizer": record}, tensors=self.slots)

    @classmethod
    def unpack(cls, data: bytes) -> OptimizerState:
        """From bytes.

        Raises:
            FileFormatError: when they are damaged.
        """
        opened = open_bytes(data, kind="checkpoint", where=_WHERE)
        record = opened.part("optimizer", _Record)
        slots = opened.tensors(record.slots, record.dtype)
        return cls(record.kind, record.learning_rate, record.epochs, record.steps, record.plateau, slots)


def pack_network(network: Network) -> tuple[bytes, Loss | None]:
    """The network as bytes; beside them a loss of a person's own, which no file can hold."""
    own = None if isinstance(network.loss, get_args(AnyLoss)) else network.loss
    record = network.record()
    if own is not None:
        record = msgspec.structs.replace(record, loss=HalfSquaredError())
    return encode(kind="model", parts={"network": record}, tensors=dict(network.parameters)), own


def unpack_network(packed: tuple[bytes, Loss | None]) -> Network:
    """From bytes.

    Raises:
        FileFormatError: when they are damaged.
    """
    data, own = packed
    network = Network.from_file(open_bytes(data, kind="model", where=_WHERE))
    return network if own is None else rebuilt(network, loss=own, l1=network.l1, l2=network.l2)


def rebuilt(network: Network, *, loss: Loss | None = None, l1: float = 0.0, l2: float = 0.0) -> Network:
    """A network of the same layers and numbers under another loss, or with other penalties."""
    (inputs,) = network.input_shape
    chosen = network.loss if loss is None else loss
    other = Network(network.layers, chosen, seed=network.seed, dtype=network.dtype, n_inputs=inputs, l1=l1, l2=l2)
    other.theta, other.classes = network.theta, network.classes
    return other
