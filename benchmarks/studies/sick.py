"""Sick trainings, each planted on purpose: for each rule of diagnosis at least five ways to make it speak."""

from __future__ import annotations

import contextlib
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import chainrule as cr
from chainrule.insight.diagnosis import Diagnosis, Findings, diagnose
from chainrule.tables import describe, load_dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chainrule.layers import AnyLayer

    Make = Callable[[], Findings]


class Case(NamedTuple):
    """A training that is sick in one way, and the rule that must say so."""

    rule: str
    name: str
    find: Make


class Table(NamedTuple):
    """Scaled inputs, classes or values, and the inputs as they are in the file."""

    X: Any
    y: Any
    raw: Any


@cache
def table(name: str) -> Table:
    """A built-in table of numbers."""
    frame, target = load_dataset(name), describe(name).target
    raw = frame.drop(target).to_numpy().astype(float)
    std = raw.std(axis=0)
    y = frame[target].to_numpy()
    y = y.astype(float) if describe(name).task == "regression" else np.unique(y, return_inverse=True)[1]
    return Table((raw - raw.mean(axis=0)) / np.where(std > 0, std, 1), y, raw)


def network(
    sizes: tuple[int, ...], f: str = "relu", head: str = "softmax", loss: str = "cross_entropy", **options: Any
) -> cr.Network:
    """Dense layers; what is not an option of the network is one of each layer."""
    of_network = {name: options.pop(name) for name in ("seed", "l1", "l2", "dtype") if name in options}
    hidden: list[AnyLayer] = [cr.Dense(units, f, **options) for units in sizes[:-1]]
    return cr.Network([*hidden, cr.Dense(sizes[-1], head, **options)], loss, **of_network)


def watched(net: cr.Network, X: Any, y: Any, **options: Any) -> Findings:
    """What is found while it trains."""
    watching = Diagnosis()
    with contextlib.suppress(cr.DivergenceError):
        net.fit(X, y, callbacks=[watching], **options)
    return watching.findings


def looked(net: cr.Network, X: Any, y: Any, **options: Any) -> Findings:
    """What is found before a step is taken."""
    return diagnose(net, X, y, **options)


def normal(std: float) -> Any:
    """Weights without regard to the fan-in."""
    return cr.initializers.Normal(std)


def cases() -> Iterator[Case]:
    """Every planted sickness."""
    for rule, variants in PLANTED.items():
        for name, find in variants().items():
            yield Case(rule, name, find)


# ---- inputs and targets ---------------------------------------------------------------------------------------------


def _inputs_not_scaled() -> dict[str, Make]:
    found: dict[str, Make] = {}
    for name in ("wine", "breast_cancer"):
        data = table(name)
        K = int(data.y.max()) + 1
        found[f"{name} as in the file"] = partial(looked, network((32, K)), data.raw, data.y)
        found[f"{name} as in the file, trained"] = partial(
            watched, network((32, K), "tanh"), data.raw, data.y, epochs=5
        )
    digits, iris, moons = table("digits"), table("iris"), table("moons")
    found["pixels up to 255"] = partial(looked, network((32, 10)), digits.raw * 16, digits.y)
    found["a year among measures"] = partial(
        looked, network((16, 3)), np.column_stack([iris.X, 2000 + np.arange(150) % 20]), iris.y
    )
    found["micrometres"] = partial(looked, network((16, 3)), iris.raw * 1e4, iris.y)
    found["far too small"] = partial(looked, network((16, 2)), moons.X * 1e-4, moons.y)
    found["one input a million times larger"] = partial(looked, network((16, 2)), moons.X * [1, 1e6], moons.y)
    return found


def _class_imbalance() -> dict[str, Make]:
    found: dict[str, Make] = {}
    for name, rare, kept in (
        ("iris", 1, 3),
        ("digits", 8, 5),
        ("wine", 2, 3),
        ("breast_cancer", 0, 15),
        ("moons", 1, 8),
    ):
        data = table(name)
        rows = np.sort(np.concatenate([np.flatnonzero(data.y != rare), np.flatnonzero(data.y == rare)[:kept]]))
        net = network((16, int(data.y.max()) + 1))
        found[f"{kept} rows of class {rare} of {name}"] = partial(looked, net, data.X[rows], data.y[rows])
        found[f"the same, trained: {name}"] = partial(
            watched, network((16, int(data.y.max()) + 1), seed=1), data.X[rows], data.y[rows], epochs=10
        )
    return found


