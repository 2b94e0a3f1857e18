"""Document C's digits over 8 seeds of split and weights: ``python -m benchmarks.studies.digits``."""

from __future__ import annotations

import argparse
from functools import partial
from multiprocessing import get_context
from statistics import mean
from time import perf_counter
from typing import NamedTuple

from chainrule.examples import bias_trick, digits
from chainrule.scores import score_classes


class Run(NamedTuple):
    """One seed: the losses of the training rows, the scores of the test rows."""

    seed: int
    first_loss: float
    last_loss: float
    accuracy: float
    f1: float
    seconds: float


def one(seed: int, epochs: int = 1000) -> Run:
    """Exactly what ``chainrule example digits --seed SEED`` trains, without its plots."""
    start, rows = perf_counter(), digits.split(seed)
    net = bias_trick.network([64, 32, 16, 10], seed=seed)
    losses = bias_trick.train(net, rows.X, rows.T, alpha=0.1, epochs=epochs)["validation_loss"]
    report = score_classes(rows.y_test, net.predict(rows.X_test).argmax(axis=1), range(10))
    return Run(seed, losses[0], losses[-1], report.accuracy, report.weighted.f1, perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    print("seed   loss, epoch 1   loss, last   test accuracy   F1 (weighted)   seconds")
    runs = []
    with get_context("spawn").Pool(options.processes) as pool:
        for run in pool.imap(partial(one, epochs=options.epochs), range(options.seeds)):
            runs.append(run)
            print(
                f"{run.seed:4}   {run.first_loss:13.7f}   {run.last_loss:10.7f}   {run.accuracy:13.4f}   "
                f"{run.f1:13.4f}   {run.seconds:7.1f}",
                flush=True,
            )
    accuracies = [run.accuracy for run in runs]
    print(f"mean test accuracy {mean(accuracies):.4f}, from {min(accuracies):.4f} to {max(accuracies):.4f}")


if __name__ == "__main__":
    main()
