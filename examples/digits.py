"""The 8 x 8 digits, 64-32-16-10, as in "Backpropagation from scratch with Python": two minutes for all 1000 epochs.

The network is that of `chainrule.examples.bias_trick`; `chainrule example digits` also draws the plots.
"""

import sys

import numpy as np

from chainrule.examples.bias_trick import network, train, with_ones
from chainrule.scores import score_classes
from chainrule.tables import load_dataset

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000

table = load_dataset("digits")
data, target = table.drop("digit").to_numpy().astype("float64"), table["digit"].to_numpy()
data = (data - data.min()) / (data.max() - data.min())

order = np.random.default_rng(2).permutation(len(data))
test, training = order[:450], order[450:]

nn = network([64, 32, 16, 10], seed=2)
train(nn, with_ones(data[training]), np.eye(10)[target[training]], alpha=0.1, epochs=epochs, display=100)

predictions = nn.predict(with_ones(data[test])).argmax(axis=1)
print(score_classes(target[test], predictions, range(10)))
