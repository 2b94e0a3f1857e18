"""The thread of a training: the same bits as `Network.fit`, forward, back and forward again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pytest
from msgspec.structs import replace
from tests.playground.driving import SMALL, Driver, fitted

import chainrule as cr
from chainrule.playground.setting import HiddenLayer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def driver() -> Iterator[Driver]:
    one = Driver()
    yield one
    one.worker.close()


def test_a_run_to_its_end_is_the_fit_of_the_library_to_the_bit(driver: Driver) -> None:
    driver.worker.configure(SMALL)
    driver.worker.play(None)
    while (moment := driver.moment()).state == "playing":
        pass
    assert (moment.state, moment.epoch, moment.taken) == ("finished", 6, 48)
    assert np.array_equal(moment.theta, fitted(SMALL, 6).theta)


def test_a_setting_that_does_not_fit_is_told_and_the_run_is_as_it_was(driver: Driver) -> None:
    driver.worker.configure(SMALL)
    driver.worker.step("batch")
    before = driver.moment()
    driver.worker.configure(replace(SMALL, data="sine", loss="cross_entropy"))
    with pytest.raises(Exception, match="the target holds values"):
        driver.moment()
    after = driver.moment()
    assert (after.taken, after.setup) == (before.taken, before.setup)


def test_a_divergence_is_told_and_the_way_back_is_open(driver: Driver) -> None:
    wild = replace(SMALL, data="sine", optimizer="sgd", lr=1e6, layers=(HiddenLayer(activation="relu"),), epochs=50)
    driver.worker.configure(wild)
    driver.worker.play(None)
    while (moment := driver.moment()).state == "playing":
        pass
    assert moment.state == "diverged"
    assert "not finite" in moment.words
    driver.worker.seek(0)
    back = driver.moment()
    assert (back.state, back.taken) == ("paused", 0)
    assert np.isfinite(back.theta).all()


def test_a_finished_run_can_be_trained_on(driver: Driver) -> None:
    driver.worker.configure(SMALL)
    driver.worker.play(None)
    while driver.moment().state == "playing":
        pass
    driver.worker.play(None)
    while (moment := driver.moment()).state == "playing":
        pass
    assert (moment.epoch, moment.taken) == (12, 96)


def test_a_worker_that_is_closed_ends(driver: Driver) -> None:
    driver.worker.configure(SMALL)
    driver.worker.play(1.0)
    driver.worker.close()
    driver.worker._thread.join(timeout=10)
    assert not driver.worker._thread.is_alive()


class PlantedError(RuntimeError):
    """What nobody foresaw."""


def test_a_fault_of_the_engine_is_told_and_the_way_back_is_open(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.worker.configure(SMALL)
    driver.worker.step("epoch")
    training = driver.moment().experiment.training
    with monkeypatch.context() as broken:
        broken.setattr(training.run, "advance", raising)
        driver.worker.step("batch")
        with pytest.raises(PlantedError):
            driver.moment()
        assert (driver.moment().state, driver.moment().words) == ("failed", "PlantedError: planted")
    driver.worker.seek(3)
    assert (driver.moment().state, driver.moment().taken) == ("paused", 3)
    driver.worker.step("epoch")
    assert np.array_equal(driver.moment().theta, fitted(SMALL, 1).theta)


def test_a_fault_among_epochs_taken_at_once_leaves_the_way_back_open(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.worker.configure(replace(SMALL, epochs=5000))
    experiment = driver.moment().experiment
    with monkeypatch.context() as broken:
        scores = experiment.training.scores
        broken.setattr(experiment.training, "scores", lambda: raising() if experiment.training.ahead else scores())
        driver.worker.play(None)
        with pytest.raises(PlantedError):
            until_it_stands(driver)
        assert driver.moment().state == "failed"
        assert experiment.training.ahead > 0
    driver.worker.seek(0)
    assert (driver.moment().state, driver.moment().taken) == ("paused", 0)
    driver.worker.adjust({"lr": 0.5})
    assert driver.moment().experiment.setting.lr == 0.5


def raising(*_: object) -> NoReturn:
    raise PlantedError("planted")


def until_it_stands(driver: Driver) -> None:
    while driver.moment().state == "playing":
        pass


def test_fields_are_put_into_the_setting_as_it_is_when_it_comes_to_that(driver: Driver) -> None:
    driver.worker.configure(SMALL)
    driver.worker.adjust({"lr": 0.5})
    driver.worker.adjust({"lr": -1.0})
    driver.worker.adjust({"seed": 4})
    with pytest.raises(cr.ChainruleError, match="lr"):
        driver.moment()
    setting = driver.moment().experiment.setting
    assert (setting.lr, setting.seed, setting.layers) == (0.5, 4, SMALL.layers)


def test_a_slider_that_is_dragged_leaves_one_change_behind(driver: Driver) -> None:
    driver.worker.configure(SMALL)
    driver.worker.step("batch", 3)
    for k in range(50):
        driver.worker.change("dense_1.W", (0, 0), k / 10)
        driver.worker.configure(replace(SMALL, lr=0.01 + k / 100))
    driver.worker.change("dense_1.b", (1,), 0.25)
    moment = driver.moment()
    assert [entry.taken for entry in moment.course] == [0, 3]
    put = {(hand.name, hand.place): hand.value for hand in moment.course[-1].hands}
    assert put == {("dense_1.W", (0, 0)): 4.9, ("dense_1.b", (1,)): 0.25}
    assert moment.theta[0] == np.float32(4.9)
