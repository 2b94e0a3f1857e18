"""What comes out of many trainings: each of them, the best, the spread of their scores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, nan
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from chainrule.errors import DivergenceError, NotFittedError, unknown_name
from chainrule.history import History
from chainrule.metrics import Better
from chainrule.network import Network
from chainrule.wording import brief

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    import polars as pl
    from matplotlib.figure import Figure


_NONE = "none of these trainings came to its end"


@dataclass(frozen=True, eq=False, kw_only=True)
class Fit:
    """One of many trainings.

    Attributes:
        network: what was trained.
        history: of its training.
        labels: what tells it from the others: ``{"seed": 7, "fold": 2}``.
        candidate: what is compared with others, by number: a network, a setting, or else a seed.
        kept: the epoch whose weights the network has; 0: none that was finished.
        monitor: the score by which it is compared.
        better: for each score which of two values is the better one.
        fault: why it failed; None when it did not.
    """

    network: Network
    history: History
    labels: Mapping[str, Any]
    candidate: int
    kept: int
    monitor: str
    better: Mapping[str, Better]
    fault: DivergenceError | None = None

    @property
    def name(self) -> str:
        """``seed 7, fold 2``."""
        return named(self.labels)

    def score(self, name: str | None = None) -> float:
        """A column of the history at the epoch that was kept; the monitored one unless named. nan without an epoch."""
        return self.history[name or self.monitor][self.kept - 1] if self.kept else nan


class Spread(Struct, frozen=True):
    """Where some numbers lie; `deviation` is that of a sample (n - 1), 0 for a single number."""

    mean: float
    deviation: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.mean:#.4g} ± {self.deviation:.2g} ({self.least:#.4g} to {self.most:#.4g})"


def spread(values: Sequence[float]) -> Spread:
    """The mean of at least one number, their standard deviation, the least and the most.

    >>> print(spread([1.0, 2.0, 3.0]))
    2.000 ± 1 (1.000 to 3.000)
    """
    return Spread(fmean(values), stdev(values) if len(values) > 1 else 0.0, min(values), max(values))


class Fits:
    """Many trainings, in the order in which they were asked for.

    Attributes:
        seconds: that they took together.
        threads: how many were under way at a time.
    """

    def __init__(self, fits: Sequence[Fit], *, seconds: float, threads: int) -> None:
        self._fits, self.seconds, self.threads = tuple(fits), seconds, threads

    def __len__(self) -> int:
        return len(self._fits)

    def __iter__(self) -> Iterator[Fit]:
        return iter(self._fits)

    def __getitem__(self, place: int) -> Fit:
        return self._fits[place]

    @property
    def networks(self) -> list[Network]:
        """What was trained."""
        return [fit.network for fit in self._fits]

    @property
    def histories(self) -> list[History]:
        """Of each training."""
        return [fit.history for fit in self._fits]

    @property
    def failed(self) -> list[Fit]:
        """Those with a `fault`."""
        return [fit for fit in self._fits if fit.fault is not None]

    @property
    def best(self) -> Fit:
        """The best by the monitored score: the validation loss, or the training's where nothing was held out.

        See `best_by`.

        Raises:
            NotFittedError: when none came to its end.
        """
        return self.best_by()

    def best_by(self, name: str | None = None) -> Fit:
        """The best by a score, measured where its weights are from.

        The candidate with the best mean over its folds, and over its seeds where settings or networks are compared; of
        its trainings the best.

        Raises:
            ArgumentError: when there is no such score.
            NotFittedError: when no candidate came to its end.

        >>> import chainrule as cr
        >>> nets = [cr.Network([cr.Dense(2, "softmax")], seed=seed) for seed in (1, 2)]
        >>> fits = cr.fit_many(nets, [[0.0], [1.0]], [0, 1], epochs=3, metrics="accuracy")
        >>> fits.best_by("accuracy").score("accuracy") == max(fit.score("accuracy") for fit in fits)
        True
        """
        name = self._known(name)
        sign = -1 if self._fits[0].better.get(name) == "higher" else 1
        means = {
            place: sign * fmean(fit.score(name) for fit in fits)
            for place, fits in self._candidates().items()
            if all(fit.fault is None and isfinite(fit.score(name)) for fit in fits)
        }
        if not means:
            raise NotFittedError(_NONE)
        best = self._candidates()[min(means, key=means.__getitem__)]
        return min(best, key=lambda fit: sign * fit.score(name))

    def _candidates(self) -> dict[int, list[Fit]]:
        fits = defaultdict(list)
        for fit in self._fits:
            fits[fit.candidate].append(fit)
        return fits

    @property
    def monitor(self) -> str:
        """The score by which they are compared: that which all of them monitored, or else the training's loss."""
        monitors = {fit.monitor for fit in self._fits}
        return monitors.pop() if len(monitors) == 1 else "loss"

    def _known(self, name: str | None) -> str:
        """The name of a score that all of them have."""
        if not self._fits:
            raise NotFittedError(_NONE)
        known = {"loss", "objective", self.monitor, *set.intersection(*(set(fit.better) for fit in self._fits))}
        if name is not None and (not isinstance(name, str) or name not in known):
            raise unknown_name("score", name, sorted(known), where="fits")
        return name or self.monitor

    def spread(self, name: str | None = None) -> Spread:
        """Mean, standard deviation, least and most of a score over all that came to their end; the monitored one first.

        Raises:
            NotFittedError: when none did.
        """
        return _spread_of(self._fits, self._known(name))

    def summary(self) -> pl.DataFrame:
        """A row for each: what it was, its epochs, the one whose weights it has, the scores of that one, its fault."""
        import polars as pl

        names = dict.fromkeys(name for fit in self._fits for name in fit.labels)
        rows = [names | _row(fit) for fit in self._fits]
        return pl.DataFrame(rows, infer_schema_length=None, schema_overrides={"fault": pl.String})

    def compared(self, name: str | None = None) -> pl.DataFrame:
        """A row for each candidate: the spread of a score over its folds and seeds; the best first, what failed last.

        >>> import chainrule as cr
        >>> X, y = [[0.0], [0.1], [0.9], [1.0]], [0, 0, 1, 1]
        >>> net = cr.Network([cr.Dense(2, "softmax")])
        >>> tried = [{"batch_size": 1}, {"batch_size": 3}]
        >>> fits = cr.fit_many(net, X, y, folds=2, settings=tried, epochs=5, optimizer=cr.SGD(1.0))
        >>> fits.compared().columns
        ['batch_size', 'fits', 'failed', 'mean', 'deviation', 'least', 'most']
        """
        import polars as pl

        name = self._known(name)
        rows = [_compared(fits, name) for fits in self._candidates().values()]
        downwards = bool(self._fits) and self._fits[0].better.get(name) == "higher"
        frame = pl.DataFrame(rows, infer_schema_length=None)
        return frame.sort(pl.col("failed") > 0, "mean", descending=[False, downwards], nulls_last=True)

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """The curves of all, faint, and of the best, strong; written to `path` when given (PNG, SVG or PDF).

        Raises:
            StorageError: when the file cannot be written.
            ArgumentError: when its ending is none of a picture.
        """
        from chainrule.plotting import draw_many_curves, save_figure

        try:
            best = self._fits.index(self.best)
        except NotFittedError:
            best = None
        curves = [
            (fit.history["epoch"], {name: fit.history[name] for name in _scores(fit) if name != "penalty"})
            for fit in self._fits
        ]
        figure = draw_many_curves(curves, best=best, best_name=self._fits[best].name if best is not None else "")
        if path is not None:
            save_figure(figure, path)
        return figure

    def __repr__(self) -> str:
        head = f"{len(self)} fits in {self.seconds:.3g} s, {self.threads} at a time"
        try:
            best = self.best
        except NotFittedError as fault:
            return f"{head}: {fault}"
        of_best = self._candidates()[best.candidate]
        diverged = f"; diverged: {'; '.join(fit.name for fit in self.failed)}" if self.failed else ""
        if len(of_best) > 1:
            what = named(_shared(of_best))
            return f"{head}: {self.monitor} of the best, {what}: {_spread_of(of_best, self.monitor)}{diverged}"
        return f"{head}: {self.monitor} {self.spread()}; best: {best.name} ({best.score(self.monitor):#.4g}){diverged}"

    def _repr_html_(self) -> str:
        import html

        return f"<p>{html.escape(repr(self))}</p>{self.summary()._repr_html_()}"


