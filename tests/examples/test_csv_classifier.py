"""Document B: the classifier from a CSV, against a plain transcription; its faults; one weight by hand."""

from __future__ import annotations

import csv as csv_module
import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.examples import csv_classifier


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def transcription(W, b, X, T, rate, batch, epochs):
    """Deltas yhat - y, then (delta W^T) * A (1 - A); gradients summed over the batch, the loss over the epoch."""
    W, b, losses = [w.copy() for w in W], [v.copy() for v in b], []
    for _ in range(epochs):
        total = 0.0
        for first in range(0, len(X), batch):
            x, t = X[first : first + batch], T[first : first + batch]
            A1 = sigmoid(x @ W[0] + b[0])
            A2 = sigmoid(A1 @ W[1] + b[1])
            E = np.exp(A2 @ W[2] + b[2])
            Y = E / E.sum(axis=1, keepdims=True)
            total -= (t * np.log(Y)).sum()
            d3 = Y - t
            d2 = (d3 @ W[2].T) * A2 * (1 - A2)
            d1 = (d2 @ W[1].T) * A1 * (1 - A1)
            for k, (a, d) in enumerate(((x, d1), (A1, d2), (A2, d3))):
                W[k] -= rate * a.T @ d
                b[k] -= rate * d.sum(axis=0)
        losses.append(total)
    return W, b, losses


@pytest.fixture
def table(tmp_path):
    """Three classes by name, six numbers from 0 to 255, one column of which never reaches beyond 7."""
    rng, path = np.random.default_rng(0), tmp_path / "table.csv"
    labels = rng.choice(["ant", "bee", "cat"], 40)
    numbers = rng.integers(0, 256, (40, 6))
    numbers[:, 5] %= 8
    numbers[0, 0], numbers[1, 1] = 0, 255
    lines = [",".join([label, *map(str, row)]) for label, row in zip(labels, numbers, strict=True)]
    path.write_text("\n".join(["label,a,b,c,d,e,f", *lines]) + "\n")
    return path


def by_hand(path):
    """The same file by the standard library: scaled numbers, class of each row."""
    with path.open() as file:
        rows = list(csv_module.reader(file))[1:]
    X = np.array([[float(value) for value in row[1:]] for row in rows])
    names = sorted({row[0] for row in rows})
    return (X - X.min()) / (X.max() - X.min()), [names.index(row[0]) for row in rows]


def test_one_minimum_and_maximum_over_the_whole_matrix(table):
    X, y = by_hand(table)
    read = csv_classifier.read(table)
    np.testing.assert_array_equal(read.X, X)
    assert read.y.tolist() == y
    assert read.classes == ("ant", "bee", "cat")
    assert read.X[:, 5].max() == 7 / 255


def test_training_is_the_documents_algorithm(table):
    X, y = by_hand(table)
    T, net = np.eye(3)[y], csv_classifier.as_published(6, 3, seed=1)
    names = ["dense_1", "dense_2", "dense_3"]
    W, b = ([net.parameters[f"{name}.{kind}"].copy() for name in names] for kind in "Wb")
    assert [w.shape for w in W] == [(6, 256), (256, 64), (64, 3)]
    W, b, losses = transcription(W, b, X, T, 0.01, 16, 4)
    history = net.fit(X, T, epochs=4, batch_size=16, shuffle=False, optimizer=cr.SGD(0.01))
    for k, name in enumerate(names):
        np.testing.assert_allclose(net.parameters[f"{name}.W"], W[k], rtol=0, atol=1e-12)
        np.testing.assert_allclose(net.parameters[f"{name}.b"], b[k], rtol=0, atol=1e-12)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-12)


def test_initial_weights_are_standard_normal_and_biases_uniform():
    net = csv_classifier.as_published(784, 10)
    W, b = net.parameters["dense_1.W"], net.parameters["dense_1.b"]
    assert (W.mean(), W.std()) == pytest.approx((0, 1), abs=0.01)
    assert b.min() >= 0
    assert b.max() < 1
    assert b.mean() == pytest.approx(0.5, abs=0.06)


def test_run_on_a_table_of_ones_own(table, tmp_path, capsys):
    result = csv_classifier.run(table, epochs=3, batch_size=8, test=0.25, out=tmp_path / "new" / "folder")
    assert (result.rows, result.inputs, result.classes) == (40, 6, ("ant", "bee", "cat"))
    assert result.ln_k == math.log(3)
    (training,) = result.trainings
    assert len(training.losses) == 3
    assert (tmp_path / "new" / "folder" / "csv-classifier-loss.png").exists()
    assert "6-256-64-3" in capsys.readouterr().out


