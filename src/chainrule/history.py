"""What happened in a training: a table and a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    import polars as pl
    from matplotlib.figure import Figure

    from chainrule.records import Epoch
    from chainrule.training import TrainingSettings

_HIDDEN = ("penalty", "objective")  # columns that can be asked for where the table is shorter without them


class History:
    """The records of a training, by epoch.

    Attributes:
        epochs: a record for each epoch.
        best_epoch: the epoch of the best monitored value, 0 when there is none.
        stopped: why the training ended before its last epoch; empty when it did not.
        seconds: that it took.
        settings: how the training went about it: epochs, batches, optimizer; None where nobody noted it.
    """

    def __init__(
        self,
        epochs: Sequence[Epoch],
        *,
        best_epoch: int,
        stopped: str,
        seconds: float,
        settings: TrainingSettings | None = None,
    ) -> None:
        self.settings = settings
        self.epochs, self.best_epoch, self.stopped, self.seconds = tuple(epochs), best_epoch, stopped, seconds

    @property
    def names(self) -> tuple[str, ...]:
        """The columns: ``epoch``, ``loss``, the scores, ``penalty`` where there is one, ``rate``, ``seconds``."""
        scores = self.epochs[0].scores if self.epochs else {}
        penalty = ("penalty",) if any(record.penalty for record in self.epochs) else ()
        return ("epoch", "loss", *scores, *penalty, "rate", "seconds")

    def __getitem__(self, name: str) -> list[float]:
        """One column, a value for each epoch: ``history["validation_loss"]``.

        ``history["objective"]`` is loss + penalty, what the training minimises.
        """
        if name not in (*self.names, *_HIDDEN):
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
        return f"History of {len(self)} epochs in {self.seconds:.3g} s: {last}; best epoch {self.best_epoch}{why}"

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
