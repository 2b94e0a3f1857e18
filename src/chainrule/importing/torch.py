"""Networks of PyTorch: an `nn.Sequential`, nested ones too, layer by layer."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from chainrule.activations import ELU, GELU, LeakyReLU
from chainrule.errors import ArgumentError
from chainrule.importing.imported import ImportedNetwork
from chainrule.importing.steps import (
    EXACT_GELU,
    LOGARITHM,
    Numbers,
    Source,
    Step,
    check_gelu,
    checked,
    reading,
    unsupported,
)
from chainrule.layers import Activation, BatchNorm, Dense, Dropout, LayerNorm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chainrule.layers import AnyLayer
    from chainrule.losses import Loss

_WHERE = "from_torch"
Read: TypeAlias = "tuple[AnyLayer | None, dict[str, Any]]"


def from_torch(
    module: Any, *, loss: str | Loss | None = None, X: Any = None, approximate_gelu: bool = False, seed: int = 0
) -> ImportedNetwork:
    """The network of a torch `nn.Sequential`, predicting the same; the module is left as it is.

    Its weights are transposed: torch keeps ``(O, I)``, here ``W (I, O)``. ``net.report`` tells how far the two differ,
    layer by layer.

    Args:
        module: a `torch.nn.Sequential`, of Linear, BatchNorm1d, LayerNorm, Dropout, Flatten and activations.
        loss: a name or an object of `chainrule.losses`. A module that ends in logits, as torch's losses want them, gets
            softmax under ``"cross_entropy"`` and sigmoid under ``"binary_cross_entropy"``. Unless given: what suits the
            outputs.
        X: rows to compare both on, beside random ones.
        approximate_gelu: take the tanh form for a GELU of the other form, from which it differs by 5e-4 at most.
        seed: of further training.

    Returns:
        A `Network` with the attribute `report`.

    Raises:
        ArgumentError: for a layer that has no counterpart here; names its place.
        DataError: for weights that are not finite.

    ::

        module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
        net = cr.from_torch(module, loss="cross_entropy")
        print(net.report)
        cr.trace(net, [[5.1, 3.5, 1.4, 0.2]], [0])
    """
    _check_module(module)
    leaves = list(_leaves(module))
    source = Source(
        where=_WHERE,
        origin=f"torch's {type(module).__name__}",
        steps=tuple(_step(path, leaf, approximate_gelu=approximate_gelu) for path, leaf in leaves),
        run=_runner(module),
    )
    return ImportedNetwork.from_source(source, loss=loss, X=X, seed=seed)


def _check_module(module: Any) -> None:
    """Raise with what to do, for what people have in hand instead of a module."""
    build = "module.load_state_dict(torch.load(FILE, weights_only=True)), then chainrule.from_torch(module)"
    if isinstance(module, str | os.PathLike):
        mend = f"A file of weights tells no architecture, and a pickled module runs code: build the module, {build}."
        raise ArgumentError("module", where=_WHERE, expected="a torch.nn.Sequential", got=str(module), mend=mend)
    if isinstance(module, dict):
        mend = f"A state_dict tells no architecture: build the module, {build}."
        raise ArgumentError("module", where=_WHERE, expected="a torch.nn.Sequential", got="a dict", mend=mend)
    if not callable(getattr(module, "named_children", None)) or not callable(getattr(module, "state_dict", None)):
        raise ArgumentError("module", where=_WHERE, expected="a torch.nn.Sequential", got=module)


def _leaves(module: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The layers in the order in which they run, each with its place: ``"0"``, ``"1.2"``."""
    if not _is_sequence(module):
        yield path or "0", module
        return
    for name, child in module.named_children():
        yield from _leaves(child, f"{path}.{name}" if path else name)


def _is_sequence(module: Any) -> bool:
    """Whether it runs its children one after the other: nn.Sequential, or made from it without a forward of its own."""
    forward = getattr(type(module), "forward", None)
    return getattr(forward, "__qualname__", "") == "Sequential.forward" and _is_torchs(forward)


def _is_torchs(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "")).startswith("torch.nn.modules.")


def _step(path: str, leaf: Any, *, approximate_gelu: bool) -> Step:
    kind = type(leaf).__name__
    if kind not in _RULES or not _is_torchs(type(leaf)):
        raise unsupported(f"layer {path}, {_named(leaf)}", _WHERE, _RULES, mend=_MENDS.get(kind, _ANOTHER_WAY))
    name = f"{path} {_named(leaf)}"
    with reading(f"layer {name}", _WHERE):
        becomes, arrays = _RULES[kind](leaf)
        exact_gelu = kind == "GELU" and leaf.approximate == "none"
        check_gelu(exact=exact_gelu, approximate=approximate_gelu)
        numbers = {key: _numbers(array, f"layer {name}: {key}") for key, array in arrays.items()}
    return Step(
        name=name,
        becomes=becomes,
        numbers=numbers,
        approximates=exact_gelu,
        compared_as=np.exp if kind == "LogSoftmax" else None,
        notes=_notes(kind, leaf),
    )


_ANOTHER_WAY = "Build it as a Sequential of these, or export it by torch.onnx.export and use from_onnx."
_MENDS = {
    "ParametrizedLinear": "Call torch.nn.utils.parametrize.remove_parametrizations on it first.",
    "LazyLinear": "Give the module a row first, so that it has weights.",
}
_VALUE = re.compile(r"(?:^|[=(, ])(-?[\d.]+(?:e-?\d+)?)(?=$|[,)])")


