"""What a page costs the training that it shows, how many frames it draws, and what many pages hold of memory."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.tables import kept, show
from chainrule.playground import experiment
from chainrule.playground.setting import HiddenLayer, Setting
from chainrule.playground.tables import Sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.__main__ import Options

_SHARE, _FRAMES = 0.9, 30  # floors
_PORT, _TOKEN = 8798, "a-token-of-the-benchmark"
_DIGITS = Setting(
    data="digits",
    layers=(HiddenLayer(units=32, activation="sigmoid"), HiddenLayer(units=16, activation="sigmoid")),
    optimizer="sgd",
    lr=0.1,
    batch_size=32,
    epochs=50_000,
    training_share=0.75,
)
# Counts what the page draws without asking for frames of its own, which would wake the browser 60 times a second.
_COUNT = """() => {
  const { playground } = window;
  let frame = playground.frame;
  window.drawn = 0;
  Object.defineProperty(playground, "frame", { get: () => frame, set: (next) => { frame = next; window.drawn += 1; } });
}"""


def run(options: Options) -> None:
    """Print the tables."""
    with _server():
        _page(seconds=1.0 if options.quick else 3.0, rounds=1 if options.quick else min(options.rounds, 5))
    with _server() as server:
        asyncio.run(_load(server, pages=10 if options.quick else 50, seconds=5 if options.quick else 600))


@contextlib.contextmanager
def _server() -> Iterator[subprocess.Popen[bytes]]:
    code = (
        "from benchmarks import playground as p; from chainrule.playground.server import make_app, serve; "
        f"serve(make_app(p._DIGITS, token={_TOKEN!r}, port={_PORT}), host='127.0.0.1', port={_PORT})"
    )
    server = subprocess.Popen([sys.executable, "-c", code])
    try:
        time.sleep(4)
        yield server
    finally:
        server.terminate()
        server.wait(20)


def _alone(seconds: float) -> float:
    """Steps a second of the same training with nobody looking."""
    training = experiment.make(_DIGITS, Sources()).training
    training.may_run_ahead = True
    training.pace.seconds_at_once = 0.1  # as `Network.fit` takes them
    records = iter(training)
    for _ in range(50):
        next(records)
    begun, start = training.standing.taken, time.perf_counter()
    while time.perf_counter() - start < seconds:
        next(records)
    return (training.standing.taken - begun) / (time.perf_counter() - start)


def _page(seconds: float, rounds: int) -> None:
    """The same training alone and with a page, by turns."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("\nplayground: there is no Chromium on this machine")
        return
    with sync_playwright() as driver:
        # Without a graphics card Chromium would compute one, which takes more of the processors than the page does.
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        measured = [(_alone(seconds), *_watched(browser, seconds)) for _ in range(rounds)]
        browser.close()
    rows = [
        [str(number), f"{alone:,.0f}", f"{watched:,.0f}", f"{watched / alone:.1%}", f"{drawn:.1f}"]
        for number, (alone, watched, drawn) in enumerate(measured, start=1)
    ]
    shares = sorted(watched / alone for alone, watched, _ in measured)
    share = statistics.median(shares)
    frames = statistics.median(drawn for _, _, drawn in measured)
    show(
        "The playground: digits, 64-32-16-10 sigmoid, batch 32, at full speed",
        ["round", "steps/s alone", "with a page", "share", "frames/s"],
        rows,
        remark=f"By turns. Median: {share:.1%} of the speed alone ({shares[0]:.1%} to {shares[-1]:.1%}), "
        f"floor {_SHARE:.0%}: {kept(share >= _SHARE)}; "
        f"{frames:.1f} frames a second, floor {_FRAMES}: {kept(frames >= _FRAMES)}.",
    )


def _watched(browser: Any, seconds: float) -> tuple[float, float]:
    """Steps and frames a second with the page open."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(f"http://127.0.0.1:{_PORT}/?token={_TOKEN}")
    while not page.evaluate("() => Boolean(window.playground?.frame)"):
        time.sleep(0.1)
    page.get_by_label("Speed").select_option("Full speed")
    page.get_by_role("button", name="Play", exact=True).click()
    time.sleep(1.5)
    taken = "() => window.playground.frame.head.taken"
    page.evaluate(_COUNT)
    begun, start = page.evaluate(taken), time.perf_counter()
    time.sleep(seconds)
    steps, drawn = page.evaluate(taken) - begun, page.evaluate("() => window.drawn")
    passed = time.perf_counter() - start
    page.get_by_role("button", name="Pause").click()
    time.sleep(0.3)
    page.context.close()
    return steps / passed, drawn / passed


async def _load(server: subprocess.Popen[bytes], pages: int, seconds: float) -> None:
    """Many pages that play at 100 steps a second and draw every frame: memory at the start, on the way, at the end."""
    import websockets

    frames = 0

    async def one(number: int) -> None:
        nonlocal frames
        address = f"ws://127.0.0.1:{_PORT}/talk?session=page-of-load-{number}&token={_TOKEN}"
        async with websockets.connect(address, max_size=None) as socket:
            await socket.send('{"kind": "play", "speed": 100}')
            while time.monotonic() < end:
                message = await asyncio.wait_for(socket.recv(), 30)
                if isinstance(message, bytes):
                    frames += 1
                    await socket.send('{"kind": "drawn"}')

    end = time.monotonic() + seconds
    working = [asyncio.create_task(one(number)) for number in range(pages)]
    seen = []
    for _ in range(6):
        await asyncio.sleep(seconds / 6 * 0.98)
        seen.append(_megabytes(server.pid))
    await asyncio.gather(*working)
    names = ["pages", "seconds", "frames/s", *(f"MB, {part}/6" for part in range(1, 7))]
    numbers = [str(pages), f"{seconds:.0f}", f"{frames / seconds:.0f}", *(f"{size:.0f}" for size in seen)]
    minutes = seconds / 60 * 4 / 6  # from the second look to the last: before it the ways back are filled
    growth = (seen[-1] - seen[1]) / minutes
    remark = f"From the second look on {growth:+.1f} MB a minute, {growth / seen[1]:+.2%}."
    show("Many pages at once, and the server's memory on the way", names, [numbers], remark=remark)


def _megabytes(pid: int) -> float:
    """What the process has in memory (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))
