"""Scores: all that is asked of a set of predictions, as one record that prints itself.

`score_classes` gives a `ClassReport`, `score_values` a `ValueReport`. Both are plain records (`msgspec.json.encode`
writes them, `msgspec.json.decode` reads them back) and hold no arrays; a number that is undefined is None. ``str``
gives text of at most 80 columns without colour, a notebook shows a table.
"""

from __future__ import annotations

from chainrule.scores.reports import AverageScore, ClassReport, ClassScore, Confusion, ValueReport, ValueScore
from chainrule.scores.scoring import score_classes, score_values

__all__ = [
    "AverageScore",
    "ClassReport",
    "ClassScore",
    "Confusion",
    "ValueReport",
    "ValueScore",
    "score_classes",
    "score_values",
]
