"""A script as an export: written, run, and its losses compared with those of our engine."""

from __future__ import annotations

import io
import json
import runpy
import tempfile
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import ExportError
from chainrule.export.lesson import Lesson, Wishes, lesson
from chainrule.export.scripts import script
from chainrule.export.subject import Draft, Subject
from chainrule.exported import Check, Unchecked

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.export.dialects import Dialect

_LIMIT = 1e-9  # of the largest loss: both compute in float64, in another order
_PRODUCTS = 4e7  # that a check in plain Python waits for, some seconds


def draft(
    dialect: Dialect,
    subject: Subject,
    path: Path,
    *,
    y: Any = None,
    start: str = "auto",
    optimizer: Any = None,
    batch_size: int | None = None,
    shuffle: bool | None = None,
    sample_weight: Any = None,
    class_weight: Any = None,
) -> Draft:
    """The script and the numbers beside it; see `Wishes` for the options.

    Raises:
        ArgumentError: for what no script can be written of.
        ExportError: when it finds other losses than our engine.
    """
    taught = lesson(subject, Wishes(y, start, optimizer, batch_size, shuffle, sample_weight, class_weight))
    written = script(taught, dialect, path.stem)
    plain = dialect.name == "Python"
    files = {path.name: written.text.encode()}
    if written.arrays:
        files[f"{path.stem}_numbers.{'json' if plain else 'npz'}"] = _beside(written.arrays, plain=plain)
    yours = "data= and y=" if subject.model is None else "a table, data= or --data,"
    notes = (f"It trains on rows that were made up: give {yours} for yours.",) if subject.X is None else ()
    return Draft(files=files, check=check_script(taught, files, plain=plain), notes=notes)


def _beside(arrays: dict[str, Floats], *, plain: bool) -> bytes:
    """The file of the numbers."""
    if plain:
        return json.dumps({name: values.tolist() for name, values in arrays.items()}).encode()
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type] # its stubs take the names for options
    return file.getvalue()


def check_script(lesson: Lesson, files: dict[str, bytes], *, plain: bool) -> Check | Unchecked:
    """Run the script and compare the losses of its first epochs with ours.

    Args:
        lesson: with our losses.
        files: the script first, and what lies beside it.
        plain: whether it is in plain Python, which takes its time: then no more epochs than fit some seconds.

    Raises:
        ExportError: when they differ by more than rounding explains.
    """
    each = 3.0 * max(lesson.network.theta.size, 1) * len(lesson.X)
    epochs = min(len(lesson.losses), int(_PRODUCTS / each)) if plain else len(lesson.losses)
    if not epochs:
        return Unchecked(why="an epoch takes too long in plain Python")
    theirs = _losses(files, epochs)
    ours = np.array(lesson.losses[:epochs])
    apart, limit = float(np.abs(theirs - ours).max()), _LIMIT * float(np.abs(ours).max())
    if not apart <= limit:
        raise ExportError(f"the script finds other losses: they differ by {apart:.2g}, more than rounding explains")
    quantity = f"losses of its first {epochs} epochs" if epochs > 1 else "losses of its first epoch"
    return Check(how="running it", quantity=quantity, max_difference=apart, limit=limit)


def _losses(files: dict[str, bytes], epochs: int) -> Floats:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        try:
            return _run(str(Path(folder) / next(iter(files))), epochs)
        except Exception as error:  # whatever goes wrong in it, it is not put in place
            raise ExportError(f"the script fails: {error!r}; nothing was written") from error


def _run(path: str, epochs: int) -> Floats:
    script: dict[str, Any] = runpy.run_path(path, run_name="exported")
    rows = [script[name] for name in ("X", "T", "weights") if name in script]
    run = script["train"](script["parameters"], *rows, epochs)
    with np.errstate(all="ignore"):
        return np.array(list(islice(run, epochs)))
