"""``chainrule play``: the playground, in a browser."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from chainrule.cli.console import output, say
from chainrule.cli.models import open_model
from chainrule.cli.options import GROUPS
from chainrule.cli.plan import ENDING
from chainrule.cli.running import FAILED, Stop
from chainrule.errors import ArgumentError

if TYPE_CHECKING:
    import polars as pl

    from chainrule.playground.setting import Setting
    from chainrule.playground.tables import Begun

_DATA, _OUTPUT = GROUPS["Data"], GROUPS["Output"]
_HOST = "127.0.0.1"

app = App(
    name="play",
    usage="Usage: chainrule play [DATA | MODEL DATA] [OPTIONS]",
    help_epilogue="""\
Examples:
  chainrule play
  chainrule play flowers.csv --target species
  chainrule play flowers.safetensors flowers.csv
  chainrule play digits --no-browser --port 8700

The page is served to this machine alone, to whoever has the token in the
address that is printed. Ctrl-C ends it.""",
)


@app.default
def play(
    data: Annotated[
        str | None,
        Parameter(
            group=_DATA, help="A CSV, TSV or Parquet file, a built-in table (see chainrule data), or a model file."
        ),
    ] = None,
    table: Annotated[str | None, Parameter(group=_DATA, help="After a model: the table to see it at work on.")] = None,
    /,
    *,
    target: Annotated[str | None, Parameter(group=_DATA, metavar="COLUMN", help="The column to predict.")] = None,
    port: Annotated[int, Parameter(group=_OUTPUT, metavar="N", help="Of the server; 0: one that is free.")] = 8700,
    token: Annotated[
        str | None, Parameter(group=_OUTPUT, metavar="TEXT", help="That lets in; unless given, a new one.")
    ] = None,
    browser: Annotated[
        bool, Parameter(group=_OUTPUT, negative="--no-browser", show_default=False, help="Open the page in a browser.")
    ] = True,
) -> None:
    """Serve the playground; see `app` for the words that a person reads."""
    if not 0 <= port < 1 << 16:
        raise ArgumentError("--port", expected="a whole number from 0 to 65535", got=port)
    if token is not None and len(token) < 8:
        raise ArgumentError("--token", expected="8 characters or more", got=token)
    from chainrule.playground.gate import new_token
    from chainrule.playground.server import make_app, serve
    from chainrule.playground.tables import Sources, read_rows

    begun = None
    if data is not None and data.endswith(ENDING):
        setting, handed, begun = _with_model(data, table)
    elif table is not None:
        raise ArgumentError(f"after {data!r} stands {table!r}", mend="A table alone, or a model and then its table")
    else:
        setting, handed = _with_table(data, target)
    read_rows(setting, Sources(handed, begun))
    free = _free_port(port)
    secret = token or new_token()
    address = f"http://{_HOST}:{free}/?token={secret}"
    application = make_app(setting, handed, begun, token=secret, port=free)
    say(output(), f"The playground is at\n  {address}\nCtrl-C ends it.")
    if browser:
        _open_soon(address)
    serve(application, host=_HOST, port=free)


def _with_table(data: str | None, target: str | None) -> tuple[Setting, dict[str, pl.DataFrame]]:
    """The setting to begin with, and the table that was handed over."""
    from chainrule.playground.setting import Setting
    from chainrule.tables import dataset_names, read_table

    if data is None:
        return Setting(target=target), {}
    if data in dataset_names():
        return Setting(data=data, target=target), {}
    name = Path(data).name if data != "-" else "table"
    return Setting(data=name, target=target), {name: read_table(data)}


def _with_model(path: str, data: str | None) -> tuple[Setting, dict[str, pl.DataFrame], Begun]:
    """A model, and the table that it goes on with."""
    from chainrule.playground.models import begun_with

    if data is None:
        raise ArgumentError(
            "the model needs a table to be seen at work", mend=f"Try: chainrule play {shlex.quote(path)} DATA"
        )
    model = open_model(path, data, command="play")
    setting, handed = _with_table(data, None)
    begun = begun_with(model, setting.data)
    return begun.setting, handed, begun


def _free_port(port: int) -> int:
    """The port, if it is free, or the next one that is; of 0 any."""
    import socket

    for candidate in [port] if port == 0 else range(port, min(port + 20, 1 << 16)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, candidate))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise Stop(FAILED, f"Error: the ports {port} to {port + 19} are all taken. Name another: --port 9000")


def _open_soon(address: str) -> None:
    """Open the browser once the server answers."""
    import threading
    import webbrowser

    timer = threading.Timer(0.8, webbrowser.open, [address])
    timer.daemon = True
    timer.start()
