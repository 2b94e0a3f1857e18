"""Exercise sheets as the page shows and marks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.insight.marking.sheets import part_of
from chainrule.insight.rendering import Document, Heading
from chainrule.playground import messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.insight.marking.sheets import Sheet
    from chainrule.insight.rendering import Part

_DIGITS = 2  # of what is given: numbers of one decimal or two


def sheet_told(sheet: Sheet, name: str) -> messages.Sheet:
    """What is given, and a place for each number that is asked for."""
    right = sheet.trace()
    blanks = tuple(
        messages.Blank(each, np.shape(right[each]), right.formula(each), part_of(each)) for each in sheet.asked()
    )
    given = messages.parts_of(Document("", tuple(_given(sheet))), digits=_DIGITS)
    return messages.Sheet(name, sheet.title, given, blanks, sheet.exercise.digits)


def _given(sheet: Sheet) -> Iterator[Part]:
    """The parts of the sheet that stand before the first number asked for, without the line for the name."""
    first = part_of(sheet.asked()[0])
    for part in sheet.page().document().parts[1:]:
        if isinstance(part, Heading) and part.text == first:
            return
        yield part


def marked(sheet: Sheet, name: str, answers: dict[str, Any]) -> messages.Marked:
    """What somebody has filled in, marked.

    Raises:
        InputError: when there is nothing in it, or something cannot be taken.
    """
    marking = sheet.mark(answers)
    judged = tuple(messages.Judged(answer.said, answer.right, answer.wrong_at) for answer in marking.answers)
    document = marking.document()
    parts = messages.parts_of(document)[1:]  # the table of all answers stands on the sheet itself
    return messages.Marked(name, marking.ok, document.title, judged, parts)