def _targets_not_scaled() -> dict[str, Make]:
    sine, iris = table("sine"), table("iris")
    head = {"head": "identity", "loss": "mean_squared_error"}
    return {
        f"{words}": partial(looked, network((16, 1), **head), X, y)
        for words, X, y in (
            ("sine times 100", sine.X, 100 * sine.y),
            ("sine plus 1000", sine.X, sine.y + 1000),
            ("prices in cents", iris.X[:, :3], iris.raw[:, 3] * 1e5),
            ("far too small", sine.X, 1e-4 * sine.y),
            ("a temperature in kelvin", iris.X[:, 1:], 273 + iris.raw[:, 0]),
        )
    }


def _targets_out_of_reach() -> dict[str, Make]:
    sine = table("sine")
    found = {
        f"{f} for a sine of size {size}": partial(
            looked, network((16, 1), head=f, loss="mean_squared_error"), sine.X, size * sine.y
        )
        for f, size in (("sigmoid", 1), ("relu", 1), ("softplus", 1), ("tanh", 3), ("scaled_tanh", 4), ("elu", 4))
    }
    return found | {
        "trained": partial(watched, network((16, 1), head="sigmoid", loss="huber"), sine.X, sine.y, epochs=3)
    }


def _sorted_rows() -> dict[str, Make]:
    found: dict[str, Make] = {}
    for name in ("iris", "wine", "digits", "breast_cancer", "moons", "sine"):
        data = table(name)
        order = np.argsort(data.y, kind="stable")
        values = name == "sine"
        head = {"head": "identity", "loss": "mean_squared_error"} if values else {}
        net = network((16, 1 if values else int(data.y.max()) + 1), **head)
        found[name] = partial(watched, net, data.X[order], data.y[order], epochs=3, shuffle=False)
    return found


def _constant_inputs() -> dict[str, Make]:
    found: dict[str, Make] = {}
    for name in ("iris", "wine", "moons", "digits"):
        data = table(name)
        wide = np.column_stack([data.X, np.full(len(data.X), 1.0)])
        found[name] = partial(looked, network((16, int(data.y.max()) + 1)), wide, data.y)
    iris = table("iris")
    found["all of them"] = partial(looked, network((16, 3)), np.ones((150, 3)), iris.y)
    return found


def _duplicate_inputs() -> dict[str, Make]:
    found: dict[str, Make] = {}
    for name in ("iris", "wine", "moons", "breast_cancer", "spirals"):
        data = table(name)
        twice = np.column_stack([data.X, data.X[:, 0]])
        found[name] = partial(looked, network((16, int(data.y.max()) + 1)), twice, data.y)
    return found


def _leaked_target() -> dict[str, Make]:
    found: dict[str, Make] = {}
    for name in ("moons", "circles", "breast_cancer", "spirals", "sine"):
        data = table(name)
        leaked = np.column_stack([data.X, 2 * data.y - 1 if name != "sine" else 3 * data.y])
        values = name == "sine"
        head = {"head": "identity", "loss": "mean_squared_error"} if values else {}
        found[name] = partial(looked, network((16, 1 if values else 2), **head), leaked, data.y)
    return found


def _contradicting_rows() -> dict[str, Make]:
    found: dict[str, Make] = {}
    for name in ("iris", "wine", "moons", "digits", "breast_cancer"):
        data = table(name)
        K, n = int(data.y.max()) + 1, len(data.y) // 8
        X, y = np.vstack([data.X[:n], data.X]), np.concatenate([(data.y[:n] + 1) % K, data.y])
        found[name] = partial(looked, network((16, K)), X, y)
    return found


# ---- architecture ---------------------------------------------------------------------------------------------------


