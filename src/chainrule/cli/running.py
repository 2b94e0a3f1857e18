"""From arguments to an exit code: whatever goes wrong becomes one message on standard error."""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
import traceback
from typing import TYPE_CHECKING

from cyclopts.exceptions import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnusedCliTokensError,
)

from chainrule.cli.options import DASH
from chainrule.errors import ArgumentError, ChainruleError, InputError, shown, unknown_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from cyclopts import App

FAILED, WRONG, INTERRUPTED = 1, 2, 130

# What the commands call: its arguments are their options.
_CALLED = {
    *("train", "fit", "trace", "check_gradients", "diagnose", "circuit", "why", "what_if", "export", "serve"),
    *("compare", "report"),
}

_TYPES = {int: "a whole number", float: "a number", bool: "yes or no"}
_KEYWORD = re.compile(r"\b(categories|drop|missing|task)=\[?(['\"])(.*?)\2\]?")


class Stop(Exception):  # noqa: N818 -- an end, not always an error
    """End the command with this exit code, after these words on standard error."""

    def __init__(self, code: int, words: str = "") -> None:
        self.code, self.words = code, words


def run_app(make_app: Callable[[], App], arguments: list[str]) -> int:
    """Run the application; 0, or the exit code of what went wrong."""
    _open_what_is_closed()
    _replace_unprintable()
    debug = "--debug" in arguments
    given = [DASH if argument == "-" else argument for argument in arguments if argument != "--debug"]
    try:
        make_app()(given, print_error=False, exit_on_error=False, verbose=False)
        sys.stdout.flush()
    except BrokenPipeError:
        from chainrule.cli.console import silence

        silence()
    except KeyboardInterrupt:
        return _report("Interrupted; nothing was written.", INTERRUPTED)
    except Stop as stop:
        return _report(stop.words, stop.code) if stop.words else stop.code
    except Exception as fault:  # noqa: BLE001 -- the last place where a fault can become a message
        if debug:
            traceback.print_exc()
        return _report(*_told(fault))
    return 0


def _open_what_is_closed() -> None:
    """Read from and write to nowhere where a standard stream is closed: the next file opened would take its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 -- to the end


def _replace_unprintable() -> None:
    """Where the terminal's alphabet lacks a character write a question mark, and do not fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _report(message: str, code: int) -> int:
    from chainrule.cli.console import errors, say

    sys.stdout.flush()
    say(errors(), message.replace(DASH, "-"), style="red")
    return code


def _told(fault: Exception) -> tuple[str, int]:
    """What to say, and the exit code."""
    if isinstance(fault, CycloptsError):
        return f"Error: {_call(fault)}", WRONG
    if isinstance(fault, ChainruleError):
        return f"Error: {as_options_say(fault)}", WRONG if isinstance(fault, InputError) else FAILED
    if isinstance(fault, MemoryError):
        return "Error: there is not enough memory for this. Use fewer rows or a smaller network.", FAILED
    if isinstance(fault, OSError) and fault.strerror:
        return f"Error: {fault.filename or 'standard output'}: {fault.strerror}", FAILED
    what = " ".join(f"{type(fault).__name__}: {fault}".split())
    return f"Error: {what}. This is a fault of chainrule: run it again with --debug and report what it shows.", FAILED


def as_options_say(fault: ChainruleError) -> str:
    """The message, with keyword arguments as options: ``epochs`` as ``--epochs``, ``drop=['a']`` as ``--drop a``."""
    text = str(fault)
    if isinstance(fault, InputError) and fault.where in _CALLED:
        text = text.removeprefix(f"{fault.where}: ")
        if fault.expected and fault.what.isidentifier():
            text = f"--{fault.what.replace('_', '-')}{text.removeprefix(fault.what)}"
    text = text.replace("max_categories", "--max-categories").replace("clip_norm=1.0 in the optimizer", "--clip-norm 1")
    text = text.replace("approximate_gelu=True", "--approximate-gelu")
    return _KEYWORD.sub(lambda m: f"--{m[1]} {shlex.quote(m[3])}", text)


def _call(fault: CycloptsError) -> str:
    """What is wrong with the arguments."""
    name = fault.argument.name if fault.argument is not None else ""
    name = name if name.startswith("--") else name.upper()
    if isinstance(fault, CoercionError) and fault.token is not None and fault.target_type in _TYPES:
        return str(ArgumentError(name, expected=_TYPES[fault.target_type], got=fault.token.value))
    if isinstance(fault, UnknownCommandError) and fault.app is not None and fault.unused_tokens:
        token = fault.unused_tokens[0]
        kind = "option" if token.startswith("-") else "command"
        names = [name for name in fault.app if name.startswith("-") == (kind == "option")]
        return str(unknown_name(kind, token, names))
    if isinstance(fault, MissingArgumentError):
        return f"{name}: a value is missing" if name.startswith("--") else f"{name} is missing. {_usage(fault)}"
    if isinstance(fault, RepeatArgumentError):
        return f"{fault.token.keyword}: given more than once"
    if isinstance(fault, UnusedCliTokensError) and fault.unused_tokens:
        return f"{shown(fault.unused_tokens[0])} is one argument too many. Options begin with two dashes"
    return str(fault)


def _usage(fault: CycloptsError) -> str:
    return (fault.app.usage or "").partition("\n")[0] if fault.app is not None else ""
