"""The orders of epochs from compiled code, against NumPy's generator."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chainrule import orders
from chainrule.engines.native import kernels
from chainrule.orders import Orders
from chainrule.splitting import epoch_order

built = pytest.mark.skipif(kernels() is None, reason="the native engine was not built")


@built
@given(st.integers(1, 400), st.integers(0, 2**140), st.integers(0, 2**32 - 4))
@example(1, 0, 0)
@example(2, 2**32 - 1, 2**32 - 4)
@example(256, 2**32, 1)
@example(257, 2**128 - 1, 0)
@example(70_001, 2**128, 9)
def test_orders_are_numpys_to_the_bit(n_rows: int, seed: int, first: int) -> None:
    drawn = Orders(n_rows, seed).of_epochs(first, 3)
    for epoch, order in enumerate(drawn, first):
        np.testing.assert_array_equal(order, epoch_order(n_rows, seed=seed, epoch=epoch))


@built
def test_compiled_code_draws_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "epoch_order", lambda *_, **__: pytest.fail("NumPy was asked"))
    assert Orders(5, 0).of_epoch(2).dtype == np.int64


def test_without_compiled_code_they_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = Orders(30, seed=4).of_epochs(7, 3)
    monkeypatch.setattr(orders, "kernels", lambda: None)
    np.testing.assert_array_equal(Orders(30, seed=4).of_epochs(7, 3), with_it)


def test_numbers_beyond_32_bits_are_numpys() -> None:
    np.testing.assert_array_equal(Orders(9, 1).of_epoch(2**33), epoch_order(9, seed=1, epoch=2**33))


@built
@pytest.mark.parametrize(("words", "first"), [(3, 0), (5, -1), (5, 2**32 - 1), (5, 2**32)])
def test_wrong_numbers_are_refused(words: int, first: int) -> None:
    with pytest.raises(ValueError, match=r"words|32-bit"):
        kernels().draw_orders(np.zeros(words, np.uint32), first, np.empty((2, 4), np.int64))
