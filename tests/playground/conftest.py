"""The page in a real browser, for the tests that ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.playground.browser import CHROMIUM, TOKEN, serving, state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The address of a server of its own."""
    with serving("xor") as (port, _):
        yield f"http://127.0.0.1:{port}/?token={TOKEN}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window.

    Not for the whole session: Playwright keeps a loop running in the main thread, in which no other test could run one,
    and which Ctrl-C does not get past.
    """
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page of a session of its own; what its console says against it fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(15_000)
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" and not refused(said) else None)
    page.goto(address)
    state(page)
    yield page
    context.close()
    assert not faults


def refused(said: ConsoleMessage) -> bool:
    """Whether it is about an answer that the page itself tells of: a table that is none."""
    return "status of 422" in said.text
