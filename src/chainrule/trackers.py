"""Callbacks that hand the numbers of a training to the tools that keep such numbers: TensorBoard, MLflow, W&B.

Each loads its library when a training begins, and not before. One that can take no more, because its server has gone or
its disk is full, says so once; the training goes on without it.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from importlib.util import find_spec
from math import isfinite
from time import monotonic, time
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import msgspec

from chainrule.callbacks import Callback
from chainrule.errors import ArgumentError, MissingExtraError
from chainrule.wording import layers_in_words, optimizer_in_words

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from chainrule.records import Epoch
    from chainrule.training import Training

Outcome: TypeAlias = Literal["FINISHED", "KILLED", "FAILED"]

_SECONDS = 1.0  # between two batches for MLflow, each of which costs a hundredth of a second or more
_LETTERS = 500  # of a parameter, as older versions of MLflow allow
_MOST = 1000  # metrics in such a batch, as MLflow allows


class Tracker(Callback):
    """What they have in common.

    Attributes:
        library: the module that is loaded.
        extra: that installs it.
    """

    only_watches = True
    library: ClassVar[str]
    extra: ClassVar[str]

    def __init__(self) -> None:
        self._open = False

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

    def begin(self, training: Training) -> None:
        """Open a run, and tell what is trained."""
        raise NotImplementedError

    def tell(self, epoch: int, told: dict[str, float]) -> None:
        """Hand on the numbers of an epoch."""
        raise NotImplementedError

    def end(self, outcome: Outcome) -> None:
        """Close the run, if it is one of its own."""
        raise NotImplementedError

    def on_begin(self, training: Training) -> None:
        self._open = False
        self.begin(training)
        self._open = True

    def on_epoch(self, record: Epoch) -> None:
        self._attempt(lambda: self.tell(record.epoch, numbers(record)))

    def on_end(self, training: Training) -> None:
        self._attempt(lambda: self.end(outcome_of(training)))
        self._open = False

    def _attempt(self, work: Callable[[], None]) -> None:
        """Do it, unless something went wrong before; whatever goes wrong does not end the training."""
        if not self._open:
            return
        try:
            work()
        except Exception as fault:  # noqa: BLE001 -- a library of its own, and perhaps a network
            self._open = False
            told = f"{type(self).__name__} takes no more: {fault}. The training goes on without it."
            warnings.warn(told, RuntimeWarning, stacklevel=2)


class TensorBoard(Tracker):
    """Writes event files for TensorBoard: loss, penalty, learning rate and scores of each epoch; by tensorboardX.

    Args:
        folder: where; made if it is not there. A folder for each run lets TensorBoard lay them over each other.

    Raises:
        MissingExtraError: when the training begins and tensorboardX is not installed: extra ``tensorboard``.
    """

    library, extra = "tensorboardX", "tensorboard"

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        super().__init__()
        self.folder = str(folder)
        self._writer: Any = None

    def begin(self, training: Training) -> None:
        self._writer = self.load().SummaryWriter(self.folder)
        self._writer.add_text("settings", _settings(training))

    def tell(self, epoch: int, told: dict[str, float]) -> None:
        for name, value in told.items():
            self._writer.add_scalar(name, value, epoch)

    def end(self, outcome: Outcome) -> None:  # noqa: ARG002 -- a file tells of none
        self._writer.close()


class MLflow(Tracker):
    """Logs the numbers of each epoch to MLflow, several epochs at once where they are short.

    It logs to the run under way, or to one that ends with the training. Where the run under way has the parameters of
    an earlier training, this one becomes a run nested in it.

    Args:
        experiment: the name of one; None: as MLflow itself is set.

    Raises:
        MissingExtraError: when the training begins and mlflow is not installed: extra ``mlflow``.
    """

    library, extra = "mlflow", "mlflow"

    def __init__(self, experiment: str | None = None) -> None:
        super().__init__()
        if not isinstance(experiment, str | None):
            raise ArgumentError("experiment", where="MLflow", expected="a name, or None", got=experiment)
        self.experiment = experiment
        self._mlflow: Any = None
        self._client: Any = None
        self._run = ""
        self._own = False
        self._waiting: list[Any] = []
        self._sent = 0.0

    def begin(self, training: Training) -> None:
        self._mlflow = mlflow = self.load()
        if self.experiment is not None:
            mlflow.set_experiment(self.experiment)
        self._client, told, run = mlflow.MlflowClient(), parameters(training), mlflow.active_run()
        taken = run is not None and not told.keys().isdisjoint(self._client.get_run(run.info.run_id).data.params)
        self._own = run is None or taken
        if self._own:
            run = mlflow.start_run(nested=taken)
        mlflow.log_params(told)
        self._run, self._waiting, self._sent = run.info.run_id, [], monotonic()

    def tell(self, epoch: int, told: dict[str, float]) -> None:
        now = int(1000 * time())
        self._waiting += [self._mlflow.entities.Metric(name, value, now, epoch) for name, value in told.items()]
        if len(self._waiting) >= _MOST or monotonic() - self._sent >= _SECONDS:
            self._send()

    def end(self, outcome: Outcome) -> None:
        self._send()
        if self._own:
            self._mlflow.end_run(outcome)

    def _send(self) -> None:
        waiting, self._waiting, self._sent = self._waiting, [], monotonic()
        for place in range(0, len(waiting), _MOST):
            self._client.log_batch(self._run, metrics=waiting[place : place + _MOST])


class WandB(Tracker):
    """Logs the numbers of each epoch to Weights & Biases: to the run under way, or to a new one that ends with it.

    In a run under way, whose steps are not those of the training, they stand over ``epoch``.

    Args:
        options: of ``wandb.init``, such as ``project="digits"``, ``mode="offline"``.

    Raises:
        MissingExtraError: when the training begins and wandb is not installed: extra ``wandb``.
    """

    library, extra = "wandb", "wandb"

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = options
        self._run: Any = None
        self._own = False

    def begin(self, training: Training) -> None:
        wandb = self.load()
        self._own = wandb.run is None
        self._run = wandb.init(**self.options) if self._own else wandb.run
        self._run.config.update(parameters(training), allow_val_change=True)

    def tell(self, epoch: int, told: dict[str, float]) -> None:
        if self._own:
            self._run.log(told, step=epoch)
            return
        for name in told:
            self._run.define_metric(name, step_metric="epoch")
        self._run.log({"epoch": epoch, **told})

    def end(self, outcome: Outcome) -> None:
        if self._own:
            self._run.finish(exit_code=0 if outcome == "FINISHED" else 1)


def outcome_of(training: Training) -> Outcome:
    """How it ended: by itself or as a callback asked, interrupted by the person, or by a fault."""
    now = training.standing
    if now.stopped:
        return "KILLED" if now.stopped == "interrupted" else "FINISHED"
    return "FINISHED" if now.epoch >= training.settings.epochs else "FAILED"


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
        "layers": layers_in_words(of.network.layers)[:_LETTERS],
        "loss": of.loss.name,
        "l1": of.l1,
        "l2": of.l2,
        "parameters": of.layout.size,
        "rows": len(training.data.X),
        "epochs": settings.epochs,
        "batch_size": settings.batch_size,
        "optimizer": optimizer_in_words(settings.optimizer),
        "seed": settings.seed,
    }


def _settings(training: Training) -> str:
    """The same as JSON, as TensorBoard shows a text."""
    return f"```json\n{msgspec.json.format(msgspec.json.encode(parameters(training)), indent=2).decode()}\n```"
