"""`Model`: a network with the encoding of its columns: predicts on a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import json_files
from chainrule.errors import FileFormatError
from chainrule.extensions import extension
from chainrule.network import Network
from chainrule.scores import score_classes, score_values
from chainrule.settings import Settings
from chainrule.storage import open_file
from chainrule.tables import MISSING, Columns, read_table

if TYPE_CHECKING:
    import os

    import polars as pl

    from chainrule.arrays import Floats
    from chainrule.exported import Exported
    from chainrule.fits import Fits
    from chainrule.history import History
    from chainrule.scores import ClassReport, ValueReport
    from chainrule.storage import Opened


class Model:
    """A network and the encoding of the table that it was trained from.

    Attributes:
        network: the `Network`.
        columns: how a table becomes a matrix, and outputs become answers.
        settings: how it was trained.
        test_report: of the rows kept for a test; None when there were none.
        fits: the trainings of all seeds, where several were asked for; the network is the best of them.

    >>> import chainrule as cr
    >>> model = cr.train("iris", epochs=30, test=0.2)
    >>> model.predict("iris").columns
    ['prediction', 'probability_setosa', 'probability_versicolor', 'probability_virginica']
    """

    def __init__(self, network: Network, columns: Columns, settings: Settings) -> None:
        self.network, self.columns, self.settings = network, columns, settings
        self.test_report: ClassReport | ValueReport | None = None
        self.fits: Fits | None = None

    @property
    def history(self) -> History | None:
        """What happened in the training; that of a model from a file is thinned, and without times."""
        return self.network.history

    def __repr__(self) -> str:
        target = self.columns.target
        return (
            f"Model({self.columns.task} of {target.name!r} from {len(self.columns.features)} columns, {self.network!r})"
        )

    def predict(self, data: Any, *, with_input: bool = False) -> pl.DataFrame:
        """Answers for the rows of a table, in its order.

        Args:
            data: a path, a built-in name, or a pandas, polars or pyarrow frame with the columns of the training.
            with_input: whether the columns of the table stand before the answers.

        Returns:
            A polars frame with ``prediction``, and for classes ``probability_<class>``. An input column of such a name
            becomes ``input_<name>``.

        Raises:
            DataError: when columns are missing or a value cannot be read.
        """
        frame = read_as(data, self.settings)
        answers = self.answers(self.network.forward(self._encode(frame, data)))
        return _beside(frame, answers) if with_input else answers

    def read(self, data: Any) -> pl.DataFrame:
        """A table as `predict` reads it: missing values and header as in the training.

        Raises:
            DataError: when it cannot be read.
        """
        return read_as(data, self.settings)

    def answers(self, Y: Floats) -> pl.DataFrame:
        """The outputs ``Y (N, O)`` of the network as `predict` gives them."""
        import polars as pl

        if not self.columns.classes:
            return pl.DataFrame({"prediction": self.columns.decode_values(Y[:, 0])})
        P = probabilities_of(Y)
        answers = self.columns.decode_classes(P.argmax(axis=1)).alias("prediction")
        shares = {f"probability_{label}": P[:, k] for k, label in enumerate(self.columns.classes)}
        return pl.DataFrame([answers, *(pl.Series(name, share) for name, share in shares.items())])

    def evaluate(self, data: Any) -> ClassReport | ValueReport:
        """How good the answers are for rows whose target is known; print the result.

        Raises:
            DataError: when columns are missing, the target too, or a value cannot be read.
        """
        frame = read_as(data, self.settings)
        t = self.columns.encode_target(frame, dtype="float64", where=place_of(data))
        return score(self, self._encode(frame, data), t)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file: network, encoding and settings in one; `cr.load` reads it.

        Raises:
            StorageError: when it cannot be written.
        """
        self.network.save(path, columns=self.columns, settings=self.settings)

    def export(
        self, path: str | os.PathLike[str], to: str | None = None, *, data: Any = None, **options: Any
    ) -> Exported:
        """Write it, from raw columns to answers, as a file that other programs run; see `chainrule.export.export`.

        Args:
            path: of the main file.
            to: a format such as ``"onnx"``, ``"json"``; unless given, as the path ends.
            data: a table of rows to compare on, besides random ones.
            options: ``network_only=True``: without the columns; and those of the format.

        Returns:
            What was written, how it was checked, and the largest difference; print it.

        Raises:
            ArgumentError: for an unknown format or option, or for what cannot be exported; names layer or column.
            ExportError: when the file would not compute the same; nothing was written then.
        """
        exported: Exported = extension("export")(self, path, to, data=data, **options)
        return exported

    def view(self, data: Any = None, **options: Any) -> Any:
        """The playground in a notebook; see `Network.view`.

        Args:
            data: a table with this model's columns; unless given, the rows that it was trained on, as the network saw
                them.
            options: ``height`` in pixels, and fields of the page's setting: ``lr``, ...

        Raises:
            InputError, MissingExtraError: as told there.
        """
        return extension("view")(self, data, **options)

    @classmethod
    def from_file(cls, opened: Opened) -> Model:
        """The model of a file whose header has been checked; see `chainrule.load`.

        Raises:
            FileFormatError: when its parts do not fit together.
        """
        network, columns = Network.from_file(opened), opened.part("columns", Columns)
        inputs, (outputs,) = len(columns.feature_names), network.objective.output_shape
        answers = len(columns.classes) or 1
        if (inputs,) != network.input_shape or (outputs != answers and (outputs, answers) != (1, 2)):
            raise FileFormatError(
                "the columns in the file do not fit the network",
                where=str(opened.path),
                expected=f"{network.input_shape[0]} inputs and {outputs} outputs",
                got=f"{inputs} and {answers}",
            )
        return cls(network, columns, opened.part("settings", Settings))

    def encoded(self, data: Any) -> tuple[Floats, Any]:
        """A table as the network takes it: inputs ``X (N, I)`` and targets ``(N,)``, class indices or scaled values.

        Raises:
            DataError: when columns are missing, the target too, or a value cannot be read.
        """
        frame = read_as(data, self.settings)
        target = self.columns.encode_target(frame, dtype=self.network.dtype, where=place_of(data))
        return self._encode(frame, data), target

    def _encode(self, frame: pl.DataFrame, data: Any) -> Floats:
        return self.columns.encode(frame, dtype=self.network.dtype, where=place_of(data))


