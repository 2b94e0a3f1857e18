"""The report on several seeds: what it says, and that it fits a terminal."""

from __future__ import annotations

import msgspec

import chainrule as cr
from chainrule.seeds import SeedsReport, seeds_report


def report(count: int, scores: list[float | None]) -> SeedsReport:
    net = cr.Network([cr.Dense(2, "softmax")])
    fits = cr.fit_many(net, [[0.0], [1.0]], [0, 1], seeds=count, epochs=1, validation=([[0.5]], [1]))
    return seeds_report(fits, scores, part="test", rows=1450, name="accuracy")


def test_each_seed_has_a_line_and_the_best_is_marked() -> None:
    told = report(3, [0.5, 0.25, None])
    lines = str(told).splitlines()
    assert lines[0].split() == ["seed", "validation", "loss", "accuracy", "epochs"]
    marked = [line.split()[0] for line in lines if line.endswith("<- best")]
    best = min(told.seeds, key=lambda each: each.monitored or 9.0)
    assert marked == [str(best.seed)] == [str(told.best)]
    assert [line.split()[2] for line in lines[1:4]] == ["0.5000", "0.2500", "-"]
    foot = [("mean", "0.3750"), ("std", "0.1768"), ("min", "0.2500"), ("max", "0.5000")]
    assert [(line.split()[0], line.split()[2]) for line in lines[-4:]] == foot
    assert max(map(len, lines)) <= 80


def test_of_many_the_foremost_are_listed() -> None:
    told = report(60, [0.5] * 60)
    lines = str(told).splitlines()
    assert lines[41] == "... the first 40 of 60 by validation loss"
    losses = [float(line.split()[1]) for line in lines[1:41]]
    assert losses == sorted(losses)
    assert lines[1].split()[0] == str(told.best)


def test_a_score_that_is_undefined_for_all_is_said_to_be() -> None:
    assert str(report(2, [None, None])).splitlines()[-1].split()[2] == "-"


def test_it_is_a_record() -> None:
    told = report(2, [0.5, 1.0])
    assert msgspec.json.decode(msgspec.json.encode(told), type=SeedsReport) == told
