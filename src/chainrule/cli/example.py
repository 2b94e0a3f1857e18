"""``chainrule example``: worked examples, each the function ``run`` of its module."""

from __future__ import annotations

from cyclopts import App, Parameter

from chainrule.cli.console import output, show
from chainrule.examples import EXAMPLES


def _print(result: object) -> None:
    """What an example returns is what it prints."""
    if result is not None:
        show(output(), str(result))


app = App(
    name="example",
    help="Worked examples from three published documents, each with that document's own conventions.",
    help_epilogue="Examples:\n  chainrule example xor\n  chainrule example NAME --help",
    help_format="plaintext",
    result_action=_print,
    default_parameter=Parameter(negative=()),
)
for _name, _module in EXAMPLES.items():
    app.command(f"{_module}:run", name=_name)
