"""PyTorch with its compiler: forward, gradient and update of a step as one compiled function.

That is faster than what people usually compile, a module between an eager `backward` and an eager optimiser: on a CPU
most of a small step is what Python does between its parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.peers import Race, Unable
from benchmarks.peers.torch_eager import batches_of, loss, use
from benchmarks.problems import flat, numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.problems import Problem


def steps(problem: Problem, *, threads: int = 0) -> Race:
    import torch

    use(threads)
    given = numbers(problem)
    batches, layers = batches_of(problem, given), len(given.weights)
    params = [torch.from_numpy(each.copy()) for each in [*given.weights, *given.biases]]
    slots = [[torch.zeros_like(p) for p in params] for _ in range(2)]
    taken = torch.zeros(())
    step = torch.compile(_step(problem), fullgraph=True)

    def epoch() -> float:
        total = 0.0
        for X, T in batches():
            taken.add_(1)
            total += step(params, *slots, taken, X, T).item()
        return total / problem.steps

    try:
        step([p.clone() for p in params], *[[s.clone() for s in each] for each in slots], taken + 1, *next(batches()))
    except torch._dynamo.exc.TorchDynamoException as fault:  # noqa: SLF001 - where PyTorch keeps this class
        raise Unable(f"its compiler fails: {type(fault).__name__}") from None
    return Race(epoch, lambda: flat(params[:layers], params[layers:]), torch.__version__)


def _step(problem: Problem) -> Callable[..., Any]:
    import torch

    hidden = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}[problem.activation]
    loss_of, layers = loss(problem), len(problem.sizes) - 1

    def value_of(params: list[Any], X: Any, T: Any) -> Any:
        *inner, (W, b) = zip(params[:layers], params[layers:], strict=True)
        for V, c in inner:
            X = hidden(torch.addmm(c, X, V))
        Z = torch.addmm(b, X, W)
        return loss_of(torch.sigmoid(Z) if problem.loss == "half_squared_error" else Z, T)

    def step(params: list[Any], first: list[Any], second: list[Any], taken: Any, X: Any, T: Any) -> Any:
        grads, value = torch.func.grad_and_value(value_of)(params, X, T)
        _update(problem, params, first, second, taken, grads)
        return value

    return step


def _update(problem: Problem, params: list[Any], first: list[Any], second: list[Any], taken: Any, grads: Any) -> None:
    """In place; `taken` counts this step too."""
    rate = problem.rate
    for p, m, v, g in zip(params, first, second, grads, strict=True):
        if problem.optimizer == "adam":
            m.mul_(0.9).add_(g, alpha=0.1)
            v.mul_(0.999).addcmul_(g, g, value=0.001)
            p.sub_(rate / (1 - 0.9**taken) * m / ((v / (1 - 0.999**taken)).sqrt() + 1e-8))
        elif problem.optimizer == "momentum":
            m.mul_(0.9).sub_(g, alpha=rate)
            p.add_(m)
        else:
            p.sub_(g, alpha=rate)
