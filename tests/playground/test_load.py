"""Many pages at once, and clients that mean no good, against a server that runs."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.playground.browser import TOKEN, serving

from chainrule.playground.frames import read_frame

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

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


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[int, int]]:
    """The port and the process of a server of its own."""
    with serving("xor") as (port, process):
        yield port, process.pid


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """In a thread of its own: a browser may have a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def test_ten_pages_are_served_and_memory_stays_flat(server: tuple[int, int]) -> None:
    steps, seen = run(many(*server))
    assert min(steps) > FULL
    assert seen[-1] < 1.05 * seen[0], seen


async def refused(address: str, **options: Any) -> bool:
    """Whether nobody is let in there."""
    try:
        async with websockets.connect(address, **options) as socket:
            await asyncio.wait_for(socket.recv(), 20)
    except (websockets.InvalidStatus, websockets.ConnectionClosed):
        return True
    return False


def test_strangers_are_not_let_in(server: tuple[int, int]) -> None:
    talk = f"ws://127.0.0.1:{server[0]}/talk?session=somebody-else"
    assert run(refused(talk))
    assert run(refused(f"{talk}&token=guessed"))
    assert run(refused(f"{talk}&token={TOKEN}", origin="http://evil.example"))
    assert run(refused(f"{talk}&token={TOKEN}", additional_headers={"Host": "evil.example"}))
    assert not run(refused(f"{talk}&token={TOKEN}", origin=f"http://127.0.0.1:{server[0]}"))


async def flooded(port: int) -> tuple[int, int]:
    """How a page of too large a message is let go, and the last step that the next one sees."""
    address = f"ws://127.0.0.1:{port}/talk?session=a-flood-of-words&token={TOKEN}"
    async with websockets.connect(address) as socket:
        with contextlib.suppress(websockets.ConnectionClosed):
            await socket.send("x" * (2 << 20))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await draw(socket, frames=1000)
    async with websockets.connect(address) as socket:
        for _ in range(2000):  # many at once, of which it does all
            await socket.send('{"kind": "step"}')
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code, await draw(socket, until=2000)


def test_too_much_at_once_is_refused_and_many_messages_are_all_done(server: tuple[int, int]) -> None:
    assert run(flooded(server[0])) == (1009, 2000)
