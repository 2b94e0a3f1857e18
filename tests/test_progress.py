"""The progress of a training, on a terminal and in a pipe."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from rich.console import Console

import chainrule as cr
from chainrule import progress
from chainrule.progress import ProgressBar

X = np.linspace(-1, 1, 40).reshape(20, 2)
y = (X[:, 0] > 0).astype(int)


def fitted(*, callbacks=(), **options):
    net = cr.Network([cr.Dense(4, "tanh"), cr.Dense(2, "softmax")])
    net.fit(X, y, validation=0.2, metrics=["accuracy"], batch_size=4, callbacks=callbacks, **options)
    return net


def lines_of(**options):
    file = io.StringIO()
    fitted(callbacks=[ProgressBar(file=file)], **options)
    return file.getvalue().splitlines()


@pytest.mark.parametrize(
    ("epochs", "told"),
    [
        (1, [1]),
        (4, [1, 2, 3, 4]),
        (25, [1, 5, 10, 15, 20, 25]),
        (103, [1, 20, 40, 60, 80, 100, 103]),
    ],
)
def test_a_pipe_gets_some_lines_the_first_and_the_last_among_them(epochs, told):
    lines = lines_of(epochs=epochs)
    width = len(str(epochs))
    assert [line.split("  ")[0] if width == 1 else line[: 7 + 2 * width] for line in lines] == [
        f"epoch {epoch:>{width}}/{epochs}" for epoch in told
    ]


def test_a_line_holds_the_scores_of_its_epoch():
    file = io.StringIO()
    net = fitted(callbacks=[ProgressBar(file=file)], epochs=1)
    (record,) = net.history.epochs
    loss, accuracy = record.scores["validation_loss"], record.scores["validation_accuracy"]
    expected = f"epoch 1/1  loss {record.loss:#.4g}  validation loss {loss:#.4g}  validation accuracy {accuracy:#.4g}\n"
    assert file.getvalue() == expected


def test_a_penalty_stands_beside_the_loss():
    pipe, terminal = io.StringIO(), io.StringIO()
    console = Console(file=terminal, force_terminal=True, width=80, color_system=None, legacy_windows=False)
    net = cr.Network([cr.Dense(4, "tanh"), cr.Dense(2, "softmax")], l2=0.1)
    net.fit(X, y, epochs=1, callbacks=[ProgressBar(file=pipe), ProgressBar(console=console)])
    (record,) = net.history.epochs
    assert pipe.getvalue() == f"epoch 1/1  loss {record.loss:#.4g}  penalty {record.penalty:#.4g}\n"
    if "━" in terminal.getvalue():  # not where the tests run in a dumb terminal
        assert f"loss {record.loss:#.4g}  penalty {record.penalty:#.4g}" in terminal.getvalue()


def test_a_pipe_that_waits_too_long_is_told_something(monkeypatch):
    clock = itertools.count(0, 20)
    monkeypatch.setattr(progress, "monotonic", lambda: next(clock))
    lines = lines_of(epochs=1000)
    assert len(lines) > 100


def test_within_a_long_epoch_too(monkeypatch):
    monkeypatch.setattr(progress, "_SILENCE", 0.0)
    monkeypatch.setattr("chainrule.pace._AT_ONCE", 0.0)
    assert any(line.startswith("epoch 1/1  50 % of its steps  loss 0.") for line in lines_of(epochs=1))


def test_a_terminal_gets_a_bar(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")  # the tests may run in a dumb one
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=80, color_system=None, legacy_windows=False)
    net = fitted(callbacks=[ProgressBar(console=console)], epochs=7)
    last = file.getvalue().replace("\r", "\n").strip().splitlines()[-2:]
    shown = next(line for line in last if "━" in line)
    record = net.history.epochs[-1]
    assert "7/7" in shown
    assert f"loss {record.loss:#.4g} (validation {record.scores['validation_loss']:#.4g})" in shown
    assert "accuracy" in shown
    assert len(shown.split("\x1b")[0]) <= 80


def test_a_dumb_terminal_gets_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    file = io.StringIO()
    fitted(callbacks=[ProgressBar(console=Console(file=file, force_terminal=True))], epochs=1)
    assert file.getvalue().startswith("epoch 1/1")
    assert "\x1b" not in file.getvalue()


def test_standard_output_unless_told_otherwise(capsys):
    fitted(callbacks=[ProgressBar()], epochs=1)
    assert capsys.readouterr().out.startswith("epoch 1/1")


def test_watching_changes_nothing():
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    plain = fitted(epochs=9).theta
    for callback in (ProgressBar(console=console), ProgressBar(file=io.StringIO())):
        assert np.array_equal(fitted(epochs=9, callbacks=[callback]).theta, plain)


def test_the_bar_is_taken_down_when_the_training_fails():
    console = Console(file=io.StringIO(), force_terminal=True, width=80)

    def broken(_record):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        fitted(callbacks=[ProgressBar(console=console), broken], epochs=2)
    assert console._live_stack == []


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (7.4, "0:07"), (59.6, "1:00"), (3723, "1:02:03")])
def test_clock(seconds, shown):
    assert progress._clock(seconds) == shown
