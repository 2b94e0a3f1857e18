"""``python -m benchmarks [NAME ...] [--quick] [--slow] [--rounds N] [--cores N] [--match TEXT] [--mnist FOLDER]``."""

from __future__ import annotations

import argparse
import importlib
from dataclasses import dataclass
from pathlib import Path

from benchmarks.racing import ROOT
from benchmarks.tables import machine

NAMES = (
    "startup", "steps", "whole", "predict", "latency", "csv", "accuracy", "many", "diagnosis", "estimators",
    "playground",
)  # fmt: skip
MNIST = ROOT.parent / "shared" / "data" / "mnist"


@dataclass(frozen=True)
class Options:
    """What was asked for.

    Attributes:
        quick: small problems, few rounds: does everything run?
        slow: the largest table too, and no training cut short.
        rounds: of which the best counts.
        cores: how many each peer may use; None: all.
        match: only what has this text in its name: of steps the networks, of whole the trainings.
        mnist: the folder of its four files.
    """

    quick: bool = False
    slow: bool = False
    rounds: int = 10
    cores: int | None = None
    match: str = ""
    mnist: Path = MNIST


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m benchmarks", description="Speed, memory and score against peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which tables: {', '.join(NAMES)}; all unless given")
    parser.add_argument("--quick", action="store_true", help="small problems, to see that everything runs")
    parser.add_argument("--slow", action="store_true", help="the largest table too, no training cut short")
    parser.add_argument("--rounds", type=int, default=0, help="of which the best counts")
    parser.add_argument("--cores", type=int, help="how many each peer may use; all unless given (Linux)")
    parser.add_argument(
        "--match", default="", metavar="TEXT", help="only networks or trainings with this in their name"
    )
    parser.add_argument("--mnist", type=Path, default=MNIST, metavar="FOLDER", help="of MNIST's four IDX files")
    given = parser.parse_args(arguments)
    if wrong := set(given.names) - set(NAMES):
        parser.error(f"there is no table {', '.join(sorted(wrong))}; there are: {', '.join(NAMES)}")
    rounds = given.rounds or (2 if given.quick else 10)
    options = Options(given.quick, given.slow, rounds, given.cores, given.match, given.mnist)
    print(machine())
    for name in given.names or NAMES:
        importlib.import_module(f"benchmarks.{name}").run(options)


if __name__ == "__main__":
    main()
