"""Each loss: its definition by explicit numbers, other libraries, certainty, fused pairs, number types, errors."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
import scipy.special
import sklearn.metrics

from chainrule import losses
from chainrule.activations import Sigmoid, Softmax
from chainrule.errors import ArgumentError, ShapeError
from chainrule.losses import (
    AnyLoss,
    BinaryCrossEntropy,
    CrossEntropy,
    HalfSquaredError,
    Huber,
    MeanAbsoluteError,
    MeanSquaredError,
    Poisson,
    Quantile,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
)

ALL = losses.names()
DTYPES = ("float32", "float64")
Y = np.array([[0.5, 0.25], [0.2, 0.8]])
T = np.array([[1.0, 0.0], [0.0, 1.0]])

# ---- definitions by explicit numbers: the loss of each row of Y and T above, and dl/dY ------------------------------

LN2, LN4, LN5 = math.log(2), math.log(4), math.log(5)
DEFINITIONS = {
    HalfSquaredError(): ((0.15625, 0.04), ((-0.5, 0.25), (0.2, -0.2))),
    MeanSquaredError(): ((0.15625, 0.04), ((-0.5, 0.25), (0.2, -0.2))),
    MeanAbsoluteError(): ((0.375, 0.2), ((-0.5, 0.5), (0.5, -0.5))),
    Huber(delta=0.3): ((0.068125, 0.02), ((-0.15, 0.125), (0.1, -0.1))),
    Huber(): ((0.078125, 0.02), ((-0.25, 0.125), (0.1, -0.1))),
    Quantile(level=0.9): ((0.2375, 0.1), ((-0.45, 0.05), (0.05, -0.45))),
    Poisson(): (((0.5 + LN2 + 0.25) / 2, (0.2 + 0.8 + LN5 - LN4) / 2), ((-0.5, 0.5), (0.5, -0.125))),
    CrossEntropy(): ((LN2, LN5 - LN4), ((-2.0, 0.0), (0.0, -1.25))),
    BinaryCrossEntropy(): ((LN2 + LN4 - math.log(3), 2 * (LN5 - LN4)), ((-2.0, 4 / 3), (1.25, -1.25))),
}


def test_every_loss_is_defined_by_numbers():
    assert {loss.name for loss in DEFINITIONS} == set(ALL)


@pytest.mark.parametrize("loss", DEFINITIONS, ids=repr)
def test_definition(loss):
    rows, slopes = loss.rows(Y, T)
    np.testing.assert_allclose(rows, DEFINITIONS[loss][0], rtol=1e-14)
    np.testing.assert_allclose(slopes, DEFINITIONS[loss][1], rtol=1e-14)


def test_half_squared_and_mean_squared_part_ways_with_three_outputs():
    Y3, T3 = np.array([[1.0, 2.0, 3.0]]), np.zeros((1, 3))
    assert HalfSquaredError().rows(Y3, T3)[0] == pytest.approx([7])
    assert MeanSquaredError().rows(Y3, T3)[0] == pytest.approx([14 / 3])
    np.testing.assert_allclose(HalfSquaredError().rows(Y3, T3)[1], [[1, 2, 3]])
    np.testing.assert_allclose(MeanSquaredError().rows(Y3, T3)[1], [[2 / 3, 4 / 3, 2]])


@pytest.mark.parametrize("loss", DEFINITIONS, ids=repr)
@pytest.mark.parametrize(("reduction", "scale"), [("mean", 0.5), ("sum", 1)])
def test_reduction_and_weights(loss, reduction, scale):
    rows, slopes = (np.array(part) for part in DEFINITIONS[loss])
    loss = msgspec.structs.replace(loss, reduction=reduction)
    value, dY = loss.value_and_gradient(Y, T)
    assert value == pytest.approx(scale * rows.sum(), rel=1e-14)
    np.testing.assert_allclose(dY, scale * slopes, rtol=1e-14)
    value, dY = loss.value_and_gradient(Y, T, np.array([3.0, 0.5]))
    assert value == pytest.approx(scale * (3 * rows[0] + 0.5 * rows[1]), rel=1e-14)
    np.testing.assert_allclose(dY, scale * slopes * [[3], [0.5]], rtol=1e-14)


@pytest.mark.parametrize("name", ALL)
def test_a_row_of_weight_two_in_a_sum_is_two_rows(name):
    loss = msgspec.structs.replace(losses.get(name), reduction="sum")
    twice, _ = loss.value_and_gradient(Y[[0, 0, 1]], T[[0, 0, 1]])
    weighted, _ = loss.value_and_gradient(Y, T, np.array([2.0, 1.0]))
    assert weighted == pytest.approx(twice, rel=1e-14)
    assert not np.any(loss.value_and_gradient(Y, T, np.zeros(2))[1])


# ---- other libraries ------------------------------------------------------------------------------------------------


@pytest.fixture
def batch():
    rng = np.random.default_rng(3)
    P = scipy.special.softmax(rng.normal(size=(20, 4)), axis=1)
    return P, np.eye(4)[rng.integers(4, size=20)], rng.poisson(2, (20, 4)).astype(float)


def test_scikit_learn_agrees(batch):
    P, classes, counts = batch
    labels = classes.argmax(axis=1)
    ours = {name: losses.get(name).value_and_gradient(P, classes)[0] for name in ALL}
    assert ours["mean_squared_error"] == pytest.approx(sklearn.metrics.mean_squared_error(classes, P))
    assert ours["half_squared_error"] == pytest.approx(2 * sklearn.metrics.mean_squared_error(classes, P))
    assert ours["mean_absolute_error"] == pytest.approx(sklearn.metrics.mean_absolute_error(classes, P))
    assert ours["cross_entropy"] == pytest.approx(sklearn.metrics.log_loss(labels, P))
    binary = sum(sklearn.metrics.log_loss(classes[:, k], P[:, k]) for k in range(4))
    assert ours["binary_cross_entropy"] == pytest.approx(binary)
    ours_poisson, _ = Poisson().value_and_gradient(P, counts)
    perfect = np.mean(counts - scipy.special.xlogy(counts, counts))
    deviance = sklearn.metrics.mean_poisson_deviance(counts.reshape(-1), P.reshape(-1))
    assert 2 * (ours_poisson - perfect) == pytest.approx(deviance)


def test_scipy_agrees_about_huber():
    D = np.linspace(-3, 3, 25)[:, None]
    rows, _ = Huber(delta=0.7).rows(D, np.zeros_like(D))
    np.testing.assert_allclose(rows, scipy.special.huber(0.7, D[:, 0]), rtol=1e-13)


# ---- certainty ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy", "poisson"])
def test_certainty_is_finite(name, dtype):
    """Right or wrong without any doubt: log(0) and 1/0 never happen."""
    sure = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]], dtype=dtype)
    truth = np.array([[0, 1], [0, 1], [1, 0]], dtype=dtype)
    with np.errstate(all="raise", under="ignore"):
        rows, slopes = losses.get(name).rows(sure, truth)
        value, _ = losses.get(name).value_and_gradient(sure, truth, np.array([1, 100, 1], dtype=dtype))
    assert np.isfinite(rows).all()
    assert np.isfinite(slopes).all()
    assert np.isfinite(value)
    assert rows[1] > 10
    assert rows[0] == pytest.approx(rows[2], abs=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["cross_entropy", "poisson"])
def test_the_smallest_probabilities_do_not_overflow(name, dtype):
    limits = np.finfo(dtype)
    P = np.array([[limits.tiny], [2 * limits.tiny / limits.eps], [limits.smallest_subnormal]], dtype=dtype)
    counts = np.full((3, 1), 1e5 if name == "poisson" else 1.0, dtype=dtype)
    with np.errstate(all="raise", under="ignore"):
        rows, slopes = losses.get(name).rows(P, counts)
    assert np.isfinite(rows).all()
    assert np.isfinite(slopes).all()
    assert slopes[1, 0] == pytest.approx(-counts[1, 0] / P[1, 0], rel=1e-6)
    assert (slopes[[0, 2]] >= 0).all()  # below the floor the loss does not fall with p


@pytest.mark.parametrize("dtype", DTYPES)
def test_logits_of_a_thousand(dtype):
    Z = np.array([[1000, -1000], [-1000, 1000]], dtype=dtype)
    truth = np.array([[1, 0], [1, 0]], dtype=dtype)
    with np.errstate(all="raise", under="ignore"):
        softmax, dZ = SoftmaxCrossEntropy().rows(Z, truth)
        sigmoid, dZ_sigmoid = SigmoidCrossEntropy().rows(Z, truth)
    np.testing.assert_array_equal(softmax, [0, 2000])
    np.testing.assert_array_equal(sigmoid, [0, 2000])
    np.testing.assert_array_equal(dZ, [[0, 0], [-1, 1]])
    np.testing.assert_array_equal(dZ_sigmoid, [[0, 0], [-1, 1]])


def test_a_loss_small_beside_one_keeps_its_digits():
    """-log p for p within rounding of 1: the logits know it, the probabilities no longer do."""
    Z = np.array([[40.0, 0.0]])
    rows, _ = SigmoidCrossEntropy().rows(Z[:, :1], np.ones((1, 1)))
    assert rows[0] == pytest.approx(math.exp(-40), rel=1e-12)


# ---- fused pairs ----------------------------------------------------------------------------------------------------

PAIRS = [(CrossEntropy, Softmax, SoftmaxCrossEntropy), (BinaryCrossEntropy, Sigmoid, SigmoidCrossEntropy)]


@pytest.mark.parametrize(("loss", "activation", "fused"), PAIRS, ids=["softmax", "sigmoid"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("K", [1, 2, 5])
def test_a_fused_pair_is_its_parts(loss, activation, fused, reduction, K):
    rng = np.random.default_rng(K)
    Z, weights = rng.normal(size=(6, K)) * 2, rng.uniform(0, 2, 6)
    shares = scipy.special.softmax(rng.normal(size=(6, K)), axis=1)
    f, parts = activation(), loss(reduction)
    P = f.value(Z)
    value, dP = parts.value_and_gradient(P, shares, weights)
    assert parts.fused() == fused(reduction)
    assert parts.fuses_with == f.name
    fused_value, dZ = parts.fused().value_and_gradient(Z, shares, weights)
    assert fused_value == pytest.approx(value, rel=1e-13, abs=1e-15)
    np.testing.assert_allclose(dZ, f.backward(Z, P, dP), rtol=1e-11, atol=1e-15)


# ---- number types, purity -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [*DEFINITIONS, SoftmaxCrossEntropy(), SigmoidCrossEntropy()], ids=repr)
@pytest.mark.parametrize("dtype", DTYPES)
def test_number_types_stay(loss, dtype):
    Y_, T_, weights = (array.astype(dtype) for array in (Y, T, np.array([1.0, 2.0])))
    before = Y_.copy(), T_.copy()
    for given in (None, weights):
        value, dY = loss.value_and_gradient(Y_, T_, given)
        assert (value.dtype, dY.dtype, value.shape, dY.shape) == (np.dtype(dtype), np.dtype(dtype), (), Y.shape)
    np.testing.assert_array_equal(Y_, before[0])
    np.testing.assert_array_equal(T_, before[1])


# ---- names, records, errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_broadcast(name):
    loss = losses.get(name)
    with pytest.raises(ShapeError, match=rf"^{name}: targets: expected shape \(2, 1\) like the outputs, got \(2,\)"):
        loss.value_and_gradient(Y[:, :1], T[:, 0])
    with pytest.raises(ShapeError, match="targets"):
        loss.value_and_gradient(Y, T[:1])
    with pytest.raises(ShapeError, match=rf"^{name}: sample weights: expected shape \(2,\), got \(2, 1\)"):
        loss.value_and_gradient(Y, T, np.ones((2, 1)))
    with pytest.raises(ShapeError, match="sample weights"):
        loss.value_and_gradient(Y, T, np.ones(1))


@pytest.mark.parametrize("name", ALL)
def test_names(name):
    loss = losses.get(name)
    assert loss.name == name
    assert losses.get(loss) is loss
    assert loss.formula


@pytest.mark.parametrize("loss", [*DEFINITIONS, CrossEntropy("sum")], ids=repr)
def test_records_survive_json(loss):
    assert msgspec.json.decode(msgspec.json.encode(loss), type=AnyLoss) == loss


def test_an_unknown_name_says_which_was_meant():
    with pytest.raises(
        ArgumentError, match=r"^Network: there is no loss 'crossentropy'. Did you mean 'cross_entropy'\?"
    ):
        losses.get("crossentropy", where="Network")
    with pytest.raises(ArgumentError, match="expected a name or a loss, got 3"):
        losses.get(3)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("wrong", ["average", None, 1, []])
def test_reductions(name, wrong):
    with pytest.raises(ArgumentError, match=f"^{name}: reduction: expected 'mean' or 'sum'"):
        type(losses.get(name))(wrong)


@pytest.mark.parametrize("wrong", [0, -1, math.nan, math.inf, "1", None, True])
def test_delta(wrong):
    with pytest.raises(ArgumentError, match="huber: delta: expected a number > 0"):
        Huber(delta=wrong)
