"""`diagnose`: look at a network, at its data and at how its training went, and say what is wrong."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import checks, optimizers
from chainrule.errors import ArgumentError, NotFittedError
from chainrule.history import History
from chainrule.inputs import class_weights
from chainrule.insight.diagnosis.curvature import largest_eigenvalue
from chainrule.insight.diagnosis.evidence import Course, Evidence
from chainrule.insight.diagnosis.findings import Findings
from chainrule.insight.diagnosis.look import take_look
from chainrule.insight.diagnosis.rules import CONSEQUENCES, RULES
from chainrule.insight.diagnosis.setup import Setup
from chainrule.network import Network
from chainrule.training_settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainrule.errors import DivergenceError
    from chainrule.insight.diagnosis.finding import Finding
    from chainrule.model import Model
    from chainrule.optimizers import AnyOptimizer
    from chainrule.records import Epoch
    from chainrule.table_training import TableTraining

_WHERE = "diagnose"
_LEARNED = 0.98  # of the loss of a constant answer: below it a network without a history has been trained


def diagnose(
    network: Network | Model,
    X: Any,
    y: Any = None,
    history: History | None = None,
    *,
    sample_weight: Any = None,
    optimizer: str | AnyOptimizer | None = None,
    batch_size: int | None = None,
    epochs: int | None = None,
    curvature: bool | None = None,
) -> Findings:
    """What is wrong with a network, its data and its training: before the first step, or after the last.

    Args:
        network: a `Network`, trained or not, or a `Model`; it is left as it is.
        X: inputs ``(N, I)``; for a `Model` the table: a path, a built-in name or a frame, its target included.
        y: targets, as `Network.fit` takes them; for a `Model` nothing.
        history: of the training; the network's own unless given.
        sample_weight: a weight for each row.
        optimizer: that it is or was trained with; unless given, the history's own, or else Adam.
        batch_size: likewise, or else 32.
        epochs: of `Finding.try_it`; likewise, or else 20.
        curvature: whether to measure the largest eigenvalue of the Hessian and compare the learning rate with it; None:
            for full batches of gradient descent.

    Raises:
        InputError: when an argument or the data are wrong.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> X, y = np.random.default_rng(0).normal(0, 1, (200, 64)), np.arange(200) % 2
    >>> sick = cr.Network([cr.Dense(256, "sigmoid", init=cr.initializers.Normal(1.0)), cr.Dense(2, "softmax")])
    >>> print(diagnose(sick, X, y)[0].says)
    dense_1.W is too large: standard deviation 0.996 for 64 inputs and 256 units, where 0.079 is usual
    """
    setup, past = _setup(network, X, y, history, sample_weight)
    setup = _as_asked(setup, optimizer, batch_size, epochs)
    net = _network_of(network)
    return examine(evidence_of(setup, net, past, of_model=net is not network, curvature=curvature))


def diagnose_training(training: TableTraining) -> Findings:
    """What is wrong with a training from a table that has ended: of several seeds, with the best of them."""
    setup, past = _of_model(training.model, *training.training_rows, training.model.history)
    return examine(evidence_of(setup, training.model.network, past, of_model=True))


def examine(evidence: Evidence) -> Findings:
    """Every rule on the evidence."""
    with np.errstate(all="ignore"):  # what is not finite is a finding
        found = [rule.check(evidence) for rule in RULES]
    return Findings(_with_causes([each for each in found if each is not None]), subject=evidence.setup.in_words)


def _with_causes(findings: list[Finding]) -> list[Finding]:
    """The findings, each with the alarm that may well be its reason."""
    alarms = [rule for rule in CONSEQUENCES if any(each.rule == rule and each.severity == "alarm" for each in findings)]
    causes = {effect: cause for cause in reversed(alarms) for effect in CONSEQUENCES[cause]}
    return [dataclasses.replace(each, cause=causes.get(each.rule, "")) for each in findings]


def evidence_of(
    setup: Setup, net: Network, history: History | None, *, of_model: bool = False, curvature: bool | None = None
) -> Evidence:
    """What there is to see of a network at present, and of its past; that of a model was trained, from its seed on."""
    epochs = () if history is None else tuple(history)
    now = take_look(setup, net.theta, step=epochs[-1].taken if epochs else 0, most=Evidence.rows)
    course = None
    if history is not None and epochs:
        stopping = setup.settings.early_stopping
        course = course_of(setup, epochs, best_epoch=history.best_epoch, restored=stopping is not None)
    drawn = net.with_seed(net.seed).theta
    first = take_look(setup, drawn, most=Evidence.rows) if epochs and of_model else None
    evidence = Evidence(setup, now, first, course, _sharpness(setup, net, curvature))
    if epochs:
        return evidence
    unlearned = not of_model and not now.loss < _LEARNED * evidence.constant
    if unlearned or np.array_equal(net.theta, drawn):
        return dataclasses.replace(evidence, first=now)
    return dataclasses.replace(evidence, now=dataclasses.replace(now, step=1))  # trained, nobody knows for how long


def course_of(
    setup: Setup, epochs: Iterable[Epoch], *, best_epoch: int, restored: bool, diverged: DivergenceError | None = None
) -> Course:
    """The losses of some epochs as means over the rows."""
    records = list(epochs)
    summed = setup.objective.loss.reduction == "sum"
    rows, held = (len(setup.data.X), len(setup.held.X) if setup.held else 1) if summed else (1, 1)
    losses = np.array([record.loss for record in records]) / rows
    validation = [record.scores["validation_loss"] for record in records if "validation_loss" in record.scores]
    return Course(losses, np.array(validation) / held, best_epoch, restored, diverged)


def _sharpness(setup: Setup, net: Network, asked: bool | None) -> float | None:
    usual = setup.full_batch and setup.plain_descent
    wanted = usual if asked is None else checks.flag(asked, "curvature", where="diagnose")
    return largest_eigenvalue(setup, net.theta) if wanted else None


def _network_of(network: Network | Model) -> Network:
    return network if isinstance(network, Network) else network.network


def _setup(network: Any, X: Any, y: Any, history: Any, sample_weight: Any) -> tuple[Setup, History | None]:
    if not isinstance(history, History | None):
        raise ArgumentError("history", where=_WHERE, expected="what fit returned, or None", got=history)
    if isinstance(network, Network):
        return _of_network(network, X, y, history or network.history, sample_weight)
    from chainrule.model import Model  # loads polars: a network alone does not need it

    if not isinstance(network, Model):
        raise ArgumentError("network", where=_WHERE, expected="a Network or a Model", got=network)
    if y is not None or sample_weight is not None:
        name = "y" if y is not None else "sample_weight"
        raise ArgumentError(name, where=_WHERE, expected="nothing for a Model: its table holds the target", got=type(y))
    return _of_model(network, *network.encoded(X), history or network.history)


def _of_network(
    net: Network, X: Any, y: Any, history: History | None, sample_weight: Any, class_weight: Any = None
) -> tuple[Setup, History | None]:
    if y is None:
        raise ArgumentError("y", where=_WHERE, expected="the targets of the rows of X")
    rows = net.read(X, y, sample_weight, where=_WHERE)
    try:
        objective = net.objective
    except NotFittedError:  # as `forward` does: the weights are those of the seed
        objective = net.build(rows.X.shape[1]).objective
    settings = history.settings if history is not None else None
    if settings is None:
        settings = TrainingSettings(epochs=20, batch_size=32, optimizer=optimizers.get("adam"), seed=net.seed)
    setup = Setup(
        objective=objective,
        dtype=net.dtype,
        seed=net.seed,
        data=rows.data(class_weights(class_weight, rows.targets, where=_WHERE)),
        settings=settings,
        start=None if history is not None else net.theta.copy(),
    )
    return setup, history


def _of_model(model: Model, X: Any, t: Any, history: History | None) -> tuple[Setup, History | None]:
    columns, options = model.columns, model.settings
    class_weight = None if options.class_weight == "none" else options.class_weight
    setup, past = _of_network(model.network, X, t, history, None, class_weight)
    filled = options.for_rows(len(X))
    settings = TrainingSettings(
        epochs=filled.epochs,
        batch_size=filled.batch_size or len(X),
        optimizer=filled.make_optimizer(),
        seed=filled.seed,
    )
    if history is not None and history.settings is not None:
        settings = history.settings
    names, spare = tuple(columns.feature_names), columns.spare
    return dataclasses.replace(setup, settings=settings, start=None, names=names, spare=spare), past


def _as_asked(setup: Setup, optimizer: Any, batch_size: Any, epochs: Any) -> Setup:
    """The training with what the caller says of it."""
    chosen = None if optimizer is None else optimizers.get(optimizer, where=_WHERE)
    given = {"optimizer": chosen, "batch_size": batch_size, "epochs": epochs}
    return setup.with_settings(**{name: value for name, value in given.items() if value is not None})
