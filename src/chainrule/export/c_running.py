"""Compiling a generated source with the compiler of this machine, and comparing what it computes with our engine."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chainrule.export.outputs import compare_outputs
from chainrule.export.processes import SECONDS, finished
from chainrule.exported import Check, Unchecked

if TYPE_CHECKING:
    from chainrule.export.subject import Subject

FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2")
_COMPILERS = ("cc", "gcc", "clang")


def check_prediction(subject: Subject, files: dict[str, bytes]) -> Check | Unchecked:
    """Compile the source and run it on the rows to compare on.

    Raises:
        ExportError: when it cannot be compiled, or computes otherwise.
    """
    compiler = next((found for name in _COMPILERS if (found := shutil.which(name))), None)
    if compiler is None:
        return Unchecked(why="there is no C compiler here")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        outputs = _outputs(compiler, folder, next(iter(files)), subject)
    if outputs is None:
        return Unchecked(why=f"it took longer than {SECONDS} s")
    theirs = np.frombuffer(outputs, np.float32).reshape(-1, subject.network.objective.output_shape[0])
    return compare_outputs(subject, theirs, how=f"{Path(compiler).name} {' '.join(FLAGS)}, and running it", single=True)


def _outputs(compiler: str, folder: Path, source: str, subject: Subject) -> bytes | None:
    """What the compiled source computes from the rows, as float32; None where that took too long."""
    harness, program = "chainrule_check.c", folder / "chainrule_check"
    header = Path(source).with_suffix(".h").name
    text = _HARNESS.format(header=header, name=subject.name, upper=subject.name.upper())
    (folder / harness).write_bytes(text.encode(errors="surrogateescape"))
    command: list[str | Path] = [compiler, *FLAGS, "-o", program, f"./{source}", harness, "-lm"]
    if finished(command, folder=folder, fails=f"{compiler} cannot compile the source") is None:
        return None
    rows = subject.inputs().astype(np.float32).tobytes()
    return finished([program], folder=folder, fails="the compiled source fails", given=rows)


_HARNESS = """
#include "{header}"
#include <stdio.h>

int main(void)
{{
    float x[{upper}_INPUTS], y[{upper}_OUTPUTS];
    while (fread(x, sizeof x, 1, stdin) == 1) {{
        {name}_predict(x, y);
        if (fwrite(y, sizeof y, 1, stdout) != 1) return 1;
    }}
    return 0;
}}
"""
