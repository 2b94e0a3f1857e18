"""Arguments that make no sense: each is refused in the library's own words, before any work."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.native import NativeEngine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

X, LABELS = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1]
RAGGED = [[1.0, 2.0], [3.0]]


class Attached:
    """Like a tensor that belongs to a graph: NumPy may not have its numbers; and it cannot even be shown."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("use detach() first")

    def __repr__(self) -> str:
        raise RuntimeError("not now")


def net(**options: Any) -> cr.Network:
    return cr.Network([cr.Dense(2, "softmax")], n_inputs=2, **options)


def set_theta(values: Any) -> None:
    net().theta = values


def set_weights(values: Any) -> None:
    net().parameters["dense_1.W"] = values


CALLS: dict[str, Callable[[], Any]] = {
    "an engine that is none": lambda: net().fit(X, LABELS, engine=None),
    "the class of an engine": lambda: net().fit(X, LABELS, engine=NativeEngine),
    "a flag that is text": lambda: cr.Dense(2, bias="no"),
    "a name that is an array": lambda: cr.losses.CrossEntropy(reduction=np.zeros(3)),
    "a setting that is an array": lambda: cr.train("xor", norm=np.zeros(3)),
    "more units than can be numbered": lambda: net().build(2**70),
    "theta in ragged lists": lambda: set_theta(RAGGED),
    "theta of text": lambda: set_theta(["a"] * 6),
    "inputs of another library": lambda: net().forward(Attached()),
    "targets of another library": lambda: net().fit(X, Attached()),
    "weights of another library": lambda: set_weights(Attached()),
    "a metric of another library": lambda: cr.metrics.accuracy(LABELS, Attached()),
    "initial weights of another library": lambda: cr.Dense(2, init=Attached()),
    "a parameter by a list": lambda: net().parameters[["dense_1.W"]],
    "a checkpoint nowhere": lambda: cr.Checkpoint(None),
    "a checkpoint in bytes": lambda: cr.Checkpoint(b"run"),
    "a model of a number": lambda: cr.load(5),
    "a plot that is no path": lambda: net().fit(X, LABELS, epochs=1).plot(5),
    "a report that is no path": lambda: cr.train("xor", report=5),
    "an export in bytes": lambda: net().export(b"net.py"),
    "more categories than a column can have": lambda: cr.train("xor", max_categories=2**70),
    "more seeds than anybody has time for": lambda: cr.fit_many(net(), X, LABELS, seeds=2**70),
    "a score by a list": lambda: cr.fit_many(net(), X, LABELS, epochs=1).best_by(["loss"]),
    "half a row": lambda: cr.trace(net(), X, LABELS, rows=0.5),
    "an input without a row": lambda: cr.trace(net(), np.array(1.0), LABELS),
    "targets in ragged lists": lambda: cr.trace(net(), X[0], RAGGED),
    "half in training": lambda: cr.trace(net(), X, LABELS, training="no"),
    "no number of paths": lambda: cr.trace(net(), X, LABELS).why("dense_1.W[0, 0]").paths(None),
    "no number of digits": lambda: cr.trace(net(), X, LABELS).to_html(digits="many"),
    "more digits than there are": lambda: cr.trace(net(), X, LABELS).to_text(digits=2**70),
    "a form that is a list": lambda: cr.trace(net(), X, LABELS).rendered(["text"]),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_makes_no_sense_is_refused(call: str) -> None:
    with pytest.raises(cr.InputError):
        CALLS[call]()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_name_that_is_too_long_is_an_error_like_any_other(suffix: str) -> None:
    with pytest.raises(cr.DataError, match="too long"):
        cr.train("x" * 5000 + suffix)
    with pytest.raises((cr.StorageError, cr.ArgumentError)):
        cr.train("xor", report="x" * 5000 + ".html")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_table_whose_name_is_not_utf8(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/m\xe9nage.csv")
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 -- as Python itself opens it
        file.write("size,kind\n" + "1,a\n2,b\n" * 5)
    model = cr.train(path, target="kind", epochs=1)
    assert model.predict(path).height == 10


def test_what_fills_a_line_is_shown_of_a_long_list_and_no_more() -> None:
    class Counted:
        shown = 0

        def __repr__(self) -> str:
            Counted.shown += 1
            return "1"

    with pytest.raises(cr.ArgumentError, match="got \\[1, 1, 1"):
        cr.Dense([Counted()] * 10_000)  # type: ignore[arg-type] # the list is what is wrong
    assert Counted.shown < 100
