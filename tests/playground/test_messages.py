"""The protocol: what can be asked, and that nothing else is."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import ArgumentError
from chainrule.playground import messages


@pytest.mark.parametrize(
    "ask",
    [
        messages.Play(25.0),
        messages.Seek(3),
        messages.View(x=2, row=5, side="backward", windows={"1": 8}),
        messages.Why("dense_1.W[0, 1]", 3),
        messages.Configure({"lr": 0.1}),
        messages.Remedy(0, 1),
    ],
)
def test_what_is_asked_is_read_back(ask: messages.AnyAsk) -> None:
    assert messages.read_ask(msgspec.json.encode(ask)) == ask


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
        messages.read_ask(text)


@given(st.binary(max_size=60))
@settings(max_examples=60)
def test_nothing_that_comes_in_breaks_the_reading(text: bytes) -> None:
    with pytest.raises(ArgumentError):
        messages.read_ask(text)


def test_an_explanation_is_told_in_words_and_cells() -> None:
    net = cr.Network([cr.Dense(2, "tanh"), cr.Dense(1)], "half_squared_error", n_inputs=2)
    reason = cr.trace(net, [0.5, -1.0], [1.0]).why("dense_1.W[0, 1]")
    parts = messages.parts_of(reason.document())
    assert {"heading", "formula"} <= {part.kind for part in parts}
    everything = " ".join([*(part.text for part in parts), *(line for part in parts for line in part.lines)])
    assert f"{reason.value:.6g}".lstrip("-") in everything
