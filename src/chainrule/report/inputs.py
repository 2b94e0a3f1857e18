"""Which inputs matter, and what the first layer looks for."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from chainrule.report.page import Section, cut, figure, folded, grid, paragraph
from chainrule.report.pictures import as_image, picture, tiles_of
from chainrule.report.words import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.report.importance import Importance, Importances
    from chainrule.report.subject import Subject

_BARS = 20
_LISTED = 40
_NAME = 30  # letters of the name of a column


def inputs_section(subject: Subject, found: Importances) -> Section:
    """Which inputs matter: bars, and of an image a heat map."""
    score = subject.measure
    moves, move = ("rises", "rise") if score == "log loss" else ("falls", "fall")
    told = paragraph(
        f"How much the {score} {moves} when the values of one column are dealt out anew among the rows: the mean of "
        f"{found.repeats} times, ± the standard deviation; on {_rows(found, subject)}. Columns that "
        "say the same can stand in for one another, and then each seems to matter little.",
        "soft",
    )
    some = f" by the {min(_BARS, len(found.each))} columns that matter most of {len(found.each):,}"
    caption = f"{move.title()} of the {score}"
    drawn = [_bars(caption + some * (len(found.each) > _BARS), move, found.each[:_BARS], _ends(found.each))]
    if subject.image is not None:
        drawn.append(_importance_image(subject, found, f"the {score} {moves}"))
    rest = found.each[_BARS:_LISTED]
    more = folded(f"The next {len(rest)}", _bars(caption, move, rest, _ends(found.each))) if rest else ""
    return Section("inputs", "Which inputs matter", told + (grid(*drawn) if len(drawn) > 1 else drawn[0]) + more)


def _rows(found: Importances, subject: Subject) -> str:
    every = subject.counts[subject.part]
    rows = f"{subject.part} row{'' if every == 1 else 's'}"
    return f"{found.rows:,} of the {every:,} {rows}" if found.rows < every else f"the {every:,} {rows}"


def _ends(each: Sequence[Importance]) -> tuple[float, float]:
    """The least and the largest value that bars and whiskers reach; 0 lies between."""
    low = min(0.0, *(one.mean - one.deviation for one in each))
    high = max(0.0, *(one.mean + one.deviation for one in each))
    return (low, high) if high > low else (0.0, 1.0)


def _bars(caption: str, move: str, each: Sequence[Importance], ends: tuple[float, float]) -> str:
    """A table whose middle column draws the numbers of the last."""
    low, high = ends

    def place(value: float) -> float:
        return 100 * (value - low) / (high - low)

    def line(one: Importance) -> str:
        zero, tip = place(0), place(one.mean)
        left, right = (place(one.mean + sign * one.deviation) for sign in (-1, 1))
        name, title = cut(one.name, _NAME)
        return (
            f'<tr><th scope="row"{title}>{name}</th><td class="bar">'
            f'<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
            f'<rect x="{min(zero, tip):.2f}" y="1" width="{abs(tip - zero):.2f}" height="8" fill="var(--c1)"/>'
            f'<path d="M{left:.2f} 5H{right:.2f}M{zero:.2f} 0V10" stroke="var(--soft)" '
            f'vector-effect="non-scaling-stroke"/></svg></td>'
            f'<td class="right">{number(round(one.mean, 4))} ± {number(round(one.deviation, 4))}</td></tr>'
        )

    heads = (("column", ""), (move, ""), ("mean ± sd", ' class="right"'))
    head = "".join(f'<th scope="col"{css}>{words}</th>' for words, css in heads)
    body = "\n".join(map(line, each))
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table class="bars">'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>"
    )


def _importance_image(subject: Subject, found: Importances, moves: str) -> str:
    assert subject.image is not None  # noqa: S101 -- asked before
    side, places = subject.image
    by_name = {each.name: each.mean for each in found.each}
    x = np.array([by_name[name] for name, _ in subject.groups])
    words = f"{side} by {side} pixels: the bluer, the more {moves} without the pixel"
    image = picture(as_image(x, side, places), words, scale=float(np.abs(x).max()), css="pixels wide")
    return figure("The same, pixel by pixel", image, f"blue: {moves}")


def weights_section(subject: Subject) -> Section | None:
    """The weights of the first layer as images, where the inputs are images."""
    of = subject.trained.objective
    first = next((each for each in of.layout.parameters if each.kind == "weight"), None)
    if subject.image is None or first is None or first.shape[0] != subject.inputs.shape[1]:
        return None
    side, places = subject.image
    W = np.asarray(subject.network.parameters[first.name], np.float64)
    chosen = tiles_of(W)
    tiles = []
    for unit in chosen.tolist():
        image = as_image(W[:, unit], side, places)
        words = f"weights into unit {unit}"
        tiles.append(f"<li>{picture(image, words, scale=float(np.abs(image).max()))}<span>unit {unit}</span></li>")
    some = (
        f"the {len(tiles)} units with the largest weights, of {W.shape[1]}" if len(tiles) < W.shape[1] else "all units"
    )
    told = paragraph(f"{first.name}, {some}; blue above zero, red below, each unit on its own scale.", "soft")
    return Section("weights", "What the first layer looks for", f'{told}<ul class="tiles">{"".join(tiles)}</ul>')
