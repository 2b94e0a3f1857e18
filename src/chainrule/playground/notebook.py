"""`net.view()` and `model.view()`: the playground in a notebook, by anywidget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import ArgumentError, MissingExtraError

try:
    import anywidget
    import traitlets
except ImportError as fault:
    raise MissingExtraError("A view in a notebook", library=str(fault.name), extra="notebook") from None

from chainrule.model import Model
from chainrule.playground.experiment import make
from chainrule.playground.given import given_rows
from chainrule.playground.models import begun_with
from chainrule.playground.room import Room
from chainrule.playground.setting import adjusted
from chainrule.playground.standalone import document, widget
from chainrule.playground.tables import Sources
from chainrule.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.network import Network
    from chainrule.playground.experiment import Experiment
    from chainrule.playground.setting import Setting
    from chainrule.playground.tables import Begun

_DATA = "data"
_WHERE = "view"


class View(anywidget.AnyWidget):
    """The page in the output of a cell: a network of its own trains in it.

    Attributes:
        height: of the frame in pixels; its lower edge can be drawn.
    """

    _esm = widget()
    height = traitlets.Int(760).tag(sync=True)

    def __init__(self, sources: Sources, setting: Setting, *, height: int = 760) -> None:
        super().__init__(height=height)
        self._room = Room(sources, setting, self._tell)
        self.on_msg(self._hear)

    @property
    def model(self) -> Model:
        """As the training in the page stands now, with its columns: predict with it, save it."""
        moment = self._room.moment()
        return moment.experiment.model(moment.theta)

    @property
    def network(self) -> Network:
        """As the training in the page stands now; it answers with labels."""
        model = self.model
        if model.columns.classes:
            model.network.classes = np.asarray(model.columns.classes)
        return model.network

    def close(self) -> None:
        """End the training, and the view."""
        self.send({"kind": "closed"})
        self._room.close()
        super().close()

    def _tell(self, text: str | None, content: bytes | None) -> None:
        self.send({"kind": "told", "text": text}, None if content is None else [content])

    def _hear(self, _: View, content: dict[str, Any], buffers: Sequence[Any]) -> None:
        match content.get("kind"):
            case "open":
                self.send({"kind": "document", "text": document()})
            case "attend":
                self._room.attend()
            case "leave":
                self._room.leave()
            case "asked":
                self._room.ask(str(content.get("text", "")), bytes(buffers[0]) if buffers else b"")


def view(
    of: Network | Model,
    X: Any = None,
    y: Any = None,
    *,
    names: Sequence[str] | None = None,
    height: int = 760,
    **options: Any,
) -> View:
    """See `Network.view` and `Model.view`.

    Args:
        of: what is looked at; it stays as it is, a copy trains.
        X: inputs ``(N, I)`` of a network; the table of a model.
        y: targets of a network.
        names: of the inputs.
        height: of the frame in pixels.
        options: fields of the setting: ``lr``, ``optimizer``, ``batch_size``, ...

    Raises:
        InputError: when rows are missing or do not fit, or the page has no cards for the network.
    """
    network = of.network if isinstance(of, Model) else of
    if isinstance(of, Model) and X is not None:
        frame = read_table(X)
        begun = begun_with(of, _DATA)
    else:
        names = of.columns.feature_names if isinstance(of, Model) else names
        X, y = _last_rows(network) if X is None else (X, y)
        frame, begun = given_rows(network, X, y, names, data=_DATA)
    sources = Sources({_DATA: frame}, begun)
    setting = adjusted(begun.setting, options)
    _check_same(network, make(setting, sources), begun)
    return View(sources, setting, height=height)


def _last_rows(network: Network) -> tuple[Any, Any]:
    """Those that the network was trained on last."""
    trained = None if network.history is None else network.history.trained
    if trained is None:
        raise ArgumentError(
            "there are no rows to look at it with", where=_WHERE,
            mend="Give rows, net.view(X, y) or model.view(DATA), or train it in this notebook",
        )  # fmt: skip
    X, T = np.asarray(trained.data.X), np.asarray(trained.data.T)
    if trained.classes is None:
        return X, T
    places = T.argmax(axis=1) if T.shape[1] > 1 else (T[:, 0] > 0.5).astype(int)
    return X, np.asarray(trained.classes)[places]


def _check_same(network: Network, made: Experiment, begun: Begun) -> None:
    """Raise where the page would show another network than it was asked for.

    Raises:
        ArgumentError: when it has no cards for a part of it.
    """
    X = made.rows.training[0][:8]
    if made.setting.needs_restart(begun.setting):  # asked for with other layers
        return
    if not np.allclose(made.network.forward(X), network.forward(X), rtol=1e-4, atol=1e-6):
        raise ArgumentError(f"the page has no cards for {network!r}", where=_WHERE, mend="Ask its numbers with trace")
