"""``chainrule mark``: the mistake in somebody's backpropagation."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Group, Parameter

from chainrule.cli.explaining import Format, Json, Out, deliver, form_of
from chainrule.cli.models import open_model
from chainrule.cli.options import GROUPS, numbers_in
from chainrule.cli.running import FAILED, Stop
from chainrule.errors import ArgumentError

_DATA = GROUPS["Data"]
_STEP = Group("Step", sort_key=1)

app = App(
    name="mark",
    usage="Usage: chainrule mark MODEL DATA ANSWERS [OPTIONS]",
    help_epilogue="""\
Examples:
  chainrule mark iris.safetensors iris mine.json --rows 0,70
  chainrule mark iris.safetensors iris mine.csv --optimizer sgd --lr 0.5
  chainrule mark iris.safetensors iris mine.json --name "w5=dense_2.W[0, 0]"

ANSWERS is a JSON object, an npz file, or CSV lines of a name and numbers.
Names are those of chainrule explain (dense_1.dW) or usual ones (dW1, delta2,
new_b1, loss); others are told with --name.
The exit code is 1 when something is wrong.""",
)


@app.default
def mark(
    model: Annotated[str, Parameter(group=_DATA, help="A model file that chainrule train wrote.")],
    data: Annotated[
        str,
        Parameter(
            group=_DATA, help="The table, its target included: a file, - for standard input, or a built-in name."
        ),
    ],
    answers: Annotated[str, Parameter(group=_DATA, help="The numbers to mark: a .json, .npz or .csv file.")],
    /,
    *,
    rows: Annotated[str, Parameter(group=_DATA, metavar="N,N", help="Which rows make the batch, from 0.")] = "0",
    name: Annotated[
        list[str] | None,
        Parameter(
            group=_DATA,
            metavar="'MINE=NAME'",
            negative=(),
            help="What a name in the answers is in the trace, as often as there are such names; "
            "or a .json file of them all.",
        ),
    ] = None,
    optimizer: Annotated[
        str | None,
        Parameter(group=_STEP, metavar="NAME", show_default=False, help="For answers about new weights: the step."),
    ] = None,
    lr: Annotated[
        float | None, Parameter(group=_STEP, metavar="X", show_default=False, help="The learning rate of the step.")
    ] = None,
    format: Format = None,  # noqa: A002 -- the option's own name
    json: Json = False,
    out: Out = None,
) -> None:
    """Print what was found; see `app` for the words that a person reads."""
    form = form_of(format, out, json=json)
    from chainrule import optimizers
    from chainrule.insight.marking.marking import mark as marking

    if lr is not None and optimizer is None:
        raise ArgumentError("--lr is the rate of a step", mend="Give --optimizer sgd, or another, beside it")
    step = None if optimizer is None else optimizers.get(optimizer, rate=lr, where="--optimizer")
    names = names_of(name or [])
    opened = open_model(model, data, command="mark")
    found = marking(opened, data, answers=answers, optimizer=step, rows=numbers_in(rows, option="--rows"), names=names)
    deliver(found, form=form, out=out)
    if not found.ok:
        raise Stop(FAILED)


def names_of(given: list[str]) -> dict[str, str]:
    """A person's own names, and what each is in the trace: from ``MINE=NAME``, or JSON files of such pairs.

    Raises:
        ArgumentError: for what is neither.
        DataError: when a file cannot be read.

    >>> names_of(["w5=dense_2.W[0, 0]", "err = loss"])
    {'w5': 'dense_2.W[0, 0]', 'err': 'loss'}
    """
    names: dict[str, str] = {}
    for text in given:
        mine, equals, meant = (part.strip() for part in text.partition("="))
        if mine and equals and meant:
            names[mine] = meant
        elif text.endswith(".json"):
            names |= _pairs(text)
        else:
            raise ArgumentError("--name", expected='MINE=NAME, such as "w5=dense_2.W[0, 0]"', got=text)
    return names


def _pairs(path: str) -> dict[str, str]:
    from chainrule.insight.marking.answers import from_file

    held = from_file(path, where="--name", whole=True)
    for mine, meant in held.items():
        if not isinstance(meant, str):
            expected = "names of the trace as texts, such as 'dense_2.W[0, 0]'"
            raise ArgumentError(f"{path}: {mine}", where="--name", expected=expected, got=meant)
    return dict(held)
