"""Gradients by jax.grad and by torch, where they are installed: second oracles that know nothing of this package.

Forward passes are written in their own words (`jax.nn`, `torch.nn.functional`); dropout and batch norm's running
averages are left to the difference quotients of `test_gradients.py`.
"""

from __future__ import annotations

import numpy as np
import pytest
from tests.registry import LOSSES

from chainrule import losses
from chainrule.activations import names
from chainrule.layers import Activation, BatchNorm, Dense, LayerNorm, Mode, Residual, Sequence
from chainrule.objective import Objective
from chainrule.parameters import Named

I, B, O = 4, 6, 3
HEADS = {loss: LOSSES[loss].head for loss in LOSSES}
ARCHITECTURES = {
    "dense": lambda f: (Dense(5, f),),
    "batch norm": lambda f: (Dense(5), BatchNorm(), Activation(f)),
    "layer norm": lambda f: (Dense(5), LayerNorm(), Activation(f)),
    "residual": lambda f: (Residual((Dense(5, f), Dense(I))),),
}


class Problem:
    """An objective at a point, and its own answer."""

    def __init__(self, architecture, f, loss, reduction="mean"):
        layers = (*ARCHITECTURES[architecture](f), Dense(O, HEADS[loss]))
        self.objective = Objective(Sequence(layers), loss(reduction), (I,), 0.01, 0.1)
        rng = np.random.default_rng(len(f) + 17 * len(architecture))
        self.theta = rng.normal(size=self.objective.layout.size)
        self.X, self.T = rng.normal(size=(B, I)), LOSSES[loss].targets(rng, B, O)
        self.weights = rng.uniform(0.5, 2, B)
        mode = Mode(training=True)
        self.value, self.gradient = self.objective.value_and_gradient(self.theta, self.X, self.T, self.weights, mode)
        self.architecture, self.f, self.loss, self.reduction = architecture, f, loss, reduction

    def names(self):
        return Named(self.objective.layout, self.gradient)


def loss_of(xp, problem, P, library):
    """The forward pass and the loss in the words of a library, from its parameters by name."""
    X, T, weights = (library.array(given) for given in (problem.X, problem.T, problem.weights))
    dense = {name.rsplit(".", 1)[0] for name in P}
    f = library.activation[problem.f]

    def layer(name, H):
        return H @ P[f"{name}.W"] + P[f"{name}.b"]

    if problem.architecture == "residual":
        H = X + layer("residual_1.dense_2", f(layer("residual_1.dense_1", X)))
        Z = layer("dense_1", H)
    else:
        H = layer("dense_1", X)
        for norm, axis in (("batch_norm_1", 0), ("layer_norm_1", 1)):
            if norm in dense:
                H = library.norm(H, axis) * P[f"{norm}.gamma"] + P[f"{norm}.beta"]
        Z = layer("dense_2", f(H))
    rows = library.rows[problem.loss](Z, T)
    total = xp.sum(rows * weights) / (len(problem.X) if problem.reduction == "mean" else 1)
    W = [P[name] for name in P if name.endswith(".W")]
    return total + 0.01 * sum(xp.sum(xp.abs(w)) for w in W) + 0.05 * sum(xp.sum(w * w) for w in W)


def problems(test):
    """Every activation in every architecture, every loss in both reductions."""
    cases = [(a, f, losses.CrossEntropy, "mean") for a in ARCHITECTURES for f in names()]
    cases += [("dense", "tanh", loss, reduction) for loss in LOSSES for reduction in ("mean", "sum")]
    ids = [f"{a}-{f}-{loss.__name__}-{reduction}" for a, f, loss, reduction in cases]
    return pytest.mark.parametrize("case", cases, ids=ids)(test)


# ---- jax ------------------------------------------------------------------------------------------------------------


class Jax:
    """jax.numpy in float64."""

    def __init__(self):
        self.jax = pytest.importorskip("jax")
        self.jax.config.update("jax_enable_x64", True)
        jnp, nn = self.jax.numpy, self.jax.nn
        self.array = jnp.asarray
        self.activation = {
            "identity": lambda z: z,
            "sigmoid": nn.sigmoid,
            "tanh": jnp.tanh,
            "scaled_tanh": lambda z: 1.7159 * jnp.tanh(2 * z / 3),
            "relu": nn.relu,
            "leaky_relu": nn.leaky_relu,
            "elu": nn.elu,
            "selu": nn.selu,
            "gelu": nn.gelu,
            "silu": nn.silu,
            "softplus": nn.softplus,
            "exp": jnp.exp,
            "softmax": nn.softmax,
        }
        self.rows = {
            losses.HalfSquaredError: lambda z, t: jnp.sum((z - t) ** 2, axis=1) / 2,
            losses.MeanSquaredError: lambda z, t: jnp.mean((z - t) ** 2, axis=1),
            losses.MeanAbsoluteError: lambda z, t: jnp.mean(jnp.abs(z - t), axis=1),
            losses.Huber: lambda z, t: jnp.mean(
                jnp.where(jnp.abs(z - t) <= 1, (z - t) ** 2 / 2, jnp.abs(z - t) - 0.5), axis=1
            ),
            losses.Quantile: lambda z, t: jnp.mean(jnp.maximum(0.5 * (t - z), 0.5 * (z - t)), axis=1),
            losses.Poisson: lambda z, t: jnp.mean(nn.softplus(z) - t * jnp.log(nn.softplus(z)), axis=1),
            losses.CrossEntropy: lambda z, t: -jnp.sum(t * nn.log_softmax(z), axis=1),
            losses.BinaryCrossEntropy: lambda z, t: (
                -jnp.sum(t * nn.log_sigmoid(z) + (1 - t) * nn.log_sigmoid(-z), axis=1)
            ),
        }

    def norm(self, H, axis):
        return self.jax.nn.standardize(H, axis=axis, epsilon=1e-5)


