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
    answer_first: bool = False,
    **options: Any,
) -> list[Result]:
    """Let the peers run, after a first round that is not counted.

    Args:
        peers: who takes part.
        function: of the peers' modules.
        problem: its argument, if it takes one.
        rounds: of which the best counts.
        cores: how many each may use; None: all.
        answer_first: whether the answers are those after the first round, not after the last: rounding grows with each.
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
        _run(runners, rounds, answer_first=answer_first)
        return [runner.result() for runner in runners]


def _run(runners: list[_Runner], rounds: int, *, answer_first: bool) -> None:
    """The rounds, and when the answers are written down."""
    for number in range(rounds + 1):
        for runner in runners:
            time.sleep(_PAUSE)
            runner.run_round(counts=number > 0)
            if answer_first and number == 0:
                runner.write_answer()
    for runner in runners:
        runner.note_memory()  # before an answer that may need some itself
        if not answer_first:
            runner.write_answer()


class _Runner:
    """A peer's process; whatever goes wrong in it is its result."""

    def __init__(self, peer: Peer, request: dict[str, Any], path: Path) -> None:
        self.peer, self.path, self.seconds, self.memory = peer, path, [np.inf], 0
        self.process: subprocess.Popen[str] | None = None
        self.first: dict[str, Any] = {}
        python = python_with(peer.library)
        if python is None:
            self.first = {"unable": "not installed"}
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
        reply = self._ask("round")
        if counts and not self.unable:
            self.seconds.append(reply["seconds"])

    def write_answer(self) -> None:
        self._ask("answer")

    def note_memory(self) -> None:
        self.memory = self._ask("memory").get("memory", 0)

    def result(self) -> Result:
        if self.unable:
            return Result(self.peer, unable=self.unable)
        return Result(self.peer, min(self.seconds), self.memory, np.load(self.path), self.first["version"])

    def _ask(self, line: str) -> dict[str, Any]:
        """The reply to a line; none any more from a peer that failed once."""
        if self.unable or self.process is None:
            return {}
        try:
            self.process.stdin.write(line + "\n")  # type: ignore[union-attr] # both are pipes
            self.process.stdin.flush()  # type: ignore[union-attr]
            reply: dict[str, Any] = json.loads(self.process.stdout.readline())  # type: ignore[union-attr]
        except (BrokenPipeError, json.JSONDecodeError):
            reply = {"unable": "its process failed"}
        if "unable" in reply:
            self.first = reply
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
