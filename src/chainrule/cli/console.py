"""Words for people on standard output and standard error; colour on a terminal only."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.insight.rendering import Document


class _Patient(Console):
    """A console that falls silent when nobody reads it any longer (``| head``): the work goes on to its end."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        silence()


def output() -> Console:
    """Standard output."""
    return _Patient(highlight=False, markup=False, emoji=False)


def errors() -> Console:
    """Standard error."""
    return _Patient(stderr=True, highlight=False, markup=False, emoji=False)


def say(console: Console, text: str = "", *, style: str | None = None) -> None:
    """Lines as they are, or wrapped between words where a terminal is narrower; never wrapped in a pipe."""
    console.print(text, style=style, soft_wrap=not console.is_terminal)


def show(console: Console, text: str) -> None:
    """Text that is laid out already: a report, a table."""
    console.print(text, soft_wrap=True)


def show_document(console: Console, document: Document, *, digits: int, whole: bool) -> None:
    """An explanation: in colour and as wide as the terminal is, or plain lines of 80 characters in a pipe."""
    from chainrule.insight.rendering.text import lines

    width = max(console.width, 40) if console.is_terminal else 80
    for line in lines(document, width=width, digits=digits, whole=whole):
        console.print(line.text, style=line.style or None, soft_wrap=True)


def facts(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    """Names and what is to be said of each, in two columns."""
    from rich.table import Table
    from rich.text import Text

    if not console.is_terminal:
        width = max(len(name) for name, _ in rows)
        for name, words in rows:
            say(console, f"  {name:<{width}}  {words}")
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="bold cyan")
    grid.add_column()
    for name, words in rows:
        grid.add_row(f"  {name}", Text(words))
    console.print(grid)


def write_json(record: dict[str, Any]) -> None:
    """One JSON object on a line of its own, at once."""
    import msgspec

    try:
        sys.stdout.write(msgspec.json.encode(record).decode() + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        silence()


def silence() -> None:
    """Send what else is written to standard output nowhere: its reader has gone."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)


def plural(count: int, word: str) -> str:
    """``1 row``, ``1,797 rows``.

    >>> plural(1797, "row")
    '1,797 rows'
    """
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def columns_of_text(
    console: Console, lines: Sequence[tuple[str, ...]], *, right: tuple[int, ...] = (), most: int | None = None
) -> None:
    """Lines in columns under a head; each is cut after `most` characters; without, a terminal wraps the last one."""
    from rich.table import Table
    from rich.text import Text

    if not console.is_terminal:
        show(console, _in_columns(lines, right, most))
        return
    head, *rows = lines
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold cyan")
    for place, name in enumerate(head):
        wrapped = place == len(head) - 1 and most is None
        side: Literal["left", "right"] = "right" if place in right else "left"
        table.add_column(Text(name), justify=side, no_wrap=not wrapped, max_width=most, overflow="ellipsis")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _in_columns(lines: Sequence[tuple[str, ...]], right: tuple[int, ...], most: int | None) -> str:
    """The same as plain text, for a pipe: no line is wrapped or filled up with blanks."""
    from rich.cells import cell_len, set_cell_size

    cut = [
        [cell if most is None or cell_len(cell) <= most else f"{set_cell_size(cell, most - 1)}…" for cell in line]
        for line in lines
    ]
    widths = [max(cell_len(line[place]) for line in cut) for place in range(len(cut[0]))]

    def padded(cell: str, place: int) -> str:
        blanks = " " * (widths[place] - cell_len(cell))
        return blanks + cell if place in right else cell + blanks

    return "\n".join("  ".join(padded(cell, place) for place, cell in enumerate(line)).rstrip() for line in cut)
