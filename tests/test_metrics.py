"""Metrics against scikit-learn, over inputs that Hypothesis makes, and the faults that people make."""

import functools
import itertools
import subprocess
import sys
import warnings

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule import metrics
from chainrule.errors import ArgumentError, InputError, ShapeError

# Multiples of 1/64 add up without rounding, so that ties and constant columns are exact for both libraries.
EXACT = st.integers(-512, 512).map(lambda i: i / 64)


def over(strategy):
    """Run a test on what the strategy makes, however busy the machine."""
    return lambda test: settings(max_examples=60, deadline=None)(given(data=strategy)(test))


def silent(function, /, *args, **kwargs):
    """scikit-learn's result without the warnings it gives where a score is undefined."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


@st.composite
def weights(draw, rows):
    """None, or weights of which some are 0 and at least one is not."""
    w = draw(st.none() | hnp.arrays(float, rows, elements=st.sampled_from([0.0, 0.25, 1.0, 1.5, 3.0])))
    if w is not None and not w.any():
        w[draw(st.integers(0, rows - 1))] = 1.0
    return w


@st.composite
def indices(draw):
    """(t, y, w) of up to 6 classes, of which any may be missing."""
    rows = draw(st.integers(1, 30))
    t, y = (draw(hnp.arrays(np.int64, rows, elements=st.integers(0, 5))) for _ in "ty")
    return t, y, draw(weights(rows))


@st.composite
def probabilities(draw):
    """(t, P, w): rows of P sum to one and tie often; any class may be missing from t."""
    rows, K = draw(st.integers(1, 30)), draw(st.integers(2, 5))
    t = draw(hnp.arrays(np.int64, rows, elements=st.integers(0, K - 1)))
    raw = draw(hnp.arrays(np.int64, (rows, K), elements=st.integers(0, 4)))
    raw[raw.sum(axis=1) == 0, 0] = 1
    return t, raw / raw.sum(axis=1, keepdims=True), draw(weights(rows))


@st.composite
def values(draw):
    """(T, Y, w) of shape (N,) or (N, O); constant columns and perfect predictions among them."""
    rows = draw(st.integers(1, 20))
    shape = draw(st.sampled_from([(rows,), (rows, 1), (rows, 3)]))
    elements = draw(st.sampled_from([EXACT, st.sampled_from([0.0, 1.0])]))
    T, Y = (draw(hnp.arrays(float, shape, elements=elements)) for _ in "ty")
    if draw(st.booleans()):
        T[..., 0] = T.flat[0]
    return T, draw(st.sampled_from([Y, T.copy()])), draw(weights(rows))


def kept(w, *arrays):
    """The rows that count: scikit-learn's averages count the class of a row of weight 0, ours do not."""
    if w is None:
        return (*arrays, None)
    return (*(a[w > 0] for a in arrays), w[w > 0])


def agree(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@over(indices())
def test_accuracies_are_scikit_learns(data):
    t, y, w = data
    agree(metrics.accuracy(t, y, sample_weight=w), sk.accuracy_score(t, y, sample_weight=w))
    theirs = silent(sk.balanced_accuracy_score, t, y, sample_weight=w)
    agree(metrics.balanced_accuracy(t, y, sample_weight=w), theirs)


SCORES = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}


@pytest.mark.slow
@over(indices())
def test_averages_are_scikit_learns(data):
    t, y, w = data
    rows = kept(w, t, y)
    for (name, theirs), average in itertools.product(SCORES.items(), ["macro", "micro", "weighted"]):
        ours = getattr(metrics, name)(t, y, average=average, sample_weight=w)
        assert isinstance(ours, float)
        agree(ours, theirs(*rows[:2], average=average, sample_weight=rows[2], zero_division=0))


@over(indices())
def test_each_class_is_scikit_learns(data):
    t, y, w = data
    for name, theirs in SCORES.items():
        ours = getattr(metrics, name)(t, y, average=None, n_classes=7, sample_weight=w)
        assert ours.shape == (7,)
        agree(ours, theirs(t, y, average=None, labels=range(7), sample_weight=w, zero_division=0))


