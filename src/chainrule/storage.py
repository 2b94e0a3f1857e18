"""Files of tensors with a record: safetensors, versioned, written atomically, read with distrust.

A file holds named tensors and, in its metadata under ``"chainrule"``, one JSON record: format version, kind of file,
library version, and parts (``network``, ``columns``, ...) that belong to whoever wrote them. Nothing in it is ever
executed, and no tensor is allocated before its size has been checked against what the record says it must be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import msgspec
import numpy as np
import safetensors
import safetensors.numpy

from chainrule._version import __version__
from chainrule.errors import FileFormatError, did_you_mean
from chainrule.files import as_path, atomic_write

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from chainrule.arrays import Floats

FORMAT = 1
"""The version that this library writes; it reads all up to it."""

FileKind: TypeAlias = Literal["model", "checkpoint"]
Part = TypeVar("Part")

_KEY = "chainrule"
_DTYPES = {"F32": "float32", "F64": "float64"}


class Head(msgspec.Struct):
    """What every version of the format begins with.

    Attributes:
        format: the version.
        kind: of file, ``"model"`` or ``"checkpoint"``.
        library: the version of chainrule that wrote it.
        parts: the records of whoever wrote them, by name.
    """

    format: int
    kind: str
    library: str
    parts: dict[str, msgspec.Raw]


class Opened:
    """A file whose header has been read and believed; its tensors have not been touched.

    Attributes:
        path: of the file.
        library: the version that wrote it.
    """

    def __init__(self, path: Path, head: Head, shapes: dict[str, tuple[str | None, tuple[int, ...]]]) -> None:
        self.path, self.library = path, head.library
        self._parts, self._shapes = head.parts, shapes

    def has(self, part: str) -> bool:
        """Whether the record has this part."""
        return part in self._parts

    def part(self, name: str, of: type[Part], *, strict: bool = True) -> Part:
        """A part of the record, checked against its type; unless `strict`, text may stand for a number: ``"nan"``.

        Raises:
            FileFormatError: when it is missing or does not fit.
        """
        if name not in self._parts:
            raise FileFormatError(f"the record has no part {name!r}", where=str(self.path))
        try:
            return msgspec.json.decode(self._parts[name], type=of, strict=strict)
        except (msgspec.MsgspecError, RecursionError, TypeError, ValueError) as fault:
            raise FileFormatError(
                f"the record's part {name!r} is not valid: {fault}",
                where=str(self.path),
                mend="The file was changed by hand, or written by another version.",
            ) from None

    def tensors(self, expected: Mapping[str, tuple[int, ...]], dtype: str) -> dict[str, Floats]:
        """The tensors of these names and shapes; nothing is allocated unless all fit.

        Raises:
            FileFormatError: when one is missing, of another shape or type, or not finite.
        """
        where = str(self.path)
        for name, shape in expected.items():
            if name not in self._shapes:
                raise FileFormatError(
                    f"there is no tensor {name!r}", where=where, mend=did_you_mean(name, self._shapes)
                )
            found_dtype, found = self._shapes[name]
            if found != tuple(shape) or found_dtype not in {dtype, None}:
                raise FileFormatError(
                    f"tensor {name!r}",
                    where=where,
                    expected=f"{dtype} of shape {tuple(shape)}",
                    got=(found_dtype, found),
                )
        extra = [name for name in self._shapes if name not in expected]
        if extra:
            raise FileFormatError(f"there is a tensor {extra[0]!r} that the record does not tell of", where=where)
        arrays = self._arrays(expected, dtype)
        for name, array in arrays.items():
            if array.shape != tuple(expected[name]) or array.dtype != dtype:
                raise FileFormatError("another file took its place while it was read", where=where, mend="Try again.")
            if not np.isfinite(array).all():
                raise FileFormatError(f"tensor {name!r} holds NaN or infinity", where=where)
        return arrays

    def _arrays(self, names: Iterable[str], dtype: str) -> dict[str, Floats]:  # noqa: ARG002 -- the file's own is right
        """The tensors of these names, whose shapes and type have been checked."""
        try:
            with safetensors.safe_open(self.path, framework="numpy") as file:
                return {name: file.get_tensor(name) for name in names}
        except (OSError, safetensors.SafetensorError) as fault:
            raise FileFormatError(f"the file was changed while it was read ({fault})", where=str(self.path)) from None


class _OpenedBytes(Opened):
    """The bytes of a file, likewise.

    Attributes:
        data: all of them.
    """

    def __init__(
        self, where: str, head: Head, shapes: dict[str, tuple[str | None, tuple[int, ...]]], data: bytes
    ) -> None:
        from pathlib import Path

        super().__init__(Path(where), head, shapes)
        self.data = data

    def _arrays(self, names: Iterable[str], dtype: str) -> dict[str, Floats]:  # noqa: ARG002 -- their own is right
        arrays = safetensors.numpy.load(self.data)
        return {name: arrays[name] for name in names}


def encode(*, kind: FileKind, parts: Mapping[str, Any], tensors: Mapping[str, Floats]) -> bytes:
    """Tensors and record as the bytes of a file."""
    raw = {name: msgspec.Raw(msgspec.json.encode(part)) for name, part in parts.items()}
    head = msgspec.json.encode(Head(FORMAT, kind, __version__, raw)).decode()
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    return bytes(safetensors.numpy.save(arrays, metadata={_KEY: head}))


def write_file(
    path: str | os.PathLike[str], *, kind: FileKind, parts: Mapping[str, Any], tensors: Mapping[str, Floats]
) -> None:
    """Write tensors and record; atomic.

    Raises:
        StorageError: when it cannot be written.
    """
    data = encode(kind=kind, parts=parts, tensors=tensors)
    with atomic_write(path) as file:
        file.write(data)


def open_file(path: str | os.PathLike[str], *, kind: FileKind) -> Opened:
    """Read the header and believe it only when everything in it fits.

    Raises:
        FileFormatError: when the file is missing, truncated, of another format or kind, or of a newer version.
    """
    path = existing_file(path, kind)
    where = str(path)
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 -- no iteration without keys()
            kinds = {name: piece.get_dtype() for name, piece in slices.items()}
            shapes: dict[str, Any] = {
                name: (_DTYPES.get(kinds[name], kinds[name]), tuple(p.get_shape())) for name, p in slices.items()
            }
    except OSError as fault:
        raise FileFormatError(f"cannot be read: {fault.strerror or fault}", where=where) from None
    except (safetensors.SafetensorError, ValueError) as fault:
        raise FileFormatError(
            f"this is no {kind} file of chainrule, or it is damaged ({fault})",
            where=where,
            mend="Give a .safetensors file that chainrule wrote." if kind == "model" else "",
        ) from None
    if _KEY not in metadata:
        raise FileFormatError("this is a safetensors file, but not one that chainrule wrote", where=where)
    return Opened(path, read_head(metadata[_KEY].encode(), kind, where=where), shapes)


def open_bytes(data: bytes, *, kind: FileKind, where: str) -> Opened:
    """What `encode` made, read with the same distrust as a file; `where` names it in messages.

    Raises:
        FileFormatError: when the bytes are truncated, of another format or kind, or of a newer version.
    """
    try:
        entries = dict(safetensors.deserialize(data))  # type: ignore[no-untyped-call] # compiled
        kinds = {name: str(entry["dtype"]) for name, entry in entries.items()}
        length = int.from_bytes(data[:8], "little")  # of the header, which `deserialize` has found to be sound
        metadata = msgspec.json.decode(data[8 : 8 + length], type=_Header).metadata
    except (safetensors.SafetensorError, msgspec.MsgspecError, TypeError, ValueError) as fault:
        raise FileFormatError(f"this is no {kind} of chainrule, or it is damaged ({fault})", where=where) from None
    if _KEY not in metadata:
        raise FileFormatError("these are safetensors, but not ones that chainrule wrote", where=where)
    shapes: dict[str, Any] = {
        name: (_DTYPES.get(kinds[name], kinds[name]), tuple(e["shape"])) for name, e in entries.items()
    }
    return _OpenedBytes(where, read_head(metadata[_KEY].encode(), kind, where=where), shapes, data)


def existing_file(path: str | os.PathLike[str], kind: FileKind) -> Path:
    """The path of a regular file.

    Raises:
        FileFormatError: when there is none.
    """
    path = as_path(path, where="load", of=f"a {kind} file")
    where = str(path)
    try:
        if path.is_file():
            return path
        if path.is_dir():
            raise FileFormatError(f"this is a folder, not a {kind} file", where=where)
        if path.exists():
            raise FileFormatError(f"this is a device or a pipe, not a {kind} file", where=where)
        beside = [p.name for p in path.parent.glob(f"*{path.suffix or '.safetensors'}")] if path.parent.is_dir() else []
    except OSError as fault:  # a name too long, a folder that may not be entered
        raise FileFormatError(f"cannot be read: {fault.strerror or fault}", where=where) from None
    near = did_you_mean(path.name, beside)
    raise FileFormatError(f"there is no such {kind} file", where=where, mend=near if "mean" in near else "")


def read_head(record: bytes, kind: FileKind, *, where: str) -> Head:
    """The head of a file, believed only when version and kind are right; what else stands in the record is left alone.

    Raises:
        FileFormatError: when it is broken, of another kind, or of a newer version.
    """
    try:
        version = msgspec.json.decode(record, type=_Version).format
        if version < 1:
            raise FileFormatError(f"there never was a format {version}", where=where)
        if version > FORMAT:
            raise FileFormatError(
                f"written in format {version} by a newer chainrule; this one reads up to {FORMAT}",
                where=where,
                mend="Upgrade: pip install --upgrade chainrule.",
            )
        head = msgspec.json.decode(record, type=Head)
    except (msgspec.MsgspecError, RecursionError) as fault:
        raise FileFormatError(f"the record is not valid: {fault}", where=where) from None
    if head.kind != kind:
        raise FileFormatError(f"this is a {head.kind} file", where=where, mend=f"Give a {kind} file.")
    return head


class _Header(msgspec.Struct):
    """Of safetensors: the metadata beside the tensors."""

    metadata: dict[str, str] = msgspec.field(name="__metadata__", default_factory=dict)


class _Version(msgspec.Struct):
    """All that is read of a file from a newer version."""

    format: int
