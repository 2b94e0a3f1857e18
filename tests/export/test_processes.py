"""Processes that print, that fail and that take too long."""

from __future__ import annotations

import sys

import pytest

import chainrule as cr
from chainrule.export.processes import finished


def _python(code, folder, **options):
    return finished([sys.executable, "-c", code], folder=folder, fails="it fails", **options)


def test_what_it_prints_comes_back(tmp_path):
    assert _python("print(input()[::-1])", tmp_path, given=b"abc") == b"cba\n"


def test_what_it_said_when_it_failed(tmp_path):
    with pytest.raises(cr.ChainruleError, match="it fails: no such thing; nothing was written"):
        _python("raise SystemExit('no such thing')", tmp_path)
    with pytest.raises(cr.ChainruleError, match="it ended with 3"):
        _python("raise SystemExit(3)", tmp_path)


def test_what_takes_too_long_is_ended(tmp_path):
    assert _python("while True: pass", tmp_path, seconds=0.2) is None
