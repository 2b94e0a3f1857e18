"""A page of HTML from its pieces: one file, no scripts, nothing fetched; for screens light and dark, and for paper."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from chainrule.report.words import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LIGHT = """--ink: #1c2430; --soft: #5a6675; --line: #dde2e9; --ground: #ffffff; --cell: #f5f7fa; --accent: #0b62ad;
  --deep: 55%;
  --good: #1a7f37; --warning: #8a5d00; --alarm: #c3272b; --c1: #2468b0; --c2: #c9561e; --c3: #23845a; --c4: #8849b2;
  --c5: #9a7412; --c6: #c03a6b; --c7: #2c8397; --c8: #66707e; --c9: #7d5a3c; --c10: #575dd0"""
_DARK = """--ink: #e6eaf0; --soft: #9aa7b6; --line: #364050; --ground: #151a21; --cell: #1e252f; --accent: #6cb6ff;
  --deep: 36%;
  --good: #5dbb63; --warning: #dcae45; --alarm: #f47067; --c1: #6aaef5; --c2: #f2945c; --c3: #5cc597; --c4: #c795ea;
  --c5: #dcba52; --c6: #f285ab; --c7: #6dc7d9; --c8: #a9b3c0; --c9: #cfa883; --c10: #a3a7ff"""
STYLE = f"""
:root {{color-scheme: light dark; {_LIGHT}}}
@media screen and (prefers-color-scheme: dark) {{:root {{{_DARK}}}}}
* {{box-sizing: border-box}}
body {{margin: 0 auto; max-width: 68rem; padding: 1.5rem 1.25rem 4rem; font: 15px/1.55 system-ui, sans-serif;
  color: var(--ink); background: var(--ground); overflow-wrap: break-word}}
h1 {{font-size: 1.7rem; line-height: 1.2; margin: .4rem 0 .3rem}}
h2 {{font-size: 1.2rem; margin: 2.6rem 0 .6rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line)}}
h3 {{font-size: 1rem; margin: 1.4rem 0 .4rem}} p {{margin: .5rem 0; max-width: 46rem}} .soft {{color: var(--soft)}}
a {{color: var(--accent)}} nav {{margin: .8rem 0}} nav a {{margin-right: 1rem; white-space: nowrap}}
.cards {{display: flex; flex-wrap: wrap; gap: .7rem; margin: 1.2rem 0; padding: 0; list-style: none}}
.cards li {{flex: 1 1 8rem; padding: .6rem .9rem; border: 1px solid var(--line); border-radius: .6rem;
  background: var(--cell)}}
.cards b {{display: block; font-size: 1.45rem; line-height: 1.25; font-variant-numeric: tabular-nums}}
.cards span {{color: var(--soft); font-size: .85rem}}
.grid + .grid {{margin-top: 1rem}}
.grid {{display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1rem 1.5rem}}
figure {{margin: .6rem 0; min-width: 0}} svg text {{font-family: system-ui, sans-serif}}
figure svg {{display: block; width: 100%; max-width: 34rem; height: auto}}
figcaption {{font-weight: 600; margin-bottom: .25rem}} figcaption span {{font-weight: 400; color: var(--soft)}}
.keys {{display: flex; flex-wrap: wrap; gap: .05rem .9rem; margin: 0 0 .25rem; padding: 0; list-style: none;
  font-size: .82rem; color: var(--soft); max-width: 34rem}} .keys li {{max-width: 100%; overflow-wrap: anywhere}}
.keys i {{display: inline-block; width: 1.35rem; margin-right: .4rem; vertical-align: .25em;
  border-top: 2.5px solid var(--k)}}
.keys .dashed {{border-top-style: dashed}} .keys .dotted {{border-top-style: dotted}}
.keys .dot {{width: .6rem; height: .6rem; border: 0; border-radius: 50%; background: var(--k); vertical-align: -.03em}}
.scroll {{overflow-x: auto; max-width: 100%}}
table {{border-collapse: collapse; font-size: .9rem; margin: .5rem 0}}
caption {{text-align: left; font-weight: 600; padding-bottom: .25rem}}
th, td {{text-align: left; padding: .22rem .9rem .22rem 0; vertical-align: baseline}}
thead th {{color: var(--soft); border-bottom: 1px solid var(--line); font-weight: 600}} tbody th {{font-weight: 500}}
td.right, th.right {{text-align: right; font-variant-numeric: tabular-nums}}
.facts th {{color: var(--soft)}} .facts td {{max-width: 46rem; overflow-wrap: anywhere}}
.matrix td, .matrix th {{padding: .3rem .5rem; text-align: right; font-variant-numeric: tabular-nums}}
.matrix thead th {{vertical-align: bottom}} .facts th {{white-space: nowrap}}
.bars {{width: 100%; max-width: 46rem}} .bars th {{max-width: 16rem; overflow-wrap: break-word}}
.bars .bar {{width: 75%; min-width: 7rem}} .bars svg {{display: block; width: 100%; height: .85rem}}
.bars .right {{white-space: nowrap}}
.matrix td {{min-width: 2.4rem; border: 1px solid var(--ground);
  background: color-mix(in srgb, var(--c1) calc(var(--s) * var(--deep)), var(--cell))}}
.matrix td.off {{background: color-mix(in srgb, var(--c2) calc(var(--s) * var(--deep)), var(--cell))}}
.matrix td.zero {{color: var(--soft)}}
pre {{background: var(--cell); border: 1px solid var(--line); border-radius: .5rem; padding: .7rem .9rem;
  margin: .5rem 0; white-space: pre-wrap; overflow-wrap: anywhere; font: .86rem/1.5 ui-monospace, monospace}}
code {{font: .92em ui-monospace, monospace}}
details {{margin: .5rem 0}} summary {{cursor: pointer; color: var(--accent)}}
.finding {{border-left: 4px solid var(--soft); padding: .1rem 0 .1rem 1rem; margin: 1rem 0}}
.finding.alarm {{border-color: var(--alarm)}} .finding.warning {{border-color: var(--warning)}}
.tag {{font-size: .8rem; font-weight: 600; text-transform: uppercase; letter-spacing: .04em; color: var(--soft)}}
.alarm .tag {{color: var(--alarm)}} .warning .tag {{color: var(--warning)}} .good {{color: var(--good)}}
.finding ul {{margin: .3rem 0; padding-left: 1.2rem}}
.pixels {{image-rendering: pixelated; width: 5rem; height: auto; background: var(--cell);
  border: 1px solid var(--line); display: block}}
.pictured td, .pictured th {{vertical-align: middle}} .pixels.small {{width: 3.2rem}}
.pixels.wide {{width: min(100%, 15rem)}}
.tiles {{display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; padding: 0}}
.tiles span {{font-size: .75rem; color: var(--soft)}}
@media (max-width: 40rem) {{.bars .bar {{width: 45%; min-width: 4rem}}}}
@media print {{:root {{color-scheme: light}} body {{font-size: 10.5pt; padding: 0; max-width: none}}
  nav, details {{display: none}} h2, h2 + p, h3, figcaption, caption, thead {{break-after: avoid}}
  tbody tr:first-child, tbody tr:nth-last-child(-n + 2) {{break-before: avoid}}
  figure, tr, pre, .finding, .cards li, .tiles li, .keys {{break-inside: avoid}}
  .grid {{grid-template-columns: 1fr 1fr}}
  .scroll {{overflow: visible}}
  .cells {{font-size: .72rem}} .cells td.right {{white-space: nowrap}}
  .cells thead th {{overflow-wrap: anywhere; min-width: 3.7rem}}
  * {{print-color-adjust: exact}} @page {{margin: 16mm}}}}
"""


