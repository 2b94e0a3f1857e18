"""CSV, TSV and their kin: polars reads them; what it says nothing of, or not in words for people, is found here."""

from __future__ import annotations

import contextlib
import csv
import itertools
import re
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import polars as pl

from chainrule.errors import DataError
from chainrule.tables.sources import check_text, wrong_encoding
from chainrule.tables.values import without_marks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from chainrule.tables.sources import Source

SEPARATORS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "vertical bar"}
_OTHERS = ":^~!#&*/\\\x01\x1f "  # asked about when a header seems to be one column
_SNIFFED = 20  # records from which the separator is found out
_INFERRED = (100, 1_000)  # rows from which the types are found, of many columns fewer; where wrong, others are tried
_INFERRED_FIELDS = 80_000
_BEGINNING = 1 << 22  # bytes in which those rows are looked for first: polars would go through a whole file for them
_LARGE = 1 << 24  # bytes from which whole numbers are read in the smallest type that will hold them
_BYTE = 255
_EXACT = 1 << 53  # from here on a float does not tell neighbouring whole numbers apart
_SHOWN = 5
csv.field_size_limit(1 << 30)


class Layout(NamedTuple):
    """How the text is to be cut."""

    separator: str
    names: list[str]
    header: bool


def read_delimited(source: Source, *, missing: tuple[str, ...], header: bool) -> pl.DataFrame:
    """The table of a text file: numbers where all values are numbers, else text; null where a value is missing.

    Raises:
        DataError: for whatever cannot be read as a table; with the line.
    """
    check_text(source)
    layout = find_layout(source, header=header)
    frame = _read(source, layout, missing)
    frame.columns = layout.names
    frame = _checked(frame, source, layout)
    if frame.height == 0:
        mend = "A table needs at least one row"
        raise DataError("the file holds a header and no rows", where=source.name, mend=mend)
    clean = without_marks(frame, missing)
    comma = layout.separator != ","
    return clean.with_columns(
        typed(series, decimal_comma=comma) for series in clean.get_columns() if series.dtype == pl.String
    )


def _checked(frame: pl.DataFrame, source: Source, layout: Layout) -> pl.DataFrame:
    """The frame without the rows that are blank lines, once it is sure that nothing was filled up or swallowed.

    Polars fills short rows up with nulls; after a quotation mark out of place it may leave lines out. It says neither.
    """
    whole = frame.height + layout.header == source.count_lines()
    if whole and not frame.get_column(layout.names[-1]).has_nulls():
        return frame
    rows, blank = check_lines(source, layout)
    if rows != frame.height:
        return _by_python(source, layout)
    return frame.filter(~pl.int_range(pl.len()).is_in(blank)) if blank else frame


def find_layout(source: Source, *, header: bool) -> Layout:
    """Separator and names, from the first records.

    Raises:
        DataError: where the header cannot be one.
    """
    try:
        lines = [line.decode() for line in itertools.islice(source.lines(), 4 * _SNIFFED)]
    except UnicodeDecodeError:
        raise wrong_encoding(source) or DataError("the text is not UTF-8", where=source.name) from None
    if not any(line.strip() for line in lines):
        raise DataError("the file holds nothing but blank lines", where=source.name)
    separator = _find_separator(source, lines, header=header)
    first = _records(lines, separator)[0]
    if not header:
        return Layout(separator, [f"column_{i}" for i in range(1, len(first) + 1)], header=False)
    names = [name.strip() or f"column_{i}" for i, name in enumerate(first, 1)]
    _check_names(source, names)
    return Layout(separator, names, header=True)


def _records(lines: Iterable[str], separator: str) -> list[list[str]]:
    """The first records, cut at the separator; a quotation mark that is never closed ends them."""
    records: list[list[str]] = []
    reader = csv.reader(lines, delimiter=separator)
    with contextlib.suppress(csv.Error):  # a stray carriage return
        records.extend(itertools.islice((record for record in reader if record), _SNIFFED))
    return records or [[""]]


def _find_separator(source: Source, lines: list[str], *, header: bool) -> str:
    """The separator that cuts the header into several names, and most rows into as many fields."""
    scores = {}
    for separator in SEPARATORS:
        records = _records(lines, separator)
        width = len(records[0])
        if width > 1:
            scores[separator] = (sum(len(record) == width for record in records) / len(records), width)
    if scores:
        return max(scores, key=lambda separator: scores[separator])
    first = lines[0].strip()
    for other in _OTHERS:
        counts = {line.strip().count(other) for line in lines if line.strip()}
        if len(lines) > 1 and len(counts) == 1 and counts != {0} and (header or other != " "):
            raise DataError(
                f"the header is one name, {first[:60]!r}, which seems to hold several separated by {other!r}",
                where=source.name,
                expected="columns separated by " + ", ".join(SEPARATORS.values()),
                mend="Write the file with one of these separators",
            )
    return ","


