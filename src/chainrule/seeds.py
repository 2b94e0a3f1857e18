"""How good the trainings of several seeds are on the same rows, as one record that prints itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from chainrule.fits import Fits, Spread, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

Part: TypeAlias = Literal["test", "validation", "training"]

_ROWS = 40  # seeds that are listed one by one; of more only the best


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
        lines = [head, *map(self._line, shown)]
        if len(shown) < len(self.seeds):
            lines.append((f"... the first {len(shown)} of {len(self.seeds)} by {head[1]}", "", "", "", ""))
        return "\n".join([*_columns(lines), "", self.in_words()])

    def in_words(self) -> str:
        """``accuracy on the 450 test rows: mean 0.9711, standard deviation 0.0052, from 0.9622 to 0.9800``."""
        rows = f"{self.name} on the {self.rows:,} {self.part} rows"
        if self.spread is None:
            return f"{rows}: undefined"
        mean, deviation, least, most = (f"{number:.4f}" for number in msgspec.structs.astuple(self.spread))
        return f"{rows}: mean {mean}, standard deviation {deviation}, from {least} to {most}"

    def _foremost(self) -> list[SeedOutcome]:
        """The best by what was monitored; all the monitored ones of seeds are losses."""
        known = [each for each in self.seeds if each.monitored is not None and each.fault is None]
        return sorted(known, key=lambda each: each.monitored or 0.0)[:_ROWS]

    def _line(self, each: SeedOutcome) -> tuple[str, ...]:
        numbers = ("-" if value is None else f"{value:.4f}" for value in (each.monitored, each.score))
        remark = "diverged" if each.fault else "<- best" if each.seed == self.best else ""
        return (str(each.seed), *numbers, str(each.epochs), remark)


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


def _columns(lines: Sequence[tuple[str, ...]]) -> list[str]:
    """Right-aligned, but for the last; a line of one cell stands as it is."""
    widths = [max(len(line[place]) for line in lines if line[1]) for place in range(len(lines[0]))]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(line[:-1], widths, strict=False)).rstrip()
        + (f"  {line[-1]}" if line[-1] else "")
        if line[1]
        else line[0]
        for line in lines
    ]
