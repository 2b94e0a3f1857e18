"""What a person may name as a table on disk, and what its first bytes say that it is."""

from __future__ import annotations

import codecs
import contextlib
import difflib
import gzip
import io
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import polars as pl

from chainrule.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

STANDARD_INPUT = "standard input"
_HEAD = 1 << 16  # bytes looked at to find out what a file is
_LINE_END = ord("\n")
_NO_TEXT = {  # first bytes -> what such a file is
    b"PK\x03\x04": "a zip archive or a spreadsheet (xlsx, ods): unpack it, or export the sheet as CSV",
    b"BZh": "compressed with bzip2: unpack it with `bunzip2`",
    b"\xfd7zXZ": "compressed with xz: unpack it with `unxz`",
    b"\x89HDF": "an HDF5 file: export the table as CSV or Parquet",
    b"\x93NUMPY": "a NumPy array: load it with `numpy.load`, and give the array",
    b"SQLite format 3": "an SQLite database: export the table as CSV",
    b"ARROW1": "an Arrow IPC file: write it as Parquet",
    b"%PDF": "a PDF document: export the table as CSV",
}


class Source(msgspec.Struct, frozen=True):
    """The bytes of one table: in a file, or in memory where they were decompressed, decoded or read from a pipe."""

    name: str
    path: Path | None = None
    data: bytes = b""
    first_line: int = 1
    """The number that the first line of `data` has in the file: blank lines before it are left out."""

    def open(self) -> io.BufferedIOBase:
        """The bytes from the beginning."""
        return io.BytesIO(self.data) if self.path is None else self.path.open("rb")

    def head(self) -> bytes:
        """The first bytes."""
        with self.open() as stream:
            return stream.read(_HEAD)

    def beginning(self, size: int) -> Source:
        """The lines that end within the first so many bytes; itself where there are no more."""
        if self.size <= size:
            return self
        with self.open() as stream:
            head = stream.read(size)
        return Source(self.name, data=head[: head.rfind(b"\n") + 1], first_line=self.first_line)

    def lines(self) -> Iterator[bytes]:
        """Line after line, each with its end."""
        with self.open() as stream:
            yield from stream

    def count_lines(self) -> int:
        """How many lines there are, the last with or without its end."""
        count, last = 0, b"\n"
        with self.open() as stream:
            while chunk := stream.read(1 << 18):
                ends = np.frombuffer(chunk, np.uint8) == _LINE_END
                count, last = count + int(np.count_nonzero(ends)), chunk[-1:]
        return count + (last != b"\n")

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self.data) if self.path is None else self.path.stat().st_size

    @property
    def for_polars(self) -> Path | io.BytesIO:
        """What `polars.read_csv` and `read_parquet` take: a path is mapped into memory, not read.

        Polars knows no path that is not UTF-8, as old files of Linux may have.
        """
        if self.path is None:
            return io.BytesIO(self.data)
        return self.path if is_utf8(str(self.path)) else io.BytesIO(self.path.read_bytes())


def is_utf8(text: str) -> bool:
    """Whether the text can be written in UTF-8: what the system gave may hold bytes that were none."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def open_source(name: str | Path) -> Source:
    """The file or standard input, decompressed and in UTF-8 where it is text.

    Raises:
        DataError: where there is no such file, it cannot be read, is empty or cannot be decompressed.
    """
    if str(name) == "-":
        return _decoded(Source(STANDARD_INPUT, data=sys.stdin.buffer.read()))
    path = Path(name).expanduser()
    try:
        _check_path(path)
        if not path.is_file():  # a pipe gives its bytes once
            return _decoded(Source(str(name), data=path.read_bytes()))
        return _decoded(Source(str(name), path=path))
    except OSError as error:
        raise DataError(f"the file cannot be read: {error.strerror or error}", where=str(name)) from None


def text_source(name: str, data: bytes) -> Source:
    """Text in memory that comes from elsewhere; nothing is decompressed, so that it stays as large as it came.

    Raises:
        DataError: where it is empty, or not UTF-8.
    """
    source = _with_plain_lines(Source(name, data=data.removeprefix(codecs.BOM_UTF8)))
    if not source.data:
        raise DataError("nothing came", where=name, mend="A table needs a line of names and at least one row")
    check_text(source)
    if error := wrong_encoding(source):
        raise error
    return source


def is_parquet(source: Source) -> bool:
    """Whether the first bytes are those of a Parquet file."""
    return source.head().startswith(b"PAR1")


def check_text(source: Source) -> None:
    """Raise unless the first bytes can be those of a text file.

    Raises:
        DataError: for a model file, an archive, an image, ...: with what it is, and what to do.
    """
    head = source.head()
    if len(head) > 8 and head[8:9] == b"{" and 0 < int.from_bytes(head[:8], "little") < 1 << 30:
        raise DataError(
            "this is a model file (safetensors), not a table",
            where=source.name,
            mend="Give the table of data here, and the model where a model is asked for",
        )
    for magic, kind in _NO_TEXT.items():
        if head.startswith(magic):
            raise DataError(f"this is {kind}", where=source.name)
    if head[:2] == b"\0\0" and head[2:3] in b"\x08\x09\x0b\x0c\x0d\x0e":
        mend = "Name the folder of the four MNIST files: mnist:FOLDER or mnist_test:FOLDER"
        raise DataError("this is an IDX file, not a table", where=source.name, mend=mend)
    if b"\0" in head:
        raise DataError(
            f"byte {head.index(0)} is zero: this is a binary file, not a table",
            where=source.name,
            expected="text (CSV, TSV) in UTF-8, or Parquet",
            mend="Export the table as CSV or Parquet",
        )


def wrong_encoding(source: Source) -> DataError | None:
    """The error that names the first byte that is not UTF-8; None where all are."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    read, lines = 0, source.first_line
    with source.open() as stream:
        while chunk := stream.read(1 << 20):
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                place = read - pending + error.start
                lines += (b"\0" * pending + chunk)[: error.start].count(b"\n")
                return _not_utf8(source, place, lines, error.object[error.start])
            read += len(chunk)
            lines += chunk.count(b"\n")
    return _not_utf8(source, read, lines, None) if decoder.getstate()[0] else None


