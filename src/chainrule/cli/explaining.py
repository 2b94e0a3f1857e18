"""What the commands that explain have in common: a form, and where it is written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from chainrule import files
from chainrule.cli.console import errors, output, say, show_document, silence
from chainrule.errors import unknown_name
from chainrule.insight.rendering.explained import FORMATS
from chainrule.insight.rendering.numbers import DIGITS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chainrule.insight.rendering import Explained

_ENDINGS = {".txt": "text", ".md": "markdown", ".tex": "latex", ".html": "html", ".json": "json", ".svg": "svg"}


def form_of(form: str | None, out: str | None, others: Mapping[str, Callable[[], str]] | None = None) -> str:
    """The form that is meant: the one named, or what the ending of the file says, or text.

    Raises:
        ArgumentError: for a name that is none.

    >>> form_of(None, "circuit.html"), form_of("json", "circuit.html"), form_of(None, None)
    ('html', 'json', 'text')
    """
    known = (*FORMATS, *(others or ()))
    if form is None:
        ending = _ENDINGS.get(Path(out).suffix.lower(), "text") if out else "text"
        return ending if ending in known else "text"
    if form not in known:
        raise unknown_name("format", form, known, where="--format")
    return form


def deliver(
    explained: Explained,
    *,
    form: str | None,
    out: str | None,
    whole: bool = False,
    others: Mapping[str, Callable[[], str]] | None = None,
) -> None:
    """Show an explanation, or write it to a file.

    Args:
        explained: what is told.
        form: one of the forms of explanations, or of the `others`.
        out: the file; None: standard output.
        whole: whether large matrices are shown whole.
        others: further forms by name, and what makes each.

    Raises:
        ArgumentError: for a form that there is not.
        StorageError: when the file cannot be written.
    """
    chosen = form_of(form, out, others)
    if chosen == "text" and out is None:
        show_document(output(), explained.document(digits=DIGITS), digits=DIGITS, whole=whole)
        return
    made = (others or {}).get(chosen)
    content = explained.rendered(chosen, whole=whole) if made is None else made()
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
