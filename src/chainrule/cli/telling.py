"""What a training says: to people, to machines, or nothing."""

from __future__ import annotations

import shlex
from collections import defaultdict
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import msgspec

from chainrule.callbacks import Callback
from chainrule.cli.console import facts, output, plural, say, show, write_json
from chainrule.insight.diagnosis import Diagnosis, diagnose_training
from chainrule.layers import Dense, Dropout
from chainrule.progress import FitsListener, FitsProgress, ProgressBar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from chainrule.callbacks import AnyCallback
    from chainrule.cli.plan import RunPlan
    from chainrule.history import History
    from chainrule.insight.diagnosis import Findings
    from chainrule.network import Network
    from chainrule.progress import Ended
    from chainrule.records import Epoch
    from chainrule.seeds import SeedsReport
    from chainrule.settings import Settings
    from chainrule.table_training import TableTraining
    from chainrule.tables import SetAside

_TONES = {"alarm": "red", "warning": "yellow"}
_NAMED = 5  # columns, or reasons, that are named one by one


class Teller:
    """Says nothing; the others say the same things to somebody.

    Attributes:
        listeners: to the training.
        fits_listener: to the trainings of several seeds.
    """

    def __init__(self, plan: RunPlan) -> None:
        self.plan = plan
        self.listeners: list[AnyCallback] = []
        self.fits_listener = FitsListener()
        self.diagnosis: Diagnosis | None = None

    def listeners_for(self, training: TableTraining) -> list[AnyCallback]:
        """The listeners to this training, the diagnosis among them where somebody is told of it."""
        if self.plan.files.quiet or not self.plan.files.diagnosis:
            return self.listeners
        self.diagnosis = Diagnosis(names=training.columns.feature_names)
        return [*self.listeners, self.diagnosis]

    def findings(self, training: TableTraining) -> Findings | None:
        """What is wrong with the training that has ended, of several seeds with the best; None where nobody asked."""
        if self.diagnosis is not None:
            return self.diagnosis.findings
        if training.model.fits is None or self.plan.files.quiet or not self.plan.files.diagnosis:
            return None
        return diagnose_training(training)

    def reading(self) -> AbstractContextManager[object]:
        """While the table is read."""
        return nullcontext()

    def begin(self, training: TableTraining) -> None:
        """What was read, and what is going to be trained."""

    def end(self, training: TableTraining, written: dict[str, str]) -> None:
        """How good it is, and what was written."""

    def end_early(self, training: TableTraining, written: dict[str, str]) -> None:
        """The same after Ctrl-C or a fault, of which standard error is told."""


