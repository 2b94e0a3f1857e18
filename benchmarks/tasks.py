"""The tables on which accuracy is compared, the splits, and scikit-learn's pipeline as people write it."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks import mixed_tables

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from chainrule.arrays import Ints


class Task(NamedTuple):
    """A table, its target, columns that only name the rows, and the best accuracy possible where that is known."""

    frame: pl.DataFrame
    target: str
    names: tuple[str, ...] = ()
    regression: bool = False
    best: float | None = None


def _built_in(name: str) -> Task:
    from chainrule.tables import describe, load_dataset

    about = describe(name)
    return Task(load_dataset(name), about.target, regression=about.task == "regression")


def _diabetes() -> Task:
    import polars as pl
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True, scaled=False)
    columns = {f"x{i}": X[:, i] for i in range(X.shape[1])}
    return Task(pl.DataFrame({**columns, "progression": y}), "progression", regression=True)


def _titanic() -> Task:
    frame, best = mixed_tables.titanic_like()
    return Task(frame, "survived", ("name",), best=best)


def _adult(rows: int) -> Task:
    frame, best = mixed_tables.adult_like(rows)
    return Task(frame, "income", best=best)


_BUILT_IN = ("iris", "wine", "breast_cancer", "digits", "penguins", "moons", "spirals", "circles", "sine")

TASKS: dict[str, Callable[[], Task]] = {
    **{name: partial(_built_in, name) for name in _BUILT_IN},
    "titanic-like": _titanic,
    "adult-like": partial(_adult, 8_000),
    "adult-like, all": partial(_adult, 32_561),
    "diabetes": _diabetes,
}
"""The tables by name."""

SLOW = ("adult-like, all",)
"""Only when asked for."""


def split(task: Task, seed: int) -> tuple[Ints, Ints]:
    """Three quarters of the rows to train on and the rest to test on; by class, where there are classes."""
    from chainrule.splitting import split_rows

    y = None if task.regression else task.frame[task.target].to_numpy()
    classes = None if y is None else np.unique(y, return_inverse=True)[1]
    return split_rows(len(task.frame), 0.25, seed=seed, classes=classes)


def chainrule_score(task: Task, seed: int, **options: Any) -> float:
    """Train with default options and measure the accuracy, or R2, on the rows kept back."""
    import chainrule as cr

    train, test = split(task, seed)
    model = cr.train(task.frame[train], task.target, seed=seed, **options)
    report: Any = model.evaluate(task.frame[test])
    return float(report.r2 if task.regression else report.accuracy)


def sklearn_score(task: Task, seed: int) -> float:
    """The same with `MLPClassifier` or `MLPRegressor` in a pipeline."""
    from sklearn.exceptions import ConvergenceWarning

    train, test = split(task, seed)
    X = task.frame.drop(task.target, *task.names).to_pandas()
    y = task.frame[task.target].to_numpy()
    model = sklearn_model(seed, regression=task.regression)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # its default of 200 epochs is often not enough for it
        model.fit(X.iloc[train], y[train])
    return float(model.score(X.iloc[test], y[test]))


def sklearn_model(seed: int, *, regression: bool) -> Any:
    """Default options throughout; a regression's target is scaled too, without which it would not come near."""
    from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    texts = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    encoding = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (texts, make_column_selector(dtype_exclude="number")),
    )
    if not regression:
        return make_pipeline(encoding, MLPClassifier(random_state=seed))
    network = TransformedTargetRegressor(MLPRegressor(random_state=seed), transformer=StandardScaler())
    return make_pipeline(encoding, network)
