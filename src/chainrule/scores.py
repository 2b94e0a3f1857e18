"""Scores: all that is asked of a set of predictions, as one record that prints itself.

`score_classes` gives a `ClassReport`, `score_values` a `ValueReport`. Both are plain records (`msgspec.json.encode`
writes them, `msgspec.json.decode` reads them back) and hold no arrays; a number that is undefined is None. ``str``
gives text of at most 80 columns without colour, a notebook shows a table.
"""

from __future__ import annotations

import html
import math
import unicodedata
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
import numpy as np

from chainrule import metrics
from chainrule.errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from chainrule.arrays import Floats, Ints

_WIDTH = 80  # columns of a line of text
_ROWS = 30  # classes or outputs listed in full; of more only the weakest are
_WEAKEST = 20
_MISTAKES = 20  # kinds of confusion that a report keeps
_MATRIX = 200  # classes up to which a report keeps the confusion matrix
_NAME = 39  # what the four numbers of a row leave of a line
_SIDE = 24  # columns of the names beside a confusion matrix
_CORNER = "true \\ predicted"
_CELL = 9  # columns of a number, as in scikit-learn's classification_report


# Records ------------------------------------------------------------------------------------------------------------


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
        table = _class_table(self)
        return "\n".join([*_text_lines(table), "", *table.notes])

    def _repr_html_(self) -> str:
        return _html(_class_table(self))

    def confusion_text(self) -> str:
        """The confusion matrix in at most 80 columns; where it is wider, the most frequent confusions."""
        return "\n".join(_matrix_lines(self) or _mistake_lines(self))


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
        table = _value_table(self)
        return "\n".join([*_text_lines(table), "", *table.notes])

    def _repr_html_(self) -> str:
        return _html(_value_table(self))


def _check_shares(where: str, **shares: float) -> None:
    for name, share in shares.items():
        if not -1e-9 <= share <= 1 + 1e-9:  # also refuses nan; weights may round a share past 1
            raise ArgumentError(name, where=where, expected="a share from 0 to 1", got=share)


# Scoring ------------------------------------------------------------------------------------------------------------


def score_classes(
    t: npt.ArrayLike,
    predicted: npt.ArrayLike,
    classes: Sequence[object] | None = None,
    *,
    sample_weight: npt.ArrayLike | None = None,
) -> ClassReport:
    """Score predicted classes.

    Args:
        t: true class indices ``(N,)``.
        predicted: class indices ``(N,)``, or probabilities ``(N, K)``, for two classes also ``(N, 1)``; these give
            log-loss and ROC AUC as well.
        classes: the K names, in the order of the indices; ``0 .. K-1`` if left out.
        sample_weight: ``(N,)``.

    >>> report = score_classes([0, 0, 1], [0, 1, 1], ["no", "yes"])
    >>> report.classes[1].precision, report.confusion
    (0.5, ((1, 1), (0, 1)))
    """
    where = "score_classes"
    y = metrics.predicted_classes(predicted, name="predicted", where=where)
    t = metrics.class_indices(t, name="t", where=where)
    P = _probabilities(predicted, where=where)
    names = _class_names(classes, t, y, None if P is None else P.shape[1], where=where)
    counts = metrics.class_counts(t, y, n_classes=len(names), sample_weight=sample_weight, where=where)
    w = metrics.row_weights(sample_weight, len(t), where=where)
    K = len(names)
    matrix = metrics.confusion_matrix(t, y, n_classes=K, sample_weight=w) if K <= _MATRIX else None
    return ClassReport(
        rows=_rows_that_count(t, w),
        support=counts.true.sum().item(),
        accuracy=metrics.accuracy(t, y, sample_weight=w),
        balanced_accuracy=metrics.balanced_accuracy(t, y, sample_weight=w),
        macro=_average(counts, "macro"),
        weighted=_average(counts, "weighted"),
        log_loss=None if P is None else _finite(metrics.log_loss(t, P, sample_weight=w)),
        roc_auc=None if P is None else _finite(metrics.roc_auc(t, P, sample_weight=w)),
        classes=_each_class(names, counts),
        confusion=None if matrix is None else tuple(map(tuple, matrix.tolist())),
        confusions=_most_frequent(names, counts, t, y, w),
    )


