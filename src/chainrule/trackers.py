"""Callbacks that hand the numbers of a training to the tools that keep such numbers: TensorBoard, MLflow, W&B.

Each loads its library when a training begins, and not before.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from chainrule.callbacks import Callback
from chainrule.errors import ArgumentError, MissingExtraError

if TYPE_CHECKING:
    import os

    from chainrule.records import Epoch
    from chainrule.training import Training


class Tracker(Callback):
    """What they have in common.

    Attributes:
        library: the module that is loaded.
        extra: that installs it.
    """

    only_watches = True
    library: ClassVar[str]
    extra: ClassVar[str]

    @classmethod
    def check_installed(cls) -> None:
        """Raise MissingExtraError unless the library is there; asked before a long run."""
        if find_spec(cls.library) is None:
            raise MissingExtraError(cls.__name__, library=cls.library, extra=cls.extra)

    @classmethod
    def load(cls) -> Any:
        """The library.

        Raises:
            MissingExtraError: when it is not installed.
        """
        cls.check_installed()
        return import_module(cls.library)


class TensorBoard(Tracker):
    """Writes event files for TensorBoard: loss, penalty, learning rate and scores of each epoch; by tensorboardX.

    Args:
        folder: where; made if it is not there. A folder for each run lets TensorBoard lay them over each other.

    Raises:
        MissingExtraError: when the training begins and tensorboardX is not installed: extra ``tensorboard``.
    """

    library, extra = "tensorboardX", "tensorboard"

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = str(folder)
        self._writer: Any = None

    def on_begin(self, training: Training) -> None:
        self._writer = self.load().SummaryWriter(self.folder)
        self._writer.add_text("settings", _settings(training))

    def on_epoch(self, record: Epoch) -> None:
        for name, value in numbers(record).items():
            self._writer.add_scalar(name, value, record.epoch)

    def on_end(self, training: Training) -> None:  # noqa: ARG002 -- nothing else is told
        if self._writer is not None:
            self._writer.close()


class MLflow(Tracker):
    """Logs the numbers of each epoch to MLflow: to the run under way, or to one that ends with the training.

    Args:
        experiment: the name of one; None: as MLflow itself is set.

    Raises:
        MissingExtraError: when the training begins and mlflow is not installed: extra ``mlflow``.
    """

    library, extra = "mlflow", "mlflow"

    def __init__(self, experiment: str | None = None) -> None:
        if not isinstance(experiment, str | None):
            raise ArgumentError("experiment", where="MLflow", expected="a name, or None", got=experiment)
        self.experiment = experiment
        self._mlflow: Any = None
        self._own = False

    def on_begin(self, training: Training) -> None:
        self._mlflow = self.load()
        if self.experiment is not None:
            self._mlflow.set_experiment(self.experiment)
        self._own = self._mlflow.active_run() is None
        if self._own:
            self._mlflow.start_run()
        self._mlflow.log_params(parameters(training))

    def on_epoch(self, record: Epoch) -> None:
        self._mlflow.log_metrics(numbers(record), step=record.epoch)

    def on_end(self, training: Training) -> None:
        if self._mlflow is not None and self._own:
            self._mlflow.end_run("FINISHED" if training.standing.epoch else "FAILED")


class WandB(Tracker):
    """Logs the numbers of each epoch to Weights & Biases: to the run under way, or to a new one that ends with it.

    Args:
        options: of ``wandb.init``, such as ``project="digits"``, ``mode="offline"``.

    Raises:
        MissingExtraError: when the training begins and wandb is not installed: extra ``wandb``.
    """

    library, extra = "wandb", "wandb"

    def __init__(self, **options: Any) -> None:
        self.options = options
        self._run: Any = None
        self._own = False

    def on_begin(self, training: Training) -> None:
        wandb = self.load()
        self._own = wandb.run is None
        self._run = wandb.init(**self.options) if self._own else wandb.run
        self._run.config.update(parameters(training))

    def on_epoch(self, record: Epoch) -> None:
        self._run.log(numbers(record), step=record.epoch)

    def on_end(self, training: Training) -> None:  # noqa: ARG002 -- nothing else is told
        if self._run is not None and self._own:
            self._run.finish()


def numbers(record: Epoch) -> dict[str, float]:
    """The numbers of an epoch by name, those that are finite: ``loss``, ``validation_loss``, ``rate``, ...

    >>> from chainrule.records import Epoch
    >>> numbers(Epoch(1, 10, 0.5, 0.0, 0.01, 0.2, {"accuracy": 0.75}, True))
    {'loss': 0.5, 'penalty': 0.0, 'rate': 0.01, 'accuracy': 0.75}
    """
    every = {"loss": record.loss, "penalty": record.penalty, "rate": record.rate, **record.scores}
    return {name: value for name, value in every.items() if isfinite(value)}


def parameters(training: Training) -> dict[str, str | int | float]:
    """What tells a training from others, by name, in few words each."""
    settings, of = training.settings, training.objective
    return {
        "layers": ", ".join(repr(layer) for layer in of.network.layers)[:500],
        "loss": of.loss.name,
        "l1": of.l1,
        "l2": of.l2,
        "parameters": of.layout.size,
        "rows": len(training.data.X),
        "epochs": settings.epochs,
        "batch_size": settings.batch_size,
        "optimizer": repr(settings.optimizer),
        "seed": settings.seed,
    }


def _settings(training: Training) -> str:
    """The same as JSON, as TensorBoard shows a text."""
    return f"```json\n{msgspec.json.format(msgspec.json.encode(parameters(training)), indent=2).decode()}\n```"
