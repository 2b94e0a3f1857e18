"""Default options against scikit-learn's: the same splits of the same tables, seed by seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.racing import Peer, race
from benchmarks.tables import memory_text, show, time_text
from benchmarks.tasks import SLOW, TASKS

if TYPE_CHECKING:
    from benchmarks.__main__ import Options
    from benchmarks.racing import Result

LIMIT = -1.0  # points behind scikit-learn
SEEDS = 10
PEERS = [
    Peer("chainrule", "trainers", "sklearn", function="chainrule"),
    Peer("scikit-learn", "trainers", "sklearn", function="scikit_learn"),
]


def run(options: Options) -> None:
    seeds = 2 if options.quick else SEEDS
    names = ["iris", "sine"] if options.quick else [name for name in TASKS if options.slow or name not in SLOW]
    rows, behind = [], []
    for name in names:
        ours, theirs = race(PEERS, "", rounds=seeds - 1, cores=options.cores, task=name, seeds=seeds)
        rows.append(_row(name, ours, theirs))
        if 100 * (ours.answer - theirs.answer).mean() < LIMIT:
            behind.append(name)
    remark = (
        f"Hundredths of accuracy, for sine and diabetes of R2: mean +- standard deviation over {seeds} splits of "
        "75/25, the same for both; the difference +- its standard error; of time and memory those of chainrule "
        "come first; the time is that of the fastest training and scoring. "
        f"Limit: {-LIMIT:g} behind; {'NOT KEPT by ' + ', '.join(behind) if behind else 'kept'}."
    )
    columns = ["table", "chainrule", "scikit-learn", "difference", "time, both", "memory, both"]
    show("Default options", columns, rows, remark=remark)


def _row(name: str, ours: Result, theirs: Result) -> list[str]:
    difference = 100 * (ours.answer - theirs.answer)
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    return [
        name,
        *(f"{100 * r.answer.mean():.1f} +- {100 * r.answer.std(ddof=1):.1f}" for r in (ours, theirs)),
        f"{difference.mean():+.1f} +- {error:.1f}",
        " ".join(time_text(r.seconds) for r in (ours, theirs)),
        " ".join(memory_text(r.memory) for r in (ours, theirs)),
    ]