@over(indices())
def test_the_confusion_matrix_is_scikit_learns(data):
    t, y, w = data
    ours = metrics.confusion_matrix(t, y, n_classes=6, sample_weight=w)
    agree(ours, sk.confusion_matrix(t, y, labels=range(6), sample_weight=w))


@over(probabilities())
def test_roc_auc_is_scikit_learns(data):
    t, P, w = data
    ours = metrics.roc_auc(t, P, sample_weight=w)
    t, P, w = kept(w, t, P)
    if P.shape[1] == 2:
        theirs = silent(sk.roc_auc_score, t, P[:, 1], sample_weight=w)
    else:
        theirs = silent(sk.roc_auc_score, t, P, multi_class="ovr", labels=range(P.shape[1]), sample_weight=w)
    agree(ours, theirs)


@over(probabilities())
def test_log_loss_is_scikit_learns(data):
    t, P, w = data
    agree(metrics.log_loss(t, P, sample_weight=w), sk.log_loss(t, P, labels=range(P.shape[1]), sample_weight=w))


@over(values())
def test_value_metrics_are_scikit_learns(data):
    T, Y, w = data
    agree(metrics.mae(T, Y, sample_weight=w), sk.mean_absolute_error(T, Y, sample_weight=w))
    agree(metrics.rmse(T, Y, sample_weight=w), sk.root_mean_squared_error(T, Y, sample_weight=w))
    agree(metrics.r2(T, Y, sample_weight=w), silent(sk.r2_score, T, Y, sample_weight=w))


@over(probabilities())
def test_classes_are_taken_from_probabilities(data):
    t, P, w = data
    assert metrics.accuracy(t, P, sample_weight=w) == metrics.accuracy(t, P.argmax(axis=1), sample_weight=w)
    assert metrics.f1(t, P, sample_weight=w) == metrics.f1(t, P.argmax(axis=1), sample_weight=w)


@pytest.mark.parametrize("shape", [(4, 1), (4, 2)])
def test_one_column_is_the_probability_of_class_1(shape):
    t, p = np.array([0, 1, 1, 0]), np.array([0.2, 0.9, 0.4, 0.7])
    P = p[:, None] if shape[1] == 1 else np.stack([1 - p, p], axis=1)
    assert metrics.accuracy(t, P) == 0.5
    assert metrics.roc_auc(t, P) == metrics.roc_auc(t, p) == 0.75
    # by hand: -(ln 0.8 + ln 0.9 + ln 0.4 + ln 0.3) / 4
    assert metrics.log_loss(t, P) == pytest.approx(-np.log(0.8 * 0.9 * 0.4 * 0.3) / 4, rel=1e-14)


def test_log_loss_of_float32_is_clipped_by_its_own_rounding():
    P = np.array([[1.0, 0.0], [0.25, 0.75]], dtype=np.float32)
    theirs = sk.log_loss([1, 1], P, labels=[0, 1])
    assert metrics.log_loss([1, 1], P) == pytest.approx(theirs, rel=1e-6)
    assert metrics.log_loss([1, 1], P) < metrics.log_loss([1, 1], P.astype(np.float64))


