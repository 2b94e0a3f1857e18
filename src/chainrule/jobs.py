"""The trainings of `fit_many`, each checked before the first begins: what to train, on which rows, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import product
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule import checks
from chainrule.callbacks import Callback, Listeners
from chainrule.engines.interface import Engine
from chainrule.engines.native import NativeEngine
from chainrule.errors import ArgumentError, DivergenceError, unknown_name
from chainrule.fits import Fit
from chainrule.fitting import FitOptions
from chainrule.network import Network
from chainrule.splitting import fold_rows
from chainrule.training import Training

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.arrays import Ints
    from chainrule.inputs import Rows
    from chainrule.records import Epoch, Steps

WHERE = "fit_many"
_MOST_SEEDS = 1_000_000  # from 0 on: beyond that a seed was taken for their number
_FEW = 2  # rows on which a training is tried


@dataclass(eq=False)
class Job:
    """A training to do.

    Attributes:
        labels: what tells it from the others: seed, fold, setting.
        candidate: equal for the folds, and for the seeds where networks or settings are compared.
        part: gives the rows.
        engine: that will run it.
        training: once it was begun.
    """

    network: Network
    options: FitOptions
    labels: dict[str, Any]
    candidate: int
    part: Callable[[], _Part]
    engine: Engine
    training: Training | None = None
    ended: bool = False

    def run(self, stop: Event) -> Fit | None:
        """Train; None when it was stopped."""
        fault = None
        try:
            rows, held = self.part()
            options = self.options if held is None else replace(self.options, validation=held)
            self.network.fit_rows(rows, options, Listeners(_Watch(self, stop)))
        except DivergenceError as error:
            fault = error
        except KeyboardInterrupt:
            return None
        finally:
            training, self.training, self.ended = self.training, None, True
        return self._told(training, fault)

    def _told(self, training: Training | None, fault: DivergenceError | None) -> Fit:
        history = self.network.history
        assert training is not None  # noqa: S101 -- a training begins, and is noted, before it can diverge
        assert history is not None  # noqa: S101 -- and has a history when it ends
        history.trained = None  # many trainings would keep many copies of the rows
        restored = fault is not None or training.settings.early_stopping is not None
        return Fit(
            network=self.network,
            history=history,
            labels=self.labels,
            candidate=self.candidate,
            kept=history.best_epoch if restored else len(history),
            monitor=training.monitor,
            better=training.scores.better,
            fault=fault,
        )

    @property
    def share(self) -> float:
        """How much of it is done."""
        training = self.training
        if training is None:
            return float(self.ended)
        now = training.standing
        return (now.epoch + now.step / training.steps_per_epoch) / training.settings.epochs


class _Part(NamedTuple):
    """The rows of a training, and of its validation where they are not a share of them."""

    rows: Rows
    held: Rows | None = None


class _Watch(Callback):
    """Notes the training of a job, and ends it when all are to stop."""

    only_watches, every_epoch = True, False

    def __init__(self, job: Job, stop: Event) -> None:
        self._job, self._stop = job, stop

    def on_begin(self, training: Training) -> None:
        self._job.training = training

    def on_steps(self, record: Steps) -> None:  # noqa: ARG002 -- any moment is right
        self._check()

    def on_epoch(self, record: Epoch) -> None:  # noqa: ARG002
        self._check()

    def _check(self) -> None:
        if self._stop.is_set():
            raise KeyboardInterrupt


class _Reading:
    """The rows that a person gave, read once for all networks that take them in the same form."""

    def __init__(self, X: Any, y: Any, sample_weight: Any, folds: int | None, seed: int) -> None:
        self._given, self._folds, self._seed = (X, y, sample_weight), folds, seed
        self._matrices: dict[str, Any] = {}
        self._parts: dict[Any, list[Callable[[], _Part]]] = {}

    def parts(self, network: Network, options: FitOptions) -> list[Callable[[], _Part]]:
        """What a network is to be trained on: all rows, or those of each fold."""
        classes = None if network.classes is None else tuple(network.classes.tolist())
        key = (network.dtype, network.loss, network.layers, classes, id(options.validation))
        if key not in self._parts:
            X, y, weights = self._given
            rows = network.read(self._matrices.get(network.dtype, X), y, weights, where=WHERE)
            self._matrices[network.dtype] = rows.X
            self._parts[key] = self._split(network, rows, options)
        return self._parts[key]

    def _split(self, network: Network, rows: Rows, options: FitOptions) -> list[Callable[[], _Part]]:
        if self._folds is None:
            apart = isinstance(options.validation, tuple | list)
            part = _Part(*network.hold_out(rows, options.validation)) if apart else _Part(rows)
            return [lambda: part]
        if options.validation is not None:
            raise ArgumentError("validation", where=WHERE, expected="nothing beside folds", got=options.validation)
        held = fold_rows(len(rows.X), self._folds, seed=self._seed, classes=rows.targets.indices)
        return [partial(_FoldRows(rows, held).part, fold) for fold in range(self._folds)]


class _FoldRows:
    """The rows of folds, copied once for all trainings that use them one after the other."""

    def __init__(self, rows: Rows, held: Sequence[Ints]) -> None:
        self._rows, self._held, self._lock = rows, held, Lock()
        self._last: tuple[int, _Part] | None = None

    def part(self, fold: int) -> _Part:
        """The rows to train on and those to validate on."""
        with self._lock:
            if self._last is None or self._last[0] != fold:
                kept = np.delete(np.arange(len(self._rows.X)), self._held[fold])
                self._last = fold, _Part(self._rows.take(kept), self._rows.take(self._held[fold]))
            return self._last[1]


def make_jobs(
    networks: Network | Iterable[Network],
    X: Any,
    y: Any,
    seeds: int | Iterable[int] | None,
    folds: int | None,
    settings: Iterable[Mapping[str, Any]] | None,
    sample_weight: Any,
    options: Mapping[str, Any],
) -> list[Job]:
    """All combinations, each checked on a few rows, so that no fault is found after an hour."""
    given, seeded, tried = _networks(networks), _seeds(seeds), _settings(options, settings)
    copied = not (seeds is None and folds is None and settings is None)
    reading = _Reading(X, y, sample_weight, folds, given[0].seed)
    engines: dict[tuple[int, int], Engine] = {}
    jobs: list[Job] = []
    combinations = product(enumerate(given, 1), seeded, enumerate(tried))
    for (place, network), seed, (number, (setting, chosen)) in combinations:
        candidate = place * len(tried) + number if len(given) + len(tried) > 2 else seed or 0
        parts = reading.parts(network, chosen)
        if (place, number) not in engines:
            engines[place, number] = _tried(network, chosen, parts[0]())
        for fold, part in enumerate(parts, 1):
            one = network.with_seed(network.seed if seed is None else seed) if copied else network
            named = {"network": place if len(given) > 1 else None, "seed": seed, "fold": folds and fold}
            labels = {name: value for name, value in named.items() if value is not None} | setting
            alone = replace(chosen, engine=_on_one_thread(engines[place, number]))
            jobs.append(Job(one, alone, labels, candidate, part, engines[place, number]))
    return jobs


def _networks(networks: Network | Iterable[Network]) -> list[Network]:
    given = [networks] if isinstance(networks, Network) else list(networks) if isinstance(networks, Iterable) else []
    if not given or not all(isinstance(network, Network) for network in given):
        raise ArgumentError("networks", where=WHERE, expected="a Network, or a list of them", got=networks)
    if len({id(network) for network in given}) < len(given):
        mend = "Each is trained once; net.with_seed(1) makes a copy"
        raise ArgumentError("networks: one of them is there twice", where=WHERE, mend=mend)
    return given


def _seeds(seeds: int | Iterable[int] | None) -> list[int] | list[None]:
    if seeds is None:
        return [None]
    if isinstance(seeds, Iterable):
        given = [checks.seed(seed, "seeds", where=WHERE) for seed in seeds]
        if not given or len(set(given)) < len(given):
            raise ArgumentError("seeds", where=WHERE, expected="a number, or a list without repetition", got=given)
        return given
    return list(range(checks.whole(seeds, "seeds", where=WHERE, most=_MOST_SEEDS)))


def _settings(
    options: Mapping[str, Any], settings: Iterable[Mapping[str, Any]] | None
) -> list[tuple[dict[str, Any], FitOptions]]:
    """What is tried, each with all the options of its trainings."""
    base = _changed(FitOptions(), options)
    if settings is None:
        return [({}, base)]
    expected = "a list of dicts of options, such as [{'batch_size': 8}]"
    given = list(settings) if isinstance(settings, Iterable) and not isinstance(settings, Mapping | str) else []
    if not given or not all(isinstance(each, Mapping) for each in given):
        raise ArgumentError("settings", where=WHERE, expected=expected, got=settings)
    return [(dict(each), _changed(base, each)) for each in given]


def _changed(options: FitOptions, given: Mapping[str, Any]) -> FitOptions:
    known = [field.name for field in fields(FitOptions)]
    for name, value in given.items():
        if name in ("callbacks", "resume"):
            mend = "It belongs to one training: use Network.fit, or progress=True to see how all are going"
            raise ArgumentError(name, where=WHERE, expected="nothing", got=value, mend=mend)
        if name not in known:
            raise unknown_name("option", name, known, where=WHERE)
    return replace(options, **given)


def _on_one_thread(engine: Engine) -> Engine:
    """An engine that would take all cores for one training, as it is for one core; its bits are the same."""
    if isinstance(engine, NativeEngine) and engine.threads is None:
        return NativeEngine(threads=1, instruction_set=engine.instruction_set or None)
    return engine


def _tried(network: Network, options: FitOptions, part: _Part) -> Engine:
    """Prepare a copy of the network for a few rows, and find what is wrong with the options; the engine that it gets.

    Raises:
        InputError: when something is wrong.
    """
    few = part.rows.take(np.arange(min(len(part.rows.X), _FEW)))
    held = options.validation if part.held is None else part.held
    trial = network.with_seed(network.seed)
    trial.prepare(few, replace(options, validation=held))
    return trial.engine_choice.engine
