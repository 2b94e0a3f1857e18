"""Methods whose work is done at a higher level than their object's.

`Network.export` belongs to `Network`, but what writes ONNX files knows networks, and not the other way round. So the
method asks here for the function of its name; who that is was said once, by `chainrule/__init__.py`, which knows all
levels. The function's file is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_PLACES: dict[str, str] = {}


def offer(name: str, place: str) -> None:
    """Say where the function of that name stands: ``offer("export", "chainrule.export")``."""
    _PLACES[name] = place


def extension(name: str) -> Callable[..., Any]:
    """The function of that name.

    >>> extension("export").__module__
    'chainrule.export.exporting'
    """
    function: Callable[..., Any] = getattr(import_module(_PLACES[name]), name)
    return function
