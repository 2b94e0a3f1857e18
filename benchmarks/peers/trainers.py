"""Whole trainings with default options: the answer is the score on rows kept back, for each seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.peers import Race
from benchmarks.tasks import TASKS, chainrule_score, sklearn_score

if TYPE_CHECKING:
    from collections.abc import Callable


def chainrule(task: str, seeds: int) -> Race:
    import chainrule as cr

    return _race(chainrule_score, task, seeds, cr.__version__)


def scikit_learn(task: str, seeds: int) -> Race:
    import sklearn

    return _race(sklearn_score, task, seeds, sklearn.__version__)


def _race(score: Callable[..., float], name: str, seeds: int, version: str) -> Race:
    task, scores = TASKS[name](), np.full(seeds, np.nan)
    done: list[Any] = []

    def train() -> None:
        """One seed a round; the first counts too, since nothing is warmed up by it."""
        seed = len(done)
        if seed < seeds:
            scores[seed] = score(task, seed)
            done.append(seed)

    return Race(train, lambda: scores, version)
