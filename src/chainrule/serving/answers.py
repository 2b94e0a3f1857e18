"""From the body of a request to the body of its response: no HTTP here but the reasons for refusing."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from chainrule.errors import DataError
from chainrule.model import Model, probabilities_of
from chainrule.serving.problems import Problem
from chainrule.tables import MISSING
from chainrule.tables.cells import Fault
from chainrule.tables.delimited import read_delimited
from chainrule.tables.rows import RowEncoding, RowsError, number_rows, table_faults
from chainrule.tables.sources import text_source
from chainrule.tables.values import check_finite

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.arrays import Floats
    from chainrule.network import Network
    from chainrule.serving.limits import Limits
    from chainrule.tables import Label

JSON, CSV = "application/json", "text/csv"
BODY = "the body"
_BOM = b"\xef\xbb\xbf"
_COLUMNS = 1000  # that a table may have beside those of the model
_SEPARATORS = (b",", b";", b"\t", b"|")


class Answers:
    """The answers of a model, or of a network alone.

    Args:
        model: what answers.
        limits: how many rows at most.

    >>> import chainrule as cr
    >>> from chainrule.serving.limits import Limits
    >>> answers = Answers(cr.Network([cr.Dense(1)], loss="mean_squared_error").build(2), Limits())
    >>> answers.answer(b"[[0, 0]]")
    b'{"predictions":[{"prediction":0.0}]}'
    """

    def __init__(self, model: Model | Network, limits: Limits) -> None:
        self.model, self.limits = model, limits
        self.network: Network = model.network if isinstance(model, Model) else model
        self.encoding = RowEncoding(model.columns, self.network.dtype) if isinstance(model, Model) else None
        names = [str(label) for label in self.classes]
        self._told = _of_model(model, names) if isinstance(model, Model) else _of_network(model, names)

    @property
    def classes(self) -> tuple[Label, ...]:
        """The labels of the classes; none where values are predicted, or several classes at once."""
        if isinstance(self.model, Model):
            return self.model.columns.classes
        if not self.network.loss.for_classes:
            return ()
        if self.network.classes is not None:
            return tuple(self.network.classes.tolist())
        O = self.network.objective.output_shape[0]
        several = self.network.loss.name == "binary_cross_entropy" and O > 1
        return () if several else tuple(range(max(O, 2)))

    def answer(self, body: bytes, kind: str = JSON, wanted: str = JSON) -> bytes:
        """The answers for the rows in a body.

        Args:
            body: JSON: a list of rows, an object of columns, or one row; or CSV: a table with a header.
            kind: of the body, JSON or CSV.
            wanted: the kind of the answer; CSV as ``chainrule predict`` writes it.

        Raises:
            Problem: when this is no JSON, or there are too many rows.
            DataError: when rows cannot be read; with row and column.
        """
        if CSV in {kind, wanted} and not isinstance(self.model, Model):
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "this network has no columns: send JSON, lists of numbers")
        X = self._table(body) if kind == CSV else self._matrix(_decoded(body))
        if wanted == CSV and isinstance(self.model, Model):
            return self.model.answers(_finite(self.network.forward(X))).write_csv().encode()
        return msgspec.json.encode({"predictions": self._told(X)})

    def _table(self, body: bytes) -> Floats:
        """The rows of a table in CSV as a matrix X (N, I), read as ``chainrule predict`` reads them."""
        model: Any = self.model
        source = text_source(BODY, body)
        head, most = next(source.lines()), _COLUMNS + 2 * len(model.columns.features)
        if max(head.count(separator) for separator in _SEPARATORS) >= most:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the table has more than {most:,} columns")
        settings = model.settings
        frame = read_delimited(source, missing=(*MISSING, *settings.missing), header=settings.header)
        self._check_count(frame.height)
        try:
            check_finite(frame, where=BODY)
            encoded: Floats = model.columns.encode(frame, dtype=self.network.dtype, where=BODY)
        except DataError:  # it names the first value that is wrong
            if faults := table_faults(frame, model.columns, dtype=self.network.dtype):
                raise RowsError(faults) from None
            raise
        return encoded

    def _matrix(self, decoded: Any) -> Floats:
        """The rows of a document as a matrix X (N, I)."""
        if isinstance(decoded, dict) and self.encoding is not None:
            lengths = [len(decoded[name]) for name in self.encoding.names if isinstance(decoded.get(name), list)]
            self._check_count(max(lengths, default=1))
            return self.encoding.columns(decoded) if lengths else self.encoding.rows([decoded])
        if not isinstance(decoded, list):
            what = "a list of rows" if self.encoding is None else "a list of rows, an object of columns, or one row"
            raise RowsError([Fault(1, "", what, f"{_kind(decoded)} as the whole document")])
        self._check_count(len(decoded))
        if self.encoding is None:
            return number_rows(decoded, self.network.input_shape[0], self.network.dtype)
        return self.encoding.rows(decoded)

    def _check_count(self, count: int) -> None:
        if count == 0:
            raise RowsError([Fault(1, "", "at least one row", "none")])
        if count > self.limits.max_rows:
            words = f"{count:,} rows came, and a request may hold {self.limits.max_rows:,}: send them in parts"
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, words)


def _decoded(body: bytes) -> Any:
    """What the JSON says."""
    try:
        return _read(body.removeprefix(_BOM))
    except UnicodeDecodeError as error:
        words = f"{BODY} is not UTF-8: byte {error.start}"
    except RecursionError:
        words = f"{BODY} is nested too deeply"
    except ValueError as error:
        words = f"{BODY} is not JSON: {str(error).removeprefix('JSON is malformed: ')}"
    raise Problem(HTTPStatus.BAD_REQUEST, words)


def _read(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.ValidationError:  # a number beyond the range of floats; infinite, it gets a place: row and column
        return json.loads(text, parse_constant=_no_json)


def _no_json(word: str) -> None:
    """For NaN and Infinity, which Python would read.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{word} is no number of JSON")


