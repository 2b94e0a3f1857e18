"""The way back: where a run stood at earlier steps, in bounded memory.

Some standings are kept whole; one between two of them is reached from the earlier one by training again, which gives
the same bits. When there are too many, every second one is dropped: the way from one to the next doubles, its memory
does not.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from chainrule.optimizers import LBFGS
from chainrule.playground.finished import Finished, FinishedEpochs

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.playground.experiment import Experiment
    from chainrule.records import Standing

_BYTES = 48 << 20
_ENTRIES = 400


class Hand(NamedTuple):
    """A number that somebody has put in place of one of a parameter's."""

    name: str
    place: tuple[int, ...]
    value: float


class Entry(NamedTuple):
    """Where a run stood.

    Attributes:
        taken: steps since the beginning, those before a change of the training too.
        experiment: that was running.
        offset: steps taken before it began; `epochs`: epochs finished before it began.
        theta: the parameters ``(P,)``.
        slots: the optimiser's vectors.
        best: the best theta so far.
        standing: of its training, without the records.
        pinned: whether it may never be dropped: training again from before would not lead here.
        last: the last epoch that was finished.
        hands: the numbers that somebody has put in at this step.
    """

    taken: int
    experiment: Experiment
    offset: int
    epochs: int
    theta: Floats
    slots: dict[str, Floats]
    best: Floats
    standing: Standing
    pinned: bool
    last: Finished | None = None
    hands: tuple[Hand, ...] = ()

    @property
    def nbytes(self) -> int:
        """About what it takes."""
        return int(self.theta.nbytes * (2 + len(self.slots)))

    @property
    def leads_on(self) -> bool:
        """Whether training can go on from here: L-BFGS begins anew alone, what it remembers is not handed out."""
        return self.pinned or not isinstance(self.experiment.training.settings.optimizer, LBFGS)


@dataclass
class Timeline:
    """The entries in the order of their steps, and the epochs that were finished.

    Attributes:
        entries: as told.
        finished: the records of epochs.
        gap: steps from one entry to the next, at least.
    """

    most_bytes: int = _BYTES
    most_entries: int = _ENTRIES
    entries: list[Entry] = field(default_factory=list)
    finished: FinishedEpochs = field(default_factory=FinishedEpochs)
    gap: int = 1

    def is_due(self, taken: int) -> bool:
        """Whether an entry for this step is wanted."""
        return not self.entries or taken >= self.entries[-1].taken + self.gap

    def add(self, entry: Entry) -> None:
        """Keep an entry; one of the same step gives way."""
        if self.entries and self.entries[-1].taken == entry.taken and not self.entries[-1].pinned:
            self.entries.pop()
        self.entries.append(entry)
        while len(self.entries) > self.most_entries or self._bytes() > self.most_bytes:
            if not self._thin():
                break

    def _bytes(self) -> int:
        return sum(entry.nbytes for entry in self.entries)

    def _thin(self) -> bool:
        """Drop every second entry that may be; whether any was dropped."""
        last = len(self.entries) - 1
        kept = [e for k, e in enumerate(self.entries) if e.pinned or k == last or k % 2 == 0]
        dropped = len(kept) < len(self.entries)
        self.entries = kept
        self.gap *= 2
        return dropped

    def before(self, taken: int) -> Entry:
        """The last entry that is not after this step, and that training can go on from."""
        place = bisect_right(self.entries, taken, key=lambda entry: entry.taken)
        return next((entry for entry in reversed(self.entries[:place]) if entry.leads_on), self.entries[0])

    def forget_after(self, taken: int) -> None:
        """Drop what comes after this step: what follows will be another course."""
        self.entries = [entry for entry in self.entries if entry.taken <= taken]

    def take_back(self, taken: int) -> tuple[Hand, ...]:
        """Drop the changes made at this step, which another one takes the place of; the numbers put in by hand stay.

        Who drags a slider makes hundreds of them: none leads anywhere but the last.
        """
        last = self.entries[-1] if self.entries else None
        if last is None or last.taken != taken or not last.pinned:
            return ()
        self.entries = self.entries[:-1]
        return last.hands

    def copy(self, here: Entry) -> Timeline:
        """Another one with the same entries, this one too, and the same epochs; it goes its own way."""
        entries = list(self.entries)
        place = bisect_right(entries, here.taken, key=lambda entry: entry.taken)
        if entries[place - 1].taken != here.taken:
            entries.insert(place, here)
        return Timeline(self.most_bytes, self.most_entries, entries, self.finished.copy(), self.gap)

    def history(self, place: int, most: int = 200) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """What the number at this place of theta was, at some of the steps that are kept."""
        entries = list(self.entries)
        every = max(1, len(entries) // most)
        some = entries[::-1][::every][::-1]
        return tuple(e.taken for e in some), tuple(float(e.theta[place]) for e in some)


def entry_of(
    experiment: Experiment,
    offset: int,
    epochs: int,
    *,
    pinned: bool = False,
    last: Finished | None = None,
    hands: tuple[Hand, ...] = (),
) -> Entry:
    """Where the run stands now."""
    training = experiment.training
    return Entry(
        taken=offset + training.standing.taken,
        experiment=experiment,
        offset=offset,
        epochs=epochs,
        theta=training.run.theta.copy(),
        slots={name: slot.copy() for name, slot in training.run.slots.items()},
        best=training.best_theta.copy(),
        standing=msgspec.structs.replace(training.standing, epochs=[]),
        pinned=pinned,
        last=last,
        hands=hands,
    )


def put_back(entry: Entry) -> None:
    """Put the training where the entry stands."""
    if isinstance(entry.experiment.training.settings.optimizer, LBFGS):
        entry.experiment.begin_at(entry.theta)
        return
    training = entry.experiment.training
    training.run.restore(entry.theta, entry.slots)
    training.go_on(msgspec.structs.replace(entry.standing, epochs=[]), entry.best)
