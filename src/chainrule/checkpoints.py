"""Checkpoints: everything that a run needs to go on to the same bits, written as it goes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from chainrule import checks
from chainrule.callbacks import Callback
from chainrule.errors import ArgumentError, FileFormatError
from chainrule.storage import open_file, write_file
from chainrule.training import Epoch, Standing, Steps, TrainingSettings

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from chainrule.arrays import Floats
    from chainrule.training import Training


class Fingerprint(msgspec.Struct, frozen=True):
    """What a run was: a checkpoint goes on with the same one only.

    Attributes:
        settings: how it trains; the number of epochs may differ, so that a run can be made longer.
        objective: layers, loss and penalties, as text.
        data: a hash of inputs, targets and weights.
    """

    settings: TrainingSettings
    objective: str
    data: str

    def differs_from(self, other: Fingerprint) -> str:
        """What differs, in words; empty when nothing does that matters."""
        if self.objective != other.objective:
            return "the network, its loss or its penalties"
        if self.data != other.data:
            return "the data"
        mine, theirs = msgspec.structs.asdict(self.settings), msgspec.structs.asdict(other.settings)
        return ", ".join(name for name, value in mine.items() if name != "epochs" and theirs[name] != value)


class Checkpoint(Callback):
    """Writes a checkpoint after every epoch, or at most every so many seconds, within an epoch too.

    Args:
        path: of the file; a crash while it is written leaves the one before.
        every: seconds between two checkpoints; None: after every epoch.

    Raises:
        ArgumentError: when `every` is no number of seconds > 0.
    """

    def __init__(self, path: str | os.PathLike[str], *, every: float | None = None) -> None:
        self.path, self.every = Path(path), None if every is None else checks.positive(every, "every", where="Checkpoint")
        self._written = monotonic()
        self._training: Training | None = None
        self._fingerprint: Fingerprint | None = None

    def on_begin(self, training: Training) -> None:
        self._training, self._fingerprint = training, fingerprint(training)
        self._write()

    def on_steps(self, record: Steps) -> None:  # noqa: ARG002 -- the training knows where it stands
        if self.every is not None and monotonic() - self._written >= self.every:
            self._write()

    def on_epoch(self, record: Epoch) -> None:  # noqa: ARG002 -- the training knows where it stands
        if self.every is None or monotonic() - self._written >= self.every:
            self._write()

    def on_end(self, training: Training) -> None:  # noqa: ARG002 -- an end is written by whoever ends it
        self._training = None

    def _write(self) -> None:
        if self._training is not None and self._fingerprint is not None:
            write_checkpoint(self.path, self._training, self._fingerprint)
            self._written = monotonic()


def fingerprint(training: Training) -> Fingerprint:
    """What this run is."""
    objective = training.objective
    text = repr((objective.network, objective.loss, objective.input_shape, objective.l1, objective.l2))
    digest = hashlib.blake2b(digest_size=16)
    for array in training.data:
        if array is not None:
            digest.update(str((array.shape, array.dtype)).encode())
            digest.update(np.ascontiguousarray(array).data)
    return Fingerprint(training.settings, text, digest.hexdigest())


def write_checkpoint(path: Path, training: Training, fingerprint: Fingerprint) -> None:
    """Write where the run stands; atomic.

    Raises:
        StorageError: when it cannot be written.
    """
    now = training.standing
    slots = {f"slot.{name}": slot for name, slot in training.run.slots.items()}
    write_file(
        path,
        kind="checkpoint",
        parts={"fingerprint": fingerprint, "standing": now},
        tensors={"theta": training.run.theta, "best_theta": training.best_theta, **slots},
    )


def go_on(training: Training, path: str | os.PathLike[str]) -> None:
    """Put a training where the checkpoint stands.

    Raises:
        FileFormatError: when the file cannot be trusted.
        ArgumentError: when it belongs to another run.
    """
    opened = open_file(path, kind="checkpoint")
    theirs = opened.part("fingerprint", Fingerprint)
    differs = fingerprint(training).differs_from(theirs)
    if differs:
        raise ArgumentError(
            f"the checkpoint is of another run: {differs} differ",
            where=str(path),
            mend="Give the same data and the same settings as then; only the number of epochs may change.",
        )
    standing = opened.part("standing", Standing)
    _check_standing(standing, training, str(path))
    run = training.run
    shapes = {"theta": run.theta.shape, "best_theta": run.theta.shape}
    shapes |= {f"slot.{name}": slot.shape for name, slot in run.slots.items()}
    tensors = opened.tensors(shapes, str(run.theta.dtype))
    run.restore(tensors["theta"], _slots(tensors))
    training.go_on(standing, tensors["best_theta"])


def _slots(tensors: Mapping[str, Floats]) -> dict[str, Floats]:
    return {name.removeprefix("slot."): array for name, array in tensors.items() if name.startswith("slot.")}


def _check_standing(standing: Standing, training: Training, where: str) -> None:
    """A record that was tampered with must not send the loop astray."""
    total, n_epochs = training.steps_per_epoch, len(standing.epochs)
    sane = 0 <= standing.step < total and standing.epoch == n_epochs and 0 <= standing.best_epoch <= n_epochs
    if not sane or standing.taken != standing.epoch * total + standing.step:
        raise FileFormatError("the record of where the run stood contradicts itself", where=where)
