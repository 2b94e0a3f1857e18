"""Rules about the learning rate: by how the losses went, and by the curvature."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from chainrule.insight.diagnosis.finding import Finding, Measured, Rule
from chainrule.insight.diagnosis.remedies import (
    clip_gradient,
    more_epochs,
    other_rate,
    rounded,
    use_adam,
)

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.insight.diagnosis.evidence import Course, Evidence


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
        if not ((slow or descends(losses, evidence.constant)) and falling >= self.FALLING and end < begin):
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


def descends(losses: Floats, constant: float) -> bool:
    """Whether a loss above a constant answer's falls steadily, its second half by a quarter of the first or more."""
    if len(losses) < 4 or losses[-1] <= constant:
        return False
    begin, middle, end = float(losses[0]), float(losses[len(losses) // 2]), float(losses[-1])
    return (np.diff(losses) < 0).mean() >= 0.8 and middle - end >= max((begin - middle) / 4, 0.01 * constant)
