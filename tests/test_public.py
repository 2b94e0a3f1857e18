"""The public surface: what there is to import, and what an import costs."""

from __future__ import annotations

import doctest
import json
import pkgutil
import subprocess
import sys
from importlib import import_module
from typing import get_args

import pytest

import chainrule as cr
from chainrule import activations, initializers, layers, losses, optimizers, schedules
from chainrule.layers import AnyLayer
from chainrule.optimizers import AnyOptimizer

HEAVY = {
    "polars",
    "matplotlib",
    "rich",
    "scipy",
    "sklearn",
    "narwhals",
    "cyclopts",
    "pandas",
    "pyarrow",
    "tomli_w",
    "jax",
    "starlette",
    "uvicorn",
    "onnx",
    "onnxruntime",
    "websockets",
}


MODULES = [
    m.name for m in pkgutil.walk_packages(cr.__path__, "chainrule.") if not m.name.endswith(("__main__", ".make"))
]


def loaded_by(code: str) -> set[str]:
    """The top names of the modules in a new interpreter after this code."""
    code += "\nimport json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_names_are_sorted_and_once() -> None:
    assert sorted(set(cr.__all__), key=_place) == cr.__all__
    assert dir(cr) == sorted(cr.__all__)


def _place(name: str) -> tuple[bool, bool, str]:
    """Constants, classes, functions and modules, as the linter orders them."""
    return (not name.isupper(), not name[0].isupper(), name)


@pytest.mark.parametrize("name", cr.__all__)
def test_every_name_is_there_and_told(name: str) -> None:
    value = getattr(cr, name)
    assert isinstance(value, str) or value.__doc__


def test_nothing_else_is_public() -> None:
    """What stands in the namespace without an underscore is in `__all__`, or a file of the package."""
    files = {name.removeprefix("chainrule.").partition(".")[0] for name in sys.modules if name.startswith("chainrule.")}
    standing = {name for name in vars(cr) if not name.startswith("_")} - files
    assert standing - {"annotations", "import_module", "TYPE_CHECKING", "Any"} <= set(cr.__all__)


def test_every_layer_optimizer_and_error_is_public() -> None:
    kinds = [*get_args(AnyLayer), *get_args(AnyOptimizer)]
    errors = [cr.ChainruleError, *cr.ChainruleError.__subclasses__(), *cr.InputError.__subclasses__()]
    assert {kind.__name__ for kind in [*kinds, *errors] if kind.__module__.startswith("chainrule.")} <= set(cr.__all__)
    assert set(layers.__all__) >= {kind.__name__ for kind in get_args(AnyLayer)}


def test_every_name_gives_its_object() -> None:
    for module in (activations, losses):
        for name in module.names():
            assert module.get(name).name == name
    for name in initializers.NAMES:
        assert initializers.get(name)
    for name in optimizers.NAMES:
        assert optimizers.get(name)
    for name in schedules.NAMES:
        assert schedules.named(name, 0.1)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'chainrule' has no attribute 'Netwrk'"):
        _ = cr.Netwrk  # type: ignore[attr-defined]


def test_an_import_loads_nothing_heavy() -> None:
    new = loaded_by("import chainrule") - loaded_by("import numpy")
    assert not new & HEAVY
    assert {"chainrule", "msgspec", "safetensors"} <= new


def test_training_on_arrays_loads_nothing_heavy() -> None:
    code = """
import chainrule as cr
net = cr.Network([cr.Dense(2, "softmax")])
history = net.fit([[0.0], [1.0]], [0, 1], epochs=1, validation=0.5, metrics=["accuracy"])
net.predict([[0.0]])
repr(history)
"""
    assert not loaded_by(code) & HEAVY


@pytest.mark.slow
def test_what_is_heavy_is_loaded_when_it_is_used() -> None:
    """Where every warning is an error."""
    code = """
import sys, chainrule as cr
net = cr.Network([cr.Dense(1)], 'huber')
def check(library, use):
    assert library not in sys.modules, library
    use()
    assert library in sys.modules, library
history = net.fit([[0.0]], [0.0], epochs=1)
check("scipy", lambda: net.fit([[0.0]], [0.0], epochs=1, optimizer="lbfgs"))
check("polars", lambda: cr.Model)
check("matplotlib", history.plot)
assert history.to_frame().height == 1
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_run(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0
