"""Formulas in four languages."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chainrule.activations import names
from chainrule.export.expressions import JAVASCRIPT, KNOWN, NUMPY, PYTHON, C, calls, letters
from chainrule.export.formulas import ACTIVATIONS, LOSSES, PARTS


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (PYTHON, "0.5 * math.expm1(min(z, 0)) if z <= 0 else z"),
        (NUMPY, "np.where(Z <= 0, 0.5 * np.expm1(np.minimum(Z, 0)), Z)"),
        (C, "z <= 0.0f ? 0.5f * expm1f(fminf(z, 0.0f)) : z"),
        (JAVASCRIPT, "z <= 0 ? 0.5 * Math.expm1(Math.min(z, 0)) : z"),
    ],
)
def test_each_language_has_its_own_words(language, expected):
    assert language.write("a * expm1(min(z, 0)) if z <= 0 else z", {"a": 0.5}) == expected


def test_a_choice_within_a_formula_keeps_its_place():
    assert C.write("(1 if w > 0 else -1) * 2") == "(w > 0.0f ? 1.0f : -1.0f) * 2.0f"
    assert NUMPY.write("(1 if w > 0 else -1) * 2") == "np.where(w > 0, 1, -1) * 2"


def test_no_quotient_of_whole_numbers_reaches_c():
    assert C.write("2 / 3 * z") == "2.0f / 3.0f * z"


def test_a_translated_formula_has_the_value_of_the_formula():
    for text in (*PARTS.values(), *(part for curve in ACTIVATIONS.values() for part in curve)):
        numbers = dict.fromkeys(letters(text), 0.3) | {"LARGEST": 87.0}
        known = {name: getattr(math, name, None) or getattr(__builtins__, name, None) for name in KNOWN}
        known |= {"abs": abs, "min": min, "max": max}
        known |= {name: lambda z: 1 / (1 + z * z) for name in calls(text) - set(known)}
        plain = _value(text, {**known, **numbers})
        upper = {name.upper(): np.float64(value) for name, value in numbers.items()}
        scope = {**known, "np": np, "math": math, **numbers, **upper}
        assert _value(NUMPY.write(text), scope) == pytest.approx(plain, rel=1e-12)
        assert _value(PYTHON.write(text), scope) == pytest.approx(plain, rel=1e-12)


def _value(text, scope):
    return eval(text, scope)  # noqa: S307 -- the formulas of this package


def test_every_activation_and_loss_has_its_formula():
    from chainrule import losses

    assert set(ACTIVATIONS) | {"softmax"} == set(names())
    assert set(LOSSES) == {*losses.names(), "sigmoid_cross_entropy"}
