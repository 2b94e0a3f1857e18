"""This library on MNIST's CSV files, from Python: the same training as ``chainrule train`` runs."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import chainrule as cr


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    start = time.perf_counter()
    model = cr.train(
        given.train,
        target="label",
        layers=(128,),
        epochs=given.epochs,
        batch_size=128,
        lr=1e-3,
        l2=0.0,
        scaling="minmax-matrix",
        validation=given.test,
        patience=0,
        seed=given.seed,
    )
    history: Any = model.history
    accuracy = history["validation_accuracy"][-1]
    print(json.dumps({"seconds": time.perf_counter() - start, "epochs": len(history), "accuracy": accuracy}))


if __name__ == "__main__":
    main()
