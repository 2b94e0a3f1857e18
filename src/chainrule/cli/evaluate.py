"""``chainrule evaluate``: how good a model is."""

from __future__ import annotations

from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from chainrule.cli.console import output, plural, say, show, write_json
from chainrule.cli.models import open_model
from chainrule.cli.options import GROUPS

_DATA, _OUTPUT = GROUPS["Data"], GROUPS["Output"]

app = App(
    name="evaluate",
    usage="Usage: chainrule evaluate MODEL DATA [OPTIONS]",
    help_epilogue="Example:\n  chainrule evaluate flowers.safetensors test.csv",
)


@app.default
def evaluate(
    model: Annotated[str, Parameter(group=_DATA, help="A model file that chainrule train wrote.")],
    data: Annotated[
        str,
        Parameter(
            group=_DATA, help="The table, its target included: a file, - for standard input, or a built-in name."
        ),
    ],
    /,
    *,
    json: Annotated[
        bool,
        Parameter(group=_OUTPUT, negative=(), show_default=False, help="The report as one JSON object, for machines."),
    ] = False,
) -> None:
    """Print the report; see `app` for the words that a person reads."""
    from chainrule.scores import ClassReport

    opened = open_model(model, data, command="evaluate")
    report = opened.evaluate(data)
    if json:
        write_json(msgspec.to_builtins(report))
        return
    console = output()
    say(console, f"{model} on the {plural(report.rows, 'row')} of {data}:\n", style="bold")
    show(console, str(report))
    if isinstance(report, ClassReport):
        say(console)
        show(console, report.confusion_text())
