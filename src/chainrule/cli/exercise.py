"""``chainrule exercise``: worked sheets for students, and their marking."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Group, Parameter

from chainrule import checks, files
from chainrule.cli.console import output, plural, say
from chainrule.cli.explaining import Format, Json, deliver, form_of
from chainrule.cli.options import GROUPS, numbers_in
from chainrule.cli.running import FAILED, Stop
from chainrule.errors import ArgumentError, StorageError

if TYPE_CHECKING:
    from chainrule.insight.marking.sheets import Sheet

_DATA, _OUTPUT = GROUPS["Data"], GROUPS["Output"]
_SHEET = Group("Sheet", sort_key=1)
_PRINT = "<style>@page {margin: 15mm} @media print {body {margin: 0} .chainrule .formula {break-after: avoid}}</style>"
_MOST = 1000

app = App(
    name="exercise",
    usage="Usage: chainrule exercise --out DIR [OPTIONS]\n       chainrule exercise --mark SHEET [FILLED]",
    help_epilogue="""\
Examples:
  chainrule exercise --seed 7 --out sheets
  chainrule exercise --seed 7 --students 30 --hidden 3,2 --out sheets
  chainrule exercise --mark sheets/sheet.json filled.json

A sheet is an HTML page to print and a JSON file to fill in; the answers lie apart.
The exit code is 1 when a number that was filled in is wrong.""",
)


@app.default
def exercise(
    *given: Annotated[str, Parameter(group=_DATA, help="For --mark: the sheet, and the file that came back.")],
    mark: Annotated[
        bool, Parameter(group=_DATA, negative=(), show_default=False, help="Mark a sheet that was filled in.")
    ] = False,
    seed: Annotated[int, Parameter(group=_SHEET, metavar="N", help="Of all numbers.")] = 0,
    students: Annotated[
        int, Parameter(group=_SHEET, metavar="N", help="So many sheets, each with its own numbers.")
    ] = 1,
    inputs: Annotated[int, Parameter(group=_SHEET, metavar="N", help="The number of inputs.")] = 2,
    hidden: Annotated[
        str, Parameter(group=_SHEET, metavar="N,N", help="Units of the hidden layers; 0 for none.")
    ] = "2",
    outputs: Annotated[int, Parameter(group=_SHEET, metavar="N", help="The number of outputs.")] = 2,
    batch_size: Annotated[int, Parameter(group=_SHEET, metavar="N", help="Rows in the batch.")] = 1,
    activation: Annotated[str, Parameter(group=_SHEET, metavar="NAME", help="Of the hidden layers.")] = "sigmoid",
    output_activation: Annotated[
        str, Parameter(group=_SHEET, metavar="NAME", show_default=False, help="Of the last layer; else what suits.")
    ] = "",
    loss: Annotated[str, Parameter(group=_SHEET, metavar="NAME", help="The loss.")] = "half_squared_error",
    lr: Annotated[float, Parameter(group=_SHEET, metavar="X", help="The learning rate of the step.")] = 0.5,
    digits: Annotated[int, Parameter(group=_SHEET, metavar="N", help="Decimals that are asked for.")] = 4,
    format: Format = None,  # noqa: A002 -- the option's own name
    json: Json = False,
    out: Annotated[
        str | None, Parameter(group=_OUTPUT, metavar="DIR", help="The folder of the sheets; the file of a marking.")
    ] = None,
) -> None:
    """Write sheets or mark one; see `app` for the words that a person reads."""
    if mark:
        _mark(given, form_of(format, out, json=json), out)
        return
    if given:
        raise ArgumentError(f"after exercise stands {given[0]!r}", mend="Put --mark before the files to mark a sheet")
    if out is None:
        raise ArgumentError("--out", expected="the folder for the sheets", got=out)
    if format is not None or json:
        raise ArgumentError("--format and --json are for --mark", mend="Sheets are written as HTML and JSON")
    if seed < 0:
        raise ArgumentError("--seed", expected="a whole number >= 0", got=seed)
    if not 1 <= students <= _MOST:
        raise ArgumentError("--students", expected=f"a whole number from 1 to {_MOST}", got=students)
    from chainrule.insight.marking.sheets import Exercise

    task = Exercise(
        inputs=inputs,
        hidden=tuple(units for units in numbers_in(hidden, option="--hidden", example="3,2") if hidden != "0"),
        outputs=outputs,
        rows=checks.whole(batch_size, "--batch-size", where=""),
        activation=activation,
        output_activation=output_activation,
        loss=loss,
        rate=lr,
        digits=digits,
    )
    _write([task.draw(seed, student) for student in range(1, students + 1)], Path(out))


def _write(sheets: list[Sheet], folder: Path) -> None:
    """Each sheet as a page and a file, its answers likewise.

    Raises:
        StorageError: when the folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise StorageError(f"{folder}: cannot be made: {fault.strerror}") from None
    for sheet in sheets:
        ending = "" if len(sheets) == 1 else f"-{sheet.student:0{len(str(len(sheets)))}}"
        for word, solved in (("sheet", False), ("answers", True)):
            page = sheet.page(solved=solved)
            html = page.to_html(digits=page.digits).replace("</head>", f"{_PRINT}\n</head>")
            for name, content in ((f"{word}{ending}.html", html), (f"{word}{ending}.json", page.to_json())):
                with files.atomic_write(folder / name) as file:
                    file.write(content.encode())
    told = "sheet*.html to print, sheet*.json to fill in, answers* apart"
    say(output(), f"Wrote {plural(len(sheets), 'sheet')} to {folder}: {told}.")


def _mark(given: tuple[str, ...], form: str, out: str | None) -> None:
    if not 1 <= len(given) <= 2:
        raise ArgumentError("--mark", expected="a sheet, and the file with the answers", got=" ".join(given))
    from chainrule.insight.marking.sheets import read_sheet

    found = read_sheet(given[0]).mark(given[-1])
    deliver(found, form=form, out=out)
    if not found.ok:
        raise Stop(FAILED)