def _linear_network() -> dict[str, Make]:
    digits, moons = table("digits"), table("moons")
    return {
        "64-32-10": partial(looked, network((32, 10), "identity"), digits.X, digits.y),
        "two hidden layers": partial(watched, network((32, 16, 2), "identity"), moons.X, moons.y, epochs=3),
        "the second only": partial(
            looked, cr.Network([cr.Dense(16, "relu"), cr.Dense(16), cr.Dense(2, "softmax")]), moons.X, moons.y
        ),
        "dropout between": partial(
            looked, cr.Network([cr.Dense(16), cr.Dropout(0.2), cr.Dense(2, "softmax")]), moons.X, moons.y
        ),
        "inside of a residual": partial(
            looked,
            cr.Network([cr.Dense(8, "relu"), cr.Residual([cr.Dense(8), cr.Dense(8)]), cr.Dense(2, "softmax")]),
            moons.X,
            moons.y,
        ),
        "identity apart": partial(
            looked, cr.Network([cr.Dense(16), cr.Activation("identity"), cr.Dense(2, "softmax")]), moons.X, moons.y
        ),
    }


def _output_mismatch() -> dict[str, Make]:
    moons, iris = table("moons"), table("iris")
    found: dict[str, Make] = {
        f"{loss} of {head}, {units}": partial(looked, network((16, units), head=head, loss=loss), data.X, data.y)
        for units, head, loss, data in (
            (1, "softmax", "mean_squared_error", moons),
            (1, "softmax", "binary_cross_entropy", moons),
            (1, "sigmoid", "half_squared_error", moons),
            (3, "softmax", "mean_squared_error", iris),
            (3, "sigmoid", "mean_squared_error", iris),
            (3, "sigmoid", "cross_entropy", iris),
            (3, "relu", "cross_entropy", iris),
            (3, "identity", "cross_entropy", iris),
            (1, "identity", "binary_cross_entropy", moons),
            (1, "tanh", "binary_cross_entropy", moons),
            (1, "identity", "poisson", moons),
        )
    }
    after = cr.Network([cr.Dense(3, "softmax"), cr.Dropout(0.1)])
    return found | {"dropout between softmax and loss": partial(looked, after, iris.X, iris.y)}


def _batch_norm_of_one_row() -> dict[str, Make]:
    iris, moons = table("iris"), table("moons")

    def normed(K: int, f: str = "relu") -> cr.Network:
        return cr.Network([cr.Dense(16), cr.BatchNorm(), cr.Activation(f), cr.Dense(K, "softmax")])

    return {
        "iris": partial(watched, normed(3), iris.X, iris.y, batch_size=1, epochs=2),
        "moons": partial(looked, normed(2, "tanh"), moons.X, moons.y, batch_size=1),
        "first layer": partial(
            looked, cr.Network([cr.BatchNorm(), cr.Dense(2, "softmax")]), moons.X, moons.y, batch_size=1
        ),
        "inside of a residual": partial(
            looked,
            cr.Network([cr.Dense(8, "relu"), cr.Residual([cr.BatchNorm(), cr.Dense(8)]), cr.Dense(2, "softmax")]),
            moons.X,
            moons.y,
            batch_size=1,
        ),
        "a last batch of one row": partial(watched, normed(3), iris.X[:129], iris.y[:129], batch_size=32, epochs=2),
    }


def _others_of_architecture() -> dict[str, dict[str, Make]]:
    iris, digits = table("iris"), table("digits")
    dropped = {
        f"at the end, {rate}": cr.Network([cr.Dense(8, "relu"), cr.Dense(3, "softmax"), cr.Dropout(rate)])
        for rate in (0.1, 0.5)
    }
    dropped |= {
        f"rate {rate}": cr.Network([cr.Dense(32, "relu"), cr.Dropout(rate), cr.Dense(3, "softmax")])
        for rate in (0.8, 0.9, 0.95)
    }
    frozen = {
        f"{sizes}, {f}": network(sizes, f, frozen=("W", "b"))
        for sizes in ((8, 3), (16, 8, 3), (3,))
        for f in ("relu", "tanh")
    }
    inside = {
        f"{units} units": cr.Network([cr.Dense(units, "softmax"), cr.Dense(3, "softmax")]) for units in (4, 8, 16, 64)
    }
    inside["apart"] = cr.Network([cr.Dense(8), cr.Activation("softmax"), cr.Dense(3, "softmax")])
    narrow = {
        f"{units} {f}": network((64, units, 10), f)
        for units, f in ((1, "relu"), (2, "tanh"), (3, "relu"), (1, "tanh"), (2, "sigmoid"))
    }
    summed = {
        f"{loss}, batch {B}": (cr.losses.get(loss).__class__(reduction="sum"), B)
        for loss, B in (
            ("cross_entropy", 32),
            ("cross_entropy", 128),
            ("half_squared_error", 32),
            ("mean_squared_error", 64),
            ("cross_entropy", 8),
        )
    }

    def each(nets: dict[str, cr.Network], data: Table) -> dict[str, Make]:
        return {name: partial(looked, net, data.X, data.y) for name, net in nets.items()}

    return {
        "misplaced_dropout": each(dropped, iris),
        "nothing_trained": each(frozen, iris),
        "softmax_inside": each(inside, iris),
        "narrow_layer": each(narrow, digits),
        "summed_loss": {
            name: partial(
                looked,
                cr.Network([cr.Dense(8, "relu"), cr.Dense(3, "softmax")], loss),
                iris.X,
                iris.y,
                optimizer="sgd",
                batch_size=B,
            )
            for name, (loss, B) in summed.items()
        },
    }


