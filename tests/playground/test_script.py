"""The Python that is taken away repeats the run to the bit, whatever was changed on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec.structs import replace
from tests.playground.driving import Driver

import chainrule as cr
from chainrule.playground.models import begun_with
from chainrule.playground.script import script_of
from chainrule.playground.setting import DenseLayer, HiddenLayer, Setting
from chainrule.playground.sheets import WORKED_EXAMPLE, setting_of
from chainrule.playground.tables import Sources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from chainrule.playground.moment import Moment

PLAIN = Setting(data="iris", layers=(HiddenLayer(units=3),), epochs=9)
RICH = Setting(
    data="penguins",
    drop=("island",),
    scaling="minmax",
    noise=0.25,
    training_share=0.6,
    layers=(
        HiddenLayer(units=5, activation="relu", norm="layer", dropout=0.25),
        HiddenLayer(units=3, init="he_normal", activation={"name": "leaky_relu", "leak": 0.2}),
        HiddenLayer(units=3, shortcut=1, bias=False),
    ),
    optimizer={"name": "momentum", "momentum": 0.8, "clip_norm": 1.0},
    schedule={"name": "cosine", "final": 0.001},
    loss={"name": "cross_entropy", "reduction": "sum"},
    dtype="float64",
    l2=0.01,
    batch_size=0,
    seed=7,
    epochs=40,
)
SINE = Setting(data="sine", training_share=1.0, epochs=30, output=DenseLayer(activation="tanh", bias=False))
COUNTS = replace(SINE, data="iris", target="petal_width", loss="poisson", output=DenseLayer())


@pytest.fixture
def driver() -> Iterator[Driver]:
    one = Driver()
    yield one
    one.worker.close()


def theta_of(moment: Moment) -> np.ndarray:
    """That of the network which the script makes."""
    names: dict[str, object] = {}
    exec(compile(script_of(moment), "run.py", "exec"), names)  # noqa: S102 -- that is what a person does with it
    return names["network"].theta


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a script writes its network."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("setting", [PLAIN, RICH, SINE, COUNTS], ids=["plain", "rich", "sine", "counts"])
def test_whole_epochs_and_a_part_of_one(driver: Driver, setting: Setting) -> None:
    driver.worker.configure(setting)
    driver.worker.step("epoch", 2)
    driver.worker.step("batch", 1)
    moment = driver.moment()
    assert np.array_equal(theta_of(moment), moment.theta)


def test_changes_on_the_way_and_numbers_put_in_by_hand(driver: Driver) -> None:
    driver.worker.configure(RICH)
    driver.worker.step("epoch", 2)
    driver.worker.configure(replace(RICH, optimizer="adam", lr=0.003))
    driver.worker.step("batch", 3)
    driver.worker.change("dense_1.W", (1, 2), 1 / 3)
    driver.worker.step("epoch", 1)
    driver.worker.configure(replace(RICH, optimizer="adam", lr=0.003, l2=0.5, batch_size=16))
    driver.worker.change("dense_2.b", (0,), -0.5)
    driver.worker.step("batch", 5)
    moment = driver.moment()
    assert np.array_equal(theta_of(moment), moment.theta)
    text = script_of(moment)
    assert "optimizer adam; lr 0.003" in text
    assert "network.parameters['dense_1.W'][1, 2] = 0.3333333333333333" in text


def test_what_was_taken_back_is_not_in_it(driver: Driver) -> None:
    driver.worker.configure(PLAIN)
    driver.worker.step("epoch", 2)
    driver.worker.change("dense_1.W", (0, 0), 9.0)
    driver.worker.step("epoch", 2)
    driver.worker.seek(3)
    moment = driver.moment()
    assert "9.0" not in script_of(moment)
    assert np.array_equal(theta_of(moment), moment.theta)


@pytest.mark.slow
def test_lbfgs_is_repeated_too(driver: Driver) -> None:
    driver.worker.configure(replace(PLAIN, optimizer="lbfgs", lr=None))
    driver.worker.step("batch", 7)
    moment = driver.moment()
    assert np.array_equal(theta_of(moment), moment.theta)


def test_an_exercise_brings_its_own_rows_and_weights() -> None:
    sources = Sources()
    driver = Driver(sources)
    driver.worker.configure(setting_of(sources.sheets[WORKED_EXAMPLE], WORKED_EXAMPLE))
    driver.worker.step("batch", 3)
    moment = driver.moment()
    driver.worker.close()
    assert np.array_equal(theta_of(moment), moment.theta)


def test_a_model_that_it_went_on_with_is_read_again(folder: Path) -> None:
    model = cr.train("iris", layers=4, epochs=2)
    model.save(folder / "model.safetensors")
    begun = begun_with(model, "iris")
    driver = Driver(Sources(begun=begun))
    driver.worker.configure(begun.setting)
    driver.worker.step("epoch", 2)
    moment = driver.moment()
    driver.worker.close()
    assert np.array_equal(theta_of(moment), moment.theta)


def test_a_table_of_ones_own_is_named_and_no_path_of_the_server(folder: Path) -> None:
    driver = Driver(Sources({"own.csv": Sources().table("iris")}))
    driver.worker.configure(replace(PLAIN, data="own.csv"))
    moment = driver.moment()
    driver.worker.close()
    assert "read_table('own.csv')" in script_of(moment)
    assert str(folder.parent) not in script_of(moment)
