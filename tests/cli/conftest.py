"""The command line in this process (fast) and as the command itself (exit codes, signals, pipes)."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

from chainrule.cli import run


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def call(capsys, tmp_path, monkeypatch):
    """Run a command in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def in_process(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Outcome(code, captured.out, captured.err)

    return in_process


@pytest.fixture
def start(tmp_path):
    """Start the command as a process of its own, in the folder of the test; it is gone when the test is."""
    running = []

    def begin(*arguments: object, **options: object) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "PYTEST"))}
        environment |= {"COLUMNS": "80", "PYTHONWARNINGS": "error"} | dict(options.pop("env", {}))
        process = subprocess.Popen(
            [sys.executable, "-m", "chainrule", *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            stdin=options.pop("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            **options,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def flowers(tmp_path):
    """A small table of three classes that are easy to tell apart."""
    return write_flowers(tmp_path / "flowers.csv")


def write_flowers(path, rows=60):
    random = np.random.default_rng(3)
    lines = ["length,width,colour,species"]
    for row in range(rows):
        kind = row % 3
        length, width = random.normal(kind, 0.2), random.normal(-kind, 0.2)
        lines.append(f"{length:.3f},{width:.3f},{'red' if kind else 'blue'},{'abc'[kind]}")
    path.write_text("\n".join(lines) + "\n")
    return path
