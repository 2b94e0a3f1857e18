"""scikit-learn's `MLPClassifier`: `partial_fit` is one epoch; its weights are set to the common ones beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.peers import Race, Unable
from benchmarks.problems import flat, numbers

if TYPE_CHECKING:
    from benchmarks.problems import Numbers, Problem


def steps(problem: Problem) -> Race:
    given = numbers(problem)
    X, y = given.X[given.order], given.y[given.order]  # in their order beforehand: it can only shuffle by itself
    model = _model(problem, given)
    return Race(lambda: model.partial_fit(X, y), lambda: flat(model.coefs_, model.intercepts_), _version())


def predict(problem: Problem) -> Race:
    given = numbers(problem)
    model = _model(problem, given)
    return Race(lambda: model.predict_proba(given.X), lambda: model.predict_proba(given.X), _version())


def _model(problem: Problem, given: Numbers) -> Any:
    from sklearn.neural_network import MLPClassifier

    if problem.loss == "half_squared_error":
        raise Unable("has no squared error for sigmoid outputs")
    if problem.loss == "least_squares":
        raise Unable("steps on another loss where there are several linear outputs")
    model = MLPClassifier(
        problem.sizes[1:-1],
        activation="logistic" if problem.activation == "sigmoid" else problem.activation,
        solver="adam" if problem.optimizer == "adam" else "sgd",
        momentum=0.9 if problem.optimizer == "momentum" else 0.0,
        nesterovs_momentum=False,
        learning_rate_init=problem.rate,
        batch_size=problem.batch,
        alpha=0.0,
        shuffle=False,
    )
    # A step at rate 0 makes the arrays and the optimiser; then the arrays are given their numbers.
    model.set_params(learning_rate_init=1e-300)
    model.partial_fit(given.X[: problem.batch], given.y[: problem.batch], classes=range(max(problem.sizes[-1], 2)))
    for own, common in zip([*model.coefs_, *model.intercepts_], [*given.weights, *given.biases], strict=True):
        own[...] = common
    del model._optimizer  # noqa: SLF001 - there is no other way to have it begin from given weights
    return model.set_params(learning_rate_init=problem.rate)


def _version() -> str:
    import sklearn

    return str(sklearn.__version__)
