"""Marking against numbers that another program, or a published page, made."""

from __future__ import annotations

import json

import numpy as np
import pytest
from benchmarks.studies.homework import Student, Task
from benchmarks.studies.layered_homework import Layered
from benchmarks.studies.marking import cases, mistaken, recognised
from benchmarks.studies.planted import PLANTED
from benchmarks.studies.planted_layers import PLANTED_LAYERS

import chainrule as cr
from chainrule.examples import worked_example
from chainrule.insight.marking.catalogue import CATALOGUE
from chainrule.insight.rendering.explained import FORMATS

X, Y = [[0.5, -1.0], [1.0, 2.0], [-0.3, 0.4]], [0, 1, 1]
STEP = cr.SGD(0.5)


@pytest.fixture(scope="module")
def net():
    return cr.Network([cr.Dense(3, "tanh"), cr.Dense(3, "sigmoid"), cr.Dense(2, "softmax")], n_inputs=2, seed=1)


@pytest.fixture(scope="module")
def right(net):
    return Student(given(net)).numbers()


def given(net, **others):
    return Task(net, np.array(X), Y, np.eye(2)[Y], STEP)._replace(**others)


def named(marked):
    return {made.mistake.name for fit in marked.fits for made in fit.made}


def homework(net, name):
    student = next(kind for kind in PLANTED if name in kind.known_as)
    return student(given(net)).numbers()


# ---- what is right --------------------------------------------------------------------------------------------------


def test_right_numbers_are_right(net, right):
    marked = cr.mark(net, X, Y, right, optimizer=STEP)
    assert marked.ok
    assert (marked.first, marked.wrong, marked.fits) == (None, (), [])
    assert str(marked).startswith(f"All {len(right)} answers are right")


@pytest.mark.parametrize("decimals", [1, 2, 3, 5, 9])
def test_they_are_when_they_are_rounded(net, right, decimals):
    assert cr.mark(net, X, Y, {n: np.round(v, decimals) for n, v in right.items()}, optimizer=STEP).ok


@pytest.mark.parametrize("digits", [2, 4, 6])
def test_they_are_to_significant_digits(net, right, digits):
    rounded = {n: np.vectorize(lambda x: float(f"{x:.{digits}g}"))(v) for n, v in right.items()}
    assert cr.mark(net, X, Y, rounded, optimizer=STEP).ok


def test_they_are_in_single_precision(net, right):
    assert cr.mark(net, X, Y, {n: np.float32(v) for n, v in right.items()}, optimizer=STEP).ok


@pytest.mark.slow
def test_one_unit_of_the_last_digit_is_wrong_unless_allowed(net, right):
    off = {"dense_1.Z": np.round(right["dense_1.Z"], 3) + 0.001}
    marked = cr.mark(net, X, Y, off)
    assert not marked.ok
    assert marked.first.difference.startswith("the last digit alone")
    assert cr.mark(net, X, Y, off, units=1).ok


@pytest.mark.slow
def test_figures_of_the_worked_example_are_right_and_the_articles_own_loss_is_explained():
    net, given = worked_example.network(), (worked_example.X, worked_example.T)
    answers = {"E": 0.298371109, "delta2[0, 0]": 0.138498562, "yhat": [0.75136507, 0.772928465]}
    answers["W1_new"] = [[0.149780716, 0.24975114], [0.19956143, 0.29950229]]
    assert cr.mark(net, *given, answers, optimizer=STEP).ok
    del answers["W1_new"]  # the article prints right weights, and a loss that others give
    marked = cr.mark(net, *given, answers | {"loss.new": 0.291027924}, optimizer=STEP)
    assert [answer.said for answer in marked.wrong] == ["loss.new"]
    assert named(marked) == {"weights already updated"}


# ---- arrangement ----------------------------------------------------------------------------------------------------


def test_everything_transposed_is_recognised_and_said(net, right):
    marked = cr.mark(net, X, Y, {n: np.transpose(v) for n, v in right.items()}, optimizer=STEP)
    assert marked.ok
    assert {a.how for a in marked.answers if np.ndim(a.values) == 2} == {"transposed"}


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("turned", [True, False])
def test_a_bias_inside_of_w_is_recognised(net, right, first, turned):
    parts = [right["dense_2.db"][None], right["dense_2.dW"]]
    both = np.vstack(parts if first else parts[::-1])
    marked = cr.mark(net, X, Y, {"dW2": both.T if turned else both})
    assert marked.ok
    word = f"{'first' if first else 'last'} {'column' if turned else 'row'}"
    assert word in marked.answers[0].how
    assert [answer.name for answer in marked.answers] == ["dense_2.dW", "dense_2.db"]


