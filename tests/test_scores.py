"""Reports: their numbers against scikit-learn's, and their text in 80 columns."""

import math
import unicodedata

import msgspec
import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import ArgumentError, InputError, ShapeError
from chainrule.scores import ClassReport, ValueReport, score_classes, score_values

RNG = np.random.default_rng(5)


def some_classes(K, rows=300, right=0.7, rng=RNG):
    """(t, y) in which every class occurs and is predicted."""
    t = np.concatenate([np.arange(K), rng.integers(0, K, rows - K)])
    y = np.where(rng.random(rows) < right, t, rng.integers(0, K, rows))
    return t, np.concatenate([np.arange(K), y[K:]])


def some_probabilities(K, rows=120):
    t, _ = some_classes(K, rows)
    P = RNG.random((rows, K)) + 0.4 * np.eye(K)[t]  # some rows are wrong
    return t, P / P.sum(axis=1, keepdims=True)


def columns_of(line):
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in line)
    return len(line) + wide - sum(unicodedata.combining(c) > 0 for c in line)


def test_the_text_is_scikit_learns_report_and_a_line_more():
    for K, names in ((3, ["setosa", "versicolor", "virginica"]), (10, [str(k) for k in range(10)])):
        t, y = some_classes(K)
        theirs = sk.classification_report(t, y, target_names=names).rstrip("\n").split("\n")
        ours = str(score_classes(t, y, names)).split("\n")
        # scikit-learn pads its lines with blanks and computes the same numbers: the words and figures must be the same
        assert [line.split() for line in ours[: len(theirs)]] == [line.split() for line in theirs]
        assert [line.rstrip() for line in theirs] == ours[: len(theirs)]
        assert ours[-1] == (
            f"accuracy {sk.accuracy_score(t, y):.4f}, balanced accuracy {sk.balanced_accuracy_score(t, y):.4f}"
        )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("K", [2, 4])
def test_every_number_is_scikit_learns(K, weighted):
    t, P = some_probabilities(K)
    w = RNG.integers(1, 8, len(t)) / 4 if weighted else None
    report = score_classes(t, P, sample_weight=w)
    y = P.argmax(axis=1)
    theirs = sk.classification_report(t, y, sample_weight=w, output_dict=True, zero_division=0)
    for name, ours in [*((c.name, c) for c in report.classes), ("macro avg", report.macro)]:
        figures = [ours.precision, ours.recall, ours.f1]
        assert figures == pytest.approx([theirs[name][f] for f in ("precision", "recall", "f1-score")], rel=1e-12)
    figures = [report.weighted.precision, report.weighted.recall, report.weighted.f1]
    assert figures == pytest.approx(list(theirs["weighted avg"].values())[:3], rel=1e-12)
    assert [c.support for c in report.classes] == [theirs[str(k)]["support"] for k in range(K)]
    assert report.support == theirs["macro avg"]["support"]
    assert report.accuracy == pytest.approx(theirs["accuracy"], rel=1e-12)
    assert report.balanced_accuracy == pytest.approx(sk.balanced_accuracy_score(t, y, sample_weight=w), rel=1e-12)
    assert report.log_loss == pytest.approx(sk.log_loss(t, P, sample_weight=w), rel=1e-12)
    of = P[:, 1] if K == 2 else P
    assert report.roc_auc == pytest.approx(sk.roc_auc_score(t, of, multi_class="ovr", sample_weight=w), rel=1e-12)
    matrix = sk.confusion_matrix(t, y, sample_weight=w)
    assert report.confusion == tuple(map(tuple, matrix.tolist()))
    assert [c.predicted for c in report.classes] == matrix.sum(axis=0).tolist()
    assert report.rows == len(t)


def test_classes_alone_have_no_log_loss_and_no_roc_auc():
    report = score_classes([0, 1], [0, 1])
    assert (report.log_loss, report.roc_auc) == (None, None)
    assert "log-loss" not in str(report)


def test_one_probability_column_is_that_of_class_1():
    report = score_classes([0, 1, 1], np.array([[0.2], [0.9], [0.4]]), ["no", "yes"])
    assert report.confusion == ((1, 0), (1, 1))
    assert report.roc_auc == 1.0
    assert report.log_loss == pytest.approx(-math.log(0.8 * 0.9 * 0.4) / 3)


