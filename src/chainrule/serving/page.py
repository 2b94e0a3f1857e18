"""The page that shows a server to a person: what it answers, and a form to try a row."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from chainrule.serving.described import ModelFacts

_TEMPLATE = files("chainrule.serving").joinpath("page.html").read_text(encoding="utf-8")


def _hash(tag: str) -> str:
    """What the policy names instead of allowing any style or script that stands in the page."""
    found = re.search(f"<{tag}>(.*?)</{tag}>", _TEMPLATE, re.DOTALL)
    digest = hashlib.sha256((found[1] if found else "").encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


POLICY = (
    f"default-src 'none'; style-src {_hash('style')}; script-src {_hash('script')}; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page loads nothing, runs its own script alone, and speaks with its own server alone."""


def page(facts: ModelFacts, openapi: dict[str, Any]) -> bytes:
    """The HTML."""
    told = msgspec.json.encode({"facts": facts, "openapi": openapi}).decode()
    return _TEMPLATE.replace("{{told}}", told.replace("<", "\\u003c")).encode()
