"""The rule about the last layer and the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from chainrule.insight.diagnosis.finding import Finding, Measured, Rule, Severity
from chainrule.insight.diagnosis.remedies import last_layer
from chainrule.insight.diagnosis.remedy import Remedy

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.insight.diagnosis.evidence import Evidence


class Mismatch(NamedTuple):
    """What does not fit."""

    severity: Severity
    says: str
    remedies: tuple[Remedy, ...]


class OutputMismatch(Rule):
    """A last activation and a loss that do not belong together.

    Softmax of one output, which is always 1; cross-entropy of what are no probabilities; squared error of a sigmoid or
    softmax on classes, whose gradient has the slope y(1 - y) as a factor, nearly 0 where the answer is surely wrong;
    the logarithm of an output that may be 0 or negative.
    """

    name = "output_mismatch"
    family = "architecture"
    source = "UMLAUT (2021); Nielsen, Neural Networks and Deep Learning (2015), chapter 3: the learning slowdown"
    why = "The gradient then leads elsewhere than to the answer, or is smallest where the answer is most wrong."
    BOUNDED: ClassVar[frozenset[str]] = frozenset({"sigmoid", "softmax"})
    POSITIVE: ClassVar[frozenset[str]] = frozenset({"softplus", "exp", "sigmoid", "softmax"})
    FEW: ClassVar[int] = 20

    def check(self, evidence: Evidence) -> Finding | None:
        output = evidence.now.output
        f, (O,) = output.f.name if output else "nothing", evidence.setup.objective.output_shape
        found = self._found(evidence, f, O)
        if found is None:
            return None
        loss = evidence.setup.objective.loss.name
        figures = [
            Measured("outputs", O),
            Measured(f"loss ({loss}) now", evidence.now.loss, f"below {evidence.constant:.4g}"),
        ]
        where = output.layer if output else ""
        return self.finding(evidence, found.severity, found.says, figures, found.remedies, where=where)

    def _found(self, evidence: Evidence, f: str, O: int) -> Mismatch | None:
        loss = evidence.setup.objective.loss.name
        if f == "softmax" and O == 1:
            return Mismatch("alarm", "softmax of one output is 1, whatever comes in", (_one_sigmoid(),))
        checks: dict[str, Callable[[Evidence, str], Mismatch | None]] = {
            "cross_entropy": self._cross_entropy,
            "binary_cross_entropy": self._binary_cross_entropy,
            "poisson": self._poisson,
        }
        return checks.get(loss, self._values)(evidence, f)

    def _cross_entropy(self, evidence: Evidence, f: str) -> Mismatch | None:
        mend = (last_layer("softmax", words="softmax at the end"),)
        if f != "softmax":
            return Mismatch("alarm", f"cross-entropy of {f} outputs: they are no probabilities that sum to 1", mend)
        return self._logarithm(evidence, f, mend)

    def _binary_cross_entropy(self, evidence: Evidence, f: str) -> Mismatch | None:
        mend = (last_layer("sigmoid", words="sigmoid at the end"),)
        if f == "softmax":
            words = "softmax outputs under binary cross-entropy: classes that exclude each other have cross_entropy"
            return Mismatch("warning", words, (last_layer("softmax", "cross_entropy", words="cross-entropy"), *mend))
        if f != "sigmoid":
            return Mismatch("alarm", f"binary cross-entropy of {f} outputs: they are no probabilities", mend)
        return self._logarithm(evidence, f, mend)

    def _logarithm(self, evidence: Evidence, f: str, mend: tuple[Remedy, ...]) -> Mismatch | None:
        if evidence.setup.objective.fused:
            return None
        says = f"something stands between {f} and the loss: the logarithm of a probability that may round to 0"
        return Mismatch("warning", says, mend)

    def _poisson(self, _: Evidence, f: str) -> Mismatch | None:
        if f in self.POSITIVE:
            return None
        mend = last_layer("softplus", words="softplus at the end")
        return Mismatch("alarm", f"poisson takes the logarithm of the outputs, and {f} gives 0 or less", (mend,))

    def _values(self, evidence: Evidence, f: str) -> Mismatch | None:
        T, loss = evidence.targets, evidence.setup.objective.loss.name
        if evidence.setup.for_classes:
            classes = T.shape[1]
            mend = _one_sigmoid() if classes == 1 else last_layer("softmax", "cross_entropy", words="cross-entropy")
            slow = " begins slowly where an answer is surely wrong" if f in self.BOUNDED else " is not made for it"
            return Mismatch(
                "warning" if f in self.BOUNDED else "note", f"the targets are classes: {loss} of {f}{slow}", (mend,)
            )
        distinct = np.unique(T)
        if (
            T.shape[1] == 1
            and 2 < len(distinct) <= self.FEW < len(T) / 2
            and (distinct == np.arange(len(distinct))).all()
        ):
            K = len(distinct)
            says = f"the targets are the numbers 0 to {K - 1}: if they name classes, they have no order"
            words = f"an output for each of the {K} classes: cross-entropy"
            return Mismatch(
                "note",
                says,
                (Remedy(words, f'cr.Dense({K}, "softmax"), loss="cross_entropy"', "--task classification"),),
            )
        return None


def _one_sigmoid() -> Remedy:
    return last_layer("sigmoid", "binary_cross_entropy", 1, words="one sigmoid under binary cross-entropy")