def test_log_loss_of_separate_sigmoids_reads_the_true_class_alone():
    assert metrics.log_loss([0, 1], [[0.5, 0.9], [0.9, 0.5]]) == pytest.approx(np.log(2))


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (metrics.roc_auc([1, 1], [0.3, 0.4]), np.nan),
        (metrics.roc_auc([0, 1], [[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]]), np.nan),  # class 2 has no rows
        (metrics.roc_auc([0, 1, 1], [0.1, 0.1, 0.1]), 0.5),  # one tie
        (metrics.roc_auc([0, 1], [[5.0, 1.0], [9.0, 2.0]]), 1.0),  # of two classes, the scores of class 1 alone
        (metrics.r2([1.0], [1.0]), np.nan),
        (metrics.r2([2.0, 2.0], [2.0, 2.0]), 1.0),
        (metrics.r2([2.0, 2.0], [2.0, 3.0]), 0.0),
        (metrics.r2([0.1] * 3, [0.1, 0.1, 0.2]), 0.0),  # the mean of three 0.1 is not 0.1
        (metrics.r2([0.1, 0.1, 0.1, 9.0], [0.1, 0.1, 0.2, 0.0], sample_weight=[1, 1, 1, 0]), 0.0),
        (metrics.precision([0, 0], [1, 1]), 0.0),
        (metrics.recall([0, 0], [0, 1]), 0.25),  # class 1, predicted but never true, counts
        (metrics.balanced_accuracy([0, 0], [0, 1]), 0.5),  # ... and does not here
        (metrics.f1([0, 2], [0, 2], n_classes=9), 1.0),  # classes that nobody saw say nothing
        (metrics.accuracy([0, 1], [0, 0], sample_weight=[1, 0]), 1.0),
        (metrics.rmse([1e200, 0.0], [-1e200, 0.0]), np.inf),
        (metrics.mae([[0.0, 0.0]], [[1.0, 3.0]]), 2.0),
    ],
)
def test_edge_cases(result, expected):
    np.testing.assert_equal(result, expected)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: metrics.accuracy([0, 1], [0]), ShapeError, "accuracy: y: expected as many rows as t, 2, got 1"),
        (lambda: metrics.accuracy([], []), ShapeError, "at least one row"),
        (lambda: metrics.accuracy(3, 3), ShapeError, "at least one row"),
        (lambda: metrics.accuracy(["a", "b"], [0, 1]), ArgumentError, r"expected numbers, got .*numpy.unique"),
        (lambda: metrics.accuracy([[1, 0]], [0]), ShapeError, r"\(1, 2\).*argmax"),
        (lambda: metrics.accuracy([0, 1], [[0], [1]]), ShapeError, r"Drop the axis: y\[:, 0\]"),
        (lambda: metrics.accuracy([0, 1], [[0], [1, 2]]), ShapeError, "rows of one length"),
        (lambda: metrics.accuracy([0, -1], [0, 1]), ArgumentError, "t, row 1: expected a class index.* got -1"),
        (lambda: metrics.accuracy([0, 1], [0, 0.5]), ArgumentError, "y, row 1: .* got 0.5"),
        (lambda: metrics.accuracy([0, np.nan], [0, 1]), ArgumentError, "t, row 1: .* got nan"),
        (lambda: metrics.accuracy([0, 10**12], [0, 1]), ArgumentError, "t, row 1: .* got 1000000000000"),
        (lambda: metrics.accuracy([0, 1], [[0.5, 0.5], [np.nan, 1]]), ArgumentError, "y, row 1, column 0: .*finite"),
        (lambda: metrics.f1([0], np.zeros((1, 2, 2))), ShapeError, r"got \(1, 2, 2\)"),
        (lambda: metrics.f1([0], [0], average="makro"), ArgumentError, "Did you mean 'macro'"),
        (lambda: metrics.f1([0, 3], [0, 1], n_classes=3), ArgumentError, "t, row 1: .*below 3, .* got 3"),
        (lambda: metrics.f1([0], [0], n_classes=0), ArgumentError, "n_classes: expected 1 to"),
        (lambda: metrics.confusion_matrix([0], [99_999]), ArgumentError, "at most 10000 classes"),
        (lambda: metrics.roc_auc([0, 2], [0.1, 0.2]), ArgumentError, "t, row 1: .*below 2, the number of columns"),
        (lambda: metrics.roc_auc([0], [0.1, 0.2]), ShapeError, "P: expected as many rows as t, 1, got 2"),
        (lambda: metrics.log_loss([0, 1], [0.1, 1.2]), ArgumentError, "P, row 1, column 0: .* from 0 to 1"),
        (lambda: metrics.r2([1.0, 2.0], [[1.0], [2.0]]), ShapeError, r"shape of t, \(2,\), got \(2, 1\)"),
        (lambda: metrics.mae(np.zeros((1, 2, 2)), np.zeros((1, 2, 2))), ShapeError, r"\(N, O\)"),
        (lambda: metrics.rmse([[1.0, np.inf]], [[1.0, 2.0]]), ArgumentError, "t, row 0, column 1: .* got inf"),
        (lambda: metrics.mae([1.0, 2.0], [1.0, 2.0], sample_weight=[1]), ShapeError, r"shape \(2,\), got \(1,\)"),
        (lambda: metrics.mae([1.0, 2.0], [1.0, 2.0], sample_weight=[1, -1]), ArgumentError, "row 1: .* got -1"),
        (lambda: metrics.mae([1.0], [1.0], sample_weight=[0]), ArgumentError, "a weight > 0"),
        (lambda: metrics.get("acuracy"), ArgumentError, "there is no metric 'acuracy'. Did you mean 'accuracy'"),
        (lambda: metrics.get(["f1"]), ArgumentError, "there is no metric"),
        (
            lambda: metrics.Metric(name="m", kind="class", better="higher", function=metrics.mae),
            ArgumentError,
            "Metric m: there is no kind 'class'. Did you mean 'classes'",
        ),
        (
            lambda: metrics.Metric(name="m", kind="values", better="lower", function=3),
            ArgumentError,
            "Metric m: function: expected a function, got 3",
        ),
    ],
)
def test_faults_are_told(call, kind, words):
    with pytest.raises(kind, match=words) as caught:
        call()
    assert isinstance(caught.value, InputError)
    assert caught.value.__cause__ is None


