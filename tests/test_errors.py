"""The exception tree and the words of its messages."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import chainrule
from chainrule import errors
from chainrule.errors import (
    ArgumentError,
    ChainruleError,
    DataError,
    DivergenceError,
    ExportError,
    FileFormatError,
    InputError,
    MissingExtraError,
    NotFittedError,
    ShapeError,
    StorageError,
    did_you_mean,
    shown,
    unknown_name,
)

TREE = {
    InputError: ValueError,
    ArgumentError: ValueError,
    ShapeError: ValueError,
    DataError: ValueError,
    FileFormatError: ValueError,
    DivergenceError: ArithmeticError,
    NotFittedError: AttributeError,
    StorageError: OSError,
    ExportError: ArithmeticError,
    MissingExtraError: ImportError,
}


@pytest.mark.parametrize("cls", TREE)
def test_the_tree(cls):
    assert issubclass(cls, ChainruleError)
    assert issubclass(cls, TREE[cls])
    assert cls.__name__ in errors.__doc__


def test_the_tree_is_complete():
    found = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, ChainruleError)}
    assert found == {ChainruleError, *TREE}
    for cls in (ArgumentError, ShapeError, DataError, FileFormatError):
        assert issubclass(cls, InputError)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "units"),
        ({"where": "Dense"}, "Dense: units"),
        ({"where": "Dense", "expected": "a number"}, "Dense: units: expected a number"),
        ({"where": "Dense", "expected": "a number", "got": "a"}, "Dense: units: expected a number, got 'a'"),
        ({"where": "Dense", "expected": "a number", "got": 0}, "Dense: units: expected a number, got 0"),
        ({"expected": "a number", "got": 0, "mend": "Give 3."}, "units: expected a number, got 0. Give 3."),
        ({"mend": "Give 3."}, "units. Give 3."),
    ],
)
def test_messages(given, text):
    error = ArgumentError("units", **given)
    assert str(error) == text
    assert error.what == "units"
    assert error.mend == given.get("mend", "")


def test_a_message_repeats_a_value_in_one_short_line():
    assert shown(3.5) == "3.5"
    assert shown("a\nb") == r"'a\nb'"
    assert shown(np.zeros((100, 100))).count("\n") == 0
    assert len(shown("x" * 10_000)) == 80
    assert shown("x" * 10_000).endswith("…")


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("sigmod", ["relu", "sigmoid"], "Did you mean 'sigmoid'? There are: relu, sigmoid."),
        ("Species", ["species", "x"], "Did you mean 'species'? There are: species, x."),
        ("qqq", ["relu", "tanh"], "There are: relu, tanh."),
        ("a", [], "There are: ."),
    ],
)
def test_did_you_mean(name, options, text):
    assert did_you_mean(name, options) == text


def test_of_many_options_the_first_are_listed():
    text = did_you_mean("column_7", [f"column_{i}" for i in range(500)])
    assert text.startswith("Did you mean 'column_7'?")
    assert text.endswith("column_29, ….")


def test_unknown_name():
    error = unknown_name("loss", "mse", ["mean_squared_error", "huber"], where="Network")
    assert isinstance(error, ArgumentError)
    assert str(error).startswith("Network: there is no loss 'mse'. ")
    assert str(unknown_name("loss", 3, ["huber"])) == "there is no loss 3. There are: huber."


def test_divergence_names_the_place():
    error = DivergenceError(epoch=3, step=41, place="dense_2.W", mend="Lower the learning rate.")
    assert str(error) == "training diverged in epoch 3, step 41: dense_2.W is not finite. Lower the learning rate."
    assert (error.epoch, error.step, error.place) == (3, 41, "dense_2.W")


def test_a_missing_extra_says_how_to_install_it():
    assert str(MissingExtraError("L-BFGS", library="scipy", extra="lbfgs")).endswith("pip install 'chainrule[lbfgs]'")


def test_one_except_catches_them_all():
    with pytest.raises(chainrule.ChainruleError):
        chainrule.Dense(0)


def test_plain_errors_travel_between_processes():
    """As joblib and multiprocessing send them."""
    for error in (NotFittedError("no weights"), StorageError("disk full")):
        assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 -- our own bytes


@pytest.mark.parametrize(
    "error",
    [
        ArgumentError("units", where="Dense", expected="a whole number >= 1", got=None, mend="Give one"),
        DivergenceError(epoch=2, step=7, place="the loss", mend="Try less."),
        MissingExtraError("L-BFGS", library="scipy", extra="lbfgs"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_goes_from_process_to_process(error):
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 -- written a moment ago
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_none_that_came_is_shown():
    assert str(ArgumentError("units", expected="a number", got=None)) == "units: expected a number, got None"
    assert str(ArgumentError("units", expected="a number")) == "units: expected a number"
