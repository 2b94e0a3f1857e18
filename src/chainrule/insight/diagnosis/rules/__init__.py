"""The rules, a class each, a file a family; `RULES` has them all, causes before their consequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.insight.diagnosis.rules.activations import ConstantUnits, DeadUnits, SaturatedUnits
from chainrule.insight.diagnosis.rules.architecture import (
    BatchNormOfOneRow,
    LinearNetwork,
    MisplacedDropout,
    NarrowLayer,
    NothingTrained,
    SoftmaxInside,
    SummedLoss,
)
from chainrule.insight.diagnosis.rules.course import (
    LossNotDecreasing,
    Overfit,
    PenaltyTooStrong,
)
from chainrule.insight.diagnosis.rules.gradients import ExplodingGradient, UpdateRatio, VanishingGradient
from chainrule.insight.diagnosis.rules.initial import InitialLoss, PoorInitialWeights, SymmetricUnits
from chainrule.insight.diagnosis.rules.inputs import (
    ConstantInputs,
    ContradictingRows,
    DuplicateInputs,
    LeakedTarget,
    UnscaledInputs,
)
from chainrule.insight.diagnosis.rules.output import OutputMismatch
from chainrule.insight.diagnosis.rules.rate import LearningRateTooHigh, LearningRateTooLow, RateAboveCurvature
from chainrule.insight.diagnosis.rules.targets import ClassImbalance, SortedRows, TargetsOutOfReach, UnscaledTargets

if TYPE_CHECKING:
    from chainrule.insight.diagnosis.finding import Rule

RULES: tuple[Rule, ...] = (
    UnscaledInputs(),
    ConstantInputs(),
    DuplicateInputs(),
    LeakedTarget(),
    ContradictingRows(),
    ClassImbalance(),
    UnscaledTargets(),
    TargetsOutOfReach(),
    SortedRows(),
    NothingTrained(),
    LinearNetwork(),
    OutputMismatch(),
    SoftmaxInside(),
    NarrowLayer(),
    BatchNormOfOneRow(),
    MisplacedDropout(),
    SummedLoss(),
    PoorInitialWeights(),
    SymmetricUnits(),
    InitialLoss(),
    SaturatedUnits(),
    DeadUnits(),
    ConstantUnits(),
    VanishingGradient(),
    ExplodingGradient(),
    UpdateRatio(),
    RateAboveCurvature(),
    LearningRateTooHigh(),
    LearningRateTooLow(),
    LossNotDecreasing(),
    PenaltyTooStrong(),
    Overfit(),
)
"""Every rule."""

_OF_UNITS = frozenset({"saturated_units", "dead_units", "constant_units", "vanishing_gradient", "exploding_gradient"})
_OF_COURSE = frozenset({"update_ratio", "learning_rate_too_high", "loss_not_decreasing", "penalty_too_strong"})

CONSEQUENCES: dict[str, frozenset[str]] = {
    "nothing_trained": frozenset({"loss_not_decreasing", "update_ratio", "vanishing_gradient"}),
    "inputs_not_scaled": _OF_UNITS | _OF_COURSE | {"initial_loss"},
    "targets_not_scaled": _OF_COURSE | {"initial_loss", "exploding_gradient", "dead_units"},
    "poor_initial_weights": _OF_UNITS | _OF_COURSE | {"initial_loss"},
    "symmetric_units": _OF_UNITS | _OF_COURSE,
    "learning_rate_too_high": (_OF_UNITS | _OF_COURSE) - {"learning_rate_too_high"},
    "penalty_too_strong": _OF_UNITS | {"loss_not_decreasing"},
    "dead_units": frozenset({"constant_units", "vanishing_gradient", "loss_not_decreasing"}),
    "vanishing_gradient": frozenset({"loss_not_decreasing"}),
}
"""What an alarm of a rule brings about, the first that applies before the others."""
