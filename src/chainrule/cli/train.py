"""``chainrule train``: from a table to a model file."""

from __future__ import annotations

import dataclasses
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from chainrule.cli.console import plural, silence
from chainrule.cli.options import GROUPS, as_options
from chainrule.cli.plan import Files, RunPlan, make_plan
from chainrule.cli.running import FAILED, INTERRUPTED, Stop, as_options_say
from chainrule.errors import DivergenceError, StorageError
from chainrule.interruption import postponed_interrupt
from chainrule.settings import Settings

if TYPE_CHECKING:
    from chainrule.callbacks import AnyCallback
    from chainrule.cli.telling import Teller
    from chainrule.table_training import TableTraining

SETTINGS_GROUPS = {
    **dict.fromkeys(("target", "task", "validation", "test", "scaling", "categories"), "Data"),
    **dict.fromkeys(("max_categories", "drop", "missing", "header"), "Data"),
    **dict.fromkeys(("layers", "activation", "norm", "dropout", "init", "dtype"), "Network"),
    **dict.fromkeys(("loss", "optimizer", "lr", "schedule", "epochs", "batch_size", "patience"), "Training"),
    **dict.fromkeys(
        ("l1", "l2", "clip_norm", "clip_value", "class_weight", "seed", "seeds", "engine", "threads"), "Training"
    ),
}
_FILES_GROUPS = {
    **dict.fromkeys(("checkpoint", "checkpoint_every", "resume"), "Training"),
    **dict.fromkeys(("out", "plot", "report", "tensorboard", "json", "quiet", "diagnosis"), "Output"),
}
_METAVARS = {
    "dropout": "SHARE",
    "l1": "WEIGHT",
    "l2": "WEIGHT",
    "seeds": "N|N,N,...",
    "target": "COLUMN",
    "layers": "N,N,...",
    "validation": "SHARE|FILE",
    "test": "SHARE|FILE",
    "categories": "COLUMNS",
    "drop": "COLUMNS",
    "missing": "TEXTS",
    "lr": "RATE",
    "checkpoint": "FILE",
    "checkpoint_every": "SECONDS",
    "resume": "FILE",
    "out": "FILE",
    "plot": "FILE",
    "report": "FILE",
    "tensorboard": "DIR",
}
_CONFIG = Parameter(
    group=GROUPS["Data"],
    metavar="FILE",
    help="A TOML file with any of these options, and `data`; what is given here wins over it. Each run writes one "
    "beside its model that repeats it.",
)
_DATA = Parameter(
    group=GROUPS["Data"],
    help="The table: a CSV, TSV or Parquet file (gzip or zstd too), - for standard input, or the name of a built-in "
    "table; see chainrule data.",
)
_EXAMPLES = """\
Examples:
  chainrule train digits --test 0.25 --report digits.html
  chainrule train houses.csv --target price --layers 128,64 --patience 20
  chainrule train digits --seeds 20 --test 0.25 --validation 0.1
  chainrule train --config houses.toml --seed 1 --out other.safetensors
  chainrule train big.parquet --target y --checkpoint run.ckpt
      ... and after a crash the same again with --resume run.ckpt"""

if TYPE_CHECKING:
    TrainOptions = Any
else:
    TrainOptions = dataclasses.make_dataclass(
        "TrainOptions",
        [
            *as_options(Settings, SETTINGS_GROUPS, _METAVARS),
            *as_options(Files, _FILES_GROUPS, _METAVARS),
            ("config", Annotated[str | None, _CONFIG], dataclasses.field(default=None)),
        ],
        frozen=True,
        kw_only=True,
        namespace={"__module__": __name__},
    )

app = App(
    name="train",
    usage="Usage: chainrule train DATA --target COLUMN [OPTIONS]",
    help_epilogue=_EXAMPLES,
)


