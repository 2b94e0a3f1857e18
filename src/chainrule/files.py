"""Writing files so that a crash or a full disk never leaves a broken one where a good one stood."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from chainrule.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of `path` when the block ends well: write, flush to disk, rename.

    The temporary file lies in the same folder, since a rename is atomic within one file system only. A link is followed, a
    file that stood there keeps its permissions.

    Raises:
        StorageError: when it cannot be written; what stood there still stands.
    """
    target = Path(os.path.realpath(path))
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    except OSError as fault:
        raise _unwritable(path, fault) from None
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        temporary.replace(target)
        _sync_folder(target.parent)
    except OSError as fault:
        raise _unwritable(path, fault) from None
    finally:
        temporary.unlink(missing_ok=True)


def _unwritable(path: Any, fault: OSError) -> StorageError:
    reason = fault.strerror or str(fault)
    return StorageError(
        f"{os.fspath(path)}: could not be written: {reason}. Check the folder, its permissions and the free space."
    )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Make the rename itself last through a power cut, where the system lets a folder be opened."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
