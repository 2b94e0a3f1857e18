"""Writing: whatever fails, the file that stood there stands, and nothing else is left."""

from __future__ import annotations

import errno
import os
import stat
import threading
from typing import TYPE_CHECKING, Any, Self

import pytest

import chainrule as cr
from chainrule.files import atomic_write

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Any, data: bytes = b"new") -> None:
    with atomic_write(path) as file:
        file.write(data)


def test_the_file_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "m.bin"
    for data in (b"old", b"new"):
        write(path, data)
        assert path.read_bytes() == data
    assert [p.name for p in tmp_path.iterdir()] == ["m.bin"]


def test_nothing_is_to_be_seen_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "m.bin"
    write(path, b"old")
    with atomic_write(path) as file:
        file.write(b"half")
        file.flush()
        assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("owner", "name", "fault"),
    [
        (os, "open", errno.EACCES),
        (os, "fsync", errno.EIO),
        (os, "fsync", errno.ENOSPC),
        (os, "replace", errno.EACCES),
        (os, "rename", errno.EACCES),
        ("chainrule.files.os", "fdopen", errno.ENOSPC),
    ],
    ids=lambda value: errno.errorcode.get(value, "") if isinstance(value, int) else str(value),
)
@pytest.mark.parametrize("stands", [True, False])
def test_a_fault_at_any_stage_leaves_what_stood_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, fault: int, stands: bool
) -> None:
    path = tmp_path / "m.bin"
    if stands:
        path.write_bytes(b"old")
    original = getattr(os, name)

    def fail(*args: Any, **options: Any) -> Any:
        if name == "open" and str(tmp_path) not in str(args[0]):
            return original(*args, **options)
        if name == "fdopen":
            os.close(args[0])
        raise OSError(fault, os.strerror(fault))

    with monkeypatch.context() as patch:
        if isinstance(owner, str):
            patch.setattr(f"{owner}.{name}", fail)
        else:
            patch.setattr(owner, name, fail)
        if name == "rename":  # Path.replace uses os.replace
            patch.setattr(os, "replace", fail)
        with pytest.raises(cr.StorageError, match=rf"m\.bin: could not be written: {os.strerror(fault)}\. Check"):
            write(path)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == ([("m.bin", b"old")] if stands else [])


class _FullDisk:
    """A file on a disk with room for some bytes only."""

    def __init__(self, file: Any, room: int) -> None:
        self.file, self.room = file, room

    def write(self, data: bytes) -> int:
        if len(data) > self.room:
            self.file.write(data[: self.room])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= len(data)
        return int(self.file.write(data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


@pytest.mark.parametrize("room", [0, 1, 200, 1000])
def test_a_full_disk_leaves_the_old_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    net = cr.Network([cr.Dense(50, "softmax")], n_inputs=9)
    path = tmp_path / "m.safetensors"
    net.save(path)
    before = path.read_bytes()
    original = os.fdopen
    net.theta[...] = 1
    with monkeypatch.context() as patch:
        patch.setattr("chainrule.files.os.fdopen", lambda *args: _FullDisk(original(*args), room))
        with pytest.raises(cr.StorageError, match="No space left on device"):
            net.save(path)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("m.safetensors", before)]
    assert isinstance(cr.load(path), cr.Network)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError, MemoryError])
def test_what_is_raised_within_comes_out_and_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "m.bin"
    write(path, b"old")

    def fail() -> None:
        with atomic_write(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("m.bin", b"old")]


def test_faults_of_the_place_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path, reason in (
        (tmp_path / "nowhere" / "m", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "file" / "m", "Not a directory"),
        (tmp_path / ("x" * 300), "File name too long"),
    ):
        with pytest.raises(cr.StorageError, match=f"could not be written: {reason}"):
            write(path)
    for wrong in (None, 3, "a\0b"):
        with pytest.raises(cr.ArgumentError, match="save: path: expected the path of a file"):
            write(wrong)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_read_only_folder_is_told(tmp_path: Path) -> None:
    if os.access("/", os.W_OK):
        pytest.skip("permissions do not bind this user")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(cr.StorageError, match="Permission denied"):
            write(tmp_path / "m")
    finally:
        tmp_path.chmod(0o700)


def test_a_long_name_that_fits_is_enough(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250)
    write(path)
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(os.name != "posix", reason="links and modes of POSIX")
def test_links_are_followed_and_permissions_stay(tmp_path: Path) -> None:
    path, link = tmp_path / "m.bin", tmp_path / "link"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    write(link)
    assert link.is_symlink()
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", 0o640)


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write(tmp_path / "m")
    assert (tmp_path / "m").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.skipif(os.name != "posix", reason="the umask of POSIX")
def test_writing_in_threads_leaves_the_umask_alone(tmp_path: Path) -> None:
    threads = [threading.Thread(target=write, args=(tmp_path / f"{i}",)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (tmp_path / "plain").touch()
    assert len({p.stat().st_mode for p in tmp_path.iterdir()}) == 1


@pytest.fixture
def no_renames(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in the code under test must not cost this machine its devices."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a device was about to be replaced")

    for name in ("replace", "rename", "link"):
        monkeypatch.setattr(os, name, refuse)


@pytest.mark.usefixtures("no_renames")
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")  # noqa: PTH110 -- in a decorator
def test_a_full_device_is_written_to_and_told() -> None:
    with pytest.raises(cr.StorageError, match="/dev/full: could not be written: No space left on device"):
        write("/dev/full")


@pytest.mark.usefixtures("no_renames")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_a_pipe_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write(pipe)
    reader.join(10)
    assert read == [b"new"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
