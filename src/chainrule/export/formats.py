"""The formats there are: a line for each, and the file of this package that makes it."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.errors import ArgumentError, unknown_name
from chainrule.files import as_path

if TYPE_CHECKING:
    import os

    from chainrule.export.subject import Maker


class Format(NamedTuple):
    """A format.

    Attributes:
        name: as ``to=`` and ``--to`` take it.
        endings: of file names; the first is what a name gets that a person did not choose. One that several formats
            have belongs to the first of them.
        about: one line.
        module: the file that makes it; it has a function `make`, a `Maker`, and is loaded when it is used.
    """

    name: str
    endings: tuple[str, ...]
    about: str
    module: str

    @property
    def make(self) -> Maker:
        """What makes the files of this format."""
        maker: Maker = import_module(self.module).make
        return maker

    @property
    def options(self) -> tuple[str, ...]:
        """The names of its options."""
        parameters = inspect.signature(self.make).parameters.values()
        return tuple(each.name for each in parameters if each.kind is each.KEYWORD_ONLY)

    def check_name(self, name: str) -> None:
        """Raise for the name of a file that other programs would not take for one of this format.

        Raises:
            ArgumentError: that says how it should end.
        """
        suffixes = tuple(dict.fromkeys(f".{ending.rpartition('.')[2]}" for ending in self.endings))
        if not name.lower().endswith(suffixes):
            raise ArgumentError(
                f"{name!r} is no name for a file of the format {self.name}",
                where="export",
                mend=f"End it in {' or '.join(suffixes)}",
            )


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format("onnx", (".onnx",), "a graph for onnxruntime, from raw columns to answers", "chainrule.export.onnx"),
        Format(
            "json", (".json",), "weights and architecture as text, which chainrule.load reads", "chainrule.export.json"
        ),
        Format("c", (".c",), "a source and its header in C99, nothing allocated", "chainrule.export.c"),
        Format("javascript", (".mjs", ".js"), "an ES module for browsers and Node", "chainrule.export.javascript"),
        Format("numpy", (".py", "_numpy.py"), "forward, backward, training in a script", "chainrule.export.numpy"),
        Format("python", ("_python.py",), "the same without NumPy", "chainrule.export.python"),
        Format("torch", ("_torch.py",), "a module of PyTorch, weights beside it", "chainrule.export.torch"),
        Format("keras", ("_keras.py",), "a model of Keras, weights beside it", "chainrule.export.keras"),
    )
}


def chosen(path: str | os.PathLike[str], to: str | None) -> Format:
    """The format that is meant: the one named, or the one whose file names end like this one.

    Raises:
        ArgumentError: when there is none.

    >>> chosen("net.json", None).name
    'json'
    """
    if to is not None:
        if not isinstance(to, str) or to not in FORMATS:
            raise unknown_name("format", to, FORMATS, where="export")
        return FORMATS[to]
    name = str(as_path(path, where="export")).lower()
    fits = {ending: each for each in reversed(FORMATS.values()) for ending in each.endings if name.endswith(ending)}
    if not fits:
        raise ArgumentError(
            f"{name!r} does not say which format is meant",
            where="export",
            mend=f"End it in {', '.join(_endings())}, or name one of the formats {', '.join(FORMATS)}",
        )
    return fits[max(fits, key=len)]


def _endings() -> dict[str, Any]:
    """All endings, each once."""
    return dict.fromkeys(ending for each in FORMATS.values() for ending in each.endings)
