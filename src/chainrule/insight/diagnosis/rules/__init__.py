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
    LearningRateTooHigh,
    LearningRateTooLow,
    LossNotDecreasing,
    Overfit,
    PenaltyTooStrong,
    RateAboveCurvature,
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
