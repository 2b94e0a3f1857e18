"""How `Network.fit` comes to a training, and drives it to its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chainrule import optimizers
from chainrule.callbacks import Listeners, StopTraining
from chainrule.engines.interface import Engine
from chainrule.errors import ArgumentError
from chainrule.history import History
from chainrule.inputs import Rows
from chainrule.interruption import postponed_interrupt
from chainrule.lbfgs import LBFGSRun
from chainrule.metrics import Metric
from chainrule.optimizers import LBFGS, AnyOptimizer
from chainrule.stopping import EarlyStopping
from chainrule.training_settings import TrainingSettings

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.engines.interface import Data, Run
    from chainrule.objective import Objective
    from chainrule.trained import Trained
    from chainrule.training import Training


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """How `Network.fit` trains, apart from the rows; told there."""

    epochs: int = 20
    batch_size: int | None = 32
    optimizer: str | AnyOptimizer = "adam"
    shuffle: bool = True
    validation: float | tuple[Any, Any] | tuple[Any, Any, Any] | Rows | None = None
    early_stopping: EarlyStopping | int | None = None
    metrics: str | Metric | Iterable[str | Metric] = ()
    class_weight: str | dict[Any, float] | None = None
    engine: str | Engine = "auto"
    threads: int | None = None

    def settings(self, seed: int, n_rows: int) -> TrainingSettings:
        """The same as the training takes it, for so many rows.

        Raises:
            ArgumentError: when one is out of range or a name unknown.
        """
        chosen = optimizers.get(self.optimizer, where="fit")
        stopping = self.early_stopping
        if isinstance(stopping, int) and not isinstance(stopping, bool):
            stopping = EarlyStopping(stopping)
        return TrainingSettings(
            epochs=self.epochs,
            batch_size=n_rows if self.batch_size is None or isinstance(chosen, LBFGS) else self.batch_size,
            optimizer=chosen,
            shuffle=self.shuffle,
            seed=seed,
            early_stopping=stopping,  # type: ignore[arg-type] # checked there, whatever it is
        )


def start_run(engine: Engine, objective: Objective, theta: Floats, rows: Data, settings: TrainingSettings) -> Run:
    """The engine's run from `theta (P,)` on, which it changes in place; L-BFGS has a run of its own.

    Raises:
        ArgumentError: when the engine cannot run this.
    """
    optimizer = settings.optimizer
    if isinstance(optimizer, LBFGS):
        return LBFGSRun(objective, theta, rows, optimizer, settings.epochs)
    refused = engine.refuses(objective, optimizer)
    if refused:
        raise ArgumentError(f"the engine {engine.name} cannot run this: {refused}", where="fit")
    return engine.start(objective, theta, rows, optimizer=optimizer, batch_size=settings.batch_size, seed=settings.seed)


def drive(training: Training, listeners: Listeners) -> None:
    """Iterate the training and tell the listeners of each record; whatever ends it, the weights are good.

    Raises:
        DivergenceError: at NaN or Inf.
        KeyboardInterrupt: after Ctrl-C, once a step is whole and the best weights are back.
    """
    now = training.standing
    training.may_run_ahead, training.may_skip = listeners.all_only_watch, listeners.all_may_miss
    interrupted = False
    try:
        with postponed_interrupt() as interruption:
            listeners.on_begin(training)
            for record in training:
                listeners.on_record(record)
                if interruption:
                    break
        interrupted = bool(interruption)
    except StopTraining as wish:
        now.stopped = str(wish) or "a callback asked for it"
    except KeyboardInterrupt:
        interrupted = True
    finally:
        if interrupted or training.settings.early_stopping is not None:
            training.restore_best()
    if interrupted:
        now.stopped = "interrupted"
        raise KeyboardInterrupt


def history_of(training: Training, trained: Trained) -> History:
    """What happened in a training that has ended."""
    now = training.standing
    return History(
        now.epochs,
        best_epoch=now.best_epoch,
        stopped=now.stopped,
        seconds=training.seconds,
        settings=training.settings,
        trained=trained,
    )
