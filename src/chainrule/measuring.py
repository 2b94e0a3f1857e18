"""What is measured after each epoch: the validation loss, and the metrics asked for."""

from __future__ import annotations

from collections.abc import Iterable
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainrule.arrays import Floats, Ints
    from chainrule.engines.interface import Data, Engine
    from chainrule.metrics import Better, Metric
    from chainrule.objective import Objective


class EpochScores:
    """See `chainrule.training.Scores`: measures theta as it is when called.

    Args:
        objective: what is trained.
        theta: its parameters, changed in place by the training.
        engine: that runs it.
        training: the rows trained on; metrics are measured on them where none are held out.
        held: the rows held out, if any.
        asked: metrics, by name or as objects.
        places: of the rows held out among those that were given; None where they are others.
    """

    def __init__(
        self,
        objective: Objective,
        theta: Floats,
        engine: Engine,
        training: Data,
        held: Data | None,
        asked: str | Metric | Iterable[str | Metric],
        *,
        places: Ints | None = None,
    ) -> None:
        self.places = places
        self.objective, self.theta, self.engine, self.held = objective, theta, engine, held
        asked = asked if isinstance(asked, Iterable) and not isinstance(asked, str) else [asked]
        rows, prefix = (training, "") if held is None else (held, "validation_")
        self.rows = rows
        self.metrics: Mapping[str, Metric] = {prefix + m.name: m for m in map(metrics.get, asked)}
        better: dict[str, Better] = {} if held is None else {"validation_loss": "lower"}
        self.better: Mapping[str, Better] = better | {name: metric.better for name, metric in self.metrics.items()}

    def __call__(self) -> dict[str, float]:
        """The scores by name; nan where one is undefined."""
        if self.held is None and not self.metrics:
            return {}
        if self.held is not None:
            loss, Y = self.engine.evaluate(self.objective, self.theta, self.held)
            scores = {"validation_loss": loss}
        else:
            Y, scores = self.engine.predict(self.objective, self.theta, self.rows.X), {}
        return scores | measured(self.metrics, self.rows.T, Y)


def measured(asked: Mapping[str, Metric], T: Floats, Y: Floats) -> dict[str, float]:
    """The metrics of outputs ``Y (N, O)`` against targets ``T (N, O)``, by name; nan where one is undefined."""
    defined = bool(asked) and bool(np.isfinite(Y).all())
    return {name: metric(*_as_asked(metric.kind, T, Y)) if defined else nan for name, metric in asked.items()}


def chosen_classes(Y: Floats) -> Ints:
    """The class of each row: of one output, whether it reaches a half; of several, the first largest."""
    return (Y[:, 0] >= 0.5).astype(np.int64) if Y.shape[1] == 1 else Y.argmax(axis=1)


def _as_asked(kind: str, T: Floats, Y: Floats) -> tuple[Any, Any]:
    """Targets and outputs as a metric takes them: class indices, probabilities of each class, or values."""
    if kind == "values":
        return T, Y
    if kind == "probabilities":
        return chosen_classes(T), np.hstack([1 - Y, Y]) if Y.shape[1] == 1 else Y
    return chosen_classes(T), chosen_classes(Y)
