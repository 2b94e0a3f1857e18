"""Gradients of functions that are not ours: NumPy, torch, JAX; in float64 and float32."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr


def rosenbrock(t):
    """Rosenbrock (1960), with its gradient by hand."""
    value = np.sum(100 * (t[1:] - t[:-1] ** 2) ** 2 + (1 - t[:-1]) ** 2)
    slope = np.zeros_like(t)
    slope[:-1] = -400 * t[:-1] * (t[1:] - t[:-1] ** 2) - 2 * (1 - t[:-1])
    slope[1:] += 200 * (t[1:] - t[:-1] ** 2)
    return value, slope


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
def test_a_right_gradient(scale):
    theta = scale * np.random.default_rng(1).normal(size=20)
    assert cr.check_gradients(rosenbrock, theta).ok


@pytest.mark.parametrize("place", [0, 7, 19])
def test_one_wrong_entry(place):
    def wrong(t):
        value, slope = rosenbrock(t)
        slope[place] *= 1.001
        return value, slope

    found = cr.check_gradients(wrong, np.random.default_rng(1).normal(size=20))
    assert [entry.name for entry in found.worst if entry.verdict == "differs"] == [f"theta[{place}]"]
    assert found.worst[0].band == "uncomfortable"


def test_a_mapping_of_arrays():
    def f(p):
        R = p["W"] @ p["x"] - 1
        return 0.5 * R @ R, {"W": np.outer(R, p["x"]), "x": p["W"].T @ R}

    theta = {"W": np.arange(6.0).reshape(2, 3) / 7, "x": np.array([0.3, -1.0, 2.0])}
    found = cr.check_gradients(f, theta)
    assert found.ok
    assert [array.shape for array in found.table] == [(2, 3), (3,)]
    transposed = cr.check_gradients(lambda p: (f(p)[0], {"x": 2 * f(p)[1]["x"]}), theta)
    assert transposed.table[0].factor == pytest.approx(2)


def test_values_in_float32_are_recognised_by_their_noise():
    def f(t):
        t = t.astype(np.float32)
        return np.sum(np.tanh(t) ** 2), 2 * np.tanh(t) * (1 - np.tanh(t) ** 2)

    theta = np.linspace(-1.5, 1.4, 40)
    found = cr.check_gradients(f, theta)
    assert found.ok
    assert found.step > 1e-4
    assert not cr.check_gradients(lambda t: (f(t)[0], 1.2 * f(t)[1]), theta).ok


def test_a_kink_is_seen_from_outside():
    def f(at_zero):
        return lambda t: (np.abs(t).sum(), np.where(t == 0, at_zero, np.sign(t)))

    theta = [1.0, 0.0, 3e-6, -4.0]
    found = cr.check_gradients(f(0.7), theta)  # any slope from -1 to 1 may stand for the one that is not there
    assert found.ok
    assert [entry.name for entry in found.kinks] == ["theta[1]"]
    wrong = cr.check_gradients(f(5), theta)
    assert [entry.name for entry in wrong.worst if entry.verdict == "differs"] == ["theta[1]"]


def test_arrays_from_elsewhere_with_a_function_of_values_alone():
    theta = np.array([1.0, 2.0])
    assert cr.check_gradients(lambda t: t @ t, theta, gradient=2 * theta).ok
    assert not cr.check_gradients(lambda t: t @ t, theta, gradient=theta).ok


def test_a_single_number_is_an_array_too():
    assert cr.check_gradients(lambda t: (np.sin(t), np.cos(t)), 0.3).ok


def test_a_function_that_writes_into_its_argument_does_no_harm():
    def greedy(t):
        answer = (float(t @ t), 2 * t)
        t[...] = 0
        return answer

    theta = np.array([1.0, 2.0])
    assert cr.check_gradients(greedy, theta).ok
    assert theta.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda t: t @ t, r"expected the pair \(value, gradient\)"),
        (lambda t: (t, t), r"expected one number"),
        (lambda t: (t @ t, t[:1]), r"expected shape \(2,\), as theta has"),
        (lambda t: (t @ t, {"W": t}), "expected an array of numbers"),
        (lambda t: (np.log(t @ t - 5), t), "is -inf: it has no gradient there"),
        (lambda t: (t @ t * np.random.default_rng().random(), t), "Fix its random numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_a_function_may_not_return(f, words):
    with pytest.raises(cr.InputError, match=words):
        cr.check_gradients(f, [1.0, 2.0])


def test_theta_must_be_numbers():
    with pytest.raises(cr.ArgumentError, match="theta: expected an array of numbers"):
        cr.check_gradients(rosenbrock, ["a"])


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1, 2])
def test_torch(factor):
    torch = pytest.importorskip("torch")

    def f(theta):
        W = torch.tensor(theta["W"], requires_grad=True)
        loss = torch.nn.functional.cross_entropy(torch.tanh(torch.ones(2, 3, dtype=W.dtype) @ W), torch.tensor([0, 3]))
        loss.backward()
        return loss, {"W": factor * W.grad}

    theta = {"W": np.random.default_rng(0).normal(size=(3, 4))}
    assert cr.check_gradients(f, theta).ok == (factor == 1)


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1, 2])
def test_jax(factor):
    jax = pytest.importorskip("jax")
    loss = jax.value_and_grad(lambda t: jax.numpy.sum(jax.numpy.tanh(t) ** 2))

    def f(theta):
        value, gradient = loss(jax.numpy.asarray(theta))  # float32, unless asked otherwise
        return value, factor * gradient

    assert cr.check_gradients(f, np.linspace(-1, 1, 12)).ok == (factor == 1)
