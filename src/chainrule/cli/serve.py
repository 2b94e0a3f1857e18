"""``chainrule serve``: answers over HTTP."""

from __future__ import annotations

import dataclasses
import os
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Group, Parameter

from chainrule import checks
from chainrule.cli.console import facts, output, plural, say, write_json
from chainrule.cli.options import GROUPS, as_options, given
from chainrule.errors import MissingExtraError
from chainrule.serving.limits import Limits

if TYPE_CHECKING:
    from chainrule.model import Model
    from chainrule.network import Network

_WHERE = Group("Where", sort_key=1)
GROUPS.setdefault("Limits", Group("Limits", sort_key=2))
_METAVARS = {"max_body": "BYTES", "timeout": "SECONDS"}
_EXAMPLES = """\
Examples:
  chainrule serve flowers.safetensors
  curl http://127.0.0.1:8000/predict -H 'content-type: text/csv' --data-binary @new.csv
  chainrule serve flowers.safetensors --port 0 --max-rows 100 --json"""

if TYPE_CHECKING:
    LimitOptions = Any
else:
    LimitOptions = dataclasses.make_dataclass(
        "LimitOptions",
        as_options(Limits, dict.fromkeys((field.name for field in dataclasses.fields(Limits)), "Limits"), _METAVARS),
        frozen=True,
        kw_only=True,
        namespace={"__module__": __name__},
    )

app = App(name="serve", usage="Usage: chainrule serve MODEL [OPTIONS]", help_epilogue=_EXAMPLES)


@app.default
def serve(
    model: Annotated[str, Parameter(group=GROUPS["Data"], help="A model file, of a table or of a network alone.")],
    /,
    *,
    host: Annotated[
        str, Parameter(group=_WHERE, metavar="ADDRESS", help="The address to listen at; 0.0.0.0 for the whole network.")
    ] = "127.0.0.1",
    port: Annotated[int, Parameter(group=_WHERE, metavar="N", help="0 takes one that is free.")] = 8000,
    allow_host: Annotated[
        tuple[str, ...],
        Parameter(
            group=_WHERE,
            metavar="NAMES",
            negative=(),
            show_default=False,
            help="Names by which requests may call the server, beside its address: that of a proxy before it.",
        ),
    ] = (),
    workers: Annotated[
        int, Parameter(group=_WHERE, metavar="N", help="Processes that answer; the limits are those of each.")
    ] = 1,
    limits: Annotated[LimitOptions, Parameter(name="*")] = None,
    log: Annotated[
        bool,
        Parameter(
            group=GROUPS["Output"], negative=(), show_default=False, help="Tell each answer: who, what, status, time."
        ),
    ] = False,
    json: Annotated[
        bool,
        Parameter(
            group=GROUPS["Output"], negative=(), show_default=False, help="Tell programs: one JSON object a line."
        ),
    ] = False,
) -> None:
    """Serve until Ctrl-C; see `app` for the words that a person reads."""
    if missing := [library for library in ("starlette", "uvicorn", "httptools") if find_spec(library) is None]:
        raise MissingExtraError("chainrule serve", library=", ".join(missing), extra="serve")
    chosen = Limits(**given(limits))
    checks.whole(workers, "workers", where="serve")
    from chainrule.model import load
    from chainrule.serving import server

    opened = load(model)
    listener = server.listen(host, port)
    tell = _tell_json if json else _tell
    server.serve(
        opened,
        listener,
        name=Path(model).stem,
        limits=chosen,
        hosts=server.hosts_of(listener, host, allow_host),
        ready=lambda: tell(model, opened, server.url(listener), alone=server.is_loopback(listener)),
        log=None if not log else "json" if json else "text",
        workers=workers,
    )
    if json:
        write_json({"event": "end"})
    else:
        say(output(), "Stopped.")


def _tell(path: str, model: Model | Network, url: str, *, alone: bool) -> None:
    """Where it is, and what to do there."""
    from chainrule.model import Model

    console = output()
    say(console, f"{path}: {_what(model)}", style="bold")
    table = isinstance(model, Model)
    kind, data = ("text/csv", "--data-binary @new.csv") if table else ("application/json", "-d '[[0.1, 0.2]]'")
    example = f"curl {url}/predict -H {shlex.quote(f'content-type: {kind}')} {data}"
    who = "this machine alone" if alone else "everybody who reaches this machine: put a proxy with a password before it"
    facts(console, [("serving at", url), ("reached by", who), ("try", example), ("stop", "Ctrl-C")])


def _tell_json(path: str, model: Model | Network, url: str, *, alone: bool) -> None:
    write_json(
        {"event": "ready", "model": path, "serves": _what(model), "url": url, "loopback": alone, "pid": os.getpid()}
    )


def _what(model: Model | Network) -> str:
    """What is predicted from what."""
    from chainrule.model import Model

    if isinstance(model, Model):
        columns = model.columns
        return f"{columns.task} of {columns.target.name} from {plural(len(columns.features), 'column')}"
    return f"a network of {plural(model.input_shape[0], 'input')}"