def test_losses_and_accuracy_are_of_the_rows_trained_on_and_held_out(table, tmp_path):
    training = csv_classifier.run(table, epochs=2, test=0.25, seed=3, out=tmp_path).trainings[0]
    X, y = by_hand(table)
    order, T = np.random.default_rng(3).permutation(40), np.eye(3)[y]
    held, kept = order[:10], order[10:]
    net = csv_classifier.as_published(6, 3, seed=3)
    first = net.forward(X[kept])
    assert training.first_loss == pytest.approx(-np.log((first * T[kept]).sum(axis=1)).mean(), rel=1e-12)
    net.fit(X[kept], T[kept], epochs=2, batch_size=32, shuffle=False, optimizer=cr.SGD(0.01))
    right = net.forward(X).argmax(axis=1) == y
    assert (training.accuracy, training.test_accuracy) == (right[kept].mean(), right[held].mean())


def test_the_documents_faults_on_digits_and_what_mends_them(tmp_path):
    """37 % and about 73 % of the hidden units begin saturated, the loss far above ln 10; scaled, near it."""
    result = csv_classifier.run(scaled=True, epochs=1, display=0, out=tmp_path)
    published, scaled = result.trainings
    assert 0.34 < published.saturated[0] < 0.42
    assert 0.70 < published.saturated[1] < 0.80
    assert 5.6 <= published.first_loss <= 15.7
    assert scaled.saturated[0] < 0.05
    assert scaled.first_loss < 1.2 * math.log(10)


def test_saturation_by_hand():
    net = csv_classifier.as_published(64, 10)
    X = np.random.default_rng(0).random((50, 64))
    A1 = sigmoid(X @ net.parameters["dense_1.W"] + net.parameters["dense_1.b"])
    A2 = sigmoid(A1 @ net.parameters["dense_2.W"] + net.parameters["dense_2.b"])
    expected = tuple(np.mean(np.abs(A - 0.5) > 0.47) for A in (A1, A2))
    assert csv_classifier.saturated(net, X) == pytest.approx(expected, abs=1e-12)


@pytest.mark.slow
def test_summed_over_all_rows_the_published_rate_is_far_too_large(tmp_path):
    published, scaled = csv_classifier.run(scaled=True, batch_size=0, epochs=5, display=0, out=tmp_path).trainings
    assert published.losses[-1] > 10 * published.first_loss
    assert scaled.losses[-1] < scaled.first_loss


def test_one_weight_by_hand():
    step = csv_classifier.one_weight_by_hand()
    assert round(step.gradient, 9) == 0.082167041  # as the worked example has it
    assert step.new_w5 == pytest.approx(0.40 - 0.6 * 0.082167041, abs=1e-9)
    assert step.error_slope * step.sigmoid_slope * step.out_h1 == pytest.approx(step.gradient, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label\n1\n2\n", "a label and at least one number"),
        ("label,a\n1,2\n2,x\n1,3\n", "'a' does not hold numbers"),
        ("label,a,b\n1,2,3\n2,,4\n1,3,5\n", "column 'a', row 1 is empty"),
        ("label,a\n1,2\n1,3\n", "every label is '1'"),
        ("label,a,b\n1,7,7\n2,7,7\n", "every number is 7"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, text, message):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(cr.DataError, match=message):
        csv_classifier.run(path, out=tmp_path)


@pytest.mark.parametrize("options", [{"batch_size": -1}, {"test": 1.0}, {"display": -2}, {"epochs": 0}, {"rate": -1.0}])
def test_options_out_of_range(table, tmp_path, options):
    with pytest.raises(cr.ArgumentError, match=next(iter(options))):
        csv_classifier.run(table, out=tmp_path, **options)


def test_a_table_without_a_line_of_names(tmp_path):
    path = tmp_path / "plain.csv"
    path.write_text("3,0,255\n4,255,0\n3,10,200\n4,220,30\n")
    result = csv_classifier.run(path, no_header=True, test=0.0, epochs=1, out=tmp_path)
    assert (result.rows, result.classes) == (4, ("3", "4"))
    assert result.trainings[0].test_accuracy is None
