"""``chainrule check``: whether the gradient of a model is the derivative of its loss."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from chainrule import checks
from chainrule.cli.explaining import Format, Json, Out, deliver, form_of
from chainrule.cli.models import open_model
from chainrule.cli.options import GROUPS
from chainrule.cli.running import FAILED, Stop

_DATA = GROUPS["Data"]

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
    batch_size: Annotated[
        int, Parameter(group=_DATA, metavar="N", help="So many rows, chosen at random, make the batch.")
    ] = 10,
    sample: Annotated[
        int, Parameter(group=_DATA, metavar="N", help="So many entries of each array, chosen at random.")
    ] = 100,
    all: Annotated[  # noqa: A002 -- the option's name
        bool, Parameter(group=_DATA, negative=(), show_default=False, help="Every entry of every array.")
    ] = False,
    seed: Annotated[int, Parameter(group=_DATA, metavar="N", help="Of all choices.")] = 0,
    format: Format = None,  # noqa: A002 -- the option's name
    json: Json = False,
    out: Out = None,
) -> None:
    """Print what was found; see `app` for the words that a person reads."""
    form = form_of(format, out, json=json)
    rows = checks.whole(batch_size, "--batch-size", where="")
    from chainrule.insight.gradcheck.check import check_gradients

    found = check_gradients(
        open_model(model, data, command="check"), data, rows=rows, sample=None if all else sample, seed=seed
    )
    deliver(found, form=form, out=out)
    if not found.ok:
        raise Stop(FAILED)