def score_values(
    t: npt.ArrayLike,
    y: npt.ArrayLike,
    outputs: Sequence[object] | None = None,
    *,
    sample_weight: npt.ArrayLike | None = None,
) -> ValueReport:
    """Score predicted values.

    Args:
        t: true values ``(N,)`` or ``(N, O)``.
        y: predicted values of the same shape.
        outputs: the O names; ``output_1 .. output_O`` if left out.
        sample_weight: ``(N,)``.

    >>> score_values([1.0, 2.0, 3.0], [1.0, 2.0, 4.0]).worst
    1.0
    """
    where = "score_values"
    T, Y = metrics.value_pair(t, y, where=where)
    w = metrics.row_weights(sample_weight, len(T), where=where)
    names = [f"output_{o + 1}" for o in range(T.shape[1])] if outputs is None else [str(name) for name in outputs]
    if len(names) != T.shape[1]:
        raise ShapeError("outputs", where=where, expected=f"a name for each of {T.shape[1]} outputs", got=len(names))
    scores = tuple(_one_output(name, T[:, o], Y[:, o], w) for o, name in enumerate(names))
    farthest = max(scores, key=lambda score: math.inf if score.worst is None else abs(score.worst))
    return ValueReport(
        rows=_rows_that_count(T, w),
        r2=_finite(metrics.r2(T, Y, sample_weight=w)),
        mae=_finite(metrics.mae(T, Y, sample_weight=w)),
        rmse=_finite(metrics.rmse(T, Y, sample_weight=w)),
        worst=farthest.worst,
        worst_row=farthest.worst_row,
        outputs=scores,
    )


def _probabilities(predicted: npt.ArrayLike, *, where: str) -> Floats | None:
    """``P (N, K)`` if probabilities were given, None if classes were."""
    array = metrics.numbers(predicted, name="predicted", where=where)
    return metrics.class_scores(array, name="predicted", where=where) if array.ndim == 2 else None


def _class_names(classes: Sequence[object] | None, t: Ints, y: Ints, columns: int | None, *, where: str) -> list[str]:
    if classes is None:
        return [str(k) for k in range(columns or int(max(t.max(), y.max())) + 1)]
    names = [str(name) for name in classes]
    if not names:
        raise ArgumentError("classes", where=where, expected="at least one name", got=classes)
    if columns is not None and len(names) != columns:
        expected = f"a name for each of {columns} columns of probabilities"
        raise ShapeError("classes", where=where, expected=expected, got=len(names))
    return names


def _rows_that_count(t: npt.NDArray[np.generic], w: Floats | None) -> int:
    return len(t) if w is None else int(np.count_nonzero(w))


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _average(counts: metrics.ClassCounts, average: Literal["macro", "weighted"]) -> AverageScore:
    return AverageScore(
        precision=metrics.averaged(metrics.precision_of(counts), counts, average),
        recall=metrics.averaged(metrics.recall_of(counts), counts, average),
        f1=metrics.averaged(metrics.f1_of(counts), counts, average),
    )


def _each_class(names: list[str], counts: metrics.ClassCounts) -> tuple[ClassScore, ...]:
    columns = (metrics.precision_of(counts), metrics.recall_of(counts), metrics.f1_of(counts))
    numbers = (column.tolist() for column in (*columns, counts.true, counts.predicted))
    return tuple(
        ClassScore(name=name, precision=p, recall=r, f1=f, support=s, predicted=q)
        for name, p, r, f, s, q in zip(names, *numbers, strict=True)
    )


def _most_frequent(
    names: list[str], counts: metrics.ClassCounts, t: Ints, y: Ints, w: Floats | None
) -> tuple[Confusion, ...]:
    """The most frequent (true, predicted) pairs off the diagonal; of equal ones those of the lower indices first."""
    missed = t != y
    pairs, which = np.unique(t[missed] * len(names) + y[missed], return_inverse=True)
    sizes = np.bincount(which, None if w is None else w[missed], minlength=len(pairs))
    order = [k for k in np.argsort(-sizes, kind="stable")[:_MISTAKES].tolist() if sizes[k] > 0]
    return tuple(
        Confusion(true=names[i], predicted=names[j], count=sizes[k].item(), support=counts.true[i].item())
        for k in order
        for i, j in [divmod(int(pairs[k]), len(names))]
    )


def _one_output(name: str, t: Floats, y: Floats, w: Floats | None) -> ValueScore:
    with np.errstate(over="ignore"):
        residual = y - t
    distance = np.abs(residual) if w is None else np.where(w > 0, np.abs(residual), -1.0)
    row = int(distance.argmax())
    return ValueScore(
        name=name,
        r2=_finite(metrics.r2(t, y, sample_weight=w)),
        mae=_finite(metrics.mae(t, y, sample_weight=w)),
        rmse=_finite(metrics.rmse(t, y, sample_weight=w)),
        worst=_finite(float(residual[row])),
        worst_row=row,
    )