def test_a_class_without_rows_leaves_roc_auc_undefined_and_the_rest_defined():
    report = score_classes([0, 1], [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1]], ["a", "b", "c"])
    assert report.roc_auc is None
    assert report.macro.f1 == 1.0
    assert "ROC" not in str(report)
    assert str(report).endswith("1 of the classes neither occur nor were predicted; no average counts them")


def test_rows_of_weight_0_are_not_there():
    t, y = some_classes(3, 40)
    w = RNG.integers(0, 2, 40)
    report = score_classes(t, y, sample_weight=w)
    without = score_classes(t[w > 0], y[w > 0], [0, 1, 2])
    assert report == without
    values = score_values([1.0, 2.0, 3.0], [9.0, 2.0, 4.0], sample_weight=[0, 1, 1])
    assert (values.rows, values.worst, values.worst_row, values.mae) == (2, 1.0, 2, 0.5)


def test_confusions_are_the_largest_off_the_diagonal():
    t = [0] * 5 + [1] * 4 + [2] * 3
    y = [0, 0, 2, 2, 2, 0, 1, 1, 1, 1, 1, 2]
    report = score_classes(t, y, ["a", "b", "c"])
    assert [(c.true, c.predicted, c.count, c.support) for c in report.confusions] == [
        ("a", "c", 3, 5),
        ("c", "b", 2, 3),
        ("b", "a", 1, 4),
    ]
    weighted = score_classes(t, y, ["a", "b", "c"], sample_weight=[0.5] * 5 + [4] * 4 + [0] * 3)
    assert [(c.true, c.predicted, c.count) for c in weighted.confusions] == [("b", "a", 4.0), ("a", "c", 1.5)]


def matrix_in(text):
    """The counts that stand behind the names in a confusion matrix."""
    K = len(text.split("\n")) - 1
    return [list(map(int, line.split()[-K:])) for line in text.split("\n")[1:]]


@pytest.mark.parametrize("K", [2, 3, 10, 15])
@pytest.mark.parametrize("name", ["{}", "class {}", "the class that has the number {} of all that there are"])
def test_the_confusion_matrix_fits(K, name):
    t, y = some_classes(K, 200)
    text = score_classes(t, y, [name.format(k) for k in range(K)]).confusion_text()
    assert max(map(columns_of, text.split("\n"))) <= 80
    assert matrix_in(text) == sk.confusion_matrix(t, y).tolist()
    assert text.startswith("true \\ predicted ")


def test_the_matrix_as_text():
    text = score_classes([0, 0, 1, 2], [0, 1, 1, 2], ["cat", "dog", "pig"]).confusion_text()
    assert text.split("\n") == [
        "true \\ predicted  cat  dog  pig",
        "cat                 1    1    0",
        "dog                 0    1    0",
        "pig                 0    0    1",
    ]


def test_names_that_would_look_the_same_become_numbers():
    names = [f"the same beginning {k} and the same end of the name" for k in range(4)]
    text = score_classes([0, 1, 2, 3], [0, 1, 2, 3], names).confusion_text()
    assert text.split("\n")[0].split()[-4:] == ["#1", "#2", "#3", "#4"]
    assert [line.split()[0] for line in text.split("\n")[1:]] == ["#1", "#2", "#3", "#4"]


@pytest.mark.parametrize("K", [18, 60, 250])
def test_a_wide_matrix_becomes_the_largest_confusions(K):
    t, y = some_classes(K, 900)
    names = [f"class {k}" for k in range(K)]
    report = score_classes(t, y, names)
    title, head, *lines = report.confusion_text().split("\n")
    assert title.startswith(f"the most frequent confusions of {K} classes")
    assert head.split() == ["true", "predicted", "rows", "of"]
    matrix = sk.confusion_matrix(t, y)
    assert (report.confusion is None) == (K > 200)
    np.fill_diagonal(matrix, 0)
    assert [int(line.split()[-2]) for line in lines] == sorted(matrix.ravel().tolist(), reverse=True)[:20]
    i, j = (int(lines[0].split()[at]) for at in (1, 3))
    assert matrix[i, j] == matrix.max()
    assert int(lines[0].split()[-1]) == np.count_nonzero(t == i)


def test_counts_too_wide_for_their_columns_become_a_list():
    t, y = some_classes(10, 100)
    text = score_classes(t, y, sample_weight=np.full(100, 123_456.0)).confusion_text()
    assert text.startswith("the most frequent confusions")
    assert max(map(len, text.split("\n"))) <= 80


