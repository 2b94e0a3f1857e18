"""`mark`: which of somebody's numbers are right, which is the first wrong one, and which mistake makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import checks
from chainrule.errors import ArgumentError, ShapeError
from chainrule.insight.marking import answers as reading
from chainrule.insight.marking.arrangement import ARRANGEMENTS, Laid, lay
from chainrule.insight.marking.difference import difference
from chainrule.insight.marking.marked import Marked
from chainrule.insight.marking.noise import noise
from chainrule.insight.marking.search import Fit, Search
from chainrule.insight.marking.telling import document, scope_words
from chainrule.insight.rendering import Document, Explained, plain
from chainrule.insight.trace import trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chainrule.arrays import Array
    from chainrule.insight.marking.answers import Answer
    from chainrule.insight.marking.arrangement import Arrangement
    from chainrule.insight.trace import Trace
    from chainrule.model import Model
    from chainrule.network import Network
    from chainrule.optimizers import AnyOptimizer


def mark(
    net: Network | Model,
    X: Any,
    y: Any = None,
    answers: Any = None,
    *,
    optimizer: str | AnyOptimizer | None = None,
    rows: Iterable[int] | None = None,
    training: bool | None = None,
    sample_weight: Any = None,
    names: Mapping[str, str] | None = None,
    units: int = 0,
    decimals: int = 0,
) -> Marking:
    """Somebody's own numbers of a step beside the right ones, and the mistake that makes what is wrong.

    An answer is right when it is so to the digits in which it is given. Weights as (O, I), rows as columns and a bias
    inside of W are recognised.

    Args:
        net: a `Network`, or a `Model` with a table as `X`.
        X: inputs ``(B, I)`` or one row; for a model a path, a built-in name or a frame.
        y: targets; None for a model.
        answers: numbers by name, any part of them; or a file of them: JSON, npz or CSV. The names are those of
            `trace`, or usual ones: ``"W1"``, ``"delta2"``, ``"new_b1"``, ``"loss"``.
        optimizer: for answers about new weights; see `trace`.
        rows: which rows of the data make the batch, from 0; all when None.
        training: see `trace`.
        sample_weight: a weight for each row of the data, before `rows` chooses.
        names: their own names, and what each is in the trace.
        units: how many units of the last digit a rounded number may be off, for those who rounded on the way.
        decimals: that were asked for: 0.1 is then 0.1000 and not right for 0.1457; 0: as many as were written.

    Raises:
        InputError: when a name, a shape or a number cannot be taken; says what there is.

    >>> import chainrule as cr
    >>> net = cr.Network([cr.Dense(2, "tanh"), cr.Dense(1)], "half_squared_error", n_inputs=2)
    >>> step = cr.trace(net, [0.5, -1.0], [1.0])
    >>> marked = mark(net, [0.5, -1.0], [1.0], {"Z1": step["dense_1.Z"], "dW2": -step["dense_2.dW"]})
    >>> marked.ok, marked.first.name, marked.first.difference
    (False, 'dense_2.dW', 'the sign: each number is the negative of the right one')
    >>> [fit.made[0].mistake.name for fit in marked.fits][:2]
    ['sign of the error', 'delta of the wrong sign']
    """
    if answers is None:
        raise ArgumentError("answers", where="mark", expected="numbers by name, or a file of them", got=answers)
    allowed = checks.whole(units, "units", where="mark", least=0)
    asked = checks.whole(decimals, "decimals", where="mark", least=0)
    made = trace(net, X, y, optimizer, rows=rows, training=training, sample_weight=sample_weight)
    return Marking(made, reading.read(answers, made, names or {}, units=allowed, decimals=asked, where="mark"))


class Marking(Explained):
    """What is right, what is wrong, and why; made by `mark`. Print it.

    Attributes:
        trace: with the right numbers.
        answers: each of them, in the order of the step.
        fits: the mistakes that make exactly these numbers, all that fit equally; empty where none is known or needed.
    """

    def __init__(self, made: Trace, given: list[Answer]) -> None:
        self.trace = made
        search, self.fits = _judged(made, given)
        self.answers = tuple(self._marked(search, place) for place in range(len(search.laid)))
        _refuse_misshapen(search, self.fits)

    def _marked(self, search: Search, place: int) -> Marked:
        laid = search.laid[place]
        expected = np.asarray(laid.address.of(search.truth[laid.address.name]))
        right = place not in search.wrong
        words = "" if right else difference(laid, expected, self._sizes())
        how = ", ".join(filter(None, (laid.how, laid.precision.told())))
        return Marked(
            laid.said,
            str(laid.address),
            right,
            laid.values,
            expected,
            how,
            words,
            laid.digits(expected),
            _wrong_at(laid, expected),
        )

    def _sizes(self) -> dict[str, float]:
        """By what people multiply by mistake."""
        (B, I), O = self.trace.batch.X.shape, self.trace.batch.T.shape[1]
        sizes = {"the number of rows": B, "the number of outputs": O, "the number of inputs": I}
        if self.trace.update is not None:
            sizes["the learning rate"] = self.trace.update.rate
        return sizes

    @property
    def ok(self) -> bool:
        """Whether every answer is right."""
        return all(answer.right for answer in self.answers)

    @property
    def wrong(self) -> tuple[Marked, ...]:
        """The wrong answers, in the order of the step."""
        return tuple(answer for answer in self.answers if not answer.right)

    @property
    def first(self) -> Marked | None:
        """The first wrong answer on the way of computation; None where all are right."""
        return next(iter(self.wrong), None)

    def __repr__(self) -> str:
        return f"Marking({len(self.answers) - len(self.wrong)} of {len(self.answers)} right; print it)"

    def document(self, *, digits: int = 6) -> Document:
        del digits  # matrices are rounded by whoever draws them
        return document(self.trace, self.answers, self.fits)

    def data(self) -> dict[str, Any]:
        fits = [
            [{"mistake": m.mistake.name, "says": m.mistake.says, "right": m.mistake.right,
              "where": scope_words(self.trace, m)} for m in fit.made]
            for fit in self.fits
        ]  # fmt: skip
        marked = [a._asdict() | {"values": plain(a.values), "expected": plain(a.expected)} for a in self.answers]
        return {
            "ok": self.ok,
            "first": None if self.first is None else self.first.name,
            "answers": marked,
            "fits": fits,
        }


def _wrong_at(laid: Laid, expected: Any) -> tuple[tuple[int, ...], ...]:
    if laid.values.shape != expected.shape:
        return ()
    return tuple(tuple(int(i) for i in place) for place in np.argwhere(~np.asarray(laid.entries(expected))))


def _judged(made: Trace, given: list[Answer]) -> tuple[Search, list[Fit]]:
    """The answers laid as they fit: all right, if any arrangement makes them so; else explained by a mistake."""
    searches: list[Search] = []
    off = noise(made)
    for arrangement in ARRANGEMENTS:
        search = Search(made, [_allowing(off, laid) for laid in _laid(made, given, arrangement)])
        if not search.wrong:
            return search, []
        if not any(_same(search, other) for other in searches):
            searches.append(search)
    for search in searches:
        fits = search.alone()
        if fits:
            return search, fits
    best = min(searches, key=lambda search: len(search.wrong))
    return best, best.pairs()


def _laid(made: Trace, given: list[Answer], arrangement: Arrangement) -> list[Laid]:
    laid = [part for answer in given for part in lay(answer, made, arrangement)]
    place = {name: i for i, name in enumerate(made.names)}
    return sorted(laid, key=lambda part: place[part.address.name])


def _allowing(off: Mapping[str, Array], laid: Laid) -> Laid:
    """The answer, with what rounding of the gradient alone would change."""
    own = laid.address.of(off[laid.address.name]) if laid.address.name in off else 0.0
    return laid._replace(noise=own) if np.shape(own) == laid.values.shape else laid


def _same(one: Search, other: Search) -> bool:
    """Whether two arrangements come to the same."""
    return all(np.array_equal(a.values, b.values, equal_nan=True) for a, b in zip(one.laid, other.laid, strict=True))


def _refuse_misshapen(search: Search, fits: list[Fit]) -> None:
    """Raise for a shape that no mistake explains."""
    for laid in () if fits else search.laid:
        expected = np.shape(laid.address.of(search.truth[laid.address.name]))
        if laid.values.shape != expected:
            raise ShapeError(laid.said, where="mark", expected=f"shape {expected}", got=laid.values.shape)