def _kind(value: object) -> str:
    """What a JSON value is called."""
    names = {dict: "an object", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _of_model(model: Model, names: list[str]) -> Callable[[Floats], list[Any]]:
    """What makes answers of a matrix X (N, I)."""
    columns, network = model.columns, model.network
    if not columns.classes:
        return lambda X: _values(columns.decode_values(_finite(network.forward(X))[:, 0]))

    def answers(X: Floats) -> list[Any]:
        P = probabilities_of(_finite(network.forward(X)))
        return _classes(P, [columns.classes[k] for k in P.argmax(axis=1)], names)

    return answers


def _of_network(network: Network, names: list[str]) -> Callable[[Floats], list[Any]]:
    """What makes answers of a matrix X (N, I)."""
    if not network.loss.for_classes:
        return lambda X: _values(_checked(network, X))

    def answers(X: Floats) -> list[Any]:
        P, labels = _finite(network.predict_proba(X)), network.predict(X).tolist()
        if not names:  # several classes at once
            return [{"prediction": each, "probabilities": p} for each, p in zip(labels, P.tolist(), strict=True)]
        return _classes(P, labels, names)

    return answers


def _finite(Y: Floats) -> Floats:
    """The outputs Y (N, O), or an error for the first row in which one is not finite, and no JSON number."""
    if not np.isfinite(Y).all():
        row = int(np.argmin(np.isfinite(Y).all(axis=1))) + 1
        raise RowsError([Fault(row, "", "numbers that the network answers with a finite number", "others")])
    return Y


def _checked(network: Network, X: Floats) -> np.ndarray[Any, Any]:
    """What the network predicts, once it is sure that its outputs are finite."""
    _finite(network.forward(X))
    return network.predict(X)


def _values(values: np.ndarray[Any, Any]) -> list[Any]:
    """A value, or a list of them, for each row."""
    return [{"prediction": value} for value in values.tolist()]


def _classes(P: Floats, labels: list[Any], names: list[str]) -> list[Any]:
    """A label, and a probability for each class, for each row."""
    return [
        {"prediction": label, "probabilities": dict(zip(names, p, strict=True))}
        for label, p in zip(labels, P.tolist(), strict=True)
    ]
