"""Rows drawn from one seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.splitting import epoch_order, fold_rows, split_rows


@given(st.integers(2, 200), st.floats(0.001, 0.999), st.integers(0, 2**70))
def test_a_split_is_a_partition_of_the_asked_share(n: int, share: float, seed: int) -> None:
    kept, held = split_rows(n, share, seed=seed)
    assert sorted([*kept, *held]) == list(range(n))
    assert len(held) == min(max(round(share * n), 1), n - 1)
    assert (np.diff(kept) > 0).all()
    assert (np.diff(held) > 0).all()


@given(st.lists(st.integers(0, 4), min_size=2, max_size=120), st.floats(0.01, 0.99), st.integers(0, 9))
def test_a_stratified_split_gives_each_class_its_share(classes: list[int], share: float, seed: int) -> None:
    y = np.array(classes)
    kept, held = split_rows(len(y), share, seed=seed, classes=y)
    assert sorted([*kept, *held]) == list(range(len(y)))
    assert min(len(kept), len(held)) > 0
    for k in np.unique(y) if len(np.unique(y)) < len(y) else ():
        size, out = int((y == k).sum()), int((y[held] == k).sum())
        if size > 1:
            assert 1 <= out <= size - 1
            assert abs(out - share * size) <= 1 or out in {1, size - 1}
        else:
            assert out == 0  # a class of one row is for training


def test_no_class_gives_for_those_that_have_no_row_to_give() -> None:
    y = np.array([0] * 5 + [1, 2, 3, 4])  # .1875 of 9 rows are 2; class 0's part is .94
    assert y[split_rows(9, 0.1875, seed=0, classes=y)[1]].tolist() == [0]


def test_a_stratified_split_adds_up_where_it_can() -> None:
    y = np.repeat([0, 1, 2], [50, 30, 21])
    kept, held = split_rows(101, 0.2, seed=1, classes=y)
    assert (len(held), np.bincount(y[held]).tolist()) == (20, [10, 6, 4])
    assert len(kept) == 81


def test_draws_depend_on_seed_and_stream_alone() -> None:
    splits = [split_rows(50, 0.3, seed=s, stream=t)[1].tolist() for s, t in ((1, 0), (1, 0), (1, 1), (2, 0))]
    assert splits[0] == splits[1]
    assert len({tuple(s) for s in splits}) == 3
    assert epoch_order(50, seed=1, epoch=0).tolist() != epoch_order(50, seed=1, epoch=1).tolist()
    assert epoch_order(50, seed=1, epoch=7).tolist() == epoch_order(50, seed=1, epoch=7).tolist()


def test_the_order_stays_what_it_is() -> None:
    """A resumed run of a later version must find the orders of an earlier one."""
    assert epoch_order(8, seed=0, epoch=0).tolist() == [3, 1, 6, 5, 7, 2, 0, 4]
    assert split_rows(8, 0.25, seed=0)[1].tolist() == [2, 6]


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.1, float("nan"), float("inf"), "0.2", None, True])
def test_a_share_is_a_number_between_0_and_1(share: object) -> None:
    with pytest.raises(cr.ArgumentError, match=r"test: share: expected a number between 0 and 1"):
        split_rows(10, share, seed=0, where="test")  # type: ignore[arg-type]


def test_one_row_cannot_be_split() -> None:
    with pytest.raises(cr.DataError, match="at least 2 rows, one for each side, got 1"):
        split_rows(1, 0.5, seed=0)


# ---- folds ----------------------------------------------------------------------------------------------------------


@given(st.integers(2, 60), st.integers(2, 9), st.integers(1, 4), st.integers(0, 99))
def test_every_row_is_held_out_once_by_folds_of_one_size_and_one_mixture(n_rows, folds, n_classes, seed):
    folds = min(folds, n_rows)
    classes = np.random.default_rng(seed).integers(0, n_classes, n_rows)
    held = fold_rows(n_rows, folds, seed=seed, classes=classes)
    assert np.array_equal(np.sort(np.concatenate(held)), np.arange(n_rows))
    for of_all in (np.zeros(n_rows, dtype=int), *(classes == k for k in range(n_classes))):
        counts = [int(np.count_nonzero(of_all[rows] == of_all.max())) for rows in held]
        assert max(counts) - min(counts) <= 1


def test_folds_are_drawn_from_the_seed():
    one, same, other = (fold_rows(20, 4, seed=seed) for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("folds", [1, 6, 2.0, True, "3"])
def test_a_number_of_folds_that_cannot_be(folds):
    with pytest.raises(cr.ArgumentError, match="folds: expected a whole number from 2 to the 5 rows"):
        fold_rows(5, folds, seed=0)
