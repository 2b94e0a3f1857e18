"""The records of epochs, one by one and in columns."""

import numpy as np
import pytest

from chainrule.records import Epoch, EpochColumns, Epochs


def one(epoch):
    return Epoch(epoch, 10 * epoch, 1 / epoch, 0.5, 0.1, 2.0 * epoch, {}, epoch % 2 == 1)


def columns(first, last):
    epoch = np.arange(first, last + 1)
    return EpochColumns(
        epoch, 10 * epoch, 1 / epoch, np.full(len(epoch), 0.5), np.full(len(epoch), 0.1), 2.0 * epoch, epoch % 2 == 1
    )


@pytest.fixture
def mixed():
    """Seven epochs: two, then three at once, then one alone, then one at once."""
    epochs = Epochs([one(1), one(2)])
    epochs.extend(columns(3, 5))
    epochs.append(one(6))
    epochs.extend(columns(7, 7))
    return epochs


def test_whatever_was_taken_at_once_reads_as_a_list(mixed):
    plain = [one(epoch) for epoch in range(1, 8)]
    assert list(mixed) == plain
    assert mixed == plain
    assert len(mixed) == len(plain)
    assert [mixed[i] for i in range(-7, 7)] == [plain[i] for i in range(-7, 7)]
    assert mixed[2:6] == plain[2:6]
    assert mixed[::-3] == plain[::-3]
    assert mixed[3] in mixed


@pytest.mark.parametrize("place", [7, -8])
def test_there_is_nothing_beyond(mixed, place):
    with pytest.raises(IndexError):
        mixed[place]


def test_numbers_are_pythons_own(mixed):
    assert [type(value) for value in (mixed[3].epoch, mixed[3].loss, mixed[3].best)] == [int, float, bool]
    assert not Epochs()
