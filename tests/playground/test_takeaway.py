"""What is taken away works without the page."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.playground.driving import Driver

import chainrule as cr
from chainrule.export import FORMATS
from chainrule.playground.setting import HiddenLayer, Setting
from chainrule.playground.sheets import WORKED_EXAMPLE, setting_of
from chainrule.playground.tables import Sources
from chainrule.playground.takeaway import take, ways

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.playground.moment import Moment

PLAIN = Setting(data="iris", layers=(HiddenLayer(units=3),), epochs=3)


def trained(setting: Setting) -> Moment:
    """The moment after the last epoch."""
    with driven() as driver:
        driver.worker.configure(setting)
        driver.worker.step("epoch", setting.epochs)
        return driver.moment()


@contextmanager
def driven(sources: Sources | None = None) -> Iterator[Driver]:
    driver = Driver(sources)
    try:
        yield driver
    finally:
        driver.worker.close()


def test_the_model_answers_as_the_page_does(tmp_path) -> None:
    moment = trained(PLAIN)
    taken = take("model", moment)
    path = tmp_path / taken.name
    path.write_bytes(taken.content)
    X, _ = moment.experiment.rows.every()
    model = cr.load(path)
    places = np.concatenate(moment.experiment.rows.places).astype(int)
    answers = model.predict(moment.experiment.rows.frame[places])["prediction"].to_list()
    classes = moment.experiment.rows.columns.classes
    assert answers == [classes[k] for k in moment.experiment.network.forward(X).argmax(axis=1)]


@pytest.mark.parametrize("kind", ["json", "numpy", "javascript"])
def test_what_the_registry_of_exports_has_can_be_taken(kind: str) -> None:
    taken = take(kind, trained(PLAIN))
    assert taken.content
    assert taken.name.startswith("iris")


def test_all_formats_are_offered() -> None:
    assert {way.kind for way in ways()} == {"model", "report", "python", *FORMATS}


def test_of_several_targets_the_network_is_taken(tmp_path) -> None:
    sources = Sources()
    with driven(sources) as driver:
        driver.worker.configure(setting_of(sources.sheets[WORKED_EXAMPLE], WORKED_EXAMPLE))
        driver.worker.step("batch")
        moment = driver.moment()
    assert take("numpy", moment).content
    (tmp_path / "network.safetensors").write_bytes(take("model", moment).content)
    assert np.array_equal(cr.load(tmp_path / "network.safetensors").theta, moment.theta)