# Printing -----------------------------------------------------------------------------------------------------------


class _Table(NamedTuple):
    """What text and HTML both show: a head of four numbers, rows, a line that says what was left out, foot, notes."""

    head: list[str]
    rows: list[list[str]]
    left_out: str
    foot: list[list[str]]
    notes: list[str]


def _class_table(report: ClassReport) -> _Table:
    rows, left_out = report.classes, ""
    if len(rows) > _ROWS:
        appear = sorted((c for c in rows if c.support or c.predicted), key=lambda c: c.f1)
        rows, rest = tuple(appear[:_WEAKEST]), appear[_WEAKEST:]
        left_out = f"... the {len(rows)} classes of lowest F1, of {len(report.classes)}"
        left_out += f"; the others that appear: {rest[0].f1:.2f} to {rest[-1].f1:.2f}" if rest else ""
    support = _count(report.support)
    averages = [("macro avg", report.macro), ("weighted avg", report.weighted)]
    return _Table(
        head=["precision", "recall", "f1-score", "support"],
        rows=[[_printable(c.name), *_shares(c), _count(c.support)] for c in rows],
        left_out=left_out,
        foot=[
            ["accuracy", "", "", f"{report.accuracy:.2f}", support],
            *([name, *_shares(average), support] for name, average in averages),
        ],
        notes=_class_notes(report),
    )


def _shares(score: ClassScore | AverageScore) -> list[str]:
    return [f"{share:.2f}" for share in (score.precision, score.recall, score.f1)]


def _class_notes(report: ClassReport) -> list[str]:
    line = f"accuracy {report.accuracy:.4f}, balanced accuracy {report.balanced_accuracy:.4f}"
    for name, number in (("log-loss", report.log_loss), ("ROC AUC", report.roc_auc)):
        line += f", {name} {number:.4f}" if number is not None else ""
    absent = sum(not (c.support or c.predicted) for c in report.classes)
    if not absent:
        return [line]
    return [line, f"{absent} of the classes neither occur nor were predicted; no average counts them"]


def _value_table(report: ValueReport) -> _Table:
    rows, left_out = report.outputs, ""
    if len(rows) > _ROWS:
        rows = tuple(sorted(rows, key=lambda o: -math.inf if o.r2 is None else o.r2)[:_WEAKEST])
        left_out = f"... the {len(rows)} outputs of lowest R2, of {len(report.outputs)}"
    worst = "beyond the range of numbers" if report.worst is None else f"{report.worst:.5g}"
    return _Table(
        head=["R2", "MAE", "RMSE", "worst"],
        rows=[[_printable(o.name), *map(_number, (o.r2, o.mae, o.rmse, o.worst))] for o in rows],
        left_out=left_out,
        foot=[["average", *map(_number, (report.r2, report.mae, report.rmse)), ""]] if len(report.outputs) > 1 else [],
        notes=[f"rows {report.rows}; worst residual y - t: {worst}, in row {report.worst_row} (from 0)"],
    )


def _number(number: float | None) -> str:
    """Five digits that count, or as many as fit a cell."""
    if number is None:
        return "-"
    return next(text for digits in (5, 4, 3, 2, 1) if len(text := f"{number:.{digits}g}") <= _CELL)


def _count(count: float) -> str:
    """A number of rows as it is; a sum of weights to five digits."""
    return str(count) if isinstance(count, int) and len(str(count)) <= _CELL else _number(count)


def _text_lines(table: _Table) -> list[str]:
    """Right-aligned columns as scikit-learn's classification_report has them, blocks parted by empty lines."""
    every = [*table.rows, *table.foot]
    names = [_shortened(name, _NAME) for name, *_ in every]
    width = max(len("weighted avg"), *map(_cells, names))
    lines = [_row(_padded(name, width), row[1:]) for name, row in zip(names, every, strict=True)]
    n = len(table.rows)
    lines[n:n] = [table.left_out] * bool(table.left_out) + [""] * bool(table.foot)
    return [_row(" " * width, table.head), "", *lines]


def _row(name: str, cells: list[str]) -> str:
    return " ".join([name, "", *(f"{cell:>{_CELL}}" for cell in cells)]).rstrip()


