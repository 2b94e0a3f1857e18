"""Numbers and names as a page shows them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from chainrule.report.words import number, shortened


@given(st.floats(-1e12, 1e12), st.integers(2, 7))
def test_a_number_is_right_to_its_digits(value, digits):
    assert float(number(value, digits).replace(",", "")) == pytest.approx(
        value, rel=0.51 * 10 ** (1 - digits), abs=1e-300
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, None])
def test_what_is_no_number_is_a_dash(value):
    assert number(value) == "–"


@given(st.text(max_size=60), st.integers(3, 40))
def test_a_name_is_never_wider_than_asked(text, most):
    short = shortened(text, most)
    assert cell_len(short) <= most
    assert len(short.splitlines()) <= 1
