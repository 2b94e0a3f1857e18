"""A whole process: how long it takes from its start to its end, how much memory it held, and what it printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.racing import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

# A small process between: Linux counts the memory of the process that starts another as that one's own peak.
_MEASURE = """
import json, os, sys, time
start = time.perf_counter()
process = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(process, 0)
spent = time.perf_counter() - start
with open(sys.argv[1], "w") as file:
    json.dump([spent, usage.ru_maxrss, os.waitstatus_to_exitcode(status)], file)
"""


class Done(NamedTuple):
    """Seconds, bytes at the peak, and standard output."""

    seconds: float
    memory: int
    output: str


def run_process(command: Sequence[str]) -> Done:
    """Run it to its end.

    Raises:
        RuntimeError: when it ends with another code than 0; with the end of what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        measured = [sys.executable, "-I", "-S", "-c", _MEASURE, str(told), *command]
        done = subprocess.run(measured, capture_output=True, text=True, cwd=ROOT, env=environment(), check=True)
        seconds, memory, code = json.loads(told.read_text())
    if code:
        raise RuntimeError(f"{' '.join(command)} ended with {code}: {done.stderr[-300:]}")
    return Done(seconds, memory if sys.platform == "darwin" else memory * 1024, done.stdout)


def environment() -> dict[str, str]:
    """As it is, but bytecode may be written: without it every start compiles anew."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