def _html(table: _Table) -> str:
    def row(cells: list[str], tag: str = "td") -> str:
        first, *numbers = map(html.escape, cells)
        right = "".join(f'<{tag} style="text-align:right">{number}</{tag}>' for number in numbers)
        return f'<tr><th style="text-align:left">{first}</th>{right}</tr>'

    left_out = f'<tr><td colspan="5">{html.escape(table.left_out)}</td></tr>' if table.left_out else ""
    body = "".join(map(row, table.rows)) + left_out
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in table.notes)
    head, foot = row(["", *table.head], "th"), "".join(map(row, table.foot))
    return f"<table><thead>{head}</thead><tbody>{body}</tbody><tfoot>{foot}</tfoot></table>{notes}"


def _matrix_lines(report: ClassReport) -> list[str]:
    """The matrix under the names of its classes, or under #1, #2, ... where those are too long; nothing if too wide."""
    if report.confusion is None:
        return []
    counts = [[_count(count) for count in row] for row in report.confusion]
    widest = max(len(count) for row in counts for count in row)
    names = [_printable(c.name) for c in report.classes]
    attempts = (make(names, counts, widest, gap) for gap in (2, 1) for make in (_under_names, _under_numbers))
    return next(filter(None, attempts), [])


def _under_names(names: list[str], counts: list[list[str]], widest: int, gap: int) -> list[str]:
    """Names head the columns, whole, or shortened as long as they can be read and told apart."""
    longest = max(map(_cells, names))
    side = max(len(_CORNER), min(longest, _SIDE))
    room = (_WIDTH - side) // len(names) - gap
    heads = [_shortened(name, max(room, 1)) for name in names]
    readable = longest <= room or (room >= 8 and len(set(heads)) == len(heads))
    if room < widest or not readable:
        return []
    return _grid(heads, [_shortened(name, side) for name in names], counts, gap)


def _under_numbers(names: list[str], counts: list[list[str]], widest: int, gap: int) -> list[str]:
    """Numbers head the columns, and stand before the names of the rows."""
    heads = [f"#{k + 1}" for k in range(len(names))]
    digits = len(heads[-1])
    side = min(_SIDE, _WIDTH - (max(widest, digits) + gap) * len(names))
    if side < len(_CORNER):
        return []
    rows = [_shortened(f"{head:<{digits}} {name}", side) for head, name in zip(heads, names, strict=True)]
    return _grid(heads, rows, counts, gap)


def _grid(columns: list[str], rows: list[str], counts: list[list[str]], gap: int) -> list[str]:
    side = max(map(_cells, [_CORNER, *rows]))
    width = max(map(_cells, [*columns, *(count for row in counts for count in row)]))
    return [
        (" " * gap).join([_padded(name, side, left=True), *(_padded(cell, width) for cell in cells)])
        for name, cells in zip([_CORNER, *rows], [columns, *counts], strict=True)
    ]


def _mistake_lines(report: ClassReport) -> list[str]:
    if not report.confusions:
        return ["no class was taken for another"]
    head = ("true", "predicted", "rows", "of")
    mistakes = [
        (_shortened(c.true, 28), _shortened(c.predicted, 28), _count(c.count), _count(c.support))
        for c in report.confusions
    ]
    widths = [max(map(_cells, column)) for column in zip(head, *mistakes, strict=True)]
    lines = [
        "  ".join(_padded(cell, width, left=i < 2) for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in [head, *mistakes]
    ]
    return [f"the most frequent confusions of {len(report.classes)} classes, of the rows of the true one:", *lines]


# Text in columns ----------------------------------------------------------------------------------------------------


def _printable(text: str) -> str:
    """The text on one line: what would move the cursor or set a colour as an escape, what cannot be seen in quotes."""
    text = text if text and text.strip() == text else f"'{text}'"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _cell(character: str) -> int:
    """Columns of a terminal that a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cells(text: str) -> int:
    return sum(map(_cell, text))


def _padded(text: str, width: int, *, left: bool = False) -> str:
    space = " " * (width - _cells(text))
    return text + space if left else space + text


def _shortened(text: str, width: int) -> str:
    """The text in at most `width` columns: beginning and end, which tell similar names apart, around an ellipsis."""
    text = _printable(text)
    if _cells(text) <= width:
        return text
    end = _taken(text[::-1], (width - 1) // 2)[::-1]
    return _taken(text, width - 1 - _cells(end)) + "…" + end


def _taken(text: str, width: int) -> str:
    """As much of the beginning as fits."""
    taken = ""
    for character in text:
        width -= _cell(character)
        if width < 0:
            break
        taken += character
    return taken
