"""Theta and its names: order, views, gradients joined, masks, and the mapping that a person holds."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.errors import ArgumentError, ShapeError
from chainrule.initializers import Constant
from chainrule.layers import BatchNorm, Dense, Residual, Sequence
from chainrule.parameters import Layout, Named

LAYERS = Sequence((Dense(2, frozen="b"), BatchNorm(), Residual((Dense(2, bias=False),)), Dense(1)))
NAMES = [
    "dense_1.W",
    "dense_1.b",
    "batch_norm_1.gamma",
    "batch_norm_1.beta",
    "batch_norm_1.mean",
    "batch_norm_1.variance",
    "residual_1.dense_1.W",
    "dense_2.W",
    "dense_2.b",
]


@pytest.fixture
def layout():
    return Layout(LAYERS.parameters((3,)))


@pytest.fixture
def named(layout):
    return Named(layout, np.arange(float(layout.size)))


# ---- the layout -----------------------------------------------------------------------------------------------------


def test_order_and_places(layout):
    assert [p.name for p in layout.parameters] == NAMES
    assert layout.offsets == (0, 6, 8, 10, 12, 14, 16, 20, 22)
    assert layout.size == 23
    assert layout.place("batch_norm_1.mean") == slice(12, 14)


def test_views_are_no_copies(layout):
    theta = np.zeros(layout.size)
    layout.view(theta, "dense_1.W")[2, 1] = 5
    assert theta[5] == 5
    layout.split(theta)[2][0]["W"][1, 0] = 7
    assert theta[18] == 7


def test_split_nests_as_the_layers_do(layout):
    nested = layout.split(np.arange(23.0))
    assert {place: set(inner) for place, inner in nested.items()} == {
        0: {"W", "b"},
        1: {"gamma", "beta", "mean", "variance"},
        2: {0},
        3: {"W", "b"},
    }
    np.testing.assert_array_equal(nested[0]["W"], [[0, 1], [2, 3], [4, 5]])


def test_join_is_the_inverse_of_split(layout):
    theta = np.random.default_rng(0).normal(size=layout.size)
    np.testing.assert_array_equal(layout.join(layout.split(theta), theta), theta)


def test_join_fills_in_zeros(layout):
    theta = np.full(layout.size, 9.0, dtype=np.float32)
    grads = {0: {"W": np.ones((3, 2), dtype=np.float32)}, 1: {}, 3: {"b": np.array([2.0], dtype=np.float32)}}
    gradient = layout.join(grads, theta)
    assert gradient.dtype == np.float32
    np.testing.assert_array_equal(gradient, [1] * 6 + [0] * 16 + [2])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_masks(layout, dtype):
    np.testing.assert_array_equal(layout.weights(dtype), [1] * 6 + [0] * 10 + [1] * 6 + [0])
    np.testing.assert_array_equal(layout.trainable(dtype), [1] * 6 + [0] * 2 + [1] * 4 + [0] * 4 + [1] * 7)
    assert layout.weights(dtype).dtype == dtype
    assert not layout.all_trainable
    assert layout.has_state
    plain = Layout(Sequence((Dense(2),)).parameters((3,)))
    assert plain.all_trainable
    assert not plain.has_state


def test_no_parameters_at_all():
    layout = Layout(())
    assert layout.size == 0
    assert layout.split(np.zeros(0)) == {}
    assert layout.join({}, np.zeros(0)).shape == (0,)


def test_draw_is_by_each_initializer_in_order():
    layers = Sequence((Dense(2, init=Constant(3), bias_init=1), BatchNorm(), Dense(1, init=[[5], [6]])))
    layout = Layout(layers.parameters((2,)))
    theta = layout.draw(np.random.default_rng(0), "float32")
    np.testing.assert_array_equal(theta, [3] * 4 + [1, 1] + [1, 1, 0, 0, 0, 0, 1, 1] + [5, 6] + [0])
    assert theta.dtype == np.float32


def test_both_number_types_begin_at_the_same_place(layout):
    single, double = (layout.draw(np.random.default_rng(4), dtype) for dtype in ("float32", "float64"))
    np.testing.assert_array_equal(single, double.astype(np.float32))


def test_an_unknown_parameter_says_which_was_meant(layout):
    with pytest.raises(ArgumentError, match=r"there is no parameter 'dense_1.w'. Did you mean 'dense_1.W'\?"):
        layout.place("dense_1.w")


# ---- the mapping ----------------------------------------------------------------------------------------------------


def test_reading(named):
    assert list(named) == NAMES
    assert len(named) == 9
    np.testing.assert_array_equal(named["dense_2.W"], [[20], [21]])
    assert dict(named.items())["dense_2.b"].shape == (1,)


def test_assigning_sets_theta(named):
    named["dense_1.W"] = [[1, 2], [3, 4], [5, 6]]
    np.testing.assert_array_equal(named.theta[:7], [1, 2, 3, 4, 5, 6, 6])
    named["dense_1.W"][0] = -1
    np.testing.assert_array_equal(named.theta[:2], [-1, -1])
    named["dense_2.b"] *= 2
    assert named.theta[22] == 44
    named.update({"dense_2.b": [0.5], "dense_1.b": np.array([1, 2])})
    np.testing.assert_array_equal(named.theta[[22, 6, 7]], [0.5, 1, 2])


def test_asking_for_a_name_that_is_not_there(named):
    assert "dense_1.W" in named
    assert "dense_9.W" not in named
    assert 3 not in named
    assert named.get("dense_9.W") is None
    assert named.get("dense_9.W", 7) == 7
    assert named.get("dense_2.b")[0] == 22
    with pytest.raises(ArgumentError, match=r"there is no parameter 'dense_9.W'. Did you mean 'dense_"):
        named["dense_9.W"]
    with pytest.raises(ArgumentError, match=r"there is no parameter"):
        named["dense_9.W"] = 0


@pytest.mark.parametrize("values", [0, [1, 2], np.zeros((2, 3)), np.zeros((1, 3, 2))], ids=str)
def test_nothing_is_broadcast(named, values):
    before = named.theta.copy()
    with pytest.raises(ShapeError, match=r"^parameters: dense_1.W: expected shape \(3, 2\), got"):
        named["dense_1.W"] = values
    np.testing.assert_array_equal(named.theta, before)


@pytest.mark.parametrize("values", [[["a"] * 2] * 3, [[1, 2], [3]], [[1j, 2]] * 3, {"a": 1}], ids=str)
def test_what_is_no_number_is_refused(named, values):
    before = named.theta.copy()
    with pytest.raises(ArgumentError, match=r"^parameters: dense_1.W: expected numbers, got"):
        named["dense_1.W"] = values
    np.testing.assert_array_equal(named.theta, before)


def test_nothing_can_be_deleted(named):
    with pytest.raises(TypeError, match=r"cannot be deleted; set 'dense_1.W' to zeros"):
        del named["dense_1.W"]


def test_equality(named, layout):
    assert named == Named(layout, named.theta.copy())
    assert named != Named(layout, named.theta + 1)
    assert named != dict(named)
    assert named != Named(Layout(Sequence((Dense(1, bias=False),)).parameters((23,))), named.theta)
    with pytest.raises(TypeError, match="unhashable"):
        hash(named)


def test_it_prints_as_a_table(named):
    lines = repr(named).splitlines()
    assert lines[0] == "23 numbers in 9 arrays"
    assert lines[1].split() == ["dense_1.W", "(3,", "2)", "weight"]
    assert len(lines) == 10