class Section(NamedTuple):
    """A part of the page: its name in links, its title, its HTML."""

    name: str
    title: str
    body: str


def page(title: str, head: str, sections: Sequence[Section], *, foot: str = "") -> str:
    """The whole file."""
    links = " ".join(f'<a href="#{each.name}">{escape(each.title)}</a>' for each in sections)
    told = "\n".join(
        f'<section id="{each.name}" aria-labelledby="{each.name}-h">\n'
        f'<h2 id="{each.name}-h">{escape(each.title)}</h2>\n{each.body}\n</section>'
        for each in sections
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<title>{escape(title)}</title>\n<link rel="icon" href="data:,">\n<style>{STYLE}</style>\n</head>\n<body>\n'
        f"<header>\n<h1>{escape(title)}</h1>\n{head}\n</header>\n"
        f'<nav aria-label="Sections">{links}</nav>\n<main>\n{told}\n</main>\n'
        f"{f'<footer><p class=soft>{foot}</p></footer>' if foot else ''}\n</body>\n</html>\n"
    )


def paragraph(text: str, css: str = "") -> str:
    """Words."""
    return f"<p{_css(css)}>{escape(text)}</p>"


def cards(told: Iterable[tuple[str, str]]) -> str:
    """The few numbers that count: each with what it is."""
    return (
        '<ul class="cards">'
        + "".join(f"<li><b>{escape(n)}</b><span>{escape(w)}</span></li>" for w, n in told)
        + "</ul>"
    )


