"""`Trace.what_if`: another number in place of one, both passes again, and what moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule import checks
from chainrule.errors import ArgumentError, ShapeError
from chainrule.insight import addresses
from chainrule.insight.rendering import Document, Explained, Formula, Heading, Part, Sentence, Table, number, plain
from chainrule.insight.rendering.numbers import in_product

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.insight.addresses import Address
    from chainrule.insight.trace import Trace

_DIGITS = 6
_ROWS = {"X": "inputs", "T": "targets"}  # of the batch, which may be changed as well as parameters


class Moved(NamedTuple):
    """What became of an array.

    Attributes:
        name: of the array.
        place: of the entry that moved most: ``dense_2.Y[0, 1]``; the name alone of a single number.
        before: that entry, as it was.
        after: as it is now.
        share: of the entries, how many moved.
    """

    name: str
    place: str
    before: float
    after: float
    share: float


class WhatIf(Explained):
    """What another number in place of one would change; made by `Trace.what_if`. Print it.

    Attributes:
        name: the address of what was changed.
        before: the trace as it was.
        after: the trace with the new number.
        moved: what moved, in the order of the step.
        still: the names of the arrays that did not.
        foretold: the change of the objective that its gradient promised; None for targets and running averages.
    """

    def __init__(self, before: Trace, name: str, value: Any) -> None:
        known = [*(p.name for p in before.objective.layout.parameters), *_ROWS]
        address = addresses.parse(name, known, where="what_if")
        self.name, self.before = str(address), before
        self.old, self.new, self.after = _changed(before, address, value)
        found = [_moved(n, np.asarray(before[n]), np.asarray(self.after[n])) for n in before if n in self.after]
        self.moved = tuple(each for each in found if each.share > 0)
        self.still = tuple(each.name for each in found if each.share == 0)

        self.foretold = self._foretold(address)

    def _foretold(self, address: Address) -> float | None:
        """How much the objective would change if it were a straight line: gradient times change."""
        layer, _, own = address.name.rpartition(".")
        name = f"{layer}.d{own}"
        if address.name == "X":
            gradient = self.before.made.nodes[0].dX
        elif name in self.before:
            gradient = np.asarray(self.before[name])
        else:
            return None
        return float(np.sum(address.of(gradient) * (self.new - self.old)))

    def __repr__(self) -> str:
        return f"WhatIf({self.name}: {len(self.moved)} arrays moved, {len(self.still)} did not; print it)"

    def document(self, *, digits: int = _DIGITS) -> Document:
        alone = np.ndim(self.old) == 0
        was, now = (number(float(x), digits) if alone else "other numbers" for x in (self.old, self.new))
        title = f"What if {self.name} were {now}" + (f" instead of {was}" if alone else "")
        return Document(title, tuple(self._parts(digits)))

    def _parts(self, digits: int) -> Iterator[Part]:
        before, after = (float(trace["objective"]) for trace in (self.before, self.after))
        yield Heading("The loss")
        change = after - before
        numbers = f"{number(before, digits)}, now {number(after, digits)}: {_signed(change, digits)}"
        yield Sentence(f"The {'objective' if self.before.objective.penalised else 'loss'} was {numbers}.")
        if self.foretold is not None:
            yield from self._foretelling(change, self.foretold, digits)
        yield Heading("What moved")
        rows = tuple(
            (m.place, number(m.before, digits), number(m.after, digits), _signed(m.after - m.before, digits), _of(m))
            for m in self.moved
        )
        if rows:
            yield Table(("most moved", "was", "is", "by", "entries moved"), rows, right=(1, 2, 3, 4))
        else:
            yield Sentence("Nothing.")
        yield Heading("What did not")
        yield Sentence(f"{', '.join(self.still)}." if self.still else "Nothing stayed as it was.")

    def _foretelling(self, change: float, foretold: float, digits: int) -> Iterator[Part]:
        """What the gradient said of it, which is right for small changes only."""
        rest = _signed(change - foretold, digits)
        if np.ndim(self.old):
            yield Sentence(f"The gradient foretold {_signed(foretold, digits)}; the rest, {rest}, is curvature.")
            return
        step = float(self.new - self.old)
        old, new, gradient = (
            in_product(float(x), digits) for x in (self.old, self.new, foretold / step if step else 0.0)
        )
        yield Sentence("The gradient foretold, as if the loss were a straight line:")
        straight = f"dL/dw * ({new} - {old}) = {gradient} * {in_product(step, digits)}"
        yield Formula((straight, f"= {number(foretold, digits)}"))
        yield Sentence(f"The rest, {rest}, is curvature.")

    def data(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "old": plain(self.old),
            "new": plain(self.new),
            "objective": {"before": self.before["objective"], "after": self.after["objective"]},
            "foretold": None if self.foretold is None else plain(self.foretold),
            "moved": {
                m.name: {"before": plain(self.before[m.name]), "after": plain(self.after[m.name])} for m in self.moved
            },
            "still": list(self.still),
        }


def _changed(before: Trace, address: Address, value: Any) -> tuple[Any, Any, Trace]:
    """The numbers as they were and as they are to be, and the trace with those."""
    new = _numbers(value, address)
    theta, given = before.theta.copy(), before.given
    layout = before.objective.layout
    if address.name in _ROWS:
        rows = getattr(given.batch, address.name).copy()
        given = given._replace(batch=given.batch._replace(**{address.name: rows}))
    else:
        rows = layout.view(theta, address.name)
    old = np.array(address.of(rows))
    if new.ndim and new.shape != old.shape:
        raise ShapeError(
            "value", where="what_if", expected=f"one number, or numbers of shape {old.shape}", got=new.shape
        )
    rows[address.places or ...] = new
    return old, np.array(address.of(rows)), before.again(theta, given)


def _numbers(value: Any, address: Address) -> np.ndarray[Any, Any]:
    expected = f"a finite number for {address}"
    new = checks.numbers(value, "value", where="what_if", expected=expected)
    if not np.isfinite(new).all():
        raise ArgumentError("value", where="what_if", expected=expected, got=value)
    return new


def _moved(name: str, before: np.ndarray[Any, Any], after: np.ndarray[Any, Any]) -> Moved:
    with np.errstate(all="ignore"):
        difference = np.abs(after - before)
    changed = ~((before == after) | (np.isnan(before) & np.isnan(after)))
    if not changed.any():
        return Moved(name, name, 0.0, 0.0, 0.0)
    place = np.unravel_index(int(np.argmax(np.where(changed, np.nan_to_num(difference, nan=np.inf), -1))), before.shape)
    where = f"{name}[{', '.join(str(int(p)) for p in place)}]" if before.ndim else name
    return Moved(name, where, float(before[place]), float(after[place]), float(changed.mean()))


def _signed(value: float, digits: int) -> str:
    return f"{value + 0.0:+.{digits}g}"


def _of(moved: Moved) -> str:
    return f"{moved.share:.0%}"
