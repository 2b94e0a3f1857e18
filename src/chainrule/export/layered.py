"""What the sources for PyTorch and Keras share: the layers in order, their names as identifiers, and the check."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chainrule.export.outputs import compare_outputs
from chainrule.export.processes import SECONDS, finished
from chainrule.exported import Unchecked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.export.program import Op, Program
    from chainrule.export.subject import Subject
    from chainrule.exported import Check


def layers_in_order(program: Program) -> Iterator[tuple[str, tuple[Op, ...]]]:
    """The name of each layer and what it does; a residual layer comes twice, where it begins and where it ends."""
    for name, ops in groupby(program.ops, key=lambda op: (op.layer, type(op).__name__ == "Fork")):
        yield identifier(name[0]), tuple(ops)


def identifier(layer: str) -> str:
    """The name of a layer as an attribute.

    >>> identifier("residual_1.dense_1")
    'residual_1_dense_1'
    """
    return layer.replace(".", "_")


def weights_file(subject: Subject) -> bytes:
    """The model file that the source loads its weights from."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        subject.network.save(path)
        return path.read_bytes()


def check_with(
    library: str, subject: Subject, files: dict[str, bytes], harness: str, *, single: bool = False
) -> Check | Unchecked:
    """Run the source where its library is installed, and compare on the rows to compare on.

    Args:
        library: the name of what it imports.
        subject: the network.
        files: the source first, and the weights.
        single: whether it computes in float32, whatever our network does.
        harness: a program that sets ``Y`` from ``X`` and ``script``, the names of the source.

    Raises:
        ExportError: when it cannot be run, or computes otherwise.
    """
    for needed in (library, "safetensors"):
        if importlib.util.find_spec(needed) is None:
            return Unchecked(why=f"{needed} is not installed here")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        np.save(folder / "X.npy", subject.inputs())
        (folder / "check.py").write_text(_HARNESS.format(source=next(iter(files)), harness=harness))
        command = [sys.executable, "check.py"]
        version = finished(command, folder=folder, fails=f"{library} cannot run the source")
        if version is None:
            return Unchecked(why=f"it took longer than {SECONDS} s")
        theirs = np.load(folder / "Y.npy")
    return compare_outputs(subject, theirs, how=f"running it in {library} {version.decode().strip()}", single=single)


_HARNESS = """
import runpy
import numpy as np
script = runpy.run_path({source!r}, run_name="exported")
X = np.load("X.npy")
{harness}
np.save("Y.npy", Y)
"""
