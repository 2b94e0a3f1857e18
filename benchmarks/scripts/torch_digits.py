"""PyTorch on the digits: 64-32-16-10, sigmoid, one row at a time."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from benchmarks.scripts.digits_rows import RATE, main


def train(X: Any, y: Any, X_test: Any, y_test: Any, epochs: int) -> float:
    torch.manual_seed(0)
    torch.set_num_threads(1)  # a second thread only costs here
    X, y, X_test, y_test = map(torch.from_numpy, (X, y, X_test, y_test))
    network = nn.Sequential(nn.Linear(64, 32), nn.Sigmoid(), nn.Linear(32, 16), nn.Sigmoid(), nn.Linear(16, 10))
    loss_of, optimizer = nn.CrossEntropyLoss(), torch.optim.SGD(network.parameters(), lr=RATE)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(1):
            optimizer.zero_grad()
            loss_of(network(X[rows]), y[rows]).backward()
            optimizer.step()
    with torch.inference_mode():
        return (network(X_test).argmax(dim=1) == y_test).float().mean().item()


if __name__ == "__main__":
    main(train)
