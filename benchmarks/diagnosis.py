"""What the diagnosis costs a training that it watches, and what it costs to ask it afterwards."""

from __future__ import annotations

from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.tables import kept, show, time_text

if TYPE_CHECKING:
    from benchmarks.__main__ import Options

LIMIT = 0.02  # of the time of the training
BLINK = 0.005  # seconds that findings may take after a training however short
TRAININGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("iris", {}),
    ("breast_cancer", {}),
    ("digits", {}),
    ("digits", {"layers": (256, 128)}),
)


class Cost(NamedTuple):
    """Seconds of a training, of what the diagnosis took of them, of the findings when they were asked for, and told."""

    training: float
    watching: float
    asked: float
    told: float


def run(options: Options) -> None:
    """Medians over some trainings of built-in tables with default options."""
    rows, worst, slow = [], 0.0, []
    for name, settings in TRAININGS[: 1 if options.quick else None]:
        costs = [cost(name, settings) for _ in range(options.rounds)]
        training, watching, asked, told = (median(each) for each in zip(*costs, strict=True))
        worst = max(worst, watching / training, told / training)
        if asked > max(BLINK, LIMIT * training):
            slow.append(name)
        title = f"{name}, {settings}" if settings else name
        shares = [f"{time_text(part)}, {part / training:.2%}" for part in (watching, told, asked)]
        rows.append([title, time_text(training), *shares])
    remark = (
        f"Limit of the first two: {LIMIT:.0%} of the training; worst {worst:.2%}: {kept(worst <= LIMIT)}. "
        f"Of the findings: the same, or {time_text(BLINK)} where that is more: {kept(not slow)}."
    )
    columns = ["training", "time", "watching", "watching, with tell=", "findings, when asked"]
    show("The diagnosis of a training", columns, rows, remark=remark)


def cost(name: str, settings: dict[str, Any]) -> Cost:
    """One training, watched, and one of which somebody is told."""
    import chainrule as cr

    watching, telling = cr.Diagnosis(), cr.Diagnosis(tell=lambda _: None)
    model = cr.train(name, callbacks=[watching], **settings)
    begin = perf_counter()
    _ = watching.findings
    asked = perf_counter() - begin
    cr.train(name, callbacks=[telling], **settings)
    history = model.history
    return Cost(history.seconds if history else 0.0, watching.cost, asked, telling.cost)
