"""``chainrule predict``: answers for the rows of a table."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from chainrule.cli.console import errors, plural, say
from chainrule.cli.models import open_model
from chainrule.cli.options import GROUPS
from chainrule.errors import ArgumentError
from chainrule.files import check_writable

_DATA, _OUTPUT = GROUPS["Data"], GROUPS["Output"]
_EXAMPLES = """\
Examples:
  chainrule predict flowers.safetensors new.csv
  chainrule predict flowers.safetensors new.csv --out answers.parquet
  cat new.csv | chainrule predict flowers.safetensors - --with-input | head"""

app = App(
    name="predict",
    usage="Usage: chainrule predict MODEL DATA [OPTIONS]",
    help_epilogue=_EXAMPLES,
)


@app.default
def predict(
    model: Annotated[str, Parameter(group=_DATA, help="A model file that chainrule train wrote.")],
    data: Annotated[str, Parameter(group=_DATA, help="The table: a file, - for standard input, or a built-in name.")],
    /,
    *,
    out: Annotated[
        str,
        Parameter(
            group=_OUTPUT, metavar="FILE", help="Where to: .csv, .tsv or .parquet; - writes CSV to standard output."
        ),
    ] = "-",
    with_input: Annotated[
        bool,
        Parameter(
            group=_OUTPUT, negative=(), show_default=False, help="Keep the columns of the table beside the answers."
        ),
    ] = False,
) -> None:
    """Write the answers; see `app` for the words that a person reads."""
    if out != "-":
        _check_out(out, model, data)
    opened = open_model(model, data, command="predict")
    from chainrule.tables import write_table

    answers = opened.predict(data, with_input=with_input)
    write_table(answers, out)
    if out != "-":
        say(errors(), f"Wrote {out}: {plural(len(answers), 'answer')}")


def _check_out(out: str, model: str, data: str) -> None:
    """Raise when the answers cannot be written there, or would take the place of what they are made from."""
    from chainrule.tables.writing import ENDINGS

    if not out.lower().endswith(ENDINGS):
        raise ArgumentError("--out", expected=f"- or a name that ends in {', '.join(ENDINGS)}", got=out)
    check_writable(out, "--out")
    for given in (model, data):
        if Path(given).exists() and os.path.realpath(given) == os.path.realpath(out):
            raise ArgumentError("--out", expected="another file than those that are read", got=out)
