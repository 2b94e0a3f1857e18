"""The run that a page shows and, once it was forked, the one beside it: both take the steps that are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from chainrule.errors import ArgumentError
from chainrule.playground.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.playground.tables import Sources


class Runs:
    """One worker, or two.

    Args:
        sources: the tables that settings may name.
        told: called in the thread of each worker; see `Worker`.

    Attributes:
        shown: what the page draws, and what it changes.
        beside: the other one, which stays as it is set.
    """

    def __init__(self, sources: Sources, told: Callable[[Exception | None], Any]) -> None:
        self._sources, self._told = sources, told
        self.shown = Worker(sources, told)
        self.beside: Worker | None = None

    @property
    def every(self) -> tuple[Worker, ...]:
        """Both, the one that is shown first."""
        return (self.shown,) if self.beside is None else (self.shown, self.beside)

    @property
    def are_moving(self) -> bool:
        """Whether there is something new to be seen soon."""
        return any(worker.moment is None or worker.moment.state == "playing" for worker in self.every)

    def fork(self) -> None:
        """From here on two runs: the one that there was is put beside, its twin is shown, to be changed.

        Raises:
            ArgumentError: when there are two already.
        """
        if self.beside is not None:
            raise ArgumentError("there are two runs already", where="fork", mend="End the one beside first")
        self.beside, self.shown = self.shown, Worker(self._sources, self._told)
        self.beside.fork(self.shown)

    def swap(self) -> None:
        """Show the other one.

        Raises:
            ArgumentError: when there is none.
        """
        self.shown, self.beside = self._other(), self.shown

    def part(self) -> None:
        """End the one beside.

        Raises:
            ArgumentError: when there is none.
        """
        self._other().close()
        self.beside = None

    def _other(self) -> Worker:
        if self.beside is None:
            raise ArgumentError("there is one run alone", where="playground", mend="Fork it first")
        return self.beside

    def play(self, speed: float | None) -> None:
        """See `Worker`; likewise the others."""
        for worker in self.every:
            worker.play(speed)

    def pause(self) -> None:
        for worker in self.every:
            worker.pause()

    def step(self, unit: Literal["row", "batch", "epoch"]) -> None:
        for worker in self.every:
            worker.step(unit)

    def seek(self, taken: int) -> None:
        for worker in self.every:
            worker.seek(taken)

    def restart(self) -> None:
        for worker in self.every:
            worker.restart()

    def want(self) -> None:
        for worker in self.every:
            worker.want()

    def close(self) -> None:
        for worker in self.every:
            worker.close()
