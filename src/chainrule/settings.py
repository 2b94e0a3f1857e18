"""All that a person can choose about a training from a table, in one record: arguments, options and TOML file alike."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from chainrule import checks, losses, optimizers, schedules
from chainrule.arrays import DType
from chainrule.errors import ArgumentError, DataError, FileFormatError, unknown_name


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to train on a table. Everything has a default that gives good results.

    Attributes:
        target: The column to predict; a built-in table knows its own.
        task: classification or regression; auto finds out and says why.
        layers: Units of the hidden layers, such as 64,32; 0 for none.
        activation: Of the hidden layers.
        loss: auto: cross_entropy for classes, mean_squared_error for values.
        optimizer: sgd, momentum, nesterov, rmsprop, adagrad, adam, adamw, nadam or lbfgs.
        lr: Learning rate; unless given, the optimizer's own.
        schedule: Of the learning rate: constant, step, exponential, cosine, warm_up, one_cycle, inverse_scaling or plateau.
        epochs: Passes over the training rows, at most.
        batch_size: Rows in a batch; 0 for all of them.
        patience: Epochs without a better validation loss before training ends with the best weights; 0: never.
        validation: Share of the rows to validate on, or a file of them; 0 for none.
        test: Share of the rows to keep for a test at the end, or a file of them; 0 for none.
        dropout: Share of the hidden units dropped in training.
        norm: Normalise inside: none, batch or layer.
        l1: Penalty: l1 * sum |W|.
        l2: Penalty: l2/2 * sum W^2.
        clip_norm: Largest norm of the gradient; 0 for no limit.
        class_weight: none, or balanced: every class counts the same.
        init: Initial weights: auto, glorot_uniform, he_normal, ...
        scaling: Of number columns: standard, minmax, minmax-matrix (one range for all) or none.
        categories: Number columns that are names of categories.
        drop: Columns to leave out.
        missing: Texts that mean a missing value, besides the usual ones.
        header: Whether the first line names the columns.
        seed: Of weights, order of rows, dropout and splits.
        engine: auto, or the name of one; see chainrule doctor.
        dtype: float32 or float64.
    """

    target: str | None = None
    task: Literal["auto", "classification", "regression"] = "auto"
    layers: tuple[int, ...] = (64, 32)
    activation: str = "relu"
    loss: str = "auto"
    optimizer: str = "adam"
    lr: float | None = None
    schedule: str = "constant"
    epochs: int = 100
    batch_size: int = 32
    patience: int = 0
    validation: float | str = 0.1
    test: float | str = 0.0
    dropout: float = 0.0
    norm: Literal["none", "batch", "layer"] = "none"
    l1: float = 0.0
    l2: float = 1e-4
    clip_norm: float = 0.0
    class_weight: Literal["none", "balanced"] = "none"
    init: str = "auto"
    scaling: Literal["standard", "minmax", "minmax-matrix", "none"] = "standard"
    categories: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    header: bool = True
    seed: int = 0
    engine: str = "auto"
    dtype: DType = "float32"

    def __post_init__(self) -> None:
        """Check what needs no data, so that a long reading is not in vain."""
        for name, least in (("epochs", 1), ("batch_size", 0), ("patience", 0), ("seed", 0)):
            checks.whole(getattr(self, name), name, where="train", least=least)
        for name in ("l1", "l2", "clip_norm"):
            checks.at_least_zero(getattr(self, name), name, where="train")
        checks.share(self.dropout, "dropout", where="train")
        for units in self.layers:
            checks.whole(units, "layers", where="train", least=0 if len(self.layers) == 1 else 1)
        for name in ("validation", "test"):
            if not isinstance(getattr(self, name), str):
                checks.share(getattr(self, name), name, where="train")
        if self.loss != "auto":
            losses.get(self.loss, where="train")
        self.make_optimizer()

    @property
    def hidden(self) -> tuple[int, ...]:
        """Units of the hidden layers; ``(0,)`` means none."""
        return () if self.layers == (0,) else self.layers

    def make_optimizer(self) -> optimizers.AnyOptimizer:
        """The optimizer with its learning rate, schedule and clipping.

        Raises:
            ArgumentError: for a name that is not known, or a number out of range.
        """
        chosen = optimizers.get(self.optimizer)
        if isinstance(chosen, optimizers.LBFGS):
            return chosen if self.lr is None else optimizers.get(self.optimizer, rate=self.lr)
        rate = chosen.schedule.rate if self.lr is None else self.lr
        scheduled = schedules.named(self.schedule, rate=rate) if self.schedule != "constant" else rate
        options = {"clip_norm": self.clip_norm} if self.clip_norm else {}
        return optimizers.get(self.optimizer, rate=scheduled, **options)


def settings_from(options: dict[str, Any], *, where: str = "train") -> Settings:
    """Settings from plain values, as keyword arguments or a TOML file give them.

    Raises:
        ArgumentError: for an unknown name or a value of the wrong type; says which.
    """
    known = [field.name for field in dataclasses.fields(Settings)]
    for name in options:
        if name not in known:
            raise unknown_name("setting", name, known, where=where)
    given = {name: (value,) if name == "layers" and isinstance(value, int) else value for name, value in options.items()}
    try:
        return msgspec.convert(given, Settings)
    except msgspec.ValidationError as fault:
        if isinstance(fault.__cause__, ArgumentError):
            raise fault.__cause__ from None
        message, _, place = str(fault).partition(" - at `$.")
        raise ArgumentError(place.rstrip("`") or "settings", where=where, expected=message) from None
