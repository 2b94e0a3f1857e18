"""Tables in: `read_table` takes whatever a person has, and says what is wrong with it in words for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from chainrule.errors import DataError, did_you_mean
from chainrule.files import is_there
from chainrule.tables import datasets
from chainrule.tables.delimited import read_delimited
from chainrule.tables.frames import as_frame
from chainrule.tables.idx import COLLECTIONS, collection_of, read_collection
from chainrule.tables.sources import is_parquet, open_source
from chainrule.tables.values import MISSING, check_finite, check_names, without_marks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainrule.tables.sources import Source

_TABLE_ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".pq", ".gz", ".zst")


def read_table(source: object, *, missing: Iterable[str] = MISSING, header: bool = True) -> pl.DataFrame:
    """Any table as a polars frame, null wherever a value is missing.

    Args:
        source: a path (CSV, TSV, also with semicolons or bars; compressed with gzip or zstd; Parquet), `-` for standard
            input, a built-in name (`iris`; a file of that name is `./iris`), `mnist:FOLDER`, `mnist_test:FOLDER` (also
            `fashion_mnist`), a polars, pandas or pyarrow frame, a dict of columns, or a matrix.
        missing: texts that say that a value is missing.
        header: whether the first line of a text file names the columns; if not they are `column_1`, `column_2`, ...

    Returns:
        The frame. Whole numbers of a large text file (16 MB and more) stand in the smallest of 16, 32 and 64 bits
        that holds them.

    Raises:
        DataError: with file, line or row, and column where there are any.

    >>> read_table({"age": ["31", "?"]})["age"].null_count()
    1
    """
    marks = _marks(missing)
    name = str(source) if isinstance(source, (str, Path)) else "data"
    if isinstance(source, str) and (frame := _built_in(source)) is not None:
        return frame
    if isinstance(source, (str, Path)):
        opened = open_source(source)
        if is_parquet(opened):
            frame = without_marks(_read_parquet(opened), marks)
        else:
            _refuse_other_parquet(opened)
            frame = read_delimited(opened, missing=marks, header=header)
    else:
        frame = without_marks(as_frame(source), marks)
    check_finite(frame, where=name)
    return frame


def known_target(source: object) -> str | None:
    """The column that a built-in table or a collection of IDX files is there to have predicted; None for any other.

    >>> known_target("iris"), known_target("mnist:folder"), known_target("table.csv")
    ('species', 'digit', None)
    """
    if not isinstance(source, str):
        return None
    if source in datasets.dataset_names():
        return datasets.describe(source).target
    collection = None if is_there(source) else collection_of(source)
    return None if collection is None else COLLECTIONS[collection.name]


def _marks(missing: Iterable[str]) -> tuple[str, ...]:
    """The marks as a tuple of texts."""
    if isinstance(missing, str):
        return (missing,)
    return tuple(str(mark) for mark in missing)


def _built_in(name: str) -> pl.DataFrame | None:
    """The built-in table of that name, or the collection of IDX files; None where the name is a path."""
    if name in datasets.dataset_names():
        return datasets.load_dataset(name)
    collection = None if is_there(name) else collection_of(name)
    if collection is not None:
        part = name.partition(":")[0]
        if not collection.folder:
            raise DataError(
                f"{part} is read from files of your own",
                where=name,
                mend=f"Name the folder that holds its four IDX files: {part}:FOLDER",
            )
        return read_collection(collection.name, collection.folder, test=collection.test)
    plain = not any(mark in name for mark in "/\\.:-") and not is_there(name)
    if plain:
        names = [*datasets.dataset_names(), *(f"{each}:FOLDER" for each in COLLECTIONS)]
        raise DataError(
            "there is no such file, and no built-in table of that name", where=name, mend=did_you_mean(name, names)
        )
    return None


def _read_parquet(source: Source) -> pl.DataFrame:
    """The table of a Parquet file."""
    try:
        frame = pl.read_parquet(source.for_polars)
    except (pl.exceptions.PolarsError, OSError, ValueError):
        raise DataError(
            "the file begins as Parquet and cannot be read: it is cut off, broken or encrypted",
            where=source.name,
            mend="Write or copy it again",
        ) from None
    if frame.height == 0:
        raise DataError("the file holds no rows", where=source.name, mend="A table needs at least one row")
    check_names(frame, where=source.name)
    return frame


def _refuse_other_parquet(source: Source) -> None:
    """Raise where the name promises Parquet and the bytes are something else."""
    if source.name.lower().endswith((".parquet", ".pq")):
        head = source.head()[:8]
        raise DataError(
            "the name says Parquet, and the file is not",
            where=source.name,
            expected="the bytes PAR1 at the beginning",
            got=head,
            mend="If it is text, name it .csv",
        )
