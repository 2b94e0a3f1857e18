"""Compiling a generated source with the compiler of this machine, and comparing what it computes with our engine."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chainrule.errors import ExportError
from chainrule.export.outputs import compare_outputs
from chainrule.exported import Check, Unchecked

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.export.subject import Subject

FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2")
_COMPILERS = ("cc", "gcc", "clang")
_SECONDS = 300  # a compiler may take its time over large tables; one that hangs must end


def check_prediction(subject: Subject, files: dict[str, bytes]) -> Check | Unchecked:
    """Compile the source and run it on the rows to compare on.

    Raises:
        ExportError: when it cannot be compiled, or computes otherwise.
    """
    compiler = next((found for name in _COMPILERS if (found := shutil.which(name))), None)
    if compiler is None:
        return Unchecked(why="there is no C compiler here")
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        source = Path(folder) / next(iter(files))
        X = subject.inputs()
        theirs = _run(_compiled(compiler, source, subject.name), X, subject.network.objective.output_shape[0])
    return compare_outputs(subject, theirs, how=f"{Path(compiler).name} {' '.join(FLAGS)}, and running it", single=True)


def _compiled(compiler: str, source: Path, name: str) -> Path:
    """A program that reads rows of float32 and writes outputs."""
    harness, program = source.with_name("chainrule_check.c"), source.with_name("chainrule_check")
    harness.write_text(_HARNESS.format(header=source.with_suffix(".h").name, name=name, upper=name.upper()))
    built = subprocess.run(  # noqa: S603 -- our own files, and the machine's own compiler
        [compiler, *FLAGS, "-o", program, source, harness, "-lm"],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if built.returncode:
        raise ExportError(f"{compiler} cannot compile the source: {built.stderr.strip()[:2000]}")
    return program


def _run(program: Path, X: Floats, O: int) -> Floats:
    done = subprocess.run(  # noqa: S603 -- what was compiled just now
        [program], input=X.astype(np.float32).tobytes(), capture_output=True, timeout=_SECONDS, check=True
    )
    return np.frombuffer(done.stdout, np.float32).reshape(len(X), O)


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
