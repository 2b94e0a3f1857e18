"""Mistakes in the step itself: rates, signs, how often, and the optimisers' formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.insight.marking.mistake import Change, InapplicableError, Mistake
from chainrule.optimizers import SGD, Adagrad, Adam, AdamW, RMSProp

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.arrays import Array
    from chainrule.insight.marking.variant import Variant
    from chainrule.optimizers import AnyStepper

_STEP = "W.new = W + change"


def _rows(step: Variant) -> int:
    if step.B == 1:
        raise InapplicableError
    return step.B


def _kept(which: Callable[[Variant, Any], bool]) -> Change:
    """Some parameters stay as they were."""

    def change(step: Variant, _: None, new: Array) -> Array:
        start, new = step.start, new.copy()
        layout = start.objective.layout
        for parameter in layout.parameters:
            if which(step, parameter):
                layout.view(new, parameter.name)[...] = layout.view(start.theta, parameter.name)
        return new

    return change


def _outside_last(step: Variant, parameter: Any) -> bool:
    return len(step.dense) < 2 or not parameter.name.startswith(f"{step.dense[-1].name}.")


# ---- optimisers -----------------------------------------------------------------------------------------------------


def _of(*kinds: type[AnyStepper]) -> Callable[[Callable[[Variant, Any, Array], Array]], Change]:
    """For these optimisers alone: a change from the step, the optimiser and the right change."""

    def wrap(change: Callable[[Variant, Any, Array], Array]) -> Change:
        def made(step: Variant, _: None, right: Array) -> Array:
            optimizer = step.start.optimizer
            if not isinstance(optimizer, kinds):
                raise InapplicableError
            return change(step, optimizer, right)

        return made

    return wrap


def _adam(*, numerator: bool = True, denominator: bool = True, inside: bool = False, root: bool = True) -> Change:
    """Adam with these corrections of the bias; epsilon inside the root or outside; with the root or without."""

    @_of(Adam, AdamW)
    def change(step: Variant, o: Any, right: Array) -> Array:
        m, v = (step.slots or {})["m"], (step.slots or {})["v"]
        exact = _formula(o, step, m, v, numerator=True, denominator=True, inside=False, root=True)
        wrong = _formula(o, step, m, v, numerator=numerator, denominator=denominator, inside=inside, root=root)
        return right - exact + wrong

    return change


def _formula(
    o: Any, step: Variant, m: Array, v: Array, *, numerator: bool, denominator: bool, inside: bool, root: bool
) -> Array:
    m = m / (1 - o.beta1**step.t) if numerator else m
    v = v / (1 - o.beta2**step.t) if denominator else v
    if not root:
        return -step.rate * m / (v + o.epsilon)
    return -step.rate * m / (np.sqrt(v + o.epsilon) if inside else np.sqrt(v) + o.epsilon)


def _over(under: Callable[[Array, float], Array]) -> Change:
    """RMSProp or Adagrad with something else under the fraction, from s and epsilon."""

    @_of(RMSProp, Adagrad)
    def change(step: Variant, o: Any, right: Array) -> Array:
        s = (step.slots or {})["square"]
        return right * (np.sqrt(s) + o.epsilon) / under(s, o.epsilon)

    return change


@_of(SGD, RMSProp)
def _momentum_sign(step: Variant, o: Any, right: Array) -> Array:
    if not o.momentum or not isinstance(o, SGD):
        raise InapplicableError
    v0 = (step.slots or {})["velocity"] + step.rate * step.taken  # momentum * the velocity of before
    if not o.nesterov:
        return right - 2 * v0
    return -o.momentum * (step.slots or {})["velocity"] - step.rate * step.taken


@_of(SGD)
def _dampened(_: Variant, o: Any, right: Array) -> Array:
    return (1 - o.momentum) * right if o.momentum else right


@_of(SGD)
def _no_look_ahead(step: Variant, o: Any, right: Array) -> Array:
    return (step.slots or {})["velocity"] if o.nesterov else right


@_of(AdamW)
def _no_decay(step: Variant, o: Any, right: Array) -> Array:
    return right + step.rate * o.weight_decay * step.start.theta * _weights(step)


@_of(AdamW)
def _decay_of_all(step: Variant, o: Any, right: Array) -> Array:
    return right - step.rate * o.weight_decay * step.start.theta * (1 - _weights(step))


@_of(AdamW)
def _decay_without_rate(step: Variant, o: Any, right: Array) -> Array:
    return right - (1 - step.rate) * o.weight_decay * step.start.theta * _weights(step)


@_of(RMSProp)
def _decays_swapped(step: Variant, o: Any, right: Array) -> Array:
    s = (step.slots or {})["square"]
    swapped = s * o.decay / (1 - o.decay)  # in the first step, where nothing is kept
    return right * (np.sqrt(s) + o.epsilon) / (np.sqrt(swapped) + o.epsilon)


def _plain(step: Variant, _: None, right: Array) -> Array:
    del right
    if isinstance(step.start.optimizer, SGD) and not step.start.optimizer.momentum:
        raise InapplicableError
    return -step.rate * step.taken


def _weights(step: Variant) -> Array:
    return step.start.objective.layout.weights(str(step.start.theta.dtype))


def _once(name: str, says: str, point: Any, change: Change, right: str = _STEP) -> Mistake:
    return Mistake(name, says, right, {point: change}, "once")


_ADAM = "-r m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)"

UPDATES = (
    _once("uphill", "the gradient was added instead of subtracted", "change", lambda _, __, c: -c),
    _once("rate twice", "the learning rate was multiplied twice", "change", lambda s, _, c: c * s.rate),
    _once("rate forgotten", "the learning rate was forgotten", "change", lambda s, _, c: c / s.rate),
    _once("bias not updated", "the biases were not updated", "new", _kept(lambda _, p: p.kind == "bias")),
    _once("weights not updated", "only the biases were updated", "new", _kept(lambda _, p: p.kind == "weight")),
    _once("only the last layer updated", "only the last layer was updated", "new", _kept(_outside_last)),
    _once("an update too many", "there was one update too many", "steps", lambda _, __, ___: 2),
    _once("no update", "no update was made: the numbers are those of before", "steps", lambda _, __, ___: 0),
    _once(
        "update averaged again", "the update was divided by the number of rows", "change", lambda s, _, c: c / _rows(s)
    ),
    _once(
        "update summed", "the update is the sum over the rows without the 1/B", "change", lambda s, _, c: c * _rows(s)
    ),
    _once(
        "new is the change",
        "the change was put in place of the number instead of added",
        "new",
        lambda s, _, n: n - s.start.theta,
    ),
    _once("new is the gradient", "the gradient was put in place of the number", "new", lambda s, _, __: s.taken),
    _once(
        "rate times the number",
        "the number itself was multiplied by the learning rate",
        "new",
        lambda s, _, n: n + (s.rate - 1) * s.start.theta,
    ),
    _once("momentum's sign", "momentum has the wrong sign", "change", _momentum_sign),
    _once("momentum dampened", "the gradient was multiplied by 1 - momentum", "change", _dampened),
    _once("no look ahead", "Nesterov's look ahead is missing", "change", _no_look_ahead, "momentum * velocity - r g"),
    _once("plain descent", "plain gradient descent was done instead of the optimizer's own step", "change", _plain),
    _once(
        "Adam: no bias correction",
        "the bias of Adam's m and v was not corrected",
        "change",
        _adam(numerator=False, denominator=False),
        _ADAM,
    ),
    _once(
        "Adam: only m corrected", "the bias of Adam's v was not corrected", "change", _adam(denominator=False), _ADAM
    ),
    _once("Adam: only v corrected", "the bias of Adam's m was not corrected", "change", _adam(numerator=False), _ADAM),
    _once("Adam: epsilon inside the root", "epsilon was put inside the root", "change", _adam(inside=True), _ADAM),
    _once("Adam: no root", "the root of v was forgotten", "change", _adam(root=False), _ADAM),
    _once("AdamW: no decay", "the weight decay was forgotten", "change", _no_decay),
    _once("AdamW: decay of biases", "the biases were decayed too", "change", _decay_of_all),
    _once(
        "AdamW: decay without the rate",
        "the weight decay was not multiplied by the rate",
        "change",
        _decay_without_rate,
    ),
    _once("epsilon inside the root", "epsilon was put inside the root", "change", _over(lambda s, e: np.sqrt(s + e))),
    _once("no root", "the root of the squares was forgotten", "change", _over(lambda s, e: s + e)),
    _once("RMSProp: decays swapped", "decay and 1 - decay were swapped", "change", _decays_swapped),
)
