"""Our perceptrons beside scikit-learn's and skorch's, with default arguments: time, memory and score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.peers.perceptrons import LARGE
from benchmarks.racing import Peer, race
from benchmarks.tables import memory_text, show, time_text

if TYPE_CHECKING:
    from benchmarks.__main__ import Options
    from benchmarks.racing import Result

PEERS = [
    Peer("chainrule", "perceptrons", "sklearn", function="chainrule"),
    Peer("scikit-learn", "perceptrons", "sklearn", function="scikit_learn"),
    Peer("skorch", "perceptrons", "skorch", function="skorch"),
]
LIMITS = {"digits": 5.0, LARGE: 2.0}  # times as fast as scikit-learn
TABLES = ("iris", "wine", "breast_cancer", "digits", "diabetes")
SEEDS, FEW = 10, 3


def run(options: Options) -> None:
    """Both tables from one race for each set of rows."""
    speeds, scores = [], []
    names = ("iris", "digits") if options.quick else (*TABLES, LARGE)
    for name in [name for name in names if options.match in name]:
        seeds = 2 if options.quick else FEW if name == LARGE else SEEDS
        results = race(PEERS, "", rounds=seeds - 1, cores=options.cores, task=name, seeds=seeds)
        speeds += [_speed(name, result, results[1]) for result in results]
        scores.append(_score(name, *results[:2], seeds))
    show(
        "Perceptrons in scikit-learn's clothes: time",
        ["rows", "peer", "fit", "an epoch", "of scikit-learn's fit", "predict", "memory"],
        speeds,
        remark="Default arguments, inputs to mean 0 and variance 1, three quarters of the rows to train on. Times are "
        f"means over {SEEDS} seeds ({FEW} of {LARGE}). A fit ends by the same rule, after more or fewer epochs. "
        f"Limits: 5 times as fast on digits, 2 times on {LARGE}.",
    )
    show(
        "Perceptrons in scikit-learn's clothes: score",
        ["rows", "chainrule", "scikit-learn", "difference"],
        scores,
        remark="Hundredths of accuracy, for diabetes of R2, on the rows kept back: mean +- standard deviation over the "
        "seeds; the difference +- its standard error.",
    )


def _speed(name: str, result: Result, theirs: Result) -> list[str]:
    if result.unable:
        return [name, result.peer.name, result.unable, *[""] * 4]
    fit, predict, _, epochs = result.answer.T
    times = "" if theirs.unable else f"{theirs.answer[:, 0].sum() / fit.sum():.1f} x"
    if result.peer.name == "chainrule" and name in LIMITS and not theirs.unable:
        times += " (kept)" if theirs.answer[:, 0].sum() / fit.sum() >= LIMITS[name] else " (NOT KEPT)"
    each = (time_text(fit.mean()), time_text(fit.sum() / epochs.sum()), times, time_text(predict.mean()))
    return [name, result.peer.name, *each, memory_text(result.memory)]


def _score(name: str, ours: Result, theirs: Result, seeds: int) -> list[str]:
    mine, right = (100 * result.answer[:, 2] for result in (ours, theirs))
    difference = mine - right
    error = difference.std(ddof=1) / np.sqrt(seeds)
    each = (f"{scores.mean():.1f} +- {scores.std(ddof=1):.1f}" for scores in (mine, right))
    return [name, *each, f"{difference.mean():+.1f} +- {error:.1f}"]