class PlainTeller(Teller):
    """Tells people."""

    def __init__(self, plan: RunPlan) -> None:
        super().__init__(plan)
        self.console = output()
        self.listeners = [ProgressBar(console=self.console)]
        self.fits_listener = FitsProgress(console=self.console)

    def reading(self) -> AbstractContextManager[object]:
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            return self.console.status(f"reading {self.plan.files.data}")
        return nullcontext()

    def begin(self, training: TableTraining) -> None:
        rows, columns = training.shape
        say(self.console, f"{self.plan.files.data}: {plural(rows, 'row')}, {plural(columns, 'column')}", style="bold")
        facts(self.console, _facts(training))
        if self.plan.files.resume is not None:
            say(self.console, f"going on from {self.plan.files.resume}")
        say(self.console)

    def end(self, training: TableTraining, written: dict[str, str]) -> None:
        part, report = training.report()
        of_seeds = training.seeds_report()
        if of_seeds is not None:
            self._tell_seeds(of_seeds)
        rows = plural(report.rows, f"{part} row")
        remark = " (it was trained on these: --test 0.25 would keep some apart)" if part == "training" else ""
        whose = "" if of_seeds is None else f", seed {of_seeds.best}"
        say(self.console, f"\nOn the {rows}{whose}{remark}:\n", style="bold")
        show(self.console, str(report))
        say(self.console)
        self._tell_diagnosis(training)
        history = training.model.history
        if history is not None:
            say(self.console, _ended(history, restored=bool(training.settings.patience)))
        self._tell_written(written)
        example = shlex.join(["chainrule", "predict", self.plan.out, "NEW.csv"])
        say(self.console, f"Next: {example}", style="bold")

    def end_early(self, training: TableTraining, written: dict[str, str]) -> None:  # noqa: ARG002 -- nothing was written to tell of
        say(self.console)
        self._tell_diagnosis(training)

    def _tell_diagnosis(self, training: TableTraining) -> None:
        """What is wrong and what to try, in a line or two each; nothing where all is well."""
        findings = self.findings(training) or ()
        grave = [finding for finding in findings if finding.severity != "note" and not finding.cause]
        for finding in grave:
            say(self.console, f"{finding.severity}: {finding.says}", style=_TONES[finding.severity])
            follows = [each.rule.replace("_", " ") for each in findings if each.cause == finding.rule]
            if follows:
                say(self.console, f"  which may well be the reason of: {', '.join(follows)}")
            options = [remedy.option or remedy.argument for remedy in finding.remedies]
            if options:
                say(self.console, f"  try {', or '.join(options[:3])}")
        if grave:
            say(self.console)

    def _tell_seeds(self, report: SeedsReport) -> None:
        rows = plural(report.rows, f"{report.part} row")
        say(self.console, f"\n{plural(len(report.seeds), 'seed')}, {report.name} on the {rows}:\n", style="bold")
        show(self.console, f"{report}\n")
        say(self.console, _chosen(report))

    def _tell_written(self, written: dict[str, str]) -> None:
        replaced = " (in place of the one before)" if self.plan.replaces else ""
        model, *others = written.items()
        say(self.console, f"Wrote {model[0]}: {model[1]}{replaced}")
        for path, what in others:
            say(self.console, f"      {path}: {what}")


class JsonTeller(Teller):
    """Tells machines: ``begin``, an ``epoch`` each, and ``end``, one JSON object a line."""

    def __init__(self, plan: RunPlan) -> None:
        super().__init__(plan)
        self.listeners = [_JsonEpochs()]
        self.fits_listener = _JsonFits()

    def begin(self, training: TableTraining) -> None:
        columns = training.columns
        write_json(
            {
                "event": "begin",
                "data": self.plan.files.data,
                "rows": training.shape[0],
                "columns": training.shape[1],
                "target": columns.target.name,
                "task": columns.task,
                "reason": columns.target.reason,
                "classes": columns.classes,
                "inputs": columns.feature_names,
                "set_aside": {each.name: each.reason for each in columns.set_aside},
                "seeds": training.settings.seeds,
                "parameters": int(training.model.network.theta.size),
                **dict(zip(("training_rows", "validation_rows", "test_rows"), training.rows, strict=True)),
            }
        )

    def end(self, training: TableTraining, written: dict[str, str]) -> None:
        part, report = training.report()
        result = {"scored_on": part, "report": report}
        of_seeds = training.seeds_report()
        self._end(training, written, result if of_seeds is None else {**result, "seeds": of_seeds})

    def end_early(self, training: TableTraining, written: dict[str, str]) -> None:
        self._end(training, written, {})

    def _end(self, training: TableTraining, written: dict[str, str], result: dict[str, Any]) -> None:
        history = training.model.history
        told = (
            {}
            if history is None
            else {
                "epochs": len(history),
                "best_epoch": history.best_epoch,
                "stopped": history.stopped,
                "seconds": history.seconds,
            }
        )
        findings = self.findings(training)
        found = {} if findings is None else {"diagnosis": findings.data()["findings"]}
        write_json({"event": "end", **told, **result, **found, "written": list(written)})


class _JsonFits(FitsListener):
    def on_fit(self, fit: Ended) -> None:
        fault = None if fit.fault is None else str(fit.fault)
        write_json({"event": "fit", **fit.labels, "monitor": fit.monitor, "value": fit.score(), "fault": fault})


