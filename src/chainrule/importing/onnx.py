"""ONNX graphs that are one chain of nodes: multiplications, scalings, norms, activations."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import ArgumentError, FileFormatError, MissingExtraError
from chainrule.importing.imported import ImportedNetwork
from chainrule.importing.onnx_graph import Chain
from chainrule.importing.onnx_nodes import read_steps
from chainrule.importing.steps import Numbers, Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.losses import Loss

_IR = 10  # the format; onnx writes newer ones than onnxruntime reads, which have nothing more for these nodes
_PLACE = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : (?:/\S+:\d+ .*\) )?")
_OLDEST_OPSET = 7  # before, Add and Gemm broadcast in another way


def from_onnx(
    model: Any,
    *,
    loss: str | Loss | None = None,
    X: Any = None,
    approximate_gelu: bool = False,
    output: str | None = None,
    seed: int = 0,
) -> ImportedNetwork:
    """The network of an ONNX graph, predicting the same as onnxruntime does.

    ``MatMul`` and the ``Add`` after it become one dense layer, scalings by constants are folded into the dense layer
    beside them. ``net.report`` tells how far the two networks differ, node by node.

    Args:
        model: the path of a file, or an `onnx.ModelProto`. One input of rows, one output, and between them one chain
            of Gemm, MatMul, Add, Sub, Mul, Div, BatchNormalization, LayerNormalization, Dropout and activations.
        loss: a name or an object of `chainrule.losses`; unless given: what suits the outputs. A graph that ends in
            logits gets softmax under ``"cross_entropy"``, sigmoid under ``"binary_cross_entropy"``.
        X: rows to compare both on, beside random ones.
        approximate_gelu: take the tanh form for a GELU of the other form, from which it differs by 5e-4 at most.
        output: the name of the values to end with, where there are several; unless given, the one output of floats.
        seed: of further training.

    Returns:
        A `Network` with the attribute `report`.

    Raises:
        ArgumentError: for a node that has no counterpart here; names it.
        FileFormatError: for a file that is broken, or cannot be run.
        MissingExtraError: when onnx or onnxruntime is not installed.

    >>> from onnx import TensorProto, helper, numpy_helper
    >>> W = numpy_helper.from_array(np.array([[1.0, -2.0], [0.5, 3.0]], np.float32), "W")
    >>> rows = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", 2]) for name in "XY"]
    >>> nodes = [helper.make_node("MatMul", ["X", "W"], ["Z"]), helper.make_node("Tanh", ["Z"], ["Y"])]
    >>> graph = helper.make_graph(nodes, "small", rows[:1], rows[1:], [W])
    >>> net = from_onnx(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]))
    >>> net.layers[0].activation, net.parameters["dense_1.W"].tolist()
    (Tanh(), [[1.0, -2.0], [0.5, 3.0]])
    """
    onnx = _onnx()
    proto, where = _opened(onnx, model)
    _check_opset(proto, where)
    chain = Chain(onnx, proto.graph, where, output)
    source = Source(
        where=where,
        origin=f"the ONNX graph {proto.graph.name!r}" if proto.graph.name else "an ONNX graph",
        steps=read_steps(chain.path, chain, approximate_gelu=approximate_gelu),
        run=_runner(onnx, proto, chain),
        n_inputs=chain.width,
        notes=tuple(f"The output {name} stays behind." for name in chain.beside),
    )
    return ImportedNetwork.from_source(source, loss=loss, X=X, seed=seed)


def _onnx() -> Any:
    try:
        import onnx
        import onnx.external_data_helper
        import onnx.numpy_helper
        import onnxruntime  # noqa: F401 -- needed to run both; asked for before any work
    except ModuleNotFoundError as fault:
        raise MissingExtraError("from_onnx", library=str(fault.name), extra="onnx") from None
    return onnx


def _opened(onnx: Any, model: Any) -> tuple[Any, str]:
    """The model with all its numbers, and how messages call it.

    Raises:
        ArgumentError: when it is neither a path nor a model.
        FileFormatError: when the file cannot be read.
    """
    if isinstance(model, onnx.ModelProto):
        _check_numbers_inside(onnx, model, "from_onnx")
        return model, "from_onnx"
    if not isinstance(model, str | os.PathLike):
        raise ArgumentError("model", where="from_onnx", expected="a path or an onnx.ModelProto", got=model)
    path = Path(model)
    if not path.is_file():
        raise FileFormatError("there is no such file", where=str(path))
    try:
        proto = onnx.load_model(path, format="protobuf", load_external_data=False)
    except Exception as fault:  # noqa: BLE001 -- whatever a library says of a broken file
        raise FileFormatError(f"this is no ONNX file, or a broken one ({_line(fault)})", where=str(path)) from None
    try:
        onnx.external_data_helper.load_external_data_for_model(proto, str(path.parent))
    except Exception as fault:  # noqa: BLE001 -- likewise: a file that is missing, or lies outside the folder
        raise FileFormatError(f"its numbers lie in another file: {_line(fault)}", where=str(path)) from None
    return proto, str(path)


def _line(fault: Exception) -> str:
    """Its first line, without the place in somebody's C++."""
    lines = _PLACE.sub("", str(fault).strip()).splitlines()
    return lines[0] if lines else type(fault).__name__


