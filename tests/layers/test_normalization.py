"""Batch norm and layer norm: by hand, running averages, one row, large offsets, settings and errors."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import sklearn.preprocessing

from chainrule.errors import ArgumentError, ShapeError
from chainrule.layers import PREDICTION, AnyLayer, BatchNorm, LayerNorm, Mode

TRAINING = Mode(training=True)
X = np.array([[1.0, 10.0], [3.0, 20.0], [5.0, 60.0]])  # means 3, 30; biased variances 8/3, 1400/3
PARAMS = {
    "gamma": np.array([2.0, 0.5]),
    "beta": np.array([-1.0, 1.0]),
    "mean": np.array([1.0, 2.0]),
    "variance": np.array([4.0, 9.0]),
}


def batch(dtype="float64"):
    rng = np.random.default_rng(2)
    shape = (16, 5)
    params = {"gamma": np.ones(5), "beta": np.zeros(5), "mean": np.zeros(5), "variance": np.ones(5)}
    return rng.normal(3, 2, shape).astype(dtype), {name: value.astype(dtype) for name, value in params.items()}


# ---- values ---------------------------------------------------------------------------------------------------------


def test_batch_norm_by_hand():
    Y, saved = BatchNorm(1e-12).forward(PARAMS, X, TRAINING)
    first, second = np.sqrt(1.5), np.sqrt(3 / 14)  # (5 - 3) / sqrt(8/3); (20 - 30) / sqrt(1400/3) is -1/sqrt(14/3)
    np.testing.assert_allclose(saved.H, [[-first, -2 * second], [0, -second], [first, 3 * second]], atol=1e-9)
    np.testing.assert_allclose(
        Y, [[-2 * first - 1, 1 - second], [-1, 1 - second / 2], [2 * first - 1, 1 + 1.5 * second]]
    )
    np.testing.assert_allclose(saved.mean, [3, 30])
    np.testing.assert_allclose(saved.variance, [8 / 3, 1400 / 3])


def test_batch_norm_in_prediction_uses_the_running_averages():
    Y, saved = BatchNorm(1e-12).forward(PARAMS, X, PREDICTION)
    np.testing.assert_allclose(Y[:, 0], [-1, 1, 3])  # 2 (x - 1) / 2 - 1
    np.testing.assert_allclose(Y[:, 1], [8 / 6 + 1, 3 + 1, 58 / 6 + 1])
    assert saved.fixed


def test_layer_norm_by_hand():
    row = np.array([[1.0, 2.0, 3.0, 6.0]])  # mean 3, biased variance 3.5
    params = {"gamma": np.array([1.0, 2.0, 1.0, 0.0]), "beta": np.array([0.0, 0.0, 1.0, 5.0])}
    Y, _ = LayerNorm(1e-12).forward(params, row, PREDICTION)
    np.testing.assert_allclose(Y, [[-2 / np.sqrt(3.5), -2 / np.sqrt(3.5), 1, 5]])


def test_scikit_learn_scales_the_same():
    X, params = batch()
    Y, _ = BatchNorm(1e-15).forward(params, X, TRAINING)
    np.testing.assert_allclose(Y, sklearn.preprocessing.scale(X), rtol=1e-12)
    Y, _ = LayerNorm(1e-15).forward(params, X, TRAINING)
    np.testing.assert_allclose(Y, sklearn.preprocessing.scale(X, axis=1), rtol=1e-12)


def test_layer_norm_is_the_same_in_every_mode_and_for_every_batch():
    X, params = batch()
    Y, _ = LayerNorm().forward(params, X, TRAINING)
    for i in range(len(X)):
        np.testing.assert_allclose(LayerNorm().forward(params, X[i : i + 1], PREDICTION)[0][0], Y[i], rtol=1e-13)


@pytest.mark.parametrize("layer", [BatchNorm(), LayerNorm()], ids=repr)
def test_epsilon_keeps_equal_numbers_finite(layer):
    _, params = batch()
    with np.errstate(all="raise"):
        Y, saved = layer.forward(params, np.full((4, 5), 7.0), TRAINING)
        dX, _ = layer.backward(params, saved, np.ones((4, 5)))
    np.testing.assert_array_equal(Y, np.zeros((4, 5)))
    assert np.isfinite(dX).all()


def test_batch_norm_of_one_row_is_beta():
    Y, saved = BatchNorm().forward(PARAMS, X[:1], TRAINING)
    np.testing.assert_array_equal(Y, [[-1, 1]])
    dX, grads = BatchNorm().backward(PARAMS, saved, np.array([[3.0, 4.0]]))
    np.testing.assert_array_equal(dX, [[0, 0]])
    np.testing.assert_array_equal(grads["beta"], [3, 4])
    np.testing.assert_array_equal(BatchNorm().new_state(PARAMS, saved)["variance"], [3.6, 8.1])


@pytest.mark.parametrize("layer", [BatchNorm(), LayerNorm()], ids=repr)
def test_a_large_offset_does_not_spoil_the_variance(layer):
    """mean(x^2) - mean(x)^2 would lose all digits here."""
    X, params = batch()
    Y, _ = layer.forward(params, X, TRAINING)
    shifted, _ = layer.forward(params, X + 1e6, TRAINING)
    np.testing.assert_allclose(shifted, Y, atol=1e-8)


# ---- running averages -----------------------------------------------------------------------------------------------


def test_running_averages_by_hand():
    layer = BatchNorm(momentum=0.75)
    _, saved = layer.forward(PARAMS, X, TRAINING)
    state = layer.new_state(PARAMS, saved)
    np.testing.assert_allclose(state["mean"], [0.75 * 1 + 0.25 * 3, 0.75 * 2 + 0.25 * 30])
    np.testing.assert_allclose(state["variance"], [0.75 * 4 + 0.25 * 4, 0.75 * 9 + 0.25 * 700])  # unbiased: 1/(B - 1)


def test_running_averages_come_to_the_batch_that_repeats():
    layer, params = BatchNorm(momentum=0.5), dict(PARAMS)
    for _ in range(60):
        _, saved = layer.forward(params, X, TRAINING)
        params |= layer.new_state(params, saved)
    np.testing.assert_allclose(params["mean"], X.mean(axis=0))
    np.testing.assert_allclose(params["variance"], X.var(axis=0, ddof=1))


def test_only_batch_norm_has_a_state():
    _, params = batch()
    _, saved = LayerNorm().forward(params, batch()[0], TRAINING)
    assert LayerNorm().new_state(params, saved) == {}
    kinds = [(p.name, p.kind, p.trainable) for p in BatchNorm().parameters((2,))]
    assert kinds == [
        ("gamma", "scale", True),
        ("beta", "shift", True),
        ("mean", "state", False),
        ("variance", "state", False),
    ]
    assert [p.name for p in LayerNorm().parameters((2,))] == ["gamma", "beta"]


def test_nothing_is_changed_in_place():
    before = {name: value.copy() for name, value in PARAMS.items()}
    _, saved = BatchNorm().forward(PARAMS, X, TRAINING)
    BatchNorm().backward(PARAMS, saved, X)
    BatchNorm().new_state(PARAMS, saved)
    for name, value in before.items():
        np.testing.assert_array_equal(PARAMS[name], value)


# ---- backward: what must hold whatever the numbers ------------------------------------------------------------------


@pytest.mark.parametrize(("layer", "axis"), [(BatchNorm(1e-12), 0), (LayerNorm(1e-12), 1)], ids=["batch", "layer"])
def test_dx_is_blind_to_shift_and_scale(layer, axis):
    """Adding to X or multiplying it changes nothing, so dX is orthogonal to both directions."""
    X, params = batch()
    _, saved = layer.forward(params, X, TRAINING)
    dX, _ = layer.backward(params, saved, np.random.default_rng(1).normal(size=X.shape))
    np.testing.assert_allclose(dX.sum(axis=axis), 0, atol=1e-12)
    np.testing.assert_allclose((dX * saved.H).sum(axis=axis), 0, atol=1e-10)
    assert np.abs(dX).max() > 0.1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layer", [BatchNorm(), LayerNorm()], ids=repr)
@pytest.mark.parametrize("mode", [TRAINING, PREDICTION], ids=["training", "prediction"])
def test_number_types_stay(layer, mode, dtype):
    X, params = batch(dtype)
    Y, saved = layer.forward(params, X, mode)
    dX, grads = layer.backward(params, saved, Y)
    arrays = [Y, dX, *grads.values(), *layer.new_state(params, saved).values()]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


# ---- settings and errors --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [BatchNorm, LayerNorm])
@pytest.mark.parametrize(("frozen", "left"), [("gamma", {"beta"}), (["beta", "gamma"], set())], ids=str)
def test_frozen(cls, frozen, left):
    X, params = batch()
    layer = cls(frozen=frozen)
    _, saved = layer.forward(params, X, TRAINING)
    assert set(layer.backward(params, saved, X)[1]) == left
    assert {p.name for p in layer.parameters((5,)) if p.trainable} == left
    assert isinstance(hash(layer), int)


@pytest.mark.parametrize("layer", [BatchNorm(0.1, ("beta",), 0.5), LayerNorm(frozen="gamma")], ids=repr)
def test_records_survive_json(layer):
    assert msgspec.json.decode(msgspec.json.encode(layer), type=AnyLayer) == layer


def test_errors():
    with pytest.raises(ArgumentError, match=r"^batch_norm: momentum: expected a number from 0 up to, not including, 1"):
        BatchNorm(momentum=1)
    with pytest.raises(ArgumentError, match=r"^layer_norm: epsilon: expected a number > 0, got 0"):
        LayerNorm(epsilon=0)
    with pytest.raises(
        ArgumentError, match=r"^batch_norm: frozen: there is no parameter 'mean'. There are: gamma, beta"
    ):
        BatchNorm(frozen=("mean",))
    with pytest.raises(ShapeError, match=r"^layer_norm: input: expected rows that are vectors"):
        LayerNorm().parameters((3, 3))
