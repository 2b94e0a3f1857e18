"""Networks of Keras 3: a `Sequential` in memory or in a file, layer by layer."""

from __future__ import annotations

import os
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.activations import ELU, LeakyReLU, get
from chainrule.errors import ArgumentError, ChainruleError, MissingExtraError
from chainrule.importing.imported import ImportedNetwork
from chainrule.importing.keras_losses import compiled_loss, told_loss
from chainrule.importing.steps import (
    EXACT_GELU,
    LOGARITHM,
    Affine,
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
    from collections.abc import Callable, Iterator, Mapping

    from chainrule.activations import AnyActivation
    from chainrule.layers import AnyLayer
    from chainrule.losses import Loss

_WHERE = "from_keras"


class Read(NamedTuple):
    """What a layer becomes, its arrays, and whether that is another form of it."""

    becomes: AnyLayer | Affine | None = None
    arrays: Mapping[str, Any] = MappingProxyType({})
    activation: str = ""


def from_keras(
    model: Any, *, loss: str | Loss | None = None, X: Any = None, approximate_gelu: bool = False, seed: int = 0
) -> ImportedNetwork:
    """The network of a Keras `Sequential`, predicting the same.

    Of a file its record is read first: it is handed to Keras only when it names layers of this list and nothing that
    would run code. ``net.report`` tells how far the two networks differ, layer by layer.

    Args:
        model: a `keras.Sequential`, or the path of a ``.keras`` or ``.h5`` file; of Dense, BatchNormalization,
            LayerNormalization, Normalization, Rescaling, Dropout, Flatten and activations. Rows of several axes are
            taken flat.
        loss: a name or an object of `chainrule.losses`; unless given that of ``model.compile``, or what suits the
            outputs. A model that ends in logits gets softmax under ``"cross_entropy"``, sigmoid under
            ``"binary_cross_entropy"``.
        X: rows to compare both on, beside random ones.
        approximate_gelu: take the tanh form for a GELU of the other form, from which it differs by 5e-4 at most.
        seed: of further training.

    Returns:
        A `Network` with the attribute `report`.

    Raises:
        ArgumentError: for a layer that has no counterpart here; names it.
        FileFormatError: for a file that cannot be trusted.
        MissingExtraError: when Keras is not installed.

    ::

        net = cr.from_keras("digits.keras")
        print(net.report)
    """
    keras = _keras()
    if isinstance(model, str | os.PathLike):
        from chainrule.importing.keras_files import read_model

        model, loss_told = read_model(keras, os.fspath(model), known=[*_RULES, "Sequential", "InputLayer"])
    else:
        loss_told = told_loss(getattr(model, "loss", None))
    _check_model(keras, model)
    steps = tuple(
        _step(keras, model, path, layer, approximate_gelu=approximate_gelu) for path, layer in _leaves(keras, model)
    )
    known_loss, reason = compiled_loss(loss_told, steps)
    source = Source(
        where=_WHERE,
        origin=f"Keras's {type(model).__name__} {model.name!r}",
        steps=steps,
        run=_runner(keras, model),
        n_inputs=prod(model.input_shape[1:]),
        loss=known_loss,
        loss_reason=reason,
        precision="float32",  # in which Keras multiplies float64 too, but on TensorFlow
    )
    return ImportedNetwork.from_source(source, loss=loss, X=X, seed=seed)


def _keras() -> Any:
    """The library, which starts its backend as it is imported.

    Raises:
        MissingExtraError: when it is not installed.
        ChainruleError: when it has no backend.
    """
    try:
        import keras
    except ModuleNotFoundError as fault:
        if fault.name == "keras":
            raise MissingExtraError("from_keras", library="Keras", extra="keras") from None
        raise ChainruleError(
            f"{_WHERE}: Keras found no {fault.name}. Set KERAS_BACKEND to a backend that is installed: torch, jax or "
            "tensorflow"
        ) from None
    return keras


def _check_model(keras: Any, model: Any) -> None:
    if not isinstance(model, keras.Sequential):
        way = "Rebuild it as a Sequential, or export it by model.export('m.onnx', format='onnx') and use from_onnx."
        mend = way if isinstance(model, keras.Model) else ""
        raise ArgumentError("model", where=_WHERE, expected="a keras.Sequential or a path", got=model, mend=mend)
    if not model.built:
        mend = "Begin it with keras.Input((I,)), or call it on a row."
        raise ArgumentError("this model has no weights yet", where=_WHERE, mend=mend)
    if None in model.input_shape[1:]:
        raise ArgumentError("model", where=_WHERE, expected="inputs of a fixed shape", got=model.input_shape)


def _leaves(keras: Any, model: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The layers in the order in which they run, each with its place."""
    for index, layer in enumerate(model.layers):
        place = f"{path}.{index}" if path else str(index)
        if isinstance(layer, keras.Sequential):
            yield from _leaves(keras, layer, place)
        else:
            yield place, layer


def _step(keras: Any, model: Any, path: str, layer: Any, *, approximate_gelu: bool) -> Step:
    kind, name = type(layer).__name__, f"{path} {layer.name}"
    if kind not in _RULES or not type(layer).__module__.startswith("keras.src.layers."):
        raise unsupported(f"layer {path}, {layer.name} ({kind})", _WHERE, _RULES)
    with reading(f"layer {name}", _WHERE):
        read = _RULES[kind](keras, layer)
        check_gelu(exact=read.activation == "gelu", approximate=approximate_gelu)
        numbers = {
            key: checked(keras.ops.convert_to_numpy(array), f"layer {name}: {key}", where=_WHERE)
            for key, array in read.arrays.items()
        }
        _check_policy(layer, model)
    return Step(
        name=name,
        becomes=read.becomes,
        numbers=numbers,
        approximates=read.activation == "gelu",
        compared_as=np.exp if read.activation == "log_softmax" else None,
        notes=tuple(_notes(layer, read.activation)),
    )


def _check_policy(layer: Any, model: Any) -> None:
    """Raise for a layer that computes with other numbers than it keeps, or than the model is given."""
    policy = layer.dtype_policy
    if policy.compute_dtype != model.dtype_policy.compute_dtype:
        raise ArgumentError(f"{policy.name} in a model of {model.dtype_policy.name}")
    if policy.compute_dtype != policy.variable_dtype:
        raise ArgumentError("dtype policy", expected="float32 or float64", got=policy.name)


def _notes(layer: Any, activation: str) -> Iterator[str]:
    for part in ("kernel", "bias", "gamma", "beta", "activity"):
        for what in (f"{part}_regularizer", f"{part}_constraint"):
            if getattr(layer, what, None) is not None:
                yield f"its {what} stays behind, it concerns further training alone"
    if type(layer).__name__ == "BatchNormalization":
        yield "in further training the unbiased variance is averaged here, in Keras the biased one"
    if activation == "gelu":
        yield EXACT_GELU
    if activation == "log_softmax":
        yield LOGARITHM


# ---- activations ----------------------------------------------------------------------------------------------------

_ACTIVATIONS: dict[str, str | AnyActivation] = {
    **{name: name for name in ("sigmoid", "tanh", "relu", "elu", "selu", "gelu", "silu", "softplus", "softmax")},
    "linear": "identity",
    "exponential": "exp",
    "leaky_relu": LeakyReLU(0.2),  # Keras's own default
    "log_softmax": "softmax",
}


def _activation(keras: Any, layer: Any) -> tuple[AnyActivation, str]:
    """The activation of a layer here, and its name in Keras."""
    function = layer.activation
    if isinstance(function, keras.layers.Layer):
        kind = type(function).__name__
        rule = _RULES.get(kind) if type(function).__module__.startswith("keras.src.layers.activations.") else None
        read = rule(keras, function) if rule else Read()
        if isinstance(read.becomes, Activation):
            return get(read.becomes.f), kind
    name = str(getattr(function, "__name__", type(function).__name__))
    own = str(getattr(function, "__module__", "")).startswith("keras.src.activations.")
    if not own or name not in _ACTIVATIONS:
        mend = f"Supported are: {', '.join(_ACTIVATIONS)}."
        raise ArgumentError(f"its activation {name!r} is not supported", mend=mend)
    return get(_ACTIVATIONS[name]), name


def _leaky(_: Any, layer: Any) -> Read:
    return Read(Activation(LeakyReLU(float(layer.negative_slope))))


def _relu(_: Any, layer: Any) -> Read:
    if layer.max_value is not None or layer.threshold:
        raise ArgumentError("max_value and threshold", expected="None and 0", got=(layer.max_value, layer.threshold))
    return Read(Activation(LeakyReLU(float(layer.negative_slope))) if layer.negative_slope else Activation("relu"))


def _softmax(_: Any, layer: Any) -> Read:
    if layer.axis not in {1, -1}:
        raise ArgumentError("axis", expected="-1, over the outputs of a row", got=layer.axis)
    return Read(Activation("softmax"))


def _activation_layer(keras: Any, layer: Any) -> Read:
    here, name = _activation(keras, layer)
    return Read(None if name == "linear" else Activation(here), activation=name)


# ---- a rule for each kind of layer ----------------------------------------------------------------------------------


def _dense(keras: Any, layer: Any) -> Read:
    here, name = _activation(keras, layer)
    arrays = {"W": layer.kernel, **({"b": layer.bias} if layer.use_bias else {})}
    frozen = () if layer.trainable else tuple(arrays)
    return Read(Dense(layer.units, here, bias=layer.use_bias, frozen=frozen), arrays, name)


def _scale_and_shift(keras: Any, layer: Any, width: int) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Gamma and beta, and which of them stay as they are; those that there are not are 1 and 0."""
    arrays = {
        "gamma": layer.gamma if layer.scale else keras.ops.ones(width, dtype=layer.variable_dtype),
        "beta": layer.beta if layer.center else keras.ops.zeros(width, dtype=layer.variable_dtype),
    }
    trained = {"gamma": layer.scale and layer.trainable, "beta": layer.center and layer.trainable}
    return arrays, tuple(name for name in arrays if not trained[name])


def _batch_norm(keras: Any, layer: Any) -> Read:
    _check_axis(layer.axis)
    if getattr(layer, "renorm", False):
        raise ArgumentError("renorm=True has no counterpart here")
    arrays, frozen = _scale_and_shift(keras, layer, layer.moving_mean.shape[0])
    arrays |= {"mean": layer.moving_mean, "variance": layer.moving_variance}
    return Read(BatchNorm(epsilon=layer.epsilon, momentum=layer.momentum, frozen=frozen), arrays)


def _layer_norm(keras: Any, layer: Any) -> Read:
    _check_axis(layer.axis)
    if getattr(layer, "rms_scaling", False):
        raise ArgumentError("rms_scaling=True has no counterpart here")
    known = [weight for weight in layer.weights if weight.shape]
    if not known:
        raise ArgumentError("scale=False with center=False has no counterpart here", mend="Use scale=True.")
    arrays, frozen = _scale_and_shift(keras, layer, known[0].shape[0])
    return Read(LayerNorm(epsilon=layer.epsilon, frozen=frozen), arrays)


def _check_axis(axis: Any) -> None:
    axes = list(axis) if isinstance(axis, list | tuple) else [axis]
    if axes not in ([-1], [1]):
        raise ArgumentError("axis", expected="-1", got=axis)


def _normalization(keras: Any, layer: Any) -> Read:
    if layer.invert or layer.mean is None:
        raise ArgumentError("invert=True, or no adapt before, has no counterpart here")
    mean, variance = (np.asarray(keras.ops.convert_to_numpy(part), np.float64) for part in (layer.mean, layer.variance))
    scale = np.maximum(np.sqrt(variance), keras.config.epsilon())
    return Read(Affine(1 / scale, -mean / scale))


def _rescaling(_: Any, layer: Any) -> Read:
    return Read(Affine(np.asarray(layer.scale, np.float64), np.asarray(layer.offset, np.float64)))


_RULES: dict[str, Callable[[Any, Any], Read]] = {
    "Dense": _dense,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
    "Dropout": lambda _, layer: Read(Dropout(layer.rate)),
    "Flatten": lambda *_: Read(),
    "Identity": lambda *_: Read(),
    "Activation": _activation_layer,
    "ReLU": _relu,
    "LeakyReLU": _leaky,
    "ELU": lambda _, layer: Read(Activation(ELU(float(layer.alpha)))),
    "Softmax": _softmax,
}


# ---- running it -----------------------------------------------------------------------------------------------------


def _runner(keras: Any, model: Any) -> Callable[[Numbers], list[Numbers | None]]:
    """The values after each layer; the last ones are those of the model as a whole."""

    def run(X: Numbers) -> list[Numbers | None]:
        rows = keras.ops.convert_to_tensor(X.reshape(len(X), *model.input_shape[1:]), dtype=X.dtype.name)
        H, values = rows, []
        for _, layer in _leaves(keras, model):
            H = layer(H, training=False)
            values.append(keras.ops.convert_to_numpy(H))
        values[-1] = keras.ops.convert_to_numpy(model(rows, training=False))
        return [value.reshape(len(X), -1) for value in values]

    return run
