"""``chainrule doctor``: what is installed here, and what is missing."""

from __future__ import annotations

import ctypes
import platform
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from chainrule._version import __version__
from chainrule.cli.console import facts, output, say, write_json
from chainrule.cli.options import GROUPS
from chainrule.engines.threads import cores

app = App(name="doctor", help_epilogue="Example:\n  chainrule doctor --json")


class Extra(msgspec.Struct, frozen=True):
    """An optional part: `missing` is empty where it is installed."""

    name: str
    missing: tuple[str, ...]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """All that `chainrule doctor` finds.

    Attributes:
        versions: of Python and of the libraries that are always there; None where one is missing.
        extras: what else can be installed: ``pip install 'chainrule[NAME]'``.
        cores: that this process may use.
        blas: the library under NumPy's matrix product; `blas_threads` that it uses, None where it does not say.
    """

    chainrule: str
    python: str
    system: str
    cores: int
    versions: dict[str, str | None]
    engine: str
    engine_reason: str
    blas: str
    blas_threads: int | None
    extras: tuple[Extra, ...]

    @property
    def missing(self) -> list[str]:
        """Libraries that should be there and are not."""
        return [name for name, version in self.versions.items() if version is None]


@app.default
def doctor(
    *,
    json: Annotated[
        bool, Parameter(group=GROUPS["Output"], negative=(), show_default=False, help="The same as one JSON object.")
    ] = False,
) -> None:
    """Print what is found; see `app` for the words that a person reads."""
    finding = examine()
    if json:
        write_json(msgspec.to_builtins(finding))
        return
    console = output()
    facts(console, _rows(finding))
    lacking = [extra for extra in finding.extras if extra.missing]
    if finding.missing:
        say(console, f"\nMissing: {', '.join(finding.missing)}. Install again: pip install --force-reinstall chainrule")
    elif lacking:
        say(console, "\nAll that is needed is here. More can be had:")
        for extra in lacking:
            say(console, f"  pip install 'chainrule[{extra.name}]'   adds {', '.join(extra.missing)}")
    else:
        say(console, "\nEverything is here.")


def examine() -> Finding:
    """Look at this installation."""
    from chainrule.engines.choose import choose

    needed, extras = _requirements()
    choice = choose()
    blas, threads = _blas()
    return Finding(
        chainrule=__version__,
        python=f"{platform.python_version()} ({sys.executable})",
        system=f"{platform.system()} {platform.machine()}",
        cores=cores(),
        versions={name: _version(name) for name in needed},
        engine=choice.engine.name,
        engine_reason=choice.reason,
        blas=blas,
        blas_threads=threads,
        extras=tuple(
            Extra(name, tuple(library for library in libraries if _version(library) is None))
            for name, libraries in extras.items()
        ),
    )


def _rows(finding: Finding) -> list[tuple[str, str]]:
    versions = [f"{name} {version or 'MISSING'}" for name, version in finding.versions.items()]
    threads = f", {finding.blas_threads} threads" if finding.blas_threads else ""
    return [
        ("chainrule", finding.chainrule),
        ("python", finding.python),
        ("system", f"{finding.system}, {finding.cores} cores for this process"),
        ("engine", f"{finding.engine}: {finding.engine_reason}"),
        ("matrix product", f"{finding.blas}{threads}"),
        ("libraries", ", ".join(versions)),
        *[(f"extra {extra.name}", "not installed" if extra.missing else "installed") for extra in finding.extras],
    ]


def _requirements() -> tuple[list[str], dict[str, list[str]]]:
    """The libraries that chainrule needs, and those of each extra for users, as its package says."""
    needed: list[str] = []
    extras: dict[str, list[str]] = {}
    for line in metadata.requires("chainrule") or ():
        found = re.match(r"[\w.-]+", line)
        name = found[0] if found else line
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", line)
        if extra is None:
            needed.append(name)
        elif extra[1] not in ("dev", "docs"):
            extras.setdefault(extra[1], []).append(name)
    return needed, extras


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def _blas() -> tuple[str, int | None]:
    """The name of NumPy's BLAS, and the threads that it uses where it is OpenBLAS."""
    import numpy as np

    config: dict[str, Any] = np.show_config(mode="dicts")  # type: ignore[assignment] # "dicts" returns one
    blas = config.get("Build Dependencies", {}).get("blas", {})
    name = f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()
    return name, _openblas_threads(Path(np.__file__).parent)


def _openblas_threads(numpy: Path) -> int | None:
    """What OpenBLAS itself says; it is a library beside NumPy in NumPy's own wheels."""
    for folder in (numpy.with_name("numpy.libs"), numpy / ".dylibs"):
        for path in folder.glob("*openblas*"):
            library = ctypes.CDLL(str(path))
            for name in ("scipy_openblas_get_num_threads64_", "openblas_get_num_threads"):
                if hasattr(library, name):
                    return int(getattr(library, name)())
    return None
