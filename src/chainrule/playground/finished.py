"""The epochs that a run has finished: their records, as many as a curve needs, in bounded memory."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from chainrule.records import Epoch

_MOST = 500  # as a model file keeps
_LAST = 20  # at the end, one after the other: a diagnosis looks at how the loss swings


class Finished(NamedTuple):
    """An epoch that is over.

    Attributes:
        number: 1 for the first of the run, counted over all changes of its training.
        record: as its training gave it, which counts its own epochs.
    """

    number: int
    record: Epoch


@dataclass
class FinishedEpochs:
    """Some of the epochs: every so many-th, the best, the newest, and of each change on the way the last before it.

    When there are too many, every second one is dropped.

    Attributes:
        kept: at equal distances, and what is never dropped.
        best: the best so far of the training that runs.
        newest: the last ones that were told of.
    """

    most: int = _MOST
    kept: list[Finished] = field(default_factory=list)
    best: Finished | None = None
    newest: deque[Finished] = field(default_factory=lambda: deque(maxlen=_LAST))
    _pinned: set[int] = field(default_factory=set)
    _gap: int = 1

    def add(self, epoch: Finished) -> None:
        """Keep an epoch if it is due; of one that is known already, since somebody went back, nothing new is told."""
        if self.newest and epoch.number <= self.newest[-1].number:
            return
        self.newest.append(epoch)
        if epoch.record.best:
            self.best = epoch
        if self._is_due(epoch.number):
            self.kept.append(epoch)
            while len(self.kept) > self.most and self._thin():
                pass

    def _is_due(self, number: int) -> bool:
        return (number - 1) % self._gap == 0

    def _thin(self) -> bool:
        """Drop every second one that may be; whether any was dropped."""
        before, self._gap = len(self.kept), 2 * self._gap
        self.kept = [each for each in self.kept if self._is_due(each.number) or each.number in self._pinned]
        return len(self.kept) < before

    def until(self, last: Finished | None) -> tuple[Finished, ...]:
        """Those up to this one, where the run stands, and this one."""
        if last is None:
            return ()
        newest = [each for each in self.newest if each.number < last.number] + [last]
        known = self.kept[: bisect_left(self.kept, newest[0].number, key=_number)]  # the newest lie without gaps
        best = self.best
        if best is not None and best.number < newest[0].number:
            place = bisect_left(known, best.number, key=_number)
            known[place : place + (known[place : place + 1] == [best])] = [best]
        return (*known, *newest)

    def turn(self, last: Finished | None) -> None:
        """From here on it is another course: forget what comes after, and keep for good how it came here."""
        here, best = self.until(last), self.best
        known = {each.number for each in here}
        pinned = {each.number for each in (best, last) if each is not None}
        self._pinned = (self._pinned | pinned) & known
        self.kept, self.best = list(here), None
        self.newest = deque(here[-_LAST:], maxlen=_LAST)

    def copy(self) -> FinishedEpochs:
        """Another one with the same, which goes its own way."""
        newest = deque(self.newest, maxlen=_LAST)
        return FinishedEpochs(self.most, list(self.kept), self.best, newest, set(self._pinned), self._gap)


def _number(epoch: Finished) -> int:
    return epoch.number
