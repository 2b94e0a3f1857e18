"""Remedies that several rules name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from chainrule import activations
from chainrule.insight.diagnosis.remedy import Remedy
from chainrule.layers import Activation, BatchNorm, Dense, Residual
from chainrule.optimizers import LBFGS, Adam
from chainrule.stopping import EarlyStopping

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.insight.diagnosis.setup import Setup
    from chainrule.layers.interface import Layer
    from chainrule.losses import Loss


def rounded(number: float) -> float:
    """One significant digit, as people write learning rates."""
    return float(f"{number:.0e}")


# ---- how it trains --------------------------------------------------------------------------------------------------


def written(record: Any, home: str = "cr") -> str:
    """A record as it is made in Python, without what has its default: ``cr.SGD(rate=0.1)``."""
    defaults = dict(zip(record.__struct_fields__[::-1], record.__struct_defaults__[::-1], strict=False))
    given = {name: getattr(record, name) for name in record.__struct_fields__}
    shown = [
        f"{name}={written(value, 'cr.schedules') if isinstance(value, msgspec.Struct) else value}"
        for name, value in given.items()
        if name not in defaults or value != defaults[name]
    ]
    return f"{home}.{type(record).__name__}({', '.join(shown)})"


def other_rate(setup: Setup, rate: float, *, words: str) -> Remedy:
    """Another learning rate."""
    rate = rounded(rate)
    return Remedy(
        f"{words} learning rate",
        f"optimizer={written(setup.with_rate(rate).settings.optimizer)}",
        f"--lr {rate:g}",
        lambda setup: setup.with_rate(rate),
    )


def lower_rate(setup: Setup, factor: float = 10.0) -> tuple[Remedy, ...]:
    """A smaller learning rate; none for L-BFGS."""
    return () if setup.rate is None else (other_rate(setup, setup.rate / factor, words="a smaller"),)


def clip_gradient(limit: float = 1.0) -> Remedy:
    """A limit to the norm of the gradient."""

    def change(setup: Setup) -> Setup:
        optimizer = setup.settings.optimizer
        chosen = Adam(clip_norm=limit) if isinstance(optimizer, LBFGS) else optimizer
        return setup.with_settings(optimizer=msgspec.structs.replace(chosen, clip_norm=limit))

    return Remedy("clip the gradient", f"clip_norm={limit:g} in the optimizer", f"--clip-norm {limit:g}", change)


def use_adam() -> Remedy:
    """An optimiser that finds a step size for each weight."""
    return Remedy(
        "an optimizer that scales each weight's step",
        'optimizer="adam"',
        "--optimizer adam",
        lambda setup: setup.with_settings(optimizer=Adam()),
    )


def keep_best(patience: int = 5) -> Remedy:
    """Stop when the validation loss has not improved for some epochs."""
    return Remedy(
        "stop early and keep the best weights",
        f"validation=0.2, early_stopping={patience}",
        f"--validation 0.2 --patience {patience}",
        lambda setup: setup.with_settings(early_stopping=EarlyStopping(patience)),
    )


def more_epochs(setup: Setup, factor: int = 5) -> Remedy:
    """The same for longer."""
    epochs = setup.settings.epochs * factor
    return Remedy(
        "train longer", f"epochs={epochs}", f"--epochs {epochs}", lambda setup: setup.with_settings(epochs=epochs)
    )


# ---- what it is -----------------------------------------------------------------------------------------------------


def each_layer(layers: tuple[Any, ...], change: Callable[[Any], Any]) -> tuple[Any, ...]:
    """The layers with each one changed, those inside of residuals too."""
    return tuple(
        msgspec.structs.replace(layer, layers=each_layer(layer.layers, change))
        if isinstance(layer, Residual)
        else change(layer)
        for layer in layers
    )


def suited_weights() -> Remedy:
    """Initial weights by fan-in and activation."""

    def suited(layer: Layer) -> Layer:
        return msgspec.structs.replace(layer, init="auto") if isinstance(layer, Dense) else layer

    return Remedy(
        "initial weights scaled by the number of inputs",
        'init="auto" in each Dense',
        "--init auto",
        lambda setup: setup.with_objective(layers=each_layer(setup.layers, suited)),
    )


def scaled_signals(setup: Setup) -> tuple[Remedy, Remedy]:
    """Weights of the right scale, and norms; for sigmoids norms first, which with small weights learn slowly."""
    sigmoids = any(isinstance(layer, Dense) and layer.f.name == "sigmoid" for layer in _flat(setup.layers[:-1]))
    return (batch_norm(), suited_weights()) if sigmoids else (suited_weights(), batch_norm())


def other_activation(name: str) -> Remedy:
    """Another activation in the hidden layers."""

    def change(setup: Setup) -> Setup:
        *inside, last = setup.layers

        def other(layer: Layer) -> Layer:
            if isinstance(layer, Dense | Activation) and layer.f.name != "identity":
                drawn = {"init": "auto"} if isinstance(layer, Dense) else {}  # weights that suit it
                return msgspec.structs.replace(layer, activation=activations.get(name), **drawn)
            return layer

        if not any(isinstance(layer, Dense) for layer in _flat((last,))):  # the output's own activation stands apart
            *inside, before = inside
            return setup.with_objective(layers=(*each_layer(tuple(inside), other), before, last))
        return setup.with_objective(layers=(*each_layer(tuple(inside), other), last))

    return Remedy(f"{name} in the hidden layers", f'cr.Dense(..., "{name}")', f"--activation {name}", change)


def _flat(layers: tuple[Any, ...]) -> list[Any]:
    return [inner for layer in layers for inner in (_flat(layer.layers) if isinstance(layer, Residual) else [layer])]


def batch_norm() -> Remedy:
    """Batch norm before each hidden activation, unless there are norms already."""

    def change(setup: Setup) -> Setup:
        *inside, last = setup.layers
        new: list[Any] = []
        for layer in inside:
            if isinstance(layer, Dense) and layer.f.name != "identity":
                plain = msgspec.structs.replace(layer, activation=activations.get("identity"), init=_init_of(layer))
                new += [plain, BatchNorm(), Activation(layer.activation)]
            else:
                new.append(layer)
        return setup.with_objective(layers=(*new, last))

    return Remedy("batch norm in the hidden layers", "cr.BatchNorm() after each hidden Dense", "--norm batch", change)


def _init_of(layer: Dense) -> Any:
    from chainrule import initializers

    return initializers.for_activation(layer.f.name) if layer.init == "auto" else layer.init  # its f stands apart now


def last_layer(activation: str, loss: str | None = None, units: int | None = None, *, words: str) -> Remedy:
    """Another activation of the last layer, and another loss."""

    def change(setup: Setup) -> Setup:
        from chainrule import losses

        *inside, last = setup.layers
        new: dict[str, Any] = {} if loss is None else {"loss": _like(losses.get(loss), setup.objective.loss)}
        f = activations.get(activation)
        if isinstance(last, Dense) and units is not None:
            last = msgspec.structs.replace(last, units=units)
        if isinstance(last, Dense | Activation):
            return setup.with_objective(layers=(*inside, msgspec.structs.replace(last, activation=f)), **new)
        return setup.with_objective(layers=(*inside, last, Activation(f)), **new)

    shown = f'cr.Dense({"..." if units is None else units}, "{activation}")'
    argument = shown + ("" if loss is None else f', loss="{loss}"')
    return Remedy(words, f"{argument} at the end", "" if loss is None else f"--loss {loss}", change)


def _like(loss: Loss, other: Loss) -> Loss:
    return msgspec.structs.replace(loss, reduction=other.reduction)


# ---- what it is given -----------------------------------------------------------------------------------------------


def scale_inputs(setup: Setup) -> Remedy:
    """Mean 0 and standard deviation 1 for each input, by the training rows."""
    X = setup.data.X.astype(np.float64)
    mean, std = X.mean(axis=0), X.std(axis=0)
    divisor = np.where(std > 0, std, 1.0)
    return Remedy(
        "scale the inputs",
        "X = (X - X.mean(axis=0)) / X.std(axis=0)",
        "--scaling standard",
        partial(_standardised, which="X", mean=mean, divisor=divisor),
    )


def scale_targets(setup: Setup) -> Remedy:
    """Mean 0 and standard deviation 1 for each target, by the training rows."""
    T = setup.data.T.astype(np.float64)
    std = T.std(axis=0)
    return Remedy(
        "scale the targets",
        "y = (y - y.mean()) / y.std(); cr.train does it for tables",
        "",
        partial(_standardised, which="T", mean=T.mean(axis=0), divisor=np.where(std > 0, std, 1.0)),
    )


def _standardised(setup: Setup, *, which: str, mean: Any, divisor: Any) -> Setup:
    return setup.with_data(**{which: lambda array: (array - mean) / divisor})
