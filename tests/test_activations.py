"""Each activation: numbers known from elsewhere, extremes, both number types, kinks, the words of its errors."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats

from chainrule import activations
from chainrule.activations import ELU, SELU, AnyActivation, Identity, LeakyReLU, ReLU, Sigmoid, Softmax
from chainrule.errors import ArgumentError

ALL = activations.names()
ELEMENTWISE = tuple(name for name in ALL if activations.get(name).elementwise)
DTYPES = ("float32", "float64")

# Values and slopes at these places, by mpmath in 60 digits: golden_activations.py prints them.
PLACES = (-30, -2, -0.5, 0.25, 3, 40)
GOLDEN = {
    "identity": (
        (-30.0, -2.0, -0.5, 0.25, 3.0, 40.0),
        (1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    ),
    "sigmoid": (
        (9.357622968839299e-14, 0.11920292202211756, 0.37754066879814544, 0.5621765008857981, 0.95257412682243322, 1.0),
        (
            9.3576229688384233e-14,
            0.10499358540350652,
            0.23500371220159449,
            0.24613408273759835,
            0.045176659730912133,
            4.248354255291589e-18,
        ),
    ),
    "tanh": (
        (-1.0, -0.96402758007581688, -0.46211715726000976, 0.24491866240370913, 0.99505475368673045, 1.0),
        (
            3.5026043050786081e-26,
            0.070650824853164466,
            0.78644773296592741,
            0.94001484880637796,
            0.0098660371654401913,
            7.2194055513816607e-35,
        ),
    ),
    "scaled_tanh": (
        (-1.7159, -1.4929388053842507, -0.55168370633053137, 0.28336443453737151, 1.6541749246520942, 1.7159),
        (
            1.9439336177746233e-17,
            0.27796745473817297,
            1.0256844408840484,
            1.1127367201815629,
            0.080819833577029938,
            3.1483886518164286e-23,
        ),
    ),
    "relu": (
        (0.0, 0.0, 0.0, 0.25, 3.0, 40.0),
        (0.0, 0.0, 0.0, 1.0, 1.0, 1.0),
    ),
    "leaky_relu": (
        (-0.3, -0.02, -0.005, 0.25, 3.0, 40.0),
        (0.01, 0.01, 0.01, 1.0, 1.0, 1.0),
    ),
    "elu": (
        (-0.99999999999990642, -0.86466471676338731, -0.39346934028736658, 0.25, 3.0, 40.0),
        (9.3576229688401746e-14, 0.13533528323661269, 0.60653065971263342, 1.0, 1.0, 1.0),
    ),
    "selu": (
        (
            -1.7580993408472123,
            -1.520166468595695,
            -0.6917581878028714,
            0.26267524683887012,
            3.1521029620664415,
            42.02803949421922,
        ),
        (
            1.6451630773416185e-13,
            0.23793287225168182,
            1.0663411530445055,
            1.0507009873554805,
            1.0507009873554805,
            1.0507009873554805,
        ),
    ),
    "gelu": (
        (0.0, -0.045402305912224981, -0.15428599017485608, 0.149675350701685, 2.996362607918227, 40.0),
        (0.0, -0.086099256623618382, 0.13263009646535769, 0.69535409515106043, 1.0115841666309697, 1.0),
    ),
    "silu": (
        (
            -2.8072868906517897e-12,
            -0.23840584404423511,
            -0.18877033439907272,
            0.14054412522144953,
            2.8577223804672997,
            40.0,
        ),
        (
            -2.713710660963134e-12,
            -0.090784248784895479,
            0.26003881269734819,
            0.62371002157019769,
            1.0881041060151696,
            1.0000000000000002,
        ),
    ),
    "softplus": (
        (
            9.3576229688397368e-14,
            0.1269280110429725,
            0.47407698418010668,
            0.82593941987884356,
            3.0485873515737421,
            40.0,
        ),
        (9.357622968839299e-14, 0.11920292202211756, 0.37754066879814544, 0.5621765008857981, 0.95257412682243322, 1.0),
    ),
    "exp": (
        (
            9.3576229688401746e-14,
            0.13533528323661269,
            0.60653065971263342,
            1.2840254166877415,
            20.085536923187668,
            2.3538526683701999e17,
        ),
        (
            9.3576229688401746e-14,
            0.13533528323661269,
            0.60653065971263342,
            1.2840254166877415,
            20.085536923187668,
            2.3538526683701999e17,
        ),
    ),
}


def at(name, dtype="float64", places=PLACES):
    f, Z = activations.get(name), np.array([places], dtype=dtype)
    Y = f.value(Z)
    return f, Z, Y


# ---- numbers known from elsewhere -----------------------------------------------------------------------------------


def test_every_elementwise_activation_has_golden_numbers():
    assert set(GOLDEN) == set(ELEMENTWISE)


@pytest.mark.parametrize("name", GOLDEN)
def test_values(name):
    np.testing.assert_allclose(at(name)[2][0], GOLDEN[name][0], rtol=1e-14)
    np.testing.assert_allclose(at(name, "float32")[2][0], GOLDEN[name][0], rtol=5e-6)


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("dtype", DTYPES)
def test_slopes(name, dtype):
    f, Z, Y = at(name, dtype)
    eps = np.finfo(dtype).eps  # where f saturates, 1 - y is rounded in units of this
    np.testing.assert_allclose(f.slope(Z, Y)[0], GOLDEN[name][1], rtol=16 * eps, atol=4 * eps)
    np.testing.assert_array_equal(f.backward(Z, Y, np.full_like(Z, 2)), 2 * f.slope(Z, Y))


def test_scaled_tanh_is_one_at_one():
    assert activations.get("scaled_tanh").value(np.array([1.0, -1.0])) == pytest.approx([1, -1], abs=1e-4)


def test_selu_keeps_mean_0_and_variance_1():
    """The fixed point that its two constants are made for (Klambauer et al. 2017, section 2)."""

    def moment(power):
        def integrand(z):
            return SELU().value(np.array([[z]]))[0, 0] ** power * scipy.stats.norm.pdf(z)

        return scipy.integrate.quad(integrand, -10, 10, points=[0])[0]

    assert moment(1) == pytest.approx(0, abs=1e-9)
    assert moment(2) == pytest.approx(1, abs=1e-9)


def test_gelu_is_near_that_of_the_normal_distribution():
    Z = np.linspace(-6, 6, 501)
    assert np.abs(activations.get("gelu").value(Z) - Z * scipy.special.ndtr(Z)).max() < 5e-4


def test_settings_are_used():
    Z = np.array([[-2.0, 2.0]])
    np.testing.assert_allclose(LeakyReLU(0.3).value(Z), [[-0.6, 2]])
    np.testing.assert_allclose(LeakyReLU(0.3).slope(Z, Z), [[0.3, 1]])
    f = ELU(0.5)
    np.testing.assert_allclose(f.value(Z), [[0.5 * np.expm1(-2), 2]])
    np.testing.assert_allclose(f.slope(Z, f.value(Z)), [[0.5 * np.exp(-2), 1]])


# ---- softmax --------------------------------------------------------------------------------------------------------


def test_softmax_values():
    Z = np.random.default_rng(0).normal(size=(5, 4)) * 3
    np.testing.assert_allclose(Softmax().value(Z), scipy.special.softmax(Z, axis=1), rtol=1e-14)


def test_softmax_does_not_see_a_shift():
    Z = np.array([[1.0, 2.0, 4.0]])
    np.testing.assert_array_equal(Softmax().value(Z), Softmax().value(Z + 1024))


def test_softmax_backward_is_the_whole_jacobian():
    Y = Softmax().value(np.array([[0.1, -0.4, 1.0], [2.0, 0.0, -1.0]]))
    dY = np.array([[0.3, -1.0, 0.5], [1.0, 2.0, 4.0]])
    expected = [(np.diag(y) - np.outer(y, y)) @ dy for y, dy in zip(Y, dY, strict=True)]
    np.testing.assert_allclose(Softmax().backward(Y, Y, dY), expected, rtol=1e-13)


def test_softmax_slope_is_the_diagonal():
    Y = np.array([[0.2, 0.3, 0.5]])
    np.testing.assert_allclose(Softmax().slope(Y, Y), [[0.16, 0.21, 0.25]])


def test_softmax_of_one_output_is_one_and_flat():
    Z = np.array([[-3.0], [1e4]])
    np.testing.assert_array_equal(Softmax().value(Z), [[1], [1]])
    np.testing.assert_array_equal(Softmax().backward(Z, np.ones((2, 1)), np.array([[5.0], [-2.0]])), [[0], [0]])


def test_softmax_of_an_impossible_class():
    np.testing.assert_array_equal(Softmax().value(np.array([[0.0, -np.inf, 0.0]])), [[0.5, 0, 0.5]])


# ---- extremes -------------------------------------------------------------------------------------------------------

LIMITS = {  # at -10000 and at 10000: the value, the slope
    "identity": ((-1e4, 1e4), (1, 1)),
    "sigmoid": ((0, 1), (0, 0)),
    "tanh": ((-1, 1), (0, 0)),
    "scaled_tanh": ((-1.7159, 1.7159), (0, 0)),
    "relu": ((0, 1e4), (0, 1)),
    "leaky_relu": ((-100, 1e4), (0.01, 1)),
    "elu": ((-1, 1e4), (0, 1)),
    "selu": ((-1.7580993, 10507.009873554805), (0, 1.0507009873554805)),
    "gelu": ((0, 1e4), (0, 1)),
    "silu": ((0, 1e4), (0, 1)),
    "softplus": ((0, 1e4), (0, 1)),
    "exp": ((0, np.inf), (0, np.inf)),
    "softmax": ((0, 1), (0, 0)),
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", DTYPES)
def test_extremes(name, dtype):
    """Nothing is 0/0, and nothing overflows but exp itself; exp(-10000) = 0 is rounding, no fault."""
    with np.errstate(all="raise", under="ignore", over="ignore" if name == "exp" else "raise"):
        f, Z, Y = at(name, dtype, (-1e4, 1e4))
        slope, dZ = f.slope(Z, Y), f.backward(Z, Y, np.ones_like(Z))
    np.testing.assert_allclose(Y[0], LIMITS[name][0], rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(slope[0], LIMITS[name][1], rtol=1e-6, atol=3e-7)
    np.testing.assert_allclose(dZ[0], LIMITS[name][1], rtol=1e-6, atol=3e-7)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("sigmoid", (0, 1)),
        ("tanh", (-1, 1)),
        ("scaled_tanh", (-1.7159, 1.7159)),
        ("relu", (0, np.inf)),
        ("leaky_relu", (-np.inf, np.inf)),
        ("elu", (-1, np.inf)),
        ("selu", (-1.7580993408473766, np.inf)),
        ("softplus", (0, np.inf)),
        ("exp", (0, np.inf)),
    ],
)
def test_infinities(name, limits, dtype):
    with np.errstate(all="raise", under="ignore"):
        Y = at(name, dtype, (-np.inf, np.inf))[2]
    np.testing.assert_allclose(Y[0], limits, rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize("name", ALL)
def test_nan_is_not_hidden(name):
    assert np.isnan(at(name, places=(np.nan,))[2]).all()


@pytest.mark.parametrize("name", ["sigmoid", "silu", "softplus", "exp"])
def test_tails_keep_their_digits(name):
    """f(-50) is exp(-50) or -50 exp(-50) to rounding, not 0 as 1 - sigmoid(50) would give."""
    Y = at(name, places=(-50,))[2]
    assert abs(Y[0, 0]) == pytest.approx((50 if name == "silu" else 1) * 1.9287498479639178e-22, rel=1e-14)


# ---- number types, purity -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", DTYPES)
def test_number_types_stay(name, dtype):
    f, Z, Y = at(name, dtype)
    assert (Y.dtype, f.slope(Z, Y).dtype, f.backward(Z, Y, np.ones_like(Z)).dtype) == (np.dtype(dtype),) * 3
    assert Y.shape == f.slope(Z, Y).shape == Z.shape


@pytest.mark.parametrize("name", ALL)
def test_arguments_are_left_alone(name):
    f, Z, Y = at(name)
    dY = np.ones_like(Z)
    before = (Z.copy(), Y.copy())
    f.backward(Z, Y, dY)
    f.slope(Z, Y)
    for now, then in zip((Z, Y, dY), (*before, np.ones_like(Z)), strict=True):
        np.testing.assert_array_equal(now, then)


# ---- kinks ----------------------------------------------------------------------------------------------------------


def one_sided(f, z, h):
    values = f.value(np.array([[z, z + h]]))[0]
    return (values[1] - values[0]) / h


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_kinks_are_where_the_slope_jumps(name):
    f = activations.get(name)
    grid = np.linspace(-4, 4, 33)
    jumps = {float(z) for z in grid if abs(one_sided(f, z, 1e-6) - one_sided(f, z, -1e-6)) > 1e-3}
    assert jumps <= set(f.kinks)
    if name != "elu":  # which is smooth for alpha = 1, and says that it may not be
        assert jumps == set(f.kinks)
    assert ELU(0.5).kinks == (0.0,)


@pytest.mark.parametrize(
    ("f", "slope"), [(ReLU(), 0), (LeakyReLU(0.2), 0.2), (ELU(0.5), 0.5), (SELU(), 1.7580993408473766)]
)
def test_the_slope_at_the_kink_is_that_of_the_left(f, slope):
    Z = np.zeros((1, 1))
    assert f.slope(Z, f.value(Z))[0, 0] == pytest.approx(slope, rel=1e-12)


# ---- names, records, errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_names(name):
    f = activations.get(name)
    assert f.name == name
    assert f == activations.get(name)
    assert activations.get(f) is f
    assert f.formula


@pytest.mark.parametrize("f", [*(activations.get(name) for name in ALL), LeakyReLU(0.25), ELU(2.0)], ids=repr)
def test_records_survive_json(f):
    assert msgspec.json.decode(msgspec.json.encode(f), type=AnyActivation) == f


def test_an_unknown_name_says_which_was_meant():
    with pytest.raises(ArgumentError, match=r"^Dense: there is no activation 'sigmod'. Did you mean 'sigmoid'\?"):
        activations.get("sigmod", where="Dense")


@pytest.mark.parametrize("wrong", [3, None, ReLU, lambda z: z])
def test_another_type_is_refused(wrong):
    with pytest.raises(ArgumentError, match="expected a name or an activation"):
        activations.get(wrong)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -0.1, "a", None, True])
def test_settings_out_of_range(wrong):
    with pytest.raises(ArgumentError, match="leaky_relu: leak: expected a number >= 0"):
        LeakyReLU(wrong)
    with pytest.raises(ArgumentError, match="elu: alpha: expected a number >= 0"):
        ELU(wrong)


def test_activations_are_frozen():
    with pytest.raises(AttributeError):
        LeakyReLU().leak = 2
    assert len({Sigmoid(), Sigmoid(), Identity()}) == 2
