"""PyTorch: a module written out, with the weights from a model file beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.export.layered import check_with, identifier, layers_in_order, weights_file
from chainrule.export.program import Add, Apply, Drop, Fork, Linear, Normalize, Op, Program, layers_of, program
from chainrule.export.subject import Draft, Subject
from chainrule.export.texts import python_string

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from chainrule.activations import ActivationFunction

ACTIVATIONS = {
    "identity": "{x}",
    "sigmoid": "torch.sigmoid({x})",
    "tanh": "torch.tanh({x})",
    "scaled_tanh": "1.7159 * torch.tanh(2 / 3 * {x})",
    "relu": "torch.relu({x})",
    "leaky_relu": "functional.leaky_relu({x}, {a!r})",
    "elu": "functional.elu({x}, {a!r})",
    "selu": "torch.selu({x})",
    "gelu": 'functional.gelu({x}, approximate="tanh")',
    "silu": "functional.silu({x})",
    "exp": "torch.exp({x})",
    "softplus": "functional.softplus({x})",
    "softmax": "torch.softmax({x}, dim=1)",
}
"""Each activation of a tensor x, with its constant a."""

STATE = {
    "W": ("weight", ".T"),
    "b": ("bias", ""),
    "gamma": ("weight", ""),
    "beta": ("bias", ""),
    "mean": ("running_mean", ""),
    "variance": ("running_var", ""),
}
"""What PyTorch calls a parameter, and how ours becomes theirs: a weight there is (O, I)."""


def make(subject: Subject, path: Path) -> Draft:
    """The source, and the weights as a model file.

    Raises:
        ExportError: when PyTorch computes otherwise than our engine.
    """
    weights = f"{path.stem}_weights.safetensors"  # not a name that the model itself may have
    written = program(subject.network, training=True)
    files = {path.name: _source(subject, written, weights).encode(), weights: weights_file(subject)}
    return Draft(files=files, check=check_with("torch", subject, files, _HARNESS))


_HARNESS = """
import torch
with torch.no_grad():
    Y = script["load"]()(torch.from_numpy(X)).numpy()
print(torch.__version__)
"""


def _source(subject: Subject, program: Program, weights: str) -> str:
    made = [line for name, ops in layers_in_order(program) for line in _made(name, ops)]
    forward = [line for name, ops in layers_in_order(program) for line in _forward(name, ops)]
    body = "\n".join(f"        {line}" for line in forward)
    double = ".double()" if subject.network.dtype == "float64" else ""
    functional = "from torch.nn import functional\n" * ("functional." in body)
    about = "\n".join(f"    {line}" for line in layers_of(program))
    return f'''"""{subject.name} in PyTorch: {program.n_inputs} inputs, {program.n_outputs} outputs; made by chainrule.

{about}

The weights are in the model file beside it. `load()` gives the network as it predicts; before you train it on, call
`network.train()`.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
{functional}

class Network(nn.Module):
    """The network, with weights as PyTorch draws them."""

    def __init__(self):
        super().__init__()
{_indented(made, 8)}

    def forward(self, x):
        """From inputs (B, {program.n_inputs}) to outputs (B, {program.n_outputs})."""
{body}
        return x


def load(path=Path(__file__).with_name({python_string(weights)})):
    """The network with the weights of a model file of chainrule, ready to predict."""
    numbers = load_file(path)
    state = {{
{_indented(list(_state(program)), 8)}
    }}
    network = Network(){double}
    network.load_state_dict(state)
    return network.eval()
'''


def _indented(lines: list[str], by: int) -> str:
    return "\n".join(f"{' ' * by}{line}" for line in lines)


def _made(name: str, ops: tuple[Op, ...]) -> Iterator[str]:
    """The modules that have weights or change with training."""
    for op in ops:
        if isinstance(op, Linear):
            yield f"self.{name} = nn.Linear({op.I}, {op.O}{'' if op.bias else ', bias=False'})"
            yield from _frozen(name, [("W", True), ("b", op.bias)], op.trained)
        elif isinstance(op, Drop):
            yield f"self.{name} = nn.Dropout({op.rate!r})"
        elif isinstance(op, Normalize):
            kind = "BatchNorm1d" if op.over_rows else "LayerNorm"
            momentum = f", momentum={round(1 - op.momentum, 12)!r}" if op.over_rows else ""
            yield f"self.{name} = nn.{kind}({op.O}, eps={op.epsilon!r}{momentum})"
            yield from _frozen(name, [("gamma", True), ("beta", True)], op.trained)


def _frozen(name: str, there: list[tuple[str, bool]], trained: frozenset[str]) -> Iterator[str]:
    for parameter, exists in there:
        if exists and parameter not in trained:
            yield f"self.{name}.{STATE[parameter][0]}.requires_grad_(False)"


def _forward(name: str, ops: tuple[Op, ...]) -> Iterator[str]:
    """One line for each layer."""
    x = "x"
    for op in ops:
        if isinstance(op, Linear | Drop | Normalize):
            x = f"self.{name}({x})"
        elif isinstance(op, Apply):
            x = _activated(op.f, x)
        elif isinstance(op, Fork):
            yield f"past_{name} = x"
        elif isinstance(op, Add):
            x = f"past_{name} + x"
    if x != "x":
        yield f"x = {x}"


def _activated(f: ActivationFunction, x: str) -> str:
    return ACTIVATIONS[f.name].format(x=x, **f.constants)


def _state(program: Program) -> Iterator[str]:
    for each in program.parameters:
        layer, _, parameter = each.full.rpartition(".")
        theirs, change = STATE[parameter]
        yield f'"{identifier(layer)}.{theirs}": numbers["{each.full}"]{change},'
