"""What one step of gradient descent costs, and that everybody's steps end in the same weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.problems import Problem
from benchmarks.racing import BY_HAND, OTHERS, Peer, Result, engines, race
from benchmarks.tables import kept, memory_text, ratio_text, show, time_text

if TYPE_CHECKING:
    from benchmarks.__main__ import Options

LIMIT = 1.3  # times the step written by hand in NumPy
_FIT = Peer("chainrule, Network.fit", "ours", "chainrule", "auto", "fit")

PROBLEMS = (
    Problem((2, 2, 1), 1, 1000, loss="half_squared_error"),
    Problem((2, 2, 1), 1, 1000, loss="binary_cross_entropy"),
    Problem((64, 32, 16, 10), 1, 500),
    Problem((64, 32, 16, 10), 32, 400),
    Problem((64, 32, 16, 10), 32, 400, "relu", optimizer="momentum"),
    Problem((64, 32, 16, 10), 32, 400, "relu", optimizer="adam"),
    Problem((784, 30, 10), 10, 400),
    Problem((784, 256, 64, 10), 32, 60, "relu"),
    Problem((784, 256, 64, 10), 32, 40, "relu", optimizer="adam"),
    Problem((784, 256, 64, 10), 128, 20, "relu"),
    Problem((784, 2048, 2048, 10), 256, 1, "relu"),
)
"""The networks that the literature and the tutorials train; a further engine or optimiser is a further line."""


class Summary(NamedTuple):
    """The line that the requirement is held against."""

    problem: Problem
    ratios: dict[str, float]


def run(options: Options) -> None:
    short = [problem.with_steps(max(problem.steps // 20, 2)) for problem in PROBLEMS[:-1:3]]
    summaries = []
    for problem in short if options.quick else PROBLEMS:
        peers = [BY_HAND, *engines(), _FIT, *OTHERS]
        results = race(peers, "steps", problem, rounds=options.rounds, cores=options.cores, answer_first=True)
        hand = results[0]
        rows = [_row(result, hand, problem) for result in results if not result.unable]
        names = ["peer", "a step", "/ by hand", "memory", "theta differs by"]
        show(problem.title, names, rows, remark=absent(results))
        summaries.append(Summary(problem, {r.peer.name: r.seconds / hand.seconds for r in results if not r.unable}))
    _summarise(summaries)


def absent(results: list[Result]) -> str:
    """Who did not take part, and why."""
    return "; ".join(f"{result.peer.name}: {result.unable}" for result in results if result.unable)


def _row(result: Result, hand: Result, problem: Problem) -> list[str]:
    apart = float(np.linalg.norm(result.answer - hand.answer) / np.linalg.norm(hand.answer))
    step = result.seconds / problem.steps
    ratio = ratio_text(result.seconds / hand.seconds)
    return [result.peer.name, time_text(step), ratio, memory_text(result.memory), f"{apart:.0e}" if apart else "0"]


def _summarise(summaries: list[Summary]) -> None:
    """Every engine against the step by hand, in one table."""
    names = [peer.name for peer in engines()]
    rows = [
        [
            summary.problem.title,
            *(ratio_text(summary.ratios[name]) if name in summary.ratios else "-" for name in names),
        ]
        for summary in summaries
    ]
    worst = max(summary.ratios.get("chainrule, reference", 0.0) for summary in summaries)
    remark = (
        f"Limit for the reference engine: {LIMIT} times the step by hand; worst {worst:.2f}: {kept(worst <= LIMIT)}. "
        "Theta is compared after one round from the same weights, that is so many steps: "
        f"{', '.join(str(summary.problem.steps) for summary in summaries)}. "
        "scikit-learn's Adam ends elsewhere: its epsilon stands in another place, so it weighs more in the first steps."
    )
    show("Steps, times the step by hand", ["network", *names], rows, remark=remark)
