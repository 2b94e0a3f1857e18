"""The base of whatever explains itself: one document, and every form of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from chainrule import checks, files
from chainrule.errors import unknown_name
from chainrule.insight.rendering import html, latex, markdown, text
from chainrule.insight.rendering.numbers import DIGITS

if TYPE_CHECKING:
    import os

    from chainrule.insight.rendering.document import Document

_MOST_DIGITS = 100  # the shortest number that a float64 holds has 17, all of one may be 767
FORMATS = ("text", "markdown", "latex", "html", "json")


class Explained:
    """What gives a `document` for people and `data` for machines can be shown in every form.

    ``print`` shows text, a notebook shows HTML with MathML; in all but JSON, numbers are rounded to `digits`
    significant ones and large matrices abridged unless `whole`.
    """

    def document(self, *, digits: int = DIGITS) -> Document:
        """The parts to be drawn."""
        raise NotImplementedError

    def data(self) -> dict[str, Any]:
        """The exact numbers, as Python's plain types."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return html.fragment(self.document())

    def to_text(self, *, width: int = 80, digits: int = DIGITS, whole: bool = False) -> str:
        """Lines of text of this width."""
        return text.to_text(self._document(digits), width=width, digits=digits, whole=whole)

    def to_markdown(self, *, digits: int = DIGITS, whole: bool = False) -> str:
        """Markdown with formulas between dollar signs."""
        return markdown.to_markdown(self._document(digits), digits=digits, whole=whole)

    def to_latex(self, *, digits: int = DIGITS, whole: bool = False) -> str:
        """A fragment of LaTeX that needs the package amsmath."""
        return latex.fragment(self._document(digits), digits=digits, whole=whole)

    def to_html(self, path: str | os.PathLike[str] | None = None, *, digits: int = DIGITS, whole: bool = False) -> str:
        """A page that needs nothing but itself; written to `path` when one is given.

        Raises:
            StorageError: when it cannot be written.
        """
        return _written(html.page(self._document(digits), digits=digits, whole=whole), path)

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """The exact numbers; written to `path` when one is given.

        Raises:
            StorageError: when it cannot be written.
        """
        return _written(msgspec.json.encode(self.data()).decode() + "\n", path)

    def rendered(self, form: str, *, digits: int = DIGITS, whole: bool = False) -> str:
        """The form of this name, as a file of it would hold.

        Raises:
            ArgumentError: for a name that is none of `FORMATS`.
        """
        if not isinstance(form, str) or form not in FORMATS:
            raise unknown_name("format", form, FORMATS)
        if form == "json":
            return self.to_json()
        forms = {"text": self.to_text, "markdown": self.to_markdown, "latex": self.to_latex, "html": self.to_html}
        return forms[form](digits=digits, whole=whole).rstrip("\n") + "\n"

    def _document(self, digits: int) -> Document:
        return self.document(digits=checks.whole(digits, "digits", where=type(self).__name__, most=_MOST_DIGITS))


def _written(content: str, path: str | os.PathLike[str] | None) -> str:
    if path is not None:
        with files.atomic_write(path) as file:
            file.write(content.encode())
    return content