@app.default
def train(
    data: Annotated[str | None, _DATA] = None, /, *, options: Annotated[TrainOptions, Parameter(name="*")] = None
) -> None:
    """Train as asked; see `app` for the words that a person reads."""
    plan = make_plan(data, options)
    teller = _teller(plan)
    from chainrule.table_training import TableTraining

    with teller.reading():
        training = TableTraining(plan.files.data, plan.settings)
    teller.begin(training)
    try:
        if training.settings.seeds is None:
            training.run(callbacks=_listeners(plan, teller, training), resume=plan.files.resume)
        else:
            training.run(progress=teller.fits_listener)
            if plan.files.report is not None:
                _listen_to_best(training)
    except KeyboardInterrupt:
        weights = _write_what_there_is(plan, training, teller)
        raise Stop(INTERRUPTED, f"Interrupted. {weights}") from None
    except (DivergenceError, StorageError) as fault:
        weights = _write_what_there_is(plan, training, teller)
        raise Stop(FAILED, f"Error: {as_options_say(fault)} {weights}") from None
    except OSError as fault:  # what is told could not be written: the weights still can
        silence()
        weights = _write_what_there_is(plan, training, teller)
        raise Stop(FAILED, f"Error: standard output: {fault.strerror}. {weights}") from None
    with postponed_interrupt() as interruption:
        teller.end(training, _write(plan, training))
    if interruption:
        raise Stop(INTERRUPTED)


def _teller(plan: RunPlan) -> Teller:
    from chainrule.cli import telling

    if plan.files.json:
        return telling.JsonTeller(plan)
    return telling.Teller(plan) if plan.files.quiet else telling.PlainTeller(plan)


def _listeners(plan: RunPlan, teller: Teller, training: TableTraining) -> list[AnyCallback]:
    """The checkpoint first: what is said to be done can be resumed."""
    listeners: list[AnyCallback] = []
    if plan.files.checkpoint is not None:
        from chainrule.checkpoints import Checkpoint

        listeners.append(Checkpoint(plan.files.checkpoint, every=plan.files.checkpoint_every))
    if plan.files.report is not None:
        from chainrule.report import LayerStatistics

        listeners.append(LayerStatistics())
    if plan.files.tensorboard is not None:
        from chainrule.trackers import TensorBoard

        listeners.append(TensorBoard(plan.files.tensorboard))
    return [*listeners, *teller.listeners_for(training)]


def _listen_to_best(training: TableTraining) -> None:
    from chainrule.report import LayerStatistics

    training.listen_to_best([LayerStatistics()])


def _write(plan: RunPlan, training: TableTraining) -> dict[str, str]:
    """Write model, TOML, picture and report; what was written, by path."""
    written = {plan.out: "the model"}
    _save(plan, training)
    curves = training.model.fits or training.model.history
    toml = plan.write_toml(training.settings)
    written[str(toml)] = "this run, to be repeated"
    if plan.files.plot is not None and curves is not None and len(curves):
        curves.plot(plan.files.plot)
        written[plan.files.plot] = "the curves"
    if plan.files.report is not None and training.model.history is not None:
        training.model.history.report(plan.files.report)
        written[plan.files.report] = "the report"
    if plan.files.tensorboard is not None:
        written[plan.files.tensorboard] = f"for tensorboard --logdir {shlex.quote(plan.files.tensorboard)}"
    return written


def _save(plan: RunPlan, training: TableTraining) -> None:
    """Save the model; where its folder takes no file any more, where temporary files go: no training is in vain."""
    try:
        training.model.save(plan.out)
    except StorageError as fault:
        from pathlib import Path
        from tempfile import mkdtemp

        with suppress(StorageError, OSError):
            elsewhere = Path(mkdtemp(prefix="chainrule-")) / Path(plan.out).name
            training.model.save(elsewhere)
            raise Stop(FAILED, f"Error: {fault} The model lies in {elsewhere} meanwhile: move it from there.") from None
        raise


def _write_what_there_is(plan: RunPlan, training: TableTraining, teller: Teller) -> str:
    """Write the weights after a run that did not come to its end; what was written, in words."""
    history = training.model.history
    if history is None:
        return "Nothing was written."
    if training.model.fits is None and not history.best_epoch and plan.replaces:
        teller.end_early(training, {})
        return f"Nothing was written: no epoch came to its end, and {plan.out} is as it was."
    with postponed_interrupt():
        teller.end_early(training, _write(plan, training))
    best, fits = history.best_epoch, training.model.fits
    if fits is not None:
        return f"Wrote {plan.out}: {fits.best.name}, the best of {plural(len(fits), 'seed')} that came to an end."
    weights = (
        f"the weights of epoch {best}, the best so far" if best else "the weights as they stood in the first epoch"
    )
    return f"Wrote {plan.out}: {weights}."
