"""JAX on MNIST: an epoch compiled, its steps in a `scan`, Adam by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from benchmarks.scripts.pictures import BATCH, HIDDEN, RATE, main

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.scripts.pictures import Options, Pictures


def train(pictures: Pictures, options: Options) -> Iterator[float]:
    X, y, X_test, y_test = map(jnp.asarray, pictures)
    first, second, shuffles = jax.random.split(jax.random.key(options.seed), 3)
    params = [_layer(first, 784, HIDDEN), _layer(second, HIDDEN, 10)]
    state = (params, jax.tree.map(jnp.zeros_like, params), jax.tree.map(jnp.zeros_like, params), jnp.zeros(()))
    epoch, score = jax.jit(_epoch, donate_argnums=0), jax.jit(_accuracy)
    while True:
        shuffles, key = jax.random.split(shuffles)
        state = epoch(state, jax.random.permutation(key, len(X)), X, y)
        yield float(score(state[0], X_test, y_test))


def _layer(key: Any, inputs: int, outputs: int) -> Any:
    bound = (6 / (inputs + outputs)) ** 0.5
    return jax.random.uniform(key, (inputs, outputs), minval=-bound, maxval=bound), jnp.zeros(outputs)


def _logits(params: Any, X: Any) -> Any:
    (W, b), (V, c) = params
    return jax.nn.relu(X @ W + b) @ V + c


def _accuracy(params: Any, X: Any, y: Any) -> Any:
    return (_logits(params, X).argmax(axis=1) == y).mean()


def _loss(params: Any, X: Any, y: Any) -> Any:
    return -jax.nn.log_softmax(_logits(params, X))[jnp.arange(len(y)), y].mean()


def _epoch(state: Any, order: Any, X: Any, y: Any) -> Any:
    whole = len(order) // BATCH * BATCH
    state, _ = jax.lax.scan(lambda s, rows: (_step(s, X[rows], y[rows]), None), state, order[:whole].reshape(-1, BATCH))
    return _step(state, X[order[whole:]], y[order[whole:]]) if whole < len(order) else state


def _step(state: Any, X: Any, y: Any) -> Any:
    params, m, v, t = state
    grads, over, t = jax.grad(_loss)(params, X, y), jax.tree.map, t + 1
    m = over(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
    v = over(lambda v, g: 0.999 * v + 0.001 * g * g, v, grads)
    pace, root = RATE / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
    return over(lambda p, m, v: p - pace * m / (jnp.sqrt(v) / root + 1e-8), params, m, v), m, v, t


if __name__ == "__main__":
    main(train)
