"""What a person takes away from the page: files that work without it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from chainrule.errors import unknown_name
from chainrule.layers import Dense
from chainrule.tables import dataset_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.playground.worker import Moment


class Taken(NamedTuple):
    """A file: its name, its media type, its bytes."""

    name: str
    kind: str
    content: bytes


def take(kind: str, moment: Moment) -> Taken:
    """The file of this kind.

    Raises:
        ArgumentError: when there is no such kind.
    """
    if kind not in _KINDS:
        raise unknown_name("kind", kind, _KINDS, where="take away")
    return _KINDS[kind](moment)


def _model(moment: Moment) -> Taken:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        moment.experiment.model(moment.theta).save(path)
        return Taken(f"{_name(moment)}.safetensors", "application/octet-stream", path.read_bytes())


def _python(moment: Moment) -> Taken:
    return Taken(f"{_name(moment)}.py", "text/x-python; charset=utf-8", python_of(moment).encode())


def _name(moment: Moment) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in moment.experiment.setting.data)


def python_of(moment: Moment) -> str:
    """The Python that repeats the run from its first step."""
    experiment = moment.experiment
    setting = experiment.setting
    data = setting.data
    hint = "" if data in dataset_names() else "  # the table that was handed to the page"
    layers = "\n".join(f"        {_layer(layer)}," for layer in experiment.network.layers)
    optimizer = experiment.training.settings.optimizer
    return f'''\
"""The run of the playground, repeated: {moment.epoch:,} epochs of {data}."""

import chainrule as cr
from chainrule.playground import experiment, setting, tables

chosen = setting.from_link({setting.link()!r})
sources = tables.Sources()
{"" if not hint else f"sources.handed[{data!r}] = tables.read_table({data!r}){hint}"}
run = experiment.make(chosen, sources)
# {optimizer!r}
# [
{layers}
# ]
'''


def _layer(layer: object) -> str:
    return f"cr.{layer!r}" if isinstance(layer, Dense) else repr(layer)


_KINDS: dict[str, Callable[[Moment], Taken]] = {"model": _model, "python": _python}