def _named(leaf: Any) -> str:
    """Its class and, where there are few, its numbers: ``"Linear(4, 8)"``, ``"LeakyReLU(0.2)"``."""
    kind = type(leaf).__name__
    values = _VALUE.findall(leaf.extra_repr()) if callable(getattr(leaf, "extra_repr", None)) else []
    return f"{kind}({', '.join(values)})" if 0 < len(values) <= 2 else kind


def _notes(kind: str, leaf: Any) -> tuple[str, ...]:
    if kind == "LogSoftmax":
        return (LOGARITHM,)
    if kind == "GELU" and leaf.approximate == "none":
        return (EXACT_GELU,)
    return ()


def _numbers(tensor: Any, name: str) -> Numbers:
    if tensor.device.type == "meta":
        raise ArgumentError(f"{name} has no numbers: it is on the device meta", where=_WHERE)
    kind = str(tensor.dtype).removeprefix("torch.")
    if kind not in {"float32", "float64"}:
        mend = "Call module.float() first."
        raise ArgumentError(name, where=_WHERE, expected="float32 or float64", got=kind, mend=mend)
    array: Numbers = tensor.detach().cpu().numpy()
    return checked(array, name, where=_WHERE)


# ---- a rule for each kind of layer: what it becomes, and its tensors ------------------------------------------------


def _linear(leaf: Any) -> Read:
    numbers = {"W": leaf.weight.T}
    if leaf.bias is not None:
        numbers["b"] = leaf.bias
    return Dense(leaf.out_features, bias=leaf.bias is not None, frozen=_frozen(W=leaf.weight, b=leaf.bias)), numbers


def _frozen(**tensors: Any) -> tuple[str, ...]:
    """The names of what torch leaves as it is."""
    return tuple(name for name, tensor in tensors.items() if tensor is not None and not tensor.requires_grad)


def _scale_and_shift(leaf: Any, like: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Gamma and beta, and which of them stay as they are; those that there are not are 1 and 0."""
    gamma, beta = leaf.weight, getattr(leaf, "bias", None)
    missing = [name for name, tensor in (("gamma", gamma), ("beta", beta)) if tensor is None]
    numbers = {
        "gamma": like.detach() * 0 + 1 if gamma is None else gamma,
        "beta": like.detach() * 0 if beta is None else beta,
    }
    return numbers, (*missing, *_frozen(gamma=gamma, beta=beta))


def _batch_norm(leaf: Any) -> Read:
    if leaf.running_mean is None:
        raise ArgumentError("track_running_stats=False: it has no averages to predict with")
    if leaf.momentum is None:
        raise ArgumentError("momentum=None, a plain average of all batches, has no counterpart here")
    numbers, frozen = _scale_and_shift(leaf, leaf.running_mean)
    numbers |= {"mean": leaf.running_mean, "variance": leaf.running_var}
    return BatchNorm(epsilon=leaf.eps, momentum=1 - leaf.momentum, frozen=frozen), numbers


def _layer_norm(leaf: Any) -> Read:
    if len(leaf.normalized_shape) != 1:
        raise ArgumentError("normalized_shape", expected="one number", got=leaf.normalized_shape)
    if leaf.weight is None:
        raise ArgumentError("elementwise_affine=False has no counterpart here", mend="Use elementwise_affine=True.")
    numbers, frozen = _scale_and_shift(leaf, leaf.weight)
    return LayerNorm(epsilon=leaf.eps, frozen=frozen), numbers


def _flatten(leaf: Any) -> Read:
    if leaf.start_dim != 1 or leaf.end_dim != -1:
        raise ArgumentError("start_dim and end_dim", expected="1 and -1", got=(leaf.start_dim, leaf.end_dim))
    return None, {}


def _softmax(leaf: Any) -> Read:
    if leaf.dim not in {1, -1}:
        raise ArgumentError("dim", expected="1 or -1, over the outputs of a row", got=leaf.dim)
    return Activation("softmax"), {}


def _softplus(leaf: Any) -> Read:
    if leaf.beta != 1:
        raise ArgumentError("beta", expected="1", got=leaf.beta)
    return Activation("softplus"), {}


def _plain(name: str) -> Callable[[Any], Read]:
    return lambda _: (Activation(name), {})


_RULES: dict[str, Callable[[Any], Read]] = {
    "Linear": _linear,
    "BatchNorm1d": _batch_norm,
    "LayerNorm": _layer_norm,
    "Dropout": lambda leaf: (Dropout(leaf.p), {}),
    "Flatten": _flatten,
    "Identity": lambda _: (None, {}),
    "Sigmoid": _plain("sigmoid"),
    "Tanh": _plain("tanh"),
    "ReLU": _plain("relu"),
    "LeakyReLU": lambda leaf: (Activation(LeakyReLU(leaf.negative_slope)), {}),
    "ELU": lambda leaf: (Activation(ELU(leaf.alpha)), {}),
    "SELU": _plain("selu"),
    "GELU": lambda _: (Activation(GELU()), {}),
    "SiLU": _plain("silu"),
    "Softplus": _softplus,
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
}


# ---- running it -----------------------------------------------------------------------------------------------------


def _runner(module: Any) -> Callable[[Numbers], list[Numbers | None]]:
    """The values after each layer, of a copy in prediction mode; the last ones are those of the module as a whole."""
    import copy

    def run(X: Numbers) -> list[Numbers | None]:
        import torch

        twin = copy.deepcopy(module).cpu().eval()
        values: list[Numbers | None] = []
        with torch.no_grad():
            rows = torch.from_numpy(X)
            H = rows
            for _, leaf in _leaves(twin):
                H = leaf(H)
                values.append(H.numpy().copy())  # a layer may write into what it is given
            values[-1] = twin(rows).numpy()
        return values

    return run
