"""Document A: one step on three flowers, against a plain transcription; and when to stop."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.examples import three_flowers


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def transcription(x, y, W1, W2, rate, steps):
    """No biases, MSE = sum (p - y)^2 / (2N), gradients divided by N, all rows at once; the MSE before each step."""
    errors = []
    for _ in range(steps):
        h = sigmoid(x @ W1)
        p = sigmoid(h @ W2)
        errors.append(((p - y) ** 2).sum() / (2 * len(x)))
        delta_2 = (p - y) * p * (1 - p)
        delta_1 = (delta_2 @ W2.T) * h * (1 - h)
        W2 = W2 - rate * h.T @ delta_2 / len(x)
        W1 = W1 - rate * x.T @ delta_1 / len(x)
    return W1, W2, errors


def test_the_three_flowers():
    data = three_flowers.flowers()
    assert data.x.tolist() == [[5.1, 3.5, 1.4, 0.2], [7.0, 3.2, 4.7, 1.4], [6.3, 3.3, 6.0, 2.5]]
    assert data.y.tolist() == np.eye(3).tolist()
    assert (len(data.x_other), data.y_other.sum(axis=0).tolist()) == (147, [49.0, 49.0, 49.0])


def test_steps_are_the_documents():
    data, net = three_flowers.flowers(), three_flowers.network(5, seed=2)
    assert list(net.parameters) == ["dense_1.W", "dense_2.W"]  # no biases
    W1, W2, errors = transcription(data.x, data.y, *(net.parameters[n].copy() for n in net.parameters), 0.7, 50)
    history = net.fit(data.x, data.y, epochs=50, batch_size=None, optimizer=cr.SGD(0.7))
    np.testing.assert_allclose(net.parameters["dense_1.W"], W1, rtol=0, atol=1e-12)
    np.testing.assert_allclose(net.parameters["dense_2.W"], W2, rtol=0, atol=1e-12)
    np.testing.assert_allclose(history["loss"], errors, rtol=1e-12)


def test_run_prints_one_step_with_every_array(tmp_path, capsys):
    result = three_flowers.run(epochs=5, rate=0.5, out=tmp_path)
    a = {name.partition(" =")[0]: np.array(rows) for name, rows in result.arrays.items()}
    *_, errors = transcription(a["x"], a["y"], a["W1"], a["W2"], 0.5, 2)
    assert [result.before, result.after] == pytest.approx(errors, rel=1e-12)
    assert result.after < result.before
    first = transcription(a["x"], a["y"], a["W1"], a["W2"], 0.5, 1)
    np.testing.assert_allclose(a["new W1"], first[0], rtol=0, atol=1e-15)
    np.testing.assert_allclose(a["W1"] - 0.5 * a["gradient of W1"], a["new W1"], rtol=0, atol=1e-15)
    np.testing.assert_allclose(a["W2"] - 0.5 * a["gradient of W2"], a["new W2"], rtol=0, atol=1e-15)
    np.testing.assert_allclose(a["h"].T @ a["delta 2"], a["gradient of W2"], rtol=0, atol=1e-15)
    np.testing.assert_allclose(a["x"].T @ a["delta 1"], a["gradient of W1"], rtol=0, atol=1e-15)
    printed = capsys.readouterr().out
    for line in ("x (3, 4)", "h = sigmoid(x W1) (3, 4)", "p = sigmoid(h W2) (3, 3)", "new W2 (4, 3)", "MSE before"):
        assert line in printed


def test_plain_python_takes_the_same_step(tmp_path):
    assert three_flowers.run(epochs=1, hidden=7, seed=3, out=tmp_path).difference < 1e-15


def test_plain_python_would_notice_another_step():
    data, net = three_flowers.flowers(), three_flowers.network(4)
    W = [net.parameters[name].tolist() for name in net.parameters]
    new = three_flowers.plain_python_step(data.x.tolist(), data.y.tolist(), *W, 0.5)
    net.fit(data.x, data.y, epochs=1, batch_size=1, shuffle=False, optimizer=cr.SGD(0.5))
    assert np.abs(net.parameters["dense_1.W"] - np.array(new[0])).max() > 1e-3


def test_training_on_stops_when_the_other_flowers_get_worse(tmp_path):
    result = three_flowers.run(hidden=8, seed=2, patience=200, out=tmp_path)
    assert "has not improved for 200 epochs" in result.stopped
    assert 100 < result.best_epoch < 2000
    assert result.accuracy > 0.8
