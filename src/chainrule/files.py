"""Writing files so that a crash or a full disk never leaves a broken one where a good one stood."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from chainrule.errors import ArgumentError, StorageError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of `path` when the block ends well: write, flush to disk, rename.

    The temporary file lies in the same folder, since a rename is atomic within one file system only. A link is
    followed, a file that stood there keeps its permissions. A device or a pipe has no place to take: it is written to.

    Raises:
        ArgumentError: when `path` is no path.
        StorageError: when it cannot be written; what stood there still stands.
    """
    target = Path(os.path.realpath(as_path(path, where="save")))
    try:
        writing = _in_place if target.exists() and not target.is_file() else _beside
        with writing(target) as file:
            yield file
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise StorageError(
            f"{os.fspath(path)}: could not be written: {reason}. Check the folder, its permissions and the free space."
        ) from None


def as_path(path: object, argument: str = "path", *, where: str = "", of: str = "a file") -> Path:
    """The path that a person gave.

    Raises:
        ArgumentError: unless it is a text, or an object that stands for one, such as a `pathlib.Path`.
    """
    with suppress(TypeError):
        name = os.fspath(path)  # type: ignore[call-overload] # whatever it is: that is asked here
        if isinstance(name, str) and "\0" not in name:
            return Path(name)
    raise ArgumentError(argument, where=where, expected=f"the path of {of}", got=path)


def is_there(path: str | os.PathLike[str]) -> bool:
    """Whether anything has this name; `Path.exists` raises for a name that is too long."""
    return os.path.exists(path)  # noqa: PTH110 -- see above


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a folder has this name; `Path.is_dir` raises for a name that is too long."""
    return os.path.isdir(path)  # noqa: PTH112 -- see above


def check_writable(path: str | os.PathLike[str], name: str) -> None:
    """Raise unless a file of that path can be written; asked before a long run, not after it.

    Args:
        path: of the file.
        name: of the argument or option that gave it.

    Raises:
        ArgumentError: when the folder is missing or the path is a folder.
        StorageError: when the folder may not be written to, or can have no file of that name.
    """
    target = as_path(path, name)
    try:
        target.lstat()
    except FileNotFoundError:
        pass
    except OSError as fault:  # a name that is too long, a folder that may not be looked into
        raise StorageError(f"{name}: {shown(str(target))} cannot be a file: {fault.strerror}. Name another.") from None
    if is_folder(target):
        raise ArgumentError(name, expected="the name of a file, not of a folder", got=os.fspath(path))
    folder = Path(os.path.realpath(target)).parent
    if not is_folder(folder):
        raise ArgumentError(
            name, expected="a file in a folder that exists", got=os.fspath(path), mend=f"Make it: mkdir -p {folder}"
        )
    if not os.access(folder, os.W_OK):
        raise StorageError(f"{name}: the folder {folder} may not be written to. Name another place.")


@contextmanager
def _beside(target: Path) -> Iterator[IO[bytes]]:
    """A new file in the folder of the target, renamed to it in the end; gone when anything fails."""
    temporary = target.with_name(f".chainrule-{os.urandom(8).hex()}.part")
    # Opened by its number, so that the system itself applies the umask, which a program cannot read safely in threads.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    _sync_folder(target.parent)


@contextmanager
def _in_place(target: Path) -> Iterator[IO[bytes]]:
    """A device or a pipe itself: to replace `/dev/null` by a file would harm the whole machine."""
    with target.open("wb") as file:
        yield file


def _sync_folder(folder: Path) -> None:
    """Make the rename itself last through a power cut, where the system lets a folder be opened."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