def _check_names(source: Source, names: list[str]) -> None:
    """Raise where the first record is no header, or names a column twice."""
    numbers = [name for name in names if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", name)]
    counted = all(name.isdigit() for name in names) and all(
        int(b) - int(a) == 1 for a, b in itertools.pairwise(names)
    )  # 0, 1, 2, ...: what a frame without names writes
    decimal = sum("." in name for name in numbers)
    if (len(numbers) == len(names) and not (counted and len(names) > 1)) or 2 * decimal >= len(names) > 0:
        shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        raise DataError(
            f"the first line should hold the names of the columns and holds numbers ({shown})",
            where=source.name,
            mend="If it has no header, say so: header=False or --no-header; the columns are then column_1, column_2, …",
        )
    check_unique(names, where=source.name)


def check_unique(names: list[str], *, where: str) -> None:
    """Raise where two columns have one name.

    Raises:
        DataError: with the name and the places.
    """
    seen: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        if name in seen:
            raise DataError(
                f"columns {seen[name]} and {place} are both named {name!r}", where=where, mend="Rename one of them"
            )
        seen[name] = place


def _read(source: Source, layout: Layout, marks: tuple[str, ...]) -> pl.DataFrame:
    """The table, with the types of its first rows; where they turn out wrong, with wider ones, in the end as text."""
    width = len(layout.names)
    sample, inferred = _sample(source, layout), _inferred(layout)
    if sample is not None and sample.height < inferred and sample.width == width:
        return sample
    sample = sample if sample is not None else _sample(source, layout, ignore_errors=True, truncate_ragged_lines=True)
    if sample is None or sample.height < inferred or sample.width != width:
        return _read_text(source, layout)
    for settings in _attempts(sample, marks, large=source.size >= _LARGE):
        with contextlib.suppress(pl.exceptions.PolarsError):
            frame = _polars(source, layout, infer_schema=False, **settings)
            if _is_exact(frame, sample):
                return frame
    return _read_text(source, layout)


def _inferred(layout: Layout) -> int:
    """How many rows say what types the columns have."""
    least, most = _INFERRED
    return min(max(_INFERRED_FIELDS // len(layout.names), least), most)


def _sample(source: Source, layout: Layout, **settings: Any) -> pl.DataFrame | None:
    """The first rows; None where polars, which looks further than it was asked to, cannot read what it meets."""
    rows, beginning = _inferred(layout), source.beginning(_BEGINNING)
    sample = _first_rows(beginning, layout, rows, **settings)
    if beginning is source or (sample is not None and sample.height == rows):
        return sample
    return _first_rows(source, layout, rows, **settings)


def _first_rows(source: Source, layout: Layout, rows: int, **settings: Any) -> pl.DataFrame | None:
    try:
        return _polars(source, layout, n_rows=rows, infer_schema_length=rows, **settings)
    except pl.exceptions.NoDataError:
        return pl.DataFrame(schema=dict.fromkeys(layout.names, pl.String))
    except pl.exceptions.PolarsError:
        return None


def _attempts(sample: pl.DataFrame, marks: tuple[str, ...], *, large: bool) -> Iterator[dict[str, Any]]:
    """Settings to try one after the other: each costs time or memory that the one before it saves.

    Marks of missing values are last looked for by polars, since it then compares every field with each of them.
    """
    types = sample.schema
    if large:
        if _holds_bytes(sample):
            yield {
                "schema_overrides": {name: pl.UInt8() if dtype == pl.Int64 else dtype for name, dtype in types.items()}
            }
        yield {"schema_overrides": {series.name: _narrow(series) for series in sample.get_columns()}}
    yield {"schema_overrides": types}
    yield {"schema_overrides": types, "null_values": list(marks)}
    floats = {name: pl.Float64() if dtype.is_integer() else dtype for name, dtype in types.items()}
    yield {"schema_overrides": floats, "null_values": list(marks)}


def _is_exact(frame: pl.DataFrame, sample: pl.DataFrame) -> bool:
    """Whether no whole number lost its last digits, where columns that began as whole numbers were read as floats."""
    pairs = zip(frame.get_columns(), sample.dtypes, strict=True)
    floats = [series for series, dtype in pairs if series.dtype.is_float() and dtype.is_integer()]
    return all(not (series.abs() >= _EXACT).any() for series in floats)


def _read_text(source: Source, layout: Layout) -> pl.DataFrame:
    """The table as text, once it is sure that all lines have as many fields as the header."""
    check_lines(source, layout)
    try:
        frame = _polars(source, layout, infer_schema=False)
    except pl.exceptions.PolarsError:
        if error := wrong_encoding(source):
            raise error from None
        return _by_python(source, layout)
    return frame if frame.width == len(layout.names) else _by_python(source, layout)


def _polars(source: Source, layout: Layout, **settings: Any) -> pl.DataFrame:
    """What polars reads."""
    return pl.read_csv(
        source.for_polars,
        has_header=layout.header,
        separator=layout.separator,
        glob=False,
        **settings,
    )


def _holds_bytes(sample: pl.DataFrame) -> bool:
    """Whether the largest of the whole numbers is that of a byte, and none is below 0, as in pictures."""
    whole = sample.select(pl.col(pl.Int64))
    lows, highs = whole.min().row(0), whole.max().row(0)
    return max((high for high in highs if high is not None), default=0) == _BYTE and all(
        low is None or low >= 0 for low in lows
    )


def _narrow(series: pl.Series) -> pl.DataType:
    """A smaller type for whole numbers, with room for larger ones to follow: MNIST needs 94 MB, not 377."""
    if series.dtype != pl.Int64:
        return series.dtype
    low, high = series.min(), series.max()
    size = max(abs(low), abs(high)) if isinstance(low, int) and isinstance(high, int) else 1 << 60
    return pl.Int16() if size < 1 << 12 else pl.Int32() if size < 1 << 24 else pl.Int64()


def check_lines(source: Source, layout: Layout) -> tuple[int, list[int]]:
    """Count the fields of every line.

    Returns:
        The number of rows, and which of them (0 for the first) are blank lines.

    Raises:
        DataError: for the first line with more or fewer fields than the header, or a quotation mark left open.
    """
    width, row, blank = len(layout.names), -int(layout.header), []
    for line, fields in _widths(source, layout):
        if fields == 0 and width > 1:
            blank.append(row)
        elif fields not in (0, width):
            model = "the header" if layout.header else f"line {source.first_line}"
            raise DataError(
                f"line {line} has {fields} field{'s' * (fields != 1)}, {model} has {width}",
                where=source.name,
                mend="Correct the line; a value that holds the separator itself must stand in double quotation marks",
            )
        row += 1
    return row, blank


def _widths(source: Source, layout: Layout) -> Iterator[tuple[int, int]]:
    """For each record the line on which it begins and the number of its fields; 0 for a blank line."""
    separator = layout.separator.encode()
    lines = enumerate(source.lines(), source.first_line)
    for number, line in lines:
        if b'"' not in line:
            yield number, line.count(separator) + 1 if line.strip(b"\r\n") else 0
            continue
        rest = (text.decode(errors="replace") for _, text in itertools.chain([(number, line)], lines))
        try:
            yield number, len(next(csv.reader(rest, delimiter=layout.separator, strict=True)))
        except csv.Error:
            _unbalanced(source, number)


def _unbalanced(source: Source, line: int) -> NoReturn:
    """Raise for a quotation mark that is out of place."""
    raise DataError(
        f"line {line}: a double quotation mark is opened and not closed, or text follows the closing one",
        where=source.name,
        mend='Close it; a quotation mark inside a quoted value is written twice ("")',
    ) from None


def _by_python(source: Source, layout: Layout) -> pl.DataFrame:
    """The table as text by Python's own reader: slower by far, for what polars refuses or misreads."""
    lines = (line.decode(errors="replace") for line in source.lines())
    records = [record for record in csv.reader(lines, delimiter=layout.separator) if record][int(layout.header) :]
    return pl.DataFrame(records, schema=dict.fromkeys(layout.names, pl.String), orient="row")


def typed(series: pl.Series, *, decimal_comma: bool) -> pl.Series:
    """A column of text as whole numbers or numbers where every value is one; else as it is."""
    values = series.drop_nulls()
    if values.is_empty():
        return series
    if decimal_comma and not values.str.contains(r"[^\d,+-]").any() and values.str.contains(r"\d,\d").any():
        values, series = values.str.replace(",", "."), series.str.replace(",", ".")
    numbers = values.cast(pl.Float64, strict=False)
    if numbers.has_nulls():
        return series
    whole = None if values.str.contains(r"[^\d+-]").any() else series.cast(pl.Int64, strict=False)
    if whole is not None and whole.null_count() == series.null_count():
        return whole
    return series.cast(pl.Float64)
