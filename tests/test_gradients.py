"""Every layer, activation and loss against difference quotients, and the same check against planted faults."""

from __future__ import annotations

import functools
import itertools
from typing import get_args

import numpy as np
import pytest
from tests.planted import FAULTS, cases
from tests.registry import (
    ACTIVATIONS,
    LAYERS,
    LOSSES,
    TOLERANCE,
    Case,
    Outcome,
    check,
    difference_quotients,
    draw,
    full,
    layer_classes,
    objective_of,
    of_the_objective,
    quick,
)

from chainrule import losses
from chainrule.activations import ActivationFunction, AnyActivation
from chainrule.layers import AnyLayer, Layer, Sequence
from chainrule.layers.composite import Composite
from chainrule.layers.normalization import Norm
from chainrule.losses import AnyLoss, Loss, SigmoidCrossEntropy, SoftmaxCrossEntropy

CAUGHT = 1e-4  # the relative error above which FACTS and everybody else call a gradient wrong


SOME = 2  # entries of each array: in the combinations of a network, fifty or eight hundred, every entry has its turn


def sweep(combinations, most=None):
    total = Outcome()
    for case in combinations:
        total.add(check(case, most))
    return total


def assert_right(layers, outcome):
    """Every entry within the tolerance, few unresolved, and no array that was never compared."""
    assert outcome.worst <= TOLERANCE, outcome.where
    assert outcome.unresolved <= 0.01 * outcome.compared
    objective = objective_of(Case(layers, *next(itertools.product(ACTIVATIONS, LOSSES))))
    trained = {parameter.name for parameter in objective.layout.parameters if parameter.trainable}
    assert {"X"} | trained - LAYERS[layers].flat <= outcome.seen


# ---- nothing can be added untested ----------------------------------------------------------------------------------


def of_the_package(base):
    """All classes derived from this one in the package itself."""
    found = set()
    for cls in base.__subclasses__():
        found |= {cls} | of_the_package(cls)
    return {cls for cls in found if cls.__module__.startswith("chainrule.")}


def test_the_registry_knows_every_activation():
    assert set(ACTIVATIONS) == set(get_args(AnyActivation)) == of_the_package(ActivationFunction)


def test_the_registry_knows_every_loss():
    assert set(LOSSES) == set(get_args(AnyLoss)) == of_the_package(Loss) - {SoftmaxCrossEntropy, SigmoidCrossEntropy}


def test_the_registry_knows_every_layer():
    f = ACTIVATIONS[next(iter(ACTIVATIONS))].instances[0]
    inside = {cls for case in LAYERS.values() for cls in layer_classes(case.inside(f))}
    assert inside == set(get_args(AnyLayer)) == of_the_package(Layer) - {Composite, Sequence, Norm}


def test_both_fused_pairs_are_among_the_combinations():
    fused = {objective_of(Case("dense", f, loss)).trained[1].name for f in ACTIVATIONS for loss in LOSSES}
    assert {"softmax_cross_entropy", "sigmoid_cross_entropy"} <= fused
    assert not objective_of(Case("output, not fused", *_pair("Softmax", losses.CrossEntropy))).fused
    assert objective_of(Case("output, activation apart", *_pair("Softmax", losses.CrossEntropy))).fused


def _pair(name, loss):
    return next(f for f in ACTIVATIONS if f.__name__ == name), loss


def test_two_networks_of_the_quick_part_have_every_pair():
    chosen = [{(case.activation, case.loss) for case in quick(layers)} for layers in LAYERS]
    for one, next_one in itertools.pairwise(chosen):
        assert one | next_one == set(itertools.product(ACTIVATIONS, LOSSES))


@pytest.mark.parametrize("layers", LAYERS)
def test_the_quick_part_has_everything_and_both_values_of_every_setting(layers):
    chosen = list(quick(layers))
    assert {case.activation for case in chosen} == set(ACTIVATIONS)
    for column in ("reduction", "weighted"):
        assert {(case.loss, getattr(case, column)) for case in chosen} == set(
            itertools.product(LOSSES, {getattr(case, column) for case in chosen})
        )
    assert {case.O for case in chosen} == {1, 2, 3}
    assert {case.B for case in chosen} == {1, 3}
    assert len({case.penalties for case in chosen}) == 4


# ---- the oracle -----------------------------------------------------------------------------------------------------


