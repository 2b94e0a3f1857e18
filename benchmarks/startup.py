"""What it costs to start: `import chainrule` against `import numpy`, and the command line's first word."""

from __future__ import annotations

import compileall
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.processes import environment
from benchmarks.racing import ROOT
from benchmarks.tables import kept, show, time_text

if TYPE_CHECKING:
    from benchmarks.__main__ import Options

IMPORT_LIMIT = 1.3  # times `import numpy`
HELP_LIMIT = 0.4  # seconds

_TIMED = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def run(options: Options) -> None:
    """Medians, one after the other in turn, with the bytecode there."""
    compileall.compile_dir(ROOT / "src", quiet=2)
    runs = 4 if options.quick else 41
    imports: dict[str, list[float]] = {"numpy": [], "chainrule": []}
    helps: list[float] = []
    for _ in range(runs + 1):
        for library, seconds in imports.items():
            seconds.append(_import_seconds(library))
        helps.append(_help_seconds())
    # The first of each fills the caches of the file system.
    numpy, ours, told = (statistics.median(each[1:]) for each in (*imports.values(), helps))
    rows = [
        ["import numpy", time_text(numpy), "1.00", ""],
        [
            "import chainrule",
            time_text(ours),
            f"{ours / numpy:.2f}",
            f"{IMPORT_LIMIT} x: {kept(ours <= IMPORT_LIMIT * numpy)}",
        ],
        ["chainrule --help", time_text(told), "", f"{time_text(HELP_LIMIT)}: {kept(told <= HELP_LIMIT)}"],
    ]
    remark = f"Medians of {runs}. An import: within a fresh interpreter, without its start; --help: the whole process."
    show("Start-up", ["what", "time", "/ numpy", "limit"], rows, remark=remark)


def _import_seconds(library: str) -> float:
    command = [sys.executable, "-c", _TIMED.format(library)]
    return float(subprocess.run(command, capture_output=True, check=True, env=environment()).stdout)


def _help_seconds() -> float:
    start = time.perf_counter()
    command = [sys.executable, "-m", "chainrule", "--help"]
    subprocess.run(command, capture_output=True, check=True, env=environment())
    return time.perf_counter() - start
