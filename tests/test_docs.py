"""Every code block of README, CONTRIBUTING and docs is run, page by page, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```(\w+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN_AS = {"python", "console"}
NOT_RUN = {"text", "toml", "json"}  # what a program prints or reads


def blocks(page: Path) -> list[tuple[str, str]]:
    return [(language or "", code) for language, code in BLOCK.findall(page.read_text(encoding="utf-8"))]


def run_console(code: str, folder: Path) -> None:
    """Run each line that begins with a dollar; a line of `make` is only checked, since it sets up an environment."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "MPLBACKEND": "agg"}
    for line in re.sub(r"\\\n\s*", "", code).splitlines():
        if not line.startswith("$ "):
            continue
        command, where = line[2:], folder
        if command.startswith("make"):
            command, where = command.replace("make", "make --dry-run", 1), ROOT
        done = subprocess.run(
            ["bash", "-c", command], cwd=where, env=env, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for language, code in blocks(page):
        if language == "python":
            exec(compile(code, str(page), "exec"), names)  # noqa: S102 -- this is the test
        elif language == "console":
            run_console(code, tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_says_what_it_is(page):
    strange = {language for language, _ in blocks(page)} - RUN_AS - NOT_RUN
    assert not strange, f"{page.name} has blocks of {strange}: they would not be run"


def test_a_block_that_fails_is_noticed(tmp_path):
    with pytest.raises(AssertionError):
        run_console("$ false\n", tmp_path)
