"""The worked example that everybody checks against: the gradient of every weight, one step, ten thousand steps.

`chainrule example worked-example` prints every figure of the article beside the one published.
"""

import chainrule as cr
from chainrule.initializers import Constant, Given

net = cr.Network(
    [
        cr.Dense(2, "sigmoid", init=Given([[0.15, 0.25], [0.20, 0.30]]), bias_init=Constant(0.35), frozen=("b",)),
        cr.Dense(2, "sigmoid", init=Given([[0.40, 0.50], [0.45, 0.55]]), bias_init=Constant(0.60), frozen=("b",)),
    ],
    loss="half_squared_error",
    dtype="float64",
    n_inputs=2,
)
x, t = [[0.05, 0.10]], [[0.01, 0.99]]

error, gradient = net.loss_and_gradient(x, t)
print(f"E {error:.9f}, dE/dw5 {gradient['dense_2.W'][0, 0]:.9f}, dE/dw1 {gradient['dense_1.W'][0, 0]:.9f}")
for steps in (1, 9_999):
    net.fit(x, t, epochs=steps, optimizer=cr.SGD(0.5))
    print(f"after {steps:,} more steps: E {net.evaluate_loss(x, t):.9f}, outputs {net.forward(x)[0]}")
