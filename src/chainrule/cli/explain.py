"""``chainrule explain``: where a number came from."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Group, Parameter

from chainrule import checks
from chainrule.cli.explaining import Format, Json, Out, deliver, form_of
from chainrule.cli.models import open_model
from chainrule.cli.options import GROUPS, numbers_in
from chainrule.errors import ArgumentError

if TYPE_CHECKING:
    from chainrule.insight.rendering import Explained
    from chainrule.insight.trace import Trace
    from chainrule.optimizers import AnyOptimizer

_DATA, _OUTPUT = GROUPS["Data"], GROUPS["Output"]
_STEP, _QUESTION = Group("Step", sort_key=1), Group("Question", sort_key=2)
_EXAMPLES = """\
Examples:
  chainrule explain iris.safetensors iris --rows 0,70
  chainrule explain iris.safetensors iris --optimizer sgd --lr 0.5
  chainrule explain iris.safetensors iris --why "dense_1.W[0, 1]" --paths 10
  chainrule explain iris.safetensors iris --what-if "dense_2.b[0] = 0.5"
  chainrule explain iris.safetensors iris --out step.html"""

app = App(
    name="explain",
    usage="Usage: chainrule explain MODEL DATA [OPTIONS]",
    help_epilogue=_EXAMPLES,
)


@app.default
def explain(
    model: Annotated[str, Parameter(group=_DATA, help="A model file that chainrule train wrote.")],
    data: Annotated[
        str,
        Parameter(
            group=_DATA, help="The table, its target included: a file, - for standard input, or a built-in name."
        ),
    ],
    /,
    *,
    rows: Annotated[
        str, Parameter(group=_DATA, metavar="N,N", help="Which rows of the table make the batch, from 0.")
    ] = "0",
    optimizer: Annotated[
        str | None,
        Parameter(group=_STEP, metavar="NAME", show_default=False, help="Take one step with it, as training does."),
    ] = None,
    lr: Annotated[
        float | None, Parameter(group=_STEP, metavar="X", show_default=False, help="The learning rate of the step.")
    ] = None,
    why: Annotated[
        str | None,
        Parameter(
            group=_QUESTION,
            metavar="NAME",
            show_default=False,
            help='The chain rule of a parameter: "dense_1.W[0, 1]", "dense_1.W[:, 1]" or "dense_1.W".',
        ),
    ] = None,
    row: Annotated[
        int | None,
        Parameter(group=_QUESTION, metavar="N", show_default=False, help="For --why: the share of this row alone."),
    ] = None,
    paths: Annotated[
        int, Parameter(group=_QUESTION, metavar="N", show_default=False, help="For --why: list the largest paths.")
    ] = 0,
    what_if: Annotated[
        str | None,
        Parameter(group=_QUESTION, metavar="'NAME = X'", show_default=False, help="What another number would change."),
    ] = None,
    format: Format = None,  # noqa: A002 -- the option's name
    json: Json = False,
    digits: Annotated[int, Parameter(group=_OUTPUT, metavar="N", help="Significant digits of each number.")] = 6,
    whole: Annotated[
        bool, Parameter(group=_OUTPUT, negative=(), show_default=False, help="Leave nothing out of large matrices.")
    ] = False,
    out: Out = None,
) -> None:
    """Print or write the explanation; see `app` for the words that a person reads."""
    form = form_of(format, out, json=json)
    if why is not None and what_if is not None:
        raise ArgumentError("--why and --what-if are two questions", mend="Ask one at a time")
    for option, given in (("--row", row is not None), ("--paths", paths != 0)):
        if given and why is None:
            raise ArgumentError(f"{option} is for --why", mend='Ask --why "dense_1.W[0, 1]", or another, beside it')
    if not 1 <= digits <= 17:
        raise ArgumentError("--digits", expected="a whole number from 1 to 17", got=digits)
    chosen = _optimizer(optimizer, lr)
    opened = open_model(model, data, command="explain")
    from chainrule.insight.trace import trace

    made = trace(opened, data, optimizer=chosen, rows=numbers_in(rows, option="--rows", example="0,70"))
    told: Explained = made
    if why is not None:
        told = made.why(why, None if row is None else _place(made, row), paths=paths)
    elif what_if is not None:
        told = made.what_if(*_new_number(what_if))
    deliver(told, form=form, out=out, digits=digits, whole=whole)


def _optimizer(name: str | None, lr: float | None) -> AnyOptimizer | None:
    from chainrule import optimizers

    if name is None:
        if lr is not None:
            raise ArgumentError("--lr is the rate of a step", mend="Give --optimizer sgd, or another, beside it")
        return None
    rate = None if lr is None else checks.positive(lr, "--lr", where="")
    return optimizers.get(name, rate=rate, where="--optimizer")


def _place(made: Trace, row: int) -> int:
    """Where a row of the data stands in the batch."""
    if row not in made.given.rows:
        known = ", ".join(map(str, made.given.rows))
        raise ArgumentError("--row", expected=f"one of the rows that are explained: {known}", got=row)
    return made.given.rows.index(row)


def _new_number(text: str) -> tuple[str, float]:
    """The name and the number of ``NAME = X``.

    Raises:
        ArgumentError: when it is not of that form.
    """
    name, sign, value = text.partition("=")
    try:
        if sign and isfinite(float(value)):
            return name.strip(), float(value)
    except ValueError:
        pass
    raise ArgumentError(
        "--what-if", expected="a name, = and a finite number, such as 'dense_1.W[0, 1] = 0.5'", got=text
    )
