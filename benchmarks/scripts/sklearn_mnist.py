"""scikit-learn on MNIST: `MLPClassifier`, an epoch at a time to see when it is good enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.neural_network import MLPClassifier

from benchmarks.scripts.pictures import BATCH, HIDDEN, RATE, main

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.scripts.pictures import Options, Pictures


def train(pictures: Pictures, options: Options) -> Iterator[float]:
    model = MLPClassifier(
        (HIDDEN,), batch_size=BATCH, learning_rate_init=RATE, alpha=0.0, random_state=options.seed
    )  # fmt: skip
    while True:
        model.partial_fit(pictures.X, pictures.y, classes=range(10))
        yield model.score(pictures.X_test, pictures.y_test)


if __name__ == "__main__":
    main(train)
