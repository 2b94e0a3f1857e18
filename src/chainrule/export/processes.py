"""Running what was generated in a process of its own, for so long and no longer."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from chainrule.errors import ExportError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

SECONDS = 300  # a compiler may take its time over large tables; what hangs must end


def finished(
    command: Sequence[str | os.PathLike[str]], *, folder: Path, fails: str, given: bytes = b"", seconds: float = SECONDS
) -> bytes | None:
    """What a command prints; None where it took too long.

    Args:
        command: our own files, and a tool of this machine.
        folder: where it runs.
        fails: what is wrong when it fails, in words.
        given: what it reads.
        seconds: how long it may take.

    Raises:
        ExportError: when it fails; with the end of what it said.
    """
    try:
        done = subprocess.run(  # noqa: S603 -- no shell, and nothing in it that a person wrote
            list(command), cwd=folder, input=given, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[-2000:]
        raise ExportError(f"{fails}: {said or f'it ended with {done.returncode}'}; nothing was written")
    return done.stdout
