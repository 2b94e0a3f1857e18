"""The way back: what is kept, and in how much memory."""

from __future__ import annotations

import numpy as np

from chainrule.playground import experiment as experiments
from chainrule.playground.setting import HiddenLayer, Setting
from chainrule.playground.tables import Sources
from chainrule.playground.timeline import Timeline, entry_of

SMALL = Setting(data="xor", layers=(HiddenLayer(units=3),), batch_size=40)


def filled(most_entries: int = 400, most_bytes: int = 1 << 20, steps: int = 200) -> Timeline:
    """A timeline that was asked to keep every step that is due."""
    timeline = Timeline(most_entries=most_entries, most_bytes=most_bytes)
    running = experiments.make(SMALL, Sources())
    running.training.pace.steps_at_once = 1
    timeline.add(entry_of(running, 0, 0, pinned=True))
    for _ in zip(range(steps), running.training, strict=False):
        taken = running.training.standing.taken
        if timeline.is_due(taken):
            timeline.add(entry_of(running, 0, 0))
    return timeline


def test_the_number_of_entries_is_bounded_and_the_first_stays() -> None:
    timeline = filled(most_entries=10)
    taken = [entry.taken for entry in timeline.entries]
    assert len(taken) <= 10
    assert taken[0] == 0
    assert taken == sorted(taken)
    assert max(np.diff(taken)) <= 2 * timeline.gap
    assert taken[-1] > 200 - 2 * timeline.gap


def test_the_memory_is_bounded() -> None:
    one = filled(steps=0).entries[0].nbytes
    timeline = filled(most_bytes=20 * one)
    assert sum(entry.nbytes for entry in timeline.entries) <= 20 * one


def test_what_is_pinned_is_never_dropped() -> None:
    timeline = filled(most_entries=10, steps=50)
    here = timeline.entries[-1]._replace(pinned=True, taken=51)
    timeline.add(here)
    for taken in range(52, 400):
        if timeline.is_due(taken):
            timeline.add(here._replace(pinned=False, taken=taken))
    assert 51 in [entry.taken for entry in timeline.entries]


def test_the_entry_before_a_step_is_not_after_it() -> None:
    timeline = filled(most_entries=10)
    for goal in range(200):
        entry = timeline.before(goal)
        later = [each.taken for each in timeline.entries if each.taken > entry.taken]
        assert entry.taken <= goal
        assert not later or later[0] > goal


def test_the_history_of_a_number_is_what_it_was() -> None:
    timeline = filled()
    steps, values = timeline.history(2)
    assert steps[0] == 0
    assert values[0] == timeline.entries[0].theta[2]
    assert len(set(values)) > 100
    assert len(timeline.history(2, most=10)[0]) <= 11