def test_a_count_of_billions_stays_in_its_column():
    report = msgspec.structs.replace(score_classes([0, 1], [0, 1], ["a" * 50, "b"]), support=12_345_678_901)
    assert max(map(len, str(report).split("\n"))) == 80
    assert "1.235e+10" in str(report)


def test_nothing_confused():
    t = np.arange(40)
    assert score_classes(t, t).confusion_text() == "no class was taken for another"


def test_many_classes_are_abridged_to_the_weakest():
    t, y = some_classes(100, 3000)
    report = score_classes(t, y, [f"class_{k}" for k in range(101)])
    lines = str(report).split("\n")
    listed = [line.split() for line in lines if line.strip().startswith("class_")]
    F = np.sort(sk.f1_score(t, y, average=None))
    assert [float(row[3]) for row in listed] == pytest.approx(F[:20], abs=0.0051)
    assert "class_100" not in str(report)  # it neither occurs nor was predicted: it is not weak
    assert f"... the 20 classes of lowest F1, of 101; the others that appear: {F[20]:.2f} to {F[-1]:.2f}" in lines
    assert len(report.classes) == 101
    assert len(lines) < 35
    assert report._repr_html_().count("<tr>") == 1 + 20 + 1 + 3


NAMES = [
    "x" * 200,
    "日本語" * 30,
    "ＡＢＣ" * 30,
    "\x1b[31mred\x1b[0m",
    "two\nlines\tand a tab",
    "",
    "<b>&amp;</b>",
    "éé",
    "\u202eleft",
]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(NAMES) | st.text(max_size=60), min_size=1, max_size=36), st.data())
def test_no_name_breaks_the_columns(names, data):
    K = len(names)
    t, y = (np.array(data.draw(st.lists(st.integers(0, K - 1), min_size=9, max_size=9))) for _ in "ty")
    w = data.draw(st.none() | st.just(np.linspace(0.1, 1e12, 9)))
    report = score_classes(t, y, names, sample_weight=w)
    for text in (str(report), report.confusion_text()):
        lines = text.split("\n")
        assert max(map(columns_of, lines)) <= 80
        assert all(line.isprintable() for line in lines)
        assert not any(line != line.rstrip() for line in lines)


def test_values_against_scikit_learn():
    t = RNG.normal(size=(50, 3)) * [1, 10, 1000]
    y = t + RNG.normal(size=(50, 3))
    report = score_values(t, y, ["a", "b", "c"])
    assert report.r2 == pytest.approx(sk.r2_score(t, y), rel=1e-12)
    assert report.mae == pytest.approx(sk.mean_absolute_error(t, y), rel=1e-12)
    assert report.rmse == pytest.approx(sk.root_mean_squared_error(t, y), rel=1e-12)
    each = {"r2": sk.r2_score, "mae": sk.mean_absolute_error, "rmse": sk.root_mean_squared_error}
    for name, function in each.items():
        ours = [getattr(output, name) for output in report.outputs]
        assert ours == pytest.approx(function(t, y, multioutput="raw_values"), rel=1e-12)
    assert [abs(output.worst) for output in report.outputs] == [sk.max_error(t[:, o], y[:, o]) for o in range(3)]
    assert abs(report.worst) == np.abs(y - t).max()
    assert report.worst == (y - t)[report.worst_row].flat[np.abs(y - t).max(axis=0).argmax()]
    assert report.rows == 50


def test_values_as_text():
    report = score_values([1.0, 2.0, 3.0], [1.0, 2.0, 2.0], ["price"])
    assert str(report).split("\n") == [
        "                     R2       MAE      RMSE     worst",
        "",
        "       price        0.5   0.33333   0.57735        -1",
        "",
        "rows 3; worst residual y - t: -1, in row 2 (from 0)",
    ]
    two = score_values([[1.0, 2.0], [2.0, 2.0]], [[1.0, 2.0], [2.0, 1e-13]])
    assert [line.split() for line in str(two).split("\n")][2:6] == [
        ["output_1", "1", "0", "0", "0"],
        ["output_2", "0", "1", "1.4142", "-2"],
        [],
        ["average", "0.5", "0.5", "0.70711"],
    ]


