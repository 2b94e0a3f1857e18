"""Difference quotients and the noise in values, on functions whose derivative is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chainrule.insight.differences import band_of, central, fourth_order, noise_of, relative_error, ridders


@pytest.mark.parametrize("x", [0.3, 1.0, 4.0])
def test_quotients_find_derivatives(x):
    slope = math.cos(x) * math.exp(math.sin(x))

    def along(t):
        return math.exp(math.sin(x + t))

    assert central(along, 1e-5) == pytest.approx(slope, rel=1e-8)
    assert fourth_order(along, 5e-4) == pytest.approx(slope, rel=1e-10)
    found = ridders(along, 0.2)
    assert found.slope == pytest.approx(slope, rel=1e-10)
    assert abs(found.slope - slope) < 10 * found.error + 1e-14


def test_ridders_is_exact_where_the_function_is_flat():
    assert ridders(lambda _: 3.0, 0.1).slope == 0


@pytest.mark.parametrize(
    ("error", "band"),
    [
        (0, "good"),
        (1e-7, "good"),
        (2e-7, "fine only with kinks"),
        (1e-4, "fine only with kinks"),
        (2e-4, "uncomfortable"),
        (1e-2, "uncomfortable"),
        (0.02, "probably wrong"),
        (math.inf, "probably wrong"),
        (math.nan, "probably wrong"),
    ],
)
def test_bands(error, band):
    assert band_of(error) == band


def test_the_error_of_what_is_not_finite_is_infinite():
    assert relative_error(math.nan, 1.0) == math.inf
    assert relative_error(math.inf, 1.0) == math.inf


@pytest.mark.parametrize("size", [1e-12, 1e-7, 1e-3])
def test_noise_is_found(size):
    random = np.random.default_rng(0)
    lines = [lambda t, a=a: math.sin(a + t) + size * random.standard_normal() for a in (0.1, 0.7, 2.0)]
    assert noise_of(lines, 1e-6) == pytest.approx(size, rel=0.7)


def test_rounding_is_noise():
    line = lambda t: float(np.float32(math.exp(0.3 + t)))  # noqa: E731 -- it is one
    assert 1e-9 < noise_of([line], 1e-6) < 3e-7
    assert noise_of([lambda t: math.exp(0.3 + t)], 1e-6) < 1e-15