# ---- initial weights, activations, gradients ------------------------------------------------------------------------


def _poor_initial_weights() -> dict[str, Make]:
    digits, wine = table("digits"), table("wine")
    found: dict[str, Make] = {
        f"{f}, N(0, {std}^2), 64-256-64-10": partial(
            looked, network((256, 64, 10), f, init=normal(std)), digits.X, digits.y
        )
        for f, std in (("sigmoid", 1.0), ("relu", 1.0), ("tanh", 1.0), ("sigmoid", 2.0), ("relu", 1e-3), ("tanh", 1e-3))
    }
    found["784-256-64-10, N(0, 1)"] = partial(
        looked, network((256, 64, 10), "sigmoid", init=normal(1.0)), np.hstack([digits.X] * 12)[:, :748], digits.y
    )
    found["wine, uniform(-3, 3)"] = partial(
        looked, network((32, 3), init=cr.initializers.Uniform(-3, 3)), wine.X, wine.y
    )
    found["one layer of three"] = partial(
        looked,
        cr.Network([cr.Dense(64, "relu"), cr.Dense(64, "relu", init=normal(1.5)), cr.Dense(10, "softmax")]),
        digits.X,
        digits.y,
    )
    return found


def _initial_loss() -> dict[str, Make]:
    digits, iris = table("digits"), table("iris")
    return {
        "document B": partial(looked, network((256, 64, 10), "sigmoid", init=normal(1.0)), digits.raw / 16, digits.y),
        "relu, N(0, 1)": partial(looked, network((64, 10), init=normal(1.0)), digits.X, digits.y),
        "tanh, N(0, 1)": partial(looked, network((64, 10), "tanh", init=normal(1.0)), digits.X, digits.y),
        "the last layer alone": partial(
            looked, cr.Network([cr.Dense(64, "tanh"), cr.Dense(10, "softmax", init=normal(2.0))]), digits.X, digits.y
        ),
        "iris, N(0, 9)": partial(looked, network((32, 3), init=normal(3.0)), iris.X, iris.y),
    }


def _symmetric_units() -> dict[str, Make]:
    iris, moons, digits = table("iris"), table("moons"), table("digits")
    return {
        f"{f}, {init}": partial(looked, network((16, int(data.y.max()) + 1), f, init=init), data.X, data.y)
        for f, init, data in (
            ("tanh", "zeros", iris),
            ("sigmoid", "zeros", digits),
            ("relu", "ones", iris),
            ("tanh", 0.1, moons),
            ("sigmoid", 0.5, moons),
        )
    }


def _saturated_units() -> dict[str, Make]:
    digits, wine, cancer = table("digits"), table("wine"), table("breast_cancer")
    found: dict[str, Make] = {
        f"{f}, N(0, {std}^2)": partial(looked, network((256, 64, 10), f, init=normal(std)), digits.X, digits.y)
        for f, std in (("sigmoid", 1.0), ("tanh", 1.0), ("scaled_tanh", 1.0), ("sigmoid", 3.0), ("tanh", 0.5))
    }
    found["inputs as in the file: wine"] = partial(looked, network((32, 3), "tanh"), wine.raw, wine.y)
    found["inputs as in the file: breast cancer"] = partial(looked, network((32, 2), "sigmoid"), cancer.raw, cancer.y)
    found["a rate of 50"] = partial(
        watched, network((32, 16, 10), "tanh"), digits.X, digits.y, epochs=5, optimizer=cr.SGD(50.0)
    )
    return found


