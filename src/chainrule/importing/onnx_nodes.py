"""A rule for each kind of ONNX node: what it becomes here."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.activations import ELU, GELU, SELU, LeakyReLU
from chainrule.errors import ArgumentError, InputError
from chainrule.importing.onnx_paths import Shortcut
from chainrule.importing.steps import (
    EXACT_GELU,
    LOGARITHM,
    Affine,
    Numbers,
    Step,
    check_gelu,
    checked,
    reading,
    unsupported,
)
from chainrule.layers import Activation, BatchNorm, Dense, Dropout, LayerNorm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from chainrule.importing.onnx_graph import Chain
    from chainrule.importing.onnx_knots import Knot
    from chainrule.layers import AnyLayer


class Node(NamedTuple):
    """A node with what its rule asks for.

    Attributes:
        kind: its operator.
        given: its attributes.
        inputs: its numbers, in the order of its inputs; None for the rows, and for what is left out.
        names: of its inputs.
    """

    kind: str
    given: dict[str, Any]
    inputs: list[Numbers | None]
    names: list[str]

    def constants(self, *places: int) -> list[Numbers]:
        """The numbers at these places.

        Raises:
            ArgumentError: where one is computed from the rows, or left out.
        """
        found = [self.inputs[place] if place < len(self.inputs) else None for place in places]
        for place, values in zip(places, found, strict=True):
            if values is None:
                name = self.names[place] if place < len(self.names) else "nothing"
                raise ArgumentError(f"input {place}", expected="numbers that stand in the graph", got=name)
        return [values for values in found if values is not None]

    @property
    def floats(self) -> type[np.floating[Any]]:
        """The type of the numbers that its constants have, for those that are left out."""
        found = [values.dtype.type for values in self.inputs if values is not None and values.dtype.kind == "f"]
        return found[0] if found else np.float32


class Read(NamedTuple):
    """What a node becomes, its arrays, and whether that is another form of it."""

    becomes: AnyLayer | Affine | None = None
    arrays: Mapping[str, Numbers] = MappingProxyType({})
    approximates: bool = False


def read_steps(path: Iterable[Any], chain: Chain, *, approximate_gelu: bool) -> tuple[Step, ...]:
    """The steps that the nodes of a path are.

    Raises:
        InputError: when one has no counterpart here; names it.
    """
    return tuple(
        _read_shortcut(each, chain, approximate_gelu=approximate_gelu)
        if isinstance(each, Shortcut)
        else _read_step(each, chain, approximate_gelu=approximate_gelu)
        for each in path
    )


def _read_shortcut(shortcut: Shortcut, chain: Chain, *, approximate_gelu: bool) -> Step:
    inside = read_steps(shortcut.inside, chain, approximate_gelu=approximate_gelu)
    return Step(name=_name(shortcut.add, "Add"), inside=inside)


def _name(proto: Any, kind: str) -> str:
    """How the report calls a node."""
    return f"{kind} {proto.name}" if proto.name and kind not in proto.name else proto.name or kind


def _read_step(proto: Any, chain: Chain, *, approximate_gelu: bool) -> Step:
    kind, title = chain.kind(proto), chain.title(proto)
    if proto.output[0] in chain.knots:
        return _knot_step(chain.knots[proto.output[0]], title, chain, approximate_gelu=approximate_gelu)
    if kind not in RULES:
        raise unsupported(title, chain.where, RULES)
    node = Node(kind, chain.attributes(proto), [chain.constant(name) for name in proto.input], list(proto.input))
    with reading(title, chain.where):
        if len([name for name in proto.output if name]) > 1 and kind not in {"Dropout", "BatchNormalization"}:
            raise ArgumentError("outputs", expected="one", got=list(proto.output))
        read = _read(node)
        check_gelu(exact=read.approximates, approximate=approximate_gelu)
        numbers = {key: checked(array, f"{title}: {key}", where=chain.where) for key, array in read.arrays.items()}
    notes = {"LogSoftmax": (LOGARITHM,), "Gelu": (EXACT_GELU,) if read.approximates else ()}
    return Step(
        name=_name(proto, kind),
        becomes=read.becomes,
        numbers=numbers,
        approximates=read.approximates,
        compared_as=np.exp if kind == "LogSoftmax" else None,
        notes=notes.get(kind, ()),
    )


def _read(node: Node) -> Read:
    try:
        return RULES[node.kind](node)
    except InputError:
        raise
    except (TypeError, ValueError, OverflowError) as fault:  # attributes of another type than the operator has
        raise ArgumentError(f"its attributes are broken ({fault})") from None


def _knot_step(knot: Knot, title: str, chain: Chain, *, approximate_gelu: bool) -> Step:
    """Several nodes as one step."""
    with reading(title, chain.where):
        check_gelu(exact=not knot.exact, approximate=approximate_gelu)
    name = f"{len(knot.nodes)} nodes to {knot.nodes[-1].name or knot.nodes[-1].op_type}"
    notes = () if knot.exact else (EXACT_GELU,)
    given = (chain.constant(name) for node in knot.nodes for name in node.input)
    kind = next((values.dtype for values in given if values is not None and values.dtype.kind == "f"), np.float32)
    numbers = {key: values.astype(kind) for key, values in knot.numbers.items()}
    return Step(name=name, becomes=knot.layer, numbers=numbers, approximates=not knot.exact, notes=notes)


# ---- products and scalings ------------------------------------------------------------------------------------------


def _matrix(values: Numbers) -> Numbers:
    if values.ndim != 2:
        raise ArgumentError("the shape of its matrix", expected="two axes", got=values.shape)
    return values


def _matmul(node: Node) -> Read:
    (W,) = node.constants(1)
    return Read(Dense(_matrix(W).shape[1], bias=False), {"W": W})


def _gemm(node: Node) -> Read:
    """``alpha A B + beta C``, B transposed where it says so."""
    if node.given.get("transA"):
        raise ArgumentError("transA", expected="0: rows are not transposed", got=node.given["transA"])
    (B,) = node.constants(1)
    W = (_matrix(B).T if node.given.get("transB") else _matrix(B)) * B.dtype.type(node.given.get("alpha", 1.0))
    units = W.shape[1]
    if len(node.names) < 3 or not node.names[2]:
        return Read(Dense(units, bias=False), {"W": W})
    (C,) = node.constants(2)
    if C.size not in {1, units} or C.shape[:-1] not in {(), (1,)}:
        raise ArgumentError("the shape of its input 2", expected=f"({units},)", got=C.shape)
    b = np.broadcast_to(C.reshape(-1), units) * C.dtype.type(node.given.get("beta", 1.0))
    return Read(Dense(units), {"W": W, "b": b})


def _of_one_constant(node: Node) -> tuple[Numbers, bool]:
    """The numbers of a node that takes rows and numbers, in float64, and whether the numbers come first."""
    places = [place for place, values in enumerate(node.inputs) if values is not None]
    if len(places) != 1 or len(node.inputs) != 2:
        mend = "Of two branches that meet, one must be the rows that the other begins with: a shortcut, added."
        raise ArgumentError("inputs", expected="rows and numbers that stand in the graph", got=node.names, mend=mend)
    values = node.inputs[places[0]]
    assert values is not None  # noqa: S101 -- its place was just looked up
    if values.ndim > 2 or values.shape[:-1] not in {(), (1,)}:
        raise ArgumentError("the shape of its numbers", expected="one for each feature", got=values.shape)
    checked(values, "its numbers", where="")
    return values.astype(np.float64).reshape(-1) if values.ndim else values.astype(np.float64), places[0] == 0


def _scaling(node: Node) -> Read:
    c, first = _of_one_constant(node)
    one, zero = np.ones_like(c), np.zeros_like(c)
    if node.kind == "Add":
        return Read(Affine(one, c))
    if node.kind == "Sub":
        return Read(Affine(-one, c) if first else Affine(one, -c))
    if node.kind == "Mul":
        return Read(Affine(c, zero))
    if first or not c.all():
        raise ArgumentError("a division", expected="rows over numbers other than 0", got=node.names)
    return Read(Affine(1 / c, zero))


def _scaler(node: Node) -> Read:
    """``(X - offset) * scale``, of the operators for machine learning."""
    offset, scale = (
        np.asarray(node.given.get(name, default)) for name, default in (("offset", [0.0]), ("scale", [1.0]))
    )
    for values in (offset, scale):
        checked(values.astype(np.float64), "its numbers", where="")
    return Read(Affine(scale.astype(np.float64), -offset.astype(np.float64) * scale))


# ---- norms ----------------------------------------------------------------------------------------------------------


def _batch_norm(node: Node) -> Read:
    if node.given.get("training_mode") or node.given.get("spatial", 1) != 1:
        raise ArgumentError("training_mode and spatial", expected="0 and 1", got=node.given)
    names = ("gamma", "beta", "mean", "variance")
    arrays = dict(zip(names, node.constants(1, 2, 3, 4), strict=True))
    # float32 in the file; as a person wrote it: 1e-05, not 9.999999747378752e-06
    epsilon, momentum = _short(node.given.get("epsilon", 1e-5)), _short(node.given.get("momentum", 0.9))
    return Read(BatchNorm(epsilon=epsilon, momentum=momentum), arrays)


def _layer_norm(node: Node) -> Read:
    if node.given.get("axis", -1) not in {1, -1}:
        raise ArgumentError("axis", expected="-1", got=node.given["axis"])
    (gamma,) = node.constants(1)
    beta = node.constants(2)[0] if len(node.names) > 2 and node.names[2] else np.zeros_like(gamma)
    return Read(LayerNorm(epsilon=_short(node.given.get("epsilon", 1e-5))), {"gamma": gamma, "beta": beta})


def _short(number: float) -> float:
    """The shortest decimal of a float32 attribute."""
    return float(str(np.float32(number)))


# ---- activations and what changes nothing ---------------------------------------------------------------------------


def _plain(name: str) -> Callable[[Node], Read]:
    return lambda _: Read(Activation(name))


def _softmax(node: Node) -> Read:
    if node.given.get("axis", -1) not in {1, -1}:
        raise ArgumentError("axis", expected="-1, over the outputs of a row", got=node.given["axis"])
    return Read(Activation("softmax"))


def _selu(node: Node) -> Read:
    alpha, gamma = node.given.get("alpha", SELU.alpha), node.given.get("gamma", SELU.scale)
    if not np.allclose([alpha, gamma], [SELU.alpha, SELU.scale], rtol=1e-6):
        raise ArgumentError("alpha and gamma", expected=f"{SELU.alpha:.5g} and {SELU.scale:.5g}", got=(alpha, gamma))
    return Read(Activation("selu"))


def _gelu(node: Node) -> Read:
    return Read(Activation(GELU()), approximates=node.given.get("approximate", b"none") != b"tanh")


def _swish(node: Node) -> Read:
    if node.given.get("alpha", 1.0) != 1:
        raise ArgumentError("alpha", expected="1", got=node.given["alpha"])
    return Read(Activation("silu"))


def _dropout(node: Node) -> Read:
    if len(node.names) > 2 and node.names[2] and node.constants(2)[0]:
        raise ArgumentError("training_mode", expected="false: a graph for prediction", got=True)
    if len(node.names) > 1 and node.names[1]:
        return Read(Dropout(_short(float(node.constants(1)[0]))))
    return Read(Dropout(_short(node.given.get("ratio", 0.5))))


def _flatten(node: Node) -> Read:
    if node.given.get("axis", 1) != 1:
        raise ArgumentError("axis", expected="1", got=node.given["axis"])
    return Read()


def _reshape(node: Node) -> Read:
    (shape,) = node.constants(1)
    if shape.size != 2:
        raise ArgumentError("shape", expected="rows (B, I)", got=shape.tolist())
    return Read()


def _cast(node: Node) -> Read:
    """To the type of the rows: another one shows as another type of weights behind it."""
    if node.given.get("to") not in {1, 11}:
        raise ArgumentError("to", expected="float or double", got=node.given.get("to"))
    return Read()


RULES: dict[str, Callable[[Node], Read]] = {
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Add": _scaling,
    "Sub": _scaling,
    "Mul": _scaling,
    "Div": _scaling,
    "ai.onnx.ml::Scaler": _scaler,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "Dropout": _dropout,
    "Identity": lambda _: Read(),
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Cast": _cast,
    "Exp": _plain("exp"),
    "Relu": _plain("relu"),
    "Sigmoid": _plain("sigmoid"),
    "Tanh": _plain("tanh"),
    "LeakyRelu": lambda node: Read(Activation(LeakyReLU(_short(node.given.get("alpha", 0.01))))),
    "Elu": lambda node: Read(Activation(ELU(_short(node.given.get("alpha", 1.0))))),
    "Selu": _selu,
    "Gelu": _gelu,
    "Swish": _swish,
    "Softplus": _plain("softplus"),
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
}
