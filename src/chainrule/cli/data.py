"""``chainrule data``: the built-in tables, or what is in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from chainrule.cli.console import columns_of_text, output, plural, say
from chainrule.cli.options import GROUPS, names_in
from chainrule.errors import ArgumentError, DataError

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from chainrule.tables import SetAside
    from chainrule.tables.features import Feature

_GROUP = GROUPS["Data"]
_MOST = 40  # columns that are shown one by one
_EXAMPLES = """\
Examples:
  chainrule data
  chainrule data penguins
  chainrule data flowers.csv --target species"""

app = App(
    name="data",
    usage="Usage: chainrule data [NAME] [OPTIONS]",
    help_epilogue=_EXAMPLES,
)


@app.default
def data(
    name: Annotated[
        str | None, Parameter(group=_GROUP, help="A built-in table, a file, or - for standard input.")
    ] = None,
    /,
    *,
    target: Annotated[
        str | None,
        Parameter(group=_GROUP, metavar="COLUMN", help="The column to predict: says whether as classes or values."),
    ] = None,
    head: Annotated[int, Parameter(group=_GROUP, metavar="N", help="First rows to show.")] = 5,
    missing: Annotated[
        list[str] | None, Parameter(group=_GROUP, metavar="TEXTS", negative=(), help="Texts that mean a missing value.")
    ] = None,
    header: Annotated[
        bool, Parameter(group=_GROUP, show_default="yes", help="Whether the first line names the columns.")
    ] = True,
) -> None:
    """Show the table; see `app` for the words that a person reads."""
    console = output()
    if name is None:
        _list(console)
        return
    if head < 0:
        raise ArgumentError("--head", expected="a whole number >= 0", got=head)
    from chainrule.tables import MISSING, dataset_names, describe, known_target, read_table

    marks = (*MISSING, *names_in(missing or []))
    frame = read_table(name, missing=marks, header=header)
    if name in dataset_names():
        about = describe(name)
        say(console, about.about)
        say(console, f"Source: {about.source}")
        say(console, f"Licence: {about.licence}")
        say(console)
    say(console, f"{name}: {plural(frame.height, 'row')}, {plural(frame.width, 'column')}", style="bold")
    _show_columns(console, frame, target or known_target(name), marks, name)
    if head:
        _show_rows(console, frame.head(head))
    if name in dataset_names():
        say(console, f"\nNext: chainrule train {name}", style="bold")


def _list(console: Console) -> None:
    """The built-in tables, a line each."""
    from chainrule.tables import dataset_names, describe

    tables = [describe(name) for name in dataset_names()]
    lines = [("table", "rows", "columns", "target", "what it holds")]
    lines += [(t.name, f"{t.rows:,}", str(t.columns), t.target, t.about) for t in tables]
    columns_of_text(console, lines, right=(1, 2))
    say(console)
    say(
        console,
        "mnist:FOLDER, mnist_test:FOLDER, fashion_mnist:FOLDER and fashion_mnist_test:FOLDER read the four IDX files "
        "of these collections (gzip or not) from a folder of yours.",
    )
    say(console, "\nNext: chainrule data penguins, chainrule train penguins", style="bold")


def _show_columns(console: Console, frame: pl.DataFrame, target: str | None, marks: tuple[str, ...], name: str) -> None:
    """A line for each column, or for the first of many: its type, what is missing, what the network would see."""
    told, failed = _encodings(frame, target, marks, name)
    shown = frame.columns[:_MOST]
    lines = [("column", "holds", "missing", "becomes")]
    for column in shown:
        series = frame.get_column(column)
        lines.append(
            (column, _type(series), f"{series.null_count():,}" if series.null_count() else "", told.get(column, ""))
        )
    columns_of_text(console, lines, right=(2,))
    if frame.width > len(shown):
        say(console, f"... and {plural(frame.width - len(shown), 'more column')}")
    if failed is not None:
        raise failed


def _encodings(
    frame: pl.DataFrame, target: str | None, marks: tuple[str, ...], name: str
) -> tuple[dict[str, str], DataError | None]:
    """What each column would become; and why it cannot be told, where it cannot."""
    from chainrule.tables import fit_columns
    from chainrule.tables.fitting import Options, fit_features

    try:
        if target is None:
            options = Options(scaling="standard", max_categories=255, categories=frozenset(), drop=frozenset())
            features, set_aside, _ = fit_features(frame.get_columns(), None, options)
            return _in_words(features, set_aside), None
        columns = fit_columns(frame, target, missing=marks, where=name)
    except DataError as fault:
        return {}, fault
    told = _in_words(columns.features, columns.set_aside)
    return told | {target: f"the target, {columns.task}"}, None


def _in_words(features: tuple[Feature, ...], set_aside: tuple[SetAside, ...]) -> dict[str, str]:
    from chainrule.tables import BooleanColumn, CategoryColumn, NumberColumn

    words = {each.name: f"set aside: {each.reason}" for each in set_aside}
    for feature in features:
        count = len(feature.names)
        if isinstance(feature, CategoryColumn):
            words[feature.name] = f"{len(feature.values)} categories: {plural(count, 'input')}"
        elif isinstance(feature, NumberColumn | BooleanColumn):
            words[feature.name] = "1 input" if count == 1 else "2 inputs: the value, and whether it is missing"
        else:
            words[feature.name] = f"a date: {plural(count, 'input')}"
    return words


def _type(series: pl.Series) -> str:
    """What the column holds, and from where to where."""
    import polars as pl

    values = series.drop_nulls()
    if values.is_empty():
        return "nothing"
    if values.dtype.is_numeric():
        return f"{_number(values.min())} to {_number(values.max())}"
    if values.dtype == pl.String:
        return f"{values.n_unique():,} different texts" if values.n_unique() > 1 else f"the text {values[0]!r}"
    if values.dtype == pl.Boolean:
        return "true and false" if values.n_unique() > 1 else str(values[0]).lower()
    return f"{values.min()!s} to {values.max()!s}" if values.dtype.is_temporal() else str(values.dtype)


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _show_rows(console: Console, frame: pl.DataFrame) -> None:
    """The first rows, and as many columns as fit a line."""
    lines = [
        tuple(frame.columns),
        *(tuple("" if cell is None else _number(cell) for cell in row) for row in frame.rows()),
    ]
    widths = [min(max(len(line[i]) for line in lines), 16) for i in range(frame.width)]
    fitting, used = 0, 0
    while fitting < frame.width and used + widths[fitting] <= 74:
        used += widths[fitting] + 2
        fitting += 1
    fitting = max(fitting, 1)
    more = ("...",) if fitting < frame.width else ()
    say(console, f"\nThe first {plural(frame.height, 'row')}:" if frame.height > 1 else "\nThe first row:")
    columns_of_text(console, [(*line[:fitting], *more) for line in lines], most=16)
