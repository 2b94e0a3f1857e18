"""What one step of gradient descent costs, that everybody's steps end in the same weights, and the floors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks import floors
from benchmarks.entrants import BY_HAND, CHAINRULE, multipliers, steppers
from benchmarks.racing import race
from benchmarks.tables import absent, kept, memory_text, ratio_text, show, time_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.__main__ import Options
    from benchmarks.floors import Bout, Judged
    from benchmarks.racing import Result

LIMIT = 1.3  # times the step written by hand in NumPy, for the reference engine
_REFERENCE = f"{CHAINRULE}, reference"
BOUTS = floors.BOUTS


def run(options: Options) -> None:
    bouts = [bout for bout in BOUTS if options.match in bout.problem.name]
    if not bouts:
        print(f"\nsteps: no network has {options.match!r} in its name")
        return
    if options.quick:
        few = bouts[:-1:3] or bouts
        bouts = [bout._replace(problem=bout.problem.with_steps(2), long=min(bout.long, 2)) for bout in few]
    peers, raced, products = steppers(), [], _products(options)
    for bout in bouts:
        results = race(peers, "steps", bout.problem, rounds=options.rounds, cores=options.cores, long=bout.long)
        _show_peers(bout, results)
        raced.append((bout, results))
    peaks = floors.peak([*products, *_products(options)])
    judged = [floors.judge(bout, results, peaks) for bout, results in raced]
    _show_floors(judged, peaks, max((_of_reference(results) for _, results in raced), default=0.0))


def _products(options: Options) -> list[Result]:
    """The matrix product, before the steps and after them: the machine may be slow at the one or the other."""
    return race(multipliers(), "", rounds=options.rounds, cores=options.cores)


def _show_peers(bout: Bout, results: Sequence[Result]) -> None:
    """Time, memory and answer of each, as it was set."""
    hand = _by_name(results)[BY_HAND.name]
    there = [result for result in results if not result.unable]
    rows = [_row(result, hand, bout.problem.steps) for result in there]
    remark = f"Theta after the same {bout.problem.steps} steps of all. {absent(results)}"
    show(bout.problem.title, ["peer", "a step", "/ by hand", "memory", "theta differs by"], rows, remark=remark)


def _row(result: Result, hand: Result, steps: int) -> list[str]:
    apart = float(np.linalg.norm(result.answer - hand.answer) / np.linalg.norm(hand.answer))
    ratio = ratio_text(result.seconds / hand.seconds)
    differs = f"{apart:.0e}" if apart else "0"
    return [result.peer.name, time_text(result.seconds / steps), ratio, memory_text(result.memory), differs]


def _show_floors(judged: Sequence[Judged], peaks: dict[str, float], worst: float) -> None:
    missed = [text for each in judged for text in each.missed]
    peak = " and ".join(f"{number / 1e9:.0f} GFLOP/s on {cores}" for cores, number in peaks.items())
    remark = (
        "How many times faster a step is, as a person gets it (engine auto), than that of the best setting of each "
        f"peer, and which part of NumPy's float32 matrix product of 2048 x 2048 it reaches, here {peak}: of one core "
        f"with one thread, of all with auto. {'NOT KEPT: ' + '; '.join(missed) if missed else 'All floors are kept'}. "
        f"The reference engine takes at most {worst:.2f} times as long as a step by hand; limit {LIMIT}: "
        f"{kept(worst <= LIMIT)}."
    )
    show("Steps and their floors", floors.COLUMNS, [each.cells for each in judged], remark=remark)


def _of_reference(results: Sequence[Result]) -> float:
    by_name = _by_name(results)
    return by_name[_REFERENCE].seconds / by_name[BY_HAND.name].seconds


def _by_name(results: Sequence[Result]) -> dict[str, Result]:
    return {result.peer.name: result for result in results}
