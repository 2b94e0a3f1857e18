"""Whole trainings, processes from their start to their end: small digits, MNIST from arrays and from a CSV file."""

from __future__ import annotations

import compileall
import json
import re
import sys
import tempfile
import textwrap
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.processes import run_process
from benchmarks.racing import ROOT, python_with
from benchmarks.scripts.pictures import read_idx
from benchmarks.tables import WIDTH, kept, memory_text, ratio_text, show, time_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.__main__ import Options

ROUNDS = 3
EPOCHS, SHORT = 1000, (2, 10)  # of digits; where that takes many minutes, so many, and the rest by the difference
UNTIL, MOST = 0.975, 40  # the accuracy for which a training on MNIST is made, and the epochs that it may take
TABLE_EPOCHS = 8
FLOORS = {"sklearn_digits": 5.0, "torch_digits": 50.0, "arrays": 4.0, "table": 3.0}

OURS = ("chainrule train", "chainrule, cr.train")
_CHAINRULE = str(Path(sys.executable).with_name("chainrule"))
_DIGITS = (
    "digits --layers 32,16 --activation sigmoid --optimizer sgd --lr 0.1 --batch-size 1 --test 0.25 --validation 0 "
    "--patience 0 --l2 0 --scaling minmax-matrix"
)
_TABLE = (
    "--target label --layers 128 --lr 0.001 --batch-size 128 --patience 0 --l2 0 --scaling minmax-matrix "
    f"--epochs {TABLE_EPOCHS}"
)
_PEERS = {"torch": "torch", "torch, 1 thread": "torch", "jax": "jax", "scikit-learn": "sklearn"}


class Training(NamedTuple):
    """What one process came to: seconds, bytes at the peak, epochs and accuracy for the test rows."""

    seconds: float
    memory: int
    epochs: int
    accuracy: float


class Line(NamedTuple):
    """A peer's trainings in the middle, or why there is none."""

    name: str
    training: Training | None
    note: str = ""


def run(options: Options) -> None:
    compileall.compile_dir(ROOT / "src", quiet=2)
    parts = {"digits": _digits, "arrays": _arrays, "table": _table}
    for name, part in parts.items():
        if options.match not in name:
            continue
        if name == "digits" or (options.mnist / "train-images-idx3-ubyte.gz").exists():
            part(options)
        else:
            words = f"MNIST, {name}: skipped, since its four files are not in {options.mnist}; see --mnist"
            print("\n" + textwrap.fill(words, WIDTH, break_long_words=False))


# digits --------------------------------------------------------------------------------------------------------------


def _digits(options: Options) -> None:
    epochs = 20 if options.quick else EPOCHS
    with tempfile.TemporaryDirectory() as folder:
        command = [_CHAINRULE, "train", *_DIGITS.split(), "--epochs", str(epochs), "--out", f"{folder}/d.safetensors"]
        ours = middle([_told(command, epochs) for _ in range(1 if options.quick else ROUNDS)])
    lines = [Line("chainrule train", ours)]
    for name, library in (("scikit-learn", "sklearn"), ("torch, 1 thread", "torch")):
        lines.append(_digits_of(name, library, epochs, slow=options.slow))
    verdicts = [
        f"{line.name} {ratio_text(line.training.seconds / ours.seconds)} x of {floor:g}: "
        f"{kept(line.training.seconds >= floor * ours.seconds)}"
        for line, floor in zip(lines[1:], (FLOORS["sklearn_digits"], FLOORS["torch_digits"]), strict=True)
        if line.training
    ]
    remark = (
        "64-32-16-10, sigmoid, softmax outputs, one row at a time in random order, learning rate 0.1, 1,348 rows; "
        f"whole processes, the test included. Times as long as chainrule train: {'; '.join(verdicts)}."
    )
    _show(f"Digits, {epochs} epochs", ours, lines, remark)


def _digits_of(name: str, library: str, epochs: int, *, slow: bool) -> Line:
    """All the epochs if slow; else few, and the rest by the time that a further one takes."""
    python = python_with(library)
    if python is None:
        return Line(name, None, "not installed")
    command = [python, "-m", f"benchmarks.scripts.{library}_digits", "--epochs"]
    if slow or epochs <= SHORT[1]:
        return Line(name, _answered([*command, str(epochs)]))
    few, more = (_answered([*command, str(count)]) for count in SHORT)
    each = (more.seconds - few.seconds) / (SHORT[1] - SHORT[0])
    whole = more._replace(seconds=few.seconds + each * (epochs - SHORT[0]))
    return Line(name, whole, f"time from that of {SHORT[0]} and {SHORT[1]} epochs; --slow runs all")


# MNIST ---------------------------------------------------------------------------------------------------------------


def _arrays(options: Options) -> None:
    """From arrays in memory to the accuracy asked for; the median of some seeds, one after the other in turn."""
    seeds, until = (1, 0.9) if options.quick else (ROUNDS, UNTIL)
    common = [str(options.mnist), "--until", str(until), "--epochs", str(MOST)]
    commands = {"chainrule": [sys.executable, "-m", "benchmarks.scripts.chainrule_mnist", *common]}
    commands |= _peers(common)
    trainings: dict[str, list[Training]] = {name: [] for name in commands}
    for seed in range(seeds):
        for name, command in commands.items():
            trainings[name].append(_answered([*command, "--seed", str(seed)], own_clock=True))
    lines, ours = [_line(name, trainings.get(name)) for name in ("chainrule", *_PEERS)], middle(trainings["chainrule"])
    remark = (
        f"784-128-10, relu, Adam at 0.001, batch 128, shuffled every epoch, until {until:.1%} of the 10,000 test rows "
        f"are right; from arrays in memory; initial weights of Glorot's width (torch: its own); median of {seeds} "
        "seeds; memory of the whole process. "
        f"{_verdict(ours, lines, FLOORS['arrays'])}"
    )
    _show(f"MNIST, arrays, to {until:.1%}", ours, lines, remark)


