"""Records in few words."""

from __future__ import annotations

import pytest

import chainrule as cr
from chainrule.wording import brief, layers_in_words, optimizer_in_words


def test_records_are_told_by_what_is_not_their_default() -> None:
    assert brief(cr.SGD(0.1, momentum=0.9)) == "SGD(rate=0.1, momentum=0.9)"
    assert brief((8, 4)) == "(8, 4)"


@pytest.mark.parametrize(
    ("optimizer", "words"),
    [
        (cr.Adam(), "Adam, rate 0.001"),
        (cr.Adam(cr.schedules.Constant(0.001)), "Adam, rate 0.001"),
        (cr.SGD(cr.schedules.Cosine(0.1), clip_norm=1.0), "SGD, rate Cosine(rate=0.1), clip norm 1.0"),
        (cr.LBFGS(), "LBFGS"),
    ],
)
def test_an_optimizer_is_told_with_its_rate(optimizer: object, words: str) -> None:
    assert optimizer_in_words(optimizer) == words


def test_layers_that_are_alike_are_told_together() -> None:
    layers = [
        cr.Dense(8, "relu"),
        cr.Dropout(0.1),
        cr.Dense(4, "relu"),
        cr.Dense(4, "relu"),
        cr.BatchNorm(),
        cr.Dense(1),
    ]
    assert layers_in_words(layers) == "8 relu, dropout, 4-4 relu, batch norm, 1 identity"
