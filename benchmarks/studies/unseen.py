"""How often the diagnosis is right on what no threshold was settled on: ``python -m benchmarks.studies.unseen``.

Other data than the built-in tables, other networks and other ways of being sick than in `diagnosis` and `sick`, all
drawn from a seed. What is sick is told by what comes of it, not by the rules: a rate is too high where a thirtieth of
it ends at a third of the loss, a network overfits where its validation loss rises by a third.
"""

from __future__ import annotations

import argparse
import contextlib
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn import datasets

import chainrule as cr
from benchmarks.studies.diagnosis import learned
from chainrule.insight.diagnosis import Diagnosis, Findings, diagnose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEED = 7
HEALTHY, SICK_EACH = 200, 4
_CLASSES, _VALUES = ("clusters", "blobs", "rings", "quantiles"), ("friedman1", "friedman2", "linear", "bumps")
ACTIVATIONS = ("relu", "tanh", "sigmoid", "elu", "gelu", "silu", "leaky_relu", "selu", "softplus", "scaled_tanh")


class Task(NamedTuple):
    """Scaled inputs ``(N, I)``, classes or values, how many classes (0: values), and the inputs as measured."""

    name: str
    X: Any
    y: Any
    K: int
    raw: Any


class Draw(NamedTuple):
    """A training that was drawn: what to train, on what, how, in words."""

    words: str
    net: cr.Network
    X: Any
    y: Any
    options: dict[str, Any]

    def watched(self) -> Findings:
        """What is found when it has been trained."""
        watching = Diagnosis()
        with contextlib.suppress(cr.DivergenceError):
            self.net.fit(self.X, self.y, callbacks=[watching], **self.options)
        return watching.findings

    def looked(self) -> Findings:
        """What is found before a step is taken."""
        known = {"optimizer", "batch_size", "epochs"}
        return diagnose(self.net, self.X, self.y, **{k: v for k, v in self.options.items() if k in known})


# ---- tasks and networks ---------------------------------------------------------------------------------------------