def _table(options: Options) -> None:
    """From CSV files to the scores, whole processes."""
    rounds = 1 if options.quick else ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        train, test = (write_table(options.mnist, part, Path(folder)) for part in ("train", "t10k"))
        cli = [_CHAINRULE, "train", train, "--validation", test, *_TABLE.split(), "--out", f"{folder}/m.safetensors"]
        api = [sys.executable, "-m", "benchmarks.scripts.chainrule_table", train, test, "--epochs", str(TABLE_EPOCHS)]
        commands = dict(zip(OURS, (cli, api), strict=True))
        commands |= _peers([train, test, "--epochs", str(TABLE_EPOCHS)])
        trainings: dict[str, list[Training]] = {name: [] for name in commands}
        for seed in range(rounds):
            for name, command in commands.items():
                seeded = [*command, "--seed", str(seed)]
                told = _told(seeded, TABLE_EPOCHS) if name == OURS[0] else _answered(seeded)
                trainings[name].append(told)
    lines, ours = [_line(name, trainings.get(name)) for name in (*OURS, *_PEERS)], middle(trainings[OURS[0]])
    remark = (
        f"The same network and {TABLE_EPOCHS} epochs for all, scored after each on the test rows: whole processes that "
        f"read a CSV file of 60,000 rows and one of 10,000, encode and train; median of {rounds} seeds. The peers read "
        f"with pandas. {_verdict(ours, lines, FLOORS['table'])}"
    )
    _show("MNIST, a table", ours, lines, remark)


def _peers(arguments: list[str]) -> dict[str, list[str]]:
    """The commands of the peers that are there."""
    commands = {}
    for name, library in _PEERS.items():
        if python := python_with(library):
            threads = ["--threads", "1"] if "1 thread" in name else []
            commands[name] = [python, "-m", f"benchmarks.scripts.{library}_mnist", *arguments, *threads]
    return commands


def write_table(folder: Path, part: str, to: Path) -> str:
    """A CSV file of label and pixels, as MNIST is passed round."""
    X = read_idx(folder / f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    y = read_idx(folder / f"{part}-labels-idx1-ubyte.gz", 8)
    path, names = to / f"{part}.csv", ",".join(["label", *(f"pixel_{i}" for i in range(784))])
    texts = np.array([str(value) for value in range(256)], dtype=object)
    with path.open("w", encoding="ascii") as file:
        file.write(names + "\n")
        for label, row in zip(y, X, strict=True):
            file.write(f"{label},{','.join(texts[row])}\n")
    return str(path)


# what a process said -------------------------------------------------------------------------------------------------


def _answered(command: Sequence[str], *, own_clock: bool = False) -> Training:
    """A script's answer; the time of the whole process, or by its own clock from arrays in memory on."""
    done = run_process(command)
    answer = json.loads(done.output.splitlines()[-1])
    seconds = answer["seconds"] if own_clock else done.seconds
    return Training(seconds, done.memory, answer["epochs"], answer["accuracy"])


def _told(command: Sequence[str], epochs: int) -> Training:
    """What ``chainrule train`` told a person."""
    done = run_process(command)
    accuracy = re.search(r"^accuracy (\d\.\d+), balanced", done.output, re.MULTILINE)
    if accuracy is None:
        raise RuntimeError(f"{' '.join(command)} told no accuracy: {done.output[-300:]}")
    return Training(done.seconds, done.memory, epochs, float(accuracy[1]))


def middle(trainings: Sequence[Training]) -> Training:
    """The medians; of the memory the most."""
    seconds, memory, epochs, accuracy = zip(*trainings, strict=True)
    return Training(median(seconds), max(memory), median(epochs), median(accuracy))


def _line(name: str, trainings: Sequence[Training] | None) -> Line:
    if not trainings:
        return Line(name, None, "not installed")
    epochs = sorted(training.epochs for training in trainings)
    note = f"{epochs[0]} to {epochs[-1]} epochs" if epochs[0] < epochs[-1] else ""
    return Line(name, middle(trainings), note)


def _verdict(ours: Training, lines: Sequence[Line], floor: float) -> str:
    """Ours against the best of the others."""
    others = {line.name: line.training for line in lines if line.training and line.name in _PEERS}
    if not others:
        return "There is no peer to compare with."
    best = min(others, key=lambda name: others[name].seconds)
    least = min(training.memory for training in others.values())
    ratio = others[best].seconds / ours.seconds
    return (
        f"{lines[0].name} is {ratio_text(ratio)} times as fast as the best of the others, {best}; "
        f"floor {floor:g}: {kept(ratio >= floor)}. Memory at most theirs: {kept(ours.memory <= least)}."
    )


def _show(title: str, first: Training, lines: Sequence[Line], remark: str) -> None:
    rows = [
        [
            line.name,
            time_text(line.training.seconds),
            ratio_text(line.training.seconds / first.seconds),
            f"{line.training.epochs:g}",
            f"{line.training.accuracy:.2%}",
            memory_text(line.training.memory),
        ]
        for line in lines
        if line.training
    ]
    notes = "".join(f" {line.name}: {line.note}." for line in lines if line.note)
    show(title, ["peer", "time", "/ ours", "epochs", "test accuracy", "memory"], rows, remark=remark + notes)
