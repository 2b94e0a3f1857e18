"""A graph under construction: nodes and constants with names that nothing else has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from chainrule._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

OPSET, OPSET_ML, IR = 17, 3, 8
"""Read by onnxruntime 1.12 (2022) and later, and by whatever is as old."""

_TEXT = np.dtype(np.str_)


class Graph:
    """Nodes, constants, inputs and outputs; a value is spoken of by its name.

    Attributes:
        dtype: of the network's numbers.
        nodes: so far, in their order.
        constants: likewise.
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._taken: set[str] = set()

    def fresh(self, name: str) -> str:
        """The name, or one like it that nothing has yet."""
        found, count = name, 1
        while found in self._taken:
            count += 1
            found = f"{name}_{count}"
        self._taken.add(found)
        return found

    def input(self, name: str, kind: Any, width: int) -> str:
        """An input ``(N, width)`` of any number N of rows."""
        self._inputs.append(helper.make_tensor_value_info(self.fresh(name), element(kind), ["N", width]))
        return name

    def output(self, value: str, name: str, kind: Any, *shape: int) -> None:
        """Give a value ``(N, *shape)`` out under this name, or one like it."""
        own = self.fresh(name)
        self.nodes.append(helper.make_node("Identity", [value], [own], name=self.fresh(f"{name}/Identity")))
        self._outputs.append(helper.make_tensor_value_info(own, element(kind), ["N", *shape]))

    def constant(self, name: str, values: npt.ArrayLike, kind: Any = None) -> str:
        """A constant; numbers are of the network's type unless another `kind` is named."""
        array = np.asarray(values, dtype=self.dtype if kind is None else kind)
        own = self.fresh(name)
        if array.dtype.kind == "U":
            array = array.astype(object)  # as ONNX's helper takes text
        self.constants.append(numpy_helper.from_array(array, own))
        return own

    def node(self, operator: str, *inputs: str, at: str, domain: str = "", **attributes: Any) -> str:
        """An operator on values; its output, named after the place `at` and itself."""
        name = self.fresh(f"{at}/{operator}")
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, domain=domain, **attributes))
        return name

    def calculate(self, operator: str, left: str, right: str | float, *, at: str) -> str:
        """An operator on a value and a value or number of the network's type."""
        if not isinstance(right, str):
            right = self.constant(f"{at}/number", right)
        return self.node(operator, left, right, at=at)

    def cast(self, value: str, kind: Any, *, at: str) -> str:
        """The value in another type."""
        return self.node("Cast", value, at=at, to=element(kind))

    def model(self, name: str, *, about: str, metadata: Mapping[str, str]) -> onnx.ModelProto:
        """The whole, as a file holds it."""
        graph = helper.make_graph(self.nodes, name, self._inputs, self._outputs, self.constants)
        domains = {"": OPSET, "ai.onnx.ml": OPSET_ML}
        used = {node.domain for node in self.nodes}
        model = helper.make_model(
            graph,
            opset_imports=[
                helper.make_opsetid(domain, version) for domain, version in domains.items() if domain in used
            ],
            ir_version=IR,
            producer_name="chainrule",
            producer_version=__version__,
            doc_string=about,
        )
        helper.set_model_props(model, dict(metadata))
        return model


def element(kind: Any) -> int:
    """ONNX's number for a NumPy type; text for `str`."""
    dtype = np.dtype(kind)
    if dtype.kind == _TEXT.kind:
        return int(onnx.TensorProto.STRING)
    return int(helper.np_dtype_to_tensor_dtype(dtype))
