"""Exclusive or over 200 seeds, as document C has it and with better settings: ``python -m benchmarks.studies.xor``.

Solved: all four predictions on the right side of 1/2. Every seed is trained by `Network.fit`, as the example does.
"""

from __future__ import annotations

import argparse
from multiprocessing import get_context
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

import chainrule as cr
from chainrule.examples.bias_trick import network, train, with_ones
from chainrule.examples.xor import T, X, better_network

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.arrays import Floats


def solved(P: Floats) -> bool:
    """Whether ``P (4, 1)`` are on the right side of 1/2."""
    return bool(((P > 0.5) == (T > 0.5)).all())


def with_hidden(seed: int) -> bool:
    net = network([2, 2, 1], seed=seed)
    train(net, with_ones(X), T, alpha=0.5, epochs=20_000)
    return solved(net.forward(with_ones(X)))


def without_hidden(seed: int) -> bool:
    net = network([2, 1], seed=seed)
    train(net, with_ones(X), T, alpha=0.5, epochs=2_000)
    return solved(net.forward(with_ones(X)))


def better(seed: int) -> bool:
    net = better_network(seed)
    net.fit(X, T, epochs=300, batch_size=None, optimizer=cr.Adam(0.1))
    return solved(net.forward(X))


STUDIES: dict[str, tuple[Callable[[int], bool], str]] = {
    "2-2-1": (with_hidden, "2-2-1, alpha 0.5, 20,000 epochs"),
    "2-1": (without_hidden, "2-1, alpha 0.5, 2,000 epochs"),
    "better": (better, "2-8-1, tanh, Adam(0.1), 300 epochs"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="*", default=list(STUDIES), help=f"of {', '.join(STUDIES)}")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    print(f"{'network':<36}  seeds  solved  share    seconds")
    with get_context("spawn").Pool(options.processes) as pool:
        for name in options.studies:
            function, title = STUDIES[name]
            start = perf_counter()
            count = int(np.sum(pool.map(function, range(options.seeds), chunksize=5)))
            share = f"{count / options.seeds:.1%}"
            print(f"{title:<36}  {options.seeds:5}  {count:6}  {share:>6}  {perf_counter() - start:7.1f}", flush=True)


if __name__ == "__main__":
    main()
