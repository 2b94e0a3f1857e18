"""The process of one peer: reads what to do line by line on standard input, answers in JSON on standard output.

A process of its own, so that its peak memory is its own, and so that it may run in a Python that has its library.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.peers import Unable

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.peers import Race


def main() -> None:
    """Serve: ``round`` times one, ``answer`` writes the answer, ``memory`` tells the peak."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no reply
    request = json.loads(sys.stdin.readline())
    if request["cores"] is not None:  # before any library counts them
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: request["cores"]])
    try:
        race = start(request, save=lambda race: _save(race, request["answer"]))
    except Unable as reason:
        return _reply(replies, {"unable": str(reason)})
    _reply(replies, {"version": race.version})
    for line in sys.stdin:
        if line.strip() == "round":
            _reply(replies, {"seconds": seconds(race, request["least"])})
        elif line.strip() == "answer":
            _save(race, request["answer"])
            _reply(replies, {})
        else:
            _reply(replies, {"memory": peak_memory()})
    return None


def peak_memory() -> int:
    """Bytes of memory that this process held at most.

    On Linux not `ru_maxrss`, which begins with the memory of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def start(request: dict[str, Any], save: Callable[[Race], None]) -> Race:
    """The race; where all are compared after a first round, that round is over and its answer written."""
    from benchmarks.problems import Problem

    module = importlib.import_module(f"benchmarks.peers.{request['module']}")
    function: Callable[..., Race] | None = getattr(module, request["function"], None)
    if function is None:
        raise Unable("has no such thing")
    if "problem" not in request:
        return function(**request["options"])
    problem, long = Problem.from_json(request["problem"]), request["long"]
    race = function(problem, **request["options"])
    if long:
        race.round()
        save(race)
    return function(problem.with_steps(problem.steps * long), **request["options"]) if long > 1 else race


def seconds(race: Race, least: float) -> float:
    """Of a round: the mean of as many as last for `least` seconds."""
    rounds, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < least or not rounds:
        race.round()
        rounds += 1
    return spent / rounds


def _save(race: Race, path: str) -> None:
    import numpy as np

    np.save(path, np.asarray(race.answer()))


def _reply(replies: Any, reply: dict[str, Any]) -> None:
    replies.write(json.dumps(reply) + "\n")
    replies.flush()


if __name__ == "__main__":
    main()
