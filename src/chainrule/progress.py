"""How a training is going: a bar on a terminal, plain lines now and then in a pipe."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from chainrule.callbacks import Callback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console
    from rich.table import Table

    from chainrule.records import Epoch, Steps
    from chainrule.training import Training

_LINES = 10  # about so many lines for a whole run in a pipe
_SILENCE = 30.0  # seconds after which a pipe is told something in any case


class ProgressBar(Callback):
    """Shows how a training is going: ``net.fit(X, y, callbacks=[ProgressBar()])``.

    On a terminal or in a notebook a bar: epoch, loss, scores, time left. In a pipe about ten lines for the whole run,
    and one whenever nothing was said for half a minute.

    Args:
        file: where to; standard output unless given.
        console: a rich console, in place of `file`.
    """

    only_watches = True

    def __init__(self, *, file: TextIO | None = None, console: Console | None = None) -> None:
        self._file, self._console = file, console
        self._shown = Callback()

    def on_begin(self, training: Training) -> None:
        from rich.console import Console

        console = self._console or Console(file=self._file)
        self._shown = _Bar(training, console) if _moves(console) else _Lines(console)
        self._shown.on_begin(training)

    def on_steps(self, record: Steps) -> None:
        self._shown.on_steps(record)

    def on_epoch(self, record: Epoch) -> None:
        self._shown.on_epoch(record)

    def on_end(self, training: Training) -> None:
        self._shown.on_end(training)


class Ended(Protocol):
    """What is told of one of many trainings at its end, see `chainrule.fits.Fit`."""

    @property
    def name(self) -> str:
        """``seed 7``."""

    @property
    def labels(self) -> Mapping[str, Any]:
        """``{"seed": 7}``."""

    @property
    def monitor(self) -> str:
        """The score by which it is compared."""

    @property
    def fault(self) -> Exception | None:
        """Why it failed."""

    def score(self, name: str | None = None) -> float:
        """The monitored score."""


class FitsListener:
    """Listens to many trainings that run side by side; override what you need. Called by the thread that began them."""

    def on_begin(self, total: int, done: Callable[[], float]) -> None:
        """Before the first; `done` tells how many of `total` are done, counting parts of those under way."""

    def on_fit(self, fit: Ended) -> None:
        """One came to its end."""

    def on_tick(self) -> None:
        """Some times a second."""

    def on_end(self) -> None:
        """After the last, or an interruption."""


class FitsProgress(FitsListener):
    """Shows how many trainings are going: one bar on a terminal, in a pipe lines as they end.

    Args:
        file: where to; standard output unless given.
        console: a rich console, in place of `file`.
    """

    def __init__(self, *, file: TextIO | None = None, console: Console | None = None) -> None:
        self._file, self._console = file, console
        self._shown = FitsListener()

    def on_begin(self, total: int, done: Callable[[], float]) -> None:
        from rich.console import Console

        console = self._console or Console(file=self._file)
        self._shown = (_FitsBar if _moves(console) else _FitsLines)(console, total, done)
        self._shown.on_begin(total, done)

    def on_fit(self, fit: Ended) -> None:
        self._shown.on_fit(fit)

    def on_tick(self) -> None:
        self._shown.on_tick()

    def on_end(self) -> None:
        self._shown.on_end()


class _FitsBar(FitsListener):
    """A bar drawn some times a second from how much is done."""

    def __init__(self, console: Console, total: int, done: Callable[[], float]) -> None:
        from rich.live import Live

        self._console, self._total, self._done = console, total, done
        self._count, self._last, self._ended, self._start = 0, "", False, monotonic()
        self._live = Live(console=console, get_renderable=self._draw, refresh_per_second=8)

    def on_begin(self, total: int, done: Callable[[], float]) -> None:  # noqa: ARG002 -- it has been told
        self._live.start()

    def on_fit(self, fit: Ended) -> None:
        self._count += 1
        self._last = _outcome(fit)

    def on_end(self) -> None:
        self._ended = True
        self._live.stop()

    def _draw(self) -> Table:
        done, spent = self._done(), monotonic() - self._start
        words = [f"{self._count}/{self._total}", self._last]
        words.append(
            _clock(spent) if self._ended else f"{_clock(spent / done * (self._total - done))} left" if done else ""
        )
        return _bar_row(self._console, self._total, done, words)


class _FitsLines(FitsListener):
    """About twenty lines for all, and one whenever nothing was said for half a minute."""

    def __init__(self, console: Console, total: int, done: Callable[[], float]) -> None:
        self._console, self._total, self._done = console, total, done
        self._count, self._every, self._spoken = 0, _round_up(total / (2 * _LINES)), monotonic()

    def on_fit(self, fit: Ended) -> None:
        self._count += 1
        if fit.fault is not None or self._count % self._every == 0 or self._count in {1, self._total}:
            self._say(_outcome(fit))

    def on_tick(self) -> None:
        if monotonic() - self._spoken >= _SILENCE:
            self._say(f"{100 * self._done() / self._total:.0f} % of the epochs")

    def _say(self, words: str) -> None:
        self._spoken = monotonic()
        _print_line(self._console, f"{self._count:>{len(str(self._total))}}/{self._total}  {words}")


class _Bar(Callback):
    """A bar drawn some times a second from where the training stands; the epochs themselves cost nothing."""

    def __init__(self, training: Training, console: Console) -> None:
        from rich.live import Live

        self._training, self._console, self._ended = training, console, False
        self._live = Live(console=console, get_renderable=self._draw, refresh_per_second=8)

    def on_begin(self, training: Training) -> None:  # noqa: ARG002 -- it has been since the beginning
        self._live.start()

    def on_end(self, training: Training) -> None:  # noqa: ARG002
        self._ended = True
        self._live.stop()

    def _draw(self) -> Table:
        now, epochs = self._training.standing, self._training.settings.epochs
        done = _done(self._training)
        words = [f"{now.epoch}/{epochs}", *(_short(now.epochs[-1]) if now.epochs else [])]
        words.append(_clock(now.seconds) if self._ended else _time_left(self._training, done))
        return _bar_row(self._console, epochs, done, words)


class _Lines(Callback):
    """A line for the first epoch, the last, and some between."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._epochs, self._every, self._last = 0, 1, 0
        self._spoken = monotonic()

    def on_begin(self, training: Training) -> None:
        self._epochs = training.settings.epochs
        self._every = _round_up(self._epochs / _LINES)

    def on_steps(self, record: Steps) -> None:
        if monotonic() - self._spoken >= _SILENCE:
            share = 100 * record.step // record.steps_per_epoch
            self._say(f"{self._place(record.epoch)}  {share} % of its steps  loss {_number(record.loss)}")

    def on_epoch(self, record: Epoch) -> None:
        turn = record.epoch == 1 or record.epoch % self._every == 0
        if turn or monotonic() - self._spoken >= _SILENCE:
            self._tell(record)

    def on_end(self, training: Training) -> None:
        records = training.standing.epochs
        if records and records[-1].epoch != self._last:
            self._tell(records[-1])

    def _tell(self, record: Epoch) -> None:
        self._last = record.epoch
        scores = {"loss": record.loss, **record.scores, **_penalty(record)}
        words = [f"{name.replace('_', ' ')} {_number(value)}" for name, value in scores.items()]
        self._say("  ".join([self._place(record.epoch), *words]))

    def _place(self, epoch: int) -> str:
        return f"epoch {epoch:>{len(str(self._epochs))}}/{self._epochs}"

    def _say(self, line: str) -> None:
        self._spoken = monotonic()
        _print_line(self._console, line)


