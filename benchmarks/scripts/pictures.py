"""MNIST as arrays, its options, and what a training on it answers."""

from __future__ import annotations

import argparse
import gzip
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BATCH, HIDDEN, RATE = 128, 128, 1e-3


class Pictures(NamedTuple):
    """60,000 to train on and 10,000 to test on: pixels ``(N, 784)`` from 0 to 1 in float32, labels ``(N,)``."""

    X: Any
    y: Any
    X_test: Any
    y_test: Any


class Options(NamedTuple):
    """Stop after so many epochs, or at the first that reaches this share of right answers for the test rows."""

    epochs: int
    until: float
    seed: int
    threads: int


def main(train: Callable[[Pictures, Options], Iterator[float]]) -> None:
    """Read, train, answer; `train` yields the accuracy on the test rows after each epoch."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", nargs="+", type=Path, help="a folder of IDX files, or two CSV files with headers")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--until", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    given = parser.parse_args()
    pictures = read_folder(given.data[0]) if given.data[0].is_dir() else read_tables(*given.data)
    start, epochs, accuracy = time.perf_counter(), 0, 0.0
    for accuracy in train(pictures, Options(given.epochs, given.until, given.seed, given.threads)):
        epochs += 1
        if accuracy >= given.until or epochs == given.epochs:
            break
    print(json.dumps({"seconds": time.perf_counter() - start, "epochs": epochs, "accuracy": float(accuracy)}))


def read_folder(folder: Path) -> Pictures:
    """From the four files of the original."""
    pixels, labels = ("images-idx3", "labels-idx1")
    X, X_test = (
        read_idx(folder / f"{part}-{pixels}-ubyte.gz", 16).reshape(-1, 784).astype(np.float32) / 255
        for part in ("train", "t10k")
    )
    y, y_test = (read_idx(folder / f"{part}-{labels}-ubyte.gz", 8).astype(np.int64) for part in ("train", "t10k"))
    return Pictures(X, y, X_test, y_test)


def read_idx(path: Path, header: int) -> Any:
    """The bytes after the header."""
    return np.frombuffer(gzip.decompress(path.read_bytes()), dtype=np.uint8, offset=header)


def read_tables(train: Path, test: Path) -> Pictures:
    """From CSV files with a column `label` and 784 columns of pixels, as nearly everybody reads them: with pandas."""
    import pandas as pd

    frames = [pd.read_csv(path) for path in (train, test)]
    X, X_test = (frame.drop(columns="label").to_numpy(np.float32) / 255 for frame in frames)
    y, y_test = (frame["label"].to_numpy() for frame in frames)
    return Pictures(X, y, X_test, y_test)
