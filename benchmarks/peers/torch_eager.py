"""PyTorch without its compiler: a module, its own loss, its own optimiser, `backward` and `step`.

At its best: the rows are put in order once an epoch, so that batches are views; of the optimisers' ways the fastest on
a CPU: Adam fused, SGD over all parameters at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.peers import Race
from benchmarks.problems import flat, numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.problems import Numbers, Problem


def steps(problem: Problem, *, threads: int = 0) -> Race:
    import torch

    given = numbers(problem)
    use(threads)
    network, batches = _network(problem, given), batches_of(problem, given)
    loss_of, optimizer = loss(problem), _optimizer(problem, network)

    def epoch() -> float:
        total = 0.0
        for X, T in batches():
            optimizer.zero_grad()
            value = loss_of(network(X), T)
            value.backward()
            optimizer.step()
            total += value.item()
        return total / problem.steps

    linear = [layer for layer in network if isinstance(layer, torch.nn.Linear)]
    return Race(
        epoch,
        lambda: flat([layer.weight.detach().numpy().T for layer in linear], [layer.bias.detach() for layer in linear]),
        torch.__version__,
    )


def predict(problem: Problem) -> Race:
    import torch

    given = numbers(problem)
    network, X = _network(problem, given), torch.from_numpy(given.X)

    def outputs() -> Any:
        with torch.inference_mode():
            return torch.softmax(network(X), dim=1).numpy()

    return Race(outputs, outputs, torch.__version__)


def use(threads: int) -> None:
    """So many threads; 0: as many as PyTorch takes by itself."""
    import torch

    if threads:
        torch.set_num_threads(threads)


def batches_of(problem: Problem, given: Numbers) -> Callable[[], Iterator[tuple[Any, Any]]]:
    """The rows of each step of an epoch, from the data in order; the targets are labels where there are classes."""
    import torch

    X, order = torch.from_numpy(given.X), torch.from_numpy(given.order)
    T = torch.from_numpy(given.y if problem.loss == "cross_entropy" else given.T)
    if problem.full:
        return lambda: iter([(X, T)] * problem.steps)
    return lambda: zip(X[order].split(problem.batch), T[order].split(problem.batch), strict=True)


def loss(problem: Problem) -> Callable[[Any, Any], Any]:
    """The loss of outputs, which are logits where it is cross-entropy, and targets."""
    from torch.nn import functional

    if problem.loss == "cross_entropy":
        return functional.cross_entropy
    if problem.loss == "binary_cross_entropy":
        return functional.binary_cross_entropy_with_logits
    return lambda Y, T: 0.5 * functional.mse_loss(Y, T, reduction="sum") / len(T)


def _network(problem: Problem, given: Numbers) -> Any:
    import torch
    from torch import nn

    hidden = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}[problem.activation]
    layers: list[Any] = []
    for W, b in zip(given.weights, given.biases, strict=True):
        layer = nn.Linear(*W.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(W.T.copy()))
            layer.bias.copy_(torch.from_numpy(b))
        layers += [layer, hidden()]
    last = [nn.Sigmoid()] if problem.loss == "half_squared_error" else []
    return nn.Sequential(*layers[:-1], *last)


def _optimizer(problem: Problem, network: Any) -> Any:
    from torch import optim

    if problem.optimizer == "adam":
        return optim.Adam(network.parameters(), lr=problem.rate, fused=True)
    momentum = 0.9 if problem.optimizer == "momentum" else 0.0
    return optim.SGD(network.parameters(), lr=problem.rate, momentum=momentum, foreach=True)