def draw_task(random: np.random.Generator, kind: str = "") -> Task:
    """One of eight kinds, of 200 to 1500 rows."""
    N, state = int(random.integers(200, 1500)), int(random.integers(1 << 30))
    kind = kind or str(random.choice([*_CLASSES, *_VALUES]))
    I, K = int(random.integers(4, 25)), int(random.integers(2, 7))
    if kind == "clusters":
        X, y = datasets.make_classification(
            N,
            I,
            n_informative=max(3, I // 2),
            n_redundant=0,
            n_classes=K,
            n_clusters_per_class=1,
            class_sep=1.5,
            random_state=state,
        )
    elif kind == "blobs":
        X, y = datasets.make_blobs(N, I, centers=K, cluster_std=2.0, random_state=state)
    elif kind == "rings":
        X, y = datasets.make_circles(N, noise=0.08, factor=0.5, random_state=state)
    elif kind == "quantiles":
        X, y = datasets.make_gaussian_quantiles(n_samples=N, n_features=min(I, 6), n_classes=K, random_state=state)
    elif kind == "friedman1":
        X, y = datasets.make_friedman1(N, max(I, 5), noise=1.0, random_state=state)
    elif kind == "friedman2":
        X, y = datasets.make_friedman2(N, noise=30.0, random_state=state)
    elif kind == "linear":
        X, y = datasets.make_regression(N, I, n_informative=max(2, I // 2), noise=10.0, random_state=state)
    else:
        X = random.uniform(-3, 3, (N, 2))
        y = np.sin(X[:, 0]) * np.cos(X[:, 1]) + 0.05 * random.normal(size=N)
    values = y.dtype.kind == "f"
    if values:
        y = (y - y.mean()) / y.std()
    raw = X * 10 ** random.uniform(-1, 4, X.shape[1]) + 10 ** random.uniform(0, 3, X.shape[1])
    return Task(f"{kind} {X.shape}", (X - X.mean(axis=0)) / X.std(axis=0), y, 0 if values else int(y.max()) + 1, raw)


def draw_network(
    random: np.random.Generator,
    task: Task,
    *,
    depth: int | None = None,
    f: str = "",
    extras: bool = False,
    head: str = "",
    loss: str = "",
    **options: Any,
) -> tuple[str, cr.Network]:
    """Layers of one width and activation, with a norm and dropout now and then, a last layer that suits the task."""
    depth = int(random.integers(1, 4)) if depth is None else depth
    f, units = f or str(random.choice(ACTIVATIONS)), int(random.choice([12, 20, 48, 100]))
    of_network = {name: options.pop(name) for name in ("l1", "l2") if name in options}
    between = _between(random) if extras else []
    if extras and random.random() < 0.3:
        of_network["l2"] = float(10 ** random.uniform(-6, -3))
    layers: list[Any] = []
    for _ in range(depth):
        layers += [cr.Dense(units, f, **options), *between]
    outputs, last, scored = _ending(random, task)
    if head:
        outputs, last, scored = task.K or 1, head, loss
    words = f"{task.name}, {depth} x {' '.join([f'{units} {f}', *(each.kind for each in between)])}"
    net = cr.Network(
        [*layers, cr.Dense(outputs, last, **options)], scored, seed=int(random.integers(1 << 20)), **of_network
    )
    return f"{words}, {outputs} {last}", net


def _ending(random: np.random.Generator, task: Task) -> tuple[int, str, str]:
    """Outputs, last activation and loss that suit the task."""
    if not task.K:
        return 1, "identity", "mean_squared_error"
    if task.K == 2 and random.random() < 0.5:
        return 1, "sigmoid", "binary_cross_entropy"
    return task.K, "softmax", "cross_entropy"


def _between(random: np.random.Generator) -> list[Any]:
    drawn = random.random()
    norm = [cr.BatchNorm()] if drawn < 0.2 else [cr.LayerNorm()] if drawn < 0.35 else []
    return [*norm, *([cr.Dropout(float(random.uniform(0.1, 0.4)))] if random.random() < 0.25 else [])]


def draw_optimizer(random: np.random.Generator) -> Any:
    """One of seven at a rate that textbooks give."""
    scale = float(10 ** random.uniform(-0.4, 0.4))
    return [
        cr.SGD(0.1 * scale),
        cr.SGD(0.02 * scale, momentum=0.9),
        cr.Adam(0.003 * scale),
        cr.AdamW(0.003 * scale),
        cr.NAdam(0.002 * scale),
        cr.RMSProp(0.001 * scale),
        cr.Adagrad(0.03 * scale),
    ][int(random.integers(7))]


def sensible(random: np.random.Generator) -> Draw:
    """A training that anybody might begin with."""
    task = draw_task(random)
    words, net = draw_network(random, task, extras=True)
    options: dict[str, Any] = {
        "optimizer": draw_optimizer(random),
        "epochs": int(random.integers(20, 80)),
        "batch_size": int(random.choice([16, 32, 64])),
    }
    if random.random() < 0.4:
        options["validation"] = 0.2
    if random.random() < 0.2:
        options |= {"validation": 0.2, "early_stopping": 10}
    return Draw(f"{words}, {options}", net, task.X, task.y, options)


# ---- sick on purpose ------------------------------------------------------------------------------------------------


def _classes(random: np.random.Generator) -> Task:
    return draw_task(random, str(random.choice(_CLASSES)))


def _values(random: np.random.Generator) -> Task:
    return draw_task(random, str(random.choice(_VALUES)))


def _log(random: np.random.Generator, low: float, high: float) -> float:
    return float(10 ** random.uniform(np.log10(low), np.log10(high)))


def _final(draw: Draw, **changed: Any) -> float:
    """The last training loss; infinite where it diverged."""
    net = draw.net.with_seed(draw.net.seed)
    try:
        return float(net.fit(draw.X, draw.y, **{**draw.options, **changed})["loss"][-1])
    except cr.DivergenceError:
        return float("inf")


def vanishing(random: np.random.Generator) -> Findings | None:
    task = draw_task(random)
    if random.random() < 0.5:
        _, net = draw_network(random, task, depth=int(random.integers(7, 14)), f="sigmoid")
    else:
        std = _log(random, 0.003, 0.02)
        f = str(random.choice(["tanh", "relu", "elu", "gelu"]))
        _, net = draw_network(random, task, depth=int(random.integers(4, 8)), f=f, init=cr.initializers.Normal(std))
    options = {"optimizer": cr.SGD(0.05), "epochs": 4}
    draw = Draw("", net, task.X, task.y, options)
    return draw.looked() if random.random() < 0.5 else draw.watched()


def exploding(random: np.random.Generator) -> Findings | None:
    if random.random() < 0.5:
        task = draw_task(random)
        f = str(random.choice(["relu", "elu", "leaky_relu", "silu"]))
        std = _log(random, 0.7, 2.0)
        _, net = draw_network(random, task, depth=int(random.integers(6, 10)), f=f, init=cr.initializers.Normal(std))
        return Draw("", net, task.X, task.y, {"optimizer": cr.SGD(0.01)}).looked()
    task = _values(random)
    _, net = draw_network(random, task, f=str(random.choice(["relu", "identity", "elu"])))
    return Draw("", net, task.X, task.y, {"optimizer": cr.SGD(_log(random, 5, 500)), "epochs": 30}).watched()


def dead(random: np.random.Generator) -> Findings | None:
    task, way = _classes(random), int(random.integers(3))
    f = str(random.choice(["relu", "relu", "gelu", "silu"]))
    if way == 0:
        below = cr.initializers.Constant(-_log(random, 12, 60))
        _, net = draw_network(random, task, f=f, bias_init=below)
        return Draw("", net, task.X, task.y, {}).looked()
    if way == 1:
        _, net = draw_network(random, task, f="relu", depth=2)
        rate = _log(random, 3, 30)
        draw = Draw("", net, task.X, task.y, {"optimizer": cr.SGD(rate), "epochs": 10})
        found = draw.watched()
        whole = np.isfinite(draw.net.theta).all()
        return found if whole and _inactive(draw.net, task.X) > 0.6 else None
    _, net = draw_network(random, task, f="relu", init=cr.initializers.Uniform(-1.0, -0.05), depth=2)
    return Draw("", net, np.abs(task.X), task.y, {}).looked()


def _inactive(net: cr.Network, X: Any) -> float:
    """The share of units of a layer that are 0 for all rows, in the layer that has most."""
    shares, Y = [], np.asarray(X, dtype=np.float64)
    for place, layer in enumerate(net.layers[:-1], 1):
        if isinstance(layer, cr.Dense):
            Y = np.maximum(Y @ net.parameters[f"dense_{place}.W"] + net.parameters[f"dense_{place}.b"], 0)
            shares.append(float((Y == 0).all(axis=0).mean()))
    return max(shares)


def saturated(random: np.random.Generator) -> Findings | None:
    task, f = draw_task(random), str(random.choice(["sigmoid", "tanh", "scaled_tanh"]))
    way = int(random.integers(3))
    if way == 0:
        _, net = draw_network(random, task, f=f, init=cr.initializers.Normal(_log(random, 4, 20)))
    elif way == 1:
        _, net = draw_network(random, task, f=f, bias_init=cr.initializers.Constant(_log(random, 6, 30)))
    else:
        _, net = draw_network(random, task, f=f, depth=1)
        return Draw("", net, task.X * _log(random, 30, 3000), task.y, {}).looked()
    return Draw("", net, task.X, task.y, {}).looked()


def poor_weights(random: np.random.Generator) -> Findings | None:
    task = draw_task(random)
    std = _log(random, 2, 10) if random.random() < 0.6 else _log(random, 1e-4, 5e-3)
    init = cr.initializers.Normal(std) if random.random() < 0.5 else cr.initializers.Uniform(-1.7 * std, 1.7 * std)
    _, net = draw_network(random, task, depth=int(random.integers(2, 4)), init=init)
    draw = Draw("", net, task.X, task.y, {"optimizer": "adam", "epochs": 3})
    return draw.looked() if random.random() < 0.5 else draw.watched()


def initial_loss(random: np.random.Generator) -> Findings | None:
    task = draw_task(random, str(random.choice(["clusters", "blobs"])))
    _, net = draw_network(
        random, task, f="relu", head="softmax", loss="cross_entropy", init=cr.initializers.Normal(_log(random, 2, 5))
    )
    net.build(task.X.shape[1])
    start = net.loss_and_gradient(task.X, task.y)[0]
    return Draw("", net, task.X, task.y, {}).looked() if start > 3 * np.log(task.K) + 2 else None


def small_steps(random: np.random.Generator) -> Findings | None:
    task = draw_task(random)
    _, net = draw_network(random, task)
    optimizer = [cr.SGD(_log(random, 1e-10, 1e-7)), cr.Adam(_log(random, 1e-10, 1e-8))][int(random.integers(2))]
    draw = Draw("", net, task.X, task.y, {"optimizer": optimizer, "epochs": 3})
    return draw.looked() if random.random() < 0.5 else draw.watched()


def large_steps(random: np.random.Generator) -> Findings | None:
    task = draw_task(random)
    _, net = draw_network(random, task)
    optimizer = [cr.Adam(_log(random, 3, 30)), cr.RMSProp(_log(random, 3, 30))][int(random.integers(2))]
    return Draw("", net, task.X, task.y, {"optimizer": optimizer}).looked()


def nothing_learned(random: np.random.Generator) -> Findings | None:
    if random.random() < 0.5:
        N, K = int(random.integers(1500, 3000)), int(random.integers(2, 6))
        X, y = random.normal(size=(N, 3)), random.integers(K, size=N)
        task = Task("noise", X, y, K, X)
        _, net = draw_network(random, task, depth=1, f="tanh")
        optimizer: Any = cr.SGD(0.02)
    else:
        task = draw_task(random)
        _, net = draw_network(random, task, depth=int(random.integers(9, 14)), f="sigmoid")
        optimizer = cr.SGD(0.01)
    return Draw("", net, task.X, task.y, {"optimizer": optimizer, "epochs": 30}).watched()


def penalised(random: np.random.Generator) -> Findings | None:
    task = draw_task(random, "clusters")
    _, net = draw_network(random, task, l2=_log(random, 5, 50), depth=2, f="relu")
    return Draw("", net, task.X, task.y, {"optimizer": "adam", "epochs": 30}).watched()


def rate_too_high(random: np.random.Generator) -> Findings | None:
    task = draw_task(random)
    _, net = draw_network(random, task)
    optimizer: Any = [
        cr.SGD(_log(random, 5, 100)),
        cr.SGD(_log(random, 1, 20), momentum=0.9),
        cr.Adam(_log(random, 0.3, 5)),
        cr.RMSProp(_log(random, 0.3, 5)),
    ][int(random.integers(4))]
    draw = Draw("", net, task.X, task.y, {"optimizer": optimizer, "epochs": 25})
    lower = type(optimizer)(optimizer.rate / 30)
    sick = _final(draw) > 3 * _final(draw, optimizer=lower)
    return draw.watched() if sick else None


def rate_too_low(random: np.random.Generator) -> Findings | None:
    task = draw_task(random)
    _, net = draw_network(random, task, depth=int(random.integers(1, 3)))
    optimizer: Any = [cr.SGD(_log(random, 1e-6, 3e-4)), cr.Adam(_log(random, 1e-7, 3e-6))][int(random.integers(2))]
    draw = Draw("", net, task.X, task.y, {"optimizer": optimizer, "epochs": 25})
    higher = type(optimizer)(optimizer.rate * 300)
    end = _final(draw)
    return draw.watched() if end > 3 * _final(draw, optimizer=higher) else None


def overfit(random: np.random.Generator) -> Findings | None:
    task = draw_task(random)
    y, wrong = task.y.copy(), random.random(len(task.y)) < 0.35
    y[wrong] = random.permutation(y[wrong])
    rows = int(random.integers(40, 100))
    _, net = draw_network(random, task, f=str(random.choice(["relu", "tanh", "gelu"])), depth=2)
    options = {"optimizer": "adam", "epochs": 200, "batch_size": 16, "validation": (task.X[rows:], y[rows:])}
    draw = Draw("", net, task.X[:rows], y[:rows], options)
    found = draw.watched()
    history = draw.net.history
    if history is None:
        return None
    losses = np.asarray(history["validation_loss"])
    return found if losses[-1] > 4 / 3 * losses.min() else None


def imbalance(random: np.random.Generator) -> Findings | None:
    task = draw_task(random, str(random.choice(["clusters", "blobs", "quantiles"])))
    rare = int(random.integers(task.K))
    keep = np.flatnonzero(task.y != rare)
    few = np.flatnonzero(task.y == rare)[: max(2, len(keep) // task.K // 15)]
    rows = random.permutation(np.concatenate([keep, few]))
    _, net = draw_network(random, task)
    draw = Draw("", net, task.X[rows], task.y[rows], {"optimizer": "adam", "epochs": 15})
    counts = np.bincount(task.y[rows])
    return draw.watched() if counts.max() > 12 * counts.min() > 0 else None


def unscaled(random: np.random.Generator) -> Findings | None:
    task = draw_task(random)
    _, net = draw_network(random, task)
    draw = Draw("", net, task.raw, task.y, {"optimizer": "adam", "epochs": 3})
    return draw.looked() if random.random() < 0.5 else draw.watched()


def linear(random: np.random.Generator) -> Findings | None:
    task = draw_task(random)
    _, net = draw_network(random, task, f="identity", depth=int(random.integers(2, 5)))
    draw = Draw("", net, task.X, task.y, {"optimizer": "adam", "epochs": 5})
    return draw.watched()


def mismatch(random: np.random.Generator) -> Findings | None:
    task = _classes(random)
    head, loss = [
        ("identity", "cross_entropy"),
        ("sigmoid", "cross_entropy"),
        ("sigmoid", "half_squared_error"),
        ("softmax", "mean_squared_error"),
        ("relu", "binary_cross_entropy"),
        ("identity", "binary_cross_entropy"),
        ("softmax", "binary_cross_entropy"),
        ("tanh", "cross_entropy"),
    ][int(random.integers(8))]
    _, net = draw_network(random, task, head=head, loss=loss)
    return Draw("", net, task.X, task.y, {"optimizer": "adam", "epochs": 3}).looked()


def sorted_rows(random: np.random.Generator) -> Findings | None:
    task = _classes(random)
    order = np.argsort(task.y, kind="stable")
    _, net = draw_network(random, task)
    options = {"optimizer": "adam", "epochs": 5, "shuffle": False}
    return Draw("", net, task.X[order], task.y[order], options).watched()


def unscaled_targets(random: np.random.Generator) -> Findings | None:
    task = _values(random)
    _, net = draw_network(random, task)
    far = task.y * _log(random, 20, 1e5) if random.random() < 0.5 else task.y + _log(random, 30, 3000)
    return Draw("", net, task.X, far, {"optimizer": "adam", "epochs": 5}).watched()


SICK: dict[str, Callable[[np.random.Generator], Findings | None]] = {
    "vanishing_gradient": vanishing,
    "exploding_gradient": exploding,
    "dead_units": dead,
    "saturated_units": saturated,
    "poor_initial_weights": poor_weights,
    "initial_loss": initial_loss,
    "update_ratio": small_steps,
    "update_ratio, large": large_steps,
    "loss_not_decreasing": nothing_learned,
    "penalty_too_strong": penalised,
    "learning_rate_too_high": rate_too_high,
    "learning_rate_too_low": rate_too_low,
    "overfit": overfit,
    "class_imbalance": imbalance,
    "inputs_not_scaled": unscaled,
    "linear_network": linear,
    "output_mismatch": mismatch,
    "sorted_rows": sorted_rows,
    "targets_not_scaled": unscaled_targets,
}
"""How each is made sick: what was found, or None where what was drawn is not sick."""


def study_sick(seed: int, each: int) -> None:
    named: dict[str, list[bool]] = defaultdict(list)
    for place, (rule, make) in enumerate(SICK.items()):
        random = np.random.default_rng([seed, place])
        while len(named[rule]) < each:
            findings = make(random)
            if findings is None:
                continue
            named[rule].append(rule.partition(",")[0] in findings.rules)
            if not named[rule][-1]:
                print(f"  missed: {rule}: {findings.subject}; found: {', '.join(findings.rules) or 'nothing'}")
    hits = [hit for each in named.values() for hit in each]
    print(f"{len(hits)} sick trainings, {each} for each of {len(named)}: {sum(hits)} named, {np.mean(hits):.1%}")


def outcomes(seed: int, count: int) -> Iterator[tuple[Draw, Findings, float]]:
    random = np.random.default_rng([seed, 1000])
    for _ in range(count):
        draw = sensible(random)
        findings = draw.watched()
        values = draw.y.dtype.kind == "f"
        yield draw, findings, learned(draw.y, np.asarray(draw.net.predict(draw.X)).reshape(draw.y.shape), values=values)


def study_healthy(seed: int, count: int) -> None:
    well, failed, rules = [], [], Counter[str]()
    for draw, findings, score in outcomes(seed, count):
        alarms = [each.rule for each in findings.alarms]
        (well if score > 0.5 else failed).append(bool(alarms))
        if score > 0.5:
            rules.update(each.rule for each in findings.of("warning"))
        if alarms or score <= 0.5:
            print(f"  {score:5.0%} {draw.words}: {', '.join(alarms) or 'no alarm'}")
    print(f"{len(well)} sensible trainings went well: {sum(well)} raised an alarm, {np.mean(well):.1%}")
    print(f"{len(failed)} failed: {sum(failed)} raised an alarm; warnings where it went well: {dict(rules)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--healthy", action="store_true", help="only the sensible trainings")
    parser.add_argument("--sick", action="store_true", help="only the sick ones")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--count", type=int, default=HEALTHY, help="of sensible trainings")
    parser.add_argument("--each", type=int, default=SICK_EACH, help="sick trainings for each rule")
    options = parser.parse_args()
    if not options.sick:
        study_healthy(options.seed, options.count)
    if not options.healthy:
        study_sick(options.seed, options.each)


if __name__ == "__main__":
    main()
