"""What a report tells of: a training that has ended, made ready to be asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from math import isqrt
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from chainrule import metrics
from chainrule.history import History
from chainrule.model import probabilities_of
from chainrule.network import Network
from chainrule.report.cells import groups_of, shown_cells
from chainrule.report.pictures import like_pixels
from chainrule.report.words import number
from chainrule.scores import ClassReport, ValueReport, score_classes, score_values
from chainrule.trained import Trained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.arrays import Floats, Ints

Kind = Literal["classes", "labels", "values"]
_MANY = 50  # columns, of which each matters too little for a coarse score
_PLACE = re.compile(r"^(.*?)(\d+)(?:(\D+)(\d+))?$")
_LEAST_IMAGE = 49  # inputs without names of places are taken for an image from 7 x 7 on


@dataclass(frozen=True, eq=False, kw_only=True)
class Subject:
    """A training that has ended, and the rows by which it is judged.

    Those are the rows of the test, where there are any, or else of the validation, or else of the training.

    Attributes:
        history: of the training.
        trained: what it left behind.
        names: of the inputs, as a person gave them; empty: numbered.
    """

    history: History
    trained: Trained
    names: tuple[str, ...] = ()

    @cached_property
    def network(self) -> Network:
        """The network as it was at the end."""
        of, dtype = self.trained.objective, str(self.trained.theta.dtype)
        net = Network(
            of.network.layers,
            of.loss,
            seed=self.trained.seed,
            dtype=dtype,  # type: ignore[arg-type] # float32 or float64
            n_inputs=of.input_shape[0],
            l1=of.l1,
            l2=of.l2,
        )
        net.theta = self.trained.theta
        return net

    @property
    def last_epoch(self) -> int:
        """How many epochs there were; a history from a file does not keep every one of them."""
        return int(self.history["epoch"][-1]) if len(self.history) else 0

    # ---- rows -------------------------------------------------------------------------------------------------------

    @property
    def part(self) -> str:
        """``test``, ``validation`` or ``training``: whose rows the scores are of; ``given`` where they are others."""
        table = self.trained.table
        if table is not None and (table.given or table.test is not None):
            return "given" if table.given else "test"
        return "training" if self.trained.held is None else "validation"

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many rows each part has."""
        table, held = self.trained.table, self.trained.held
        test = 0 if table is None or table.test is None else len(table.test[0])
        if self.part == "given":
            return {"given": len(self.trained.data.X)}
        every = {"training": len(self.trained.data.X), "validation": 0 if held is None else len(held.X), "test": test}
        return {name: count for name, count in every.items() if count}

    @cached_property
    def inputs(self) -> Floats:
        """The inputs ``(N, I)`` of the rows that are scored."""
        table = self.trained.table
        if table is not None and table.test is not None:
            return table.test[0]
        return (self.trained.held or self.trained.data).X

    @cached_property
    def targets(self) -> Any:
        """Their targets: class indices ``(N,)``, or values ``(N, O)`` in the units of the target."""
        table = self.trained.table
        if table is not None and table.test is not None:
            t = table.test[1]
            return t if self.kind == "classes" else self._decoded(t[:, None])
        T = (self.trained.held or self.trained.data).T
        if self.kind != "classes":
            return self._decoded(T)
        return (T[:, 0] > 0.5).astype(np.intp) if T.shape[1] == 1 else T.argmax(axis=1)

    @cached_property
    def places(self) -> Ints:
        """Which rows they are: from 1 in the table or file they came from; of arrays that were given, from 0."""
        table, own = self.trained.table, np.arange(len(self.inputs))
        if table is not None:
            return table.places.get(self.part, own) + 1
        return own if self.trained.places is None or self.part == "training" else self.trained.places

    @cached_property
    def answers(self) -> Floats:
        """What the network gives for them, ``(N, O)``."""
        with np.errstate(all="ignore"):  # what is not finite is told
            return self.network.forward(self.inputs)

    @property
    def undefined(self) -> int:
        """For how many rows it gives what is no number."""
        return int((~np.isfinite(self.answers)).any(axis=1).sum())

    @property
    def probabilities(self) -> Floats:
        """The probabilities ``(N, K)``; only for classes."""
        return probabilities_of(self.answers)

    @property
    def values(self) -> Floats:
        """The predicted values ``(N, O)`` in the units of the target."""
        return self._decoded(self.answers)

    def _decoded(self, Y: Any) -> Floats:
        table = self.trained.table
        return np.asarray(Y, np.float64) if table is None else np.asarray(table.columns.decode_values(Y))

    # ---- answers ----------------------------------------------------------------------------------------------------

    @property
    def kind(self) -> Kind:
        """Whether the targets are classes, or labels of which several may hold at once, or values."""
        of = self.trained.objective
        if self.trained.classes is not None:
            return "classes"
        if of.loss.name == "binary_cross_entropy" and of.output_shape[0] > 1:
            return "labels"
        return "classes" if of.loss.for_classes else "values"

    @property
    def classes(self) -> tuple[Any, ...]:
        """The labels of the classes."""
        table = self.trained.table
        if table is not None:
            return tuple(table.columns.classes)
        if self.trained.classes is not None:
            return tuple(self.trained.classes.tolist())
        return tuple(range(max(self.trained.objective.output_shape[0], 2)))

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the values."""
        table, O = self.trained.table, self.trained.objective.output_shape[0]
        if table is not None:
            return (table.columns.target.name,)
        return ("target",) if O == 1 else tuple(f"output {o + 1}" for o in range(O))

    @cached_property
    def report(self) -> ClassReport | ValueReport:
        """How good the answers are."""
        if self.kind == "classes":
            return score_classes(self.targets, self.probabilities, self.classes)
        return score_values(self.targets, self.values, self.output_names)

    @cached_property
    def label_accuracy(self) -> float:
        """The share of labels that are right."""
        return float(((self.values >= 0.5) == (self.targets > 0.5)).mean())

    @property
    def headline(self) -> tuple[str, float | None]:
        """The score that is told first, None where it is undefined."""
        if self.kind == "labels":
            return "accuracy of the labels", None if self.undefined else self.label_accuracy
        name, field = ("accuracy", "accuracy") if self.kind == "classes" else ("R²", "r2")
        return name, None if self.undefined else getattr(self.report, field)

    @property
    def measure(self) -> str:
        """By what the inputs are judged: of classes and many columns the log loss, which sees small changes."""
        if self.kind == "classes" and len(self.groups) > _MANY:
            return "log loss"
        return self.headline[0]

    def score(self, X: Floats, rows: Ints) -> float:
        """The `measure`, higher is better, where X stands in the place of the inputs of these rows."""
        Y, t = self.network.forward(X), self.targets[rows]
        if self.measure == "log loss":
            return -metrics.log_loss(t, probabilities_of(Y))
        if self.kind == "classes":
            return float((probabilities_of(Y).argmax(axis=1) == t).mean())
        if self.kind == "labels":
            return float(((Y >= 0.5) == (t > 0.5)).mean())
        residual, spread = t - self._decoded(Y), ((t - t.mean(axis=0)) ** 2).sum(axis=0)
        return float(np.mean(1 - (residual**2).sum(axis=0) / np.where(spread > 0, spread, 1)))

    # ---- inputs -----------------------------------------------------------------------------------------------------

    @cached_property
    def groups(self) -> list[tuple[str, slice]]:
        """The columns of the table, or else the inputs, by name: which places of a row each has."""
        if self.trained.table is not None:
            return groups_of(self.trained.table.columns.features)
        names = self.names or tuple(f"input {i}" for i in range(self.inputs.shape[1]))
        return [(name, slice(i, i + 1)) for i, name in enumerate(names)]

    def cells(self, row: int) -> list[str]:
        """The inputs of a row as a person knows them, one text for each of `groups`."""
        if self.trained.table is not None:
            return shown_cells(self.trained.table.columns.features, self.inputs[row])
        return [number(value) for value in self.inputs[row].tolist()]

    @property
    def pixels(self) -> Floats:
        """The inputs ``(N, I)`` in the units of the table: what is 0 there is 0."""
        return self._in_units(self.inputs)

    def _in_units(self, X: Floats) -> Floats:
        if self.trained.table is None:
            return X
        features = self.trained.table.columns.features
        scales = np.array([getattr(each, "scale", 1.0) for each in features])
        return np.asarray(X * scales + np.array([getattr(each, "center", 0.0) for each in features]))

    @cached_property
    def image(self) -> tuple[int, Ints] | None:
        """Where inputs are the pixels of a square image: its side, and the place of each input in it."""
        if self._square is None:
            return None
        X = self._in_units(self.trained.data.X)
        return self._square if like_pixels(X.min(axis=0), X.max(axis=0)) else None

    @property
    def _square(self) -> tuple[int, Ints] | None:
        """The same by number and names alone."""
        if self.trained.table is None and not self.names:
            I = self.inputs.shape[1]
            side = isqrt(I)
            return (side, np.arange(I)) if side * side == I >= _LEAST_IMAGE else None
        aside = () if self.trained.table is None else tuple(each.name for each in self.trained.table.columns.set_aside)
        names = [name for name, places in self.groups if places.stop - places.start == 1]
        return image_places(names, aside) if len(names) == self.inputs.shape[1] else None


def image_places(names: Sequence[str], aside: Sequence[str] = ()) -> tuple[int, Ints] | None:
    """The side of a square image and the place of each pixel, by names such as ``pixel_3_4`` or ``pixel17``.

    Args:
        names: of the inputs.
        aside: of columns that are no inputs, such as pixels that are always 0.

    >>> side, places = image_places(["p_0_0", "p_0_1", "p_1_1"], ["p_1_0", "id"])
    >>> side, places.tolist()
    (2, [0, 1, 3])
    >>> image_places(["age", "income"])
    """
    found = {name: match for name in (*names, *aside) if (match := _PLACE.match(name))}
    if not names or any(name not in found for name in names):
        return None
    stems = {(found[name][1], found[name][3]) for name in names}
    every = [match for match in found.values() if (match[1], match[3]) in stems]
    side = isqrt(len(every))
    if len(stems) > 1 or side * side != len(every) or (found[names[0]][4] is None and len(every) < _LEAST_IMAGE):
        return None
    least = min(int(match[2]) for match in every)

    def place(match: re.Match[str]) -> int:
        row, column = int(match[2]) - least, match[4]
        return row if column is None else row * side + int(column) - min(int(each[4]) for each in every)

    places = np.array([place(found[name]) for name in names])
    fits = len(set(places.tolist())) == len(names) and places.min() >= 0 and places.max() < side * side
    return (side, places) if fits else None
