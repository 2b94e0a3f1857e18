"""The digits as arrays: three quarters to train on, scaled to 0 to 1."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

RATE = 0.1


def main(train: Callable[[Any, Any, Any, Any, int], float]) -> None:
    """Train for so many epochs and tell the share of right answers for the test rows."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=1000)
    given = parser.parse_args()
    X, y = load_digits(return_X_y=True)
    rows = train_test_split((X / 16).astype(np.float32), y, test_size=0.25, stratify=y, random_state=0)
    X_train, X_test, y_train, y_test = rows
    print(json.dumps({"epochs": given.epochs, "accuracy": train(X_train, y_train, X_test, y_test, given.epochs)}))
