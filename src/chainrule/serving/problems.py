"""What is wrong with a request, as JSON: ``application/problem+json``, RFC 9457."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from chainrule.errors import DataError, InputError, shown
from chainrule.tables.rows import RowsError

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_TYPE = "application/problem+json"
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}  # RFC 9110; Python before 3.13 has older names


class Wrong(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with the rows."""

    expected: str
    got: str
    row: int | None = None
    column: str | None = None


class Problem(Exception):  # noqa: N818 -- the standard's own word
    """Why a request is refused.

    Args:
        status: the HTTP status.
        detail: what is wrong, as a sentence.
        errors: what is wrong with single values.
        headers: further headers of the response.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: tuple[Wrong, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, errors
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        """The document."""
        told: dict[str, Any] = {
            "type": "about:blank",
            "title": _TITLES.get(self.status) or HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        return msgspec.json.encode({**told, "errors": self.errors} if self.errors else told)


def of_input(error: InputError) -> Problem:
    """What is wrong with the rows of a request.

    >>> of_input(InputError("column 'age', row 2", expected="a number", got="old")).errors
    (Wrong(expected='a number', got="'old'", row=None, column=None),)
    """
    if isinstance(error, RowsError):
        faults = tuple(
            Wrong(row=fault.row or None, column=fault.column or None, expected=fault.expected, got=fault.got)
            for fault in error.faults
        )
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), errors=faults)
    row, column = (error.row, error.column) if isinstance(error, DataError) else (None, None)
    known = bool(error.expected) or row is not None
    expected = error.expected or "a number that a network can compute with"
    wrong = (Wrong(expected=expected, got=shown(error.got), row=row, column=column),) if known else ()
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), errors=wrong)