def named(labels: Mapping[str, Any]) -> str:
    """``seed 7, fold 2``."""
    return ", ".join(f"{name} {value}" for name, value in _plain(labels).items()) or "the only one"


def _plain(labels: Mapping[str, Any]) -> dict[str, int | float | str]:
    """The labels as a table takes them: what is neither number nor text in few words."""
    return {name: value if isinstance(value, int | float | str) else brief(value) for name, value in labels.items()}


def _shared(fits: Sequence[Fit]) -> dict[str, Any]:
    """The labels that all of these have in common."""
    first, *others = (fit.labels for fit in fits)
    return {name: value for name, value in first.items() if all(labels[name] == value for labels in others)}


def _spread_of(fits: Sequence[Fit], name: str) -> Spread:
    values = [fit.score(name) for fit in fits if fit.fault is None and isfinite(fit.score(name))]
    if not values:
        raise NotFittedError(_NONE)
    return spread(values)


def _compared(fits: Sequence[Fit], name: str) -> dict[str, Any]:
    """A candidate's row."""
    whole = [fit for fit in fits if fit.fault is None and isfinite(fit.score(name))]
    numbers = structs.asdict(_spread_of(whole, name)) if whole else dict.fromkeys(Spread.__struct_fields__)
    return {**_plain(_shared(fits)), "fits": len(whole), "failed": len(fits) - len(whole), **numbers}


def _scores(fit: Fit) -> tuple[str, ...]:
    """The columns of a history that are scores: neither epoch, nor rate and seconds."""
    return fit.history.names[1:-2]


def _row(fit: Fit) -> dict[str, Any]:
    scores = {name: fit.score(name) for name in _scores(fit)} if fit.kept else {}
    told = {"epochs": len(fit.history), "kept_epoch": fit.kept, **scores, "seconds": fit.history.seconds}
    return {**_plain(fit.labels), **told, "fault": None if fit.fault is None else str(fit.fault)}
