"""What a person takes away from the page: files that work without it."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from chainrule.errors import unknown_name
from chainrule.export import FORMATS, export
from chainrule.model import Model
from chainrule.playground.messages import Away
from chainrule.playground.reporting import report_of
from chainrule.playground.script import script_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.playground.moment import Moment


_COMPARED = 200  # rows of the table that an export is compared on, besides random ones


class Taken(NamedTuple):
    """A file: its name, its media type, its bytes."""

    name: str
    kind: str
    content: bytes


def take(kind: str, moment: Moment) -> Taken:
    """The file of this kind.

    Raises:
        ArgumentError: when there is no such kind.
    """
    if kind in _KINDS:
        return _KINDS[kind](moment)
    if kind not in FORMATS:
        raise unknown_name("kind", kind, [*_KINDS, *FORMATS], where="take away")
    return _export(kind, moment)


def _export(kind: str, moment: Moment) -> Taken:
    """What `chainrule.export` writes; of several files an archive."""
    rows = moment.experiment.rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{_name(moment)}{FORMATS[kind].endings[-1]}"
        trained = moment.experiment.trained(moment.theta)
        data = rows.frame.head(_COMPARED) if isinstance(trained, Model) else None
        written = export(trained, path, to=kind, data=data)
        files = {Path(name).name: Path(name).read_bytes() for name in written.files}
    if len(files) == 1:
        ((name, content),) = files.items()
        return Taken(name, "application/octet-stream", content)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return Taken(f"{_name(moment)}_{kind}.zip", "application/zip", packed.getvalue())


def ways() -> tuple[Away, ...]:
    """All that can be taken away: what is made here, and what the registry of exports has."""
    return (
        Away("model", "The model", "Network, weights and columns; for chainrule predict and chainrule.load."),
        Away("report", "The report", "One HTML file: curves, scores, inputs, layers, diagnosis, and how to repeat it."),
        Away(
            "python",
            "The run in Python",
            "A script that repeats the run to this step, to the bit, with every change on the way.",
        ),
        *(Away(name, name, each.about) for name, each in FORMATS.items()),
    )


def _model(moment: Moment) -> Taken:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        moment.experiment.trained(moment.theta).save(path)
        return Taken(f"{_name(moment)}.safetensors", "application/octet-stream", path.read_bytes())


def _python(moment: Moment) -> Taken:
    return Taken(f"{_name(moment)}.py", "text/x-python; charset=utf-8", script_of(moment).encode())


def _report(moment: Moment) -> Taken:
    return Taken(f"{_name(moment)}.html", "text/html; charset=utf-8", report_of(moment).encode())


def _name(moment: Moment) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in moment.experiment.setting.data)


_KINDS: dict[str, Callable[[Moment], Taken]] = {"model": _model, "report": _report, "python": _python}
