"""The loss that a Keras model was compiled with, as one of ours."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

from chainrule.errors import InputError
from chainrule.layers import Activation, Dense
from chainrule.losses import Huber, Loss

if TYPE_CHECKING:
    from chainrule.importing.steps import Step

_LOSSES = {
    "categoricalcrossentropy": "cross_entropy",
    "sparsecategoricalcrossentropy": "cross_entropy",
    "binarycrossentropy": "binary_cross_entropy",
    "meansquarederror": "mean_squared_error",
    "mse": "mean_squared_error",
    "meanabsoluteerror": "mean_absolute_error",
    "mae": "mean_absolute_error",
    "huber": "huber",
    "poisson": "poisson",
}
_OF_PROBABILITIES = {"cross_entropy", "binary_cross_entropy"}


def told_loss(given: Any) -> Any:
    """What `compiled_loss` takes, from what a model in memory holds; None for a loss that is not Keras's own."""
    if given is None or isinstance(given, str):
        return given
    kind = given if isinstance(given, FunctionType) else type(given)
    if not kind.__module__.startswith("keras.src.losses"):
        return None
    if kind is given:
        return kind.__name__
    settings = getattr(given, "_fn_kwargs", {})  # Keras's own record of a Huber loss leaves its delta out
    return {"class_name": kind.__name__, "config": {**given.get_config(), **settings}}


def compiled_loss(told: Any, steps: tuple[Step, ...]) -> tuple[str | Loss | None, str]:
    """The loss, and why it is that one; None where there is none, or none that is known here.

    Args:
        told: what ``model.compile`` was given: a name, or the record of an object.
        steps: of the model: a loss of probabilities is none for a model that ends in logits, unless it says so.

    >>> compiled_loss("mse", ())
    ('mean_squared_error', 'that of model.compile')
    """
    record = told if isinstance(told, dict) else {}
    name, config = record.get("class_name", told), record.get("config", {})
    if not isinstance(name, str) or not isinstance(config, dict):
        return None, ""
    loss = _LOSSES.get(name.replace("_", "").lower())
    of_logits = loss in _OF_PROBABILITIES and not config.get("from_logits") and _ends_linear(steps)
    if loss is None or of_logits or config.get("label_smoothing"):
        return None, ""
    if loss == "huber" and "delta" in config:
        try:
            return Huber(delta=config["delta"]), "that of model.compile"
        except InputError:
            return None, ""
    return loss, "that of model.compile"


def _ends_linear(steps: tuple[Step, ...]) -> bool:
    """Whether the last layer that does anything has no activation."""
    doing = [step.becomes for step in steps if step.becomes is not None]
    last = doing[-1] if doing else None
    return not isinstance(last, Dense | Activation) or last.f.name == "identity"
