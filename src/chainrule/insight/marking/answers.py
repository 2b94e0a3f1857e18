"""What a person gives to be marked, from a mapping or a file: numbers by name."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from chainrule.checks import NO_ARRAY
from chainrule.errors import ArgumentError, DataError, ShapeError, shown
from chainrule.insight.marking.naming import address
from chainrule.insight.marking.precision import Precision, precision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.arrays import Floats
    from chainrule.insight.addresses import Address
    from chainrule.insight.trace import Trace

_MEND = "Give a mapping from names to numbers, such as {'dense_1.Z': [[0.3, 0.4]], 'loss': 0.298}."


class Answer(NamedTuple):
    """Numbers that a person gives.

    Attributes:
        said: their name for it.
        address: what it is in the trace.
        values: as they lie; NaN where a place was left empty.
        precision: how exactly they are written.
    """

    said: str
    address: Address
    values: Floats
    precision: Precision


def read(
    given: object, trace: Trace, names: Mapping[str, str], *, units: int = 0, decimals: int = 0, where: str
) -> list[Answer]:
    """The answers, in the order of the trace; `units` of the last place are allowed besides, of `decimals` at least.

    Raises:
        DataError, ArgumentError, ShapeError: when a name or a number cannot be taken.
    """
    numbers = given if isinstance(given, Mapping) else from_file(given, where=where)
    known = [*trace.names]
    found = []
    for said, values in numbers.items():
        if values is None:
            continue
        meant = address(str(said), known, names, where=where)
        found.append((str(said), meant, array(values, name=str(said), where=where)))
    kept = [entry for entry in found if not np.isnan(entry[2]).all()]
    if not kept:
        raise ArgumentError("answers", where=where, expected="at least one number", got=given, mend=_MEND)
    written = [p for p in (precision(_there(v)) for _, _, v in kept) if p.rounded]
    others = (max((p.decimals for p in written), default=0), max((p.digits for p in written), default=1))
    mixed = bool((trace.theta.astype(np.float32) == trace.theta).all())
    answers = []
    for said, meant, values in kept:
        how = precision(_there(values), *others).asked(decimals)._replace(units=units, mixed=mixed)
        answers.append(Answer(said, meant, values, how))
    place = {name: i for i, name in enumerate(known)}
    return sorted(answers, key=lambda answer: place[answer.address.name])


def _there(values: Floats) -> Floats:
    return values[~np.isnan(values)]


def array(values: Any, *, name: str, where: str) -> Floats:
    """Numbers as an array; NaN where None stands.

    Raises:
        DataError: for what is no finite number: names its place.
        ShapeError: for rows of different lengths.
    """
    try:
        given = values if isinstance(values, np.ndarray) else np.array(_none_apart(values), dtype=object)
        if given.dtype == object and any(isinstance(entry, list | tuple) for entry in given.ravel()):
            raise ShapeError(name, where=where, expected="rows of the same length", got=values)
    except NO_ARRAY:
        raise ShapeError(name, where=where, expected="rows of the same length", got=values) from None
    result = np.empty(given.shape)
    for place, entry in np.ndenumerate(given):
        result[place] = np.nan if entry is None else _number(entry, f"{name}{list(place) or ''}", where)
    if not result.size:
        raise DataError(f"{name}: there are no numbers", where=where)
    return result


def _none_apart(values: Any) -> Any:
    """Arrays of other libraries as NumPy's; lists as they are."""
    return values if isinstance(values, list | tuple | int | float | str) or values is None else np.asarray(values)


def _number(entry: Any, what: str, where: str) -> float:
    if isinstance(entry, bool | np.bool_ | complex):
        raise DataError(f"{what}: expected a number, got {shown(entry)}", where=where)
    try:
        number = float(entry)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{what}: expected a number, got {shown(entry)}", where=where) from None
    if not np.isfinite(number):
        raise DataError(
            f"{what}: expected a finite number, got {shown(entry)}",
            where=where,
            mend="Leave out what you do not have, or put null in its place.",
        )
    return number


