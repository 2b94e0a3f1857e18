"""A browser for the tests of the page, a server of their own, and what waits for either."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

TOKEN = "a-token-of-the-test"  # noqa: S105 -- of this test alone
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = Path(__file__).parents[2] / "build" / "page" / "node_modules" / "axe-core" / "axe.min.js"
STATE = "() => window.playground?.frame?.head ?? null"
SETTING = "() => window.playground.setup.setting"


@contextlib.contextmanager
def serving(*arguments: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """A server of the page; it must end without a traceback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "chainrule", "play", *arguments, "--no-browser", "--port", str(port)]
    server = subprocess.Popen([*command, "--token", TOKEN], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        until(lambda: is_open(port), "the server does not answer")
        yield port, server
    finally:
        server.terminate()
        said, _ = server.communicate(timeout=20)
        assert "Traceback" not in said, said


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(found: Callable[[], Any], words: str, seconds: float = 20.0) -> Any:
    """What is found, once it is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(words)


def state(page: Page, wanted: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
    """The head of a frame on the page, once it is as wanted."""

    def found() -> dict[str, Any] | None:
        head = page.evaluate(STATE)
        return head if head and wanted(head) else None

    return until(found, f"the page does not come to that: {page.evaluate(STATE)}")


def open_table(page: Page, name: str) -> None:
    """Open a built-in table by its button."""
    page.locator(".tables").get_by_role("button", name=name, exact=True).click()
    until(lambda: page.evaluate(SETTING)["data"] == name, f"{name} is not open")
    state(page, lambda head: head["setup"] == page.evaluate("() => window.playground.setup.number"))
