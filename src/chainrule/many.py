"""`fit_many`: many trainings as one job, one on each core: seeds, folds, settings, networks.

A thread for each core runs the ordinary `Network.fit`; the native engine computes without the GIL. The rows are read
once and shared. Each training ends in the bits that it would end in alone.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from threading import Event
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

from chainrule import checks
from chainrule.engines.threads import cores
from chainrule.fits import Fit, Fits
from chainrule.interruption import postponed_interrupt
from chainrule.jobs import WHERE, Job, make_jobs
from chainrule.progress import FitsListener, FitsProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from chainrule.network import Network

_TICK = 0.1  # seconds after which Ctrl-C is heard, at the latest

_Done: TypeAlias = SimpleQueue[tuple[int, Fit | BaseException | None]]
"""The trainings that ended, by their place: a `Fit`; None where it was stopped; what it raised but a divergence."""


class FitsInterrupted(KeyboardInterrupt):
    """Ctrl-C in `fit_many`.

    Attributes:
        fits: those that were finished.
    """

    def __init__(self, fits: Fits, total: int) -> None:
        self.fits = fits
        names = ", ".join(fit.name for fit in fits) or "none"
        super().__init__(f"interrupted; of {total} trainings these are finished, and kept in .fits: {names}")


def fit_many(
    networks: Network | Iterable[Network],
    X: Any,
    y: Any,
    *,
    seeds: int | Iterable[int] | None = None,
    folds: int | None = None,
    settings: Iterable[Mapping[str, Any]] | None = None,
    threads: int | None = None,
    progress: bool | FitsListener = False,
    sample_weight: Any = None,
    **options: Any,
) -> Fits:
    """Train many networks on the same rows, as many at a time as there are cores.

    Every training is that of ``network.fit(X, y, **options)``, to the bit (where BLAS computes, as in the reference
    engine: as it is with one BLAS thread). Networks alone are trained themselves; with `seeds`, `folds` or `settings`
    untrained copies of them are, one for each combination.

    Args:
        networks: one, or several.
        X: inputs ``(N, I)``, as for `Network.fit`.
        y: targets.
        seeds: of the copies: ``20`` for 0 to 19, or a list.
        folds: k: each of k parts of the rows (stratified by class, drawn from the first network's seed) is the
            validation of a copy that trains on the others.
        settings: options of `Network.fit` to try, such as ``[{"batch_size": 8}, {"batch_size": 64}]``.
        threads: trainings at a time; None: one for each core that this process may use.
        progress: whether to show one bar for all; lines in a pipe.
        sample_weight: a weight for each row ``(N,)``.
        options: those of `Network.fit`, but for `callbacks` and `resume`. A validation share is drawn by the seed of
            each network; ``validation=(X, y)`` measures all on the same rows.

    Returns:
        All trainings, and the best of them. One that diverged has its `fault`, and is never the best.

    Raises:
        InputError: when an argument or the data are wrong; nothing was trained then.
        FitsInterrupted: after Ctrl-C, a KeyboardInterrupt; its ``.fits`` are those that were finished.

    >>> import chainrule as cr
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> net = cr.Network([cr.Dense(4, "tanh"), cr.Dense(1, "sigmoid")], loss="binary_cross_entropy")
    >>> fits = cr.fit_many(net, X, y, seeds=5, epochs=300, optimizer=cr.Adam(0.05))
    >>> len(fits), fits.best.network.predict(X).tolist()
    (5, [0, 1, 1, 0])
    """
    start = perf_counter()
    jobs = make_jobs(networks, X, y, seeds, folds, settings, sample_weight, options)
    at_once = _at_once(threads, jobs)
    listener = progress if isinstance(progress, FitsListener) else FitsProgress() if progress else FitsListener()
    with postponed_interrupt() as interruption, _one_blas_thread():
        fits = _run(jobs, at_once, listener, lambda: bool(interruption))
    finished = Fits(fits, seconds=perf_counter() - start, threads=at_once)
    if interruption:
        raise FitsInterrupted(finished, len(jobs))
    return finished


def _at_once(threads: int | None, jobs: list[Job]) -> int:
    """How many trainings at a time, so that no more threads work than asked for, or than there are cores."""
    at_most = cores() if threads is None else checks.whole(threads, "threads", where=WHERE)
    of_one = max(getattr(job.engine, "threads", None) or 1 for job in jobs)
    return max(1, min(at_most // of_one, len(jobs)))


def _run(jobs: list[Job], at_once: int, listener: FitsListener, asked_to_stop: Callable[[], bool]) -> list[Fit]:
    """Do all of them; those that were finished, in order.

    Fold after fold: the trainings on one share its rows.
    """
    stop, done = Event(), _Done()
    fits: dict[int, Fit] = {}
    listener.on_begin(len(jobs), lambda: sum(job.share for job in jobs))
    with ThreadPoolExecutor(at_once) as pool:
        try:
            for place in sorted(range(len(jobs)), key=lambda place: jobs[place].labels.get("fold", 0)):
                pool.submit(_work, jobs[place], place, stop, done)
            for place, fit in _arriving(done, len(jobs), listener, asked_to_stop):
                fits[place] = fit
                listener.on_fit(fit)
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)
            listener.on_end()
    while not done.empty():  # they came to their end while the others were being stopped
        place, ended = done.get()
        if isinstance(ended, Fit):
            fits[place] = ended
    return [fits[place] for place in sorted(fits)]


def _work(job: Job, place: int, stop: Event, done: _Done) -> None:
    """Do one of them, in a thread of the pool."""
    try:
        done.put((place, job.run(stop)))
    except BaseException as fault:  # noqa: BLE001 -- it is raised again by who reads the queue
        done.put((place, fault))


def _arriving(
    done: _Done, count: int, listener: FitsListener, asked_to_stop: Callable[[], bool]
) -> Iterator[tuple[int, Fit]]:
    """Trainings as they end, until all have or somebody asks to stop; what one raised but a divergence is raised."""
    while count and not asked_to_stop():
        listener.on_tick()
        try:
            place, ended = done.get(timeout=_TICK)
        except Empty:
            continue
        count -= 1
        if isinstance(ended, BaseException):
            raise ended
        if ended is not None:
            yield place, ended


def _one_blas_thread() -> AbstractContextManager[object]:
    """BLAS with one thread for each training; left to itself it takes all cores for each of them."""
    from threadpoolctl import threadpool_limits

    limited: AbstractContextManager[object] = threadpool_limits(1, "blas")
    return limited
