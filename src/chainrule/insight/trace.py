"""`trace`: one step of a network, every number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import checks
from chainrule.errors import ArgumentError
from chainrule.insight import addresses, passes, rows, update
from chainrule.insight.quantities import Quantity, Section, backward_sections, forward_sections, loss_section
from chainrule.insight.rendering import Document, Explained, Heading, Matrix, Part, Sentence, Table, plain
from chainrule.layers import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from chainrule.arrays import DType, Floats
    from chainrule.engines.interface import Data
    from chainrule.insight.rendering import Formula
    from chainrule.insight.what_if import WhatIf
    from chainrule.insight.why import Why
    from chainrule.model import Model
    from chainrule.network import Network
    from chainrule.objective import Objective
    from chainrule.optimizers import AnyOptimizer, AnyStepper

_DIGITS = 6


def trace(
    net: Network | Model,
    x: Any,
    y: Any = None,
    optimizer: str | AnyOptimizer | None = None,
    *,
    rows: Iterable[int] | None = None,
    training: bool | None = None,
    sample_weight: Any = None,
    dtype: DType | None = "float64",
) -> Trace:
    """One step of a network: forward, loss, backward and, with an optimiser, the update, every number by its name.

    The numbers are those that the layers' own ``forward`` and ``backward`` give and, for the update, the engine's; the
    network stays as it is.

    Args:
        net: a `Network`, or a `Model` with a table as `x`.
        x: inputs ``(B, I)`` or one row ``(I,)``; for a model a path, a built-in name or a frame.
        y: targets, as `Network.fit` takes them; for a model they stand in the table.
        optimizer: a name or an object, to take one step with.
        rows: which rows of the data make the batch, from 0; all when None.
        training: whether dropout drops and batch norm uses the batch, as in the first step of a training; None: if
            there is an optimizer, whose step is always one of training.
        sample_weight: a weight for each row of the data.
        dtype: of all numbers; None for the network's own, which gives the numbers of its training to the last bit.

    Raises:
        InputError: when something does not fit.

    >>> import chainrule as cr
    >>> net = cr.Network([cr.Dense(2, "tanh"), cr.Dense(1)], "half_squared_error", n_inputs=2)
    >>> step = trace(net, [0.5, -1.0], [1.0], cr.SGD(0.1))
    >>> step["dense_1.Z"].shape, step["dense_2.dW[0, 0]"] == step["dense_1.Y[0, 0]"] * step["dense_2.dZ[0, 0]"]
    ((1, 2), True)
    """
    training = None if training is None else checks.flag(training, "training", where="trace")
    given = _read(net, x, y, rows=rows, sample_weight=sample_weight, dtype=dtype)
    chosen, network = None if optimizer is None else update.stepper(optimizer, where="trace"), given.network
    if chosen is not None and training is not None and not training and network.objective.network.has_modes:
        raise ArgumentError(
            "training=False beside an optimizer: its step would follow another gradient than the one shown",
            where="trace",
            mend="A step is one of training, dropout and batch norm too: leave out training, or the optimizer",
        )
    mode = Mode(chosen is not None if training is None else training, network.seed)
    return Trace(network.objective, network.theta, given, mode, chosen, network.classes)


def _read(*arguments: Any, **options: Any) -> rows.Given:
    return rows.read(*arguments, **options, where="trace")


class Trace(Explained):
    """One step, every number; made by `trace`. Print it, or ask: ``trace["dense_2.dW"]``, ``trace["dense_2.W[0, 1]"]``.

    Attributes:
        objective: what is minimised.
        theta: the parameters ``(P,)`` at which it is.
        batch: inputs, targets and weights.
        mode: training or prediction.
        made: both passes, layer by layer.
        gradient: dObjective/dtheta ``(P,)``, as training uses it; 0 for what is frozen.
        update: the step, where there was an optimizer.
    """

    def __init__(
        self,
        objective: Objective,
        theta: Floats,
        given: rows.Given,
        mode: Mode,
        optimizer: AnyStepper | None,
        classes: Any = None,
    ) -> None:
        self.objective, self.theta, self.given, self.mode, self.classes = objective, theta, given, mode, classes
        self.batch: Data = given.batch
        with np.errstate(all="ignore"):  # what is not finite is shown as it is
            self.made = passes.run(objective, theta, self.batch, mode)
            _, self.gradient = objective.value_and_gradient(theta, *self.batch, mode)
            self._penalty = objective.penalty(theta) if objective.penalised else (0.0, None)
            self.update = None if optimizer is None else self._step(optimizer)
            self._sections = self._made_sections()
        self._quantities = {q.name: q for sections in self._sections.values() for s in sections for q in s.quantities}

    def _step(self, optimizer: AnyStepper) -> update.Update:
        seed = self.mode.seed
        return update.step(self.objective, self.theta, self.batch, self.gradient, optimizer, seed)

    # ---- by name ----------------------------------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """The name of every array, in the order of the step."""
        return tuple(self._quantities)

    def __iter__(self) -> Iterator[str]:
        return iter(self._quantities)

    def __len__(self) -> int:
        return len(self._quantities)

    def __contains__(self, name: object) -> bool:
        return name in self._quantities

    def __getitem__(self, name: str) -> Any:
        """The array of that name, or an entry or part of it: ``"dense_2.W[0, 1]"``, ``"dense_2.W[:, 1]"``.

        Raises:
            ArgumentError: when there is no such name or place; says what there is.
        """
        address = addresses.parse(name, self._quantities, where="trace")
        values = address.of(np.asarray(self._quantities[address.name].values))
        return values if isinstance(values, np.ndarray) and values.ndim else float(values)

    def formula(self, name: str) -> str:
        """How the array of that name is made.

        Raises:
            ArgumentError: when there is none.
        """
        return self._quantities[addresses.parse(name, self._quantities, where="trace").name].formula

    @property
    def loss(self) -> float:
        """The loss of the batch, without penalties."""
        return float(self.made.value)

    def why(self, name: str, row: int | None = None, *, paths: int = 0) -> Why:
        """Where the gradient of a parameter comes from: the chain rule, factor by factor.

        Args:
            name: one entry, ``"dense_1.W[0, 1]"``; or a column, ``"dense_1.W[:, 1]"``; or the whole, ``"dense_1.W"``.
            row: of this trace; None for the sum over its rows, penalties included.
            paths: how many paths of one entry are listed at most, the largest first.

        Raises:
            ArgumentError: for a name or row that is not there; says what there is.

        >>> import chainrule as cr
        >>> net = cr.Network([cr.Dense(2, "tanh"), cr.Dense(1)], "half_squared_error", n_inputs=2)
        >>> reason = cr.trace(net, [0.5, -1.0], [1.0]).why("dense_1.W[0, 1]")
        >>> abs(reason.value - reason.gradient) < 1e-15, reason.n_paths, reason.band
        (True, 1, 'good')
        """
        from chainrule.insight.why import Why

        return Why(self, name, row, checks.whole(paths, "paths", where="why", least=0))

    def what_if(self, name: str, value: Any) -> WhatIf:
        """Both passes again with another number in place of one, and what moved.

        Args:
            name: of a parameter, ``"dense_2.W[0, 1]"``, or of the rows: ``"X[0, 2]"``, ``"T[0, 0]"``.
            value: a number, or numbers in the shape of what the name means.

        Raises:
            ArgumentError: for a name that is not there, or a value that is no number.
            ShapeError: when the numbers have another shape.

        >>> import chainrule as cr
        >>> net = cr.Network([cr.Dense(2, "tanh"), cr.Dense(1)], "half_squared_error", n_inputs=2)
        >>> other = cr.trace(net, [0.5, -1.0], [1.0]).what_if("dense_2.b[0]", 0.25)
        >>> other.after["dense_2.Z[0, 0]"] - other.before["dense_2.Z[0, 0]"], "dense_1.Y" in other.still
        (0.25, True)
        """
        from chainrule.insight.what_if import WhatIf

        return WhatIf(self, name, value)

    def again(self, theta: Floats, given: rows.Given) -> Trace:
        """The same step with other parameters or rows."""
        optimizer = None if self.update is None else self.update.optimizer
        return Trace(self.objective, theta, given, self.mode, optimizer, self.classes)

    # ---- what there is to show --------------------------------------------------------------------------------------

    def _made_sections(self) -> Mapping[str, list[Section]]:
        made, layout = self.made, self.objective.layout
        penalty, slope = self._penalty
        sections = {
            "Forward": list(forward_sections(made.nodes)),
            "Loss": [loss_section(made, penalty)],
            "Backward": list(backward_sections(made.nodes, self._loss_slope(), layout, self.gradient, slope)),
        }
        self._tell_pair(sections["Backward"])
        if self.update is not None:
            sections["Update"] = [*update.update_sections(layout, self.update), self._after(self.update)]
        return sections

    def _tell_pair(self, backward: list[Section]) -> None:
        """Of a fused pair, say so, and set beside its gradient what the activation's Jacobian gives."""
        if self.made.by_jacobian is None:
            return
        last, pair = self.made.nodes[-1], f"{self.objective.loss.fuses_with} and {self.objective.loss.name}"
        name = f"{last.name}.{'dZ' if last.spec.kind == 'dense' else 'dX'}"
        quantities = []
        for quantity in backward[0].quantities:
            if quantity.name != name:
                quantities.append(quantity)
                continue
            quantities.append(quantity._replace(formula=self._scaled("Y - T"), note="delta, of the pair"))
            formula, note = last.layer.formulas["dZ"], "the same by way of dY, for comparison"
            quantities.append(Quantity(f"{name}.jacobian", self.made.by_jacobian, formula, note))
        remark = f"{pair} are one function here: the slope of the one and the 1/y of the other cancel, and dZ = p - t."
        backward[0] = Section(backward[0].title, tuple(quantities), remark)

    def _loss_slope(self) -> str:
        """The formula of dL/dY."""
        return self._scaled(self.objective.loss.slope_formula)

    def _scaled(self, slope: str) -> str:
        """A row's slope with the factor that the batch gives it."""
        factors = ["1/B"] * (self.objective.loss.reduction == "mean") + ["w_i"] * (self.batch.weights is not None)
        return " ".join([*factors, f"({slope})"]) if factors else slope

    def _after(self, step: update.Update) -> Section:
        """The loss of the same rows after the step."""
        after = passes.run(self.objective, step.theta, self.batch, self.mode)
        penalty = self.objective.penalty(step.theta)[0] if self.objective.penalised else 0.0
        found = [Quantity("loss.new", after.value, "", f"it was {self.loss:.{_DIGITS}g}")]
        if self.objective.penalised:
            found.append(Quantity("penalty.new", np.asarray(penalty)))
            found.append(Quantity("objective.new", after.value + penalty))
        return Section("After the step", tuple(found))

    def __repr__(self) -> str:
        B, I = self.batch.X.shape
        return f"Trace({len(self)} arrays of {B} rows, {I} inputs; print it, or ask trace[{next(iter(self))!r}])"

    def document(self, *, digits: int = _DIGITS) -> Document:
        parts: list[Part | Formula] = [Sentence(self._about(), "note"), *self._encoding()]
        for name, sections in self._sections.items():
            parts.append(Heading(name))
            if name == "Update" and self.update is not None:
                words, rate = update.in_words(self.update.optimizer), f"{self.update.rate:.{digits}g}"
                parts.append(Sentence(f"{words}: r = {rate}, g the gradient, t = 1."))
            for section in sections:
                if section.title != name:
                    parts.append(Heading(section.title, 2))
                if section.remark:
                    parts.append(Sentence(section.remark, "note"))
                parts += [Matrix(q.name, q.values, q.formula, q.note, q.told) for q in section.quantities]
        return Document(self._title(), tuple(parts))

    def _title(self) -> str:
        widths = [self.batch.X.shape[1], *(n.Y.shape[-1] for n in self.made.nodes if n.layer.kind == "dense")]
        B = len(self.batch.X)
        step = "One step" if self.update is not None else "Forward and backward"
        return f"{step} of {'-'.join(map(str, widths))}, {B} row{'' if B == 1 else 's'}"

    def _about(self) -> str:
        mode = "as in training" if self.mode.training else "as in prediction"
        told = (
            f"{self.theta.dtype} numbers, layers {mode}. d before a name means the derivative of the objective by it."
        )
        given = self.given.rows
        if given != tuple(range(len(given))):
            these = f"it is row {given[0]}" if len(given) == 1 else f"they are rows {', '.join(map(str, given))}"
            told += f" Rows here are numbered from 0; {these} of the data."
        if self.given.labels and self.given.labels != tuple(map(str, range(len(self.given.labels)))):
            told += f" Outputs: {', '.join(f'{k} {label}' for k, label in enumerate(self.given.labels))}."
        return told

    def _encoding(self) -> Iterator[Part]:
        if not self.given.encoding:
            return
        yield Heading("Encoding")
        lines = tuple((str(e.row), e.column, e.value, e.inputs) for e in self.given.encoding)
        yield Table(("row", "column", "value", "inputs"), lines, right=(0,))
        shown = len({e.column for e in self.given.encoding})
        names = len(self.given.input_names)
        if shown < names:
            yield Sentence(f"{names} inputs in all; of the table the first {shown} columns are shown.", "note")

    def data(self) -> dict[str, Any]:
        numbers = {
            q.name: {"shape": list(np.shape(q.values)), "formula": q.formula, "values": plain(q.values)}
            for q in self._quantities.values()
        }
        told = {"dtype": str(self.theta.dtype), "training": self.mode.training, "rows": list(self.given.rows)}
        if self.update is not None:
            told |= {"optimizer": repr(self.update.optimizer), "rate": self.update.rate}
        if self.given.encoding:
            told["encoding"] = [e._asdict() for e in self.given.encoding]
        return {**told, "numbers": numbers}
