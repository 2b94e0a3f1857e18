"""From files and DataFrames to matrices, and back: reading, writing, and the encoding that is saved with a model."""

from chainrule.tables.columns import Columns, fit_columns
from chainrule.tables.datasets import dataset_names, describe, load_dataset
from chainrule.tables.features import (
    BooleanColumn,
    CategoryColumn,
    DateColumn,
    DatePart,
    NumberColumn,
    Scaling,
)
from chainrule.tables.fitting import SetAside
from chainrule.tables.frames import as_frame
from chainrule.tables.idx import collection_of, read_idx
from chainrule.tables.reading import known_target, read_table
from chainrule.tables.task import ClassTarget, Label, Task, ValueTarget
from chainrule.tables.values import MISSING
from chainrule.tables.writing import write_table

__all__ = [
    "MISSING",
    "BooleanColumn",
    "CategoryColumn",
    "ClassTarget",
    "Columns",
    "DateColumn",
    "DatePart",
    "Label",
    "NumberColumn",
    "Scaling",
    "SetAside",
    "Task",
    "ValueTarget",
    "as_frame",
    "collection_of",
    "dataset_names",
    "describe",
    "fit_columns",
    "known_target",
    "load_dataset",
    "read_idx",
    "read_table",
    "write_table",
]
