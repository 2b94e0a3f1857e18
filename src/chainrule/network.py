"""`Network`: what a person holds."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from chainrule.callbacks import Listeners
from chainrule.checkpoints import go_on
from chainrule.engines.choose import choose
from chainrule.errors import ArgumentError
from chainrule.extensions import extension
from chainrule.fitting import FitOptions, drive, history_of, start_run
from chainrule.history import HistoryRecord
from chainrule.inputs import Rows, class_weights
from chainrule.measuring import EpochScores
from chainrule.network_function import NetworkFunction
from chainrule.network_record import NetworkRecord
from chainrule.splitting import split_rows
from chainrule.storage import Opened, write_file
from chainrule.trained import Trained
from chainrule.training import Training

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from chainrule.arrays import DType
    from chainrule.callbacks import AnyCallback
    from chainrule.engines.interface import Data, Engine
    from chainrule.exported import Exported
    from chainrule.history import History
    from chainrule.metrics import Metric
    from chainrule.optimizers import AnyOptimizer
    from chainrule.stopping import EarlyStopping


class Network(NetworkFunction):
    """A feed-forward network: layers, a loss, and the weights in one vector.

    Args:
        layers: such as ``[Dense(64, "relu"), Dense(10, "softmax")]``.
        loss: a name or an object of `chainrule.losses`.
        seed: of the initial weights, the order of rows, the dropout masks and the validation split.
        dtype: of theta and all computation, ``"float32"`` or ``"float64"``.
        n_inputs: I; taken from the first data seen unless given.
        l1: training minimises the loss plus a penalty: l1 * sum |W|, over weights, not biases,
        l2: plus l2/2 * sum W^2. A loss that is shown is without the penalty, which stands beside it.

    Raises:
        ArgumentError: when an argument is out of range or a name unknown.
        ShapeError: when the layers do not fit together.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    >>> net = cr.Network([cr.Dense(8, "tanh"), cr.Dense(1, "sigmoid")], loss="binary_cross_entropy", seed=1)
    >>> history = net.fit(X, y, epochs=200, batch_size=4, optimizer=cr.Adam(0.05))
    >>> net.predict(X).tolist()
    [0, 1, 1, 0]
    """

    history: History | None = None

    def reset(self) -> Self:
        """Draw the initial weights again, the same ones as at first, and forget what was learned."""
        self.history = None
        return super().reset()

    # ---- training ----------------------------------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        epochs: int = 20,
        batch_size: int | None = 32,
        optimizer: str | AnyOptimizer = "adam",
        shuffle: bool = True,
        validation: float | tuple[Any, Any] | tuple[Any, Any, Any] | None = None,
        early_stopping: EarlyStopping | int | None = None,
        metrics: str | Metric | Iterable[str | Metric] = (),
        class_weight: str | dict[Any, float] | None = None,
        sample_weight: Any = None,
        callbacks: AnyCallback | Iterable[AnyCallback] = (),
        resume: str | os.PathLike[str] | None = None,
        engine: str | Engine = "auto",
        threads: int | None = None,
    ) -> History:
        """Train from the present weights on; `reset` first to begin anew.

        Args:
            X: inputs ``(N, I)``: array, lists or frame.
            y: labels ``(N,)``, values ``(N,)``, one-hot rows or values ``(N, O)``.
            epochs: passes over the data.
            batch_size: rows in a batch; 1: online; None: all rows, full batch.
            optimizer: a name or an object of `chainrule.optimizers`; its rate may be a schedule.
            shuffle: whether each epoch takes the rows in a new order; where one batch holds all rows it would change
                nothing but rounding, and they stay as they are.
            validation: a share of the rows to hold out (stratified by class), or ``(X, y)`` or ``(X, y, weights)``.
            early_stopping: an `EarlyStopping`, or its patience in epochs.
            metrics: names from `chainrule.metrics`, measured after each epoch on the validation rows, or, where there
                are none, on the training rows; nan where one is undefined.
            class_weight: ``"balanced"`` over the training rows, or ``{label: weight}``; counts in validation too.
            sample_weight: a weight for each row ``(N,)``; a share held out keeps its own.
            callbacks: functions of an `Epoch`, or `Callback` objects.
            resume: a checkpoint file to go on from.
            engine: ``"auto"``, the name of one, or an engine with settings of its own: ``NativeEngine(threads=1)``.
            threads: how many work on a step of the native engine; None: one or all cores, whichever is faster as the
                training goes. The bits are the same.

        Returns:
            The history, which `net.history` keeps too.

        Raises:
            InputError: when an argument or the data are wrong.
            DivergenceError: at NaN or Inf; the weights are the last good ones.
            KeyboardInterrupt: after Ctrl-C; the weights are then the best so far.
        """
        options = FitOptions(
            epochs=epochs,
            batch_size=batch_size,
            optimizer=optimizer,
            shuffle=shuffle,
            validation=validation,
            early_stopping=early_stopping,
            metrics=metrics,
            class_weight=class_weight,
            engine=engine,
            threads=threads,
        )
        choose(engine, threads=threads)  # an unknown name is refused before any work
        listeners = Listeners(callbacks)
        return self.fit_rows(self.read(X, y, sample_weight, where="fit"), options, listeners, resume=resume)

    def fit_rows(
        self, rows: Rows, options: FitOptions, listeners: Listeners, *, resume: str | os.PathLike[str] | None = None
    ) -> History:
        """Train on rows that were read already; see `fit`."""
        training = self.prepare(rows, options, resume=resume)
        try:
            drive(training, listeners)
        finally:  # whatever ended it, there is a history
            scores = training.scores
            trained = self.trained_on(training.data, scores.held, places=scores.places, watch=training.watch)
            self.history = history_of(training, trained)
            listeners.on_end(training)
        return self.history

    def prepare(self, rows: Rows, options: FitOptions, *, resume: str | os.PathLike[str] | None = None) -> Training:
        """The training that `fit_rows` runs, before its first step.

        Raises:
            InputError: when the options do not fit the rows or the network, which is then left as it is.
        """
        rows, held = self.hold_out(rows, options.validation)
        of_class = class_weights(options.class_weight, rows.targets, where="fit")
        data, measured = rows.data(of_class), None if held is None else held.data(of_class)
        settings = options.settings(self.seed, len(data.X))
        with self._built_for(data.X.shape[1]):
            choice = choose(options.engine, self.objective, settings.optimizer, threads=options.threads)
            places = None if held is None else held.places
            scores = EpochScores(
                self.objective, self.theta, choice.engine, data, measured, options.metrics, places=places
            )
            run = start_run(choice.engine, self.objective, self.theta, data, settings)
            training = Training(self.objective, run, data, settings, scores=scores)
            if resume is not None:
                go_on(training, resume)
        self._choice, self.classes = choice, rows.targets.classes
        return training

    @contextmanager
    def _built_for(self, n_inputs: int) -> Iterator[None]:
        """The network with weights; without them again when what is prepared in this block is refused."""
        if self._objective is not None:
            yield
            return
        self.build(n_inputs)
        try:
            yield
        except BaseException:
            self._objective = self._theta = None
            raise

    def hold_out(self, rows: Rows, validation: Any) -> tuple[Rows, Rows | None]:
        """The rows to train on and those to validate on.

        Raises:
            InputError: when they cannot be had.
        """
        if validation is None or isinstance(validation, Rows):
            return rows, validation
        if not isinstance(validation, tuple | list):
            kept, held = split_rows(len(rows.X), validation, seed=self.seed, classes=rows.targets.indices)
            return rows.take(kept), rows.take(held)
        if len(validation) not in {2, 3}:
            raise ArgumentError(
                "validation",
                where="fit",
                expected="a share, (X, y) or (X, y, weights)",
                got=f"{len(validation)} things",
            )
        X, y, *weights = validation
        classes, width = rows.targets.classes, rows.X.shape[1]
        return rows, self.read(
            X, y, weights[0] if weights else None, where="fit: validation", classes=classes, width=width
        )

    def trained_on(self, data: Data, held: Data | None, **noted: Any) -> Trained:
        """The network as it stands, with the rows of its training and of its validation, for a report.

        Args:
            data: as the engine took them.
            held: likewise; None where there are none.
            noted: what else there is to know; see `chainrule.trained.Trained`.
        """
        return Trained(
            objective=self.objective,
            theta=self.theta.copy(),
            seed=self.seed,
            classes=self.classes,
            data=data,
            held=held,
            engine=self.engine_choice,
            **noted,
        )

    # ---- copies ------------------------------------------------------------------------------------------------------

    def with_seed(self, seed: int) -> Network:
        """A network of the same layers with the initial weights, the order of rows and the masks of another seed."""
        I = None if self._objective is None else self.input_shape[0]
        return Network(self.layers, self.loss, seed=seed, dtype=self.dtype, n_inputs=I, l1=self.l1, l2=self.l2)

    def astype(self, dtype: DType) -> Network:
        """A copy that computes with this number type."""
        other = Network(self.layers, self.loss, seed=self.seed, dtype=dtype, l1=self.l1, l2=self.l2)
        if self._objective is not None:
            other._objective, other._theta, other.classes = (
                self._objective,
                self.theta.astype(other.dtype),
                self.classes,
            )
        return other

    # ---- files -------------------------------------------------------------------------------------------------------

    def record(self) -> NetworkRecord:
        """The network without its numbers."""
        return NetworkRecord(
            layers=self.layers,
            loss=self.loss,
            input_shape=self.input_shape,
            dtype=self.dtype,
            l1=self.l1,
            l2=self.l2,
            seed=self.seed,
            classes=None if self.classes is None else tuple(self.classes.tolist()),
        )

    def save(self, path: str | os.PathLike[str], **parts: Any) -> None:
        """Write a model file: safetensors, atomic; `cr.load` reads it.

        Args:
            path: usually ending in ``.safetensors``.
            parts: further parts of the record, as `Model` has them.

        Raises:
            StorageError: when it cannot be written.
        """
        past = None if self.history is None else self.history.record()
        own = {"network": self.record()} | ({} if past is None else {"history": past})
        write_file(path, kind="model", parts={**own, **parts}, tensors=dict(self.parameters))

    def export(
        self, path: str | os.PathLike[str], to: str | None = None, *, data: Any = None, **options: Any
    ) -> Exported:
        """Write it as a file that other programs run: ONNX, JSON, source code; see `chainrule.export.export`.

        Args:
            path: of the main file.
            to: a format such as ``"onnx"``, ``"json"``; unless given, as the path ends.
            data: inputs ``X (N, I)`` to compare on, besides random ones.
            options: those of the format.

        Returns:
            What was written, how it was checked, and the largest difference; print it.

        Raises:
            ArgumentError: for an unknown format or option, or for what cannot be exported, by the name of the layer.
            ExportError: when the file would not compute the same; nothing was written then.
        """
        exported: Exported = extension("export")(self, path, to, data=data, **options)
        return exported

    def view(self, X: Any = None, y: Any = None, **options: Any) -> Any:
        """The playground in a notebook, by anywidget (extra ``notebook``): a copy of this network trains in the cell.

        Args:
            X: inputs ``(N, I)``; unless given, the rows of the last `fit`.
            y: their targets.
            options: ``names`` of the inputs, ``height`` in pixels, and fields of the page's setting: ``lr``, ...

        Returns:
            The widget; its ``network`` and ``model`` are the copy as it stands.

        Raises:
            InputError: when rows are missing or do not fit, or the page has no cards for a part of the network.
            MissingExtraError: without anywidget.
        """
        return extension("view")(self, X, y, **options)

    @classmethod
    def from_file(cls, opened: Opened) -> Network:
        """The network of a model file whose header has been checked; see `chainrule.load`.

        Raises:
            FileFormatError: when record and tensors do not fit.
        """
        record = opened.part("network", NetworkRecord)
        network = cls(record.layers, record.loss, seed=record.seed, dtype=record.dtype, l1=record.l1, l2=record.l2)
        network._objective = record.objective()
        layout = network._objective.layout
        tensors = opened.tensors({p.name: p.shape for p in layout.parameters}, record.dtype)
        network._theta = np.empty(layout.size, record.dtype)  # as large as the tensors that were read
        network.parameters.update(tensors)
        network.classes = None if record.classes is None else np.asarray(record.classes)
        network.history = opened.part("history", HistoryRecord).history() if opened.has("history") else None
        return network
