"""Checkpoints: everything that a run needs to go on to the same bits, written as it goes."""

from __future__ import annotations

from math import isfinite
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from chainrule import checks
from chainrule.callbacks import Callback
from chainrule.errors import ArgumentError, FileFormatError
from chainrule.files import as_path
from chainrule.optimizers import LBFGS
from chainrule.records import Epoch, Standing, Steps
from chainrule.storage import open_file, write_file
from chainrule.training_settings import TrainingSettings

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    from chainrule.arrays import Floats
    from chainrule.training import Training


class Fingerprint(msgspec.Struct, frozen=True):
    """What a run was: a checkpoint goes on with the same one only.

    Attributes:
        settings: how it trains; the number of epochs may differ, so that a run can be made longer.
        objective: layers, loss and penalties, as text.
        data: a hash of inputs, targets and weights, those held out for validation too.
        scores: what is measured after each epoch.
    """

    settings: TrainingSettings
    objective: str
    data: str
    scores: tuple[str, ...]

    def differs_from(self, other: Fingerprint) -> str:
        """What differs, in words; empty when nothing does that matters."""
        if self.objective != other.objective:
            return "the network, its loss or its penalties"
        if self.data != other.data:
            return "the data"
        if self.scores != other.scores:
            return "the metrics"
        mine, theirs = msgspec.structs.asdict(self.settings), msgspec.structs.asdict(other.settings)
        return ", ".join(name for name, value in mine.items() if name != "epochs" and theirs[name] != value)


class Checkpoint(Callback):
    """Writes a checkpoint after every epoch, or at most every so many seconds, within an epoch too.

    Args:
        path: of the file; a crash while it is written leaves the one before.
        every: seconds between two checkpoints; None: after every epoch.

    Raises:
        ArgumentError: when `path` is no path, or `every` no number of seconds > 0.

    >>> import chainrule as cr, tempfile
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/run.safetensors"
    ...     _ = cr.Network([cr.Dense(2, "softmax")]).fit(X, y, epochs=3, callbacks=cr.Checkpoint(path))
    ...     len(cr.Network([cr.Dense(2, "softmax")]).fit(X, y, epochs=5, resume=path))
    5
    """

    def __init__(self, path: str | os.PathLike[str], *, every: float | None = None) -> None:
        self.path = as_path(path, where="Checkpoint")
        self.every = None if every is None else checks.positive(every, "every", where="Checkpoint")
        self._written = monotonic()
        self._training: Training | None = None
        self._fingerprint: Fingerprint | None = None

    def on_begin(self, training: Training) -> None:
        if isinstance(training.settings.optimizer, LBFGS):
            raise ArgumentError(
                "an L-BFGS run cannot go on from a checkpoint", where="Checkpoint", mend="Use adam or sgd, or none."
            )
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
    import hashlib  # loads OpenSSL, which would be a tenth of what `import chainrule` adds to NumPy

    objective = training.objective
    text = repr((objective.network, objective.loss, objective.input_shape, objective.l1, objective.l2))
    digest = hashlib.blake2b(digest_size=16)
    for array in (*training.data, *(training.scores.held or ())):
        digest.update(b"none" if array is None else f"{array.shape} {array.dtype}".encode())
        if array is not None:
            digest.update(np.ascontiguousarray(array).data)
    return Fingerprint(training.settings, text, digest.hexdigest(), tuple(training.scores.better))


def write_checkpoint(path: Path, training: Training, fingerprint: Fingerprint) -> None:
    """Write where the run stands; atomic.

    Raises:
        StorageError: when it cannot be written.
    """
    slots = {f"slot.{name}": slot for name, slot in training.run.slots.items()}
    write_file(
        path,
        kind="checkpoint",
        parts={
            "fingerprint": fingerprint,
            "standing": _speakable(msgspec.to_builtins(training.standing, enc_hook=list)),
        },
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
    standing = opened.part("standing", Standing, strict=False)
    _check_standing(standing, training, str(path))
    run = training.run
    shapes = {"theta": run.theta.shape, "best_theta": run.theta.shape}
    shapes |= {f"slot.{name}": slot.shape for name, slot in run.slots.items()}
    tensors = opened.tensors(shapes, str(run.theta.dtype))
    run.restore(tensors["theta"], _slots(tensors))
    training.go_on(standing, tensors["best_theta"])


def _speakable(value: Any) -> Any:
    """The value with text for numbers that JSON cannot write: a score may be undefined, nan."""
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _speakable(inner) for key, inner in value.items()}
    return [_speakable(inner) for inner in value] if isinstance(value, list) else value


def _slots(tensors: Mapping[str, Floats]) -> dict[str, Floats]:
    return {name.removeprefix("slot."): array for name, array in tensors.items() if name.startswith("slot.")}


def _check_standing(standing: Standing, training: Training, where: str) -> None:
    """A record that was tampered with must not send the loop astray."""
    total, plateau = training.steps_per_epoch, standing.plateau
    done = [(epoch, epoch * total) for epoch in range(1, len(standing.epochs) + 1)]
    claims = (
        standing.epoch == len(done),
        0 <= standing.step < total,
        standing.taken == standing.epoch * total + standing.step,
        [(record.epoch, record.taken) for record in standing.epochs] == done,
        all(record.scores.keys() == training.scores.better.keys() for record in standing.epochs),
        0 <= standing.best_epoch <= len(done),
        (standing.best_value is None) == (standing.best_epoch == 0),
        all(map(isfinite, (standing.loss_sum, standing.penalty_sum, standing.seconds, standing.best_value or 0.0))),
        plateau is None or (0 < plateau.factor <= 1 and plateau.bad_epochs >= 0 and plateau.cooling >= 0),
    )
    if not all(claims):
        raise FileFormatError("the record of where the run stood contradicts itself", where=where)
