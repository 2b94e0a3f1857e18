"""PyTorch without its compiler: a module, its own loss, its own optimiser, `backward` and `step`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.peers import Race
from benchmarks.problems import flat, numbers

if TYPE_CHECKING:
    from benchmarks.problems import Numbers, Problem


def steps(problem: Problem) -> Race:
    import torch

    given = numbers(problem)
    network = _network(problem, given)
    X, order = torch.from_numpy(given.X), torch.from_numpy(given.order)
    labels = problem.loss == "cross_entropy"
    T = torch.from_numpy(given.y if labels else given.T)
    loss_of, optimizer = _loss(problem), _optimizer(problem, network)

    def epoch() -> float:
        total = 0.0
        for first in range(0, len(order), problem.batch):
            rows = order[first : first + problem.batch]
            optimizer.zero_grad()
            loss = loss_of(network(X[rows]), T[rows])
            loss.backward()
            optimizer.step()
            total += loss.item()
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


def _network(problem: Problem, given: Numbers) -> Any:
    import torch
    from torch import nn

    layers: list[Any] = []
    for W, b in zip(given.weights, given.biases, strict=True):
        layer = nn.Linear(*W.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(W.T.copy()))
            layer.bias.copy_(torch.from_numpy(b))
        layers += [layer, nn.ReLU() if problem.activation == "relu" else nn.Sigmoid()]
    last = [nn.Sigmoid()] if problem.loss == "half_squared_error" else []  # the others take logits
    return nn.Sequential(*layers[:-1], *last)


def _loss(problem: Problem) -> Any:
    from torch.nn import functional

    if problem.loss == "cross_entropy":
        return functional.cross_entropy
    if problem.loss == "binary_cross_entropy":
        return functional.binary_cross_entropy_with_logits
    return lambda Y, T: 0.5 * functional.mse_loss(Y, T, reduction="sum") / len(T)


def _optimizer(problem: Problem, network: Any) -> Any:
    from torch import optim

    if problem.optimizer == "adam":
        return optim.Adam(network.parameters(), lr=problem.rate)
    return optim.SGD(network.parameters(), lr=problem.rate, momentum=0.9 if problem.optimizer == "momentum" else 0.0)