def test_the_oracle_knows_derivatives_that_are_known():
    numbers = np.array([0.3, -1.2, 2.0])
    slopes = difference_quotients(
        lambda: float(np.sum(np.exp(numbers)) + numbers[0] * numbers[1] ** 3), numbers, range(3)
    )
    expected = np.exp([0.3, -1.2, 2.0]) + np.array([(-1.2) ** 3, 3 * 0.3 * 1.2**2, 0])
    np.testing.assert_allclose(slopes, expected, rtol=1e-10)
    np.testing.assert_array_equal(numbers, [0.3, -1.2, 2.0])


def test_a_zero_gradient_passes_only_where_the_truth_is_zero():
    case = Case("dense", *_pair("Tanh", losses.HalfSquaredError))
    outcome = Outcome()
    outcome.compare("dense_1.W", np.zeros(3), np.array([0.0, 1e-9, 0.0]), noise=2e-12, case=case)
    assert outcome.worst == 1
    assert (outcome.compared, outcome.zeros, outcome.unresolved) == (1, 2, 0)


def test_nan_is_the_worst_of_all():
    case = Case("dense", *_pair("Tanh", losses.HalfSquaredError))
    outcome, total = Outcome(), Outcome(worst=0.5)
    outcome.compare("dense_1.W", np.array([np.nan, 1.0]), np.array([1.0, 1.0]), noise=2e-12, case=case)
    total.add(outcome)
    assert not total.worst <= TOLERANCE


def test_points_are_drawn_the_same_every_time():
    case = next(quick("dropout"))
    np.testing.assert_array_equal(draw(case).theta, draw(case).theta)


# ---- the package is right -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", LAYERS)
def test_gradients(layers):
    assert_right(layers, sweep(quick(layers), SOME))


@pytest.mark.slow
@pytest.mark.parametrize("layers", LAYERS)
def test_gradients_of_the_full_product(layers):
    assert_right(layers, sweep(full(layers), SOME))


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_gradients_of_every_loss_with_all_settings(loss):
    outcome = sweep(case for case in of_the_objective() if case.loss is loss)
    assert outcome.worst <= TOLERANCE, outcome.where
    # an absolute error above softmax is flat wherever all outputs err to the same side: they sum to 1
    assert outcome.unresolved <= 0.02 * outcome.compared


# ---- what is wrong is caught ----------------------------------------------------------------------------------------


@functools.cache
def without_fault(case):
    """Many faults share their combinations."""
    return check(case, SOME)


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(name, monkeypatch):
    fault = FAULTS[name]
    combinations = list(fault.cases())
    for right in map(without_fault, combinations):
        assert right.worst <= TOLERANCE, right.where
    monkeypatch.setattr(fault.owner, fault.method, fault.make(getattr(fault.owner, fault.method)))
    for case in combinations:
        assert not check(case, enough=CAUGHT).worst < CAUGHT, f"not caught: {case}"


def scaled(right, *, last):
    """The function with the last part of its answer (or all of it) wrong by a ten-thousandth."""

    def wrong(*args, **kwargs):
        answer = right(*args, **kwargs)
        return (answer[0], answer[1] * 1.0001) if last else answer * 1.0001

    return wrong


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda cls: cls.__name__)
def test_a_slope_wrong_by_a_ten_thousandth_is_caught(activation, monkeypatch):
    monkeypatch.setattr(activation, "backward", scaled(activation.backward, last=False))
    for case in cases(["dense", "activation"], [activation], [losses.HalfSquaredError]):
        assert check(case).worst > 50 * TOLERANCE


@pytest.mark.parametrize("loss", [*LOSSES, SoftmaxCrossEntropy, SigmoidCrossEntropy], ids=lambda cls: cls.__name__)
def test_a_loss_gradient_wrong_by_a_ten_thousandth_is_caught(loss, monkeypatch):
    monkeypatch.setattr(loss, "rows", scaled(loss.rows, last=True))
    fused = {SoftmaxCrossEntropy: losses.CrossEntropy, SigmoidCrossEntropy: losses.BinaryCrossEntropy}
    layers = ["dense"] if loss in fused else ["output, not fused"]
    for case in cases(layers, of_losses=[fused.get(loss, loss)], O=3):
        assert check(case).worst > 50 * TOLERANCE
