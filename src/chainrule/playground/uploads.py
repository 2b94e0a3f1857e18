"""Tables that a page hands in: bounded, read like any file, kept in the session alone."""

from __future__ import annotations

import gzip
import io
import re
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from chainrule.errors import ArgumentError, DataError
from chainrule.tables import read_table

if TYPE_CHECKING:
    from chainrule.playground.tables import Sources

MOST_BYTES = 50 << 20
MOST_ROWS = 500_000
MOST_COLUMNS = 2_000
_MOST_TABLES = 8
_ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".pq", ".gz")
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MEND = "Train on it with chainrule train"


def read_upload(name: str, content: bytes, sources: Sources) -> str:
    """Read a table and keep it; the name that it got.

    Raises:
        InputError: when it is too large, or no table.
    """
    plain = re.sub(r"[^\w.\- ]", "_", name.replace("\\", "/").rpartition("/")[2]).strip(". ")[:60]
    if not plain.lower().endswith(_ENDINGS):
        raise ArgumentError("file", where="upload", expected=f"a name that ends in {', '.join(_ENDINGS)}", got=name)
    if len(sources.handed) >= _MOST_TABLES and plain not in sources.handed:
        raise ArgumentError("file", where="upload", expected=f"at most {_MOST_TABLES} tables in a session", got=name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / plain
        path.write_bytes(_unpacked(content, plain))
        try:
            if content.startswith(b"PAR1"):
                _check_size(*_size_of_parquet(path), where=plain)
            frame = read_table(path)
        except DataError as fault:
            raise DataError(str(fault).replace(f"{folder}/", "")) from None
    _check_size(frame.height, frame.width, where=plain)
    sources.handed[plain] = frame
    return plain


def _unpacked(content: bytes, where: str) -> bytes:
    """What a file holds: a small one may be compressed from more than there is room for."""
    if content.startswith(_ZSTD):
        raise DataError("this is compressed with zstd", where=where, mend="Unpack it with `unzstd` and hand that in")
    if not content.startswith(_GZIP):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            unpacked = packed.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise DataError("the file is compressed with gzip, and broken or cut off", where=where) from None
    if len(unpacked) > MOST_BYTES:
        raise DataError(f"the file holds more than {MOST_BYTES >> 20} MB, unpacked", where=where, mend=_MEND)
    return unpacked


def _size_of_parquet(path: Path) -> tuple[int, int]:
    """Rows and columns, by the end of the file: its pages are not touched."""
    try:
        table = pl.scan_parquet(path)
        return int(table.select(pl.len()).collect().item()), len(table.collect_schema())
    except (pl.exceptions.PolarsError, OSError, ValueError):
        return 0, 0  # `read_table` will say what is wrong with it


def _check_size(height: int, width: int, *, where: str) -> None:
    if height > MOST_ROWS or width > MOST_COLUMNS:
        expected = f"at most {MOST_ROWS:,} rows and {MOST_COLUMNS:,} columns"
        raise DataError(
            "the table is too large for the page", where=where, expected=expected, got=(height, width), mend=_MEND
        )
