"""scikit-learn's way to train a perceptron, with default arguments: a fit a round, one seed after the other."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.peers import Race, Unable

if TYPE_CHECKING:
    from collections.abc import Callable

REGRESSIONS = ("diabetes",)
LARGE = "20,000 x 50"


def data(name: str, seed: int) -> list[Any]:
    """Training rows, test rows, and their targets: three quarters of a table and the rest, inputs standardised."""
    from sklearn import datasets
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    if name == LARGE:
        X, y = datasets.make_classification(20_000, 50, n_informative=20, n_classes=3, random_state=0)
    else:
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    regression = name in REGRESSIONS
    parts = train_test_split(X, y, random_state=seed, stratify=None if regression else y)
    scaler = StandardScaler().fit(parts[0])
    parts[:2] = map(scaler.transform, parts[:2])
    if regression:  # without it a step of 0.001 would not come near in 200 epochs
        mean, std = parts[2].mean(), parts[2].std()
        parts[2:] = [(y - mean) / std for y in parts[2:]]
    return parts


def chainrule(task: str, seeds: int) -> Race:
    import chainrule as cr
    from chainrule import estimators

    return _race(estimators, task, seeds, cr.__version__)


def scikit_learn(task: str, seeds: int) -> Race:
    import sklearn
    from sklearn import neural_network

    return _race(neural_network, task, seeds, sklearn.__version__)


def _race(module: Any, task: str, seeds: int, version: str) -> Race:
    make = module.MLPRegressor if task in REGRESSIONS else module.MLPClassifier
    return _rounds(lambda seed, *_: make(random_state=seed), lambda model: model.n_iter_, task, seeds, version)


def skorch(task: str, seeds: int) -> Race:
    """The same network, optimiser, batches and stopping rule, put together as its documentation does."""
    import skorch as library
    import torch
    from skorch.callbacks import EarlyStopping

    if task in REGRESSIONS:
        raise Unable("only classes here")
    torch.set_num_interop_threads(1)

    def make(seed: int, X: Any, y: Any) -> Any:
        torch.manual_seed(seed)
        layers = (torch.nn.Linear(X.shape[1], 100), torch.nn.ReLU(), torch.nn.Linear(100, len(np.unique(y))))
        return library.NeuralNetClassifier(
            torch.nn.Sequential(*layers),
            criterion=torch.nn.CrossEntropyLoss,
            optimizer=torch.optim.Adam,
            lr=1e-3,
            batch_size=min(200, len(X)),
            max_epochs=200,
            iterator_train__shuffle=True,
            train_split=None,
            callbacks=[EarlyStopping("train_loss", patience=10, threshold=1e-4, threshold_mode="abs")],
            verbose=0,
        )

    return _rounds(make, lambda model: len(model.history), task, seeds, library.__version__, dtype="float32")


def _rounds(
    make: Callable[..., Any], epochs: Callable[[Any], int], task: str, seeds: int, version: str, dtype: str = "float64"
) -> Race:
    """Of each seed: seconds to fit and to predict the test rows, the score on them, and epochs."""
    found: list[tuple[float, float, float, int]] = []

    def fit() -> None:
        seed = len(found)
        if seed >= seeds:
            return
        X, X_test, y, y_test = data(task, seed)
        X, X_test = X.astype(dtype), X_test.astype(dtype)
        model = make(seed, X, y)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 200 epochs are often not enough for it to be content
            begun = time.perf_counter()
            model.fit(X, y)
            fitted = time.perf_counter()
            model.predict(X_test)
            found.append((fitted - begun, time.perf_counter() - fitted, model.score(X_test, y_test), epochs(model)))

    return Race(fit, lambda: np.array(found), version)
