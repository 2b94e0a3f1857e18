"""A marking in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.insight.marking.search import layer_names
from chainrule.insight.rendering import Document, Heading, Matrix, Part, Sentence, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.insight.marking.marking import Marked, Marking
    from chainrule.insight.marking.search import Fit, Made

_MOST = 6  # mistakes that fit equally and are listed


def document(marking: Marking, digits: int) -> Document:
    """All of it."""
    return Document(_title(marking), tuple(_parts(marking, digits)))


def _title(marking: Marking) -> str:
    wrong, all_of_them = len(marking.wrong), len(marking.answers)
    if not wrong:
        return "The answer is right" if all_of_them == 1 else f"All {all_of_them} answers are right"
    return f"{all_of_them - wrong} of {all_of_them} answers {'is' if all_of_them - wrong == 1 else 'are'} right"


def _parts(marking: Marking, digits: int) -> Iterator[Part]:
    del digits
    yield Table(("answer", "in the trace", "is", "as given"), tuple(map(_line, marking.answers)))
    first = marking.first
    if first is None:
        return
    yield Heading(f"The first that is wrong: {first.said}")
    formula = marking.trace.formula(first.name)
    yield Matrix("yours", first.values)
    yield Matrix("right", first.expected, formula, first.name)
    yield Sentence(f"What differs: {first.difference}.")
    yield Heading("The mistake")
    yield from _mistakes(marking)


def _line(answer: Marked) -> tuple[str, str, str, str]:
    return (answer.said, answer.name, "right" if answer.right else "wrong", answer.how)


def _mistakes(marking: Marking) -> Iterator[Part]:
    fits = marking.fits
    if not fits:
        yield Sentence(
            "No mistake that I know, and no pair of them, gives these numbers. Begin with the first wrong one: all "
            "that was asked before it is right.",
            "warning",
        )
        return
    if len(fits) == 1:
        yield Sentence(_capital(_told(marking, fits[0])) + ".", "alarm")
        yield from _right(fits[0])
        yield Sentence(f"With {'it' if len(fits[0].made) == 1 else 'both'} every number given is made exactly.", "note")
        return
    yield Sentence(f"{len(fits)} explanations give exactly these numbers; more numbers would tell which it is:", "alarm")
    yield Table((), tuple(_numbered(marking, fits[:_MOST])))
    if len(fits) > _MOST:
        yield Sentence(f"{len(fits) - _MOST} more are left out here; the JSON form has all.", "note")


def _numbered(marking: Marking, fits: list[Fit]) -> Iterator[tuple[str, str]]:
    for place, fit in enumerate(fits, 1):
        right = "; ".join(dict.fromkeys(made.mistake.right for made in fit.made))
        yield str(place), f"{_capital(_told(marking, fit))}. Right is: {right}"


def _right(fit: Fit) -> Iterator[Part]:
    for right in dict.fromkeys(made.mistake.right for made in fit.made):
        yield Sentence(f"Right is: {right}")


def _told(marking: Marking, fit: Fit) -> str:
    return "; and ".join(_one(marking, made) for made in fit.made)


def _one(marking: Marking, made: Made) -> str:
    where = scope_words(marking, made)
    return f"{where}: {made.mistake.says}" if where else made.mistake.says


def scope_words(marking: Marking, made: Made) -> str:
    """In which layers it was made; empty for a mistake that belongs to none.

    Of several that fit as well the widest is told, and that the numbers do not say.
    """
    names = layer_names(marking.trace)
    told = [_layers(layers, names) for layers in made.layers if layers is not None]
    return " or ".join(told[:2]) if len(told) <= 2 else f"{told[0]}, {told[1]} or some other"


def _layers(layers: frozenset[str], names: tuple[str, ...]) -> str:
    if len(layers) == 1:
        return f"in {next(iter(layers))}"
    return "in every layer" if len(layers) == len(names) else "in every layer but the last"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
