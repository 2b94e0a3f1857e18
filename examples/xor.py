"""Exclusive or with a hidden layer and without, as in "Backpropagation from scratch with Python".

The network is that of `chainrule.examples.bias_trick`; `chainrule example xor` also draws the plots.
"""

import sys

import numpy as np

from chainrule.examples.bias_trick import network, train, with_ones

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = np.array([[0.0], [1.0], [1.0], [0.0]])
epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000

for sizes in ([2, 2, 1], [2, 1]):
    print("[INFO] training", "-".join(map(str, sizes)))
    nn = network(sizes, seed=1)
    train(nn, with_ones(X), y, alpha=0.5, epochs=epochs, display=2_000)
    for x, target, prediction in zip(X, y, nn.predict(with_ones(X)), strict=True):
        step = int(prediction > 0.5)
        print(f"[INFO] data={x}, ground-truth={target[0]:.0f}, pred={prediction:.4f}, step={step}")
