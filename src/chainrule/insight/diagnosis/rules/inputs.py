"""Rules about what goes in: scale, columns that say nothing, rows that contradict each other."""

from __future__ import annotations

import dataclasses
import re
import shlex
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from chainrule.engines.interface import Data
from chainrule.insight.diagnosis.finding import Finding, Measured, Rule
from chainrule.insight.diagnosis.remedies import keep_best, scale_inputs
from chainrule.insight.diagnosis.remedy import Remedy
from chainrule.layers import BatchNorm, LayerNorm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.arrays import Floats, Ints
    from chainrule.insight.diagnosis.evidence import Evidence
    from chainrule.insight.diagnosis.setup import Setup

_OF_COLUMN = r"=|: | is (?:another or )?missing$"  # what stands after the column in the name of an input


class UnscaledInputs(Rule):
    """Inputs far outside [-1, 1], or of very different sizes.

    The size of input i is ``r_i = sqrt(mean x_i^2)``, which grows with its mean and with its variance. The curvature of
    the loss along the weights of an input grows with r_i^2, and the rate must suit the steepest of them.
    """

    name = "inputs_not_scaled"
    family = "inputs"
    source = "LeCun, Bottou, Orr, Müller, Efficient BackProp (1998), 4.3; UMLAUT (2021)"
    why = "The learning rate must suit the largest input, and is then too small for all the others."
    LARGE: ClassVar[float] = 5.0
    HUGE: ClassVar[float] = 30.0
    SMALL: ClassVar[float] = 0.1
    TINY: ClassVar[float] = 0.01
    SPREAD: ClassVar[float] = 1000.0

    def check(self, evidence: Evidence) -> Finding | None:
        if isinstance(evidence.setup.layers[0], BatchNorm | LayerNorm):
            return None
        varied = evidence.varied
        if not len(varied):
            return None
        sizes = evidence.sizes[varied]
        largest, smallest = float(sizes.max()), float(sizes.min())
        alarm = largest > self.HUGE or largest < self.TINY
        spread = largest > self.LARGE / 2 and largest > self.SPREAD * smallest
        if not alarm and self.SMALL <= largest <= self.LARGE and not spread:
            return None
        place = int(varied[int(sizes.argmax())])
        name = evidence.setup.name_of(place)
        return self.finding(
            evidence,
            "alarm" if alarm else "warning",
            f"the inputs are not scaled: the largest, {name}, has the size {largest:.3g}, the smallest {smallest:.3g}",
            [
                Measured(f"root mean square of {name}", largest, f"{self.SMALL:g} to {self.LARGE:g}"),
                Measured("largest / smallest", largest / max(smallest, 1e-300), f"below {self.SPREAD:g}"),
                Measured(f"mean of {name}", float(evidence.inputs[:, place].mean()), "near 0"),
            ],
            [scale_inputs(evidence.setup)],
            where=name,
        )


class ConstantInputs(Rule):
    """``max x_i = min x_i`` over the rows; not of inputs that are there for what no row holds yet."""

    name = "constant_inputs"
    family = "inputs"
    source = "the variance of such an input is 0: its weights are a second bias"
    why = "An input that never varies tells nothing; its weights only add to the bias."
    MANY: ClassVar[float] = 0.5

    def check(self, evidence: Evidence) -> Finding | None:
        setup = evidence.setup
        seeming = np.setdiff1d(np.arange(evidence.inputs.shape[1]), evidence.varied)
        if not len(seeming) or len(evidence.inputs) < 2:
            return None
        constant = np.setdiff1d(_constant_everywhere(setup.data.X, seeming), setup.spare)
        share = len(constant) / evidence.inputs.shape[1]
        if not share:
            return None
        kept = np.setdiff1d(np.arange(evidence.inputs.shape[1]), constant)
        return self.finding(
            evidence,
            "alarm" if share == 1 else "warning" if share > self.MANY else "note",
            f"{len(constant)} of {evidence.inputs.shape[1]} inputs never vary: {setup.listed(constant.tolist())}",
            [Measured("share of inputs that never vary", share, "0")],
            [leave_out(setup, constant.tolist(), kept)],
            where=setup.listed(constant.tolist(), 1),
        )