def _dead_units() -> dict[str, Make]:
    digits, iris, moons = table("digits"), table("iris"), table("moons")
    below = cr.initializers.Constant(-10.0)
    return {
        "biases of -10": partial(looked, network((32, 3), bias_init=below), iris.X, iris.y),
        "biases of -10, gelu": partial(looked, network((32, 2), "gelu", bias_init=below), moons.X, moons.y),
        "a rate of 5": partial(watched, network((32, 16, 10)), digits.X, digits.y, epochs=3, optimizer=cr.SGD(5.0)),
        "a rate of 10": partial(watched, network((32, 16, 10)), digits.X, digits.y, epochs=3, optimizer=cr.SGD(10.0)),
        "Adam at a rate of 3": partial(
            watched, network((32, 16, 3)), iris.X, iris.y, epochs=30, optimizer=cr.Adam(3.0)
        ),
        "negative weights, positive inputs": partial(
            looked, network((32, 10), init=cr.initializers.Uniform(-0.5, -0.01)), digits.raw / 16, digits.y
        ),
        "weights of 0": partial(looked, network((16, 2), init="zeros"), moons.X, moons.y),
    }


def _constant_units() -> dict[str, Make]:
    digits, moons = table("digits"), table("moons")
    found: dict[str, Make] = {
        f"{depth} layers of {f}, N(0, {std}^2)": partial(
            looked, network((32,) * depth + (10,), f, init=normal(std)), digits.X, digits.y
        )
        for depth, f, std in ((5, "sigmoid", 0.01), (8, "sigmoid", 0.05), (4, "sigmoid", 1e-3), (6, "softplus", 0.01))
    }
    found["weights of 0"] = partial(looked, network((16, 2), "sigmoid", init="zeros"), moons.X, moons.y)
    return found


def _vanishing_gradient() -> dict[str, Make]:
    digits, moons, cancer = table("digits"), table("moons"), table("breast_cancer")
    found: dict[str, Make] = {
        f"{depth} layers of sigmoid": partial(looked, network((32,) * depth + (10,), "sigmoid"), digits.X, digits.y)
        for depth in (7, 8, 10, 15)
    }
    found |= {
        f"{depth} layers of {f}, N(0, {std}^2)": partial(
            looked, network((32,) * depth + (2,), f, init=normal(std)), moons.X, moons.y
        )
        for depth, f, std in ((5, "tanh", 0.01), (5, "relu", 0.01), (8, "tanh", 0.02))
    }
    found["trained, 10 layers of sigmoid"] = partial(
        watched, network((16,) * 10 + (2,), "sigmoid"), cancer.X, cancer.y, epochs=5, optimizer="sgd"
    )
    return found


def _exploding_gradient() -> dict[str, Make]:
    digits, sine = table("digits"), table("sine")
    found: dict[str, Make] = {
        f"{depth} layers of {f}, N(0, {std}^2)": partial(
            looked, network((64,) * depth + (10,), f, init=normal(std)), digits.X, digits.y
        )
        for depth, f, std in (
            (6, "relu", 1.0),
            (10, "relu", 0.5),
            (8, "identity", 1.0),
            (12, "elu", 0.5),
            (8, "leaky_relu", 0.6),
        )
    }
    values = {"head": "identity", "loss": "mean_squared_error"}
    found["a rate of 10 for values"] = partial(
        watched, network((32, 1), **values), sine.X, sine.y, epochs=20, optimizer=cr.SGD(10.0)
    )
    found["a rate of 1000 for values, elu"] = partial(
        watched, network((16, 16, 1), "elu", **values), sine.X, sine.y, epochs=20, optimizer=cr.SGD(1e3)
    )
    found["identity, linear regression"] = partial(
        watched, network((1,), **values), sine.X * 100, sine.y, epochs=50, optimizer=cr.SGD(0.1)
    )
    return found


def _update_ratio() -> dict[str, Make]:
    digits, moons = table("digits"), table("moons")
    return {
        f"{type(optimizer).__name__} at {optimizer.rate}": partial(
            looked, network((32, K)), data.X, data.y, optimizer=optimizer
        )
        for optimizer, K, data in (
            (cr.SGD(1e-7), 10, digits),
            (cr.SGD(1e-7), 2, moons),
            (cr.SGD(1e-9), 2, moons),
            (cr.Adam(1e-8), 10, digits),
            (cr.SGD(100.0), 10, digits),
            (cr.Adam(1.0), 10, digits),
            (cr.SGD(1000.0), 2, moons),
            (cr.RMSProp(10.0), 10, digits),
        )
    }


