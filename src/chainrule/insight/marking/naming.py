"""Which number of the trace a person means: its name there, or the usual letters: ``W1``, ``delta2``, ``new_b1``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chainrule.insight import addresses

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chainrule.insight.addresses import Address

_LETTERS = {
    "w": "W", "weight": "W", "weights": "W", "b": "b", "bias": "b", "biases": "b",
    "z": "Z", "net": "Z", "a": "Y", "y": "Y", "h": "Y", "out": "Y", "x": "X",
    "dw": "dW", "db": "db", "dz": "dZ", "delta": "dZ", "da": "dY", "dy": "dY", "dh": "dY", "dx": "dX",
    "gradw": "dW", "gradb": "db", "slope": "slope",
}  # fmt: skip
_WHOLE = {"l": "loss", "e": "loss", "error": "loss", "cost": "loss", "j": "loss", "loss": "loss", "t": "T"}
_OUTPUTS = {"yhat", "output", "outputs", "prediction", "predictions", "yhats"}
_USUAL = re.compile(r"(new)?(?:the)?([a-z]+?)(\d+)?(new|after)?")


def address(text: str, names: Iterable[str], mapped: Mapping[str, str], *, where: str) -> Address:
    """The address that a name means.

    Args:
        text: the name in the answers, with places or without.
        names: those of the trace, in its order.
        mapped: the person's own names, and what each is in the trace.
        where: who asks, for messages.

    Raises:
        ArgumentError: when there is no such number; says which was meant.

    >>> address("delta_2[0, 1]", ["dense_2.dZ", "loss"], {}, where="mark")
    Address(name='dense_2.dZ', places=(0, 1))
    """
    known = list(names)
    text = mapped.get(text, text)
    name, bracket, places = text.partition("[")
    name = mapped.get(name.strip(), name.strip())
    if name not in known:
        name = _usual(name, known) or name
    return addresses.parse(name + bracket + places, known, where=where)


def _usual(name: str, known: list[str]) -> str | None:
    """The name in the trace of what is usually written so."""
    plain = re.sub(r"[_\s.'-]", "", name.lower().replace("grad_", "grad").replace("′", "new"))
    if plain in _OUTPUTS:
        return next(n for n in reversed(known) if n.endswith(".Y"))
    match = _USUAL.fullmatch(plain)
    if match is None:
        return None
    before, letter, number, after = match.groups()
    ending = ".new" if before or after else ""
    found = f"{_WHOLE.get(letter)}{ending}"
    if number is not None:
        found = f"dense_{number}.{_LETTERS.get(letter)}{ending}"
        if letter in {"a", "h", "y"} and number == "0":
            found = "dense_1.X"
    return found if found in known else None
