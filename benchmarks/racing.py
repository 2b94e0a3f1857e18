"""Peers against each other: a process each, their rounds one after the other in turn, the best round counts.

In turn, so that a machine that is slow for a while is slow for all of them.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from benchmarks.problems import Problem

ROOT = Path(__file__).parent.parent
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"  # `make bench-peers` makes it
_PAUSE = 0.2  # seconds, in which the threads of the one before stop waiting busily (OpenBLAS's: .1)
_LEAST = 0.01  # seconds of a round: where one is shorter, it is run several times
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Peer(NamedTuple):
    """Who takes part.

    Attributes:
        name: in the tables.
        module: in `benchmarks.peers`.
        library: without which it cannot take part.
        function: instead of the one that the race is about.
        options: further arguments of the function.
        environment: of its process, besides what is there.
        swift: whether an epoch is compiled code, which is timed on longer epochs where a problem has them.
    """

    name: str
    module: str
    library: str
    function: str = ""
    options: Mapping[str, Any] = _NOTHING
    environment: Mapping[str, str] = _NOTHING
    swift: bool = False


class Result(NamedTuple):
    """How a peer did: seconds of its best round, bytes at its peak, its answer, or why there is none.

    Where the race compares after the first round, the seconds are those of `problem.steps` steps.
    """

    peer: Peer
    seconds: float = np.nan
    memory: int = 0
    answer: Any = None
    version: str = ""
    unable: str = ""


def race(
    peers: Iterable[Peer],
    function: str,
    problem: Problem | None = None,
    *,
    rounds: int,
    cores: int | None = None,
    long: int = 0,
    **options: Any,
) -> list[Result]:
    """Let the peers run, after a first round that is not counted.

    Args:
        peers: who takes part.
        function: of the peers' modules.
        problem: its argument, if it takes one.
        rounds: of which the best counts.
        cores: how many each may use; None: all.
        long: how many times more steps an epoch has for swift peers, once all have been compared after a first round;
            0: the answers are those after the last round. (Rounding grows with each.)
        options: further arguments of the function.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        runners = []
        for i, peer in enumerate(peers):
            request = {
                "module": peer.module,
                "function": peer.function or function,
                "options": {**options, **peer.options},
                "cores": cores,
                "answer": str(folder / f"{i}.npy"),
                "least": _LEAST if problem is not None else 0.0,
            }
            if problem is not None:
                request |= {"problem": dataclasses.asdict(problem), "long": long if peer.swift else min(long, 1)}
            runners.append(stack.enter_context(_Runner(peer, request)))
        for runner in runners:  # all start at the same time
            runner.begin()
        _run(runners, rounds, answer_last=not long)
        return [runner.result() for runner in runners]


def _run(runners: list[_Runner], rounds: int, *, answer_last: bool) -> None:
    for number in range(rounds + 1):
        for runner in runners:
            runner.run_round(counts=number > 0)
    for runner in runners:
        runner.note_memory()  # before an answer that may need some itself
        if answer_last:
            runner.write_answer()


class _Runner:
    """A peer's process; whatever goes wrong in it is its result."""

    def __init__(self, peer: Peer, request: dict[str, Any]) -> None:
        self.peer, self.path, self.seconds, self.memory = peer, Path(request["answer"]), [np.inf], 0
        self.process: subprocess.Popen[str] | None = None
        self.first: dict[str, Any] = {}
        self.long = max(request.get("long", 1), 1)
        python = python_with(peer.library)
        if python is None:
            self.first = {"unable": "not installed"}
            return
        command = [python, "-m", "benchmarks.worker"]
        environment = os.environ | dict(peer.environment)
        self.process = subprocess.Popen(
            command, cwd=ROOT, text=True, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._tell(json.dumps(request))

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

    def begin(self) -> None:
        """Wait until it is ready."""
        if not self.unable:
            self.first = self._hear()

    def run_round(self, *, counts: bool) -> None:
        if self.unable:
            return
        time.sleep(_PAUSE)
        reply = self._ask("round")
        if counts and not self.unable:
            self.seconds.append(reply["seconds"] / self.long)

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
        self._tell(line)
        reply = self._hear()
        if "unable" in reply:
            self.first = reply
        return reply

    def _tell(self, line: str) -> None:
        try:
            self.process.stdin.write(line + "\n")  # type: ignore[union-attr] # both are pipes
            self.process.stdin.flush()  # type: ignore[union-attr]
        except BrokenPipeError:
            pass  # there will be no reply either

    def _hear(self) -> dict[str, Any]:
        try:
            reply: dict[str, Any] = json.loads(self.process.stdout.readline())  # type: ignore[union-attr]
        except json.JSONDecodeError:
            reply = {"unable": "its process failed"}
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
