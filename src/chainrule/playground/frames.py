"""What the page draws of a moment: numbers of the library, packed for a canvas.

A frame is four bytes, the length of its head; the head as JSON; then the arrays that it names, each at a multiple of
four bytes. Activations come as bytes, 128 for 0, so that a page only looks up colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from chainrule.insight import passes
from chainrule.layers import PREDICTION, Activation, Dense
from chainrule.playground.asks import View
from chainrule.playground.experiment import Experiment
from chainrule.playground.tables import as_batch
from chainrule.report.words import number

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.engines.interface import Data
    from chainrule.insight.passes import Node, Pass
    from chainrule.playground.moment import Moment

UNITS_SHOWN = 10
_NODE = 22  # cells of the heat map of a node, each way
_SURFACE = 64  # of the surface
_BATCH = 256  # rows that gradients are summed over where no row was chosen
_MEAN = 64  # and that activations are averaged over
_TINY = 1e-12
_CENTRED = {"sigmoid": 0.5, "softmax": 0.5}  # activations that are neutral there, and reach as far on both sides


class Packer:
    """Collects arrays for a frame."""

    def __init__(self) -> None:
        self.places: dict[str, tuple[str, tuple[int, ...], int]] = {}
        self._chunks: list[bytes] = []
        self._length = 0

    def add(self, name: str, array: np.ndarray[Any, Any]) -> None:
        """An array of float32 or bytes, by its name."""
        raw = np.ascontiguousarray(array).tobytes()
        raw += b"\0" * (-len(raw) % 4)
        self.places[name] = (str(array.dtype), array.shape, self._length)
        self._chunks.append(raw)
        self._length += len(raw)

    def pack(self, head: dict[str, Any]) -> bytes:
        """The frame."""
        text = msgspec.json.encode({**head, "arrays": self.places})
        text += b" " * (-len(text) % 4)
        return b"".join([len(text).to_bytes(4, "little"), text, *self._chunks])


def read_frame(frame: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """The head and the arrays of a frame: what a page does, for those who have Python."""
    length = int.from_bytes(frame[:4], "little")
    head = msgspec.json.decode(frame[4 : 4 + length])
    body = frame[4 + length :]
    arrays = {}
    for name, (dtype, shape, offset) in head["arrays"].items():
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(body, dtype, count, offset).reshape(shape)
    return head, arrays


@dataclass(eq=False)
class Stage:
    """What does not change from frame to frame, as long as experiment and view are the same."""

    experiment: Experiment
    view: View

    @property
    def pair(self) -> tuple[int, int]:
        """The two inputs along the axes; one twice where there is no other."""
        last = len(self.experiment.rows.axes) - 1
        return min(self.view.x, last), min(self.view.y, last)

    def _grid(self, cells: int) -> Floats:
        """Inputs over the plane of the two, from the upper left row by row; all others at their means."""
        x, y = self.pair
        axes = self.experiment.rows.axes
        across = np.linspace(axes[x].low, axes[x].high, cells)
        down = np.linspace(axes[y].high, axes[y].low, cells)
        X = np.repeat(self.experiment.rows.center[None], cells * cells, axis=0)
        X[:, y] = np.repeat(down, cells)
        X[:, x] = np.tile(across, cells)
        return X.astype(self.experiment.network.dtype)

    @cached_property
    def plane(self) -> Floats:
        """For the heat maps of the nodes."""
        return self._grid(_NODE)

    @cached_property
    def fine_plane(self) -> Floats:
        """For the surface."""
        return self._grid(_SURFACE)

    @cached_property
    def row(self) -> Data | None:
        """The row that was chosen, as a batch."""
        if self.view.row is None:
            return None
        X, t = self.experiment.rows.every()
        if not 0 <= self.view.row < len(X):
            return None
        place = slice(self.view.row, self.view.row + 1)
        return as_batch((X[place], t[place]), self.experiment.network)

    @cached_property
    def batch(self) -> Data:
        """The rows that gradients are summed over."""
        X, t = self.experiment.rows.training
        return as_batch((X[:_BATCH], t[:_BATCH]), self.experiment.network)

    @cached_property
    def shown(self) -> tuple[tuple[int, int], ...]:
        """The first and the number of the units drawn: of the inputs, then of each dense layer."""
        widths = [self.experiment.network.input_shape[0], *(layer.units for layer in self.experiment.shown)]
        windows = []
        for place, width in enumerate(widths):
            first = min(max(self.view.windows.get(str(place), 0), 0), max(width - 1, 0))
            first -= first % UNITS_SHOWN
            windows.append((first, min(UNITS_SHOWN, width - first)))
        return tuple(windows)

    @cached_property
    def value_range(self) -> tuple[float, float]:
        """Between which values of a regression the colours lie, as the network gives them."""
        return self.experiment.rows.target_ends


def draw(moment: Moment, stage: Stage) -> bytes:
    """The frame of a moment."""
    packer = Packer()
    head = {name: getattr(moment, name) for name in ("version", "setup", "state", "words", "taken", "epoch", "step")}
    head |= {
        "kind": "frame",
        "furthest": moment.furthest,
        "shown": stage.shown,
        "heat": [],
        "row": None,
        "batch_row": moment.batch_row,
    }
    with np.errstate(all="ignore"):  # what is not finite is drawn as nothing
        _add_weights(packer, moment, stage)
        if stage.experiment.rows.picture_side:
            _add_pictures(packer, moment, stage)
        else:
            _add_heat(packer, moment, stage, head)
            _add_surface(packer, moment, stage)
        _add_row(packer, moment, stage, head)
        if stage.view.side == "backward":
            _add_gradients(packer, moment, stage, head)
    if moment.finished:
        last = moment.finished[-1].record
        head |= {"loss": _plain(last.loss), "scores": {name: _plain(score) for name, score in last.scores.items()}}
    return packer.pack(head)


def _plain(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _window(stage: Stage, layer: int) -> tuple[slice, slice]:
    """The drawn inputs and units of a dense layer."""
    (i, n), (j, m) = stage.shown[layer], stage.shown[layer + 1]
    return slice(i, i + n), slice(j, j + m)


def _add_weights(packer: Packer, moment: Moment, stage: Stage, prefix: str = "", theta: Floats | None = None) -> None:
    layout = stage.experiment.network.objective.layout
    vector = moment.theta if theta is None else theta
    for k, layer in enumerate(stage.experiment.shown):
        rows, units = _window(stage, k)
        packer.add(f"{prefix}W{k}", layout.view(vector, f"{layer.name}.W")[rows, units].astype(np.float32))
        if layer.bias:
            packer.add(f"{prefix}b{k}", layout.view(vector, f"{layer.name}.b")[units].astype(np.float32))


def _outputs(nodes: list[Node]) -> list[Node]:
    """The node that gives the output of the units of each dense layer: its activation, which may stand apart."""
    found: list[Node] = []
    for node in passes.every(nodes):
        if isinstance(node.spec, Dense) and (not found or found[-1].name != node.name):
            found.append(node)
        elif isinstance(node.layer, Activation) and found:
            found[-1] = node
    return found


def as_bytes(values: Floats, center: Any, scale: Any) -> np.ndarray[Any, Any]:
    """From ``center - scale`` to ``center + scale`` as 1 to 255; 128 for what is not finite."""
    around = np.clip((values - center) * (127 / np.maximum(scale, _TINY)), -127, 127)
    found: np.ndarray[Any, Any] = np.where(np.isnan(around), 128.5, around + 128.5).astype(np.uint8)  # + 0.5: rounded
    return found


def _add_heat(packer: Packer, moment: Moment, stage: Stage, head: dict[str, Any]) -> None:
    """The output of each drawn unit over the plane of two inputs, and of the inputs themselves."""
    objective, X = stage.experiment.network.objective, stage.plane
    first, count = stage.shown[0]
    axes = stage.experiment.rows.axes[first : first + count]
    inputs = np.stack(
        [as_bytes(X[:, first + i], (a.low + a.high) / 2, (a.high - a.low) / 2) for i, a in enumerate(axes)]
    )
    packer.add("heat0", inputs.reshape(count, _NODE, _NODE))
    nodes = _outputs(passes.forward(objective, moment.theta, X, PREDICTION))
    for k, (layer, node) in enumerate(zip(stage.experiment.shown, nodes, strict=True), start=1):
        first, count = stage.shown[k]
        Y = node.Y[:, first : first + count].T
        center = _CENTRED.get(layer.activation, 0.0)
        scale = center or float(np.nanmax(np.abs(Y), initial=_TINY))
        packer.add(f"heat{k}", as_bytes(Y, center, scale).reshape(count, _NODE, _NODE))
        head["heat"].append([center - scale, center + scale])


def _add_pictures(packer: Packer, moment: Moment, stage: Stage) -> None:
    """Of inputs that are a picture: the weights that each drawn unit of the first layer has on it."""
    rows, side = stage.experiment.rows, stage.experiment.rows.picture_side
    first, count = stage.shown[1]
    W = stage.experiment.network.objective.layout.view(moment.theta, f"{stage.experiment.shown[0].name}.W")
    W = W[:, first : first + count].T
    pictures = np.full((count, side * side), 128, np.uint8)
    pictures[:, rows.pixels] = as_bytes(W, 0.0, float(np.abs(W).max()))
    packer.add("picture1", pictures.reshape(count, side, side))
    X = rows.center if stage.row is None else stage.row.X[0]
    picture = np.ones(side * side, np.uint8)
    low, high = rows.ranges
    picture[rows.pixels] = as_bytes(X, (low + high) / 2, (high - low) / 2)
    packer.add("picture0", picture.reshape(side, side))


def _add_surface(packer: Packer, moment: Moment, stage: Stage) -> None:
    """What the network answers over the plane of two inputs: of classes which one and how surely, or the value.

    Of one input it is a curve for each output, from 0 to 1 as the range of the targets, or of probabilities.
    """
    network = stage.experiment.network
    if len(stage.experiment.rows.axes) == 1:
        Y = network.engine_choice.engine.predict(network.objective, moment.theta, stage.fine_plane[:_SURFACE])
        low, high = (0.0, 1.0) if stage.experiment.rows.columns.classes else stage.value_range
        packer.add("line", ((Y.T - low) / max(high - low, _TINY)).astype(np.float32))
        return
    Y = network.engine_choice.engine.predict(network.objective, moment.theta, stage.fine_plane)
    shape = (_SURFACE, _SURFACE)
    if not stage.experiment.rows.columns.classes:
        low, high = stage.value_range
        packer.add("surface", as_bytes(Y[:, 0], (low + high) / 2, (high - low) / 2).reshape(shape))
    elif Y.shape[1] == 1:
        packer.add("surface", as_bytes(Y[:, 0], 0.5, 0.5).reshape(shape))
    else:
        packer.add("winner", Y.argmax(axis=1).astype(np.uint8).reshape(shape))
        packer.add("surface", as_bytes(Y.max(axis=1), 0.5, 0.5).reshape(shape))


def _add_row(packer: Packer, moment: Moment, stage: Stage, head: dict[str, Any]) -> None:
    """The output of each drawn unit for the chosen row; without one, its mean over some training rows."""
    objective = stage.experiment.network.objective
    X = stage.batch.X[:_MEAN] if stage.row is None else stage.row.X
    nodes = _outputs(passes.forward(objective, moment.theta, X, PREDICTION))
    first, count = stage.shown[0]
    packer.add("value0", X[:, first : first + count].mean(axis=0).astype(np.float32))
    for k, node in enumerate(nodes, start=1):
        first, count = stage.shown[k]
        packer.add(f"value{k}", node.Y[:, first : first + count].mean(axis=0).astype(np.float32))
        if node.Y.shape[1] > UNITS_SHOWN:
            mean, center = node.Y.mean(axis=0), _CENTRED.get(stage.experiment.shown[k - 1].activation, 0.0)
            packer.add(f"strip{k}", as_bytes(mean, center, center or float(np.abs(mean).max())))
    if stage.row is not None:
        head |= {"row": stage.view.row, "answer": _answer(stage, nodes[-1].Y[0])}


def _answer(stage: Stage, Y: Floats) -> dict[str, Any]:
    """What the network says of the chosen row, and what stands in the table."""
    columns, t = stage.experiment.rows.columns, stage.experiment.rows.every()[1][stage.view.row]
    if not columns.classes:
        actual, answered = (", ".join(map(number, columns.decode_values(v).ravel())) for v in (t, Y))
        return {"actual": actual, "answered": answered, "shares": None}
    shares = [1 - float(Y[0]), float(Y[0])] if len(Y) == 1 else Y.astype(float).tolist()
    labels = list(map(str, columns.classes))
    finite = [share if np.isfinite(share) else 0.0 for share in shares]
    return {"actual": labels[int(t)], "answered": labels[int(np.argmax(finite))], "shares": finite}


def _add_gradients(packer: Packer, moment: Moment, stage: Stage, head: dict[str, Any]) -> None:
    """The gradient of each drawn weight and the delta of each drawn unit: of the chosen row, or over some rows."""
    objective = stage.experiment.network.objective
    batch = stage.batch if stage.row is None else stage.row
    both: Pass = passes.run(objective, moment.theta, batch, PREDICTION)
    _, gradient = objective.value_and_gradient(moment.theta, *batch, PREDICTION)
    _add_weights(packer, moment, stage, "d", gradient)
    products = [node for node in both.every_node() if isinstance(node.layer, Dense)]
    for k, node in enumerate(products, start=1):
        first, count = stage.shown[k]
        packer.add(f"delta{k}", node.dY[:, first : first + count].sum(axis=0).astype(np.float32))
    head["rows"] = len(batch.X)
