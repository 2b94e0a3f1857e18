"""Many trainings at once: how many more of them two cores finish in the same time than one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.tables import kept, ratio_text, show, time_text

if TYPE_CHECKING:
    import chainrule as cr
    from benchmarks.__main__ import Options

FLOOR = 1.9  # times the throughput of one core, on two


class Case(NamedTuple):
    """So many seeds of a network on rows drawn at random."""

    sizes: tuple[int, ...]
    rows: int
    batch: int
    epochs: int
    seeds: int

    @property
    def title(self) -> str:
        return f"{'-'.join(map(str, self.sizes))}, {self.rows:,} rows by {self.batch}"

    def network(self) -> cr.Network:
        import chainrule as cr

        *hidden, outputs = self.sizes[1:]
        return cr.Network([*(cr.Dense(units, "sigmoid") for units in hidden), cr.Dense(outputs, "softmax")])


CASES = (
    Case((2, 2, 2), 4, 4, 100_000, 8),
    Case((64, 32, 16, 10), 1347, 32, 300, 8),
    Case((784, 128, 10), 10_000, 128, 3, 8),
)


def run(options: Options) -> None:
    from chainrule.engines.threads import cores

    threads, rows, worst = min(cores(), options.cores or 2), [], np.inf
    for case in CASES:
        epochs = max(case.epochs // 10, 2) if options.quick else case.epochs
        rounds = [[_round(case, at_once, epochs) for at_once in (1, threads)] for _ in range(min(options.rounds, 5))]
        alone, together = (min(seconds for seconds, _ in column) for column in zip(*rounds, strict=True))
        same = all(np.array_equal(theta, rounds[0][0][1]) for both in rounds for _, theta in both)
        worst = min(worst, alone / together)
        times = [time_text(alone / case.seeds / epochs), time_text(alone), time_text(together)]
        rows.append([case.title, *times, ratio_text(alone / together), "yes" if same else "NO"])
    remark = f"{CASES[0].seeds} seeds each. Floor on two cores: {FLOOR}; worst {worst:.2f}: {kept(worst >= FLOOR)}."
    names = ["network", "an epoch", "1 at a time", f"{threads} at a time", "throughput", "same bits"]
    show("Many at once", names, rows, remark=remark)


def _round(case: Case, threads: int, epochs: int) -> tuple[float, Any]:
    """Seconds, and all the weights."""
    import chainrule as cr

    X = np.random.default_rng(0).random((case.rows, case.sizes[0]), dtype=np.float32)
    y = np.arange(case.rows) % case.sizes[-1]
    start = time.perf_counter()
    fits = cr.fit_many(case.network(), X, y, seeds=case.seeds, threads=threads, epochs=epochs, batch_size=case.batch)
    return time.perf_counter() - start, np.concatenate([network.theta for network in fits.networks])