class _JsonEpochs(Callback):
    only_watches = True

    def on_epoch(self, record: Epoch) -> None:
        write_json({"event": "epoch", **msgspec.structs.asdict(record)})


def _facts(training: TableTraining) -> list[tuple[str, str]]:
    """What a person wants to know before it begins."""
    columns = training.columns
    used, inputs = len(columns.features), len(columns.feature_names)
    told = [("task", columns.target.reason)]
    told.append(("inputs", f"{inputs:,} from {plural(used, 'column')}"))
    told += [("set aside", line) for line in _set_aside(columns.set_aside)]
    if training.settings.seeds is not None:
        told.append(("seeds", _seeds_in_words(training.settings)))
    told.append(("network", network_in_words(training.model.network)))
    parts = zip(training.rows, ("training", "validation", "test"), strict=True)
    told.append(("rows", ", ".join(f"{count:,} for {part}" for count, part in parts if count)))
    return told


def _seeds_in_words(settings: Settings) -> str:
    """``20, from 0 to 19; the rows are split by seed 0``."""
    seeds = settings.seeds
    told = f"{seeds}, from 0 to {seeds - 1}" if isinstance(seeds, int) else ", ".join(map(str, seeds or ()))
    return f"{told}; the rows are split by seed {settings.seed}"


def _set_aside(columns: Iterable[SetAside]) -> list[str]:
    """Columns of one reason together."""
    by_reason = defaultdict(list)
    for each in columns:
        by_reason[each.reason].append(each.name)
    lines = [f"{_listed(names)}: {'each ' if len(names) > 1 else ''}{reason}" for reason, names in by_reason.items()]
    rest = sum(len(names) for names in list(by_reason.values())[_NAMED:])
    return lines[:_NAMED] + ([f"and {plural(rest, 'other column')}"] if rest else [])


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _chosen(report: SeedsReport) -> str:
    """By what the best was chosen, and whether its score is then an honest one."""
    words = f"The best is seed {report.best}, chosen by its {report.monitor.replace('_', ' ')}"
    if report.monitor != "validation_loss":
        return f"{words} on the training rows (--validation 0.1 would choose by others)."
    if report.part == "test":
        return f"{words}, not by the test rows."
    return f"{words} on these rows: its score there is a little too good (--test 0.25)."


def network_in_words(network: Network) -> str:
    """``61 inputs, 64 relu, 32 relu, 10 softmax: 6,378 parameters``."""
    words = []
    for layer in network.layers:
        if isinstance(layer, Dense):
            words.append(f"{layer.units} {layer.f.name}")
        elif isinstance(layer, Dropout):
            words.append(f"dropout {layer.rate:g}")
        else:
            words.append(layer.kind.replace("_", " "))
    return f"{', '.join(words)}; {network.theta.size:,} parameters; loss {network.loss.name}"


def _ended(history: History, *, restored: bool) -> str:
    """The best epoch, and whose weights the model holds."""
    epochs, best = len(history), history.best_epoch
    value = _watched(history, best)
    stopped = f"Stopped after epoch {epochs}: {history.stopped.replace('_', ' ')}. " if history.stopped else ""
    if restored or best == epochs:
        return f"{stopped}The model holds the weights of epoch {best} of {epochs}, the best ({value})."
    held = f"The model holds the weights of epoch {epochs}, the last; the best was {best} ({value})"
    return f"{stopped}{held}. --patience 20 would keep the best."


def _watched(history: History, epoch: int) -> str:
    """The quantity by which that epoch was the best: ``validation loss 0.0692``."""
    if "validation_loss" in history.names:
        return f"validation loss {history['validation_loss'][epoch - 1]:.4g}"
    if "penalty" in history.names:
        return f"objective {history['objective'][epoch - 1]:.4g} = loss + penalty"
    return f"loss {history['loss'][epoch - 1]:.4g}"
