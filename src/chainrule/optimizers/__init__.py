"""Optimisers, by name: one file a family; `interface.py` says what one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from chainrule.errors import ArgumentError, unknown_name
from chainrule.optimizers.adagrad import Adagrad
from chainrule.optimizers.adam import Adam, AdamW, NAdam
from chainrule.optimizers.clipping import clip
from chainrule.optimizers.interface import Optimizer
from chainrule.optimizers.lbfgs import LBFGS
from chainrule.optimizers.rmsprop import RMSProp
from chainrule.optimizers.sgd import SGD

if TYPE_CHECKING:
    from chainrule.schedules import AnySchedule

__all__ = [
    "LBFGS",
    "NAMES",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "AnyOptimizer",
    "AnyStepper",
    "NAdam",
    "Optimizer",
    "RMSProp",
    "clip",
    "get",
]

AnyStepper: TypeAlias = SGD | RMSProp | Adagrad | Adam | AdamW | NAdam
"""Every optimiser that takes steps along the gradients of batches."""

AnyOptimizer: TypeAlias = SGD | RMSProp | Adagrad | Adam | AdamW | NAdam | LBFGS
"""Every optimiser; msgspec reads the right one from its tag."""

_NAMES: dict[str, tuple[type[AnyOptimizer], dict[str, Any]]] = {
    "sgd": (SGD, {}),
    "momentum": (SGD, {"momentum": 0.9}),
    "nesterov": (SGD, {"momentum": 0.9, "nesterov": True}),
    "rmsprop": (RMSProp, {}),
    "adagrad": (Adagrad, {}),
    "adam": (Adam, {}),
    "adamw": (AdamW, {}),
    "nadam": (NAdam, {}),
    "lbfgs": (LBFGS, {}),
}

NAMES: tuple[str, ...] = tuple(_NAMES)
"""The names that `get` knows."""


def get(
    optimizer: str | AnyOptimizer, rate: float | AnySchedule | None = None, *, where: str = "", **options: Any
) -> AnyOptimizer:
    """An optimiser from its name, or the object itself; with the rate and the options when they are given.

    Raises:
        ArgumentError: for an unknown name or option, a value out of range, or a rate for L-BFGS.

    >>> get("adam", rate=0.01).rate
    0.01
    """
    given: object = optimizer
    if isinstance(given, AnyOptimizer):
        if rate is None and not options:
            return given
        make: type[AnyOptimizer] = type(given)
        settings = {field: getattr(given, field) for field in given.__struct_fields__}
    elif isinstance(given, str):
        plain = given.strip().lower().replace("-", "").replace("_", "")
        if plain not in _NAMES:
            raise unknown_name("optimizer", given, NAMES, where=where)
        make, settings = _NAMES[plain]
    else:
        raise ArgumentError("optimizer", where=where, expected="a name or an optimizer such as SGD(0.1)", got=given)
    if rate is not None:
        options["rate"] = rate
    _check_options(make, options)
    return make(**(settings | options))


def _check_options(make: type[AnyOptimizer], options: dict[str, Any]) -> None:
    for option in options:
        if option not in make.__struct_fields__:
            if make is LBFGS and option == "rate":
                mend = "Leave the learning rate (lr) out"
                raise ArgumentError("L-BFGS finds the length of its steps itself", where="LBFGS", mend=mend)
            raise unknown_name("option", option, make.__struct_fields__, where=make.__name__)