def _constant_everywhere(X: Floats, columns: Ints, rows: int = 4096) -> Ints:
    """Those of the columns that are the same in all rows; block after block, since most are soon seen to vary."""
    for start in range(0, len(X), rows):
        if not len(columns):
            break
        columns = columns[(X[start : start + rows, columns] == X[0, columns]).all(axis=0)]
    return columns


class DuplicateInputs(Rule):
    """``x_i = x_j`` in every row."""

    name = "duplicate_inputs"
    family = "inputs"
    source = "two equal inputs are one with the sum of their weights"
    why = "Equal inputs share one weight between them: penalties and the learning rate count it twice."

    def check(self, evidence: Evidence) -> Finding | None:
        setup, X = evidence.setup, evidence.inputs
        if len(X) < 3:
            return None
        first: dict[bytes, int] = {}
        copies = []
        for column in evidence.varied.tolist():
            twin = first.setdefault(X[:, column].tobytes(), column)
            if twin != column and np.array_equal(setup.data.X[:, twin], setup.data.X[:, column]):
                copies.append((twin, column))
        if not copies:
            return None
        twin, column = copies[0]
        kept = np.setdiff1d(np.arange(X.shape[1]), [copy for _, copy in copies])
        return self.finding(
            evidence,
            "note",
            f"{len(copies)} of {X.shape[1]} inputs are copies: {setup.name_of(column)} is {setup.name_of(twin)}",
            [Measured("inputs that are copies of others", len(copies), "0")],
            [leave_out(setup, [copy for _, copy in copies], kept)],
            where=setup.name_of(column),
        )


class LeakedTarget(Rule):
    """An input that tells the target alone.

    For values ``|correlation(x_i, t)| > 0.999``. For classes: within a class ``x_i`` varies by less than 0.001 of its
    variance, and no two classes have the same mean.
    """

    name = "leaked_target"
    family = "inputs"
    source = "Kaufman, Rosset, Perlich, Leakage in Data Mining (2012)"
    why = "An input that is the answer in disguise makes training look perfect and is missing when it counts."
    CORRELATION: ClassVar[float] = 0.999
    APART: ClassVar[float] = 0.01
    LEAST_ROWS: ClassVar[int] = 20

    def check(self, evidence: Evidence) -> Finding | None:
        X, T = _standard(evidence.inputs), evidence.targets
        if len(X) < self.LEAST_ROWS or X.shape[1] < 2:
            return None
        told = self._classes_told(X, T) if evidence.setup.for_classes else self._values_told(X, T)
        column, setup = int(told.argmax()), evidence.setup
        if not told[column] > self.CORRELATION:
            return None
        name = setup.name_of(column)
        return self.finding(
            evidence,
            "warning",
            f"{name} is the target, or follows from it",
            [Measured(f"share of {name} that the target tells", float(told[column]), f"at most {self.CORRELATION:g}")],
            [leave_out(setup, [column], np.setdiff1d(np.arange(X.shape[1]), [column]))],
            where=name,
        )

    def _values_told(self, X: Floats, T: Floats) -> Floats:
        """The largest correlation of each input with a target ``(I,)``."""
        return np.asarray(np.abs(X.T @ _standard(T)).max(axis=1) / len(X))

    def _classes_told(self, X: Floats, T: Floats) -> Floats:
        """The share of the variance of each input ``(I,)`` that lies between the classes; 0 where two are alike."""
        K, of_row = _kinds(T)
        if not 1 < K < len(T) / 2:
            return np.zeros(X.shape[1])
        members = np.equal.outer(np.arange(K), of_row).astype(np.float64)  # (K, N)
        rows = members.sum(axis=1, keepdims=True)
        means = members @ X / rows  # (K, I) of inputs whose mean is 0 and whose variance is 1
        apart = np.diff(np.sort(means, axis=0), axis=0).min(axis=0) > self.APART
        return np.asarray(np.where(apart, (rows * means**2).sum(axis=0) / len(X), 0.0))


