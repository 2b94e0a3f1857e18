"""How often the diagnosis is right: ``python -m benchmarks.studies.diagnosis [--healthy] [--sick]``.

Of sensible trainings on the built-in tables that go well, by their score, at most 2 % may raise an alarm; of trainings
that are sick on purpose at least 95 % must have their sickness named.
"""

from __future__ import annotations

import argparse
import itertools
from collections import Counter, defaultdict
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import chainrule as cr
from benchmarks.studies.sick import cases, table
from chainrule.insight.diagnosis import RULES, Diagnosis, Findings
from chainrule.insight.diagnosis.finding import SEVERITIES
from chainrule.tables import describe, load_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = ("iris", "wine", "breast_cancer", "digits", "penguins", "moons", "circles", "spirals", "sine", "xor")
WAYS: tuple[dict[str, Any], ...] = (
    {},
    {"test": 0.25, "seed": 1},
    {"layers": (32,), "activation": "tanh"},
    {"optimizer": "momentum", "lr": 0.02, "epochs": 60},
    {"optimizer": "sgd", "lr": 0.1, "epochs": 60, "activation": "tanh"},
    {"norm": "batch", "epochs": 60},
    {"dropout": 0.2, "epochs": 100, "seed": 2},
    {"validation": 0.2, "patience": 10, "seed": 3},
    {"layers": (128, 64, 32), "epochs": 40, "activation": "gelu"},
    {"activation": "sigmoid", "layers": (32,), "lr": 0.01},
    {"optimizer": "lbfgs", "epochs": 100},
    {"scaling": "minmax", "class_weight": "balanced", "epochs": 60, "lr": 0.003},
    {"norm": "layer", "optimizer": "adamw", "epochs": 60, "seed": 4},
    {"layers": (16,), "batch_size": 8, "epochs": 40, "activation": "elu"},
)
"""Sensible ways to train on a table."""


class Outcome(NamedTuple):
    """A sensible training, what was found, and what came of it.

    Attributes:
        learned: how far the score on the training rows, accuracy or R2, is on the way from that of the best constant
            answer, 0, to perfection, 1.
    """

    name: str
    findings: Findings
    learned: float

    @property
    def well(self) -> bool:
        """Whether it went well: more than half of the way."""
        return self.learned > 0.5


def learned(t: Any, y: Any, *, values: bool) -> float:
    """See `Outcome`."""
    t, y = np.asarray(t), np.asarray(y)
    if values:
        return float(1 - ((t - y) ** 2).mean() / t.var())
    most = np.unique(t, return_counts=True)[1].max() / len(t)
    return float(((t == y).mean() - most) / (1 - most))


def healthy(tables: tuple[str, ...] = TABLES, ways: tuple[dict[str, Any], ...] = WAYS) -> Iterator[Outcome]:
    """Every table trained in every way."""
    for name, way in itertools.product(tables, ways):
        options = dict(way)
        if name == "sine":
            options.pop("class_weight", None)
        watching = Diagnosis()
        model = cr.train(name, callbacks=[watching], **options)
        t, y = load_dataset(name)[describe(name).target], model.predict(name)["prediction"]
        yield Outcome(f"{name} {way}", watching.findings, learned(t, y, values=name == "sine"))
    if "digits" in tables:
        yield from _of_arrays()


def _of_arrays() -> Iterator[Outcome]:
    """Networks on arrays, by the conventions of textbooks."""
    digits, iris, moons = table("digits"), table("iris"), table("moons")
    for seed in range(3):
        nets: dict[str, tuple[Any, Any, Any, dict[str, Any]]] = {
            "64-32-16-10, sigmoid, online": (
                cr.Network(
                    [cr.Dense(32, "sigmoid"), cr.Dense(16, "sigmoid"), cr.Dense(10, "sigmoid")],
                    "half_squared_error",
                    seed=seed,
                ),
                digits.raw / 16,
                digits.y,
                {"optimizer": cr.SGD(0.1), "batch_size": 1, "epochs": 30},
            ),
            "4-8-3, full batch": (
                cr.Network([cr.Dense(8, "tanh"), cr.Dense(3, "softmax")], seed=seed),
                iris.X,
                iris.y,
                {"optimizer": cr.SGD(0.5), "batch_size": None, "epochs": 300},
            ),
            "2-16-1, binary": (
                cr.Network([cr.Dense(16, "relu"), cr.Dense(1, "sigmoid")], "binary_cross_entropy", seed=seed),
                moons.X,
                moons.y,
                {"optimizer": cr.Adam(0.01), "epochs": 50, "validation": 0.2},
            ),
        }
        for name, (net, X, y, options) in nets.items():
            watching = Diagnosis()
            net.fit(X, y, callbacks=[watching], **options)
            yield Outcome(f"{name}, seed {seed}", watching.findings, learned(y, net.predict(X), values=False))


def study_healthy() -> None:
    """Print how many trainings that went well raised an alarm, and how many of those that did not."""
    start, outcomes = perf_counter(), []
    for each in healthy():
        outcomes.append(each)
        if each.findings.alarms or not each.well:
            alarms = ", ".join(finding.rule for finding in each.findings.alarms)
            print(f"  {'well  ' if each.well else 'failed'} ({each.learned:4.0%}) {each.name}: {alarms or 'no alarm'}")
    for words, group in (
        ("went well", [each for each in outcomes if each.well]),
        ("failed", [each for each in outcomes if not each.well]),
    ):
        alarmed = sum(bool(each.findings.alarms) for each in group)
        print(f"{len(group)} sensible trainings {words}: {alarmed} raised an alarm, {alarmed / max(len(group), 1):.1%}")
        for severity in SEVERITIES:
            counts = Counter(finding.rule for each in group for finding in each.findings.of(severity))
            print(f"  {severity}s: {', '.join(f'{rule} {count}' for rule, count in counts.most_common()) or 'none'}")
    print(f"  at most 2 % of those that went well may raise one; {perf_counter() - start:.1f} s")


def study_sick(only: str = "") -> None:
    """Print how many planted sicknesses were named, by rule."""
    start = perf_counter()
    named: dict[str, list[bool]] = defaultdict(list)
    for case in cases():
        if only and case.rule != only:
            continue
        findings = case.find()
        named[case.rule].append(case.rule in findings.rules)
        if not named[case.rule][-1]:
            print(f"  missed: {case.rule}: {case.name}; found: {', '.join(findings.rules) or 'nothing'}")
    for rule, hits in named.items():
        print(f"  {rule:<26} {sum(hits):2} of {len(hits):2}")
    hits = [hit for each in named.values() for hit in each]
    share = sum(hits) / len(hits)
    print(f"{len(hits)} sick trainings for {len(named)} rules: {sum(hits)} named, {share:.1%} (at least 95 %)")
    untried = {rule.name for rule in RULES} - set(named)
    print(
        f"  rules that nothing was planted for: {', '.join(sorted(untried)) or 'none'}; {perf_counter() - start:.1f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--healthy", action="store_true", help="only the sensible trainings")
    parser.add_argument("--sick", action="store_true", help="only the sick ones")
    parser.add_argument("--rule", default="", help="only those of one rule")
    options = parser.parse_args()
    if not options.sick:
        study_healthy()
    if not options.healthy:
        study_sick(options.rule)


if __name__ == "__main__":
    main()
