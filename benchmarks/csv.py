"""Reading and encoding a CSV of the size of MNIST, against reading alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.racing import Peer, race
from benchmarks.tables import absent, kept, memory_text, show, time_text

if TYPE_CHECKING:
    from benchmarks.__main__ import Options
    from benchmarks.racing import Result

TIME_LIMIT = 2.0  # times polars.read_csv alone
MEMORY_LIMIT = 4.0  # times the float32 matrix
ROWS, PIXELS = 60_000, 784

PEERS = [
    Peer("polars.read_csv alone", "csv_readers", "polars", function="polars"),
    Peer("chainrule, read", "csv_readers", "chainrule", function="chainrule_read"),
    Peer("chainrule, read + encode", "csv_readers", "chainrule", function="chainrule"),
    Peer("pandas.read_csv alone", "csv_readers", "pandas", function="pandas"),
    Peer("polars + StandardScaler", "csv_readers", "sklearn", function="scikit_learn"),
]


def run(options: Options) -> None:
    rows = 2_000 if options.quick else ROWS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pixels.csv"
        total = write_pixels(path, rows)
        size = path.stat().st_size
        results = race(PEERS, "", rounds=min(options.rounds, 3), cores=options.cores, path=str(path))
    matrix = rows * PIXELS * 4
    first = results[0]
    table = [_row(result, first, matrix, total) for result in results if not result.unable]
    remark = (
        f"Limits for the whole file, read and encoded: {TIME_LIMIT:g} x polars.read_csv, {MEMORY_LIMIT:g} x the matrix "
        f"(float32, {memory_text(matrix)}): {_verdict(results[2], first, matrix)}. "
        f"The answer: the sum of all pixels. {absent(results)}"
    )
    title = f"A CSV of {rows:,} x {PIXELS + 1} numbers, {memory_text(size)}"
    show(title, ["peer", "time", "/ polars", "memory", "/ matrix", "answer off by"], table, remark=remark)


def _verdict(ours: Result, first: Result, matrix: int) -> str:
    """Whether the limits are kept; a small file says nothing, since starting costs more than reading it."""
    if matrix < ROWS * PIXELS * 4:
        return "not judged by a small file"
    return kept(ours.seconds <= TIME_LIMIT * first.seconds and ours.memory <= MEMORY_LIMIT * matrix)


def _row(result: Result, first: Result, matrix: int, total: int) -> list[str]:
    return [
        result.peer.name,
        time_text(result.seconds),
        f"{result.seconds / first.seconds:.2f}",
        memory_text(result.memory),
        f"{result.memory / matrix:.1f}",
        f"{abs(float(result.answer) / total - 1):.0e}",
    ]


def write_pixels(path: Path, rows: int, *, seed: int = 0) -> int:
    """Random pictures in bytes, mostly zeros as MNIST's are, the label first; returns the sum of all pixels."""
    rng = np.random.default_rng(seed)
    texts = np.array([str(value) for value in range(256)], dtype=object)
    total = 0
    with path.open("w", encoding="ascii") as file:
        file.write(",".join(["label", *(f"pixel_{i}" for i in range(PIXELS))]) + "\n")
        for first in range(0, rows, 1000):
            count = min(1000, rows - first)
            pixels = rng.integers(0, 256, (count, PIXELS)) * (rng.random((count, PIXELS)) < 0.19)
            labels = rng.integers(0, 10, count)
            total += int(pixels.sum())
            lines = texts[np.column_stack([labels, pixels])]
            file.write("\n".join(",".join(line) for line in lines) + "\n")
    return total
