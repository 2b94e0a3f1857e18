"""Numbers and names as a page shows them."""

from __future__ import annotations

from math import floor, isfinite, log10


def number(value: float | None, digits: int = 4) -> str:
    """A number of so many significant digits at least, as people write it; a dash where there is none.

    >>> [number(value) for value in (130312.4, 0.05661949, -1.5, 3e-9, 2e12, None)]
    ['130,312', '0.05662', '-1.5', '3e-09', '2e+12', '–']
    """
    if value is None or not isfinite(value):
        return "–"
    if value == 0:
        return "0"
    power = floor(log10(abs(value)))
    if not -5 <= power < 9:
        return f"{value:.{digits}g}"
    text = f"{value:,.{max(digits - 1 - power, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def shortened(text: str, most: int) -> str:
    """A name on one line of so many places, cut in its middle; a letter of East Asia takes two.

    >>> shortened("a very long name of a column, the 12th", 20)
    'a very lo…, the 12th'
    """
    from rich.cells import cell_len, set_cell_size

    text = " ".join(text.split())
    if cell_len(text) <= most:
        return text
    head = (most - 1) // 2
    tail = set_cell_size(text[::-1], most - 1 - head)[::-1]
    return f"{set_cell_size(text, head)}…{tail}"


def scored(value: float | None, digits: int = 4) -> str:
    """A score as text, by so many digits after the point; a dash where it is undefined.

    >>> scored(0.98)
    '0.9800'
    """
    return "–" if value is None or not isfinite(value) else f"{value:.{digits}f}"
