"""Records as options: every field of a dataclass becomes ``--field``, told by the dataclass's own docstring."""

from __future__ import annotations

import csv
import dataclasses
import inspect
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin, get_type_hints

from cyclopts import Group, Parameter, Token, convert

from chainrule.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

DASH = "\ue000"
"""Stands for an argument that is a dash alone, which cyclopts would take for an option; see `converted`."""

GROUPS = {name: Group(name, sort_key=place) for place, name in enumerate(("Data", "Network", "Training", "Output"))}

_METAVARS = {int: "N", float: "X", bool: ""}


def converted(kind: Any, tokens: Sequence[Token]) -> Any:
    """The value of an argument: a dash is a dash again, and a list of numbers may have commas: ``--hidden 32,16``."""
    plain = [token.evolve(value="-") if token.value == DASH else token for token in tokens]
    if get_origin(kind) is tuple:
        plain = [token.evolve(value=part) for token in plain for part in token.value.split(",")]
    return convert(kind, plain)


def as_options(
    record: type, groups: dict[str, str], metavars: dict[str, str] | None = None
) -> list[tuple[str, Any, Any]]:
    """The fields of a dataclass as cyclopts reads them; all optional: what was not given stays None.

    Args:
        record: the dataclass; the section ``Attributes:`` of its docstring tells what each field is.
        groups: the name of the group of each field, in the order of the help.
        metavars: what stands for the value in the help.

    Returns:
        Fields for `dataclasses.make_dataclass`.
    """
    hints, words = get_type_hints(record), attributes_told(record)
    defaults = {field.name: field.default for field in dataclasses.fields(record)}
    fields = []
    for name, group in groups.items():
        kind = _kind(hints[name])
        parameter = Parameter(
            group=GROUPS[group],
            help=words.get(name, ""),
            show_default=_default(defaults[name]),
            metavar=(metavars or {}).get(name) or _METAVARS.get(kind, "NAME"),
            negative=None if kind is bool and defaults[name] else (),
        )
        fields.append((name, Annotated[kind | None, parameter], dataclasses.field(default=None)))
    return fields


def given(options: Any) -> dict[str, Any]:
    """The options that were given, as plain values of the record's own types."""
    if options is None:
        return {}
    values = {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
    return {name: value for name, value in values.items() if value is not None}


def numbers_in(text: str, *, option: str, example: str = "64,32") -> list[int]:
    """Whole numbers between commas.

    Raises:
        ArgumentError: when one is none.

    >>> numbers_in("64,32", option="--layers")
    [64, 32]
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise ArgumentError(option, expected=f"whole numbers such as {example}", got=text) from None


def number_or_numbers_in(text: str, *, option: str, example: str) -> int | list[int]:
    """A whole number, or several between commas; a comma after the only one makes it a list.

    Raises:
        ArgumentError: when one is none.

    >>> [number_or_numbers_in(text, option="--seeds", example="20") for text in ("20", "3,7", "7,")]
    [20, [3, 7], [7]]
    """
    listed = numbers_in(text.removesuffix(","), option=option, example=example)
    return listed if "," in text else listed[0]


def names_in(texts: list[str]) -> list[str]:
    """Names between commas, or one in each text; a name that holds a comma stands in quotation marks.

    >>> names_in(["age,sex", '"last, first"'])
    ['age', 'sex', 'last, first']
    """
    return [name for row in csv.reader(texts, skipinitialspace=True) for name in row]


def attributes_told(record: type) -> dict[str, str]:
    """What the docstring says of each attribute."""
    section = (inspect.getdoc(record) or "").partition("Attributes:\n")[2].partition("\n\n")[0]
    entries = re.findall(r"^ {4}(\w+): (.*(?:\n {8,}.*)*)", section, flags=re.MULTILINE)
    return {name: " ".join(words.split()) for name, words in entries}


def _kind(hint: Any) -> Any:
    """The type that cyclopts is to read; lists of numbers and choices are texts that are checked later."""
    if get_origin(hint) is tuple:
        return list[str] if get_args(hint)[0] is str else str
    if get_origin(hint) is Literal or any(get_origin(kind) is tuple for kind in get_args(hint)):
        return str
    kinds = [kind for kind in get_args(hint) if kind is not type(None)]
    return kinds[0] if len(kinds) == 1 else hint


def _default(value: Any) -> Any:
    """The default as the help shows it; none where there is none to show."""
    if value is None or value == () or value is False or value == "":
        return False
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if value is True:
        return "yes"
    return f"{value:g}" if isinstance(value, float) else str(value)
