"""A classifier from a CSV with the label first: I-256-64-K, gradients summed over the batch, learning rate 0.01.

Without a CSV of your own it takes the built-in digits. `chainrule example csv-classifier` also looks at the network
before the first step, compares better settings, and draws the losses.
"""

import sys

import numpy as np

import chainrule as cr
from chainrule.tables import load_dataset, read_table

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 30
table = read_table(sys.argv[2]) if len(sys.argv) > 2 else load_dataset("digits").select("digit", "^pixel.*$")

labels, X = table[:, 0].to_numpy(), table[:, 1:].to_numpy().astype("float64")
X = (X - X.min()) / (X.max() - X.min())  # one minimum and maximum for the whole matrix
K = len(np.unique(labels))

net = cr.Network(
    [
        cr.Dense(256, "sigmoid", init="normal", bias_init="uniform"),
        cr.Dense(64, "sigmoid", init="normal", bias_init="uniform"),
        cr.Dense(K, "softmax", init="normal", bias_init="uniform"),
    ],
    loss=cr.losses.CrossEntropy(reduction="sum"),
    dtype="float64",
)
losses = net.fit(X, labels, epochs=epochs, batch_size=32, shuffle=False, optimizer=cr.SGD(0.01))["loss"]
print("loss per row by epoch:", " ".join(f"{loss / len(X):.4f}" for loss in losses))

predictions = net.predict(X)
print(f"accuracy of the rows trained on: {(predictions == labels).mean():.2%}")
