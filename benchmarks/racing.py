"""Peers against each other: a process each, their rounds one after the other in turn, the best round counts.

In turn, so that a machine that is slow for a while is slow for all of them.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.problems import Problem

ROOT = Path(__file__).parent.parent
_PAUSE = 0.05  # seconds, in which the threads of the one before stop waiting for work with the processor busy
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"  # `make bench-peers` makes it


class Peer(NamedTuple):
    """Who takes part.

    Attributes:
        name: in the tables.
        module: in `benchmarks.peers`.
        library: without which it cannot take part.
        engine: for this library alone.
        function: instead of the one that the race is about.
    """

    name: str
    module: str
    library: str
    engine: str = ""
    function: str = ""


class Result(NamedTuple):
    """How a peer did: seconds of its best round, bytes at its peak, its answer, or why there is none."""

    peer: Peer
    seconds: float = np.nan
    memory: int = 0
    answer: Any = None
    version: str = ""
    unable: str = ""


def engines() -> list[Peer]:
    """This library with each of its engines."""
    from chainrule.engines.choose import ENGINES

    return [Peer(f"chainrule, {name}", "ours", "chainrule", name) for name in ENGINES]


BY_HAND = Peer("NumPy by hand", "numpy_by_hand", "numpy")
OTHERS = [
    Peer("scikit-learn", "scikit_learn", "sklearn"),
    Peer("torch, eager", "torch_eager", "torch"),
    Peer("jax, jit + scan", "jax_scan", "jax"),
]


def race(
    peers: Iterable[Peer],
    function: str,
    problem: Problem | None = None,
    *,
    rounds: int,
    cores: int | None = None,
    **options: Any,
) -> list[Result]:
    """Let the peers run, after a first round that is not counted.

    Args:
        peers: who takes part.
        function: of the peers' modules.
        problem: its argument, if it takes one.
        rounds: of which the best counts.
        cores: how many each may use; None: all.
        options: further arguments of the function.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        runners = []
        for i, peer in enumerate(peers):
            given = options | ({"engine": peer.engine} if peer.engine else {})
            request = {"module": peer.module, "function": peer.function or function, "options": given, "cores": cores}
            if problem is not None:
                request["problem"] = dataclasses.asdict(problem)
            runners.append(stack.enter_context(_Runner(peer, request, folder / f"{i}.npy")))
        for number in range(rounds + 1):
            for runner in runners:
                time.sleep(_PAUSE)
                runner.run_round(counts=number > 0)
        return [runner.end() for runner in runners]


class _Runner:
    """A peer's process; whatever goes wrong in it is its result."""

    def __init__(self, peer: Peer, request: dict[str, Any], path: Path) -> None:
        self.peer, self.path, self.seconds = peer, path, [np.inf]
        self.process: subprocess.Popen[str] | None = None
        python = python_with(peer.library)
        if python is None:
            self.first: dict[str, Any] = {"unable": "not installed"}
            return
        command = [python, "-m", "benchmarks.worker"]
        self.process = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.first = self._ask(json.dumps({**request, "answer": str(path)}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.process.stdin.close()  # type: ignore[union-attr] # it is a pipe
            self.process.stdout.close()  # type: ignore[union-attr]
            self.process.wait()

    @property
    def unable(self) -> str:
        return str(self.first.get("unable", ""))

    def run_round(self, *, counts: bool) -> None:
        if not self.unable:
            reply = self._ask("round")
            if "unable" in reply:
                self.first = reply
            elif counts:
                self.seconds.append(reply["seconds"])

    def end(self) -> Result:
        reply = self.first if self.unable else self._ask("end")
        if "unable" in reply:
            return Result(self.peer, unable=str(reply["unable"]))
        answer = np.load(self.path)
        return Result(self.peer, min(self.seconds), reply["memory"], answer, self.first["version"])

    def _ask(self, line: str) -> dict[str, Any]:
        assert self.process is not None  # noqa: S101 - for the type checker: only called where there is one
        try:
            self.process.stdin.write(line + "\n")  # type: ignore[union-attr]
            self.process.stdin.flush()  # type: ignore[union-attr]
            reply: dict[str, Any] = json.loads(self.process.stdout.readline())  # type: ignore[union-attr]
        except (BrokenPipeError, json.JSONDecodeError):
            return {"unable": "its process failed"}
        return reply


@cache
def python_with(library: str) -> str | None:
    """The Python that has a library: this one, or that of `make bench-peers`; None where neither has."""
    for python in (sys.executable, str(PEERS_PYTHON)):
        if Path(python).exists():
            find = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({library!r}) is None)"
            if subprocess.run([python, "-c", find], check=False).returncode == 0:
                return python
    return None