@problems
def test_jax_agrees(case):
    library, problem = Jax(), Problem(*case)
    P = {name: library.array(values) for name, values in Named(problem.objective.layout, problem.theta).items()}
    value, gradient = library.jax.value_and_grad(lambda P: loss_of(library.jax.numpy, problem, P, library))(P)
    assert problem.value == pytest.approx(float(value), rel=1e-12)
    for name, ours in problem.names().items():
        if not name.endswith(("mean", "variance")):
            np.testing.assert_allclose(ours, gradient[name], rtol=1e-9, atol=1e-13, err_msg=name)


def test_the_package_itself_runs_under_the_compiler_of_jax():
    """The same lines, compiled: layers, hash and losses use nothing but the array-API standard."""
    library = Jax()
    jax = library.jax
    layers = Sequence(
        (Dense(5, "gelu"), BatchNorm(), Residual((LayerNorm(), Dense(5, "softmax"))), Dense(O, "softmax"))
    )
    objective = Objective(layers, losses.CrossEntropy(), (I,))
    rng = np.random.default_rng(0)
    theta, X, T = rng.normal(size=objective.layout.size), rng.normal(size=(B, I)), np.eye(O)[rng.integers(O, size=B)]
    mode = Mode(training=True)
    compiled = jax.jit(lambda theta, X, T: objective.value_and_gradient(theta, X, T, None, mode))
    value, gradient = compiled(*(library.array(given) for given in (theta, X, T)))
    ours = objective.value_and_gradient(theta, X, T, None, mode)
    assert float(value) == pytest.approx(float(ours[0]), rel=1e-12)
    np.testing.assert_allclose(gradient, ours[1], rtol=1e-9, atol=1e-14)


# ---- torch ----------------------------------------------------------------------------------------------------------


class Torch:
    """torch in float64."""

    def __init__(self):
        self.torch = torch = pytest.importorskip("torch")
        F = torch.nn.functional
        self.array = torch.asarray
        self.activation = {
            "identity": lambda z: z,
            "sigmoid": torch.sigmoid,
            "tanh": torch.tanh,
            "scaled_tanh": lambda z: 1.7159 * torch.tanh(2 * z / 3),
            "relu": F.relu,
            "leaky_relu": F.leaky_relu,
            "elu": F.elu,
            "selu": F.selu,
            "gelu": lambda z: F.gelu(z, approximate="tanh"),
            "silu": F.silu,
            "softplus": F.softplus,
            "exp": torch.exp,
            "softmax": lambda z: F.softmax(z, dim=1),
        }
        each = {"reduction": "none"}
        self.rows = {
            losses.HalfSquaredError: lambda z, t: F.mse_loss(z, t, **each).sum(1) / 2,
            losses.MeanSquaredError: lambda z, t: F.mse_loss(z, t, **each).mean(1),
            losses.MeanAbsoluteError: lambda z, t: F.l1_loss(z, t, **each).mean(1),
            losses.Huber: lambda z, t: F.huber_loss(z, t, **each).mean(1),
            losses.Quantile: lambda z, t: F.l1_loss(z, t, **each).mean(1) / 2,
            losses.Poisson: lambda z, t: F.poisson_nll_loss(F.softplus(z), t, log_input=False, eps=0, **each).mean(1),
            losses.CrossEntropy: lambda z, t: F.cross_entropy(z, t, **each),
            losses.BinaryCrossEntropy: lambda z, t: F.binary_cross_entropy_with_logits(z, t, **each).sum(1),
        }

    def norm(self, H, axis):
        F = self.torch.nn.functional
        return F.batch_norm(H, None, None, training=True) if axis == 0 else F.layer_norm(H, H.shape[1:])


@problems
def test_torch_agrees(case):
    library, problem = Torch(), Problem(*case)
    named = Named(problem.objective.layout, problem.theta.copy())
    P = {name: library.array(values.copy()).requires_grad_() for name, values in named.items()}
    value = loss_of(library.torch, problem, P, library)
    value.backward()
    assert problem.value == pytest.approx(value.item(), rel=1e-12)
    for name, ours in problem.names().items():
        if not name.endswith(("mean", "variance")):
            np.testing.assert_allclose(ours, P[name].grad, rtol=1e-9, atol=1e-13, err_msg=name)