# ---- the course -----------------------------------------------------------------------------------------------------


def _rate_above_curvature() -> dict[str, Make]:
    sine, iris, moons = table("sine"), table("iris"), table("moons")
    values = {"head": "identity", "loss": "mean_squared_error"}
    return {
        f"{words}, rate {rate}": partial(looked, net, X, y, optimizer=cr.SGD(rate), batch_size=len(X))
        for words, net, X, y, rate in (
            ("line", network((1,), **values), sine.X, sine.y, 1.5),
            ("line", network((1,), **values), sine.X * 10, sine.y, 0.1),
            ("line of three inputs", network((1,), **values), iris.X[:, :3], iris.X[:, 3], 2.0),
            ("two layers", network((16, 1), "tanh", **values), sine.X, sine.y, 10.0),
            ("classes", network((16, 2)), moons.X, moons.y, 100.0),
        )
    }


def _learning_rate_too_high() -> dict[str, Make]:
    found: dict[str, Make] = {}
    for name, f, optimizer in (
        ("digits", "relu", cr.SGD(20.0)),
        ("digits", "tanh", cr.SGD(50.0)),
        ("digits", "relu", cr.Adam(1.0)),
        ("iris", "tanh", cr.SGD(50.0)),
        ("iris", "relu", cr.Adam(5.0)),
        ("wine", "relu", cr.SGD(30.0)),
        ("moons", "relu", cr.SGD(100.0)),
        ("spirals", "tanh", cr.SGD(100.0)),
        ("breast_cancer", "relu", cr.SGD(100.0)),
    ):
        data = table(name)
        net = network((32, 16, int(data.y.max()) + 1), f)
        found[f"{name}, {f}, {type(optimizer).__name__} at {optimizer.rate}"] = partial(
            watched, net, data.X, data.y, epochs=20, optimizer=optimizer
        )
    sine = table("sine")
    values = {"head": "identity", "loss": "mean_squared_error"}
    found["sine, SGD at 2"] = partial(
        watched, network((32, 1), **values), sine.X, sine.y, epochs=20, optimizer=cr.SGD(2.0)
    )
    found["sine, Adam at 1"] = partial(
        watched, network((32, 1), "tanh", **values), sine.X, sine.y, epochs=20, optimizer=cr.Adam(1.0)
    )
    return found


def _learning_rate_too_low() -> dict[str, Make]:
    found: dict[str, Make] = {}
    for name, optimizer in (
        ("digits", cr.SGD(1e-4)),
        ("digits", cr.Adam(1e-6)),
        ("iris", cr.SGD(1e-4)),
        ("wine", cr.SGD(1e-4)),
        ("breast_cancer", cr.SGD(1e-5)),
        ("moons", cr.Adam(1e-6)),
        ("iris", cr.RMSProp(1e-6)),
    ):
        data = table(name)
        net = network((32, int(data.y.max()) + 1))
        found[f"{name}, {type(optimizer).__name__} at {optimizer.rate}"] = partial(
            watched, net, data.X, data.y, epochs=20, optimizer=optimizer
        )
    return found


def _loss_not_decreasing() -> dict[str, Make]:
    digits, iris, moons, cancer = table("digits"), table("iris"), table("moons"), table("breast_cancer")
    random = np.random.default_rng(0)
    sgd = cr.SGD(0.01)
    return {
        "ten layers of sigmoid": partial(
            watched, network((16,) * 10 + (10,), "sigmoid"), digits.X, digits.y, epochs=20, optimizer=sgd
        ),
        "twelve layers of sigmoid": partial(
            watched, network((8,) * 12 + (3,), "sigmoid"), iris.X, iris.y, epochs=30, optimizer=sgd
        ),
        "inputs that say nothing": partial(
            watched, network((2,), "tanh"), random.normal(size=(2000, 2)), random.integers(2, size=2000), epochs=20
        ),
        "all dead": partial(
            watched, network((32, 2), bias_init=cr.initializers.Constant(-50.0)), moons.X, moons.y, epochs=30
        ),
        "weights of 0": partial(watched, network((16, 2), init="zeros"), moons.X, moons.y, epochs=30),
        "everything frozen": partial(
            watched, network((8, 2), frozen=("W", "b"), seed=3), cancer.X * 1e-3, cancer.y, epochs=30
        ),
        "a penalty of 10": partial(watched, network((16, 2), l2=10.0), cancer.X, cancer.y, epochs=30),
    }


