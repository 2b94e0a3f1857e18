"""``python -m benchmarks [NAME ...] [--quick] [--slow] [--rounds N] [--cores N]``."""

from __future__ import annotations

import argparse
import importlib
from dataclasses import dataclass

from benchmarks.tables import machine

NAMES = ("startup", "steps", "predict", "csv", "accuracy")


@dataclass(frozen=True)
class Options:
    """What was asked for.

    Attributes:
        quick: small problems, few rounds: does everything run?
        slow: the largest table too.
        rounds: of which the best counts.
        cores: how many each peer may use; None: all.
    """

    quick: bool = False
    slow: bool = False
    rounds: int = 15
    cores: int | None = None


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m benchmarks", description="Speed, memory and score against peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which tables: {', '.join(NAMES)}; all unless given")
    parser.add_argument("--quick", action="store_true", help="small problems, to see that everything runs")
    parser.add_argument("--slow", action="store_true", help="the largest table too")
    parser.add_argument("--rounds", type=int, default=0, help="of which the best counts")
    parser.add_argument("--cores", type=int, help="how many each peer may use; all unless given (Linux)")
    given = parser.parse_args(arguments)
    if wrong := set(given.names) - set(NAMES):
        parser.error(f"there is no table {', '.join(sorted(wrong))}; there are: {', '.join(NAMES)}")
    rounds = given.rounds or (2 if given.quick else 15)
    print(machine())
    for name in given.names or NAMES:
        importlib.import_module(f"benchmarks.{name}").run(Options(given.quick, given.slow, rounds, given.cores))


if __name__ == "__main__":
    main()