class ContradictingRows(Rule):
    """The share of rows whose inputs are those of another row, but whose targets differ.

    Targets that are values differ when they are more than half a standard deviation apart.
    """

    name = "contradicting_rows"
    family = "inputs"
    source = "no function of the inputs fits both rows; Brodley, Friedl, Identifying Mislabeled Training Data (1999)"
    why = "No network can answer two ways to the same question: the loss cannot fall below what these rows cost."
    MANY: ClassVar[float] = 0.05
    APART: ClassVar[float] = 0.5

    def check(self, evidence: Evidence) -> Finding | None:
        X, T = evidence.setup.data.X[: evidence.rows], evidence.setup.data.T[: evidence.rows]
        apart = 0.0 if evidence.setup.for_classes else self.APART * float(T.std())
        rows = _contradicting(X, T, apart)
        share = len(rows) / len(X)
        if share <= self.MANY:
            return None
        return self.finding(
            evidence,
            "warning",
            f"{len(rows)} of {len(X)} rows have the inputs of another row and a different target, "
            f"such as rows {rows[0]} and {rows[1]}",
            [Measured("share of rows that contradict others", share, f"at most {self.MANY:g}")],
            [
                Remedy(
                    "leave them out, after a look: are labels wrong, or is an input missing?",
                    "X = np.delete(X, rows, axis=0)",
                    "",
                    lambda setup: _without(setup, _contradicting(setup.data.X, setup.data.T, apart)),
                ),
                keep_best(),
            ],
        )


def scaled_inputs(evidence: Evidence) -> list[Remedy]:
    """Inputs of the right size, where they are large: a remedy of much that follows from it."""
    large = float(evidence.sizes.max()) > UnscaledInputs.LARGE
    return [scale_inputs(evidence.setup)] if large else []


def leave_out(setup: Setup, columns: Sequence[int], kept: Ints) -> Remedy:
    """The training without some inputs."""
    option = _drop([setup.name_of(column) for column in columns], setup.names)

    def change(setup: Setup) -> Setup:
        if not len(kept):
            return setup
        narrower = setup.with_data(X=lambda X: X[:, kept])
        return narrower.with_objective(input_shape=(len(kept),))

    listed = ", ".join(map(str, columns[:5])) + (", ..." if len(columns) > 5 else "")
    return Remedy("leave them out", f"X = np.delete(X, [{listed}], axis=1)", option, change)


def _drop(left_out: Sequence[str], names: Sequence[str]) -> str:
    """The option that leaves out the columns of these inputs; none where that would take others with them.

    Inputs such as ``colour=red``, ``day: month`` and ``age is missing`` come from the columns colour, day and age.
    """
    columns = list(dict.fromkeys(re.split(_OF_COLUMN, name)[0] for name in left_out))
    others = [name for name in names if name not in left_out]
    if not names or any(re.split(_OF_COLUMN, name)[0] in columns for name in others):
        return ""
    return f"--drop {shlex.quote(','.join(_field(column) for column in columns))}"


def _field(name: str) -> str:
    """A name in quotation marks where it holds a comma or such marks, as `--drop` reads it."""
    return '"' + name.replace('"', '""') + '"' if {",", '"'} & set(name) else name


def _without(setup: Setup, rows: list[int]) -> Setup:
    """The training without these rows; a table always has others, or no share of it would be left to learn from."""
    kept = np.setdiff1d(np.arange(len(setup.data.X)), rows)
    X, T, weights = setup.data
    return dataclasses.replace(setup, data=Data(X[kept], T[kept], None if weights is None else weights[kept]))


def _contradicting(X: Floats, T: Floats, apart: float) -> list[int]:
    """The rows whose inputs occur with another target too, those of the same inputs side by side."""
    groups: dict[bytes, list[int]] = {}
    for row in range(len(X)):
        groups.setdefault(X[row].tobytes(), []).append(row)
    return [
        row
        for rows in groups.values()
        if len(rows) > 1 and float(np.ptp(T[rows], axis=0).max()) > apart
        for row in rows
    ]


def _kinds(T: Floats) -> tuple[int, Ints]:
    """How many different rows of targets there are, and which of them each row has."""
    exclusive = T.shape[1] > 1 and bool(((T != 0).sum(axis=1) == 1).all())
    of_class = T.argmax(axis=1) if exclusive else T[:, 0] if T.shape[1] == 1 else None
    kinds, of_row = np.unique(
        T if of_class is None else of_class, return_inverse=True, axis=0 if of_class is None else None
    )
    return len(kinds), of_row.reshape(len(T))


def _standard(A: Floats) -> Floats:
    centred: Floats = A - A.mean(axis=0)
    std = np.sqrt(np.einsum("ni,ni->i", centred, centred) / len(centred))
    centred /= np.where(std > 0, std, np.inf)
    return centred
