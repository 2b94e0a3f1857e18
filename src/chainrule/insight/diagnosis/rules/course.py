"""Rules about how the losses went, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from chainrule.insight.diagnosis.finding import Finding, Measured, Rule, Severity
from chainrule.insight.diagnosis.remedies import (
    keep_best,
    lower_rate,
    other_activation,
    other_rate,
    rounded,
    suited_weights,
    use_adam,
)
from chainrule.insight.diagnosis.remedy import Remedy
from chainrule.insight.diagnosis.rules.inputs import scaled_inputs
from chainrule.insight.diagnosis.rules.rate import descends
from chainrule.layers import Dense, Dropout

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.insight.diagnosis.evidence import Evidence
    from chainrule.insight.diagnosis.setup import Setup


class LossNotDecreasing(Rule):
    """No decrease of the training loss over the last 10 epochs, by 0.1 %, at a loss near that of a constant answer.

    Or, after 10 epochs or 500 steps, a loss that never came below 0.98 times that of the best constant answer, and is
    not on its way there. A loss that stands still far below has converged, or has reached what the noise allows.
    """

    name = "loss_not_decreasing"
    family = "course"
    source = "SageMaker Debugger, LossNotDecreasing: 10 steps, 0.1 %"
    why = "The network has learned nothing that the shares of the classes, or the mean, do not tell."
    EPOCHS: ClassVar[int] = 10
    STEPS: ClassVar[int] = 500
    DECREASE: ClassVar[float] = 1e-3
    NEAR: ClassVar[float] = 0.9
    NEVER: ClassVar[float] = 0.98
    LEAPT: ClassVar[float] = 1.2

    def check(self, evidence: Evidence) -> Finding | None:
        course = evidence.course
        if evidence.constant <= 0:
            return None
        if course is None:
            unlearned = evidence.trained and evidence.now.loss > self.NEVER * evidence.constant
            return self._told(evidence, np.array([evidence.now.loss]), "is no better") if unlearned else None
        if not len(course.losses):
            return None
        losses, n = course.losses, self.EPOCHS
        level = float(losses[-1]) / evidence.constant
        enough = len(losses) >= n or evidence.now.step >= self.STEPS
        never = enough and losses.min() > self.NEVER * evidence.constant and not descends(losses, evidence.constant)
        stands = len(losses) > n and losses[-n:].min() > (1 - self.DECREASE) * losses[:-n].min() and level > self.NEAR
        if not (never or stands):
            return None
        return self._told(evidence, losses, f"does not decrease in {len(losses)} epochs")

    def _told(self, evidence: Evidence, losses: Floats, what: str) -> Finding:
        level = float(losses[-1]) / evidence.constant
        return self.finding(
            evidence,
            "alarm",
            f"the loss {what}: {losses[-1]:.4g}, {level:.2f} times that of the best constant answer",
            [
                Measured("loss", float(losses[-1]), f"below {evidence.constant:.4g}"),
                Measured("lowest loss", float(losses.min())),
            ],
            [
                *scaled_inputs(evidence),
                suited_weights(),
                *_weaker_penalties(evidence),
                *_other_pace(evidence),
                other_activation("relu"),
            ],
        )


class Overfit(Rule):
    """``(validation - training) / training > 0.1``, growing, with the validation loss past its best.

    A warning when it has risen by 0.05 times the loss of a constant answer since then, an alarm when by 0.2 and half of
    itself; a note where the best weights were kept.
    """

    name = "overfit"
    family = "course"
    source = "SageMaker Debugger, Overfit: ratio 0.1; Prechelt, Early Stopping: But When? (1998)"
    why = "The network learns its rows by heart and gets worse at rows that it has not seen."
    GAP: ClassVar[float] = 0.1
    RISE: ClassVar[float] = 0.05
    RISE_ALARM: ClassVar[float] = 0.2
    LEAST_EPOCHS: ClassVar[int] = 5

    def check(self, evidence: Evidence) -> Finding | None:
        course = evidence.course
        if course is None or len(course.validation) < self.LEAST_EPOCHS:
            return None
        V, L = course.validation, course.losses
        best = int(V.argmin())
        gap, before = (float((V[i] - L[i]) / max(L[i], 1e-12)) for i in (-1, best))
        rise = float(V[-1] - V[best])
        if not (gap > self.GAP and gap > before and rise > self.RISE * evidence.constant and best < len(V) - 1):
            return None
        alarm = rise > self.RISE_ALARM * evidence.constant and rise > 0.5 * V[best]
        severity: Severity = "note" if course.restored else "alarm" if alarm else "warning"
        kept = "; the best weights were kept" if course.restored else ""
        return self.finding(
            evidence,
            severity,
            f"the validation loss rose from {V[best]:.4g} in epoch {best + 1} to {V[-1]:.4g}, while the training loss "
            f"fell to {L[-1]:.4g}{kept}",
            [
                Measured("(validation - training) / training", gap, f"at most {self.GAP:g}"),
                Measured("the same in the best epoch", before),
                Measured("validation loss, best", float(V[best])),
                Measured("validation loss, last", float(V[-1])),
            ],
            [keep_best(), stronger_penalty(evidence), _dropout()],
        )


class PenaltyTooStrong(Rule):
    """The penalties hold the weights near 0.

    After training the loss is above 0.7 of a constant answer's, and the penalty above the loss, which has fallen by
    less than a tenth in the second half of the epochs, or above 20 times the loss; or the loss is above 0.9 of it and
    the mean square of the weights times the larger fan below 0.1 in every layer. Before training the penalty is above
    20 times the loss that knows nothing.
    """

    name = "penalty_too_strong"
    family = "course"
    source = "MacKay, A Practical Bayesian Framework (1992): the penalty is a prior on the size of the weights"
    why = "The penalty costs more than the errors: the network keeps its weights at 0 and gives the same answer to all."
    NEAR: ClassVar[float] = 0.9
    HIGH: ClassVar[float] = 0.7
    STANDS: ClassVar[float] = 0.9
    SMALL: ClassVar[float] = 0.1
    MANY: ClassVar[float] = 20.0

    def check(self, evidence: Evidence) -> Finding | None:
        objective, now = evidence.setup.objective, evidence.now
        if not objective.penalised or now.bad or not now.weights or evidence.constant <= 0:
            return None
        size = max(
            float(np.mean(each.W.astype(np.float64) ** 2)) * max(each.fan_in, each.fan_out) for each in now.weights
        )
        if evidence.trained:
            losses = evidence.course.losses if evidence.course else np.array([])
            level = (float(losses[-1]) if len(losses) else now.loss) / evidence.constant
            stands = len(losses) > 1 and losses[-1] > self.STANDS * losses[len(losses) // 2]
            heavy = now.penalty > (1 if stands else self.MANY) * now.loss
            sick = (heavy and level > self.HIGH) or (level > self.NEAR and size < self.SMALL)
        else:
            sick = now.penalty > self.MANY * evidence.ignorance
        if not sick:
            return None
        option = "l1" if objective.l1 > objective.l2 else "l2"
        return self.finding(
            evidence,
            "alarm" if evidence.trained else "warning",
            f"the penalty is too strong: {option}={getattr(objective, option):g} holds the weights near 0",
            [
                Measured("penalty", now.penalty),
                Measured("loss", now.loss, f"below {evidence.constant:.4g}"),
                Measured("mean square of the weights times the fan, largest layer", size, f"at least {self.SMALL:g}"),
            ],
            [weaker_penalty(option, getattr(objective, option))],
        )


def _weaker_penalties(evidence: Evidence) -> list[Remedy]:
    objective = evidence.setup.objective
    return [weaker_penalty(name, present) for name in ("l1", "l2") if (present := getattr(objective, name)) > 0]


def _other_pace(evidence: Evidence) -> list[Remedy]:
    """Steps of their own for each weight; smaller ones where the loss has leapt, larger ones where it has not."""
    setup, course = evidence.setup, evidence.course
    adam = [use_adam()] if setup.plain_descent else []
    if setup.rate is None:
        return adam
    leapt = course is not None and course.losses.max() > LossNotDecreasing.LEAPT * course.losses[0]
    return [*adam, *(lower_rate(setup) if leapt else (other_rate(setup, setup.rate * 10, words="a larger"),))]


def stronger_penalty(evidence: Evidence) -> Remedy:
    """Ten times the l2 there is, or 8 / rows, which `Settings.for_rows` takes."""
    l2 = rounded(max(10 * evidence.setup.objective.l2, 8 / len(evidence.setup.data.X)))
    return Remedy("a stronger penalty", f"l2={l2:g}", f"--l2 {l2:g}", lambda setup: setup.with_objective(l2=l2))


def weaker_penalty(option: str, present: float) -> Remedy:
    """A hundredth of what there is."""
    less = rounded(present / 100)
    return Remedy(
        "a weaker penalty",
        f"{option}={less:g}",
        f"--{option} {less:g}",
        lambda setup: setup.with_objective(**{option: less}),
    )


def _dropout(share: float = 0.3) -> Remedy:
    def change(setup: Setup) -> Setup:
        *inside, last = setup.layers
        layers = [new for layer in inside for new in ([layer, Dropout(share)] if isinstance(layer, Dense) else [layer])]
        return setup.with_objective(layers=(*layers, last))

    return Remedy("dropout", f"cr.Dropout({share:g}) after each hidden Dense", f"--dropout {share:g}", change)
