"""Dropout: how many fall out, what the mean does, and on what the mask depends."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.errors import ArgumentError
from chainrule.layers import PREDICTION, Dense, Dropout, Mode, Residual, Sequence

N = 200_000
ONES = np.ones((N // 100, 100))


def mask(rate=0.4, shape=ONES.shape, dtype="float64", **mode):
    mode = Mode(**{"training": True, "seed": 1, "step": 5, "stream": 3, **mode})
    return Dropout(rate).forward({}, np.ones(shape, dtype=dtype), mode)[0]


@pytest.mark.parametrize("rate", [0.01, 0.2, 0.5, 0.9])
def test_rate_and_mean(rate):
    Y = mask(rate)
    np.testing.assert_allclose(np.unique(Y), [0, 1 / (1 - rate)])
    deviation = np.sqrt(rate * (1 - rate) / N)
    assert abs(np.mean(Y == 0) - rate) < 4 * deviation
    assert abs(np.mean(Y) - 1) < 4 * deviation / (1 - rate)


def test_units_and_rows_fall_out_independently():
    dropped = mask(0.3) == 0
    rows, columns = dropped.mean(axis=1), dropped.mean(axis=0)
    assert np.var(rows) == pytest.approx(0.3 * 0.7 / dropped.shape[1], rel=0.15)
    assert np.var(columns) == pytest.approx(0.3 * 0.7 / dropped.shape[0], rel=0.5)


@pytest.mark.parametrize("change", [{"seed": 2}, {"step": 6}, {"stream": 4}, {"seed": 1 + 2**32}], ids=str)
def test_the_mask_differs_by(change):
    both = (mask(0.5) == 0) & (mask(0.5, **change) == 0)
    assert np.mean(both) == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / N))


def test_the_mask_differs_by_nothing_else():
    np.testing.assert_array_equal(mask(), mask())
    np.testing.assert_array_equal(mask() > 0, mask(dtype="float32") > 0)
    np.testing.assert_array_equal(mask()[:50], mask(shape=(50, 100)))  # the first rows do not know how many follow
    np.testing.assert_array_equal(mask(0.4).reshape(-1), mask(0.4, shape=(N,)))


def test_a_higher_rate_drops_more_of_the_same():
    assert not np.any((mask(0.2) == 0) & (mask(0.6) > 0))


def test_each_dropout_of_a_network_has_a_mask_of_its_own():
    layers = Sequence((Dropout(0.5), Dropout(0.5), Residual((Dropout(0.5), Dropout(0.5))), Residual((Dropout(0.5),))))
    _, (first, second, (third, fourth), (fifth,)) = layers.forward({}, ONES, Mode(training=True, seed=3))
    masks = [saved.mask > 0 for saved in (first, second, third, fourth, fifth)]
    for i in range(5):
        for j in range(i):
            assert np.mean(masks[i] == masks[j]) == pytest.approx(0.5, abs=0.01)


def test_a_layer_without_randomness_in_between_shifts_no_other_mask_but_its_place_counts():
    def third_mask(*layers):
        params = {1: {"W": np.eye(100), "b": np.zeros(100)}}
        return Sequence(layers).forward(params, ONES, Mode(training=True))[1][2].mask

    np.testing.assert_array_equal(
        third_mask(Dropout(0.5), Dense(100), Dropout(0.5)), third_mask(Dropout(0.1), Dense(100), Dropout(0.5))
    )


def test_backward_lets_through_what_forward_did():
    X, dY = np.arange(1.0, 9).reshape(2, 4), np.full((2, 4), 3.0)
    layer, mode = Dropout(0.5), Mode(training=True, seed=8)
    Y, saved = layer.forward({}, X, mode)
    dX, grads = layer.backward({}, saved, dY)
    np.testing.assert_allclose(dX, 3 * Y / X)
    assert 0 < np.sum(dX == 0) < 8
    assert grads == {}
    assert layer.backward({}, saved, dY, want_dX=False) == (None, {})


@pytest.mark.parametrize(("rate", "mode"), [(0.5, PREDICTION), (0.0, Mode(training=True))])
def test_nothing_is_dropped(rate, mode):
    Y, saved = Dropout(rate).forward({}, ONES, mode)
    np.testing.assert_array_equal(Y, ONES)
    assert saved.mask is None
    np.testing.assert_array_equal(Dropout(rate).backward({}, saved, 2 * ONES)[0], 2 * ONES)


def test_number_types_stay():
    assert mask(dtype="float32").dtype == np.float32


@pytest.mark.parametrize("rate", [1, 1.5, -0.1, "0.5", None, float("nan"), True])
def test_rates_out_of_range(rate):
    with pytest.raises(ArgumentError, match=r"^Dropout: rate: expected a number from 0 up to, not including, 1"):
        Dropout(rate)
