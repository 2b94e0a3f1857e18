"""What can be asked, and that nothing else is."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import ArgumentError
from chainrule.playground import asks


@pytest.mark.parametrize(
    "ask",
    [
        asks.Play(25.0),
        asks.Seek(3),
        asks.View(x=2, row=5, side="backward", windows={"1": 8}),
        asks.Why("dense_1.W[0, 1]", 3),
        asks.Configure({"lr": 0.1}),
        asks.Remedy(0, 1),
    ],
)
def test_what_is_asked_is_read_back(ask: asks.AnyAsk) -> None:
    assert asks.read_ask(msgspec.json.encode(ask)) == ask


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"kind": "no"}',
        '{"kind": "seek", "taken": "x"}',
        '{"kind": "play", "more": 1}',
        "[" * 9000,
        b"\xff",
    ],
)
def test_what_is_no_question_is_refused(text: str | bytes) -> None:
    with pytest.raises(ArgumentError):
        asks.read_ask(text)


@given(st.binary(max_size=60))
@settings(max_examples=60)
def test_nothing_that_comes_in_breaks_the_reading(text: bytes) -> None:
    with pytest.raises(ArgumentError):
        asks.read_ask(text)
