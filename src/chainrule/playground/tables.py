"""The data of a page: which tables it may name, and the rows of one as a network takes them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
import polars as pl

from chainrule.arrays import Floats, Ints
from chainrule.errors import ArgumentError, DataError, unknown_name
from chainrule.insight.marking.sheets import Sheet
from chainrule.playground.records import name_of
from chainrule.playground.setting import Setting, adjusted
from chainrule.playground.sheets import (
    WORKED_EXAMPLE,
    columns_of,
    frame_of,
    name_of_sheet,
    setting_of,
    target_names,
    worked_example,
)
from chainrule.report.pictures import like_pixels
from chainrule.splitting import split_rows
from chainrule.tables import Columns, dataset_names, describe, fit_columns, load_dataset
from chainrule.tables.features import NumberColumn
from chainrule.tables.task import fit_target

if TYPE_CHECKING:
    from chainrule.engines.interface import Data

_WHERE = "playground"
MOST_CELLS = 50_000_000  # of the matrix that a table becomes
_SHEETS = 32  # of a session
_FAR = 4  # times the range of nearly all targets, from which on the others stand far off
_NOISE = 77  # the stream of the noise, apart from those of splits and weights


class Begun(NamedTuple):
    """A model that a session begins with: its setting, its columns, its weights."""

    setting: Setting
    columns: Columns
    theta: Floats


class Sources:
    """The tables that a session may name: the built-in ones, and those that it was handed.

    A page names no path: it cannot read what nobody has handed to it.

    Attributes:
        handed: the tables that it was handed, by name.
        begun: a model that it goes on with, if any.
        sheets: exercises by name, each a small table with several targets.
    """

    def __init__(self, handed: dict[str, pl.DataFrame] | None = None, begun: Begun | None = None) -> None:
        self.handed, self.begun = dict(handed or {}), begun
        self.sheets: dict[str, Sheet] = {WORKED_EXAMPLE: worked_example()}

    def model_of(self, setting: Setting) -> Begun | None:
        """The model to begin with, as long as the setting is that of its network and its data."""
        if self.begun is None or setting.needs_restart(self.begun.setting):
            return None
        return self.begun

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, those handed over first, exercises last."""
        return (*dict.fromkeys((*self.handed, *dataset_names(), *self.sheets)),)

    def adjusted(self, setting: Setting, given: dict[str, Any]) -> Setting:
        """The setting with these fields in place of its own; an exercise brings all of its own, and keeps it.

        Raises:
            ArgumentError: when a field is unknown or out of range.
        """
        name = given.get("data", setting.data)
        if name != setting.data and name in self.sheets:
            setting = setting_of(self.sheets[name], name)
        elif name != setting.data and setting.data in self.sheets:
            setting = Setting(data=name)
        return adjusted(setting, given)

    def sheet(self, name: str) -> Sheet:
        """The exercise of that name.

        Raises:
            ArgumentError: when there is none.
        """
        if name not in self.sheets:
            raise unknown_name("exercise", name, list(self.sheets), where=_WHERE)
        return self.sheets[name]

    def keep(self, sheet: Sheet) -> str:
        """Keep an exercise under its name; of those that were drawn before the last ones alone."""
        name = name_of_sheet(sheet)
        drawn = [each for each in self.sheets if each not in {WORKED_EXAMPLE, name}]
        for old in drawn[: len(drawn) - _SHEETS + 1]:
            del self.sheets[old]
        self.sheets[name] = sheet
        return name

    def is_own(self, name: str) -> bool:
        """Whether a person handed it in."""
        return name in self.handed and name not in dataset_names()

    def about(self, name: str) -> str:
        """A line about a table."""
        if name in self.handed:
            return f"{self.handed[name].height:,} rows, {self.handed[name].width} columns"
        if name in self.sheets:
            return "A step of backpropagation that is worked out by hand"
        return describe(name).about

    def table(self, name: str) -> pl.DataFrame:
        """The table of that name.

        Raises:
            ArgumentError: when there is none.
        """
        if name in self.handed:
            return self.handed[name]
        if name in self.sheets:
            return frame_of(self.sheets[name])
        if name not in dataset_names():
            raise unknown_name("table", name, self.names, where=_WHERE)
        return load_dataset(name)

    def target(self, setting: Setting) -> str:
        """The column to predict: as asked, that of a built-in table, or the last one that can be learned."""
        frame = self.table(setting.data)
        columns = frame.columns
        if setting.target is not None:
            if setting.target not in columns:
                raise unknown_name("column", setting.target, columns, where=_WHERE)
            return setting.target
        if setting.data in dataset_names() and setting.data not in self.handed:
            return describe(setting.data).target
        return next((name for name in reversed(columns) if _can_be_learned(frame[name])), columns[-1])


