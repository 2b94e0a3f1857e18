"""A classifier with two hidden layers from a CSV: the label in the first column, pixels (or other numbers) after it.

Its published conventions: one minimum and maximum over the whole matrix; I-256-64-K, sigmoid, sigmoid, softmax; weights
N(0, 1), biases U[0, 1); cross-entropy; gradients summed over the batch; learning rate 0.01. They begin with saturated
units, a loss far above ln K, and a step that grows with the batch: `--scaled` shows what mends it.
"""

from __future__ import annotations

from math import log, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

import chainrule as cr
from chainrule import checks
from chainrule.examples import worked_example
from chainrule.examples.pictures import OUT, draw, prepare
from chainrule.tables import load_dataset, read_table, write_table

if TYPE_CHECKING:
    from chainrule.arrays import Floats, Ints
    from chainrule.records import Epoch

HIDDEN = (256, 64)
SCALED_RATE = 0.32  # a mean over 32 rows is the 32nd part of their sum: the same step as 0.01 takes with the sum


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """One training: how it began and what came of it; losses are means over the rows.

    Attributes:
        name: ``as published`` or ``scaled``.
        first_loss: before the first step.
        saturated: the share of each hidden layer's outputs outside (.03, .97) then.
        losses: after each epoch, as the batches went.
        accuracy: of the training rows.
        test_accuracy: of the rows held out; None when there are none.
    """

    name: str
    first_loss: float
    saturated: tuple[float, ...]
    losses: tuple[float, ...]
    accuracy: float
    test_accuracy: float | None

    def __str__(self) -> str:
        shares = ", ".join(f"{share:.1%}" for share in self.saturated)
        tested = "" if self.test_accuracy is None else f", of the rows held out {self.test_accuracy:.2%}"
        return (
            f"{self.name}: loss before the first step {self.first_loss:.4f}, hidden units saturated {shares}\n"
            f"  loss in the last epoch {self.losses[-1]:.4f}; accuracy of the training rows {self.accuracy:.2%}{tested}"
        )


class OneWeight(msgspec.Struct, frozen=True):
    """The chain rule for one output weight by hand: three factors, their product, the update with rate 0.6."""

    error_slope: float
    sigmoid_slope: float
    out_h1: float
    gradient: float
    w5: float
    new_w5: float

    def __str__(self) -> str:
        return (
            "one weight by hand: dE/dw5 = (out_o1 - target) * out_o1 (1 - out_o1) * out_h1\n"
            f"  = {self.error_slope:.9f} * {self.sigmoid_slope:.9f} * {self.out_h1:.9f} = {self.gradient:.9f}\n"
            f"  w5 = {self.w5} - 0.6 * {self.gradient:.9f} = {self.new_w5:.9f}"
        )


class CsvResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the table: the published conventions and, where asked for, better ones."""

    table: str
    rows: int
    inputs: int
    classes: tuple[str, ...]
    ln_k: float
    trainings: tuple[Training, ...]
    one_weight: OneWeight
    pictures: tuple[str, ...]

    def __str__(self) -> str:
        trained = [f"ln K = {self.ln_k:.4f} is the loss of a network that knows nothing", *map(str, self.trainings)]
        return "\n".join([*trained, str(self.one_weight), *(f"wrote {name}" for name in self.pictures)])


class Table(NamedTuple):
    """Inputs scaled to [0, 1], the class of each row, the names of the classes."""

    X: Floats
    y: Ints
    classes: tuple[str, ...]


def run(
    csv: Path | None = None,
    *,
    scaled: bool = False,
    rate: float = 0.01,
    epochs: int = 30,
    batch_size: int = 32,
    test: float = 0.2,
    no_header: bool = False,
    display: int = 10,
    seed: int = 0,
    out: Path = OUT,
) -> CsvResult:
    """Train I-256-64-K on a CSV whose first column is the label; without a CSV on the built-in digits, written as one.

    Args:
        csv: The table; compressed or not.
        scaled: Train a second time with sensible initial weights and means in place of sums, and compare.
        rate: The learning rate of the published conventions.
        epochs: Passes over the training rows.
        batch_size: Rows in a batch; 0 for all of them.
        test: Share of the rows to hold out, 0 for none.
        no_header: The first line is a row, not the names of the columns.
        display: A progress line at epoch 1 and every so many epochs; 0 for none.
        seed: Of the initial weights and the rows held out.
        out: The folder for the plots.
    """
    checks.whole(batch_size, "batch_size", where="csv-classifier", least=0)
    checks.whole(display, "display", where="csv-classifier", least=0)
    checks.share(test, "test", where="csv-classifier")
    prepare(out)
    path = write_digits(Path(out)) if csv is None else Path(csv)
    table = read(path, header=not no_header)
    N, I, K = *table.X.shape, len(table.classes)
    print(f"{path}: {N} rows, {I} inputs, {K} classes; network {'-'.join(map(str, (I, *HIDDEN, K)))}")
    kept, held = _split(N, test, seed)
    kinds = [("as published", as_published(I, K, seed=seed), rate)]
    kinds += [("scaled", better_scaled(I, K, seed=seed), SCALED_RATE)] if scaled else []
    trainings = tuple(
        _train(name, net, table, (kept, held), cr.SGD(r), epochs, batch_size or None, display) for name, net, r in kinds
    )
    curves = {each.name: each.losses for each in trainings}
    result = CsvResult(
        table=str(path),
        rows=N,
        inputs=I,
        classes=table.classes,
        ln_k=log(K),
        trainings=trainings,
        one_weight=one_weight_by_hand(),
        pictures=(draw(Path(out) / "csv-classifier-loss.png", {"loss": curves}, log=["loss"]),),
    )
    print(result)
    return result


def as_published(n_inputs: int, n_classes: int, *, seed: int = 0) -> cr.Network:
    """The document's network: every weight from N(0, 1), every bias from U[0, 1), the loss summed over the batch."""
    sizes = [(HIDDEN[0], "sigmoid"), (HIDDEN[1], "sigmoid"), (n_classes, "softmax")]
    layers = [cr.Dense(units, f, init="normal", bias_init="uniform") for units, f in sizes]
    loss = cr.losses.CrossEntropy(reduction="sum")
    return cr.Network(layers, loss, seed=seed, dtype="float64", n_inputs=n_inputs)


