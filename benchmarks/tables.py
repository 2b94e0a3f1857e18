"""Tables as Markdown of at most 100 columns, and what they were measured on."""

from __future__ import annotations

import datetime as dt
import os
import platform
import textwrap
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.racing import Result

WIDTH = 100


def show(title: str, names: Sequence[str], rows: Sequence[Sequence[str]], *, remark: str = "") -> None:
    """Print a table; the first column is words, the others are numbers."""
    print(f"\n### {title}\n")
    print("\n".join(markdown(names, rows)))
    if remark:
        print(f"\n{textwrap.fill(remark, WIDTH)}")


def markdown(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    r"""The lines of a Markdown table, its columns in line.

    >>> print("\n".join(markdown(["peer", "us"], [["numpy", "12.5"], ["x", "8"]])))
    | peer  |   us |
    | ----- | ---: |
    | numpy | 12.5 |
    | x     |    8 |
    """
    widths = [max(len(row[i]) for row in [names, *rows]) for i in range(len(names))]

    def line(cells: Sequence[str]) -> str:
        first, *others = (
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "| " + " | ".join([first, *others]) + " |"

    rule = ["-" * widths[0], *("-" * max(width - 1, 2) + ":" for width in widths[1:])]
    return [line(names), line(rule), *map(line, rows)]


def time_text(seconds: float) -> str:
    """Seconds in a unit that leaves three digits.

    >>> time_text(0.0000321), time_text(0.25), time_text(3)
    ('32.1 us', '250 ms', '3 s')
    """
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        number = float(f"{seconds * factor:.3g}")
        if number >= 1 or unit == "us":
            return f"{number:g} {unit}"
    raise AssertionError


def memory_text(size: float) -> str:
    """Bytes in MB (of 1,000,000).

    >>> memory_text(123_456_789)
    '123 MB'
    """
    return f"{size / 1e6:.0f} MB"


def ratio_text(ratio: float) -> str:
    """A ratio with three digits.

    >>> ratio_text(1234.5), ratio_text(1.234), ratio_text(0.01234)
    ('1234', '1.23', '0.0123')
    """
    return f"{ratio:.0f}" if ratio >= 1000 else f"{ratio:.3g}"


def kept(good: bool) -> str:
    """The verdict on a limit."""
    return "kept" if good else "NOT KEPT"


def absent(results: Iterable[Result]) -> str:
    """Who did not take part, and why."""
    return "; ".join(f"{result.peer.name}: {result.unable}" for result in results if result.unable)


def machine() -> str:
    """Where, when and with which versions."""
    today = dt.datetime.now(tz=dt.UTC).date()
    names = ("numpy", "polars", "pandas", "scikit-learn")
    versions = ", ".join(f"{name} {version}" for name in names if (version := _version(name)))
    return (
        f"{_processor()}, {os.cpu_count()} cores; {platform.platform(terse=True)}; {today};\n"
        f"Python {platform.python_version()}, chainrule {_version('chainrule')}, {versions}"
    )


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    """The model of the processor, as far as the system says it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
