"""What can go wrong, as a tree of exceptions.

::

    ChainruleError
    ├── InputError (ValueError)          what a person gave is wrong: exit code 2
    │   ├── ArgumentError                an argument or option: unknown name, out of range, wrong type
    │   ├── ShapeError                   arrays that do not fit together
    │   ├── DataError                    a table or file of data: names file, row and column
    │   └── FileFormatError              a model or checkpoint file that cannot be trusted
    ├── DivergenceError (ArithmeticError) NaN or Inf in training: names epoch, step and layer
    ├── NotFittedError (AttributeError)  a network was asked for what only training gives
    ├── StorageError (OSError)           a file could not be written
    ├── ExportError (ArithmeticError)    an exported network does not compute what the network computes
    └── MissingExtraError (ImportError)  an optional library is not installed

Every message answers, as far as it applies: where, which argument, what was expected, what came, how to mend it.
Codes and frameworks may rely on the classes; the words may improve from version to version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_NOT_SAID = object()
_SHOWN = 80  # characters of a person's value that a message repeats


class ChainruleError(Exception):
    """The root: `except chainrule.ChainruleError` catches whatever this library raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        """As a process hands it to another: the message and the attributes, whatever the constructor takes."""
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[ChainruleError], args: tuple[Any, ...], attributes: dict[str, Any]) -> ChainruleError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


class InputError(ChainruleError, ValueError):
    """What a person gave is wrong.

    Args:
        what: the sentence that says what is wrong, or the subject alone when `expected` follows.
        where: the function, file or layer that noticed.
        expected: what would have been right.
        got: what came; shown by `repr`, shortened.
        mend: what to do about it, as a sentence.

    >>> print(ArgumentError("units", where="Dense", expected="a whole number >= 1", got=-3))
    Dense: units: expected a whole number >= 1, got -3
    """

    def __init__(
        self, what: str, *, where: str = "", expected: str = "", got: object = _NOT_SAID, mend: str = ""
    ) -> None:
        self.what, self.where, self.expected, self.mend = what, where, expected, mend
        self.got = None if got is _NOT_SAID else got
        text = f"{where}: {what}" if where else what
        if expected:
            text += f": expected {expected}"
            if got is not _NOT_SAID:
                text += f", got {shown(got)}"
        if mend:
            text += f". {mend}"
        super().__init__(text)


class ArgumentError(InputError):
    """An argument or option has an unknown name, a wrong type or a value out of range."""


class ShapeError(InputError):
    """Arrays do not fit together; nothing is broadcast silently."""


class DataError(InputError):
    """A table cannot be used as it is.

    Attributes:
        row: where one value alone is wrong, its row, 1 for the first, else None.
        column: its column, or None.
    """

    row: int | None = None
    column: str | None = None

    def at(self, row: int, column: str) -> DataError:
        """The same error, with the place of the value."""
        self.row, self.column = row, column
        return self


class FileFormatError(InputError):
    """A model or checkpoint file is broken, of another format, of a newer version, or was tampered with."""


class DivergenceError(ChainruleError, ArithmeticError):
    """NaN or Inf appeared in training; the weights are those of before.

    Attributes:
        epoch: 1 for the first.
        step: the step of gradient descent over the whole run, 1 for the first.
        place: the layer or quantity in which the first number that is not finite stood.
    """

    def __init__(self, *, epoch: int, step: int, place: str, mend: str) -> None:
        self.epoch, self.step, self.place, self.mend = epoch, step, place, mend
        super().__init__(f"training diverged in epoch {epoch}, step {step}: {place} is not finite. {mend}")


class NotFittedError(ChainruleError, AttributeError):
    """A network without weights was asked for something that needs them."""


class StorageError(ChainruleError, OSError):
    """A file could not be written; what stood there before still stands."""


class ExportError(ChainruleError, ArithmeticError):
    """An exported network does not compute what the network computes; nothing was written."""


class MissingExtraError(ChainruleError, ImportError):
    """An optional library is not installed.

    >>> print(MissingExtraError("L-BFGS", library="scipy", extra="lbfgs"))
    L-BFGS needs scipy, which is not installed: pip install 'chainrule[lbfgs]'
    """

    def __init__(self, what: str, *, library: str, extra: str) -> None:
        super().__init__(f"{what} needs {library}, which is not installed: pip install 'chainrule[{extra}]'")


def shown(value: object) -> str:
    """The value as a message repeats it: its `repr`, shortened to a line."""
    if isinstance(value, str | bytes | list | tuple):  # as many as fill the line: a table in lists would take seconds
        value = value[:_SHOWN]
    try:
        text = " ".join(repr(value).split())
    except Exception:  # noqa: BLE001 -- a person's own class may raise anything; the message must not
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def did_you_mean(name: str, options: Iterable[str]) -> str:
    """A sentence that names the closest option, and all of them when they are few.

    >>> did_you_mean("sigmod", ["relu", "sigmoid", "tanh"])
    "Did you mean 'sigmoid'? There are: relu, sigmoid, tanh."
    """
    import difflib  # only for a message: not every import of this library waits for it

    names = list(options)
    lower = {str(n).lower(): str(n) for n in names}
    close = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    listed = f"There are: {', '.join(map(str, names[:30]))}{', …' if len(names) > 30 else ''}."
    return f"Did you mean {lower[close[0]]!r}? {listed}" if close else listed


def unknown_name(kind: str, name: object, options: Iterable[str], *, where: str = "") -> ArgumentError:
    """The error for a name that is none of the options.

    >>> print(unknown_name("activation", "sigmod", ["relu", "sigmoid"], where="Dense"))
    Dense: there is no activation 'sigmod'. Did you mean 'sigmoid'? There are: relu, sigmoid.
    """
    meant = did_you_mean(name if isinstance(name, str) else "", options)
    return ArgumentError(f"there is no {kind} {shown(name)}", where=where, got=name, mend=meant)
