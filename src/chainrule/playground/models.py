"""A trained model as what a session begins with: its layers as a setting, its weights, its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from chainrule import activations
from chainrule.errors import ArgumentError
from chainrule.layers import BatchNorm, Dense, Dropout, LayerNorm
from chainrule.playground.setting import HiddenLayer, Setting
from chainrule.playground.tables import Begun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.layers import AnyLayer
    from chainrule.model import Model

_WHERE = "play"
_KEPT = ("optimizer", "lr", "schedule", "l1", "clip_norm", "batch_size", "seed")


def begun_with(model: Model, data: str) -> Begun:
    """What a session begins with that goes on with a model on this table.

    Raises:
        ArgumentError: when the network has layers that the page has no card for.
    """
    network, settings = model.network, model.settings
    *hidden, last = network.layers
    if not isinstance(last, Dense):
        raise _strange(last)
    known = {name: getattr(settings, name) for name in _KEPT if settings.optimizer != "lbfgs"}
    setting = Setting(
        data=data,
        target=model.columns.target.name,
        task=model.columns.task,  # type: ignore[arg-type] # one of the two words
        scaling=model.columns.scaling,
        layers=_hidden(hidden),
        loss=network.loss.name,
        l2=network.l2,
        **known,
    )
    return Begun(setting, model.columns, network.theta.copy())


def _hidden(layers: Sequence[AnyLayer]) -> tuple[HiddenLayer, ...]:
    """The layers as cards: each a dense one with what stands after it."""
    cards: list[HiddenLayer] = []
    for layer in layers:
        change: dict[str, Any] = {}
        if isinstance(layer, Dense) and layer.bias and layer.f == activations.get(layer.f.name):
            cards.append(HiddenLayer(units=layer.units, activation=layer.f.name))
        elif cards and isinstance(layer, BatchNorm | LayerNorm) and cards[-1].norm == "none":
            change["norm"] = "batch" if isinstance(layer, BatchNorm) else "layer"
        elif cards and isinstance(layer, Dropout) and not cards[-1].dropout:
            change["dropout"] = layer.rate
        else:
            raise _strange(layer)
        cards[-1] = msgspec.structs.replace(cards[-1], **change)
    return tuple(cards)


def _strange(layer: object) -> ArgumentError:
    return ArgumentError(
        f"the page has no card for {layer!r}", where=_WHERE, mend="Ask its numbers with chainrule explain"
    )