def _check_numbers_inside(onnx: Any, proto: Any, where: str) -> None:
    """Raise when numbers of a model in memory lie in a file beside it, which is nowhere."""
    for tensor in proto.graph.initializer:
        if onnx.external_data_helper.uses_external_data(tensor):
            raise ArgumentError(f"the numbers {tensor.name!r} lie in another file", where=where, mend="Give the path.")


def _check_opset(proto: Any, where: str) -> None:
    versions = [opset.version for opset in proto.opset_import if opset.domain in {"", "ai.onnx"}]
    if not versions or not proto.graph.node:
        raise FileFormatError("there is no graph in it", where=where)
    if versions[0] < _OLDEST_OPSET:
        mend = "onnx.version_converter.convert_version makes a newer one."
        expected = f"opset {_OLDEST_OPSET} or later"
        raise FileFormatError("its version", where=where, expected=expected, got=versions[0], mend=mend)


# ---- running it -----------------------------------------------------------------------------------------------------


def _runner(onnx: Any, proto: Any, chain: Chain) -> Callable[[Numbers], list[Numbers | None]]:
    """The values after each node, by onnxruntime, which is asked for them as further outputs."""

    def run(X: Numbers) -> list[Numbers | None]:
        asked = onnx.ModelProto()
        asked.CopyFrom(proto)
        asked.ir_version = min(proto.ir_version, _IR)
        known = {output.name for output in asked.graph.output}
        names = [node.output[0] for node in chain.nodes]
        asked.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in known)
        session = _session(asked, chain.where)
        rows = len(X) if chain.batch is None else chain.batch
        parts = [_run(session, chain, names, X[start : start + rows], rows) for start in range(0, len(X), rows)]
        return [np.concatenate(values)[: len(X)] for values in zip(*parts, strict=True)]

    return run


def _session(proto: Any, where: str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # each node is asked for
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as fault:  # noqa: BLE001 -- it has exceptions of its own for every kind of fault
        raise FileFormatError(f"onnxruntime refuses it: {_line(fault)}", where=where) from None


def _run(session: Any, chain: Chain, names: list[str], X: Numbers, rows: int) -> list[Numbers]:
    """The values for some rows; the last of fewer rows than the graph takes are filled up."""
    filled = np.resize(X, (rows, *X.shape[1:]))
    try:
        values: list[Numbers] = session.run(names, {chain.input: filled})
    except Exception as fault:  # noqa: BLE001 -- as above
        raise FileFormatError(f"onnxruntime cannot run it: {_line(fault)}", where=chain.where) from None
    return values
