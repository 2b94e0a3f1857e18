"""``chainrule check``: whether the gradient of a model is the derivative of its loss."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from chainrule.cli.explaining import deliver
from chainrule.cli.models import open_model
from chainrule.cli.options import GROUPS
from chainrule.cli.running import FAILED, Stop

_DATA, _OUTPUT = GROUPS["Data"], GROUPS["Output"]

app = App(
    name="check",
    usage="Usage: chainrule check MODEL DATA [OPTIONS]",
    help_epilogue="""\
Examples:
  chainrule check flowers.safetensors flowers.csv
  chainrule check flowers.safetensors flowers.csv --all --out check.html

The exit code is 1 when a gradient is wrong.""",
)


@app.default
def check(
    model: Annotated[str, Parameter(group=_DATA, help="A model file that chainrule train wrote.")],
    data: Annotated[
        str,
        Parameter(
            group=_DATA, help="The table, its target included: a file, - for standard input, or a built-in name."
        ),
    ],
    /,
    *,
    rows: Annotated[int, Parameter(group=_DATA, metavar="N", help="So many rows, chosen at random.")] = 10,
    sample: Annotated[
        int, Parameter(group=_DATA, metavar="N", help="So many entries of each array, chosen at random.")
    ] = 100,
    all: Annotated[  # noqa: A002 -- the option's name
        bool, Parameter(group=_DATA, negative=(), show_default=False, help="Every entry of every array.")
    ] = False,
    seed: Annotated[int, Parameter(group=_DATA, metavar="N", help="Of all choices.")] = 0,
    json: Annotated[
        bool, Parameter(group=_OUTPUT, negative=(), show_default=False, help="One JSON object, for machines.")
    ] = False,
    format: Annotated[  # noqa: A002 -- the option's name
        str | None,
        Parameter(group=_OUTPUT, metavar="NAME", help="text, markdown, latex, html or json; else as --out ends."),
    ] = None,
    out: Annotated[
        str | None, Parameter(group=_OUTPUT, metavar="FILE", help="Write it to a file, and not to the screen.")
    ] = None,
) -> None:
    """Print what was found; see `app` for the words that a person reads."""
    from chainrule.insight.gradcheck.check import check_gradients

    found = check_gradients(
        open_model(model, data, command="check"), data, rows=rows, sample=None if all else sample, seed=seed
    )
    deliver(found, form="json" if json else format, out=out)
    if not found.ok:
        raise Stop(FAILED)
