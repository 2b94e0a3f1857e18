"""Exercises as the page has them: a sheet is a table, a setting, and places to fill in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from chainrule import activations, checks, losses
from chainrule.insight.marking.sheets import Exercise, Sheet
from chainrule.playground.records import Field, fields_of
from chainrule.playground.setting import DenseLayer, HiddenLayer, Setting
from chainrule.settings import convert
from chainrule.tables import Columns
from chainrule.tables.features import NumberColumn
from chainrule.tables.task import ClassTarget, ValueTarget

if TYPE_CHECKING:
    from collections.abc import Sequence

WORKED_EXAMPLE = "worked example"
_OF_A_SHEET = "a sheet says so"


def worked_example() -> Sheet:
    """The example that everybody checks against: Mazur, "A Step by Step Backpropagation Example".

    >>> round(float(worked_example().trace()["loss"]), 9)
    0.298371109
    """
    numbers = {
        "dense_1.W": [[0.15, 0.25], [0.20, 0.30]],
        "dense_1.b": [0.35, 0.35],
        "dense_2.W": [[0.40, 0.50], [0.45, 0.55]],
        "dense_2.b": [0.60, 0.60],
    }
    task = Exercise(inputs=2, hidden=(2,), outputs=2, digits=6, frozen=("b",))
    sheet = Sheet(exercise=task, seed=0, student=1, X=[[0.05, 0.10]], T=[[0.01, 0.99]], weights=numbers)
    return sheet.with_blanks()


def name_of_sheet(sheet: Sheet) -> str:
    """By which the page names it as its data."""
    return f"exercise {sheet.seed}, sheet {sheet.student}"


def input_names(sheet: Sheet) -> tuple[str, ...]:
    """``x1``, ``x2``, ..."""
    return tuple(f"x{i}" for i in range(1, sheet.exercise.inputs + 1))


def target_names(sheet: Sheet) -> tuple[str, ...]:
    """``t1``, ``t2``, ...; of classes the one column that holds them."""
    if sheet.exercise.loss == "cross_entropy":
        return ("class",)
    return tuple(f"t{o}" for o in range(1, sheet.exercise.outputs + 1))


def frame_of(sheet: Sheet) -> pl.DataFrame:
    """The rows of a sheet as a table."""
    columns = _columns(input_names(sheet), sheet.X)
    if sheet.exercise.loss == "cross_entropy":
        return pl.DataFrame(columns | {"class": (np.asarray(sheet.T).argmax(axis=1) + 1).tolist()})
    return pl.DataFrame(columns | _columns(target_names(sheet), sheet.T))


def _columns(names: Sequence[str], rows: list[list[float]]) -> dict[str, list[float]]:
    return dict(zip(names, np.asarray(rows, dtype=float).T.tolist(), strict=True))


def columns_of(sheet: Sheet) -> Columns:
    """Its encoding: every number as it stands."""
    features = tuple(NumberColumn(name=name, median=0.0) for name in input_names(sheet))
    first, *_ = target_names(sheet)
    if sheet.exercise.loss != "cross_entropy":
        return Columns(
            features=features, target=ValueTarget(name=first, mean=0.0, std=1.0, reason=_OF_A_SHEET), scaling="none"
        )
    classes = tuple(range(1, sheet.exercise.outputs + 1))
    return Columns(
        features=features, target=ClassTarget(name=first, classes=classes, reason=_OF_A_SHEET), scaling="none"
    )


def setting_of(sheet: Sheet, name: str) -> Setting:
    """The setting in which the page's network is that of the sheet, at its numbers, in float64."""
    exercise = sheet.exercise
    return Setting(
        data=name,
        scaling="none",
        training_share=1.0,
        layers=tuple(
            HiddenLayer(units=units, activation=exercise.activation, frozen=exercise.frozen)
            for units in exercise.hidden
        ),
        output=DenseLayer(activation=exercise.last(), frozen=exercise.frozen),
        start=sheet.weights,
        loss=exercise.loss,
        optimizer="sgd",
        lr=exercise.rate,
        batch_size=0,
        dtype="float64",
    )


def form() -> tuple[Field, ...]:
    """What can be asked of an exercise; names are chosen from those of the library."""
    inner = tuple(name for name in activations.names() if name != "softmax")
    chosen = {"activation": inner, "output_activation": ("", *activations.names()), "loss": losses.names()}
    usual = Exercise()
    told = [field for field in fields_of(usual) if field.name != "frozen"]
    names = [Field(name, "choice", getattr(usual, name), options) for name, options in chosen.items()]
    return (*told, *names)


def drawn(options: dict[str, object], seed: int, student: int) -> Sheet:
    """The sheet of a student: what `chainrule exercise` writes.

    Raises:
        ArgumentError: when an option is unknown or out of range.
    """
    checks.seed(seed, where="exercise")
    checks.whole(student, "student", where="exercise")
    return convert(options, Exercise, where="exercise").draw(seed, student)
