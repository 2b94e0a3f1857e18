"""Which mistake, or pair of mistakes, makes somebody's numbers."""

from __future__ import annotations

from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from chainrule.insight.marking.catalogue import CATALOGUE
from chainrule.insight.marking.mistake import InapplicableError, Mistake, Slip
from chainrule.insight.marking.variant import Start, Variant
from chainrule.insight.passes import every
from chainrule.layers import Activation, Dense

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from chainrule.arrays import Array
    from chainrule.insight.marking.arrangement import Laid
    from chainrule.insight.marking.mistake import Where
    from chainrule.insight.trace import Trace

_PAIRS = 2000  # tried at most
_MORE = 300  # tried after one that fits, for those that fit equally
_WORK = 3e8  # numbers in weights times rows, over all pairs


class Made(NamedTuple):
    """A mistake and the layers in which it fits as well: each a set; None for a mistake that belongs to none."""

    mistake: Mistake
    layers: tuple[frozenset[str] | None, ...]


class Fit(NamedTuple):
    """Mistakes that together make the numbers: one, or two."""

    made: tuple[Made, ...]


class _Tried(NamedTuple):
    """A slip, which answers it explains and which it changes."""

    slip: Slip
    explains: frozenset[int]
    changes: frozenset[int]


def layer_names(trace: Trace, where: Where = "layers") -> tuple[str, ...]:
    """The layers in which people make such mistakes, in order."""
    nodes = every(trace.made.nodes)
    if where == "layers":
        return tuple(dict.fromkeys(node.name for node in nodes if isinstance(node.layer, Dense | Activation)))
    return tuple(node.name for node in nodes if node.layer.kind == where)


def slips(trace: Trace) -> Iterator[Slip]:
    """Each mistake in all layers of its kind, in all but the last, in each alone."""
    for mistake in CATALOGUE:
        if mistake.where == "once":
            yield Slip(mistake)
            continue
        names = layer_names(trace, mistake.where)
        scopes = dict.fromkeys(frozenset(some) for some in (names, names[:-1], *([name] for name in names)) if some)
        yield from (Slip(mistake, scope) for scope in scopes)


class Search:
    """For the mistakes behind answers of which some are wrong.

    Attributes:
        laid: the answers, in the order of the step.
        truth: the right numbers by name.
        wrong: the places of wrong answers.
    """

    def __init__(self, trace: Trace, laid: list[Laid]) -> None:
        self.trace, self.laid, self.start = trace, laid, Start.of(trace)
        self.truth = {answer.address.name: np.asarray(trace[answer.address.name]) for answer in laid}
        self.all = frozenset(range(len(laid)))
        self.wrong = sorted(self.all - self._explained(self.truth))

    def numbers(self, made: tuple[Slip, ...]) -> Mapping[str, Array] | None:
        """The numbers that these slips give; None where nobody can make them."""
        try:
            return Variant(self.start, made).numbers
        except InapplicableError:
            return None

    def _of(self, place: int, numbers: Mapping[str, Array]) -> Array:
        """What the numbers have for an answer; NaN where it has no such place."""
        address = self.laid[place].address
        values = np.asarray(numbers.get(address.name, self.truth[address.name]))
        if values.shape != self.truth[address.name].shape and address.places:
            return np.asarray(np.nan)
        return np.asarray(address.of(values))

    def _explained(self, numbers: Mapping[str, Array]) -> frozenset[int]:
        return frozenset(place for place, answer in enumerate(self.laid) if answer.right(self._of(place, numbers)))

    def _changed(self, numbers: Mapping[str, Array]) -> frozenset[int]:
        changed = set()
        for place, answer in enumerate(self.laid):
            right, here = answer.address.of(self.truth[answer.address.name]), self._of(place, numbers)
            if here.shape != np.shape(right) or not np.array_equal(here, right):
                changed.add(place)
        return frozenset(changed)

    @cached_property
    def _tried(self) -> list[_Tried]:
        tried = []
        for slip in slips(self.trace):
            numbers = self.numbers((slip,))
            if numbers is not None:
                tried.append(_Tried(slip, self._explained(numbers), self._changed(numbers)))
        return tried

    def alone(self) -> list[Fit]:
        """The single mistakes that make all numbers."""
        return grouped([(one.slip,) for one in self._tried if one.explains == self.all])

    def pairs(self) -> list[Fit]:
        """The pairs of mistakes that make all numbers together, as far as there is time to try them."""
        found = []
        limit = min(_PAIRS, int(_WORK / (self.start.theta.size * len(self.start.batch.X))))
        for count, pair in enumerate(self._likely(self._tried)):
            if count >= limit:
                break
            numbers = self.numbers(pair)
            if numbers is not None and self._explained(numbers) == self.all:
                found.append(pair)
                limit = min(limit, count + _MORE)
        return grouped(found)

    def _likely(self, tried: list[_Tried]) -> Iterator[tuple[Slip, ...]]:
        """Pairs that change what is wrong: first those of which one explains the first wrong number."""
        first, wrong = self.wrong[0], frozenset(self.wrong)
        useful = [one for one in tried if one.changes & wrong]
        useful.sort(key=lambda one: (len(self.all - one.explains), len(one.slip.layers or ())))
        seen = set()
        for one, other in (*_with_first(useful, first), *combinations(useful, 2)):
            key = frozenset((id(one), id(other)))
            if key in seen or one.slip.mistake is other.slip.mistake or not one.changes | other.changes >= wrong:
                continue
            seen.add(key)
            yield (one.slip, other.slip)


def _with_first(useful: list[_Tried], first: int) -> Iterable[tuple[_Tried, _Tried]]:
    """One that explains the first wrong answer, with one that changes what the first leaves unexplained."""
    for one in useful:
        if first in one.explains:
            yield from ((one, other) for other in useful if other.changes - one.explains)


def grouped(found: list[tuple[Slip, ...]]) -> list[Fit]:
    """The same mistakes in other layers together."""
    by_mistakes: dict[tuple[str, ...], list[tuple[Slip, ...]]] = {}
    for made in found:
        ordered = tuple(sorted(made, key=lambda slip: _PLACE[slip.mistake.name]))
        by_mistakes.setdefault(tuple(slip.mistake.name for slip in ordered), []).append(ordered)
    return [
        Fit(tuple(Made(one[0].mistake, tuple(dict.fromkeys(s.layers for s in one))) for one in zip(*same, strict=True)))
        for same in by_mistakes.values()
    ]


_PLACE = {mistake.name: place for place, mistake in enumerate(CATALOGUE)}
