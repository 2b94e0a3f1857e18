"""Tables out, atomically: what stood there before stands until the new file is complete."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import polars as pl

from chainrule.errors import ArgumentError, DataError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

ENDINGS = (".csv", ".tsv", ".parquet", ".pq", ".csv.gz", ".tsv.gz")


def write_table(frame: pl.DataFrame, path: str | Path) -> None:
    """Write CSV, TSV or Parquet by the ending of the path; `-` writes CSV to standard output.

    The file is written beside its place, flushed to the disk, and renamed into it.

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
        _write_atomically(write, Path(os.path.realpath(target)))
    except pl.exceptions.PolarsError:
        raise DataError("a column holds lists or records", where=str(path), mend="Write Parquet instead") from None
    except OSError as error:
        mend = "" if target.parent.is_dir() else f"There is no folder {str(target.parent)!r}: make it first"
        raise StorageError(f"{path}: cannot be written: {error.strerror or error}. {mend}".rstrip(". ")) from None


def _writer(frame: pl.DataFrame, path: Path) -> Callable[[BinaryIO], object]:
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


def _write_atomically(write: Callable[[BinaryIO], object], path: Path) -> None:
    """Write beside the path, flush, rename; a pipe or a device is written as it is."""
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("wb") as stream:
            write(stream)
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
