"""Rules about what is asked for: rare classes, values far from 1, targets out of reach, the order of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from chainrule.insight.diagnosis.finding import Finding, Measured, Rule
from chainrule.insight.diagnosis.remedies import last_layer, scale_targets
from chainrule.insight.diagnosis.remedy import Remedy

if TYPE_CHECKING:
    from chainrule.arrays import Floats, Ints
    from chainrule.engines.interface import Data
    from chainrule.insight.diagnosis.evidence import Evidence


class ClassImbalance(Rule):
    """``largest / smallest class > 10``, unless rows or classes are weighted; an alarm when it is never predicted."""

    name = "class_imbalance"
    family = "targets"
    source = "Amazon SageMaker Debugger, ClassImbalance: ratio 10"
    why = "The loss is nearly the same whether the rare class is learned or not, so it may never be."
    RATIO: ClassVar[float] = 10.0

    def check(self, evidence: Evidence) -> Finding | None:
        setup = evidence.setup
        if not setup.for_classes or setup.data.weights is not None:
            return None
        counts = _class_counts(setup.data.T)
        present = counts[counts > 0]
        if len(present) < 2 or present.max() <= self.RATIO * present.min():
            return None
        rare = int(np.flatnonzero(counts == present.min())[0])
        forgotten = evidence.trained and rare not in _classes(evidence.now.outputs)
        never = ", and the network never predicts it" if forgotten else ""
        return self.finding(
            evidence,
            "alarm" if forgotten else "warning",
            f"class {rare} has {counts[rare]} rows, the largest {counts.max()}{never}",
            [Measured("largest / smallest class", float(present.max() / present.min()), f"at most {self.RATIO:g}")],
            [
                Remedy(
                    "let every class count the same",
                    'class_weight="balanced"',
                    "--class-weight balanced",
                    lambda setup: setup.with_data(weights=_balanced),
                )
            ],
            where=f"class {rare}",
        )


class UnscaledTargets(Rule):
    """``r = sqrt(mean t^2)`` of a target that is a value, under an output that is not bounded."""

    name = "targets_not_scaled"
    family = "targets"
    source = "LeCun, Bottou, Orr, Müller, Efficient BackProp (1998), 4.5: targets of the size of the outputs"
    why = (
        "The last layer must first grow its weights to the size of the targets; large errors meanwhile shake the rest."
    )
    LARGE: ClassVar[float] = 5.0
    HUGE: ClassVar[float] = 30.0
    TINY: ClassVar[float] = 0.01

    def check(self, evidence: Evidence) -> Finding | None:
        setup = evidence.setup
        if setup.for_classes or setup.objective.loss.name == "poisson":
            return None
        sizes = np.sqrt((evidence.targets**2).mean(axis=0))
        largest = float(sizes.max())
        tiny = 0 < largest < self.TINY
        if largest <= self.LARGE and not tiny:
            return None
        return self.finding(
            evidence,
            "alarm" if largest > self.HUGE else "warning",
            f"the targets have the size {largest:.3g}, an untrained network answers with about 1",
            [Measured("root mean square of the targets", largest, f"{self.TINY:g} to {self.LARGE:g}")],
            [scale_targets(setup)],
        )


class TargetsOutOfReach(Rule):
    """The share of targets outside of what the last activation can give: [0, 1] for sigmoid, [0, inf) for ReLU, ..."""

    name = "targets_out_of_reach"
    family = "targets"
    source = "the range of the activation"
    why = "The network cannot give these answers, whatever its weights are."
    RANGES: ClassVar[dict[str, tuple[float, float]]] = {
        "sigmoid": (0, 1),
        "softmax": (0, 1),
        "tanh": (-1, 1),
        "scaled_tanh": (-1.7159, 1.7159),
        "relu": (0, np.inf),
        "softplus": (0, np.inf),
        "exp": (0, np.inf),
        "elu": (-1, np.inf),
        "selu": (-1.7581, np.inf),
        "gelu": (-0.17, np.inf),
        "silu": (-0.2785, np.inf),
    }
    FEW: ClassVar[float] = 0.01

    def check(self, evidence: Evidence) -> Finding | None:
        output = evidence.now.output
        if output is None or output.f.name not in self.RANGES:
            return None
        low, high = self.RANGES[output.f.name]
        outside = (evidence.targets < low) | (evidence.targets > high)
        share = float(outside.mean())
        if not share:
            return None
        worst = float(evidence.targets[outside][0])
        return self.finding(
            evidence,
            "alarm" if share > self.FEW else "warning",
            f"{output.f.name} gives {low:g} to {high:g}, but targets such as {worst:.3g} are asked for",
            [Measured("share of targets out of reach", share, "0")],
            [last_layer("identity", words="a last layer without a bound"), scale_targets(evidence.setup)],
            where=output.layer,
        )


class SortedRows(Rule):
    """Without shuffling: the number of places where the class changes from row to row, over what chance would give.

    For values, the correlation of each target with the one before.
    """

    name = "sorted_rows"
    family = "targets"
    source = "Bengio, Practical Recommendations for Gradient-Based Training (2012), 3.1"
    why = "Each class in turn pulls all the weights to itself, and the next one away again."
    CHANGES: ClassVar[float] = 0.2
    CORRELATION: ClassVar[float] = 0.9
    LEAST_ROWS: ClassVar[int] = 20

    def check(self, evidence: Evidence) -> Finding | None:
        setup, T = evidence.setup, evidence.setup.data.T
        if setup.settings.shuffle or setup.full_batch or len(T) < self.LEAST_ROWS:
            return None
        figure = self._of_classes(_classes(T)) if setup.for_classes else self._of_values(T[:, 0])
        if figure is None:
            return None
        return self.finding(
            evidence,
            "alarm",
            "the rows are sorted by their target, and are not shuffled",
            [figure],
            [Remedy("shuffle the rows", "shuffle=True", "", lambda setup: setup.with_settings(shuffle=True))],
        )

    def _of_classes(self, classes: Ints) -> Measured | None:
        shares = np.bincount(classes) / len(classes)
        expected = 1 - float((shares**2).sum())
        changes = float((classes[1:] != classes[:-1]).mean()) / max(expected, 1e-12)
        found = Measured("changes of class from row to row, over those by chance", changes, "about 1")
        return found if changes < self.CHANGES and expected > 0 else None

    def _of_values(self, t: Floats) -> Measured | None:
        t = t.astype(np.float64)
        if t.std() == 0:
            return None
        correlation = float(np.corrcoef(t[1:], t[:-1])[0, 1])
        found = Measured("correlation of a target with the one before", correlation, "about 0")
        return found if correlation > self.CORRELATION else None


def _classes(T: Floats) -> Ints:
    """The class of each row."""
    return (T[:, 0] >= 0.5).astype(np.int64) if T.shape[1] == 1 else T.argmax(axis=1)


def _class_counts(T: Floats) -> Ints:
    return np.bincount(_classes(T), minlength=max(T.shape[1], 2))


def _balanced(data: Data) -> Floats:
    """N / (K N_k) for a row of class k, over the classes that there are."""
    counts = _class_counts(data.T)
    of_class = len(data.T) / (max(int((counts > 0).sum()), 1) * np.maximum(counts, 1))
    return np.asarray(of_class[_classes(data.T)], dtype=data.X.dtype)
