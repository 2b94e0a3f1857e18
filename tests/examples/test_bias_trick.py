"""Document C: the network with the bias trick, and its two runs, against a plain transcription of the algorithm."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.examples import bias_trick, digits, xor

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([[0.0], [1.0], [1.0], [0.0]])


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def transcription(W, X, T, alpha, epochs):
    """The algorithm as the document tells it: online, in order, weights changed only after all deltas are known."""
    losses = []
    X = np.c_[X, np.ones(len(X))]
    for _ in range(epochs):
        for x, t in zip(X, T, strict=True):
            A = [x[None, :]]
            for w in W:
                A.append(sigmoid(A[-1] @ w))
            deltas = [(A[-1] - t) * A[-1] * (1 - A[-1])]
            for layer in range(len(W) - 1, 0, -1):
                deltas.insert(0, deltas[0] @ W[layer].T * A[layer] * (1 - A[layer]))
            W = [w - alpha * a.T @ delta for w, a, delta in zip(W, A, deltas, strict=False)]
        P = X
        for w in W:
            P = sigmoid(P @ w)
        losses.append(0.5 * ((P - T) ** 2).sum())
    return W, losses


@pytest.mark.parametrize("sizes", [[2, 2, 1], [2, 1], [5, 4, 3, 2]], ids=str)
def test_training_is_the_documents_algorithm(sizes):
    rng = np.random.default_rng(0)
    X, T = (CORNERS, XOR) if sizes[0] == 2 else (rng.random((11, 5)), rng.random((11, 2)))
    net = bias_trick.network(sizes, seed=3)
    W = [net.parameters[name].copy() for name in net.parameters]
    expected, losses = transcription(W, X, T, alpha=0.5, epochs=40)
    history = bias_trick.train(net, bias_trick.with_ones(X), T, alpha=0.5, epochs=40)
    for name, w in zip(net.parameters, expected, strict=True):
        np.testing.assert_allclose(net.parameters[name], w, rtol=0, atol=1e-12)
    np.testing.assert_allclose(history["validation_loss"], losses, rtol=1e-12)


def test_initial_weights_are_normal_over_the_root_of_the_fan_in_without_the_extra_unit():
    net, rng = bias_trick.network([64, 32, 10], seed=5), np.random.Generator(np.random.PCG64(5))
    for name, shape, n_in in [("dense_1.W", (65, 33), 64), ("dense_2.W", (33, 10), 32)]:
        np.testing.assert_allclose(net.parameters[name], rng.standard_normal(shape) / np.sqrt(n_in), rtol=1e-15)
    assert list(net.parameters) == ["dense_1.W", "dense_2.W"]  # no biases


def test_lines_at_epoch_1_and_every_display_epochs(capsys):
    net = bias_trick.network([2, 2, 1])
    history = bias_trick.train(net, bias_trick.with_ones(CORNERS), XOR, alpha=0.5, epochs=9, display=4)
    losses = history["validation_loss"]
    expected = [f"[INFO] epoch={epoch}, loss={losses[epoch - 1]:.7f}" for epoch in (1, 4, 8)]
    assert capsys.readouterr().out.splitlines() == expected


def test_display_is_checked():
    with pytest.raises(cr.ArgumentError, match="display"):
        bias_trick.train(bias_trick.network([2, 1]), bias_trick.with_ones(CORNERS), XOR, alpha=1, epochs=1, display=-1)


def test_xor_run_gives_what_was_trained(tmp_path, capsys):
    result = xor.run(epochs=30, display=10, seed=4, out=tmp_path)
    net = bias_trick.network([2, 2, 1], seed=4)
    bias_trick.train(net, bias_trick.with_ones(CORNERS), XOR, alpha=0.5, epochs=30)
    p = net.forward(bias_trick.with_ones(CORNERS))[:, 0]
    assert [row.prediction for row in result.rows] == p.tolist()
    assert result.solved == bool(((p > 0.5) == (XOR[:, 0] == 1)).all())
    assert result.loss == pytest.approx(0.5 * ((p - XOR[:, 0]) ** 2).sum(), rel=1e-12)
    for picture in result.pictures:
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
    assert str(result) in capsys.readouterr().out


def test_xor_without_hidden_layer_is_not_solved(tmp_path):
    assert not xor.run(hidden=0, epochs=500, display=0, out=tmp_path).solved


@pytest.mark.slow
def test_xor_as_published_is_solved(tmp_path):
    result = xor.run(epochs=6000, display=0, out=tmp_path)
    assert result.solved
    assert result.loss < 0.01


def test_xor_with_better_settings(tmp_path):
    result = xor.run(better=True, out=tmp_path)
    assert result.solved
    assert result.loss < 0.01


def all_seeds(seeds, epochs, alpha=0.5):
    """2-2-1 for many seeds at once: ``W1 (S, 3, 3)``, ``W2 (S, 3)``; the predictions ``(S, 4)``."""
    nets = [bias_trick.network([2, 2, 1], seed=seed) for seed in seeds]
    W1 = np.array([net.parameters["dense_1.W"] for net in nets])
    W2 = np.array([net.parameters["dense_2.W"][:, 0] for net in nets])
    X = np.c_[CORNERS, np.ones(4)]
    for _ in range(epochs):
        for x, t in zip(X, XOR[:, 0], strict=True):
            H = sigmoid((W1 * x[:, None]).sum(axis=1))
            p = sigmoid((H * W2).sum(axis=1))
            delta = (p - t) * p * (1 - p)
            delta_h = delta[:, None] * W2 * H * (1 - H)
            W2 -= alpha * delta[:, None] * H
            W1 -= alpha * x[:, None] * delta_h[:, None, :]
    H = sigmoid(np.einsum("ni,sij->snj", X, W1))
    return sigmoid(np.einsum("snj,sj->sn", H, W2))


def test_many_seeds_at_once_are_the_same_as_one_by_one():
    P = all_seeds(range(6), 300)
    for seed in range(6):
        net = bias_trick.network([2, 2, 1], seed=seed)
        bias_trick.train(net, bias_trick.with_ones(CORNERS), XOR, alpha=0.5, epochs=300)
        np.testing.assert_allclose(net.forward(bias_trick.with_ones(CORNERS))[:, 0], P[seed], rtol=0, atol=1e-12)


@pytest.mark.slow
def test_as_published_four_of_five_seeds_solve_xor():
    P = all_seeds(range(200), 20_000)
    solved = int(((P > 0.5) == (XOR[:, 0] == 1)).all(axis=1).sum())
    assert 150 <= solved <= 172


@pytest.mark.slow
def test_better_settings_solve_xor_for_99_of_100_seeds():
    solved = 0
    for seed in range(200):
        net = xor.better_network(seed)
        net.fit(CORNERS, XOR, epochs=300, batch_size=None, optimizer=cr.Adam(0.1))
        solved += bool(((net.forward(CORNERS) > 0.5) == (XOR == 1)).all())
    assert solved >= 198


def test_digits_are_scaled_over_the_matrix_and_split_75_25():
    rows = digits.split(0)
    assert rows.X.shape == (1347, 65)
    assert rows.X_test.shape == (450, 65)
    both = np.concatenate([rows.X, rows.X_test])
    assert (both[:, -1] == 1).all()
    assert (both[:, :-1].min(), both[:, :-1].max()) == (0.0, 1.0)
    assert set((both[:, :-1] * 16).round(12).ravel()) <= set(map(float, range(17)))  # one scale: no pixel has its own
    assert (rows.T.sum(axis=1) == 1).all()
    counts = rows.T.sum(axis=0) + np.bincount(rows.y_test)
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_digits_targets_belong_to_their_pictures():
    sklearn = pytest.importorskip("sklearn.datasets")
    X, y = sklearn.load_digits(return_X_y=True)
    known = {row.tobytes(): digit for row, digit in zip(X / 16, y, strict=True)}
    rows = digits.split(2)
    assert [known[row[:-1].tobytes()] for row in rows.X] == rows.T.argmax(axis=1).tolist()
    assert [known[row[:-1].tobytes()] for row in rows.X_test] == rows.y_test.tolist()


def test_digits_run_reports_the_test_rows(tmp_path, capsys):
    metrics = pytest.importorskip("sklearn.metrics")
    result, rows = digits.run(epochs=3, display=2, hidden=(12,), seed=0, out=tmp_path), digits.split(0)
    net = bias_trick.network([64, 12, 10], seed=0)
    bias_trick.train(net, rows.X, rows.T, alpha=0.1, epochs=3)
    predicted = net.forward(rows.X_test).argmax(axis=1)
    assert result.report.accuracy == metrics.accuracy_score(rows.y_test, predicted)
    assert result.report.weighted.f1 == pytest.approx(metrics.f1_score(rows.y_test, predicted, average="weighted"))
    assert result.last_loss == pytest.approx(0.5 * ((net.forward(rows.X) - rows.T) ** 2).sum(), rel=1e-12)
    assert all((tmp_path / picture).exists() for picture in result.pictures)
    printed = capsys.readouterr().out
    assert "epoch=1, loss=" in printed
    assert "weighted avg" in printed


def test_digits_without_hidden_layer(tmp_path, capsys):
    digits.run(epochs=1, hidden=(0,), out=tmp_path)
    assert "64-10, weights (65, 10)" in capsys.readouterr().out


@pytest.mark.slow
def test_digits_are_learned(tmp_path):
    assert digits.run(epochs=100, display=0, seed=1, out=tmp_path).report.accuracy > 0.94
