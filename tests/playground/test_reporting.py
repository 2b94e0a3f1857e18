"""The report of a run on the page tells of the whole run, its changes included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.playground.driving import Driver

from chainrule.playground.reporting import history_of, layers_of, report_of
from chainrule.playground.setting import HiddenLayer, Setting
from chainrule.playground.sheets import WORKED_EXAMPLE, setting_of
from chainrule.playground.tables import Sources

if TYPE_CHECKING:
    from chainrule.playground.moment import Moment

IRIS = Setting(data="iris", layers=(HiddenLayer(units=3),), batch_size=35)


@pytest.fixture(scope="module")
def changed() -> Moment:
    """A run whose rate was changed within an epoch."""
    driver = Driver()
    driver.worker.configure(IRIS)
    driver.worker.step("epoch", 4)
    driver.worker.step("batch", 2)
    driver.worker.configure(replace(IRIS, lr=0.1))
    driver.worker.step("epoch", 5)
    moment = driver.moment()
    driver.worker.close()
    return moment


def test_epochs_and_steps_are_counted_over_all_changes(changed: Moment) -> None:
    history = history_of(changed)
    assert history["epoch"] == list(range(1, 10))
    assert [record.taken for record in history.epochs] == [3, 6, 9, 12, 17, 20, 23, 26, 29]
    assert history["rate"] == [0.01] * 4 + [0.1] * 5
    assert sum(record.epoch == history.best_epoch for record in history.epochs) == 1
    scores = [record.scores["validation_loss"] for record in history.epochs]
    assert scores[history.best_epoch - 1] == min(scores)


def test_the_layers_are_those_of_the_steps_that_were_kept(changed: Moment) -> None:
    seen = layers_of(changed)
    assert [record.epoch for record in seen.weights if record.name == "dense_1.W"] == list(range(10))
    kept = {entry.taken: entry for entry in changed.entries}[12]
    W = kept.experiment.network.objective.layout.view(kept.theta, "dense_1.W")
    told = next(record for record in seen.weights if record.name == "dense_1.W" and record.epoch == 4)
    assert told.weight == pytest.approx(float((W.astype(float) ** 2).sum() ** 0.5))
    assert told.ratio > 0


@pytest.mark.slow
def test_a_report_is_written_of_a_table_and_of_an_exercise(changed: Moment) -> None:
    told = report_of(changed)
    assert "dense_1.W" in told
    assert "callbacks=Until(15)" in told
    assert "chainrule train" not in told
    sources = Sources()
    driver = Driver(sources)
    driver.worker.configure(setting_of(sources.sheets[WORKED_EXAMPLE], WORKED_EXAMPLE))
    driver.worker.step("epoch", 3)
    assert "R²" in report_of(driver.moment())
    driver.worker.close()
