"""The model that a command is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.errors import FileFormatError

if TYPE_CHECKING:
    from chainrule.model import Model


def open_model(path: str) -> Model:
    """A model that was trained from a table.

    Raises:
        FileFormatError: when the file is none, or holds a network alone.
    """
    from chainrule.model import Model, load

    model = load(path)
    if not isinstance(model, Model):
        raise FileFormatError(
            "this holds a network without the columns of a table",
            where=path,
            mend=f"Use it from Python: chainrule.load({path!r}).predict(X)",
        )
    return model
