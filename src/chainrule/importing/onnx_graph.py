"""An ONNX graph as one chain of nodes from its input to its output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import ArgumentError, FileFormatError
from chainrule.importing.onnx_paths import Walk, flat, without_others

if TYPE_CHECKING:
    from chainrule.importing.steps import Numbers


_MOST_ROWS = 1 << 14  # that a graph takes at a time: they are filled up, and a file may say any number
_ONE_INPUT = (
    "A graph of one input, the rows, is supported; of a model of chainrule export the network: --network-only, "
    "network_only=True."
)


def _may_hold_floats(kind: Any) -> bool:
    """Whether an output of this type holds floats, or does not tell."""
    form = kind.WhichOneof("value")
    return form is None or (form == "tensor_type" and kind.tensor_type.elem_type in {0, 1, 11})


class Chain:
    """The nodes of a graph in the order in which rows pass them.

    Where it branches and the nodes together are one layer (see `onnx_knots`), `nodes` has the last of them, and `knots`
    knows all.

    Attributes:
        where: the file or function, for messages.
        path: from the input on, shortcuts with the nodes beside them; constants are not among them.
        nodes: all of them in one row, those beside a shortcut before its end.
        input: its name.
        width: I, or None where the graph does not tell it.
        batch: the rows that it takes at a time; None for any number.
        beside: the outputs that stay behind.
        knots: the nodes that are one layer together, by the output of the last.

    Raises:
        ArgumentError: when the graph is no chain.
        FileFormatError: when its numbers are broken.
    """

    def __init__(self, onnx: Any, graph: Any, where: str, output: str | None = None) -> None:
        self.where, self._onnx = where, onnx
        self._constants: dict[str, Numbers] = {}
        self.nodes: list[Any] = []
        self._check_names(graph)
        if graph.sparse_initializer:
            raise ArgumentError("sparse numbers are not supported", where=where)
        for tensor in graph.initializer:
            self._constants[tensor.name] = self._array(tensor, tensor.name)
        computing = [node for node in graph.node if not self._is_constant(node)]
        self.input, self.batch, self.width = self._read_input(graph)
        end, self.beside = self._choose_output(graph, output)
        walk = Walk(without_others(computing, end, self.beside), self._constants, where, self.title)
        self.path = walk.between(self.input, end, self.width)
        self.knots, self.nodes = walk.knots, list(flat(self.path))

    def attributes(self, node: Any) -> dict[str, Any]:
        """The attributes of a node by name."""
        return {a.name: self._onnx.helper.get_attribute_value(a) for a in node.attribute}

    def constant(self, name: str) -> Numbers | None:
        """The numbers of this name; None where they are computed from the rows, or missing."""
        return self._constants.get(name)

    def title(self, node: Any) -> str:
        """How messages name a node: ``"node 3, Gemm '/fc1/Gemm'"``, with its place as soon as that is known."""
        place = next((f"node {place}, " for place, known in enumerate(self.nodes) if known is node), "")
        return f"{place}{self.kind(node)}" + (f" {node.name!r}" if node.name else "")

    def kind(self, node: Any) -> str:
        """The operator, with its domain where that is not ONNX's own."""
        return str(node.op_type) if node.domain in {"", "ai.onnx"} else f"{node.domain}::{node.op_type}"

    # ---- constants --------------------------------------------------------------------------------------------------

    def _array(self, tensor: Any, name: str) -> Numbers:
        """The numbers of a tensor, as many as its shape says and no more."""
        try:
            return np.asarray(self._onnx.numpy_helper.to_array(tensor))
        except Exception as fault:  # noqa: BLE001 -- a library's words for broken bytes
            why = " ".join(str(fault).split())
            raise FileFormatError(f"the numbers {name!r} are broken: {why}", where=self.where) from None

    def _check_names(self, graph: Any) -> None:
        """Raise for names that are no text, which come as bytes, and for nodes that give nothing."""
        named = [
            *graph.initializer,
            *graph.input,
            *graph.output,
            *graph.node,
            *(a for n in graph.node for a in n.attribute),
        ]
        names = [each.name for each in named]
        for node in graph.node:
            names += [node.op_type, node.domain, *node.input, *node.output]
            if not node.output or not node.output[0]:
                raise FileFormatError("there is a node that gives nothing", where=self.where)
        if any(isinstance(name, bytes) for name in names):
            raise FileFormatError("there are names that are no text", where=self.where)

    def _is_constant(self, node: Any) -> bool:
        """Whether a node computes from numbers alone; then what it gives is kept with them."""
        if self.kind(node) == "Constant":
            given = self.attributes(node)
            if "value" in given:
                self._constants[node.output[0]] = self._array(given["value"], node.output[0])
            elif set(given) & {"value_float", "value_floats", "value_int", "value_ints"}:
                (value,) = given.values()
                self._constants[node.output[0]] = np.asarray(value)
            return True
        values = [self._constants.get(name) for name in node.input if name]
        if not values or any(value is None for value in values):
            return False
        if self.kind(node) == "Identity":
            self._constants[node.output[0]] = values[0]  # type: ignore[assignment] # none is None
        elif self.kind(node) == "Transpose":
            order = self.attributes(node).get("perm")
            self._constants[node.output[0]] = np.transpose(values[0], order)  # type: ignore[arg-type] # likewise
        else:
            return False
        return True

    # ---- the chain --------------------------------------------------------------------------------------------------

    def _read_input(self, graph: Any) -> tuple[str, int | None, int | None]:
        """Name, rows at a time and width of the one input."""
        inputs = [value for value in graph.input if value.name not in self._constants]
        if len(inputs) != 1:
            got = ", ".join(value.name for value in inputs) or "none"
            raise ArgumentError(f"its inputs are {got}", where=self.where, mend=_ONE_INPUT)
        kind = inputs[0].type.tensor_type
        sizes = [int(d.dim_value) if d.HasField("dim_value") else None for d in kind.shape.dim]
        if kind.HasField("shape") and len(sizes) != 2:
            raise ArgumentError(f"input {inputs[0].name!r}", where=self.where, expected="rows (B, I)", got=tuple(sizes))
        batch, width = sizes or (None, None)
        if any(size is not None and size < 1 for size in (batch, width)):
            raise ArgumentError(f"input {inputs[0].name!r}", where=self.where, expected="rows (B, I)", got=tuple(sizes))
        if batch is not None and batch > _MOST_ROWS:
            expected = f"at most {_MOST_ROWS:,} rows at a time, or any number"
            raise ArgumentError(f"input {inputs[0].name!r}", where=self.where, expected=expected, got=batch)
        return inputs[0].name, batch, width

    def _choose_output(self, graph: Any, asked: str | None) -> tuple[str, tuple[str, ...]]:
        """The output, and those that stay behind: labels beside probabilities, as converters of classifiers give."""
        outputs = [str(value.name) for value in graph.output]
        if asked is not None:
            if asked not in {name for node in graph.node for name in node.output}:
                raise ArgumentError(f"output: no node gives {asked!r}", where=self.where, mend=self._listed(outputs))
            return asked, tuple(name for name in outputs if name != asked)
        floats = [str(value.name) for value in graph.output if _may_hold_floats(value.type)]
        zipped = [node for node in graph.node if self.kind(node) == "ai.onnx.ml::ZipMap"]  # probabilities by label
        if not floats and len(zipped) == 1 and zipped[0].input:
            return str(zipped[0].input[0]), tuple(outputs)
        if len(outputs) == 1 or len(floats) == 1:
            chosen = outputs[0] if len(outputs) == 1 else floats[0]
            return chosen, tuple(name for name in outputs if name != chosen)
        mend = f"One alone can be imported; in Python, output=NAME says which. {self._listed(outputs)}"
        raise ArgumentError("it has several outputs" if outputs else "it has no output", where=self.where, mend=mend)

    @staticmethod
    def _listed(names: list[str]) -> str:
        return f"Its outputs are: {', '.join(names) or 'none'}."
