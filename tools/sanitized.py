"""A plugin of pytest: the tests run on another build of the compiled module, ``-p sanitized --kernels FOLDER``."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

NAME = "chainrule.engines._kernels"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the other build was installed."""
    parser.addoption("--kernels", type=Path, required=True)


def pytest_configure(config: pytest.Config) -> None:
    """Load it before anything asks for the one that is installed."""
    file = next(config.getoption("--kernels").glob("chainrule/engines/_kernels.*"), None)
    if file is None:
        sys.exit(f"{config.getoption('--kernels')} holds no compiled module: the build failed; see `pip install -v .`")
    spec = spec_from_file_location(NAME, file)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[NAME] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules[NAME])
