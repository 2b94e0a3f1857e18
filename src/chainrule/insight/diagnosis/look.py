"""One look at a network: what its layers do with a sample of rows, and what flows back.

The numbers are those of the layers' own `forward` and `backward`, in the mode of training. Nothing is changed by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.arrays import Floats
from chainrule.divergence import place_in_pass, place_in_theta
from chainrule.engines.interface import Data
from chainrule.layers import BatchNorm, Dense, LayerNorm, Mode, Residual
from chainrule.optimizers import LBFGS, clip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from chainrule.activations import ActivationFunction
    from chainrule.arrays import Ints
    from chainrule.insight.diagnosis.setup import Setup
    from chainrule.layers import Shape
    from chainrule.layers.composite import Composite
    from chainrule.objective import Objective

ROWS = 256
"""Rows that a look takes; all where there are fewer."""


class Units(NamedTuple):
    """The units of one activation: net input ``Z (B, O)``, output ``Y (B, O)``."""

    layer: str
    f: ActivationFunction
    Z: Floats
    Y: Floats


class Weights(NamedTuple):
    """One matrix of trained weights.

    Attributes:
        name: ``"dense_1.W"``.
        W: the weights.
        gradient: of the loss without penalties, the mean over the rows.
        change: what the next step would add; None where the optimiser takes no steps.
        fan_in: inputs of each unit.
        fan_out: units.
        normed: whether a norm follows, which makes the scale of W irrelevant.
    """

    name: str
    W: Floats
    gradient: Floats
    change: Floats | None
    fan_in: int
    fan_out: int
    normed: bool

    @property
    def layer(self) -> str:
        """The layer that it belongs to."""
        return self.name.rpartition(".")[0]


@dataclass(frozen=True, eq=False)
class Look:
    """What was seen.

    Attributes:
        step: steps taken before.
        rows: the sample.
        loss: without penalties, the mean over the rows.
        predicted: the same of the network as it predicts: without dropout, batch norm by its running averages.
        penalty: of theta.
        outputs: ``Y (B, O)`` of the network.
        hidden: the units inside, in order.
        output: the units of the last layer, with the activation that the person gave; None where it has none.
        weights: the trained matrices, in order.
        bad: the first quantity that is not finite; empty when all are.
    """

    step: int
    rows: Data
    loss: float
    predicted: float
    penalty: float
    outputs: Floats
    hidden: tuple[Units, ...]
    output: Units | None
    weights: tuple[Weights, ...]
    bad: str = ""


def sample(n_rows: int, most: int = ROWS) -> Ints | slice:
    """The rows to look at: all, or so many drawn without replacement, always the same."""
    if n_rows <= most:
        return slice(None)
    return np.sort(np.random.default_rng(0).choice(n_rows, most, replace=False))


def take_look(
    setup: Setup, theta: Floats, *, step: int = 0, slots: Mapping[str, Floats] | None = None, most: int = ROWS
) -> Look:
    """Look at theta, before the step of that number; `slots` are the optimiser's, new ones unless given."""
    objective, chosen = setup.per_row, sample(len(setup.data.X), most)
    X, T, weights = setup.data
    rows = Data(X[chosen], T[chosen], None if weights is None else weights[chosen])
    mode = Mode(training=True, seed=setup.settings.seed, step=step)
    with np.errstate(all="ignore"):  # what is not finite is a finding
        params = objective.layout.split(theta)
        loss, grads, saved = objective.data_term(params, *rows, mode)
        gradient = objective.layout.join(grads, theta)
        penalty, slope = objective.penalty(theta) if objective.penalised else (0.0, 0.0)
        change = _change(setup, theta, gradient, slope, step, slots)
        predicted = _predicted(setup, params, rows, float(loss), step)
        units = list(_units(objective.trained[0], saved, objective.input_shape))
        outputs, output = _output(objective, units, params, rows, mode)
    bad = "" if np.isfinite(loss) and np.isfinite(gradient).all() else _bad(objective, theta, rows, mode)
    hidden = tuple(each for each in units if output is None or each.layer != output.layer)
    return Look(
        step,
        rows,
        float(loss),
        predicted,
        float(penalty),
        outputs,
        hidden,
        output,
        _weights(objective, theta, gradient, change),
        bad,
    )


