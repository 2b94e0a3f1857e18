"""Records of the library as a person chooses them: a name, and options by the names of its fields.

What a form shows of a record is made from the types of its fields: whatever the library gets, the page has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import inspect

from chainrule import activations, initializers, losses, optimizers, schedules
from chainrule.errors import ArgumentError, unknown_name
from chainrule.layers import BatchNorm, LayerNorm
from chainrule.settings import convert

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Chosen: TypeAlias = str | dict[str, Any]
"""A name, or ``{"name": "leaky_relu", "leak": 0.2}``."""

FieldKind: TypeAlias = Literal["number", "whole", "wholes", "flag", "choice", "some", "record"]
_WHERE = "playground"
_NORMS = {"batch": BatchNorm, "layer": LayerNorm}


class Field(msgspec.Struct, frozen=True):
    """A field of a record as a form asks for it.

    Attributes:
        name: of the field.
        kind: a number, a whole one or several, a flag, one of some words, some of them, or a record of its own kind.
        usual: what it is by itself.
        choices: the words; of a record its kind.
        optional: whether there may be none.
    """

    name: str
    kind: FieldKind
    usual: Any = None
    choices: tuple[str, ...] = ()
    optional: bool = False


class Kind(NamedTuple):
    """A kind of record: its names, what a name alone makes, and the fields that are set elsewhere."""

    names: tuple[str, ...]
    get: Callable[[str], Any]
    apart: tuple[str, ...] = ()


def _norm(name: str) -> Any:
    if name not in _NORMS:
        raise unknown_name("norm", name, ("none", *_NORMS), where=_WHERE)
    return _NORMS[name]()


def _schedule(name: str) -> Any:
    return schedules.named(name, rate=1.0)


KINDS: Mapping[str, Kind] = {
    "activation": Kind(activations.names(), lambda name: activations.get(name, where=_WHERE)),
    "initializer": Kind(initializers.NAMES, lambda name: initializers.get(name, where=_WHERE)),
    "norm": Kind(tuple(_NORMS), _norm),
    "loss": Kind(losses.names(), lambda name: losses.get(name, where=_WHERE)),
    "optimizer": Kind(optimizers.NAMES, lambda name: optimizers.get(name, where=_WHERE), ("rate",)),
    "schedule": Kind(schedules.NAMES, _schedule, ("rate", "peak")),
}


def name_of(chosen: Chosen) -> str:
    """The name alone.

    Raises:
        ArgumentError: when there is none.
    """
    name = chosen if isinstance(chosen, str) else chosen.get("name")
    if not isinstance(name, str):
        raise ArgumentError("name", where=_WHERE, expected="a name", got=name)
    return name


def options_of(chosen: Chosen) -> dict[str, Any]:
    """What was said besides the name."""
    return {} if isinstance(chosen, str) else {field: value for field, value in chosen.items() if field != "name"}


def made(kind: str, chosen: Chosen) -> Any:
    """The record of a name with its options.

    Raises:
        ArgumentError: for an unknown name or option, or a value that does not fit.

    >>> made("activation", {"name": "leaky_relu", "leak": 0.2})
    LeakyReLU(leak=0.2)
    """
    plain, options = KINDS[kind].get(name_of(chosen)), options_of(chosen)
    known = [field.name for field in fields_of(plain, apart=KINDS[kind].apart)]
    for option in options:
        if option not in known:
            raise unknown_name("option", option, known, where=name_of(chosen))
    if not options:
        return plain
    return convert(msgspec.to_builtins(plain) | options, type(plain), where=name_of(chosen))


def schedule_of(chosen: Chosen, rate: float) -> Any:
    """The schedule with this (highest) rate; that of a warm-up goes on with the one chosen inside it.

    Raises:
        ArgumentError: for an unknown name or option, or a value out of range.

    >>> schedule_of({"name": "warm_up", "epochs": 2, "schedule": "cosine"}, 0.1)
    WarmUp(schedule=Cosine(rate=0.1, final=0.0), epochs=2.0)
    """
    options = options_of(chosen)
    inner = options.pop("schedule", None)
    if inner is not None and name_of(inner) == name_of(chosen):
        raise ArgumentError("schedule", where=name_of(chosen), expected="another one to go on with", got=inner)
    begin: Any = rate if inner is None else schedule_of(inner, rate)
    return schedules.named(name_of(chosen), rate=begin, **options)


def chosen_of(kind: str, record: Any) -> Chosen:
    """The name and options that make a record.

    >>> chosen_of("activation", activations.LeakyReLU(0.2)), chosen_of("initializer", initializers.HeNormal())
    ({'name': 'leaky_relu', 'leak': 0.2}, 'he_normal')
    """
    every = [(name, KINDS[kind].get(name)) for name in KINDS[kind].names]
    alike = [(name, plain) for name, plain in every if type(plain) is type(record)]
    for name, plain in alike:
        if plain == record:
            return name
    if not alike:
        raise ArgumentError(kind, where=_WHERE, expected="one that has a name", got=record)
    (name, plain), given = alike[0], msgspec.to_builtins(record)
    usual = msgspec.to_builtins(plain)
    return {"name": name} | {field: value for field, value in given.items() if value != usual[field]}


def fields_of(record: msgspec.Struct, *, apart: tuple[str, ...] = ()) -> tuple[Field, ...]:
    """The fields of a record that a person can set, with what they are in it.

    >>> [(field.name, field.kind, field.usual) for field in fields_of(losses.Huber())]
    [('reduction', 'choice', 'mean'), ('delta', 'number', 1.0)]
    """
    info = inspect.type_info(type(record))
    if not isinstance(info, inspect.StructType):
        raise AssertionError(info)  # noqa: TRY004 -- no person's fault
    words = getattr(record, "PARAMETERS", ())
    found = (_field(f.encode_name, f.type, getattr(record, f.name), words) for f in info.fields if f.name not in apart)
    return tuple(field for field in found if field is not None)


_PLAIN: dict[type, FieldKind] = {
    inspect.FloatType: "number",
    inspect.IntType: "whole",
    inspect.BoolType: "flag",
}


def _field(name: str, kind: inspect.Type, usual: Any, words: tuple[str, ...]) -> Field | None:
    """One that no form has a control for is left out."""
    if isinstance(kind, inspect.UnionType):
        if any(isinstance(each, inspect.StructType) for each in kind.types):
            return Field(name, "record", choices=(name,)) if name in KINDS else None
        inner = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        field = _field(name, inner[0], usual, words) if len(inner) == 1 else None
        return field and msgspec.structs.replace(field, optional=True)
    if isinstance(kind, inspect.LiteralType):
        return Field(name, "choice", usual, tuple(map(str, kind.values)))
    if isinstance(kind, inspect.VarTupleType):
        if isinstance(kind.item_type, inspect.IntType):
            return Field(name, "wholes", usual)
        return Field(name, "some", usual, words) if words else None
    plain = _PLAIN.get(type(kind))
    return None if plain is None else Field(name, plain, usual)


def forms() -> dict[str, dict[str, tuple[Field, ...]]]:
    """The fields of every record by its kind and name; of those that have any."""
    return {
        kind: {name: fields for name in of.names if (fields := fields_of(of.get(name), apart=of.apart))}
        for kind, of in KINDS.items()
    }
