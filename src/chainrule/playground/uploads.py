"""Tables that a page hands in: bounded, read like any file, kept in the session alone."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.errors import ArgumentError, DataError
from chainrule.tables import read_table

if TYPE_CHECKING:
    from chainrule.playground.tables import Sources

MOST_BYTES = 50 << 20
MOST_ROWS = 500_000
MOST_COLUMNS = 2_000
_MOST_TABLES = 8
_ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".pq", ".gz", ".zst")


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
        path.write_bytes(content)
        try:
            frame = read_table(path)
        except DataError as fault:
            raise DataError(str(fault).replace(f"{folder}/", "")) from None
    if frame.height > MOST_ROWS or frame.width > MOST_COLUMNS:
        raise DataError(
            "the table is too large for the page",
            where=plain,
            expected=f"at most {MOST_ROWS:,} rows and {MOST_COLUMNS:,} columns",
            got=frame.shape,
            mend="Train on it with chainrule train",
        )
    sources.handed[plain] = frame
    return plain
