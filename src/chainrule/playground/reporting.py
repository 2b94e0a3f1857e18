"""The report of a run of the page: its history as the library has it, and what its layers did."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from msgspec.structs import replace

from chainrule.history import History
from chainrule.insight.diagnosis.setup import Setup
from chainrule.playground.script import script_of
from chainrule.report import LayerStatistics
from chainrule.report.reporting import page_of
from chainrule.trained import TableFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.playground.moment import Moment
    from chainrule.playground.timeline import Entry
    from chainrule.records import Epoch

_LOOKS = 48  # at the layers, at most


def report_of(moment: Moment) -> str:
    """One HTML file that tells all of the run up to this moment."""
    names = moment.experiment.rows.columns.feature_names
    return page_of(history_of(moment), layers=layers_of(moment), names=names, python=script_of(moment))


def history_of(moment: Moment) -> History:
    """All epochs up to this moment as those of one training, and what it has come to."""
    experiment, training = moment.experiment, moment.experiment.training
    network, rows, setting = experiment.model(moment.theta).network, experiment.rows, experiment.setting
    table = TableFacts(
        name=setting.data,
        columns=rows.columns,
        settings=setting.settings(),
        shape=rows.frame.shape,
        test=None,
        places=dict(zip(("training", "validation"), rows.places, strict=True)),
        seeds=lambda: None,
    )
    told = table if len(rows.targets) == 1 else None
    trained = dataclasses.replace(
        network.trained_on(training.data, training.scores.held, table=told), engine=experiment.network.engine_choice
    )
    records = tuple(_records(moment))
    return History(
        records,
        best_epoch=max((record.epoch for record in records if record.best), default=0),
        stopped=moment.words,
        seconds=records[-1].seconds if records else 0.0,
        settings=training.settings,
        trained=trained,
    )


def _records(moment: Moment) -> Iterator[Epoch]:
    """The records, numbered through over all changes of the training on the way."""
    course, best = list(moment.course), float("inf")
    seconds, began = 0.0, course[0]
    before: Epoch | None = None
    for number, record in moment.finished:
        while len(course) > 1 and course[1].epochs < number:
            began = course.pop(1)
            seconds, before = seconds + (before.seconds if before else 0.0), None
        value = record.scores.get("validation_loss", record.objective)
        improved, best = value < best, min(value, best)
        before = record
        yield replace(
            record,
            epoch=number,
            taken=began.offset + record.taken,
            seconds=seconds + record.seconds,
            best=improved,
        )


def layers_of(moment: Moment) -> LayerStatistics:
    """What the layers did where the run stood at the end of epochs, as far as the way back has kept it."""
    # Of several after as many epochs the first: a change within an epoch begins another one.
    seen = {e.epochs + e.standing.epoch: e for e in reversed(moment.entries) if _counts(e, moment)}
    every = max(1, -(-len(seen) // _LOOKS))
    statistics = LayerStatistics()
    for epoch, entry in sorted(seen.items(), reverse=True)[::every][::-1]:
        training = entry.experiment.training
        setup = Setup(
            objective=training.objective,
            dtype=entry.experiment.setting.dtype,
            seed=training.settings.seed,
            data=training.data,
            settings=training.settings,
        )
        slots = entry.slots if entry.standing.taken else None
        statistics.note(setup, entry.theta, epoch=epoch, taken=entry.standing.taken, slots=slots)
    return statistics


def _counts(entry: Entry, moment: Moment) -> bool:
    return entry.taken <= moment.taken and entry.standing.step == 0