def facts(told: Iterable[tuple[str, str]]) -> str:
    """What is what, a line each."""
    rows = "".join(f'<tr><th scope="row">{escape(what)}</th><td>{escape(text)}</td></tr>' for what, text in told)
    return f'<table class="facts"><tbody>{rows}</tbody></table>'


class Raw(str):
    """A cell that is HTML."""

    __slots__ = ()


def table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Iterable[int] = (),
    widest: int = 0,
    css: str = "",
) -> str:
    """A table; the first cell of a row is its head.

    Args:
        caption: what it shows.
        head: the words above each column.
        rows: their cells.
        right: the columns that stand to the right.
        widest: letters of a cell, half as many of a head; what is longer is cut, and whole when pointed at. 0: any.
        css: a class of the table's own.
    """
    numbers = set(right)

    def cell(place: int, text: str, tag: str) -> str:
        scope = ' scope="col"' if tag == "th" else ' scope="row"' if not place else ""
        if not text:
            scope = ""  # a head without words is none
        element = "th" if scope else "td"
        inside, title = (text, "") if isinstance(text, Raw) else cut(text, widest // 2 if tag == "th" else widest)
        return f"<{element}{scope}{title}{_css('right' if place in numbers else '')}>{inside}</{element}>"

    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(cell(place, text, tag) for place, text in enumerate(cells)) + "</tr>"

    body = "\n".join(line(row, "td") for row in rows)
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    named = f' role="region" aria-label="{escape(caption)}"' if caption else ""
    return (
        f'<div class="scroll" tabindex="0"{named}>'
        f"<table{_css(css)}>{said}<thead>{line(head, 'th')}</thead>\n<tbody>{body}</tbody></table></div>"
    )


def cut(text: str, most: int) -> tuple[str, str]:
    """A text of so many letters, 0 for any, and the attribute that holds it whole where it was cut."""
    short = shortened(text, most) if most else text
    return escape(short), f' title="{escape(text)}"' if short != text else ""


def figure(caption: str, inside: str, note: str = "") -> str:
    """A drawing under its caption."""
    more = f" <span>{escape(note)}</span>" if note else ""
    return f"<figure><figcaption>{escape(caption)}{more}</figcaption>\n{inside}\n</figure>"


def grid(*figures: str) -> str:
    """Figures side by side where there is room."""
    return '<div class="grid">\n' + "\n".join(figures) + "\n</div>"


def folded(summary: str, inside: str) -> str:
    """What is shown on request."""
    return f"<details><summary>{escape(summary)}</summary>\n{inside}\n</details>"


def code(text: str) -> str:
    """What a person can copy."""
    return f"<pre><code>{escape(text)}</code></pre>"


def _css(css: str) -> str:
    return f' class="{css}"' if css else ""
