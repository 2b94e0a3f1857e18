"""Rules about the hidden units: saturated, dead, or giving the same whatever comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from chainrule.insight.diagnosis.finding import Finding, Measured, Rule, Severity
from chainrule.insight.diagnosis.remedies import lower_rate, other_activation, scaled_signals
from chainrule.insight.diagnosis.rules.inputs import scaled_inputs

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.insight.diagnosis.evidence import Evidence
    from chainrule.insight.diagnosis.look import Units


class SaturatedUnits(Rule):
    """The share of a hidden layer's outputs that lie in the flat ends of its activation.

    Outside (.03, .97) for sigmoid, |y| > .97 for tanh (times 1.7159 for scaled tanh). A network that does well may well
    be saturated: then it is a note.
    """

    name = "saturated_units"
    family = "activations"
    source = (
        "Karpathy, Yes you should understand backprop (2016); SageMaker Debugger, TanhSaturation, SaturatedActivation"
    )
    why = "The slope there is nearly 0: hardly any gradient passes, and the layers before learn hardly anything."
    SHARE: ClassVar[float] = 0.5
    SOME: ClassVar[float] = 0.3
    EDGE: ClassVar[float] = 0.97

    def check(self, evidence: Evidence) -> Finding | None:
        looks = (
            [evidence.now] if evidence.fair or not evidence.trained else [evidence.first or evidence.now, evidence.now]
        )
        found = [
            (share, look, units) for look in looks for units in look.hidden if (share := self._share(units)) is not None
        ]
        if not found:
            return None
        worst, look, units = max(found, key=lambda each: each[0])
        if not worst > (self.SHARE if evidence.fair else self.SOME):
            return None
        severity: Severity = "note" if evidence.fair else "alarm" if worst > self.SHARE else "warning"
        when = "before the first step" if look.step == 0 else "now"
        return self.finding(
            evidence,
            severity,
            f"{worst:.0%} of the outputs of {units.layer} ({units.f.name}) are saturated {when}",
            [
                Measured(f"share saturated in {each.layer}", share, f"at most {self.SHARE:g}")
                for share, seen, each in found
                if seen is look
            ],
            [*scaled_inputs(evidence), *scaled_signals(evidence.setup), other_activation("relu")],
            where=units.layer,
        )

    def _share(self, units: Units) -> float | None:
        """The share of outputs in the flat ends; None where the activation has none."""
        name, Y = units.f.name, units.Y
        if name == "sigmoid":
            return float(((Y < 1 - self.EDGE) | (Y > self.EDGE)).mean())
        if name in {"tanh", "scaled_tanh"}:
            limit = self.EDGE * (1 if name == "tanh" else 1.7159)
            return float((np.abs(Y) > limit).mean())
        return None


class DeadUnits(Rule):
    """The share of a hidden layer's units whose slope is 0 (below 0.001) for more than 99 % of the rows.

    For ReLU: units with ``z <= 0``. Or: at least 0.7 of the layer's units with an input have no gradient at all.
    """

    name = "dead_units"
    family = "activations"
    source = "SageMaker Debugger, DeadRelu; AutoTrainer (ICSE 2021), dying ReLU: zero-gradient share 0.7"
    why = "No gradient passes a dead unit: it never learns again, and the layer is as small as what is left."
    ACTIVE: ClassVar[float] = 0.01
    SHARE: ClassVar[float] = 0.5
    SOME: ClassVar[float] = 0.3
    NO_GRADIENT: ClassVar[float] = 0.7
    SLOPE: ClassVar[float] = 1e-3
    RECTIFIERS: ClassVar[frozenset[str]] = frozenset({"relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus"})

    def check(self, evidence: Evidence) -> Finding | None:
        layers = [units for units in evidence.now.hidden if units.f.name in self.RECTIFIERS]
        if not layers or evidence.now.bad:
            return None
        shares = [self._share(units) for units in layers]
        worst = int(np.argmax(shares))
        silent = _silent(evidence, layers[worst].layer)
        if shares[worst] <= self.SOME and silent < self.NO_GRADIENT:
            return None
        units = layers[worst]
        alarm = (shares[worst] > self.SHARE or silent >= self.NO_GRADIENT) and not evidence.fair
        return self.finding(
            evidence,
            "alarm" if alarm else "note",
            f"{shares[worst]:.0%} of the {units.Y.shape[1]} units of {units.layer} ({units.f.name}) are dead",
            [
                *(
                    Measured(f"share of dead units in {each.layer}", share, f"at most {self.SHARE:g}")
                    for each, share in zip(layers, shares, strict=True)
                ),
                Measured(f"share of units of {units.layer} without a gradient", silent, f"below {self.NO_GRADIENT:g}"),
            ],
            [
                *lower_rate(evidence.setup),
                *scaled_inputs(evidence),
                *scaled_signals(evidence.setup),
                other_activation("leaky_relu"),
            ],
            where=units.layer,
        )

    def _share(self, units: Units) -> float:
        active = np.abs(units.f.slope(units.Z, units.Y)) >= self.SLOPE
        return float((active.mean(axis=0) < self.ACTIVE).mean())


class ConstantUnits(Rule):
    """Outputs that do not depend on the input: the standard deviation over the rows is below 1e-4 of the size.

    For every unit of a layer, where the inputs do vary.
    """

    name = "constant_units"
    family = "activations"
    source = "Glorot, Bengio (2010), section 3: the activations of deep layers by depth"
    why = "What the layer gives does not tell the rows apart, so nothing after it can."
    SPREAD: ClassVar[float] = 1e-4

    def check(self, evidence: Evidence) -> Finding | None:
        if evidence.now.bad or len(evidence.now.outputs) < 2 or not np.ptp(evidence.now.rows.X, axis=0).any():
            return None
        for units in evidence.now.hidden:
            spread = _spread(units.Y)
            to = f", to {spread:.0e} of their size" if spread else ""
            if spread < self.SPREAD:
                return self.finding(
                    evidence,
                    "alarm",
                    f"the outputs of {units.layer} ({units.f.name}) are the same for all rows{to}",
                    [Measured(f"largest spread over the rows in {units.layer}", spread, f"above {self.SPREAD:g}")],
                    [*scaled_signals(evidence.setup), other_activation("relu")],
                    where=units.layer,
                )
        return None


def _silent(evidence: Evidence, layer: str) -> float:
    """The share of units of a layer whose weights get no gradient at all."""
    for weights in evidence.now.weights:
        if weights.layer == layer:
            return float((~weights.gradient.any(axis=0)).mean())
    return 0.0


def _spread(Y: Floats) -> float:
    """The largest standard deviation over the rows, over the size of the largest output."""
    size = float(np.abs(Y).max())
    return float(Y.astype(np.float64).std(axis=0).max()) / size if size > 0 else 0.0
