"""Rules about what flows back: gradients that vanish or explode, steps out of proportion to the weights."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from chainrule.insight.diagnosis.finding import Finding, Measured, Rule
from chainrule.insight.diagnosis.remedies import (
    clip_gradient,
    lower_rate,
    other_activation,
    other_rate,
    scaled_signals,
    suited_weights,
)
from chainrule.insight.diagnosis.rules.inputs import scaled_inputs

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.insight.diagnosis.evidence import Evidence


class VanishingGradient(Rule):
    """``mean |dW| < 1e-7`` in a layer, or the first layer's over the last layer's ``< 1e-3``.

    Not while the network does well: near a minimum every gradient is small.
    """

    name = "vanishing_gradient"
    family = "gradients"
    source = "SageMaker Debugger, VanishingGradient: 1e-7; AutoTrainer (ICSE 2021): ratio 1e-3"
    why = "The first layers hardly move: they stay as they were drawn, and the rest learns from random features."
    MEAN: ClassVar[float] = 1e-7
    RATIO: ClassVar[float] = 1e-3

    def check(self, evidence: Evidence) -> Finding | None:
        sizes = _sizes(evidence)
        if not sizes or evidence.solved or evidence.now.bad:
            return None
        least, mean = min(sizes, key=lambda each: each[1])
        (first, size), (last, largest) = sizes[0], sizes[-1]
        ratio = size / largest if largest > 0 and len(sizes) > 1 else 1.0
        if mean >= self.MEAN and ratio >= self.RATIO:
            return None
        where, shown = (first, size) if ratio < self.RATIO else (least, mean)
        return self.finding(
            evidence,
            "alarm",
            f"the gradient vanishes: mean |dW| is {shown:.1e} in {where} and {largest:.1e} in {last}",
            [
                Measured("mean |dW|, smallest layer", mean, f"at least {self.MEAN:g}"),
                Measured("first layer / last layer", ratio, f"at least {self.RATIO:g}"),
            ],
            [*scaled_signals(evidence.setup), other_activation("relu")],
            where=where,
        )


class ExplodingGradient(Rule):
    """NaN or Inf anywhere; ``mean |dW|`` of the first layer more than 70 times that of the last; ``|dW| > 10 |W|``.

    The last, by the Euclidean norm: where signals grow forward as deltas grow backward, every layer's gradient is large
    and their ratio tells nothing.
    """

    name = "exploding_gradient"
    family = "gradients"
    source = "SageMaker Debugger, ExplodingTensor; AutoTrainer (ICSE 2021): ratio 70"
    why = "A step then throws the weights far away from all that was learned, or out of the range of numbers."
    RATIO: ClassVar[float] = 70.0
    SIZE: ClassVar[float] = 10.0

    def check(self, evidence: Evidence) -> Finding | None:
        diverged = evidence.course.diverged if evidence.course else None
        remedies = [*scaled_inputs(evidence), *lower_rate(evidence.setup), clip_gradient(), suited_weights()]
        if diverged is not None or evidence.now.bad:
            place = diverged.place if diverged is not None else evidence.now.bad
            when = f" in epoch {diverged.epoch}, step {diverged.step}" if diverged is not None else ""
            figures = [Measured("loss", evidence.now.loss, "finite")]
            return self.finding(evidence, "alarm", f"{place} is not finite{when}", figures, remedies, where=place)
        sizes = _sizes(evidence)
        if not sizes or evidence.solved:
            return None
        (first, size), (last, least) = sizes[0], sizes[-1]
        ratio = size / least if least > 0 else inf if size > 0 else 1.0
        relative = max(
            (_norm(each.gradient) / _norm(each.W) for each in evidence.now.weights if each.W.any()), default=0
        )
        if ratio <= self.RATIO and relative <= self.SIZE:
            return None
        return self.finding(
            evidence,
            "alarm",
            f"the gradient explodes: mean |dW| is {size:.1e} in {first} and {least:.1e} in {last}",
            [
                Measured("first layer / last layer", ratio, f"at most {self.RATIO:g}"),
                Measured("largest |dW| / |W|", relative, f"at most {self.SIZE:g}"),
            ],
            remedies,
            where=first,
        )


class UpdateRatio(Rule):
    """``|change of W| / |W|`` in the next step, by the Euclidean norm; about 1e-3 is well.

    Above 0.3 or below 1e-6 is a warning, above 10 or below 1e-8 an alarm. Not while the network does well: steps become
    small near a minimum.
    """

    name = "update_ratio"
    family = "gradients"
    source = "CS231n, Neural Networks 3: about 1e-3; SageMaker Debugger, WeightUpdateRatio: 10 and 1e-8"
    why = "Steps as large as the weights undo what was learned; steps a millionth of them take for ever."
    USUAL: ClassVar[float] = 1e-3
    HIGH: ClassVar[float] = 0.3
    LOW: ClassVar[float] = 1e-6
    HIGH_ALARM: ClassVar[float] = 10.0
    LOW_ALARM: ClassVar[float] = 1e-8

    def check(self, evidence: Evidence) -> Finding | None:
        ratios = [
            (each.name, _norm(each.change) / _norm(each.W))
            for each in evidence.now.weights
            if each.change is not None and _norm(each.W) > 0
        ]
        rate = evidence.setup.rate
        if not ratios or evidence.now.bad or evidence.solved or rate is None:
            return None
        name, ratio = max(ratios, key=lambda each: each[1])
        usual = f"about {self.USUAL:g}"
        if self.LOW <= ratio <= self.HIGH or not np.isfinite(ratio):
            return None
        alarm = ratio > self.HIGH_ALARM or ratio < self.LOW_ALARM
        word = "large" if ratio > self.HIGH else "small"
        remedies = [] if ratio <= 0 else [other_rate(evidence.setup, rate * self.USUAL / ratio, words="another")]
        return self.finding(
            evidence,
            "alarm" if alarm else "warning",
            f"the steps are too {word}: the next one changes {name} by {ratio:.1e} of its size",
            [Measured(f"|change| / |{each}|", of, usual) for each, of in ratios],
            remedies or [suited_weights()],
            where=name,
        )


def _sizes(evidence: Evidence) -> list[tuple[str, float]]:
    """The mean absolute gradient of each weight matrix, over the inputs that are not always 0."""
    return [(each.layer, float(np.abs(_fed(each.gradient)).mean())) for each in evidence.now.weights]


def _fed(gradient: Floats) -> Floats:
    """The rows of a gradient (I, O) that any gradient reaches; a pixel that is always 0 has none."""
    reached = gradient.reshape(len(gradient), -1).any(axis=1)
    return gradient[reached] if reached.any() else gradient


def _norm(A: Floats) -> float:
    return float(np.linalg.norm(A.astype(np.float64)))
