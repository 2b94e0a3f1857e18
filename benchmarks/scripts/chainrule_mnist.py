"""This library on MNIST's arrays: a network that is fitted until it is good enough."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import chainrule as cr
from benchmarks.scripts.pictures import BATCH, HIDDEN, RATE, read_folder

if TYPE_CHECKING:
    from chainrule.records import Epoch


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--until", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    pictures = read_folder(given.data)

    def until(record: Epoch) -> None:
        if record.scores["validation_accuracy"] >= given.until:
            raise cr.StopTraining(f"{given.until:.1%} reached")

    start = time.perf_counter()
    first, second = (cr.Dense(*layer, init="glorot_uniform") for layer in ((HIDDEN, "relu"), (10, "softmax")))
    net = cr.Network([first, second], seed=given.seed)  # initial weights as JAX's and scikit-learn's here
    history = net.fit(
        pictures.X,
        pictures.y,
        epochs=given.epochs,
        batch_size=BATCH,
        optimizer=cr.Adam(RATE),
        validation=(pictures.X_test, pictures.y_test),
        metrics="accuracy",
        callbacks=until,
    )
    seconds = time.perf_counter() - start
    accuracy = history["validation_accuracy"][-1]
    print(json.dumps({"seconds": seconds, "epochs": len(history), "accuracy": accuracy}))


if __name__ == "__main__":
    main()