def test_a_column_of_ones_is_left_out(net, right):
    ones = np.hstack([right["dense_1.Y"], np.ones((3, 1))])
    marked = cr.mark(net, X, Y, {"A1": ones, "x1": np.hstack([np.ones((3, 1)), X])})
    assert marked.ok
    assert all(a.how.startswith("the column of ones left out") for a in marked.answers)


@pytest.mark.slow
def test_one_transposed_square_gradient_among_others_is_a_mistake(net):
    marked = cr.mark(net, X, Y, homework(net, "dW transposed"), optimizer=STEP)
    assert "dW transposed" in named(marked)
    assert marked.first.difference.startswith("transposed")


# ---- what is wrong --------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("slope forgotten", "dense_2.dZ"),
        ("weights already updated", "dense_2.dZ"),
        ("sign of the error", "dense_3.dZ"),
        ("bias not updated", "dense_1.b.new"),
        ("1/B forgotten: the gradient, not the loss", "dense_3.dZ"),
        ("no slope at the output", "dense_3.dZ"),
        ("db averaged again", "dense_3.db"),
        ("bias not added", None),
    ],
)
def test_the_mistake_and_the_first_wrong_number(net, name, first):
    other = cr.Network(net.layers, n_inputs=2, seed=1, dtype="float64")
    other.theta[...] = net.theta
    for bias in (n for n in other.parameters if n.endswith(".b")):
        other.parameters[bias] = [np.pi / 10, -np.e / 10, np.sqrt(0.2)][: len(other.parameters[bias])]
    marked = cr.mark(other, X, Y, homework(other, name), optimizer=STEP)
    assert name in named(marked)
    assert marked.first.name == (first or "dense_1.Z")


@pytest.mark.slow
def test_two_mistakes_at_once(net):
    one, other = (next(k for k in PLANTED if n in k.known_as) for n in ("slope forgotten", "db averaged again"))
    both = type("Both", (one, other), {})(given(net)).numbers()
    marked = cr.mark(net, X, Y, both, optimizer=STEP)
    assert {"slope forgotten", "db averaged again"} in [{m.mistake.name for m in fit.made} for fit in marked.fits]


def test_all_that_fit_equally_are_told(net, right):
    marked = cr.mark(net, X, Y, {"dense_3.dW": -right["dense_3.dW"]})
    assert {"sign of the error", "dW of the wrong sign"} <= named(marked)
    assert "explanations give exactly these numbers" in str(marked)


@pytest.mark.slow
def test_it_says_that_it_knows_of_none(net, right):
    strange = right | {"dense_2.Z": right["dense_2.Z"] + np.random.default_rng(0).normal(size=(3, 3))}
    marked = cr.mark(net, X, Y, strange, optimizer=STEP)
    assert marked.fits == []
    assert "No mistake in the catalogue" in str(marked)
    assert marked.first.name == "dense_2.Z"


def test_delta_not_summed_for_the_bias(net, right):
    marked = cr.mark(net, X, Y, {"dense_2.dZ": right["dense_2.dZ"], "dense_2.db": right["dense_2.dZ"]})
    assert named(marked) == {"db not summed"}
    assert marked.first.difference == "the shape is (3, 3) instead of (3,)"
    columns = {"dense_3.dZ": right["dense_3.dZ"].T, "dense_3.db": right["dense_3.dZ"].T}
    assert named(cr.mark(net, X, Y, columns)) == {"db not summed"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: -v, "the sign"),
        (lambda v: 3 * v, "a factor: the right number times 3, the number of rows"),
        (lambda v: v + 0.25, "a shift: each number is 0.25 too large"),
        (lambda v: v[:, [1, 2, 0]], "the order: the columns stand as [1, 2, 0]"),
        (lambda v: 0 * v, "all are zero"),
    ],
)
def test_by_what_it_differs(net, right, change, words):
    assert cr.mark(net, X, Y, {"dense_2.Z": change(right["dense_2.Z"])}).first.difference.startswith(words)


@pytest.mark.slow
@pytest.mark.parametrize(("layered", "count"), [(False, 16), (True, 12)])
def test_a_sample_of_students(layered, count):
    made = list(cases(count, seed=11, layered=layered))
    assert sum(map(recognised, made)) >= 0.95 * len(made)
    assert sum(map(mistaken, made)) <= 0.01 * len(made)
    assert all(case.fits is None for case in cases(10, seed=12, right=True, layered=layered))