def test_what_is_undefined_is_none_and_a_dash():
    report = score_values([1.0], [1.5])
    assert report.r2 is None
    assert str(report).split("\n")[2].split() == ["output_1", "-", "0.5", "0.5", "0.5"]
    far = score_values([1.7e308, 0.0], [-1.7e308, 0.0])
    assert (far.worst, far.worst_row, far.mae) == (None, 0, None)
    assert "beyond the range of numbers" in str(far)
    t = np.full((2, 40), [[1.7e308], [0.0]])
    t[0, 1:] = 5.0
    far = score_values(t[:, ::-1], -t[:, ::-1])  # the output beyond all numbers is the last, and the worst
    assert (far.worst, far.worst_row, far.outputs[39].r2) == (None, 0, None)
    assert str(far).split("\n")[2].split() == ["output_40", "-", "-", "-", "-"]


def test_many_outputs_are_abridged():
    t = RNG.normal(size=(30, 40)) * 1e-120
    report = score_values(t, t + RNG.normal(size=(30, 40)) * np.linspace(0, 1e-120, 40), ["output" * 20] * 40)
    lines = str(report).split("\n")
    assert "... the 20 outputs of lowest R2, of 40" in lines
    assert max(map(len, lines)) <= 80
    assert len(report.outputs) == 40
    assert float(lines[2].split()[1]) == pytest.approx(min(o.r2 for o in report.outputs), rel=1e-4)


def reports():
    t, P = some_probabilities(3)
    return [
        score_classes(t, P, ["a", "b", "c"]),
        score_classes(t, P.argmax(axis=1), sample_weight=RNG.random(len(t))),
        score_classes(*some_classes(300, 900)),
        score_values([1.0, 2.0], [1.0, 3.0]),
        score_values([1.0], [1.0]),
    ]


@pytest.mark.parametrize("report", reports())
def test_json_there_and_back(report):
    text = msgspec.json.encode(report)
    back = msgspec.json.decode(text, type=ClassReport | ValueReport)
    assert back == report
    assert str(back) == str(report)
    assert msgspec.json.decode(text)["type"] == type(report).__name__


def test_json_that_cannot_be_is_refused():
    report = score_classes([0, 1], [0, 1])
    for field, wrong in (("accuracy", 7), ("accuracy", math.nan), ("classes", ()), ("confusion", ((1, 0),))):
        with pytest.raises(InputError, match=field):
            msgspec.structs.replace(report, **{field: wrong})
    broken = msgspec.json.encode(report).replace(b'"precision":1.0', b'"precision":-3.0')
    with pytest.raises(msgspec.ValidationError, match="precision: expected a share from 0 to 1"):
        msgspec.json.decode(broken, type=ClassReport)


def test_html_is_a_table_and_safe():
    report = score_classes([0, 1], [[0.9, 0.1], [0.2, 0.8]], ["<script>alert(1)</script>", "b"])
    text = report._repr_html_()
    assert text.startswith("<table>")
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "weighted avg" in text
    assert "ROC AUC 1.0000" in text
    assert ">0.33333<" in score_values([1.0, 2.0, 3.0], [1.0, 2.0, 2.0])._repr_html_()


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: score_classes([0, 1], [0]), ShapeError, "score_classes: y: expected as many rows as t, 2, got 1"),
        (lambda: score_classes([0, 1], [[0.5, 0.5]]), ShapeError, "expected as many rows as t, 2, got 1"),
        (lambda: score_classes(["a"], [0]), ArgumentError, "score_classes: t: expected numbers, got .*numpy.unique"),
        (lambda: score_classes([0], ["a"]), ArgumentError, "score_classes: predicted: expected numbers"),
        (lambda: score_classes([0, 2], [0, 1], ["a", "b"]), ArgumentError, "t, row 1: .* below 2, .* got 2"),
        (lambda: score_classes([0, 1], np.eye(2), ["a"]), ShapeError, "classes: .* each of 2 columns.* got 1"),
        (lambda: score_classes([0, 1], [0, 1], []), ArgumentError, "classes: expected at least one name"),
        (lambda: score_classes([0], [0], sample_weight=[1, 2]), ShapeError, "score_classes: sample_weight"),
        (lambda: score_values([1.0], [[1.0]]), ShapeError, r"score_values: y: .* \(1,\), got \(1, 1\)"),
        (lambda: score_values([1.0], [math.nan]), ArgumentError, "y, row 0: expected finite numbers, got nan"),
        (lambda: score_values([1.0], [1.0], ["a", "b"]), ShapeError, "outputs: .* each of 1 outputs, got 2"),
    ],
)
def test_faults_are_told(call, kind, words):
    with pytest.raises(kind, match=words):
        call()
