"""``chainrule circuit``: an expression at a point, with its gradient."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from chainrule.cli.explaining import Json, Out, deliver, form_of
from chainrule.cli.options import GROUPS
from chainrule.errors import ArgumentError

_DATA, _OUTPUT = GROUPS["Data"], GROUPS["Output"]

app = App(
    name="circuit",
    usage="Usage: chainrule circuit EXPRESSION [NAME=NUMBER ...] [OPTIONS]",
    help_epilogue="""\
Examples:
  chainrule circuit "(x + y) * z" x=-2 y=5 z=-4
  chainrule circuit "1 / (1 + exp(-w * x))" w=2 x=-1 --out neuron.svg""",
)


@app.default
def circuit(
    expression: Annotated[
        str,
        Parameter(
            group=_DATA,
            allow_leading_hyphen=True,
            help="Numbers, names, pi, + - * / **, parentheses, and exp, log, sin, cos, tanh, sigmoid, sqrt, relu, abs, "
            "min, max. In quotation marks.",
        ),
    ],
    /,
    *inputs: Annotated[str, Parameter(group=_DATA, help="The value of each name: x=-2.")],
    symbolic: Annotated[
        bool, Parameter(group=_OUTPUT, negative=(), show_default=False, help="Add SymPy's derivatives as formulas.")
    ] = False,
    format: Annotated[  # noqa: A002 -- the option's name
        str | None,
        Parameter(
            group=_OUTPUT,
            metavar="NAME",
            show_default=False,
            help="text, markdown, latex, html, json or svg; unless given, as --out ends, or text.",
        ),
    ] = None,
    json: Json = False,
    out: Out = None,
) -> None:
    """Show the circuit; see `app` for the words that a person reads."""
    from chainrule.insight.circuits.circuit import Circuit

    found = Circuit(expression, dict(map(_assigned, inputs)))
    if symbolic:
        found.symbolic()
    others = {"svg": found.to_svg}
    deliver(found, form=form_of(format, out, others, json=json), out=out, others=others)


def _assigned(text: str) -> tuple[str, float]:
    """A name and its number.

    Raises:
        ArgumentError: when it is no such pair.
    """
    name, sign, number = text.partition("=")
    try:
        if sign and name.strip():
            return name.strip(), float(number)
    except ValueError:
        pass
    raise ArgumentError(f"after the expression stands {text!r}", expected="a name and a number, such as x=-2")
