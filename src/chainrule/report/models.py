"""The report of a model that was trained before, on a table: its own, or another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from chainrule.errors import ArgumentError, ChainruleError
from chainrule.model import place_of, read_as
from chainrule.report.reporting import report
from chainrule.table_training import TableTraining
from chainrule.trained import TableFacts, Trained

if TYPE_CHECKING:
    import os

    from chainrule.model import Model

_WHERE = "report"


def report_model(model: Model, data: Any, path: str | os.PathLike[str]) -> Literal["its own", "another"]:
    """Write the report of a model on a table, its target included; see `report`.

    Where the table is the one that it was trained on, it is split as it was then, and the report is that of the
    training, but for what the layers did meanwhile. Any other table is scored whole.

    Args:
        model: as `chainrule.load` gives it.
        data: a path, a built-in name or a frame.
        path: usually ending in ``.html``.

    Returns:
        Whether the table was its own: whether its columns, split in the same way, ask for the same encoding.

    Raises:
        ArgumentError: when the model keeps no history of its training.
        DataError: when the table does not fit the model.
        StorageError: when the file cannot be written.
    """
    history = model.history
    if history is None or history.settings is None:
        raise ArgumentError(
            "this model keeps no history of its training",
            where=_WHERE,
            mend="See how good it is with chainrule evaluate, and what is wrong with it with chainrule diagnose",
        )
    if str(data) == "-":  # standard input can be read once
        data = read_as(data, model.settings)
    training = _own_training(model, data)
    if training is None:
        history.trained = _given(model, data)
    else:
        training.note_trained(model)
    try:
        report(history, path)
    finally:
        history.trained = None  # the model is as it was
    return "another" if training is None else "its own"


def _own_training(model: Model, data: Any) -> TableTraining | None:
    """The training of the model again, not run, if it was one from this table."""
    try:
        training = TableTraining(data, model.settings)
    except ChainruleError:  # a target or a file of validation rows that is not there: another table
        return None
    return training if training.columns == model.columns else None


def _given(model: Model, data: Any) -> Trained:
    """What a report of other rows than those of the training rests on."""
    frame, where, network = read_as(data, model.settings), place_of(data), model.network
    t = model.columns.encode_target(frame, dtype=network.dtype, where=where)
    X = model.columns.encode(frame, dtype=network.dtype, where=where)
    facts = TableFacts(
        name=where,
        columns=model.columns,
        settings=model.settings,
        shape=frame.shape,
        test=None,
        places={"given": np.arange(len(X))},
        seeds=lambda: None,
        given=True,
    )
    return network.trained_on(network.read(X, t, where=_WHERE).data(), None, table=facts)