def test_students_make_every_mistake_of_the_catalogue():
    known = {name for kind in (*PLANTED, *PLANTED_LAYERS) for name in kind.known_as}
    assert known == {mistake.name for mistake in CATALOGUE}


def test_weights_of_rows(net):
    w = np.array([0.5, 2.0, 1.0])
    weighted = Student(given(net, w=w)).numbers()
    assert cr.mark(net, X, Y, weighted, optimizer=STEP, sample_weight=w).ok
    without = Student(given(net)).numbers()
    marked = cr.mark(net, X, Y, {n: without[n] for n in ("loss", "dense_1.dW")}, sample_weight=w)
    assert named(marked) == {"row weights forgotten: the loss and its gradient"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("behind", "name", "words"),
    [
        (cr.BatchNorm(), "batch norm: not through the variance", "In batch_norm_1: the way back through the variance"),
        (cr.LayerNorm(), "layer norm: N - 1 in the variance", "divided by N - 1 instead of N"),
        (cr.Dropout(0.5), "dropout: not on the way back", "In dropout_1: the mask was not applied on the way back"),
        (cr.Residual([cr.Dense(3, "tanh")]), "residual: skip's gradient forgotten", "what goes past F was forgotten"),
    ],
)
def test_mistakes_of_layers_that_are_not_dense(behind, name, words):
    net = cr.Network([cr.Dense(3, "tanh"), behind, cr.Dense(2, "softmax")], n_inputs=2, seed=4)
    assert cr.mark(net, X, Y, Layered(given(net)).numbers(), optimizer=STEP).ok
    student = next(kind for kind in PLANTED_LAYERS if name in kind.known_as)
    marked = cr.mark(net, X, Y, student(given(net)).numbers(), optimizer=STEP)
    assert name in named(marked)
    assert words in " ".join(str(marked).split())


@pytest.mark.slow
def test_a_gradient_that_is_rounding_alone_makes_no_wrong_step():
    """That of a bias in front of a batch norm is 0: what Adagrad makes of 1e-17 differs between two right programs."""
    net = cr.Network([cr.Dense(3, "sigmoid"), cr.Residual([cr.Dense(3)]), cr.BatchNorm(), cr.Dense(2, "softmax")],
                     n_inputs=2, seed=4, dtype="float64")  # fmt: skip
    task = given(net, optimizer=cr.Adagrad(0.5))
    numbers = Layered(task).numbers()
    assert np.abs(numbers["residual_1.dense_1.db"]).max() < 1e-15
    assert cr.mark(net, X, Y, numbers, optimizer=task.optimizer).ok
    b = numbers["residual_1.dense_1.b.new"]
    assert not cr.mark(net, X, Y, {"residual_1.dense_1.b.new": b + 1e-3}, optimizer=task.optimizer).ok


# ---- forms, and what is refused -------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_it_is_told_in_every_form(net, right, form):
    marked = cr.mark(net, X, Y, {"loss": 2 * right["loss"], "dense_2.Y": right["dense_2.Y"]})
    assert "loss" in marked.rendered(form)
    told = json.loads(marked.to_json())
    assert (told["ok"], told["first"]) == (False, "loss")
    assert {m["mistake"] for fit in told["fits"] for m in fit} == named(marked)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (None, "expected numbers by name"),
        ({}, "expected at least one number"),
        ({"dense_1.Z": None}, "expected at least one number"),
        ({"dense_9.Z": 1}, "there is no number 'dense_9.Z'"),
        ({"dense_2.dw": [[1]]}, "Did you mean 'dense_2.dW'"),
        ({"loss": float("nan")}, "loss: expected a finite number, got nan"),
        ({"dense_1.b": [0.1, "x", 2]}, "dense_1.b[1]: expected a number, got 'x'"),
        ({"dense_1.W": [[1, 2], [3]]}, "rows of the same length"),
        ({"dense_1.W": [[1, 2, 3, 4]]}, "expected shape (2, 3), that of dense_1.W, got (1, 4)"),
        ({"dense_1.b": [[1.0, 2, 3], [4, 5, 6]]}, "expected shape (3,)"),
        ({"dense_1.W[9, 9]": 1}, "dense_1.W"),
        ({"dense_1.b.new": [1, 2, 3]}, "there is no number"),
        ("mine.txt", "ends in .json, .npz or .csv"),
        ("gone.json", "cannot be read"),
        (3, "a mapping from names to numbers"),
    ],
)
def test_what_is_refused(net, answers, words):
    with pytest.raises(cr.InputError) as caught:
        cr.mark(net, X, Y, answers)
    assert words in str(caught.value)
