"""How good the trainings of several seeds are on the same rows, as one record that prints itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from chainrule.fits import Fits, Spread, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

Part: TypeAlias = Literal["test", "validation", "training"]

_ROWS = 40  # seeds that are listed one by one; of more only the best
_FOOT = ("mean", "std", "min", "max")


class SeedOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One seed.

    Attributes:
        epochs: that it was trained.
        monitored: the score by which the best is chosen, where its weights are from; None without an epoch.
        score: on the rows of the report; None where it failed or the score is undefined.
        fault: why it failed.
    """

    seed: int
    epochs: int
    monitored: float | None
    score: float | None
    fault: str | None


class SeedsReport(msgspec.Struct, frozen=True, kw_only=True):
    """Trainings that differ by their seed alone.

    Attributes:
        part: the rows that `score` is of: ``"test"``, ``"validation"`` or ``"training"``.
        rows: how many.
        name: of the score.
        monitor: the score by which the best was chosen.
        best: the seed of the best.
        spread: of the score over the seeds that came to their end; None when it is undefined for all.
        seeds: each.
    """

    part: Part
    rows: int
    name: str
    monitor: str
    best: int
    spread: Spread | None
    seeds: tuple[SeedOutcome, ...]

    def __str__(self) -> str:
        head = ("seed", self.monitor.replace("_", " "), self.name, "epochs", "")
        shown = self.seeds if len(self.seeds) <= _ROWS else self._foremost()
        lines = _columns([head, *map(self._line, shown), *self._foot()])
        if len(shown) < len(self.seeds):
            lines.insert(1 + len(shown), f"... the first {len(shown)} of {len(self.seeds)} by {head[1]}")
        lines.insert(len(lines) - len(_FOOT), "")
        return "\n".join(lines)

    def _foremost(self) -> list[SeedOutcome]:
        """The best by what was monitored; all the monitored ones of seeds are losses."""
        known = [each for each in self.seeds if each.monitored is not None and each.fault is None]
        return sorted(known, key=lambda each: each.monitored or 0.0)[:_ROWS]

    def _line(self, each: SeedOutcome) -> tuple[str, ...]:
        numbers = ("-" if value is None else f"{value:.4f}" for value in (each.monitored, each.score))
        remark = "diverged" if each.fault else "<- best" if each.seed == self.best else ""
        return (str(each.seed), *numbers, str(each.epochs), remark)

    def _foot(self) -> list[tuple[str, ...]]:
        """Mean, standard deviation, least and most of both scores over the seeds that came to their end."""
        monitored = [each.monitored for each in self.seeds if each.fault is None and each.monitored is not None]
        columns = [_numbers(spread(monitored) if monitored else None), _numbers(self.spread)]
        return [(word, *pair, "", "") for word, *pair in zip(_FOOT, *columns, strict=True)]


def seeds_report(fits: Fits, scores: Sequence[float | None], *, part: Part, rows: int, name: str) -> SeedsReport:
    """The record of these trainings and their scores on some rows."""
    whole = [score for fit, score in zip(fits, scores, strict=True) if fit.fault is None and score is not None]
    return SeedsReport(
        part=part,
        rows=rows,
        name=name,
        monitor=fits.monitor,
        best=fits.best.network.seed,
        spread=spread(whole) if whole else None,
        seeds=tuple(
            SeedOutcome(
                seed=fit.network.seed,
                epochs=len(fit.history),
                monitored=fit.score(fits.monitor) if fit.kept else None,
                score=None if fit.fault else score,
                fault=None if fit.fault is None else str(fit.fault),
            )
            for fit, score in zip(fits, scores, strict=True)
        ),
    )


def _numbers(of: Spread | None) -> list[str]:
    if of is None:
        return ["-"] * len(_FOOT)
    return [f"{number:.4f}" for number in (of.mean, of.deviation, of.least, of.most)]


def _columns(lines: Sequence[tuple[str, ...]]) -> list[str]:
    """Right-aligned, but for the last."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join([*(cell.rjust(width) for cell, width in zip(line[:-1], widths, strict=False)), line[-1]]).rstrip()
        for line in lines
    ]
