"""A marking in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.insight.marking.search import layer_names
from chainrule.insight.rendering import Document, Heading, Matrix, Part, Sentence, Table, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.insight.marking.marked import Marked
    from chainrule.insight.marking.search import Fit, Made
    from chainrule.insight.trace import Trace

_SHOWN = 8  # wrong numbers of an array
_MOST = 6  # mistakes that fit equally and are listed


def document(trace: Trace, answers: tuple[Marked, ...], fits: list[Fit]) -> Document:
    """What is right, the first that is wrong, and why."""
    return Document(_title(answers), tuple(_parts(trace, answers, fits)))


def _title(answers: tuple[Marked, ...]) -> str:
    right, asked = sum(answer.right for answer in answers), len(answers)
    if right == asked:
        return "The answer is right" if asked == 1 else f"All {asked} answers are right"
    return f"{right} of {asked} answers {'is' if right == 1 else 'are'} right"


def _parts(trace: Trace, answers: tuple[Marked, ...], fits: list[Fit]) -> Iterator[Part]:
    yield Table(("answer", "in the trace", "is", "as given"), tuple(map(_line, answers)))
    first = next((answer for answer in answers if not answer.right), None)
    if first is None:
        return
    yield Heading(f"The first that is wrong: {first.said}")
    formula = trace.formula(first.name)
    yield Sentence(f"{first.name} = {formula}" if formula else first.name)
    yield from _entries(first)
    yield Sentence(f"What differs: {first.difference}.")
    yield Heading("The mistake")
    yield from _mistakes(trace, fits)


def _entries(answer: Marked) -> Iterator[Part]:
    """The numbers that are wrong, the first of them."""
    yours, right = np.asarray(answer.values), np.asarray(answer.expected)
    if yours.shape != right.shape:
        yield Matrix("yours", yours)
        yield Matrix("right", right)
        return
    off = answer.wrong_at
    rows = tuple(
        (str(list(at)) if at else "", number(yours[at], answer.digits), number(right[at], answer.digits)) for at in off
    )
    yield Table(("at", "yours", "right"), rows[:_SHOWN], right=(1, 2))
    if len(rows) > _SHOWN:
        yield Sentence(f"{len(rows) - _SHOWN} more are wrong.", "note")


def _line(answer: Marked) -> tuple[str, str, str, str]:
    return (answer.said, answer.name, "right" if answer.right else "wrong", answer.how)


def _mistakes(trace: Trace, fits: list[Fit]) -> Iterator[Part]:
    if not fits:
        yield Sentence(
            "No mistake in the catalogue, and no pair of those tried, gives these numbers. Begin with the first wrong "
            "one: what comes before it does not explain it.",
            "warning",
        )
        return
    if len(fits) == 1:
        yield Sentence(_capital(_told(trace, fits[0])) + ".", "alarm")
        yield from _right(fits[0])
        yield Sentence(f"With {'it' if len(fits[0].made) == 1 else 'both'} every number given is made exactly.", "note")
        return
    yield Sentence(
        f"{len(fits)} explanations give exactly these numbers; more numbers would tell which it is:", "alarm"
    )
    yield Table((), tuple(_numbered(trace, fits[:_MOST])))
    if len(fits) > _MOST:
        yield Sentence(f"{len(fits) - _MOST} more are left out here; the JSON form has all.", "note")


def _numbered(trace: Trace, fits: list[Fit]) -> Iterator[tuple[str, str]]:
    for place, fit in enumerate(fits, 1):
        right = "; ".join(dict.fromkeys(made.mistake.right for made in fit.made))
        yield str(place), f"{_capital(_told(trace, fit))}. Right is: {right}"


def _right(fit: Fit) -> Iterator[Part]:
    for right in dict.fromkeys(made.mistake.right for made in fit.made):
        yield Sentence(f"Right is: {right}")


def _told(trace: Trace, fit: Fit) -> str:
    return "; and ".join(_one(trace, made) for made in fit.made)


def _one(trace: Trace, made: Made) -> str:
    where = scope_words(trace, made)
    return f"{where}: {made.mistake.says}" if where else made.mistake.says


def scope_words(trace: Trace, made: Made) -> str:
    """In which layers it was made; empty for a mistake that belongs to none.

    Of several that fit as well the widest is told, and that the numbers do not say.
    """
    where = made.mistake.where
    names = layer_names(trace, where)
    word = "layer" if where == "layers" else where.replace("_", " ")
    told = [_layers(layers, names, word) for layers in made.layers if layers is not None]
    return " or ".join(told[:2]) if len(told) <= 2 else f"{told[0]}, {told[1]} or some other"


def _layers(layers: frozenset[str], names: tuple[str, ...], word: str) -> str:
    if len(layers) == 1:
        return f"in {next(iter(layers))}"
    return f"in every {word}" if len(layers) == len(names) else f"in every {word} but the last"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
