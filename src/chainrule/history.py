"""What happened in a training: a table and a picture."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from functools import cached_property
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

import msgspec

from chainrule.extensions import extension
from chainrule.records import Epoch, Epochs
from chainrule.training_settings import TrainingSettings

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    import polars as pl
    from matplotlib.figure import Figure

    from chainrule.trained import Trained

_HIDDEN = ("penalty", "objective")  # columns that can be asked for where the table is shorter without them
_KEPT = 500  # epochs in a file; of more, so many evenly spread
_LAST = 20  # of them at the end, one after the other


class HistoryRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A history as a model file keeps it: by column, thinned, without times, so that equal trainings give equal files.

    Attributes:
        settings: how the training went about it.
        best_epoch: of the monitored quantity; 0 when there is none.
        stopped: why the training ended before its last epoch.
        epoch: the numbers of the epochs that are kept.
        taken: steps until the end of each.
        loss: of each; likewise `penalty`, `rate` and, by name, `scores`, where None is a score that was undefined.
    """

    settings: TrainingSettings
    best_epoch: int
    stopped: str
    epoch: tuple[int, ...]
    taken: tuple[int, ...]
    loss: tuple[float, ...]
    penalty: tuple[float, ...]
    rate: tuple[float, ...]
    scores: dict[str, tuple[float | None, ...]]

    def __post_init__(self) -> None:
        columns = (self.taken, self.loss, self.penalty, self.rate, *self.scores.values())
        rising = all(before < after for before, after in itertools.pairwise((0, *self.epoch)))
        if not (self.epoch and rising and all(len(column) == len(self.epoch) for column in columns)):
            raise ValueError("the columns of the history do not fit together")
        if self.best_epoch and self.best_epoch not in self.epoch:
            raise ValueError(f"epoch {self.best_epoch} is not in the history")

    def history(self) -> History:
        """What it tells."""
        scores = {name: [nan if value is None else value for value in column] for name, column in self.scores.items()}
        epochs = [
            Epoch(*numbers, 0.0, {name: scores[name][i] for name in scores}, numbers[0] == self.best_epoch)
            for i, numbers in enumerate(zip(self.epoch, self.taken, self.loss, self.penalty, self.rate, strict=True))
        ]
        return History(epochs, best_epoch=self.best_epoch, stopped=self.stopped, seconds=0.0, settings=self.settings)


class History:
    """The records of a training, by epoch.

    Attributes:
        epochs: a record for each epoch.
        best_epoch: the epoch of the best monitored value, 0 when there is none.
        stopped: why the training ended before its last epoch; empty when it did not.
        seconds: that it took; 0 where it comes from a file.
        settings: how the training went about it: epochs, batches, optimizer; None where nobody noted it.
        trained: the network as it was at the end, and the rows, for `report`; None where it comes from a file, or from
            one of many trainings, or is a copy. Set it to None to let go of the rows.
    """

    def __init__(
        self,
        epochs: Sequence[Epoch],
        *,
        best_epoch: int,
        stopped: str,
        seconds: float,
        settings: TrainingSettings | None = None,
        trained: Trained | None = None,
    ) -> None:
        self.settings, self.trained = settings, trained
        self.epochs: Sequence[Epoch] = epochs if isinstance(epochs, Epochs) else tuple(epochs)
        self.best_epoch, self.stopped, self.seconds = best_epoch, stopped, seconds

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a pickle holds: all but the rows, which would go wherever the network goes."""
        return self.__dict__ | {"trained": None}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns: ``epoch``, ``loss``, the scores, ``penalty`` where there is one, ``rate``, ``seconds``."""
        scores = self.epochs[0].scores if self.epochs else {}
        penalty = ("penalty",) if any(record.penalty for record in self.epochs) else ()
        return ("epoch", "loss", *scores, *penalty, "rate", "seconds")

    def __getitem__(self, name: str) -> list[float]:
        """One column, a value for each epoch: ``history["validation_loss"]``.

        ``history["objective"]`` is loss + penalty, what the training minimises.
        """
        if not isinstance(name, str) or name not in (*self.names, *_HIDDEN):
            raise KeyError(f"{name!r}; there are: {', '.join(self.names)}")
        return [record.scores[name] if name in record.scores else getattr(record, name) for record in self.epochs]

    def __len__(self) -> int:
        return len(self.epochs)

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self.epochs)

    def __repr__(self) -> str:
        if not self.epochs:
            return "History of no epochs"
        last = ", ".join(f"{name} {self[name][-1]:.6g}" for name in self.names[1:-2])
        why = f"; stopped: {self.stopped}" if self.stopped else ""
        time = f" in {self.seconds:.3g} s" if self.seconds else ""
        return f"History of {len(self)} epochs{time}: {last}; best epoch {self.best_epoch}{why}"

    def record(self) -> HistoryRecord | None:
        """What a model file keeps of it; None where there is nothing to keep."""
        if not self.epochs or self.settings is None:
            return None
        kept = _thinned(self.epochs, self.best_epoch)
        return HistoryRecord(
            settings=self.settings,
            best_epoch=self.best_epoch,
            stopped=self.stopped,
            epoch=tuple(each.epoch for each in kept),
            taken=tuple(each.taken for each in kept),
            loss=tuple(each.loss for each in kept),
            penalty=tuple(each.penalty for each in kept),
            rate=tuple(each.rate for each in kept),
            scores={
                name: tuple(each.scores[name] if isfinite(each.scores[name]) else None for each in kept)
                for name in kept[0].scores
            },
        )

    def to_frame(self) -> pl.DataFrame:
        """The table, a row for each epoch."""
        import polars as pl

        return pl.DataFrame({name: self[name] for name in self.names})

    def _repr_html_(self) -> str:
        return str(self.to_frame()._repr_html_())

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """The curves: losses in one panel, the other scores in another; written to `path` when given (PNG, SVG or PDF).

        Losses are without penalties, so that those of training and validation compare.

        Raises:
            StorageError: when the file cannot be written.
            ArgumentError: when its ending is none of a picture.
        """
        from chainrule.plotting import draw_curves, save_figure

        losses = {name: self[name] for name in self.names if name.endswith("loss")}
        scores = {name: self[name] for name in self.names[1:-2] if name not in (*losses, "penalty")}
        figure = draw_curves(self["epoch"], losses, scores, best_epoch=self.best_epoch)
        if path is not None:
            save_figure(figure, path)
        return figure

    def report(self, path: str | os.PathLike[str], **options: Any) -> None:
        """Write all that there is to tell of the training, as one HTML file that needs nothing else.

        Args:
            path: usually ending in ``.html``.
            options: ``layers``, a `LayerStatistics` that listened; ``names`` of the inputs; and see
                `chainrule.report.report`.

        Raises:
            ArgumentError: for an unknown option.
            StorageError: when the file cannot be written.
        """
        extension("report")(self, path, **options)


def _thinned(epochs: Sequence[Epoch], best_epoch: int) -> list[Epoch]:
    """All, or so many of them: the first, the last ones, the best, and others evenly spread."""
    if len(epochs) <= _KEPT:
        return list(epochs)
    early = len(epochs) - _LAST
    places = {early * k // (_KEPT - _LAST) for k in range(_KEPT - _LAST)} | set(range(early, len(epochs)))
    if best_epoch:
        places.add(bisect_left(epochs, best_epoch, key=lambda each: each.epoch))
    return [epochs[place] for place in sorted(places)]
