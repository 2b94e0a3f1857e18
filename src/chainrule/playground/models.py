"""A trained model as what a session begins with: its layers as a setting, its weights, its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from chainrule.errors import ArgumentError
from chainrule.layers import Activation, BatchNorm, Dense, Dropout, LayerNorm, Residual
from chainrule.playground.records import chosen_of
from chainrule.playground.setting import DenseLayer, HiddenLayer, Setting
from chainrule.playground.tables import Begun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.layers import AnyLayer
    from chainrule.model import Model

_WHERE = "play"
_KEPT = ("lr", "schedule", "l1", "batch_size", "seed", "dtype")


def begun_with(model: Model, data: str) -> Begun:
    """What a session begins with that goes on with a model on this table.

    Raises:
        ArgumentError: when the network has layers that the page has no card for.
    """
    network, settings = model.network, model.settings
    *hidden, last = network.layers
    if not isinstance(last, Dense):
        raise _strange(last)
    limits = {name: limit for name in ("clip_norm", "clip_value") if (limit := getattr(settings, name))}
    setting = Setting(
        data=data,
        target=model.columns.target.name,
        task=model.columns.task,  # type: ignore[arg-type] # one of the two words
        scaling=model.columns.scaling,
        layers=_cards(hidden),
        output=DenseLayer(activation=chosen_of("activation", last.f), bias=last.bias, frozen=last.frozen),
        loss=chosen_of("loss", network.loss),
        optimizer={"name": settings.optimizer} | limits if limits else settings.optimizer,
        l2=network.l2,
        **{name: getattr(settings, name) for name in _KEPT},
    )
    return Begun(setting, model.columns, network.theta.copy())


def _cards(layers: Sequence[AnyLayer]) -> tuple[HiddenLayer, ...]:
    """The layers as cards: each a dense one with what stands after it."""
    cards: list[HiddenLayer] = []
    for layer in layers:
        if isinstance(layer, Residual):
            *before, last = _cards(layer.layers)
            if last.shortcut:
                raise _strange(layer)
            cards += [*before, replace(last, shortcut=len(before) + 1)]
        elif isinstance(layer, Dense):
            f = chosen_of("activation", layer.f)
            cards.append(HiddenLayer(units=layer.units, activation=f, bias=layer.bias, frozen=layer.frozen))
        elif cards and not cards[-1].shortcut:
            cards[-1] = _with(cards[-1], layer)
        else:
            raise _strange(layer)
    return tuple(cards)


def _with(card: HiddenLayer, layer: AnyLayer) -> HiddenLayer:
    """The card with one more layer after it.

    Raises:
        ArgumentError: when it has no place for that.
    """
    if card.dropout:
        raise _strange(layer)
    if isinstance(layer, BatchNorm | LayerNorm) and card.norm == "none":
        return replace(card, norm=chosen_of("norm", layer))
    if isinstance(layer, Activation) and card.activation == "identity" and card.norm != "none" and not card.norm_first:
        return replace(card, activation=chosen_of("activation", layer.activation), norm_first=True)
    if isinstance(layer, Dropout):
        return replace(card, dropout=layer.rate)
    raise _strange(layer)


def _strange(layer: object) -> ArgumentError:
    return ArgumentError(
        f"the page has no card for {layer!r}", where=_WHERE, mend="Ask its numbers with chainrule explain"
    )
