"""``chainrule example``: worked examples, each the function ``run`` of its module."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin

import cyclopts

from chainrule.examples import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Sequence


def _converted(kind: Any, tokens: Sequence[cyclopts.Token]) -> Any:
    """Values as usual, and a list of numbers with commas between them as well: ``--hidden 32,16``."""
    if get_origin(kind) is tuple:
        tokens = [token.evolve(value=part) for token in tokens for part in token.value.split(",")]
    return cyclopts.convert(kind, tokens)


def _about(module: str) -> str:
    """The first line of the module's docstring, read without running the module."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    text = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


app = cyclopts.App(
    name="example",
    help_epilogue="Examples:\n  chainrule example xor\n  chainrule example NAME --help",
    default_parameter=cyclopts.Parameter(negative=(), converter=_converted),
)
for _name, _module in EXAMPLES.items():
    app.command(f"{_module}:run", name=_name, help=_about(_module))
