"""`ImportedNetwork`: a network that was trained elsewhere, with the report of how far it computes the same."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import replace

from chainrule.activations import Identity
from chainrule.errors import ArgumentError, DataError
from chainrule.importing.assembling import assemble
from chainrule.importing.comparing import RANDOM_ROWS, compare, random_rows
from chainrule.importing.report import ImportReport
from chainrule.importing.steps import flat
from chainrule.inputs import as_matrix
from chainrule.layers import Activation, Dense
from chainrule.losses import get as get_loss
from chainrule.network import Network

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chainrule.arrays import DType
    from chainrule.importing.assembling import Assembly
    from chainrule.importing.steps import Source
    from chainrule.layers import AnyLayer
    from chainrule.losses import Loss
    from chainrule.model import Model

_LOSSES = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy", "exp": "poisson"}


class ImportedNetwork(Network):
    """A `Network` as any other, trained elsewhere; what the import found stands beside it.

    Attributes:
        report: what became of each layer, and how far the outputs differed when it was imported.
    """

    report: ImportReport

    def with_columns(self, data: Any, target: str, *, classes: Sequence[Any] | None = None) -> Model:
        """A copy of this network as a `Model` of a table, which every command takes: rows as they are, nothing scaled.

        Args:
            data: a table like that on which it was trained: a path, a built-in name or a frame; the columns beside the
                target, in their order, are the inputs.
            target: the column that it predicts.
            classes: the labels of its outputs, in their order; unless given, those that its source told, the numbers
                0 to K - 1, or the K different labels of the target, sorted.

        Raises:
            DataError: where the table does not fit; with row and column.
            ArgumentError: for a network of several values, or other labels than it has classes.

        ::

            model = cr.from_onnx("iris.onnx").with_columns("iris.csv", target="species")
            model.evaluate("iris.csv"), model.save("iris.safetensors")
        """
        from chainrule.model import Model
        from chainrule.settings import Settings
        from chainrule.tables import read_table
        from chainrule.tables.given import given_columns

        (outputs,) = self.objective.output_shape
        several = outputs > 1 and self.loss.name != "cross_entropy"
        if several:
            mend = "Use it without: cr.trace(net, X, y), net.predict(X)."
            raise ArgumentError(f"a table has one target, and the network {outputs} outputs of their own", mend=mend)
        if classes is None and self.classes is not None:
            classes = self.classes.tolist()
        where = str(data) if isinstance(data, str | os.PathLike) else ""
        n_classes = max(outputs, 2) if self.loss.for_classes else 0
        columns = given_columns(read_table(data), target, n_classes=n_classes, classes=classes, where=where)
        if self.input_shape != (len(columns.features),):
            beside = f"{len(columns.features)} columns beside {target!r}"
            raise DataError("the table", where=where, expected=f"{self.input_shape[0]} inputs", got=beside)
        network = self.astype(self.dtype)
        network.classes = np.arange(n_classes) if n_classes else None  # the labels stand in the columns
        settings = Settings(target=target, scaling="none", dtype=self.dtype, loss=self.loss.name)
        return Model(network, columns, settings)

    @classmethod
    def from_source(cls, source: Source, *, loss: str | Loss | None, X: Any, seed: int) -> ImportedNetwork:
        """The network of a source, run beside it.

        Args:
            source: what was read.
            loss: as the caller wishes; None: what the source or its outputs say.
            X: rows to try beside the random ones ``(B, I)``, or None.
            seed: of further training.

        Raises:
            InputError: when it cannot be made, or computes something else than the original.
        """
        _check_last_alone(source)
        assembly = assemble(source)
        chosen, reason = _loss(source, loss, assembly.layers)
        layers, added = _with_output(chosen, assembly.layers)
        dtype: DType = "float64" if assembly.dtype == "float64" else "float32"
        network = cls(layers, chosen, seed=seed, dtype=dtype, n_inputs=assembly.n_inputs)
        with np.errstate(over="ignore"):  # what becomes infinite is found when both are compared
            for (name, _), values in zip(network.parameters.items(), _in_order(network, assembly), strict=True):
                network.parameters[name] = values
        if source.classes is not None:
            network.classes = np.asarray(source.classes)
        network.report = _report(network, source, assembly, _rows(assembly, X, source.where), (reason, added))
        return network


def _in_order(network: Network, assembly: Assembly) -> Iterable[Any]:
    """The numbers in the order of theta."""
    return [assembly.numbers(parameter.path) for parameter in network.objective.layout.parameters]


def _check_last_alone(source: Source) -> None:
    """Raise when a step whose values have no counterpart here (a log-softmax) is not the last."""
    for step in list(flat(source.steps))[:-1]:
        if step.compared_as is not None:
            raise ArgumentError(f"{step.name} is supported as the last layer alone", where=source.where)


def _last_activation(layers: tuple[AnyLayer, ...]) -> str:
    last = layers[-1]
    return last.f.name if isinstance(last, Dense | Activation) else "identity"


def _loss(source: Source, asked: str | Loss | None, layers: tuple[AnyLayer, ...]) -> tuple[Loss, str]:
    """The loss, and why it is that one."""
    if asked is not None:
        return get_loss(asked, where=source.where), "as asked for"
    if source.loss is not None:
        return get_loss(source.loss, where=source.where), source.loss_reason
    last = _last_activation(layers)
    return get_loss(_LOSSES.get(last, "mean_squared_error")), f"the usual one for {last} outputs"


def _with_output(loss: Loss, layers: tuple[AnyLayer, ...]) -> tuple[tuple[AnyLayer, ...], str]:
    """The layers with outputs that are probabilities, where the loss takes such and the original gives logits."""
    if not loss.fuses_with or _last_activation(layers) != "identity":
        return layers, ""
    note = f"The original gives logits: {loss.fuses_with} was added, for {loss.name} takes probabilities."
    last = layers[-1]
    if isinstance(last, Dense) and last.f == Identity():
        return (*layers[:-1], replace(last, activation=loss.fuses_with)), note
    return (*layers, Activation(loss.fuses_with)), note


def _rows(assembly: Assembly, X: Any, where: str) -> Any:
    """The rows to try: random ones, and those of the caller below them."""
    rows = random_rows(assembly)
    if X is None:
        return rows
    given = as_matrix(X, "float64" if assembly.dtype == "float64" else "float32", where=where)
    if given.shape[1] != assembly.n_inputs:
        expected = f"{assembly.n_inputs} columns"
        raise ArgumentError("X, the rows to compare on", where=where, expected=expected, got=given.shape[1])
    return np.concatenate([rows, given])


def _report(network: Network, source: Source, assembly: Assembly, rows: Any, told: tuple[str, str]) -> ImportReport:
    layers = compare(source, assembly, network, rows)
    reason, added = told
    end = layers[-1]
    notes = [f"{step.name}: {note}" for step in flat(source.steps) for note in step.notes]
    return ImportReport(
        origin=source.origin,
        inputs=assembly.n_inputs,
        outputs=network.objective.output_shape[0],
        parameters=network.objective.layout.size,
        dtype=network.dtype,
        loss=network.loss.name,
        loss_reason=reason,
        layers=layers,
        difference=end.difference or 0.0,
        largest=end.largest,
        rounding=end.rounding,
        rows_random=RANDOM_ROWS,
        rows_given=len(rows) - RANDOM_ROWS,
        notes=(*([added] if added else []), *source.notes, *notes),
    )
