"""Records of the library in few words, for people."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from chainrule.layers import Dense
from chainrule.schedules import Constant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainrule.layers import AnyLayer
    from chainrule.optimizers import AnyOptimizer


def brief(value: object) -> str:
    """A record by what is not its default, anything else by its `repr`.

    >>> from chainrule.optimizers import Adam
    >>> brief(Adam(0.01))
    'Adam(rate=0.01)'
    """
    if not isinstance(value, Struct):
        return repr(value)
    told = [(field, getattr(value, field.name)) for field in structs.fields(value)]
    words = ", ".join(f"{field.name}={brief(given)}" for field, given in told if given != field.default)
    return f"{type(value).__name__}({words})"


def layers_in_words(layers: Iterable[AnyLayer]) -> str:
    """Units and functions; layers of one kind that follow each other in one.

    >>> layers_in_words([Dense(64, "relu"), Dense(32, "relu"), Dense(10, "softmax")])
    '64-32 relu, 10 softmax'
    """

    def kind(layer: AnyLayer) -> str:
        return layer.f.name if isinstance(layer, Dense) else layer.kind.replace("_", " ")

    told = []
    for name, some in groupby(layers, key=kind):
        units = "-".join(str(layer.units) for layer in some if isinstance(layer, Dense))
        told.append(f"{units} {name}".strip())
    return ", ".join(told)


def optimizer_in_words(optimizer: AnyOptimizer) -> str:
    """Its name, its rate, and what else is not as by itself.

    >>> from chainrule.optimizers import SGD
    >>> optimizer_in_words(SGD(0.1, momentum=0.9))
    'SGD, rate 0.1, momentum 0.9'
    """
    told = [type(optimizer).__name__]
    for field in structs.fields(type(optimizer)):
        value = getattr(optimizer, field.name)
        if field.name == "rate":
            told.append(f"rate {brief(value.rate if isinstance(value, Constant) else value)}")
        elif value != field.default:
            told.append(f"{field.name.replace('_', ' ')} {brief(value)}")
    return ", ".join(told)
