"""All that a person can choose about a training from a table, in one record: arguments, options and TOML file alike."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from chainrule import activations, checks, initializers, losses, optimizers, schedules
from chainrule.arrays import DType
from chainrule.errors import ArgumentError, DataError, unknown_name
from chainrule.files import atomic_write

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping


Record = TypeVar("Record")

# See `Settings.for_rows`.
_PRIOR = 8.0
_ENOUGH_TO_VALIDATE = 1000
_PATIENCE = 10

_WORDS = {  # msgspec's names of types, for people
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "null": "nothing",
}


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
        schedule: Of the learning rate: constant, step, exponential, cosine, warm_up, one_cycle, inverse_scaling or
            reduce_on_plateau.
        epochs: Passes over the training rows, at most.
        batch_size: Rows in a batch; 0 for all of them.
        patience: Epochs without a better validation loss before training ends with the best weights; 0: never; unless
            given, 10 where there are rows to validate on.
        validation: Share of the rows to validate on, or a file of them; 0 for none; unless given, 0.1 of 1000 rows or
            more (of fewer, each is worth more in training), or where patience is given.
        test: Share of the rows to keep for a test at the end, or a file of them; 0 for none.
        dropout: Share of the hidden units dropped in training.
        norm: Normalise inside: none, batch or layer.
        l1: Penalty: l1 * sum |W|.
        l2: Penalty: l2/2 * sum W^2; unless given, 8 / rows, so that the data outweigh it as they grow.
        clip_norm: Largest norm of the gradient; 0 for no limit.
        clip_value: Largest size of each number of the gradient; 0 for no limit.
        class_weight: none, or balanced: every class counts the same.
        init: Initial weights: auto, glorot_uniform, he_normal, ...
        scaling: Of number columns: standard, minmax, minmax-matrix (one range for all) or none.
        categories: Number columns that are names of categories.
        max_categories: Places of a text column; rarer values share one.
        drop: Columns to leave out.
        missing: Texts that mean a missing value, besides the usual ones.
        header: Whether the first line names the columns.
        seed: Of weights, order of rows, dropout and splits.
        seeds: Train once for each of these seeds of weights, order and dropout, one training on each core, and keep the
            best: 20 for 0 to 19, or a list such as 3,7,9. The rows stay split by seed.
        engine: auto, or the name of one; see chainrule doctor.
        threads: How many work on a step of the native engine, with seeds on as many trainings; unless given, as many
            as make it faster. The result is the same.
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
    epochs: int = 200
    batch_size: int = 32
    patience: int | None = None
    validation: float | str | None = None
    test: float | str = 0.0
    dropout: float = 0.0
    norm: Literal["none", "batch", "layer"] = "none"
    l1: float = 0.0
    l2: float | None = None
    clip_norm: float = 0.0
    clip_value: float = 0.0
    class_weight: Literal["none", "balanced"] = "none"
    init: str = "auto"
    scaling: Literal["standard", "minmax", "minmax-matrix", "none"] = "standard"
    categories: tuple[str, ...] = ()
    max_categories: int = 255
    drop: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    header: bool = True
    seed: int = 0
    seeds: int | tuple[int, ...] | None = None
    engine: str = "auto"
    threads: int | None = None
    dtype: DType = "float32"

    def __post_init__(self) -> None:
        """Check what needs no data, so that a long reading is not in vain."""
        for name, choices in choices_of_settings().items():
            if not isinstance(getattr(self, name), str) or getattr(self, name) not in choices:
                raise unknown_name(name, getattr(self, name), choices, where="train")
        self._check_numbers()
        for units in self.layers:
            checks.whole(units, "layers", where="train", least=0 if len(self.layers) == 1 else 1)
        self._check_seeds()
        for name in ("validation", "test"):
            if not isinstance(getattr(self, name), str | None):
                checks.share(getattr(self, name), name, where="train")
        self._check_names()
        self.make_optimizer()

    def _check_numbers(self) -> None:
        bounds = {
            "epochs": (1, None),
            "batch_size": (0, None),
            "patience": (0, None),
            "threads": (1, None),
            "max_categories": (1, 2**31),
        }
        for name, (least, most) in bounds.items():
            if getattr(self, name) is not None:
                checks.whole(getattr(self, name), name, where="train", least=least, most=most)
        checks.seed(self.seed, where="train")
        if self.lr is not None:
            checks.positive(self.lr, "lr", where="train")
        for name in ("l1", "l2", "clip_norm", "clip_value"):
            if getattr(self, name) is not None:
                checks.at_least_zero(getattr(self, name), name, where="train")
        checks.share(self.dropout, "dropout", where="train")

    def _check_seeds(self) -> None:
        if self.seeds is None or isinstance(self.seeds, int):
            checks.whole(1 if self.seeds is None else self.seeds, "seeds", where="train")
            return
        for seed in self.seeds:
            checks.seed(seed, "seeds", where="train")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ArgumentError(
                "seeds", where="train", expected="a number, or a list without repetition", got=self.seeds
            )

    def _check_names(self) -> None:
        activations.get(self.activation, where="train")
        for name, get in (("loss", losses.get), ("init", initializers.get)):
            if getattr(self, name) != "auto":
                get(getattr(self, name), where="train")

    @property
    def hidden(self) -> tuple[int, ...]:
        """Units of the hidden layers; ``(0,)`` means none."""
        return () if self.layers == (0,) else self.layers

    def for_rows(self, rows: int) -> Settings:
        """The settings with what was left open filled in for so many rows to train and validate on.

        The penalty is that of a Gaussian prior on each weight, of variance 1/8 whatever the table (MacKay 1992, "A
        Practical Bayesian Framework for Backpropagation Networks"): the mean loss over the rows is a sum divided by
        `rows`, so the share of the prior is 8 / rows. The 8, the 1000 rows and the patience were chosen by measuring:
        ``python -m benchmarks accuracy``.

        >>> filled = Settings().for_rows(150)
        >>> filled.l2, filled.validation, filled.patience
        (0.053, 0.0, 0)
        """
        validation = self.validation
        if validation is None:
            validation = 0.1 if rows >= _ENOUGH_TO_VALIDATE or self.patience else 0.0
        patience = self.patience
        if patience is None:
            patience = _PATIENCE if validation else 0
        l2 = float(f"{_PRIOR / max(rows, 1):.2g}") if self.l2 is None else self.l2
        return dataclasses.replace(self, validation=validation, patience=patience, l2=l2)

    def make_optimizer(self) -> optimizers.AnyOptimizer:
        """The optimizer with its learning rate, schedule and clipping.

        Raises:
            ArgumentError: for a name that is not known, or a number out of range.
        """
        chosen = optimizers.get(self.optimizer, where="train")
        if isinstance(chosen, optimizers.LBFGS):
            return self._checked_lbfgs(chosen)
        rate: Any = chosen.rate if self.lr is None else self.lr
        limits = {"clip_norm": self.clip_norm, "clip_value": self.clip_value}
        options: dict[str, Any] = {name: limit for name, limit in limits.items() if limit}
        return optimizers.get(self.optimizer, rate=schedules.named(self.schedule, rate=rate), **options)

    def _checked_lbfgs(self, chosen: optimizers.LBFGS) -> optimizers.LBFGS:
        """L-BFGS finds the length of its steps itself: what would set it is refused, not ignored."""
        plain = {"lr": None, "schedule": "constant", "clip_norm": 0, "clip_value": 0}
        for name, value in plain.items():
            if getattr(self, name) != value:
                raise ArgumentError(
                    name, where="train", expected="nothing: L-BFGS finds its own steps", got=getattr(self, name)
                )
        return chosen


@cache
def choices_of_settings() -> dict[str, tuple[str, ...]]:
    """The settings that are one of a few words, and these words."""
    hints = get_type_hints(Settings)
    return {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Literal}


def settings_from(options: Mapping[str, Any], *, where: str = "train") -> Settings:
    """Settings from plain values, as keyword arguments or a TOML file give them.

    Raises:
        ArgumentError: for an unknown name or a value of the wrong type; says which.
    """
    known = [field.name for field in dataclasses.fields(Settings)]
    choices = choices_of_settings()
    given = dict(options)
    for name, value in options.items():
        if name not in known:
            raise unknown_name("setting", name, known, where=where)
        if name in choices and (not isinstance(value, str) or value not in choices[name]):
            raise unknown_name(name, value, choices[name], where=where)
        if name == "layers" and isinstance(value, int):
            given[name] = (value,)
    return convert(given, Settings, where=where)


def convert(options: Mapping[str, Any], to: type[Record], *, where: str) -> Record:
    """A record from plain values.

    Raises:
        ArgumentError: for a value of the wrong type, by its name.
    """
    try:
        return msgspec.convert(options, to)
    except msgspec.ValidationError as fault:
        if isinstance(fault.__cause__, ArgumentError):
            raise fault.__cause__ from None
        message, _, place = str(fault).partition(" - at `$.")
        name = place.partition("[")[0].rstrip("`")
        expected, _, _ = message.removeprefix("Expected ").partition(", got ")
        words = " or ".join(_WORDS.get(word, word) for word in expected.replace("`", "").split(" | "))
        raise ArgumentError(name, where=where, expected=words, got=options.get(name)) from None


def read_options(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The options of a run in a TOML file; a dash in a name means the same as an underscore.

    Raises:
        DataError: when it cannot be read as TOML; with the line.
    """
    where = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
        return {name.replace("-", "_"): value for name, value in tomllib.loads(text).items()}
    except UnicodeDecodeError:
        raise DataError("this is not a TOML file: it holds bytes that are not UTF-8 text", where=where) from None
    except tomllib.TOMLDecodeError as fault:
        raise DataError(f"this is not TOML: {fault}", where=where, mend="Write lines such as: lr = 0.01") from None
    except FileNotFoundError:
        raise DataError("there is no such file", where=where, mend="Look at the spelling and the folder") from None
    except OSError as fault:
        raise DataError(f"the file cannot be read: {fault.strerror or fault}", where=where) from None


def write_options(path: str | os.PathLike[str], options: Mapping[str, Any], *, comment: str) -> None:
    """Write options as TOML under a line of comment; atomic. What is None is left out: TOML has no word for it.

    A path whose bytes are not UTF-8 has question marks in their place: TOML is UTF-8.

    Raises:
        StorageError: when it cannot be written.
    """
    import tomli_w

    given = {name: value for name, value in options.items() if value is not None}
    lines = [f"# {line}" for line in comment.splitlines()]
    with atomic_write(path) as file:
        file.write("\n".join([*lines, "", tomli_w.dumps(given)]).encode(errors="replace"))
