"""JSON: the model file as text, and the schema of it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from chainrule.errors import ArgumentError, ExportError, FileFormatError
from chainrule.export.subject import Draft, Subject
from chainrule.exported import Check
from chainrule.json_files import json_text
from chainrule.model import Model, load


def make(subject: Subject, path: Path) -> Draft:
    """The text of a model file, read back and compared bit by bit.

    Raises:
        ArgumentError: for what no model file holds.
        ExportError: when a bit differs.
    """
    parts: dict[str, Any] = {"network": subject.network.record()}
    if subject.model is not None:
        parts |= {"columns": subject.model.columns, "settings": subject.model.settings}
    text = json_text(parts, dict(subject.network.parameters))
    return Draft(files={path.name: text}, check=_check(subject, text))


def _check(subject: Subject, text: bytes) -> Check:
    """Read it back."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.json"
        copy.write_bytes(text)
        try:
            again = load(copy)
        except FileFormatError as fault:  # a layer, activation or loss of a person's own
            what = str(fault).partition(": ")[2].partition(". The file")[0]
            mend = "A model file holds the layers, activations and losses of chainrule, and none of your own"
            raise ArgumentError(f"JSON would not be read again: {what}", where="export", mend=mend) from None
    network = again.network if isinstance(again, Model) else again
    ours, theirs = subject.network.theta, network.theta
    records = [msgspec.json.encode(each.record()) for each in (network, subject.network)]
    if ours.tobytes() != theirs.tobytes() or records[0] != records[1]:
        raise ExportError("the JSON text, read back, is another network")
    if isinstance(again, Model) and subject.model is not None and again.columns != subject.model.columns:
        raise ExportError("the JSON text, read back, has other columns")
    return Check(
        how="chainrule.load, which read it back",
        quantity=f"{ours.size:,} parameters",
        max_difference=float(np.abs(ours - theirs).max(initial=0)),
        limit=0.0,
    )
