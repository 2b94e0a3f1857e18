"""The records of scores, which print themselves."""

from __future__ import annotations

import msgspec

from chainrule.errors import ArgumentError, ShapeError
from chainrule.scores.drawing import class_table, html_table, matrix_lines, mistake_lines, text_lines, value_table


class ClassScore(msgspec.Struct, frozen=True, kw_only=True):
    """One class: its scores, its true rows (`support`) and the rows predicted as it; sums of weights if given."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int | float
    predicted: int | float

    def __post_init__(self) -> None:
        _check_shares(f"ClassScore {self.name}", precision=self.precision, recall=self.recall, f1=self.f1)


class AverageScore(msgspec.Struct, frozen=True, kw_only=True):
    """Precision, recall and F1, averaged over the classes."""

    precision: float
    recall: float
    f1: float

    def __post_init__(self) -> None:
        _check_shares("AverageScore", precision=self.precision, recall=self.recall, f1=self.f1)


class Confusion(msgspec.Struct, frozen=True, kw_only=True):
    """`count` of the `support` rows of the class `true` were predicted as the class `predicted`."""

    true: str
    predicted: str
    count: int | float
    support: int | float


class ClassReport(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """How good predicted classes are.

    Attributes:
        rows: rows scored; a row of weight 0 is not.
        support: the sum of their weights; `rows` where none were given.
        accuracy: see `metrics.accuracy`; `balanced_accuracy` likewise.
        macro: means over the classes that appear; `weighted`: weighted by support. See `metrics.precision`.
        log_loss: None without probabilities.
        roc_auc: None without probabilities, or where a class has no rows.
        classes: each class, in the order of its index.
        confusion: ``confusion[i][j]`` rows of class i were predicted as class j; None for more than 200 classes.
        confusions: the 20 most frequent mistakes, the most frequent first.
    """

    rows: int
    support: int | float
    accuracy: float
    balanced_accuracy: float
    macro: AverageScore
    weighted: AverageScore
    log_loss: float | None
    roc_auc: float | None
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int | float, ...], ...] | None
    confusions: tuple[Confusion, ...]

    def __post_init__(self) -> None:
        _check_shares("ClassReport", accuracy=self.accuracy, balanced_accuracy=self.balanced_accuracy)
        K = len(self.classes)
        if K == 0:
            raise ArgumentError("classes", where="ClassReport", expected="at least one class", got=0)
        if self.confusion is not None and {len(self.confusion), *map(len, self.confusion)} != {K}:
            raise ShapeError("confusion", where="ClassReport", expected=f"{K} rows of {K} counts")

    def __str__(self) -> str:
        table = class_table(self)
        return "\n".join([*text_lines(table), "", *table.notes])

    def _repr_html_(self) -> str:
        return html_table(class_table(self))

    def confusion_text(self) -> str:
        """The confusion matrix in at most 80 columns; where it is wider, the most frequent confusions."""
        return "\n".join(matrix_lines(self) or mistake_lines(self))


class ValueScore(msgspec.Struct, frozen=True, kw_only=True):
    """One output. `worst` is the residual ``y - t`` farthest from 0, in row `worst_row` (from 0)."""

    name: str
    r2: float | None
    mae: float | None
    rmse: float | None
    worst: float | None
    worst_row: int


class ValueReport(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """How good predicted values are.

    Attributes:
        rows: rows scored; a row of weight 0 is not.
        r2: see `metrics.r2`, averaged over the outputs like `mae` and `rmse`; None where it is undefined.
        worst: the residual ``y - t`` farthest from 0 of all outputs; `worst_row`: the row (from 0) where it stands.
        outputs: each output.
    """

    rows: int
    r2: float | None
    mae: float | None
    rmse: float | None
    worst: float | None
    worst_row: int
    outputs: tuple[ValueScore, ...]

    def __post_init__(self) -> None:
        if not self.outputs:
            raise ArgumentError("outputs", where="ValueReport", expected="at least one output", got=0)

    def __str__(self) -> str:
        table = value_table(self)
        return "\n".join([*text_lines(table), "", *table.notes])

    def _repr_html_(self) -> str:
        return html_table(value_table(self))


def _check_shares(where: str, **shares: float) -> None:
    for name, share in shares.items():
        if not -1e-9 <= share <= 1 + 1e-9:  # also refuses nan; weights may round a share past 1
            raise ArgumentError(name, where=where, expected="a share from 0 to 1", got=share)
