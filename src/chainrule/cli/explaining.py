"""What the commands that explain have in common: a form, and where it is written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from chainrule import files
from chainrule.cli.console import errors, output, say, show_document, silence
from chainrule.cli.options import GROUPS
from chainrule.errors import ArgumentError, unknown_name
from chainrule.files import check_writable
from chainrule.insight.rendering.explained import FORMATS
from chainrule.insight.rendering.numbers import DIGITS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chainrule.insight.rendering import Explained

Format = Annotated[
    str | None,
    Parameter(
        group=GROUPS["Output"],
        metavar="NAME",
        show_default=False,
        help="text, markdown, latex, html or json; unless given, as --out ends, or text.",
    ),
]
Json = Annotated[
    bool,
    Parameter(group=GROUPS["Output"], negative=(), show_default=False, help="The same as --format json."),
]
Out = Annotated[
    str | None,
    Parameter(
        group=GROUPS["Output"], metavar="FILE", show_default=False, help="Write it to a file, and not to the screen."
    ),
]
_ENDINGS = {".txt": "text", ".md": "markdown", ".tex": "latex", ".html": "html", ".json": "json", ".svg": "svg"}


def form_of(
    form: str | None,
    out: str | None,
    others: Mapping[str, Callable[[], str]] | None = None,
    *,
    json: bool = False,
) -> str:
    """The form that is meant, asked for before the work begins: the one named, or what the ending of the file says.

    Raises:
        ArgumentError: for a name or an ending that is none, or a file in a folder that is not there.
        StorageError: when the folder may not be written to.

    >>> form_of("latex", None), form_of(None, None), form_of(None, None, json=True)
    ('latex', 'text', 'json')
    """
    known = (*FORMATS, *(others or ()))
    if json:
        if form not in (None, "json"):
            raise ArgumentError(f"--json and --format {form} are two forms", mend="Ask for one of them")
        form = "json"
    if form is not None and form not in known:
        raise unknown_name("format", form, known, where="--format")
    if out is None:
        return form or "text"
    endings = {ending: name for ending, name in _ENDINGS.items() if name in known}
    ending = Path(out).suffix.lower()
    if form is None and ending not in endings:
        expected = f"a name that ends in {', '.join(endings)}, or --format beside it"
        raise ArgumentError("--out", expected=expected, got=out)
    check_writable(out, "--out")
    return form or endings[ending]


def deliver(
    explained: Explained,
    *,
    form: str | None,
    out: str | None,
    digits: int = DIGITS,
    whole: bool = False,
    others: Mapping[str, Callable[[], str]] | None = None,
) -> None:
    """Show an explanation, or write it to a file.

    Args:
        explained: what is told.
        form: one of the forms of explanations, or of the `others`.
        out: the file; None: standard output.
        digits: significant ones of each number.
        whole: whether large matrices are shown whole.
        others: further forms by name, and what makes each.

    Raises:
        ArgumentError: for a form that there is not.
        StorageError: when the file cannot be written.
    """
    chosen = form_of(form, out, others)
    if chosen == "text" and out is None:
        show_document(output(), explained.document(digits=digits), digits=digits, whole=whole)
        return
    made = (others or {}).get(chosen)
    content = explained.rendered(chosen, digits=digits, whole=whole) if made is None else made()
    if out is not None:
        with files.atomic_write(out) as file:
            file.write(content.encode())
        say(errors(), f"Wrote {out}")
        return
    try:
        sys.stdout.write(content if content.endswith("\n") else f"{content}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        silence()
