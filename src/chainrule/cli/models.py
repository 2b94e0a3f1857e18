"""The model that a command is given."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.cli.plan import ENDING
from chainrule.errors import ArgumentError, FileFormatError

if TYPE_CHECKING:
    from chainrule.model import Model


def open_model(path: str, data: str, *, command: str) -> Model:
    """A model that was trained from a table.

    Raises:
        FileFormatError: when the file is none, or holds a network alone.
        ArgumentError: when model and table stand the wrong way round.
    """
    from chainrule.model import Model, load

    try:
        model = load(path)
    except FileFormatError:
        if Path(data).is_file() and data.endswith(ENDING) and not path.endswith(ENDING):
            right = shlex.join(["chainrule", command, data, path])
            raise ArgumentError("the model comes first, then the table", mend=f"Try: {right}") from None
        raise
    if not isinstance(model, Model):
        raise FileFormatError(
            "this holds a network without the columns of a table",
            where=path,
            mend=f"Use it from Python: chainrule.load({path!r}).predict(X); one from elsewhere gets columns by "
            "chainrule import FILE --data TABLE",
        )
    return model