# ---- files ----------------------------------------------------------------------------------------------------------


def from_file(path: Any, *, where: str, whole: bool = False) -> Mapping[str, Any]:
    """The numbers of a JSON, npz or CSV file, by name; of a sheet, or of a trace, those in it unless it is `whole`.

    In CSV each line is a name and numbers; lines of the same name are the rows of a matrix.

    Raises:
        ArgumentError: for what is no path, or a file of another kind.
        DataError: when it cannot be read.
    """
    try:
        file = Path(path)
    except TypeError:
        expected = "a mapping from names to numbers, or the path of a .json, .npz or .csv file"
        raise ArgumentError("answers", where=where, expected=expected, got=path) from None
    readers = {".json": _from_json, ".npz": _from_npz, ".csv": _from_csv}
    if file.suffix.lower() not in readers:
        raise ArgumentError("answers", where=where, expected="a file that ends in .json, .npz or .csv", got=str(path))
    try:
        held = readers[file.suffix.lower()](file)
        return held if whole else _numbers_in(held)
    except OSError as fault:
        raise DataError(f"cannot be read: {fault.strerror or fault}", where=str(path)) from None
    except (ValueError, KeyError, zipfile.BadZipFile) as fault:
        if isinstance(fault, DataError):
            raise
        raise DataError(f"cannot be read: {fault}", where=str(path)) from None


def _from_json(path: Path) -> Mapping[str, Any]:
    try:
        held = msgspec.json.decode(path.read_bytes())
    except RecursionError:
        raise DataError("cannot be read: lists within lists, too deep", where=str(path)) from None
    if not isinstance(held, dict):
        raise DataError("expected an object from names to numbers", where=str(path), mend=_MEND)
    return held


def _numbers_in(held: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answers of a sheet, the numbers of a trace as it writes itself; anything else as it is."""
    answers, numbers = held.get("answers"), held.get("numbers")
    if isinstance(answers, dict):
        return answers
    if isinstance(numbers, dict):
        return {name: part["values"] if isinstance(part, dict) else part for name, part in numbers.items()}
    return held


def _from_npz(path: Path) -> Mapping[str, Any]:
    with path.open("rb") as file:
        held = np.load(file, allow_pickle=False)
        if not isinstance(held, Mapping):
            raise DataError("expected arrays by name", where=str(path), mend="Write it with np.savez.")
        return {name: held[name] for name in held}


def _from_csv(path: Path) -> Mapping[str, Any]:
    rows: dict[str, list[list[str | None]]] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        for number, cells in enumerate(_cells(file.read()), 1):
            joined = list(_joined(cells))
            if len(joined) < 2 or (number == 1 and not _is_number(joined[1])):
                continue  # an empty line, or a head
            rows.setdefault(joined[0], []).append([cell or None for cell in joined[1:]])
    return {name: _lines(lines) for name, lines in rows.items()}


def _cells(text: str) -> Iterator[list[str]]:
    """The cells of each line: between commas, or, as some spreadsheets write, semicolons beside decimal commas."""
    if ";" not in text:
        yield from csv.reader(text.splitlines())
        return
    for cells in csv.reader(text.splitlines(), delimiter=";"):
        yield [*cells[:1], *(cell.replace(",", ".") for cell in cells[1:])]


def _lines(lines: list[list[str | None]]) -> Any:
    if len(lines) > 1:
        return lines
    return lines[0][0] if len(lines[0]) == 1 else lines[0]


def _joined(cells: list[str]) -> Iterator[str]:
    """The cells of a line without blanks around them; a name that a comma cut in two, ``W[0`` and ``1]``, is one."""
    open_name = ""
    for cell in cells:
        text = f"{open_name},{cell}" if open_name else cell.strip()
        open_name = text if text.count("[") > text.count("]") else ""
        if not open_name:
            yield text.strip()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return not text
    return True
