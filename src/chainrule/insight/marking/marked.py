"""An answer that was marked."""

from __future__ import annotations

from typing import Any, NamedTuple


class Marked(NamedTuple):
    """An answer that was marked.

    Attributes:
        said: the person's name for it.
        name: its address in the trace.
        right: whether it is.
        values: as the trace would lay them.
        expected: the right numbers.
        how: how the array lay, and how it was rounded, in words.
        difference: by what it differs, in words; empty where it is right.
        digits: in which it is told.
        wrong_at: the places of its wrong numbers.
    """

    said: str
    name: str
    right: bool
    values: Any
    expected: Any
    how: str
    difference: str = ""
    digits: int = 6
    wrong_at: tuple[tuple[int, ...], ...] = ()
