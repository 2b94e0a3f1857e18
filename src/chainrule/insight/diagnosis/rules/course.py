"""Rules about how the losses went, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from chainrule.insight.diagnosis.finding import Finding, Measured, Rule, Severity
from chainrule.insight.diagnosis.remedies import (
    clip_gradient,
    keep_best,
    lower_rate,
    more_epochs,
    other_activation,
    other_rate,
    rounded,
    suited_weights,
    use_adam,
)
from chainrule.insight.diagnosis.remedy import Remedy
from chainrule.insight.diagnosis.rules.inputs import scaled_inputs
from chainrule.layers import Dense, Dropout

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.insight.diagnosis.evidence import Course, Evidence
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
        never = enough and losses.min() > self.NEVER * evidence.constant and not _descends(losses, evidence.constant)
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


class LearningRateTooHigh(Rule):
    """The loss diverges, ends no better than a constant answer after it rose, or oscillates.

    It oscillates when after the first third of the epochs at least a quarter rise by more than 0.05 times the loss of
    the best constant answer, or when it jumps above that loss after having been below half of it. A loss that leaps to
    more than 3 times of where it began is an alarm too, a warning where it came down again.
    """

    name = "learning_rate_too_high"
    family = "course"
    source = "AutoTrainer (ICSE 2021), oscillating loss; LeCun, Bottou, Orr, Müller (1998), 4.6"
    why = "Each step jumps over the valley that it should descend into."
    RISE: ClassVar[float] = 0.05
    SHARE: ClassVar[float] = 0.25
    LEAST_EPOCHS: ClassVar[int] = 6
    WORSE: ClassVar[float] = 1.05
    LEAP: ClassVar[float] = 3.0

    def check(self, evidence: Evidence) -> Finding | None:
        course, rate = evidence.course, evidence.setup.rate
        if course is None or rate is None or evidence.constant <= 0:
            return None
        what = self._symptom(evidence, course)
        if what is None:
            return None
        says, figures = what
        rates = [other_rate(evidence.setup, rate / factor, words="a smaller") for factor in (10, 100)]
        recovered = course.diverged is None and evidence.fair and course.losses[-1] < evidence.constant
        return self.finding(
            evidence,
            "warning" if recovered else "alarm",
            f"the learning rate {rate:g} is too high: {says}",
            figures,
            [rates[0], clip_gradient(), rates[1]],
        )

    def _symptom(self, evidence: Evidence, course: Course) -> tuple[str, list[Measured]] | None:
        losses, yardstick = course.losses, evidence.constant
        if course.diverged is not None:
            where = f"epoch {course.diverged.epoch}, step {course.diverged.step}"
            return f"the training diverged in {where}", [Measured("epoch", course.diverged.epoch)]
        if not len(losses):
            return None
        begin = evidence.first.loss if evidence.first is not None else float(losses[0])
        end = max(float(losses[-1]), evidence.now.loss)
        figures = [
            Measured("loss, at first", begin),
            Measured("loss, at the end", end, f"below {yardstick:.4g}"),
        ]
        if end > self.WORSE * max(yardstick, begin) and (evidence.first is not None or len(losses) > 1):
            return f"the loss rose from {begin:.4g} to {end:.4g}", figures
        leap = float(losses.max()) / max(begin, yardstick)
        if leap > self.LEAP:
            return f"the loss leapt from {begin:.4g} to {losses.max():.4g}", [
                Measured("leap", leap, "about 1"),
                *figures,
            ]
        shaken = self._shaken(losses, yardstick)
        if shaken >= self.SHARE:
            figure = Measured("share of epochs in which the loss jumps up", shaken, f"below {self.SHARE:g}")
            return f"the loss jumps up and down, in {shaken:.0%} of the epochs upwards", [figure, *figures]
        lost = losses[-1] > self.WORSE * yardstick and losses.min() < 0.5 * yardstick
        return (f"the loss was {losses.min():.4g} and is {losses[-1]:.4g} again", figures) if lost else None

    def _shaken(self, losses: Floats, yardstick: float) -> float:
        """The share of epochs in the second half in which the loss rises noticeably."""
        if len(losses) < self.LEAST_EPOCHS:
            return 0.0
        late = np.diff(losses[len(losses) // 3 :])
        return float((late > self.RISE * yardstick).mean())


class LearningRateTooLow(Rule):
    """The loss falls in nearly every epoch, on a straight line, and has hardly come down.

    At least 0.8 of the first loss, and above half of that of a constant answer; the second half of the epochs brings at
    least half of what the first half brought. Or it is still above that of a constant answer, and the second half
    brings at least a quarter of what the first half brought.
    """

    name = "learning_rate_too_low"
    family = "course"
    source = "CS231n, Neural Networks 3: a loss that falls on a straight line; Bengio (2012), 3.1.1"
    why = "The direction is right, but at this pace the epochs asked for do not reach the valley."
    LEFT: ClassVar[float] = 0.8
    STRAIGHT: ClassVar[float] = 0.5
    FALLING: ClassVar[float] = 0.8
    LEAST_EPOCHS: ClassVar[int] = 4

    def check(self, evidence: Evidence) -> Finding | None:
        course, rate = evidence.course, evidence.setup.rate
        if course is None or rate is None or len(course.losses) < self.LEAST_EPOCHS or course.diverged is not None:
            return None
        losses = course.losses
        begin, end = float(losses[0]), float(losses[-1])
        middle = float(losses[len(losses) // 2])
        falling = float((np.diff(losses) < 0).mean())
        straight = (middle - end) / max(begin - middle, 1e-300)
        left = end / begin if begin > 0 else 0.0
        slow = left > self.LEFT and end > 0.5 * evidence.constant and straight >= self.STRAIGHT
        if not ((slow or _descends(losses, evidence.constant)) and falling >= self.FALLING and end < begin):
            return None
        return self.finding(
            evidence,
            "alarm",
            f"the learning rate {rate:g} is too low: in {len(losses)} epochs the loss fell from {begin:.4g} to "
            f"{end:.4g} and is still falling",
            [
                Measured("loss left", left, f"below {self.LEFT:g}"),
                Measured("share of epochs in which it fell", falling),
                Measured("fall in the second half / in the first", straight, f"below {self.STRAIGHT:g}"),
            ],
            [
                other_rate(evidence.setup, rate * 30, words="a larger"),
                *([use_adam()] if evidence.setup.plain_descent else []),
                more_epochs(evidence.setup),
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


class RateAboveCurvature(Rule):
    """``rate > 2 / lambda_max``, lambda_max the largest eigenvalue of the Hessian of the objective over the rows.

    Gradient descent on a quadratic then diverges; with momentum b the limit is ``2 (1 + b) / lambda_max``. Elsewhere a
    training often hovers at the limit (Cohen et al. 2021), and up to twice of it the first steps may still find a
    flatter place (Lewkowycz et al. 2020): that is a warning. Measured for full batches, or on request.
    """

    name = "rate_above_curvature"
    family = "course"
    source = "LeCun, Bottou, Orr, Müller, Efficient BackProp (1998), eq. 24-26"
    why = "Along the steepest direction each step overshoots by more than it came from, further every time."
    HOVER: ClassVar[float] = 1.1
    CATAPULT: ClassVar[float] = 2.0

    def check(self, evidence: Evidence) -> Finding | None:
        setup, sharpness = evidence.setup, evidence.sharpness
        if sharpness is None or sharpness <= 0 or setup.rate is None or not setup.plain_descent:
            return None
        momentum = float(getattr(setup.settings.optimizer, "momentum", 0.0))
        limit = 2 * (1 + momentum) / sharpness
        ratio = setup.rate / limit
        quadratic = len(evidence.now.weights) == 1 and setup.objective.loss.name.endswith("squared_error")
        quadratic = quadratic and (evidence.now.output is None or evidence.now.output.f.name == "identity")
        if ratio <= (1.0 if quadratic else self.HOVER):
            return None
        top = "2 (1 + momentum)" if momentum else "2"
        return self.finding(
            evidence,
            "alarm" if quadratic or ratio > self.CATAPULT else "warning",
            f"the learning rate {setup.rate:g} is above {top} / lambda_max = {limit:.3g}",
            [Measured("largest eigenvalue of the Hessian", sharpness), Measured("rate / limit", ratio, "at most 1")],
            [other_rate(evidence.setup, rounded(limit / 2), words="a smaller"), use_adam()],
        )


def _descends(losses: Floats, constant: float) -> bool:
    """Whether a loss above a constant answer's falls steadily, its second half by a quarter of the first or more."""
    if len(losses) < 4 or losses[-1] <= constant:
        return False
    begin, middle, end = float(losses[0]), float(losses[len(losses) // 2]), float(losses[-1])
    return (np.diff(losses) < 0).mean() >= 0.8 and middle - end >= max((begin - middle) / 4, 0.01 * constant)


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
