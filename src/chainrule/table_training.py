"""`train`: from a table to a `Model`; `TableTraining` is the same in two steps."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from chainrule import losses
from chainrule.engines.choose import choose
from chainrule.errors import ArgumentError
from chainrule.extensions import extension
from chainrule.layers import BatchNorm, Dense, Dropout, LayerNorm
from chainrule.many import FitsInterrupted, fit_many
from chainrule.model import Model, place_of, read_as, score
from chainrule.network import Network
from chainrule.seeds import Part, SeedsReport, seeds_report
from chainrule.settings import Settings, settings_from
from chainrule.splitting import split_rows
from chainrule.tables import MISSING, Columns, fit_columns, known_target
from chainrule.tables.task import ClassTarget, fit_target
from chainrule.trained import TableFacts

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    import polars as pl

    from chainrule.arrays import Floats, Ints
    from chainrule.callbacks import AnyCallback
    from chainrule.fits import Fits
    from chainrule.layers import AnyLayer
    from chainrule.progress import FitsListener
    from chainrule.scores import ClassReport, ValueReport


def train(
    data: Any,
    target: str | None = None,
    *,
    settings: Settings | None = None,
    callbacks: Iterable[AnyCallback] = (),
    resume: str | os.PathLike[str] | None = None,
    report: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Model:
    """Train on a table: read it, find out the task, encode the columns, hold rows out, train, test.

    Args:
        data: a path (CSV, TSV, Parquet; gzip or zstd), a built-in name, or a pandas, polars or pyarrow frame.
        target: the column to predict; a built-in table knows its own.
        settings: all the settings in one; or
        options: some of them by name: ``layers=(64, 32), lr=0.01, test=0.2``, see `Settings`.
        callbacks: functions of an `Epoch`, or `Callback` objects.
        resume: a checkpoint file to go on from.
        report: an HTML file to write about the training, its layers watched; also where it does not come to its end.

    Raises:
        InputError: when the data or a setting are wrong.
        DivergenceError: at NaN or Inf.
        KeyboardInterrupt: after Ctrl-C.

    With ``seeds=20`` it trains once for each seed, on all cores, and gives the best: see `Model.fits`.

    >>> import chainrule as cr
    >>> model = cr.train("iris", epochs=5, test=0.2)
    >>> model.columns.classes, model.predict("iris").height
    (('setosa', 'versicolor', 'virginica'), 150)
    """
    chosen = settings_from(options) if settings is None else dataclasses.replace(settings, **options)
    if target is not None:
        chosen = dataclasses.replace(chosen, target=target)
    training = TableTraining(data, chosen)
    if report is not None:
        model: Model = extension("run_and_report")(training, report, callbacks=callbacks, resume=resume)
        return model
    return training.run(callbacks=callbacks, resume=resume)


class TableTraining:
    """A training from a table, prepared: read, split and encoded; `run` does it.

    Attributes:
        settings: with all that was left open filled in.
        columns: the encoding, fitted on the training rows.
        model: the model, whose network is untrained before `run`; after an interruption it holds the best weights.
        shape: rows and columns of the table, target included.
        rows: how many rows there are to train on, to validate on, and to test on.
    """

    def __init__(self, data: Any, settings: Settings) -> None:
        # Not a matter of the settings alone: a model may come from where there are other engines.
        choose(settings.engine)
        frame = read_as(data, settings)
        self.settings = settings = dataclasses.replace(settings, target=_target(data, frame, settings))
        kept, test, tested = _hold_out(frame, np.arange(len(frame)), settings.test, "test", 1, settings)
        self.settings = settings = settings.for_rows(len(kept))
        training, validation, held = _hold_out(frame, kept, settings.validation, "validation", 2, settings)
        self.columns = _fit_columns(frame, training, settings, where=place_of(data))
        network = _network(self.columns, settings)
        self.model = Model(network, self.columns, settings)
        self._training = self._encode(_taken(frame, training), where=place_of(data))
        self._validation = None if validation is None else self._encode(validation, where=place_of(settings.validation))
        self._test = None if test is None else self._encode(test, where=place_of(settings.test), exactly=True)
        self.shape, self._name = frame.shape, place_of(data)
        self.rows = tuple(0 if part is None else len(part) for part in (training, validation, test))
        places = {"training": training, "validation": held, "test": tested}
        self._places = {name: rows for name, rows in places.items() if rows is not None}

    def run(
        self,
        *,
        callbacks: Iterable[AnyCallback] = (),
        resume: str | os.PathLike[str] | None = None,
        progress: bool | FitsListener = False,
    ) -> Model:
        """Train; see `train`, and for `progress`, of several seeds, `fit_many`."""
        try:
            if self.settings.seeds is None:
                options = self._fit_options()
                self.model.network.fit(*self._training, callbacks=callbacks, resume=resume, **options)
            else:
                only_one = {"callbacks": callbacks or None, "resume": resume}
                self._run_seeds(progress, {name: value for name, value in only_one.items() if value is not None})
        finally:
            self.note_trained(self.model)
        if self._test is not None:
            self.model.test_report = score(self.model, *self._test)
        return self.model

    def _run_seeds(self, progress: bool | FitsListener, options: dict[str, Any]) -> None:
        """Train all; the model has the best network, also when only some were finished."""
        model = self.model
        options |= self._fit_options()
        try:
            fits = fit_many(model.network, *self._training, seeds=self.settings.seeds, progress=progress, **options)
        except FitsInterrupted as interruption:
            self._keep_best(interruption.fits)
            raise
        self._keep_best(fits)
        if len(fits.failed) == len(fits):
            raise fits.failed[0].fault  # type: ignore[misc] # that is what failed means

    def _keep_best(self, fits: Fits) -> None:
        if len(fits.failed) < len(fits):
            self.model.fits, self.model.network = fits, fits.best.network

    def _fit_options(self) -> dict[str, Any]:
        """The settings, as `Network.fit` takes them."""
        settings = self.settings
        return {
            "epochs": settings.epochs,
            "batch_size": settings.batch_size or None,
            "optimizer": settings.make_optimizer(),
            "validation": self._validation,
            "early_stopping": settings.patience or None,
            "metrics": ("accuracy",) if self.columns.classes else ("r2",),
            "class_weight": None if settings.class_weight == "none" else settings.class_weight,
            "engine": settings.engine,
            "threads": settings.threads,
        }

    def note_trained(self, model: Model) -> None:
        """Let the history of a model of this training know what it was trained on, for a report."""
        network, history = model.network, model.history
        if history is None:
            return
        facts = TableFacts(
            name=self._name,
            columns=self.columns,
            settings=self.settings,
            shape=self.shape,
            test=self._test,
            places=self._places,
            seeds=self.seeds_report,
        )
        if history.trained is not None:
            history.trained = dataclasses.replace(history.trained, table=facts)
            return
        data = network.read(*self._training, where="train").data()
        held = None if self._validation is None else network.read(*self._validation, where="train").data()
        history.trained = network.trained_on(data, held, table=facts)

    def listen_to_best(self, callbacks: Iterable[AnyCallback]) -> None:
        """Train the best seed once more, to the same bits, for those who listen to its layers.

        While many train at once nobody listens to one of them. Of one training alone, or where the best came to other
        bits (on the reference engine, whose BLAS has more threads now), nothing changes.
        """
        history = self.model.history
        if self.model.fits is None or history is None or history.trained is None:
            return
        best = self.model.network
        again = best.with_seed(best.seed)
        heard = again.fit(*self._training, callbacks=callbacks, **self._fit_options())
        if heard.trained is not None and np.array_equal(again.theta, best.theta):
            history.trained = dataclasses.replace(history.trained, watch=heard.trained.watch)

    @property
    def training_rows(self) -> tuple[Floats, Any]:
        """The rows to train on, as the network takes them: see `Model.encoded`."""
        return self._training

    def seeds_report(self) -> SeedsReport | None:
        """How good the networks of all seeds are, on the rows of `report`; None where there was one training alone."""
        fits = self.model.fits
        if fits is None:
            return None
        part, _ = self.report()
        X, t = self._test or self._validation or self._training
        name = "accuracy" if self.columns.classes else "r2"
        reports = [score(Model(network, self.columns, self.settings), X, t) for network in fits.networks]
        return seeds_report(fits, [getattr(each, name) for each in reports], part=part, rows=len(X), name=name)

    def report(self) -> tuple[Part, ClassReport | ValueReport]:
        """How good the model is on ``test`` rows; without any on ``validation`` rows, or else on ``training`` rows."""
        if self.model.test_report is not None:
            return "test", self.model.test_report
        part: Part = "training" if self._validation is None else "validation"
        return part, score(self.model, *(self._validation or self._training))

    def _encode(self, frame: pl.DataFrame, *, where: str, exactly: bool = False) -> tuple[Floats, Any]:
        """Inputs and targets; targets `exactly` in float64, to be scored and not trained on."""
        dtype = self.settings.dtype
        X = self.columns.encode(frame, dtype=dtype, where=where)
        return X, self.columns.encode_target(frame, dtype="float64" if exactly else dtype, where=where)


def _target(data: Any, frame: pl.DataFrame, settings: Settings) -> str:
    """The column to predict: as asked, or what a built-in table has."""
    if settings.target is not None:
        return settings.target
    known = known_target(data)
    if known is not None:
        return known
    raise ArgumentError(
        "it is not said which column is the target",
        where="train",
        mend="Give target=..., on the command line --target COLUMN. "
        f"The columns are: {', '.join(frame.columns[:20])}{', …' if len(frame.columns) > 20 else ''}.",
    )


def _hold_out(
    frame: pl.DataFrame, rows: Ints, part: float | str | None, name: str, stream: int, settings: Settings
) -> tuple[Ints, pl.DataFrame | None, Ints | None]:
    """The rows that are left, the table of those held out, if any, and their places; a share is stratified by class."""
    if isinstance(part, str):
        return rows, read_as(part, settings), None
    if not part or len(frame) < 2:  # fit_columns says better what is wrong with a single row
        return rows, None, None
    kept, held = split_rows(
        len(rows), part, seed=settings.seed, classes=_classes_of(frame[rows], settings), stream=stream, where=name
    )
    return rows[kept], frame[rows[held]], rows[held]


def _classes_of(frame: pl.DataFrame, settings: Settings) -> Ints | None:
    """The class of each row, for a stratified split; None when the target is a value, or cannot be used at all."""
    if settings.target not in frame.columns or len(frame) < 2:
        return None  # fit_columns says it better
    column = frame.get_column(str(settings.target))
    target = fit_target(column, None, settings.task)
    return target.encode(column) if isinstance(target, ClassTarget) else None


def _taken(frame: pl.DataFrame, rows: Ints) -> pl.DataFrame:
    """These rows; the very same frame, and no second one in memory, where they are all of them in order."""
    every = len(rows) == len(frame) and np.array_equal(rows, np.arange(len(frame)))
    return frame if every else frame[rows]


def _fit_columns(frame: pl.DataFrame, training: Ints, settings: Settings, *, where: str) -> Columns:
    columns = fit_columns(
        frame,
        str(settings.target),
        rows=training,
        task=settings.task,
        scaling=settings.scaling,
        categories=settings.categories,
        max_categories=settings.max_categories,
        drop=settings.drop,
        missing=(*MISSING, *settings.missing),
        where=where,
    )
    if settings.loss == "poisson" and not columns.classes:  # counts are what they are: their logarithm has no unit
        return msgspec.structs.replace(columns, target=msgspec.structs.replace(columns.target, mean=0.0, std=1.0))
    return columns


def _network(columns: Columns, settings: Settings) -> Network:
    """Hidden layers as asked, and the last one as task and loss need it."""
    name = settings.loss
    if name == "auto":
        name = "cross_entropy" if columns.classes else "mean_squared_error"
    loss = losses.get(name)
    if loss.for_classes and not columns.classes:
        raise ArgumentError(
            "loss", where="train", expected="a loss for values, since the target holds values", got=name
        )
    layers: list[AnyLayer] = []
    for units in settings.hidden:
        layers.append(Dense(units, settings.activation, init=settings.init))
        if settings.norm != "none":
            layers.append(BatchNorm() if settings.norm == "batch" else LayerNorm())
        if settings.dropout:
            layers.append(Dropout(settings.dropout))
    layers.append(last_layer(columns, name, settings.init))
    return Network(
        layers,
        loss,
        seed=settings.seed,
        dtype=settings.dtype,
        n_inputs=len(columns.feature_names),
        l1=settings.l1,
        l2=settings.l2 or 0.0,
    )


def last_layer(columns: Columns, loss: str, init: str = "auto") -> Dense:
    """Softmax under cross-entropy, one sigmoid under binary cross-entropy, sigmoids for classes under other losses."""
    K = len(columns.classes)
    if not K:
        return Dense(1, "softplus" if loss == "poisson" else "identity", init=init)
    if loss == "binary_cross_entropy":
        if K != 2:
            raise ArgumentError("loss", where="train", expected=f"cross_entropy for {K} classes", got=loss)
        return Dense(1, "sigmoid", init=init)
    return Dense(K, "softmax" if loss == "cross_entropy" else "sigmoid", init=init)
