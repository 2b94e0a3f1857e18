"""Rules about the weights before the first step."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from chainrule.insight.diagnosis.finding import Finding, Measured, Rule, Severity
from chainrule.insight.diagnosis.remedies import scaled_signals, suited_weights

if TYPE_CHECKING:
    from chainrule.insight.diagnosis.evidence import Evidence
    from chainrule.insight.diagnosis.look import Weights


class PoorInitialWeights(Rule):
    """Weights that are too large or too small for the number of inputs, or of different scales from layer to layer.

    With the mean square v of the weights of a layer, each unit multiplies the variance of its inputs by ``v fan_in``,
    and each delta by ``v fan_out`` on the way back: Glorot's weights keep both near 1, He's the first near 2. A layer
    is too large where even the smaller of the two is above 10, too small where the larger is below 0.1 (alarm: 0.01).
    SageMaker compares the variances of layers, largest / smallest > 10; here they are first multiplied by the fans,
    since 784 inputs need smaller weights than 30.
    """

    name = "poor_initial_weights"
    family = "initial weights"
    source = "Glorot, Bengio (2010), eq. 10-12; He et al. (2015), eq. 10; SageMaker Debugger, PoorWeightInitialization"
    why = "Each layer multiplies the signal by this: it drowns or saturates the next layers before anything is learned."
    RATIO: ClassVar[float] = 10.0
    LARGE: ClassVar[float] = 10.0
    SMALL: ClassVar[float] = 0.1
    TINY: ClassVar[float] = 0.01

    def check(self, evidence: Evidence) -> Finding | None:
        if evidence.first is None:
            return None
        layers = [
            each for each in evidence.first.weights if not each.normed and np.isfinite(each.W).all() and each.W.any()
        ]
        if not layers:
            return None
        lows, highs = [_low(each) for each in layers], [_high(each) for each in layers]
        large, small = int(np.argmax(lows)), int(np.argmin(highs))
        ratio = max(lows) / max(min(highs), 1e-300)
        too_large, too_small = lows[large] > self.LARGE, highs[small] < self.SMALL
        if not (too_large or too_small or ratio > self.RATIO):
            return None
        worst = layers[small] if too_small and not too_large else layers[large]
        alarm = too_large or highs[small] < self.TINY or ratio > self.RATIO**2
        word = "small" if too_small and not too_large else "large"
        spread = float(np.sqrt(np.mean(worst.W.astype(np.float64) ** 2)))
        return self.finding(
            evidence,
            "alarm" if alarm else "warning",
            f"{worst.name} is too {word}: standard deviation {spread:.3g} for {worst.fan_in} inputs and "
            f"{worst.fan_out} units, where {_suited(worst):.2g} is usual",
            [
                Measured("mean square times the smaller fan, largest layer", lows[large], f"at most {self.LARGE:g}"),
                Measured("mean square times the larger fan, smallest layer", highs[small], f"at least {self.SMALL:g}"),
                Measured("largest / smallest of these", ratio, f"at most {self.RATIO:g}"),
            ],
            scaled_signals(evidence.setup),
            where=worst.name,
        )


class InitialLoss(Rule):
    """The loss before the first step over that of an output that favours nothing, which under cross-entropy is ln K.

    Under a loss for classes 1.5 times and 0.5 more are worth a note, twice and 2 more an alarm; under any other loss,
    whose yardstick is the best guess without inputs, ten times are an alarm. A note where it was unlearned since.
    """

    name = "initial_loss"
    family = "initial weights"
    source = "CS231n, Neural Networks 3, sanity checks: the initial loss is ln K"
    why = "The network begins sure of wrong answers and spends its first epochs unlearning them."
    RATIO: ClassVar[float] = 1.5
    RATIO_ALARM: ClassVar[float] = 2.0
    MORE: ClassVar[float] = 0.5
    MORE_ALARM: ClassVar[float] = 2.0
    VALUES: ClassVar[float] = 10.0

    def check(self, evidence: Evidence) -> Finding | None:
        if evidence.first is None or evidence.ignorance <= 0:
            return None
        ratio = evidence.first.loss / evidence.ignorance
        severity = self._severity(
            ratio, evidence.first.loss - evidence.ignorance, evidence.setup.objective.loss.for_classes
        )
        if severity is None:
            return None
        if evidence.trained and evidence.fair:
            severity = "note"
        return self.finding(
            evidence,
            severity,
            f"the loss before the first step is {evidence.first.loss:.4g}, {ratio:.3g} times that of a network that "
            f"knows nothing, {evidence.ignorance:.4g}",
            [
                Measured("loss before the first step", evidence.first.loss, f"about {evidence.ignorance:.4g}"),
                Measured("times the loss that knows nothing", ratio, f"at most {self.RATIO:g}"),
            ],
            scaled_signals(evidence.setup),
        )

    def _severity(self, ratio: float, more: float, for_classes: bool) -> Severity | None:
        if not for_classes:
            return "alarm" if ratio > self.VALUES else None
        if ratio > self.RATIO_ALARM and more > self.MORE_ALARM:
            return "alarm"
        return "note" if ratio > self.RATIO and more > self.MORE else None


class SymmetricUnits(Rule):
    """All units of a hidden layer have the same weights in and the same weights out.

    Then their gradients are the same too, and they stay copies of one unit for ever.
    """

    name = "symmetric_units"
    family = "initial weights"
    source = "Goodfellow, Bengio, Courville, Deep Learning (2016), 8.4: initial weights must break symmetry"
    why = "Units that begin the same get the same gradients and stay the same: the layer has one unit, many times over."

    def check(self, evidence: Evidence) -> Finding | None:
        weights = evidence.now.weights
        for into, out in itertools.pairwise(weights):
            if into.W.ndim != 2 or into.W.shape[1] < 2 or out.W.shape[0] != into.W.shape[1]:
                continue
            same = (into.W[:, :1] == into.W).all() and (out.W[:1] == out.W).all()
            if same:
                return self.finding(
                    evidence,
                    "alarm",
                    f"all {into.W.shape[1]} units of {into.layer} are the same",
                    [Measured("different units", 1, f"{into.W.shape[1]}")],
                    [suited_weights()],
                    where=into.layer,
                )
        return None


def _square(weights: Weights) -> float:
    return float(np.mean(weights.W.astype(np.float64) ** 2))


def _low(weights: Weights) -> float:
    return _square(weights) * min(weights.fan_in, weights.fan_out)


def _high(weights: Weights) -> float:
    return _square(weights) * max(weights.fan_in, weights.fan_out)


def _suited(weights: Weights) -> float:
    """Glorot's standard deviation."""
    return float(np.sqrt(2 / (weights.fan_in + weights.fan_out)))
