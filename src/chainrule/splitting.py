"""Rows drawn from one seed: the order of an epoch, the part held out, the folds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.errors import ArgumentError, DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chainrule.arrays import Ints

_ORDER, _SPLIT, _FOLDS = 1, 2, 3  # streams apart from that of the initial weights, which is the seed itself


def epoch_order(n_rows: int, *, seed: int, epoch: int) -> Ints:
    """The rows in the order of this epoch: it depends on seed and epoch alone, so a run can go on anywhere."""
    return _generator(seed, _ORDER, epoch).permutation(n_rows)


def order_entropy(seed: int) -> NDArray[np.uint32]:
    """What NumPy hashes for `epoch_order` before the number of the epoch: the words of the seed, then its stream."""
    length = 4 * max(4, -(-seed.bit_length() // 32))
    return np.append(np.frombuffer(seed.to_bytes(length, "little"), "<u4"), _ORDER).astype(np.uint32)


def split_rows(
    n_rows: int, share: float, *, seed: int, classes: Ints | None = None, stream: int = 0, where: str = "validation"
) -> tuple[Ints, Ints]:
    """The rows to keep and the rows to hold out, each sorted.

    Args:
        n_rows: N.
        share: of the rows to hold out, 0 < share < 1; rounded to whole rows, at least one on each side.
        seed: what the draw depends on, with `stream`.
        classes: the class index of each row: then each class gives its share, and a class of two rows or more is on
            both sides.
        stream: tells two splits of one run apart.
        where: the name of the split in messages.

    Raises:
        ArgumentError: when the share is not between 0 and 1.
        DataError: when there are fewer than two rows.
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
        raise ArgumentError("share", where=where, expected="a number between 0 and 1", got=share)
    if n_rows < 2:
        raise DataError("rows", where=where, expected="at least 2 rows, one for each side", got=n_rows)
    order = _generator(seed, _SPLIT, stream).permutation(n_rows)
    n_held = min(max(round(share * n_rows), 1), n_rows - 1)
    if classes is None or len(np.unique(classes)) == n_rows:  # a class for each row: there is nothing to share out
        held = order[:n_held]
    else:
        held = np.concatenate(_held_of_each_class(classes[order], order, n_held, share))
    is_held = np.zeros(n_rows, dtype=bool)
    is_held[held] = True
    return np.flatnonzero(~is_held), np.flatnonzero(is_held)


def fold_rows(n_rows: int, folds: int, *, seed: int, classes: Ints | None = None) -> tuple[Ints, ...]:
    """The rows that each fold holds out, sorted; every row is held out once (k-fold cross-validation).

    The rows, in random order and class after class, are dealt out like cards: the sizes of two folds differ by one row
    at most, and so do the rows that they have of a class.

    Args:
        n_rows: N.
        folds: how many.
        seed: what the draw depends on.
        classes: the class index of each row.

    Raises:
        ArgumentError: unless 2 <= folds <= N.

    >>> [held.tolist() for held in fold_rows(5, 2, seed=0)]
    [[0, 1, 2], [3, 4]]
    """
    if isinstance(folds, bool) or not isinstance(folds, int) or not 2 <= folds <= n_rows:
        raise ArgumentError("folds", expected=f"a whole number from 2 to the {n_rows} rows", got=folds)
    order = _generator(seed, _FOLDS).permutation(n_rows)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    return tuple(np.sort(order[fold::folds]) for fold in range(folds))


def _held_of_each_class(shuffled: Ints, order: Ints, n_held: int, share: float) -> list[Ints]:
    """From each class its first rows in random order; the numbers of rows add up to `n_held` as far as they can.

    No class gives a row more than its share, rounded up, in place of others that have none to give.
    """
    names, counts = np.unique(shuffled, return_counts=True)
    exact = counts * share
    held = np.clip(np.floor(exact).astype(int), (counts > 1).astype(int), np.maximum(counts - 1, 0))
    has_room = (held < counts - 1) & (held <= exact)
    for place in np.argsort(held - exact, kind="stable"):  # the largest remainders first
        if held.sum() >= n_held:
            break
        held[place] += has_room[place]
    return [order[shuffled == name][:count] for name, count in zip(names, held, strict=True)]


def _generator(seed: int, *stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=stream)))
