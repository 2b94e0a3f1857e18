"""``chainrule compare``: models side by side."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from chainrule.cli.explaining import Format, Json, Out, deliver, form_of
from chainrule.cli.options import GROUPS

_DATA = GROUPS["Data"]

app = App(
    name="compare",
    usage="Usage: chainrule compare MODEL MODEL... [OPTIONS]",
    help_epilogue="Examples:\n  chainrule compare wide.safetensors deep.safetensors\n"
    "  chainrule compare wide.safetensors deep.safetensors --data test.csv\n"
    "  chainrule compare wide.safetensors deep.safetensors --out both.html",
)


@app.default
def compare(
    *models: Annotated[str, Parameter(group=_DATA, help="Two or more model files that chainrule train wrote.")],
    data: Annotated[
        str | None,
        Parameter(
            group=_DATA,
            metavar="DATA",
            show_default=False,
            help="A table to score all of them on, its target included: a file or a built-in name.",
        ),
    ] = None,
    format: Format = None,  # noqa: A002 -- the option's name
    json: Json = False,
    out: Out = None,
) -> None:
    """Print the comparison; see `app` for the words that a person reads."""
    form = form_of(format, out, json=json)
    from chainrule.report.comparing import compare as compared

    deliver(compared(*models, data=data), form=form, out=out, digits=4)
