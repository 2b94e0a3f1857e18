"""``chainrule report``: all that there is to tell of a model, as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from chainrule.cli.console import output, say
from chainrule.cli.models import open_model
from chainrule.cli.options import GROUPS
from chainrule.cli.plan import check_report_path

_DATA, _OUTPUT = GROUPS["Data"], GROUPS["Output"]

app = App(
    name="report",
    usage="Usage: chainrule report MODEL DATA [OPTIONS]",
    help_epilogue="Examples:\n  chainrule report flowers.safetensors flowers.csv\n"
    "  chainrule report flowers.safetensors test.csv --out test.html",
)


@app.default
def report(
    model: Annotated[str, Parameter(group=_DATA, help="A model file that chainrule train wrote.")],
    data: Annotated[
        str,
        Parameter(
            group=_DATA,
            help="The table, its target included: the one it was trained on, which is split as it was then, or any "
            "other, which is scored whole; a file, - for standard input, or a built-in name.",
        ),
    ],
    /,
    *,
    out: Annotated[
        str | None,
        Parameter(
            group=_OUTPUT, metavar="FILE", show_default=False, help="The HTML file; unless given, named as the model."
        ),
    ] = None,
) -> None:
    """Write the report; see `app` for the words that a person reads."""
    opened = open_model(model, data, command="report")
    path = str(Path(model).with_suffix(".html")) if out is None else out
    check_report_path(path, "--out")
    from chainrule.report import report_model

    whose = report_model(opened, data, path)
    rows = "split as it was for the training" if whose == "its own" else "other rows than those of the training"
    say(output(), f"Wrote {path}: the report on {data}, {rows}.")
