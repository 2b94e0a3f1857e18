"""Drawings by matplotlib as pieces of a page: in the colours of the page, light or dark, and in its letters.

The legend stands above a drawing as text of the page: it is read on a phone, may hold any name, and hides no line.
"""

from __future__ import annotations

import re
import warnings
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.report.words import number, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

# Colours that stand for those of the page's style: no drawing has them by chance.
INK, SOFT, LINE, GROUND = "#010203", "#020304", "#030405", "#040506"
SERIES = tuple(f"#0506{k:02x}" for k in range(1, 11))
DASHES = {"-": "solid", "--": "dashed", ":": "dotted"}  # of matplotlib, of the page's style

_LONG = re.compile(r"-?\d+\.\d{3,}")
_COLOURS = {INK: "--ink", SOFT: "--soft", LINE: "--line", GROUND: "--ground"} | {
    colour: f"--c{k}" for k, colour in enumerate(SERIES, 1)
}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 9.0,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.titlecolor": INK,
    "axes.titlesize": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": LINE,
    "xtick.labelcolor": SOFT,
    "ytick.color": LINE,
    "ytick.labelcolor": SOFT,
    "text.color": INK,
    "text.parse_math": False,
    "lines.linewidth": 1.6,
    "lines.solid_joinstyle": "round",
    "path.simplify_threshold": 0.5,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
}


class Key(NamedTuple):
    """One entry of a legend: its words, its colour, and its mark: ``solid``, ``dashed``, ``dotted`` or ``dot``."""

    words: str
    colour: str
    mark: str


class Drawing:
    """One set of axes, and the words that say what it shows.

    Args:
        name: of the drawing within its page, by which its parts are kept apart from those of others.
        title: what it shows, for those who do not see it.
        told: the same in numbers, in a sentence or two.
    """

    def __init__(self, name: str, title: str, told: str, *, size: tuple[float, float] = (4.5, 2.8)) -> None:
        import matplotlib as mpl
        from matplotlib.figure import Figure
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        self.name, self.title, self.told = name, title, told
        self.keys: list[Key] = []
        with mpl.rc_context(_STYLE):
            self.figure: Figure = Figure(figsize=size, layout="constrained")
            self.axes: Any = self.figure.subplots()
        for axis in (self.axes.xaxis, self.axes.yaxis):
            axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
            axis.set_major_formatter(FuncFormatter(lambda value, _: number(value, digits=6)))

    def line(self, x: Any, y: Any, words: str, colour: str, dash: str = "-", **options: Any) -> None:
        """Add a curve; one without words is not in the legend."""
        self.axes.plot(x, y, dash, color=colour, **options)
        if words:
            self.keys.append(Key(words, colour, DASHES[dash]))

    def dots(self, x: Any, y: Any, words: str, colour: str, **options: Any) -> None:
        """Add points."""
        self.axes.scatter(x, y, color=colour, **options)
        if words:
            self.keys.append(Key(words, colour, "dot"))

    def decades(self) -> Drawing:
        """Spread the values by decades, with ticks between them where there are few."""
        from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

        self.axes.set_yscale("log")
        low, high = self.axes.get_ylim()
        steps = (1.0,) if high > 1e3 * low else (1.0, 3.0) if high > 20 * low else (1.0, 2.0, 3.0, 5.0, 7.0)
        self.axes.yaxis.set_major_locator(LogLocator(subs=steps, numticks=7))
        self.axes.yaxis.set_minor_locator(NullLocator())
        self.axes.yaxis.set_minor_formatter(NullFormatter())
        self.axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, digits=6)))
        return self

    def whole(self, axis: str = "x") -> Drawing:
        """Whole numbers alone along this axis."""
        getattr(self.axes, f"{axis}axis").get_major_locator().set_params(integer=True)
        return self

    def label(self, x: str, y: str) -> Drawing:
        """Name the axes."""
        self.axes.set_xlabel(shortened(x, 56))
        self.axes.set_ylabel(shortened(y, 36))
        return self

    def html(self, *, least: int = 2) -> str:
        """The legend, where it has so many entries, and the drawing, to stand within a page."""
        if len(self.keys) < least:
            return self.svg()
        keys = "".join(
            f'<li><i class="{key.mark}" style="--k:var({_COLOURS[key.colour]})"></i>{escape(key.words)}</li>'
            for key in self.keys
        )
        return f'<ul class="keys">{keys}</ul>\n{self.svg()}'

    def svg(self) -> str:
        """The element ``<svg>`` alone."""
        import matplotlib as mpl

        stream = BytesIO()
        with mpl.rc_context(_STYLE | {"svg.hashsalt": self.name}), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # the letters are those of the page
            self.figure.savefig(stream, format="svg", metadata={"Date": None})
        return _of_page(stream.getvalue().decode(), self.name, self.title, self.told)


def _of_page(svg: str, name: str, title: str, told: str) -> str:
    """What matplotlib wrote, without what a page does not need, in the page's colours and letters."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<style type="text/css">.*?</style>', "", svg, flags=re.DOTALL)
    svg = svg.replace("xlink:href", "href")
    box = re.search(r'viewBox="([^"]*)"', svg)
    head = (
        f'<svg viewBox="{box[1] if box else "0 0 400 260"}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(told)}</desc>'
    )
    body = _without_idle_names(svg[svg.index(">") + 1 :], name)
    for colour, variable in _COLOURS.items():
        body = body.replace(colour, f"var({variable})")
    body = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", body)  # the letters are those of the page
    body = re.sub(r"font-family: [^;\"]*;?\s*", "", body)
    body = re.sub(r"<[^>]*>", lambda tag: _LONG.sub(_rounded, tag[0]), body)
    body = re.sub(r"stroke-linejoin: round;?\s*|stroke-linecap: square;?\s*", "", body)
    return head + re.sub(r"\s*\n\s*", "\n", body).strip()


def _rounded(number: re.Match[str]) -> str:
    """A coordinate to a hundredth of a point."""
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _without_idle_names(body: str, name: str) -> str:
    """Only names that something refers to, each with the name of the drawing before it."""
    used = {match for pair in re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', body) for match in pair if match}

    def renamed(match: re.Match[str]) -> str:
        return f' id="{name}-{match[1]}"' if match[1] in used else ""

    body = re.sub(r' id="([^"]*)"', renamed, body)
    body = re.sub(r"url\(#", f"url(#{name}-", body)
    return re.sub(r'href="#', f'href="#{name}-', body)


def colours() -> Iterator[tuple[str, str]]:
    """Colour and dash for one series after another; without end."""
    place, dashes = 0, tuple(DASHES)
    while True:
        yield SERIES[place % len(SERIES)], dashes[place // len(SERIES) % len(dashes)]
        place += 1