def test_every_name_gives_a_metric_that_ranks_the_perfect_first():
    t, T = np.array([0, 1, 2, 1]), np.array([0.0, 1.0, 2.0, 1.5])
    right = {"classes": t, "probabilities": np.eye(3)[t], "values": T}
    wrong = {"classes": [0, 1, 1, 2], "probabilities": np.full((4, 3), 1 / 3), "values": T[::-1]}
    for name in metrics.names():
        metric = metrics.get(name)
        targets = T if metric.kind == "values" else t
        best, worse = metric(targets, right[metric.kind]), metric(targets, wrong[metric.kind])
        assert (best > worse) if metric.better == "higher" else (best < worse), name
        assert metric.name == name
        assert metrics.get(metric) is metric
    assert set(metrics.names()) == {
        *("accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc", "log_loss", "r2", "mae", "rmse")
    }


def test_a_metric_hands_on_the_weights():
    metric = metrics.get("accuracy")
    assert metric([0, 1], [0, 0], sample_weight=[3, 1]) == 0.75


def test_a_person_can_make_a_metric():
    two = metrics.Metric(
        name="f1_of_1",
        kind="classes",
        better="higher",
        function=lambda t, y, sample_weight=None: metrics.f1(t, y, average=None, sample_weight=sample_weight)[1],
    )
    assert two([0, 1, 1], [0, 1, 0]) == pytest.approx(2 / 3)


@pytest.mark.parametrize("container", [list, tuple, functools.partial(np.asarray, dtype=np.uint8)])
def test_containers_and_small_dtypes(container):
    t = container([0, 1, 200, 200])
    assert metrics.accuracy(t, container([0, 1, 200, 1])) == 0.75
    assert metrics.confusion_matrix(t, t)[200, 200] == 2


def test_booleans_are_classes_0_and_1():
    assert metrics.f1(np.array([True, False]), np.array([True, True]), average=None).tolist() == [0, 2 / 3]


def test_importing_metrics_loads_nothing_heavy():
    code = "import sys, chainrule.metrics; print(*{'sklearn', 'scipy', 'polars', 'pandas'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == ""