def _predicted(setup: Setup, params: Any, rows: Data, loss: float, step: int) -> float:
    """The loss in prediction mode: that of training, where no layer tells the two apart, or nothing was trained."""
    if not (step and setup.objective.network.has_modes):
        return loss
    return float(setup.per_row.evaluate(params, *rows)[0])


def _bad(objective: Objective, theta: Floats, rows: Data, mode: Mode) -> str:
    if not np.isfinite(theta).all():
        return place_in_theta(objective, theta)
    place = place_in_pass(objective, theta, rows, mode)
    return "the gradient" if place == "the penalty" else place


def _units(layers: Composite, saved: Any, shape: Shape, prefix: str = "") -> Iterator[Units]:
    """Every activation, those inside of residuals too."""
    for (name, layer, inside), kept in zip(layers.named(shape), saved, strict=True):
        if isinstance(layer, Residual):
            yield from _units(layer, kept, inside, f"{prefix}{name}.")
        elif hasattr(layer, "f") and hasattr(kept, "Z"):
            rows = len(kept.Z)
            yield Units(f"{prefix}{name}", layer.f, kept.Z.reshape(rows, -1), kept.Y.reshape(rows, -1))


def _output(
    objective: Objective, units: list[Units], params: Any, rows: Data, mode: Mode
) -> tuple[Floats, Units | None]:
    """What the network gives, and the units that give it: those of its last layer."""
    *_, (name, last, _) = objective.network.named(objective.input_shape)
    if not (units and units[-1].layer == name and hasattr(last, "f")):
        Y, _ = objective.network.forward(params, rows.X, mode)
        return Y, None
    Z = units[-1].Z
    Y = last.f.value(Z) if objective.fused else units[-1].Y
    return Y, Units(name, last.f, Z, Y)


def _change(
    setup: Setup, theta: Floats, gradient: Floats, penalty_slope: Any, step: int, slots: Mapping[str, Floats] | None
) -> Floats | None:
    """What the optimiser would add in this step, with the scale that the loss's own reduction gives the gradient."""
    optimizer, layout = setup.settings.optimizer, setup.objective.layout
    rate, t = setup.rate_at(step), 1 if slots is None else step + 1  # new slots are those of a first step
    if isinstance(optimizer, LBFGS) or rate is None:
        return None
    scale = setup.batch_size if setup.objective.loss.reduction == "sum" else 1
    whole = clip(gradient * scale + penalty_slope, optimizer)
    kept = optimizer.slots(theta) if slots is None else dict(slots)
    weights = layout.weights(str(theta.dtype))
    change, _ = optimizer.change(theta, whole, kept, rate=rate, t=t, weights=weights)
    return np.asarray(change * layout.trainable(str(theta.dtype)))


def _weights(objective: Objective, theta: Floats, gradient: Floats, change: Floats | None) -> tuple[Weights, ...]:
    layout, normed = objective.layout, set(_normed(objective.network, objective.input_shape))
    return tuple(
        Weights(
            p.name,
            layout.view(theta, p.name).copy(),
            layout.view(gradient, p.name),
            None if change is None else layout.view(change, p.name),
            p.fan_in,
            p.fan_out,
            p.name.rpartition(".")[0] in normed,
        )
        for p in layout.parameters
        if p.kind == "weight" and p.trainable
    )


def _normed(layers: Composite, shape: Shape, prefix: str = "") -> Iterator[str]:
    """The names of the dense layers that a norm follows directly."""
    named = list(layers.named(shape))
    for place, (name, layer, inside) in enumerate(named):
        follower = named[place + 1][1] if place + 1 < len(named) else None
        if isinstance(layer, Residual):
            yield from _normed(layer, inside, f"{prefix}{name}.")
        elif isinstance(layer, Dense) and isinstance(follower, BatchNorm | LayerNorm):
            yield f"{prefix}{name}"
