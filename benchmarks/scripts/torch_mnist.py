"""PyTorch on MNIST: a module, Adam, the rows in a new order each epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from benchmarks.scripts.pictures import BATCH, HIDDEN, RATE, main

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.scripts.pictures import Options, Pictures


def train(pictures: Pictures, options: Options) -> Iterator[float]:
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    X, y, X_test, y_test = map(torch.from_numpy, pictures)
    network = nn.Sequential(nn.Linear(784, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10))
    loss_of, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(network.parameters(), lr=RATE, fused=True)
    while True:
        for rows in torch.randperm(len(X)).split(BATCH):
            optimizer.zero_grad()
            loss_of(network(X[rows]), y[rows]).backward()
            optimizer.step()
        with torch.inference_mode():
            yield (network(X_test).argmax(dim=1) == y_test).float().mean().item()


if __name__ == "__main__":
    main(train)
