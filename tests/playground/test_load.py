"""Many pages at once: each is served, and the server's memory stays as it is."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.playground.browser import TOKEN, serving

websockets = pytest.importorskip("websockets", reason="websockets is not installed")

pytestmark = pytest.mark.slow
PAGES, FRAMES, ROUNDS = 10, 40, 3


def megabytes(pid: int) -> float:
    """What the process has in memory (Linux)."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("the memory of a process is read from /proc")
    lines = status.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


async def draw(socket: websockets.ClientConnection, frames: int) -> int:
    """Take so many frames, and say of each that it is drawn; the last step that was seen."""
    step = 0
    while frames:
        message = await asyncio.wait_for(socket.recv(), 60)
        if isinstance(message, bytes):
            frames -= 1
            length = int.from_bytes(message[:4], "little")
            step = max(step, int(message[4 : 4 + length].split(b'"taken":')[1].split(b",")[0]))
            await socket.send('{"kind": "drawn"}')
    return step


async def many(port: int, pid: int) -> tuple[list[int], list[float]]:
    """The last step of each page, and the memory after each round."""
    sockets = [
        await websockets.connect(f"ws://127.0.0.1:{port}/talk?session=page-of-load-{k}&token={TOKEN}", max_size=None)
        for k in range(PAGES)
    ]
    for socket in sockets:
        await socket.send('{"kind": "play", "speed": 200}')
    seen, steps = [], []
    for _ in range(ROUNDS):
        steps = await asyncio.gather(*(draw(socket, FRAMES) for socket in sockets))
        seen.append(megabytes(pid))
    for socket in sockets:
        await socket.close()
    return steps, seen


def test_ten_pages_are_served_and_memory_stays_flat() -> None:
    with serving("digits") as (port, server), ThreadPoolExecutor(1) as thread:  # a browser may have a loop in this one
        steps, seen = thread.submit(asyncio.run, many(port, server.pid)).result()
    assert min(steps) > 10
    assert seen[-1] < 1.05 * seen[0] + 10, seen  # ways back fill up in the first round and stay bounded
