"""What `make wheel` does with a wheel: name its platform, look into it, try it where there is no compiler."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from zipfile import ZipFile

TRIAL = """
import numpy as np
import chainrule as cr
from chainrule.engines.native import NativeEngine, instruction_sets

X, y = np.random.default_rng(0).normal(size=(300, 4)), np.arange(300) % 3
for name in instruction_sets():
    net = cr.Network([cr.Dense(32, "relu"), cr.Dense(3, "softmax")], seed=0)
    losses = net.fit(X, y, epochs=5, engine=NativeEngine(instruction_set=name)).epochs
    assert losses[-1].loss < losses[0].loss, name
print("trained on", *instruction_sets())
"""


def main(folder: Path) -> None:
    """Repair, examine and try the wheel in this folder."""
    (wheel,) = folder.glob("*.whl")
    if sys.platform == "linux":
        wheel = repaired(wheel)
    examine(wheel)
    attempt(wheel)
    print(f"{wheel} ({wheel.stat().st_size / 1e6:.1f} MB) installs and trains without a compiler")


def repaired(wheel: Path) -> Path:
    """The wheel under the name of the oldest Linux that it runs on; auditwheel finds out which."""
    command = [sys.executable, "-m", "auditwheel", "repair", "--strip", "--wheel-dir", wheel.parent, wheel]
    subprocess.run(command, check=True, env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"})
    wheel.unlink()
    (named,) = wheel.parent.glob("*.whl")
    return named


def examine(wheel: Path) -> None:
    """One compiled module, the data, and no sources of it; one wheel for all Python versions from 3.12 on."""
    names = ZipFile(wheel).namelist()
    assert sum("_kernels." in name for name in names) == 1, "not one compiled module"
    assert not [name for name in names if "_native" in name], "sources in the wheel"
    for needed in ("chainrule/py.typed", "chainrule/tables/datasets/iris.csv.gz", "LICENSE"):
        assert any(name.endswith(needed) for name in names), f"{needed} is missing"
    expected = "-cp312-abi3-" if sys.version_info >= (3, 12) else "-cp311-cp311-"
    assert expected in wheel.name, wheel.name


def attempt(wheel: Path) -> None:
    """Install it in a new environment, with nothing else on the PATH, and train on every instruction set."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        venv.create(home / "venv", with_pip=True)
        path = home / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
        surroundings = {"PATH": str(path), "HOME": name}

        def run(*command: str | Path) -> str:
            return subprocess.run(
                command, check=True, env=surroundings, cwd=home, stdout=subprocess.PIPE, text=True
            ).stdout

        pip = [path / "python", "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        run(*pip, "--only-binary", ":all:", wheel.resolve())
        print(run(path / "python", "-c", TRIAL), end="")
        found = json.loads(run(path / "chainrule", "doctor", "--json"))
        assert found["engine"] == "native", found["engine_reason"]
        run(path / "chainrule", "train", "iris", "--epochs", "20")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
