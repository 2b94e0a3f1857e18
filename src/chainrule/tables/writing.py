"""Tables out, atomically: what stood there before stands until the new file is complete."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import polars as pl

from chainrule.errors import ArgumentError, DataError
from chainrule.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Callable

ENDINGS = (".csv", ".tsv", ".parquet", ".pq", ".csv.gz", ".tsv.gz")


def write_table(frame: pl.DataFrame, path: str | Path) -> None:
    """Write CSV, TSV or Parquet by the ending of the path; `-` writes CSV to standard output.

    Raises:
        ArgumentError: for another ending.
        DataError: where a column cannot be written as text.
        StorageError: where the file cannot be written.
    """
    if str(path) == "-":
        sys.stdout.buffer.write(_csv(frame, ","))
        sys.stdout.buffer.flush()
        return
    target = Path(path).expanduser()
    write = _writer(frame, target)
    try:
        with atomic_write(target) as stream:
            write(stream)
    except pl.exceptions.PolarsError:
        raise DataError("a column holds lists or records", where=str(path), mend="Write Parquet instead") from None


def _writer(frame: pl.DataFrame, path: Path) -> Callable[[IO[bytes]], object]:
    """What writes the frame in the form that the ending names."""
    name = path.name.lower()
    for ending, separator in ((".csv", ","), (".tsv", "\t")):
        if name.endswith(ending):
            return lambda stream: stream.write(_csv(frame, separator))
        if name.endswith(f"{ending}.gz"):
            return lambda stream: stream.write(gzip.compress(_csv(frame, separator), mtime=0))
    if name.endswith((".parquet", ".pq")):
        return frame.write_parquet
    raise ArgumentError("the ending", where=f"write_table: {path}", expected=" or ".join(ENDINGS), got=path.suffix)


def _csv(frame: pl.DataFrame, separator: str) -> bytes:
    """The frame as text in UTF-8."""
    buffer = io.BytesIO()
    frame.write_csv(buffer, separator=separator)
    return buffer.getvalue()