def _can_be_learned(column: pl.Series) -> bool:
    """Whether a column can be the target: it is whole, it varies, and it does not name each row."""
    try:
        fit_target(column, None, "auto")
    except DataError:
        return False
    return True


class Axis(msgspec.Struct, frozen=True):
    """An input along an axis: from `low` to `high` as the network sees it, which are these values in the table."""

    name: str
    low: float
    high: float
    low_value: float
    high_value: float


@dataclass(frozen=True, eq=False)
class Rows:
    """A table, split and encoded.

    Attributes:
        frame: as it was read.
        target: the column to predict.
        columns: the encoding, fitted on the training rows.
        training: the rows to train on; `held`: those held out, if any.
        places: in the frame of the training rows, then of those held out.
        sheet: the exercise that they are of, if any: it may have several targets, which training then holds ``(N, O)``.
    """

    frame: pl.DataFrame
    target: str
    columns: Columns
    training: tuple[Floats, Any]
    held: tuple[Floats, Any] | None
    places: tuple[Ints, Ints]
    sheet: Sheet | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the values to predict; of classes the one that holds them."""
        if self.sheet is None or self.columns.classes:
            return (self.target,)
        return target_names(self.sheet)

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """Each input with the range of its training rows, a little widened."""
        X = self.training[0]
        raw = {f.name: f for f in self.columns.features if isinstance(f, NumberColumn)}
        axes = []
        for name, low, high in zip(self.columns.feature_names, X.min(axis=0), X.max(axis=0), strict=True):
            margin = 0.08 * float(high - low) or 1.0
            ends = float(low) - margin, float(high) + margin
            feature = raw.get(name)
            back = ends if feature is None else tuple(x * feature.scale + feature.center for x in ends)
            axes.append(Axis(name, *ends, *back))
        return tuple(axes)

    @cached_property
    def first_axes(self) -> tuple[int, int]:
        """The two inputs to look at first: numbers, where there are any."""
        numbers = {feature.name for feature in self.columns.features if isinstance(feature, NumberColumn)}
        places = [place for place, axis in enumerate(self.axes) if axis.name in numbers] or list(range(len(self.axes)))
        return places[0], places[min(1, len(places) - 1)]

    @cached_property
    def center(self) -> Floats:
        """The mean of each input over the training rows ``(I,)``."""
        return np.asarray(self.training[0].mean(axis=0))

    @cached_property
    def picture_side(self) -> int:
        """The side of the square picture that the columns are, or 0 where they are none.

        Pixels are a square number of columns on one scale; see `like_pixels`.
        """
        numbers = all(type(feature) is NumberColumn and not feature.indicator for feature in self.columns.features)
        side = round((self.frame.width - 1) ** 0.5)
        if not numbers or side < 5 or side * side != self.frame.width - 1:
            return 0
        pixels = self.frame.select(feature.name for feature in self.columns.features)
        if not all(kind.is_numeric() for kind in pixels.dtypes):
            return 0
        least, most = pixels.min().to_numpy().ravel(), pixels.max().to_numpy().ravel()
        return side if like_pixels(least, most) else 0

    @cached_property
    def target_ends(self) -> tuple[float, float]:
        """Between which values of the target the colours lie, as the network gives them: the least and the largest.

        Where some few values stand far off, so that all others would have one colour, the 2nd and the 98th percentile.
        Of one input it is an axis, on which all have their place.
        """
        t = self.training[1]
        ends = float(t.min()), float(t.max())
        low, high = (float(end) for end in np.quantile(t, (0.02, 0.98)))
        far = len(self.axes) > 1 and high > low and ends[1] - ends[0] > _FAR * (high - low)
        return (low, high) if far else ends

    @cached_property
    def pixels(self) -> Ints:
        """Where in the picture each input stands ``(I,)``; a pixel that never varies is no input."""
        places = {name: place for place, name in enumerate(name for name in self.frame.columns if name != self.target)}
        return np.array([places[feature.name] for feature in self.columns.features])

    def data(self, *, held: bool) -> tuple[Floats, Any]:
        """The rows held out, or the training rows, where that is asked for or there are no others."""
        return self.held if held and self.held is not None else self.training

    @cached_property
    def ranges(self) -> tuple[Floats, Floats]:
        """The least and the largest of each input over the training rows, both ``(I,)``."""
        X = self.training[0]
        return np.asarray(X.min(axis=0)), np.asarray(X.max(axis=0))

    def every(self) -> tuple[Floats, Any]:
        """The training rows, then those held out."""
        return self._every

    @cached_property
    def _every(self) -> tuple[Floats, Any]:
        if self.held is None:
            return self.training
        (X, t), (Xh, th) = self.training, self.held
        return np.concatenate([X, Xh]), np.concatenate([t, th])


def read_rows(setting: Setting, sources: Sources) -> Rows:
    """Read, split and encode.

    Raises:
        InputError: when the table cannot be used so.
    """
    if setting.data in sources.sheets and setting.data not in sources.handed:
        return _rows_of_sheet(setting, sources)
    frame, target = sources.table(setting.data), sources.target(setting)
    settings = setting.settings()
    if target in setting.drop:
        raise ArgumentError("drop", where=_WHERE, expected="no target", got=target)
    begun = sources.model_of(setting)
    columns = _columns(frame, target, np.arange(len(frame)), setting) if begun is None else begun.columns
    kept, held = _split(frame, columns, setting)
    if begun is None:
        columns = _columns(frame, target, kept, setting)
    if len(frame) * len(columns.feature_names) > MOST_CELLS:
        raise ArgumentError(
            f"{len(frame):,} rows become a matrix of {len(columns.feature_names):,} columns", where=_WHERE,
            expected=f"at most {MOST_CELLS:,} numbers", mend="Leave out columns of text",
        )  # fmt: skip
    rng = np.random.default_rng([setting.seed, _NOISE])

    def encoded(rows: Ints) -> tuple[Floats, Any]:
        part = frame[rows]
        X = columns.encode(part, dtype=settings.dtype)
        if setting.noise:
            X += rng.normal(0, setting.noise, X.shape).astype(X.dtype)
        return X, columns.encode_target(part, dtype=settings.dtype)

    return Rows(frame, target, columns, encoded(kept), encoded(held) if len(held) else None, (kept, held))


def _rows_of_sheet(setting: Setting, sources: Sources) -> Rows:
    """The rows of an exercise, all to train on, as they stand there."""
    sheet = sources.sheets[setting.data]
    frame, columns = frame_of(sheet), columns_of(sheet)
    X, T = (np.asarray(part, dtype=setting.dtype) for part in (sheet.X, sheet.T))
    y = T.argmax(axis=1) if columns.classes else T
    places = np.arange(len(X)), np.arange(0)
    return Rows(frame, target_names(sheet)[0], columns, (X, y), None, places, sheet)


def _columns(frame: pl.DataFrame, target: str, rows: Ints, setting: Setting) -> Columns:
    found = fit_columns(frame, target, rows=rows, task=setting.task, scaling=setting.scaling, drop=setting.drop)
    if (
        name_of(setting.loss) == "poisson" and not found.classes
    ):  # counts are what they are: their logarithm has no unit
        return msgspec.structs.replace(found, target=msgspec.structs.replace(found.target, mean=0.0, std=1.0))
    return found


def _split(frame: pl.DataFrame, columns: Columns, setting: Setting) -> tuple[Ints, Ints]:
    share = 1 - setting.training_share
    if share < 1e-9 or len(frame) < 2:
        return np.arange(len(frame)), np.arange(0)
    classes = columns.encode_target(frame) if columns.classes else None
    return split_rows(len(frame), share, seed=setting.seed, classes=classes)


def as_batch(rows: tuple[Floats, Any], of: Any) -> Data:
    """Rows as the network of `of` takes them."""
    X, t = rows
    data: Data = of.read(X, t, where=_WHERE).data()
    return data
