"""Try a remedy: train as it was and with it, from the same seed, and show the difference."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.engines.interface import Data
from chainrule.errors import DivergenceError
from chainrule.insight.diagnosis.remedy import Remedy
from chainrule.insight.rendering import Document, Explained, Figure, Part, Sentence, Table
from chainrule.measuring import chosen_classes
from chainrule.network import Network
from chainrule.splitting import split_rows

if TYPE_CHECKING:
    from chainrule.insight.diagnosis.setup import Setup

_HELD = 0.2  # of the rows, to score on where the training held none out
_ENOUGH = 50  # rows to hold some out of
_SHOWN = 6  # epochs in the table


class Trial(NamedTuple):
    """One training.

    Attributes:
        losses: of each epoch, without penalties.
        validation: of each epoch, on the rows held out; empty where there are none.
        score: accuracy or R2 of the network at the end.
        diverged: why it ended early; empty when it did not.
    """

    losses: tuple[float, ...]
    validation: tuple[float, ...]
    score: float
    diverged: str


@dataclass(frozen=True)
class Comparison(Explained):
    """A training as it was and with a remedy.

    Attributes:
        remedy: what was tried.
        before: the training as it was.
        after: the training with the remedy.
        measure: what the score is: ``accuracy`` or ``R2``.
        scored_on: ``held-out`` or ``training`` rows.
    """

    remedy: Remedy
    before: Trial
    after: Trial
    measure: str
    scored_on: str

    @property
    def helped(self) -> bool:
        """Whether the score is better, or as good at a lower loss."""
        old, new = self.before.score, self.after.score
        if new != old or not self.after.losses or not self.before.losses:
            return new > old or not isfinite(old)
        return self.after.losses[-1] < self.before.losses[-1]

    def document(self, *, digits: int = 4) -> Document:
        name = f"{self.measure} on {self.scored_on} rows"
        old, new = (f"{trial.score:.{digits}g}" for trial in (self.before, self.after))
        parts: list[Part] = [
            Sentence(f"{name}: {old} as it was, {new} with it", "good" if self.helped else "warning"),
            Table(("epoch", "loss as it was", "loss with it"), tuple(self._rows(digits)), right=(0, 1, 2)),
        ]
        for what, trial in (("As it was", self.before), ("With it", self.after)):
            if trial.diverged:
                parts.append(Sentence(f"{what}: {trial.diverged}", "alarm"))
        drawn = _curves({"as it was": self.before.losses, "with it": self.after.losses})
        parts.append(Figure(drawn, "") if drawn else Sentence(""))
        return Document(f"Tried: {self.remedy.words} ({self.remedy.argument or self.remedy.option})", tuple(parts))

    def data(self) -> dict[str, Any]:
        return {
            "remedy": {key: getattr(self.remedy, key) for key in ("words", "argument", "option")},
            "measure": self.measure,
            "scored_on": self.scored_on,
            "helped": self.helped,
            "before": self.before._asdict(),
            "after": self.after._asdict(),
        }

    def _rows(self, digits: int) -> list[tuple[str, str, str]]:
        last = max(len(self.before.losses), len(self.after.losses))
        places = sorted({round(place) for place in np.geomspace(1, max(last, 1), _SHOWN)}) if last else []

        def at(losses: tuple[float, ...], epoch: int) -> str:
            return f"{losses[epoch - 1]:.{digits}g}" if epoch <= len(losses) else ""

        return [(str(epoch), at(self.before.losses, epoch), at(self.after.losses, epoch)) for epoch in places]


def compare(setup: Setup, remedy: Remedy, *, epochs: int | None = None) -> Comparison:
    """Train both ways and compare; see `Finding.try_it`."""
    if remedy.change is None:
        raise AssertionError(remedy)  # the finding has refused it
    begun = setup if epochs is None else setup.with_settings(epochs=epochs)
    begun = _with_held_rows(begun)
    changed = remedy.change(begun)
    changed = changed if epochs is None else changed.with_settings(epochs=epochs)
    before, after = _train(begun), _train(changed)
    measure = "accuracy" if setup.for_classes else "R2"
    return Comparison(remedy, before, after, measure, "training" if begun.held is None else "held-out")


def _with_held_rows(setup: Setup) -> Setup:
    """With rows to score on, where there are enough to spare."""
    X, T, weights = setup.data
    if setup.held is not None or len(X) < _ENOUGH:
        return setup
    classes = T.argmax(axis=1) if setup.for_classes and T.shape[1] > 1 else None
    kept, held = split_rows(len(X), _HELD, seed=setup.seed, classes=classes)

    def part(rows: Any) -> Data:
        return Data(X[rows], T[rows], None if weights is None else weights[rows])

    return dataclasses.replace(setup, data=part(kept), held=part(held))


def _train(setup: Setup) -> Trial:
    objective, settings = setup.objective, setup.settings
    (inputs,) = objective.input_shape
    network = Network(
        setup.layers,
        objective.loss,
        seed=setup.seed,
        dtype=setup.dtype,
        n_inputs=inputs,
        l1=objective.l1,
        l2=objective.l2,
    )
    if setup.start is not None:
        network.theta = setup.start
    diverged = ""
    try:
        network.fit(
            setup.data.X,
            setup.data.T,
            sample_weight=setup.data.weights,
            validation=None if setup.held is None else (setup.held.X, setup.held.T),
            epochs=settings.epochs,
            batch_size=setup.batch_size,
            optimizer=settings.optimizer,
            shuffle=settings.shuffle,
            early_stopping=settings.early_stopping,
        )
    except DivergenceError as fault:
        diverged = str(fault).partition(". ")[0]
    history = network.history
    losses = tuple(history["loss"]) if history is not None else ()
    validation = tuple(history["validation_loss"]) if history and "validation_loss" in history.names else ()
    return Trial(losses, validation, _score(setup, network), diverged)


def _score(setup: Setup, network: Network) -> float:
    """Accuracy or R2 on the rows held out, or on those of the training."""
    X, T, _ = setup.held or setup.data
    Y = network.forward(X).astype(np.float64)
    if setup.for_classes:
        return float((chosen_classes(Y) == chosen_classes(T)).mean())
    spread = float(((T - T.mean(axis=0)) ** 2).sum())
    return 1 - float(((Y - T) ** 2).sum()) / spread if spread > 0 else float("nan")


def _curves(curves: dict[str, tuple[float, ...]]) -> str:
    """Losses by epoch on a logarithmic scale, as SVG; empty where there is nothing to draw."""
    positive = [value for curve in curves.values() for value in curve if isfinite(value) and value > 0]
    last = max(map(len, curves.values()), default=0)
    if last < 2 or not positive or min(positive) == max(positive):
        return ""
    low, high, width, height = np.log(min(positive)), np.log(max(positive)), 520, 180
    drawn = []
    for place, (name, curve) in enumerate(curves.items()):
        colour = ("#9aa6b5", "#0b6bb8")[place]
        points = " ".join(
            f"{10 + i / (last - 1) * width:.1f},{10 + (high - np.log(value)) / (high - low) * height:.1f}"
            for i, value in enumerate(curve)
            if value > 0
        )
        drawn.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn.append(f'<text x="{width - 90}" y="{30 + 20 * place}" font-size="14" fill="{colour}">loss {name}</text>')
    box = f"0 0 {width + 20} {height + 20}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" width="{width + 20}">{"".join(drawn)}</svg>'
