"""Keras 3: a model written out, with the weights from a model file beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.export.layered import check_with, identifier, layers_in_order, weights_file
from chainrule.export.numbers import broken
from chainrule.export.program import Add, Apply, Drop, Fork, Linear, Normalize, Op, Program, layers_of, program
from chainrule.export.subject import Draft, Subject
from chainrule.export.texts import python_string

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from chainrule.activations import ActivationFunction

ACTIVATIONS = {
    "identity": "{x}",
    "sigmoid": "keras.activations.sigmoid({x})",
    "tanh": "keras.activations.tanh({x})",
    "scaled_tanh": "1.7159 * keras.activations.tanh(2 / 3 * {x})",
    "relu": "keras.activations.relu({x})",
    "leaky_relu": "keras.activations.leaky_relu({x}, negative_slope={a!r})",
    "elu": "keras.activations.elu({x}, alpha={a!r})",
    "selu": "keras.activations.selu({x})",
    "gelu": "keras.activations.gelu({x}, approximate=True)",
    "silu": "keras.activations.silu({x})",
    "exp": "keras.ops.exp({x})",
    "softplus": "keras.activations.softplus({x})",
    "softmax": "keras.activations.softmax({x})",
}
"""Each activation of a tensor x, with its constant a."""


def make(subject: Subject, path: Path) -> Draft:
    """The source, and the weights as a model file.

    Raises:
        ExportError: when Keras computes otherwise than our engine.
    """
    weights = f"{path.stem}_weights.safetensors"  # not a name that the model itself may have
    written = program(subject.network, training=True)
    files = {path.name: _source(subject, written, weights).encode(), weights: weights_file(subject)}
    check = check_with("keras", subject, files, _HARNESS, single=True)  # its PyTorch backend multiplies in float32
    return Draft(files=files, check=check, notes=tuple(_notes(written)))


_HARNESS = """
import keras
Y = keras.ops.convert_to_numpy(script["load"]()(X, training=False))
print(keras.__version__)
"""


def _notes(program: Program) -> Iterator[str]:
    """What Keras does otherwise."""
    if program.network.dtype == "float64":
        yield "Keras may multiply matrices in float32, whatever the number type: its PyTorch backend does."
    for op in program.ops:
        parameters = {"gamma", "beta"} if isinstance(op, Normalize) else {"W", "b"}
        if isinstance(op, Normalize) and op.over_rows:
            yield f"{op.layer} trained on in Keras averages the variance 1/B, here 1/(B - 1)."
        if isinstance(op, Linear | Normalize) and op.trained and len(op.trained) < _count(op):
            frozen = ", ".join(sorted(parameters - op.trained))
            yield f"{frozen} of {op.layer} is frozen here alone: Keras freezes whole layers."


def _count(op: Linear | Normalize) -> int:
    """How many parameters it could train."""
    return 1 + op.bias if isinstance(op, Linear) else 2


def _source(subject: Subject, program: Program, weights: str) -> str:
    double = '\nkeras.config.set_floatx("float64")\n' if subject.network.dtype == "float64" else ""
    layers = list(layers_in_order(program))
    built = "\n".join(f"    {line}" for name, ops in layers for line in _built(name, ops))
    frozen = [
        f"    network.get_layer({name!r}).trainable = False"
        for name, ops in layers
        if any(isinstance(op, Linear | Normalize) and not op.trained for op in ops)
    ]
    about = "\n".join(f"    {line}" for line in layers_of(program))
    return f'''"""{subject.name} in Keras: {program.n_inputs} inputs, {program.n_outputs} outputs; made by chainrule.

{about}

The weights are in the model file beside it; `load()` gives the network with them.
"""

from pathlib import Path

import keras
from keras import layers
from safetensors.numpy import load_file
{double}

def build():
    """The network, with weights as Keras draws them."""
    inputs = x = keras.Input(({program.n_inputs},))
{built}
    return keras.Model(inputs, x, name="{subject.name}")


def load(path=Path(__file__).with_name({python_string(weights)})):
    """The network with the weights of a model file of chainrule."""
    numbers = load_file(path)
    network = build()
    weights = {{
{_weights(program)}
    }}
    for layer, names in weights.items():
        network.get_layer(layer).set_weights([numbers[name] for name in names])
{"".join(f"{line}{chr(10)}" for line in frozen)}    return network
'''


def _built(name: str, ops: tuple[Op, ...]) -> Iterator[str]:
    for op in ops:
        if isinstance(op, Linear):
            bias = "" if op.bias else ", use_bias=False"
            yield f'x = layers.Dense({op.O}{bias}, name="{name}")(x)'
        elif isinstance(op, Drop):
            yield f'x = layers.Dropout({op.rate!r}, name="{name}")(x)'
        elif isinstance(op, Normalize) and op.over_rows:
            settings = f"momentum={op.momentum!r}, epsilon={op.epsilon!r}"
            yield f'x = layers.BatchNormalization({settings}, name="{name}")(x)'
        elif isinstance(op, Normalize):
            yield f'x = layers.LayerNormalization(epsilon={op.epsilon!r}, name="{name}")(x)'
        elif isinstance(op, Fork):
            yield f"past_{name} = x"
        elif isinstance(op, Add):
            yield f'x = layers.Add(name="{name}")([past_{name}, x])'
        elif isinstance(op, Apply) and op.f.name != "identity":
            yield f"x = {_activated(op.f)}"


def _activated(f: ActivationFunction) -> str:
    return ACTIVATIONS[f.name].format(x="x", **f.constants)


def _weights(program: Program) -> str:
    """The names of our parameters for each layer, in the order in which Keras has them: as in theta."""
    names: dict[str, list[str]] = {}
    for each in program.parameters:
        names.setdefault(identifier(each.full.rpartition(".")[0]), []).append(f'"{each.full}"')
    return "\n".join(
        broken(f'        "{layer}": ({", ".join(listed)}{"," * (len(listed) == 1)}),')
        for layer, listed in names.items()
    )
