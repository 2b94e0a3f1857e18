"""Outputs for many rows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.entrants import BY_HAND, OTHERS, engines
from benchmarks.problems import Problem
from benchmarks.racing import race
from benchmarks.tables import absent, memory_text, show, time_text

if TYPE_CHECKING:
    from benchmarks.__main__ import Options

PROBLEM = Problem((784, 256, 64, 10), 1000, 60, "relu")


def run(options: Options) -> None:
    problem = PROBLEM.with_steps(1) if options.quick else PROBLEM
    results = race([BY_HAND, *engines(), *OTHERS], "predict", problem, rounds=options.rounds, cores=options.cores)
    hand = results[0]
    rows = [
        [
            result.peer.name,
            time_text(result.seconds),
            f"{result.seconds / hand.seconds:.2f}",
            memory_text(result.memory),
            f"{np.abs(result.answer - hand.answer).max():.0e}",
        ]
        for result in results
        if not result.unable
    ]
    title = f"Outputs of {'-'.join(map(str, problem.sizes))} for {problem.batch * problem.steps:,} rows"
    show(title, ["peer", "time", "/ by hand", "memory", "differs by at most"], rows, remark=absent(results))
