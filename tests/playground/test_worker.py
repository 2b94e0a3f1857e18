"""The thread of a training: the same bits as `Network.fit`, forward, back and forward again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pytest
from msgspec.structs import replace
from tests.playground.driving import Driver

import chainrule as cr
from chainrule.layers import Dense
from chainrule.network import Network
from chainrule.playground.setting import HiddenLayer, Setting
from chainrule.playground.tables import Sources, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = Setting(data="xor", layers=(HiddenLayer(units=3),), epochs=6, batch_size=40, training_share=0.8)


@pytest.fixture
def driver() -> Iterator[Driver]:
    one = Driver()
    yield one
    one.worker.close()


def fitted(setting: Setting, epochs: int) -> Network:
    """The same run by `Network.fit`."""
    rows = read_rows(setting, Sources())
    network = Network([*setting.hidden(), Dense(1, "sigmoid")], "binary_cross_entropy", seed=setting.seed, n_inputs=2)
    network.fit(
        *rows.training,
        epochs=epochs,
        batch_size=setting.batch_size,
        optimizer=setting.settings().make_optimizer(),
    )
    return network


def test_a_run_to_its_end_is_the_fit_of_the_library_to_the_bit(driver: Driver) -> None:
    driver.worker.configure(SMALL)
    driver.worker.play(None)
    while (moment := driver.moment()).state == "playing":
        pass
    assert (moment.state, moment.epoch, moment.taken) == ("finished", 6, 48)
    assert np.array_equal(moment.theta, fitted(SMALL, 6).theta)


def test_steps_and_epochs_are_counted_out(driver: Driver) -> None:
    driver.worker.configure(SMALL)
    driver.worker.step("batch")
    assert driver.moment().taken == 1
    driver.worker.step("epoch")
    moment = driver.moment()
    assert (moment.taken, moment.epoch, moment.step) == (8, 1, 0)
    assert np.array_equal(moment.theta, fitted(SMALL, 1).theta)


@pytest.mark.parametrize("optimizer", ["adam", "momentum", "sgd"])
def test_going_back_and_forward_again_gives_the_same_bits(driver: Driver, optimizer: str) -> None:
    driver.worker.configure(replace(SMALL, optimizer=optimizer, epochs=40, schedule="reduce_on_plateau"))
    seen = {}
    for _ in range(30):
        driver.worker.step("batch")
        moment = driver.moment()
        seen[moment.taken] = moment.theta
    driver.worker.timeline.most_entries = 4  # so that most are reached by training again
    for _ in range(10):
        driver.worker.step("batch")
        moment = driver.moment()
        seen[moment.taken] = moment.theta
    for goal in (7, 33, 0, 12, 40, 39, 1):
        driver.worker.seek(goal)
        moment = driver.moment()
        assert moment.taken == goal
        assert goal == 0 or np.array_equal(moment.theta, seen[goal])
    assert moment.furthest == 40


@pytest.mark.slow
def test_lbfgs_goes_back_and_forward_again_though_its_memory_is_its_own(driver: Driver) -> None:
    driver.worker.configure(replace(SMALL, optimizer="lbfgs", lr=None, epochs=40))
    seen = {}
    for _ in range(12):
        driver.worker.step("batch")
        moment = driver.moment()
        seen[moment.taken] = moment.theta
    for goal in (5, 9, 12, 1, 11):
        driver.worker.seek(goal)
        moment = driver.moment()
        assert (moment.taken, moment.furthest, len(moment.finished)) == (goal, 12, goal)
        assert np.array_equal(moment.theta, seen[goal])
    driver.worker.step("batch")
    assert np.array_equal(driver.moment().theta, seen[12])
    steps, values = driver.worker.timeline.history(0)
    assert len(steps) > 10
    assert values[3] == seen[steps[3]][0]


def test_another_learning_rate_goes_on_from_here_and_back_before_it(driver: Driver) -> None:
    driver.worker.configure(SMALL)
    driver.worker.step("epoch")
    before = driver.moment()
    driver.worker.configure(replace(SMALL, lr=0.5))
    driver.worker.step("epoch")
    after = driver.moment()
    assert (after.taken, after.experiment.setting.lr) == (16, 0.5)
    assert [each.number for each in after.finished] == [1, 2]
    driver.worker.seek(8)
    again = driver.moment()
    assert np.array_equal(again.theta, before.theta)
    driver.worker.seek(3)
    assert driver.moment().experiment.setting.lr == SMALL.lr


def test_a_number_put_in_by_hand_stays_and_the_way_back_leads_before_it(driver: Driver) -> None:
    driver.worker.configure(SMALL)
    driver.worker.step("epoch")
    before = driver.moment()
    driver.worker.change("dense_1.W", (1, 2), 4.5)
    moment = driver.moment()
    layout = moment.experiment.network.objective.layout
    assert layout.view(moment.theta, "dense_1.W")[1, 2] == 4.5
    assert int((moment.theta != before.theta).sum()) == 1
    driver.worker.step("batch")
    driver.worker.seek(4)
    driver.worker.seek(9)
    assert driver.moment().taken == 9
    driver.worker.seek(8)
    assert layout.view(driver.moment().theta, "dense_1.W")[1, 2] == 4.5


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


def test_the_rows_of_a_batch_go_through_one_by_one_before_its_step(driver: Driver) -> None:
    driver.worker.configure(SMALL)
    driver.worker.step("batch")
    order = driver.moment().experiment.training.order(0)
    rows = []
    for place in range(40):
        driver.worker.step("row")
        moment = driver.moment()
        row, here, of = moment.batch_row
        rows.append(row)
        assert (moment.taken, here, of) == (1, place, 40)
    assert rows == order[40:80].tolist()
    driver.worker.step("row")
    moment = driver.moment()
    assert (moment.taken, moment.batch_row) == (2, None)


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
