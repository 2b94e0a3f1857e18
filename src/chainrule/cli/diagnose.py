"""``chainrule diagnose``: what is wrong with a model, its data or its training."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from chainrule.cli.console import output, say, show
from chainrule.cli.models import open_model
from chainrule.cli.options import GROUPS
from chainrule.cli.plan import check_writable
from chainrule.errors import unknown_name
from chainrule.files import atomic_write

_DATA, _OUTPUT = GROUPS["Data"], GROUPS["Output"]

app = App(
    name="diagnose",
    usage="Usage: chainrule diagnose MODEL DATA [OPTIONS]",
    help_epilogue="Examples:\n  chainrule diagnose flowers.safetensors flowers.csv\n"
    "  chainrule diagnose flowers.safetensors flowers.csv --try-it class_imbalance",
)


@app.default
def diagnose(
    model: Annotated[str, Parameter(group=_DATA, help="A model file that chainrule train wrote.")],
    data: Annotated[
        str,
        Parameter(
            group=_DATA, help="The table, its target included: a file, - for standard input, or a built-in name."
        ),
    ],
    /,
    *,
    curvature: Annotated[
        bool,
        Parameter(
            group=_DATA,
            negative=(),
            show_default=False,
            help="Measure the largest eigenvalue of the Hessian too, and compare the learning rate with it.",
        ),
    ] = False,
    try_it: Annotated[
        str | None,
        Parameter(
            group=_DATA,
            name="--try-it",
            show_default=False,
            help="The rule whose first remedy is to be tried: train both ways and compare.",
        ),
    ] = None,
    format: Annotated[  # noqa: A002 -- the option's name
        str, Parameter(group=_OUTPUT, help="text, markdown, latex, html or json.")
    ] = "text",
    out: Annotated[
        str | None, Parameter(group=_OUTPUT, show_default=False, help="A file to write in place of standard output.")
    ] = None,
) -> None:
    """Print the findings; see `app` for the words that a person reads."""
    from chainrule.insight.diagnosis import diagnose as diagnosed
    from chainrule.insight.rendering.explained import FORMATS

    if format not in FORMATS:
        raise unknown_name("format", format, FORMATS, where="--format")
    if out is not None:
        check_writable(out, "--out")
    opened = open_model(model, data, command="diagnose")
    findings = diagnosed(opened, data, curvature=curvature or None)
    told = findings if try_it is None else findings[try_it].try_it()
    if out is not None:
        with atomic_write(out) as file:
            file.write(told.rendered(format).encode())
        say(output(), f"Wrote {out}")
        return
    console = output()
    if format == "text" and console.is_terminal:
        from chainrule.insight.rendering.text import lines

        for line in lines(told.document(), width=min(console.width, 100)):
            console.print(line.text, style=line.style or None, soft_wrap=True)
        return
    show(console, told.rendered(format).rstrip("\n"))
