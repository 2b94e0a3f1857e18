"""The quantities of a step by name, in the order in which they are computed: what a trace shows.

The names are the same for every layer: ``X`` goes in, ``Y`` comes out, ``dY`` comes back, ``dX`` goes on back; between
them what the layer keeps and the gradients of its parameters, ``dW`` of ``W``. Each layer tells the formulas itself.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.layers import Activation, Dense, Residual
from chainrule.layers.composite import Composite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.insight.passes import Node, Pass
    from chainrule.parameters import Layout

_TOLD_APART = frozenset(("X", "Z", "Y"))  # of what a layer saves: these have a place of their own
_RENAMED = {
    "mean": "mu",
    "variance": "var",
}  # of the batch or the row; `mean` and `variance` are batch norm's running ones


class Quantity(NamedTuple):
    """Numbers under a name, with the formula that made them."""

    name: str
    values: Any
    formula: str = ""
    note: str = ""
    told: bool = False  # whether the same numbers stand under another name, which is its formula


class Section(NamedTuple):
    """Quantities under a title: those of a layer in one direction."""

    title: str
    quantities: tuple[Quantity, ...]
    remark: str = ""


def groups(nodes: list[Node]) -> list[list[Node]]:
    """The nodes of each layer together, in order."""
    return [list(group) for _, group in groupby(nodes, key=lambda node: node.name)]


# ---- forward --------------------------------------------------------------------------------------------------------


def forward_sections(nodes: list[Node], source: str = "") -> Iterator[Section]:
    """A section for each layer on the way to the outputs; layers inside others follow them.

    Args:
        nodes: of a pass.
        source: where the first of them has its X from; empty for the rows themselves.
    """
    for group in groups(nodes):
        first, last = group[0], group[-1]
        formulas = first.spec.formulas
        found: list[tuple[str, Any, str]] = []
        if not isinstance(first.layer, Composite):
            found += [(name, values, "") for name, values in first.params.items()]
        found += [(name, values, "") for name, values in _saved(first)]
        if first is not last:
            found.append(("Z", last.X, ""))
        if first.inside:
            found.append(("F", first.inside[-1].Y, ""))
        found.append(("Y", last.Y, _activation_name(first.spec)))
        into = Quantity(f"{first.name}.X", first.X, source, "" if source else "the inputs", told=bool(source))
        rest = (Quantity(f"{first.name}.{name}", v, formulas.get(name, ""), note) for name, v, note in found)
        yield Section(title(first), (into, *rest), _remark(first))
        yield from forward_sections(first.inside, f"{first.name}.X")
        source = f"{first.name}.Y"


def _saved(node: Node) -> Iterator[tuple[str, Any]]:
    """The arrays that the forward pass kept beside inputs and outputs."""
    for name, values in getattr(node.saved, "_asdict", dict)().items():
        if isinstance(values, np.ndarray) and name not in _TOLD_APART:
            yield _RENAMED.get(name, name), values


def _activation_name(spec: Any) -> str:
    if not isinstance(spec, Dense | Activation):
        return ""
    constants = ", ".join(f"{letter} = {value:.6g}" for letter, value in spec.f.constants.items())
    return f"{spec.f.name}, {constants}" if constants else spec.f.name


def title(node: Node) -> str:
    """The name of a layer and what it is: ``dense_1: 4 inputs, 3 outputs, sigmoid``."""
    spec = node.spec
    words = [spec.kind.replace("_", " ")]
    if isinstance(spec, Dense):
        words = [f"dense, {spec.units} units, {spec.f.name}"]
    elif isinstance(spec, Activation):
        words = [spec.f.name]
    elif isinstance(spec, Residual):
        words = ["residual, Y = X + F(X)"]
    return f"{node.name}: {', '.join(words)}"


def _remark(node: Node) -> str:
    """What a person should know who looks at the numbers of this layer."""
    fixed = getattr(node.saved, "fixed", None)
    if node.spec.kind == "dropout":
        dropping = getattr(node.saved, "mask", None) is not None
        return "" if dropping else "Nothing is dropped: Y = X. Dropout is for training alone."
    if node.spec.kind == "batch_norm" and fixed is not None:
        return (
            "mu and var are the running averages of the training." if fixed else "mu and var are those of this batch."
        )
    return ""


# ---- backward -------------------------------------------------------------------------------------------------------


def backward_sections(
    nodes: list[Node], source: str, layout: Layout, gradient: Any, penalty: Any | None
) -> Iterator[Section]:
    """A section for each layer on the way back; layers inside others follow them.

    Args:
        nodes: of a pass.
        source: where the last of them has its dY from.
        layout: of theta.
        gradient: of the whole objective, ``(P,)``.
        penalty: the share of the penalties in it; None where there are none.
    """
    for group in reversed(groups(nodes)):
        first, last = group[0], group[-1]
        formulas = first.spec.formulas
        found = [Quantity(f"{first.name}.dY", last.dY, source, told=source.endswith((".dX", ".dY")))]
        found += _slope(first.name, last, formulas)
        if first is not last:
            found.append(Quantity(f"{first.name}.dZ", first.dY, formulas.get("dZ", ""), "delta"))
        if first.inside:
            found.append(Quantity(f"{first.name}.dF", first.inside[0].dX, "(dF/dX)^T dY"))
        if not first.inside:
            found += _gradients(first, layout, gradient, penalty)
        found.append(Quantity(f"{first.name}.dX", first.dX, formulas.get("dX", "")))
        yield Section(title(first), tuple(found))
        yield from backward_sections(first.inside, f"{first.name}.dY", layout, gradient, penalty)
        source = f"{first.name}.dX"


def _slope(name: str, node: Node, formulas: dict[str, str]) -> Iterator[Quantity]:
    """The slopes of an activation at Z; of softmax the diagonal of its Jacobian."""
    if not isinstance(node.layer, Activation):
        return
    f = node.layer.f
    note = f"{f.name}'" if f.elementwise else "the diagonal of the Jacobian"
    yield Quantity(f"{name}.slope", f.slope(node.X, node.Y), formulas.get("slope", ""), note)


def _gradients(node: Node, layout: Layout, gradient: Any, penalty: Any | None) -> Iterator[Quantity]:
    """``dW`` of each parameter ``W``: the gradient of the whole objective, and its parts where it has several."""
    formulas = node.spec.formulas
    for name, of_loss in node.grads.items():
        full = f"{node.name}.{name}"
        mine = f"{node.name}.d{name}"
        formula = formulas.get(f"d{name}", "")
        parameter = next(p for p in layout.parameters if p.name == full)
        if not parameter.trainable:
            yield Quantity(mine, of_loss, formula, "frozen: training leaves it")
        elif penalty is not None and parameter.kind == "weight":
            yield Quantity(f"{mine}.loss", of_loss, formula)
            yield Quantity(f"{mine}.penalty", layout.view(penalty, full), "l1 sign(W) + l2 W")
            yield Quantity(mine, layout.view(gradient, full), f"d{name}.loss + d{name}.penalty")
        else:
            yield Quantity(mine, layout.view(gradient, full), formula)


# ---- loss -----------------------------------------------------------------------------------------------------------


def loss_section(made: Pass, penalty: Any) -> Section:
    """The loss term by term, row by row, and altogether; then the penalties."""
    objective, (_, T, weights) = made.objective, made.batch
    given = objective.loss
    rows, _ = made.loss.rows(made.nodes[-1].X if objective.fused else made.Y, T)
    scale = "1/B " if given.reduction == "mean" else ""
    found = [Quantity("T", T, "", "targets")]
    if weights is not None:
        found.append(Quantity("weights", weights, "", "of the rows"))
    found += [
        Quantity("loss.terms", given.terms(made.Y, T), "", "the share of each output"),
        Quantity("loss.rows", rows, given.formula, given.name),
        Quantity("loss", made.value, f"{scale}sum_i {'l_i' if weights is None else 'w_i l_i'}"),
    ]
    if objective.penalised:
        found += [
            Quantity("penalty", np.asarray(penalty), "l1 sum |W| + l2/2 sum W^2"),
            Quantity("objective", made.value + penalty, "loss + penalty"),
        ]
    else:
        found.append(Quantity("objective", made.value, "loss"))
    return Section("Loss", tuple(found))
