"""One step of gradient descent on three flowers, as in "Basics of Deep Learning", and the steps after it.

`chainrule example three-flowers` also prints every array of the step and takes it in plain Python.
"""

import sys

import chainrule as cr
from chainrule.examples.three_flowers import flowers

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
x, y, x_other, y_other = flowers()

net = cr.Network(
    [cr.Dense(4, "sigmoid", bias=False, init="normal"), cr.Dense(3, "sigmoid", bias=False, init="normal")],
    loss="half_squared_error",  # the mean over N rows of 1/2 sum (p - y)^2: the document's MSE
    dtype="float64",
    n_inputs=4,
)
mse, gradient = net.loss_and_gradient(x, y)
print(f"MSE before: {mse:.9f}; gradients {gradient['dense_1.W'].shape} and {gradient['dense_2.W'].shape}")

net.fit(x, y, epochs=1, batch_size=None, optimizer=cr.SGD(1.0))
print(f"MSE after:  {net.evaluate_loss(x, y):.9f}")

stop = cr.EarlyStopping(patience=1000)
history = net.fit(
    x, y, epochs=epochs, batch_size=None, optimizer=cr.SGD(1.0), validation=(x_other, y_other), early_stopping=stop
)
right = net.predict(x_other).argmax(axis=1) == y_other.argmax(axis=1)
print(f"{history}\n{right.mean():.1%} of the other 147 flowers recognised")
