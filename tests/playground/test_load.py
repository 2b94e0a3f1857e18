"""Many pages at once: each is served, and the server's memory stays as it is."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.playground.browser import TOKEN, serving

from chainrule.playground.frames import read_frame

websockets = pytest.importorskip("websockets", reason="websockets is not installed")

pytestmark = pytest.mark.slow
PAGES, FRAMES, ROUNDS = 10, 30, 3
FULL = 500  # steps: more than a way back keeps


def megabytes(pid: int) -> float:
    """What the process has in memory (Linux)."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("the memory of a process is read from /proc")
    lines = status.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


async def draw(socket: websockets.ClientConnection, *, frames: int = 0, until: int = 0) -> int:
    """Take so many frames, and on to this step, and say of each that it is drawn; the last step that was seen."""
    step = 0
    while frames > 0 or step < until:
        message = await asyncio.wait_for(socket.recv(), 60)
        if isinstance(message, bytes):
            frames -= 1
            step = read_frame(message)[0]["taken"]
            await socket.send('{"kind": "drawn"}')
    return step


async def many(port: int, pid: int) -> tuple[list[int], list[float]]:
    """The last step of each page, and the memory after each round, once the ways back are as full as they get."""
    sockets = [
        await websockets.connect(f"ws://127.0.0.1:{port}/talk?session=page-of-load-{k}&token={TOKEN}", max_size=None)
        for k in range(PAGES)
    ]
    for socket in sockets:
        await socket.send('{"kind": "play", "speed": 1000}')
    await asyncio.gather(*(draw(socket, until=FULL) for socket in sockets))
    for socket in sockets:
        await socket.send('{"kind": "play", "speed": 100}')
    seen, steps = [megabytes(pid)], []
    for _ in range(ROUNDS):
        steps = await asyncio.gather(*(draw(socket, frames=FRAMES) for socket in sockets))
        seen.append(megabytes(pid))
    for socket in sockets:
        await socket.close()
    return steps, seen


def test_ten_pages_are_served_and_memory_stays_flat() -> None:
    with serving("xor") as (port, server), ThreadPoolExecutor(1) as thread:  # a browser may have a loop in this one
        steps, seen = thread.submit(asyncio.run, many(port, server.pid)).result()
    assert min(steps) > FULL
    assert seen[-1] < 1.05 * seen[0], seen
