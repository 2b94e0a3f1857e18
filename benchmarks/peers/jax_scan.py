"""JAX: a whole epoch compiled by `jit`, its steps in a `scan`, the gradient by `value_and_grad`.

The state is donated, so that it is updated in place; nothing leaves the compiled code but the mean of the losses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.peers import Race
from benchmarks.problems import flat, numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.problems import Problem


def steps(problem: Problem, *, unroll: int = 1, gather: bool = False) -> Race:
    """A race.

    Args:
        problem: what to train.
        unroll: steps in the body of the loop.
        gather: whether the rows are put in order once an epoch, not batch by batch.
    """
    import jax
    import jax.numpy as jnp

    given = numbers(problem)
    params = [(jnp.asarray(W), jnp.asarray(b)) for W, b in zip(given.weights, given.biases, strict=True)]
    first, second = (jax.tree.map(jnp.zeros_like, params) for _ in range(2))
    state = (params, first, second, jnp.zeros((), jnp.float32))
    X, T = jnp.asarray(given.X), jnp.asarray(given.T)
    batches = None if problem.full else jnp.asarray(given.order.reshape(problem.steps, problem.batch))
    compiled = jax.jit(_epoch(problem, unroll, gather=gather), donate_argnums=0)

    def epoch() -> float:
        nonlocal state
        state, loss = compiled(state, batches, X, T)
        return float(loss)

    return Race(epoch, lambda: flat([W for W, _ in state[0]], [b for _, b in state[0]]), jax.__version__)


def _epoch(problem: Problem, unroll: int, *, gather: bool) -> Callable[..., Any]:
    import jax

    value_and_grad = jax.value_and_grad(lambda params, X, T: _loss(problem, params, X, T))

    def epoch(state: Any, batches: Any, X: Any, T: Any) -> Any:
        def step(state: Any, rows: Any) -> Any:
            batch = (X, T) if problem.full else rows if gather else (X[rows], T[rows])
            loss, grads = value_and_grad(state[0], *batch)
            return _update(problem, state, grads), loss

        given = (X[batches], T[batches]) if gather and not problem.full else batches
        state, losses = jax.lax.scan(step, state, given, length=problem.steps, unroll=min(unroll, problem.steps))
        return state, losses.mean()

    return epoch


def _loss(problem: Problem, params: Any, X: Any, T: Any) -> Any:
    import jax
    import jax.numpy as jnp

    hidden = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}[problem.activation]
    *inner, (W, b) = params
    for V, c in inner:
        X = hidden(X @ V + c)
    Z = X @ W + b
    if problem.loss == "cross_entropy":
        return -jnp.mean(jnp.sum(T * jax.nn.log_softmax(Z), axis=1))
    if problem.loss == "binary_cross_entropy":
        return jnp.mean(jnp.sum(jax.nn.softplus(Z) - T * Z, axis=1))
    Y = Z if problem.loss == "least_squares" else jax.nn.sigmoid(Z)
    return 0.5 * jnp.mean(jnp.sum((Y - T) ** 2, axis=1))


def _update(problem: Problem, state: Any, grads: Any) -> Any:
    import jax
    import jax.numpy as jnp

    params, m, v, t = state
    rate, over = problem.rate, jax.tree.map
    if problem.optimizer == "adam":
        t = t + 1
        m = over(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
        v = over(lambda v, g: 0.999 * v + 0.001 * g * g, v, grads)
        pace, root = rate / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
        params = over(lambda p, m, v: p - pace * m / (jnp.sqrt(v) / root + 1e-8), params, m, v)
        return params, m, v, t
    if problem.optimizer == "momentum":
        m = over(lambda m, g: 0.9 * m - rate * g, m, grads)
        return over(lambda p, m: p + m, params, m), m, v, t
    return over(lambda p, g: p - rate * g, params, grads), m, v, t
