"""scikit-learn on the digits: 64-32-16-10, sigmoid, one row at a time."""

from __future__ import annotations

import warnings
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from benchmarks.scripts.digits_rows import RATE, main


def train(X: Any, y: Any, X_test: Any, y_test: Any, epochs: int) -> float:
    model = MLPClassifier(
        (32, 16),
        activation="logistic",
        solver="sgd",
        momentum=0.0,
        learning_rate_init=RATE,
        batch_size=1,
        alpha=0.0,
        max_iter=epochs,
        n_iter_no_change=epochs + 1,  # all of them
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    return float(model.score(X_test, y_test))


if __name__ == "__main__":
    main(train)
