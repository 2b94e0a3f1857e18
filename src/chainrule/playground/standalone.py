"""The page as one document that loads nothing: for a frame in a notebook, where no server hands on its files.

The modules are the same files. An import map names each by ``chainrule/NAME``, which their imports are rewritten to: a
module that stands in a data address has no neighbours.
"""

from __future__ import annotations

import base64
import json
import re
from functools import cache
from importlib.resources import files

_STYLE = re.compile(r'<link rel="stylesheet" href="/page/([\w/.-]+)">')
_SCRIPT = re.compile(r'<script type="module" src="/page/(\w+\.js)"></script>')
_IMAGE = re.compile(r'src="/page/(\w+\.svg)"')
_ICON = re.compile(r'<link rel="icon"[^>]*>\n')
_IMPORT = re.compile(r'(from|import) "\./([\w/.-]+\.js)"')


@cache
def document() -> str:
    """The page, whole, that talks through its frame.

    >>> "/page/" in document()
    False
    """
    text = _ICON.sub("", _read("index.html"))
    text = text.replace('<html lang="en">', '<html lang="en" data-home="notebook">', 1)
    text = _STYLE.sub(lambda found: f"<style>\n{_read(found[1])}</style>", text)
    text = _IMAGE.sub(lambda found: f'src="{_address("image/svg+xml", _read(found[1]))}"', text)
    return _SCRIPT.sub(
        lambda found: f'{_import_map()}\n<script type="module">import "chainrule/{found[1]}";</script>', text
    )


def widget() -> str:
    """The module that puts the document into a notebook."""
    return _read("notebook/widget.js")


def _import_map() -> str:
    modules = {f"chainrule/{name}": _address("text/javascript", _rewritten(name)) for name in _modules()}
    return f'<script type="importmap">{json.dumps({"imports": modules})}</script>'


def _modules() -> list[str]:
    """The modules of the page, by the names that they import each other by."""
    page = files("chainrule.playground").joinpath("page")
    names = [each.name for each in page.iterdir() if each.name.endswith(".js")]
    return sorted([*names, "uplot/uPlot.js"])


def _rewritten(name: str) -> str:
    return _IMPORT.sub(r'\1 "chainrule/\2"', _read(name))


def _read(name: str) -> str:
    return files("chainrule.playground").joinpath("page", *name.split("/")).read_text(encoding="utf-8")


def _address(kind: str, text: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"
