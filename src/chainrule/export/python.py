"""A network as a script in plain Python: forward, backward and training, written out, without any library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.export.dialects import PlainPython
from chainrule.export.lesson import Wishes
from chainrule.export.running import draft

if TYPE_CHECKING:
    from pathlib import Path

    from chainrule.export.subject import Draft, Subject


def make(
    subject: Subject,
    path: Path,
    *,
    y: Any = None,
    start: str = "auto",
    optimizer: Any = None,
    batch_size: int | None = None,
    shuffle: bool | None = None,
) -> Draft:
    """The script; see `Wishes` for the options.

    Raises:
        ArgumentError: for what no script can be written of.
        ExportError: when it finds other losses than our engine.
    """
    return draft(subject, path, PlainPython(), Wishes(y, start, optimizer, batch_size, shuffle))