def load(path: str | os.PathLike[str]) -> Network | Model:
    """A model file as what was saved: a `Model`, or a `Network` alone; safetensors, or the text of a ``.json`` file.

    Raises:
        FileFormatError: when the file is missing, broken, of another kind or newer; nothing in it is executed.

    >>> import chainrule as cr, tempfile
    >>> net = cr.Network([cr.Dense(2, "softmax")], n_inputs=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     net.save(f"{folder}/net.safetensors")
    ...     bool((cr.load(f"{folder}/net.safetensors").theta == net.theta).all())
    True
    """
    text = str(path).lower().endswith(json_files.SUFFIX)
    opened = json_files.open_json(path) if text else open_file(path, kind="model")
    return Model.from_file(opened) if opened.has("columns") else Network.from_file(opened)


def place_of(data: Any) -> str:
    """Where a message says that a fault lies: the file, if there is one."""
    if isinstance(data, str | Path):
        return "standard input" if str(data) == "-" else str(data)
    return ""


def read_as(data: Any, settings: Settings) -> pl.DataFrame:
    """A table as these settings say: missing values and header.

    Raises:
        DataError: when it cannot be read.
    """
    return read_table(data, missing=(*MISSING, *settings.missing), header=settings.header)


def _beside(frame: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """The table and its answers; a column that has the name of an answer gets ``input_`` before it."""
    taken = {*frame.columns, *answers.columns}
    names = {}
    for name in set(frame.columns) & set(answers.columns):
        fresh = f"input_{name}"
        while fresh in taken:
            fresh = f"input_{fresh}"
        names[name] = fresh
        taken.add(fresh)
    return frame.rename(names).hstack(answers)


def score(model: Model, X: Floats, t: Any) -> ClassReport | ValueReport:
    """How good the answers for encoded rows ``X (N, I)`` are, by their encoded targets ``(N,)``."""
    columns, Y = model.columns, model.network.forward(X)
    if columns.classes:
        return score_classes(t, probabilities_of(Y), columns.classes)
    return score_values(columns.decode_values(t), columns.decode_values(Y[:, 0]), [columns.target.name])


def probabilities_of(Y: Floats) -> Floats:
    """The outputs ``Y (N, O)`` of a classification as a column for each class, each row summing to 1.

    The one sigmoid of two classes gives both columns; separate sigmoids are shared out.
    """
    if Y.shape[1] == 1:
        return np.hstack([1 - Y, Y])
    total = Y.sum(axis=1, keepdims=True)
    return Y / np.where(total > 0, total, 1)