def _penalty_too_strong() -> dict[str, Make]:
    digits, iris, cancer, sine = table("digits"), table("iris"), table("breast_cancer"), table("sine")
    values = {"head": "identity", "loss": "mean_squared_error"}
    return {
        "l2=10, digits": partial(watched, network((32, 10), l2=10.0), digits.X, digits.y, epochs=10),
        "l2=5, iris": partial(watched, network((16, 3), l2=5.0), iris.X, iris.y, epochs=60),
        "l1=1, breast cancer": partial(watched, network((16, 2), l1=1.0), cancer.X, cancer.y, epochs=20),
        "l2=3, tanh": partial(watched, network((16, 2), "tanh", l2=3.0), cancer.X, cancer.y, epochs=20),
        "l1=0.5, sine": partial(watched, network((16, 1), l1=0.5, **values), sine.X, sine.y, epochs=30),
        "l2=1e4, before a step": partial(looked, network((16, 3), l2=1e4), iris.X, iris.y),
    }


def _overfit() -> dict[str, Make]:
    found: dict[str, Make] = {}
    random = np.random.default_rng(1)
    for name, rows, noise in (
        ("digits", 60, 0.3),
        ("breast_cancer", 60, 0.3),
        ("moons", 40, 0.3),
        ("wine", 60, 0.4),
        ("iris", 75, 0.4),
    ):
        data = table(name)
        K = int(data.y.max()) + 1
        order = random.permutation(len(data.y))
        X, y = data.X[order], data.y[order].copy()
        wrong = random.random(len(y)) < noise
        y[wrong] = random.integers(K, size=int(wrong.sum()))
        found[f"{rows} rows of {name}, {noise:.0%} of the labels drawn anew"] = partial(
            watched,
            network((256, 128, K)),
            X[:rows],
            y[:rows],
            epochs=150,
            validation=(X[rows:], y[rows:]),
            batch_size=16,
        )
    sine = table("sine")
    order = random.permutation(400)
    values = {"head": "identity", "loss": "mean_squared_error"}
    wide = random.normal(size=(400, 30))
    found["30 inputs of noise"] = partial(
        watched,
        network((256, 1), **values),
        np.hstack([sine.X, wide])[order][:60],
        sine.y[order][:60],
        epochs=200,
        validation=(np.hstack([sine.X, wide])[order][60:], sine.y[order][60:]),
    )
    return found


def _other(rule: str) -> Callable[[], dict[str, Make]]:
    return lambda: _others_of_architecture()[rule]


PLANTED: dict[str, Callable[[], dict[str, Make]]] = {
    "inputs_not_scaled": _inputs_not_scaled,
    "constant_inputs": _constant_inputs,
    "duplicate_inputs": _duplicate_inputs,
    "leaked_target": _leaked_target,
    "contradicting_rows": _contradicting_rows,
    "class_imbalance": _class_imbalance,
    "targets_not_scaled": _targets_not_scaled,
    "targets_out_of_reach": _targets_out_of_reach,
    "sorted_rows": _sorted_rows,
    "linear_network": _linear_network,
    "output_mismatch": _output_mismatch,
    "batch_norm_of_one_row": _batch_norm_of_one_row,
    **{
        rule: _other(rule)
        for rule in ("misplaced_dropout", "nothing_trained", "softmax_inside", "narrow_layer", "summed_loss")
    },
    "poor_initial_weights": _poor_initial_weights,
    "initial_loss": _initial_loss,
    "symmetric_units": _symmetric_units,
    "saturated_units": _saturated_units,
    "dead_units": _dead_units,
    "constant_units": _constant_units,
    "vanishing_gradient": _vanishing_gradient,
    "exploding_gradient": _exploding_gradient,
    "update_ratio": _update_ratio,
    "rate_above_curvature": _rate_above_curvature,
    "learning_rate_too_high": _learning_rate_too_high,
    "learning_rate_too_low": _learning_rate_too_low,
    "loss_not_decreasing": _loss_not_decreasing,
    "penalty_too_strong": _penalty_too_strong,
    "overfit": _overfit,
}
"""For each rule, its sick trainings by name."""