def better_scaled(n_inputs: int, n_classes: int, *, seed: int = 0) -> cr.Network:
    """Weights that fit the fans, biases 0, the loss as a mean.

    For sigmoids four times the standard deviation of Glorot & Bengio 2010, since their slope at 0 is 1/4.
    """
    fans = [n_inputs, *HIDDEN]
    layers = [
        cr.Dense(n_out, "sigmoid", init=cr.initializers.Normal(4 * sqrt(2 / (n_in + n_out))))
        for n_in, n_out in zip(fans, HIDDEN, strict=False)
    ]
    layers.append(cr.Dense(n_classes, "softmax"))
    return cr.Network(layers, "cross_entropy", seed=seed, dtype="float64", n_inputs=n_inputs)


def write_digits(folder: Path) -> Path:
    """The built-in digits as a CSV, the label first."""
    frame, path = load_dataset("digits"), folder / "digits.csv"
    write_table(frame.select("digit", *frame.drop("digit").columns), path)
    return path


def read(path: Path, *, header: bool = True) -> Table:
    """The table, scaled by one minimum and maximum over the whole matrix.

    Raises:
        DataError: when the file cannot be read, or what follows the label is not all numbers.
    """
    frame, where = read_table(path, header=header), str(path)
    if frame.width < 2:
        raise cr.DataError("columns", where=where, expected="a label and at least one number after it", got=frame.width)
    labels, numbers = frame[:, 0], frame[:, 1:]
    for column in frame:
        if column.null_count():
            row = column.is_null().arg_max()
            raise cr.DataError(f"column {column.name!r}, row {row} is empty", where=where, mend="Drop that row.")
    for column in numbers:
        if not (column.dtype.is_numeric() or column.dtype.is_decimal()):
            mend = "The label must be the first column, and nothing but numbers may follow it."
            raise cr.DataError(f"column {column.name!r} does not hold numbers", where=where, mend=mend)
    X = numbers.to_numpy().astype("float64")
    low, high = X.min(), X.max()
    if low == high:
        raise cr.DataError(f"every number is {low:g}", where=where, mend="There is nothing to tell the rows apart by.")
    classes, y = np.unique(labels.to_numpy().astype(str), return_inverse=True)
    if len(classes) < 2:
        raise cr.DataError(
            f"every label is {str(classes[0])!r}", where=where, mend="There must be at least two classes."
        )
    return Table((X - low) / (high - low), y, tuple(classes.tolist()))


def saturated(net: cr.Network, X: Floats) -> tuple[float, ...]:
    """The share of each hidden layer's outputs outside (.03, .97), where the slope of the sigmoid is under .03."""
    shares, H = [], X
    for k in range(1, len(HIDDEN) + 1):
        H = 1 / (1 + np.exp(-(H @ net.parameters[f"dense_{k}.W"] + net.parameters[f"dense_{k}.b"])))
        shares.append(float(((H < 0.03) | (H > 0.97)).mean()))
    return tuple(shares)


def one_weight_by_hand() -> OneWeight:
    """dE/dw5 and the new w5, with the numbers of the worked example and the document's rate of 0.6."""
    net, x = worked_example.network(), worked_example.X
    out_o1, target = float(net.forward(x)[0, 0]), float(worked_example.T[0, 0])
    out_h1 = float(1 / (1 + np.exp(-(x @ net.parameters["dense_1.W"] + 0.35)))[0, 0])
    w5 = float(net.parameters["dense_2.W"][0, 0])
    factors = (out_o1 - target, out_o1 * (1 - out_o1), out_h1)
    gradient = float(np.prod(factors))
    return OneWeight(*factors, gradient, w5, w5 - 0.6 * gradient)


def _split(N: int, share: float, seed: int) -> tuple[Ints, Ints]:
    """The rows to train on and those held out, in random order."""
    order, n_held = np.random.default_rng(seed).permutation(N), round(share * N)
    return order[n_held:], order[:n_held]


def _train(
    name: str,
    net: cr.Network,
    table: Table,
    rows: tuple[Ints, Ints],
    optimizer: cr.SGD,
    epochs: int,
    batch_size: int | None,
    display: int,
) -> Training:
    (X, y), (kept, held) = table[:2], rows
    T = np.eye(len(table.classes))[y]
    summed = net.loss.reduction == "sum"
    N = len(kept) if summed else 1

    def progress_line(record: Epoch) -> None:
        if display and (record.epoch == 1 or record.epoch % display == 0):
            print(f"{name}: epoch={record.epoch}, loss={record.loss / N:.7f}")

    first_loss, shares = net.evaluate_loss(X[kept], T[kept]) / N, saturated(net, X[kept])
    history = net.fit(
        X[kept],
        T[kept],
        epochs=epochs,
        batch_size=batch_size,
        shuffle=False,
        optimizer=optimizer,
        callbacks=[progress_line],
    )
    right = net.forward(X).argmax(axis=1) == y
    return Training(
        name=name,
        first_loss=first_loss,
        saturated=shares,
        losses=tuple(loss / N for loss in history["loss"]),
        accuracy=float(right[kept].mean()),
        test_accuracy=float(right[held].mean()) if len(held) else None,
    )


if __name__ == "__main__":
    run()
