"""``chainrule example``: worked examples, each the function ``run`` of its module."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

from cyclopts import App, Parameter

from chainrule.examples import EXAMPLES


def _about(module: str) -> str:
    """The first line of the module's docstring, read without running the module."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    text = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


app = App(
    name="example",
    help_epilogue="Examples:\n  chainrule example xor\n  chainrule example NAME --help",
    default_parameter=Parameter(negative=()),
)
for _name, _module in EXAMPLES.items():
    app.command(f"{_module}:run", name=_name, help=_about(_module))