def _not_utf8(source: Source, place: int, line: int, value: int | None) -> DataError:
    """The error for a byte that is not UTF-8."""
    what = "ends in the middle of a character" if value is None else f"holds 0x{value:02X}"
    return DataError(
        f"line {line} (byte {place}) {what}, which is not UTF-8",
        where=source.name,
        mend="Convert the file, for instance with `iconv -f WINDOWS-1252 -t UTF-8 old.csv > new.csv`",
    )


def _check_path(path: Path) -> None:
    """Raise unless the path is a file that holds something."""
    if path.is_dir():
        inside = sorted(entry.name for entry in path.iterdir() if entry.is_file())[:5]
        mend = f"Name one of its files: {', '.join(inside)}" if inside else "Name a file"
        raise DataError("this is a directory, not a file", where=str(path), mend=mend)
    if not path.exists():
        raise DataError("there is no such file", where=str(path), mend=_neighbour(path))
    if path.is_file() and path.stat().st_size == 0:
        raise DataError("the file is empty", where=str(path), mend="A table needs a line of names and at least one row")


def _neighbour(path: Path) -> str:
    """A sentence that names the file that was perhaps meant."""
    folder = path.parent
    if not folder.is_dir():
        return f"There is no folder {str(folder)!r} either"
    names: list[str] = []
    with contextlib.suppress(OSError):
        names = [entry.name for entry in folder.iterdir() if entry.is_file()]
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"Did you mean {str(folder / close[0])!r}?" if close else "Look at the spelling and the folder"


def _decoded(source: Source) -> Source:
    """The source decompressed (gzip, zstd) and, where a byte order mark says UTF-16, in UTF-8."""
    head = source.head()
    if source.path is None and not head:
        raise DataError("nothing came", where=source.name, mend="A table needs a line of names and at least one row")
    if head.startswith(b"\x1f\x8b"):
        source = Source(source.name, data=_from_gzip(source))
    elif head.startswith(b"\x28\xb5\x2f\xfd"):
        source = Source(source.name, data=_from_zstd(source))
    head = source.head()
    if not head:
        raise DataError("the compressed file holds nothing", where=source.name)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        source = Source(source.name, data=_from_utf16(source))
    elif head.startswith((codecs.BOM_UTF8, b"\r", b"\n")) or (b"\r" in head and b"\n" not in head):
        with source.open() as stream:
            source = Source(source.name, data=stream.read().removeprefix(codecs.BOM_UTF8))
    return source if source.path else _with_plain_lines(source)


def _with_plain_lines(source: Source) -> Source:
    """Text in memory without blank lines before the header, its lines ended by a line feed."""
    data = source.data
    if b"\r" in data[:_HEAD] and b"\n" not in data[:_HEAD]:  # as the Macintosh wrote before 2001
        data = data.replace(b"\r", b"\n")
    begun = data.lstrip(b"\r\n")
    blank = data[: len(data) - len(begun)].count(b"\n")
    return Source(source.name, data=begun, first_line=1 + blank)


def _from_gzip(source: Source) -> bytes:
    """Decompress."""
    try:
        with source.open() as stream:
            return gzip.decompress(stream.read())
    except (OSError, EOFError, zlib.error):
        raise DataError(
            "the file is compressed with gzip, and broken or cut off",
            where=source.name,
            mend="Copy or download it again",
        ) from None


def _from_zstd(source: Source) -> bytes:
    """Decompress: Python has no zstd before 3.14; polars has, and gives the lines."""
    try:
        lines = pl.read_csv(
            source.for_polars, has_header=False, separator="\x1f", quote_char=None, infer_schema=False
        ).to_series()
    except pl.exceptions.NoDataError:
        return b""
    except (pl.exceptions.PolarsError, OSError):
        raise DataError(
            "the file is compressed with zstd, and broken, cut off or not UTF-8 text inside",
            where=source.name,
            mend="Unpack it with `unzstd` and look",
        ) from None
    return "\n".join(line or "" for line in lines).encode() + b"\n"


def _from_utf16(source: Source) -> bytes:
    """Encode anew."""
    with source.open() as stream:
        try:
            return stream.read().decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise DataError(f"the text is not UTF-16 from byte {error.start} on", where=source.name) from None