def _moves(console: Console) -> bool:
    """Whether a line can be drawn again and again."""
    return (console.is_terminal and not console.is_dumb_terminal) or console.is_jupyter


def _bar_row(console: Console, total: float, done: float, words: list[str]) -> Table:
    """A bar, and words beside it."""
    from rich.progress_bar import ProgressBar as Bar
    from rich.table import Table
    from rich.text import Text

    row = Table.grid(padding=(0, 1))
    row.width = console.width - 3  # room for the ^C that a terminal echoes
    row.add_column(ratio=1)
    row.add_column(no_wrap=True)
    bar = Bar(total=total, completed=done, complete_style="cyan", finished_style="green")
    row.add_row(bar, Text("  ".join(filter(None, words))))
    return row


def _print_line(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.file.flush()


def _outcome(fit: Ended) -> str:
    """``seed 7: validation loss 0.0692``."""
    if fit.fault is not None:
        return f"{fit.name}: diverged"
    return f"{fit.name}: {fit.monitor.replace('_', ' ')} {_number(fit.score())}"


def _done(training: Training) -> float:
    """Epochs, and the part of the one under way."""
    now = training.standing
    return now.epoch + now.step / training.steps_per_epoch


def _short(record: Epoch) -> list[str]:
    """Loss and scores in few words: ``loss 0.0121 (validation 0.0692)``, ``accuracy 0.9778``.

    The penalty only where nothing is held out, so that the bar keeps room: there it is part of what is watched.
    """
    scores = dict(record.scores)
    held_out = scores.pop("validation_loss", None)
    scores |= _penalty(record) if held_out is None else {}
    words = [f"loss {_number(record.loss)}"]
    if held_out is not None:
        words = [f"{words[0]} (validation {_number(held_out)})"]
    names = {name: name.removeprefix("validation_").replace("_", " ") for name in scores}
    return words + [f"{names[name]} {_number(value)}" for name, value in scores.items()]


def _penalty(record: Epoch) -> dict[str, float]:
    return {"penalty": record.penalty} if record.penalty else {}


def _time_left(training: Training, done: float) -> str:
    """As long as it took so far, for each epoch that is left at most."""
    if not done:
        return ""
    return f"{_clock(training.seconds / done * (training.settings.epochs - done))} left"


def _clock(seconds: float) -> str:
    """``0:07``, ``12:34``, ``1:02:03``.

    >>> _clock(3723.4)
    '1:02:03'
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _number(value: float) -> str:
    """Four digits, zeros at the end too, so that a line of numbers keeps its width.

    >>> _number(0.98), _number(1234.5678)
    ('0.9800', '1235')
    """
    return f"{value:#.4g}".rstrip(".")


def _round_up(number: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50, ...

    >>> [_round_up(n) for n in (0.3, 3, 10, 71)]
    [1, 5, 10, 100]
    """
    step = 1
    while True:
        for factor in (1, 2, 5):
            if factor * step >= number:
                return factor * step
        step *= 10
