"""The compiled exp, expm1, log, log(1 + exp), tanh and logistic function against NumPy in a wider type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.engines import native
from chainrule.engines.native import instruction_sets

pytestmark = pytest.mark.skipif(native.kernels() is None, reason="built without a compiler")


def logistic(x: np.ndarray) -> np.ndarray:
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


TRUE: dict[str, Any] = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p_exp": lambda x: np.logaddexp(0, x),
    "logistic": logistic,
    "tanh": np.tanh,
}
ULPS = {"exp": 1.0, "expm1": 2.5, "log": 2.0, "log1p_exp": 3.0, "logistic": 2.5, "tanh": 2.0}
WIDER = {"float32": np.float64, "float64": np.longdouble}
ENDS = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 5e-324, -5e-324, 88.72284, 88.7229, 709.782, 709.783]
ENDS += [-87.4, -103.0, -103.97, -104.1, -708.5, -745.1, -745.2, 3e38, -3e38, 1e308, -1e308]


@pytest.fixture(params=instruction_sets())
def isa(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> str:
    if request.param == "float64" and np.finfo(np.longdouble).eps > 1e-18:
        pytest.skip("no type wider than float64 here")
    return str(request.param)


def computed(name: str, x: np.ndarray, isa: str) -> np.ndarray:
    y = np.empty_like(x)
    native.kernels().elementary(name, x, isa, y)
    return y


def check(name: str, x: np.ndarray, isa: str) -> None:
    """Within the bound wherever the true value is finite in this type; the same where it is not."""
    beyond = {"log1p_exp": x > 0, "log": x < np.finfo(x.dtype).tiny}  # of what it is for
    x = np.ascontiguousarray(x[~beyond[name]]) if name in beyond else x
    y = computed(name, x, isa)
    with np.errstate(all="ignore"):
        true = TRUE[name](x.astype(WIDER[x.dtype.name]))
        nearest = true.astype(x.dtype)
        ulps = np.abs(y.astype(true.dtype) - true) / np.spacing(np.abs(nearest))
    finite = np.isfinite(nearest)
    assert np.isfinite(y[finite]).all()
    worst = ulps[finite].argmax()
    assert ulps[finite][worst] <= ULPS[name], (x[finite][worst], y[finite][worst], nearest[finite][worst])
    np.testing.assert_array_equal(y[~finite], nearest[~finite])


def patterns(dtype: str, step: int) -> np.ndarray:
    """Numbers of every size and both signs: all of float32, or as many of float64, every `step`-th pattern of bits."""
    top = np.arange(0, 2**32, step, dtype=np.uint64)
    return top.astype(np.uint32).view(np.float32) if dtype == "float32" else (top << np.uint64(32) | top).view(float)


@pytest.mark.parametrize("name", TRUE)
def test_a_sample_of_all_numbers(name: str, isa: str, dtype: str) -> None:
    check(name, patterns(dtype, 200_003), isa)
    check(name, np.random.default_rng(0).uniform(-40, 40, 20_001).astype(dtype), isa)


@pytest.mark.slow
@pytest.mark.parametrize("name", TRUE)
def test_a_dense_sample_of_all_numbers(name: str, isa: str, dtype: str) -> None:
    check(name, patterns(dtype, 2003), isa)
    for reach in (1, 30, 800):
        check(name, np.random.default_rng(1).uniform(-reach, reach, 200_000).astype(dtype), isa)


@pytest.mark.parametrize("name", TRUE)
def test_the_ends(name: str, isa: str, dtype: str) -> None:
    with np.errstate(all="ignore"):
        check(name, np.array(ENDS).astype(dtype), isa)


@pytest.mark.parametrize("name", ["tanh", "expm1"])
def test_odd_functions_keep_the_smallest_numbers_and_the_sign_of_zero(name: str, isa: str, dtype: str) -> None:
    tiny = np.finfo(dtype).smallest_subnormal
    x = np.array([-0.0, 0.0, tiny, -tiny, 7 * tiny], dtype)
    assert computed(name, x, isa).tobytes() == x.tobytes()


def test_any_number_of_numbers(isa: str, dtype: str) -> None:
    """What is left over at the end of a vector is computed alike, and nothing behind it is touched."""
    x = np.linspace(-3, 3, 70).astype(dtype)
    whole = computed("tanh", x, isa)
    for n in range(len(x)):
        y = np.full(len(x), 7.0, dtype)
        native.kernels().elementary("tanh", x[:n], isa, y[:n])
        assert y.tolist() == [*whole[:n], *[7.0] * (len(x) - n)]


def test_a_wrong_call_is_an_error(isa: str, dtype: str) -> None:
    x = np.zeros(3, dtype)
    call = native.kernels().elementary
    for arguments in [("sine", x, isa, x), ("exp", x, "avx1024", x), ("exp", x, isa, x[:2])]:
        with pytest.raises(ValueError):
            call(*arguments)
    for arguments in [("exp", x[::2], isa, x), ("exp", None, isa, x), ("exp", x.astype(int), isa, x)]:
        with pytest.raises(TypeError):
            call(*arguments)
