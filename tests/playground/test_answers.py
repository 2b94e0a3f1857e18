"""Answers of the page: the numbers of the library, beside an independent count."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ArgumentError
from chainrule.playground import answers, diagnosing
from chainrule.playground import experiment as experiments
from chainrule.playground.finished import Finished
from chainrule.playground.moment import Moment
from chainrule.playground.setting import HiddenLayer, Setting
from chainrule.playground.tables import Sources
from chainrule.records import Epoch

IRIS = Setting(data="iris", layers=(HiddenLayer(units=3),))


def moment_of(setting: Setting) -> Moment:
    made = experiments.make(setting, Sources())
    return Moment(1, 1, "paused", "", 0, 0, 0, 0, made.network.theta.copy(), made, [], 0)


@pytest.fixture(scope="module")
def iris() -> Moment:
    return moment_of(IRIS)


@pytest.mark.parametrize("row", [None, 0, 149])
def test_why_a_gradient_is_what_it_is(iris: Moment, row: int | None) -> None:
    told = answers.why(iris, "dense_1.W[2, 1]", row)
    assert told.gradient == pytest.approx(told.difference, rel=1e-6)
    network = iris.experiment.network
    assert told.value == pytest.approx(float(network.parameters["dense_1.W"][2, 1]))
    if row is not None:
        X, t = iris.experiment.rows.every()
        _, gradient = network.loss_and_gradient(X[row : row + 1], t[row : row + 1])
        assert told.gradient == pytest.approx(float(gradient["dense_1.W"][2, 1]), rel=1e-4, abs=1e-8)


def test_what_is_not_there_cannot_be_asked_about(iris: Moment) -> None:
    for name in ("dense_9.W[0, 0]", "dense_1.W[9, 9]", "dense_1.W", "", "dense_1.W[0"):
        with pytest.raises(ArgumentError):
            answers.why(iris, name, None)
        with pytest.raises(ArgumentError):
            answers.place_of(iris.experiment, name)
    with pytest.raises(ArgumentError):
        answers.why(iris, "dense_1.W[0, 0]", 150)


def test_the_place_of_an_address_is_that_of_theta(iris: Moment) -> None:
    name, index, place = answers.place_of(iris.experiment, "dense_2.W[1, -1]")
    assert (name, index) == ("dense_2.W", (1, 2))
    assert iris.theta[place] == iris.experiment.network.parameters["dense_2.W"][1, 2]


def test_the_confusion_matrix_counts_the_rows(iris: Moment) -> None:
    told = answers.results_of(iris, held=True)
    X, t = iris.experiment.rows.data(held=True)
    answered = iris.experiment.network.forward(X).argmax(axis=1)
    assert sum(map(sum, told.confusion)) == len(X) == told.rows
    right = float((answered == t).mean())
    assert dict(told.scores)["accuracy"] == f"{right:.1%}"
    for actual in range(3):
        for predicted in range(3):
            count = int(((t == actual) & (answered == predicted)).sum())
            assert told.confusion[actual][predicted] == count


def test_values_are_told_in_the_units_of_the_table() -> None:
    sine = moment_of(Setting(data="sine", layers=(HiddenLayer(units=3),)))
    told = answers.results_of(sine, held=False)
    assert told.part == "training"
    assert max(told.actual) == pytest.approx(sine.experiment.rows.frame["target"].max(), abs=0.2)
    rows = sine.experiment.rows
    place = rows.places[0][told.places[5]]
    assert told.actual[5] == pytest.approx(rows.frame["target"][int(place)], abs=1e-5)


def test_the_rows_of_the_table_know_their_numbers(iris: Moment) -> None:
    page = answers.page_of(iris.experiment, 100)
    assert (page.first, page.total, len(page.rows)) == (100, 150, 50)
    _, t = iris.experiment.rows.every()
    for line, number in zip(page.rows, page.numbers, strict=True):
        assert line[-1] == iris.experiment.rows.columns.classes[t[number]]
    assert answers.page_of(iris.experiment, 10**9).rows


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    records = [Epoch(k, k, float(k), 0.0, 0.1, 0.0, {"validation_loss": np.nan}, best=False) for k in range(1, 5001)]
    curve = answers.curve_of("run", [Finished(record.epoch, record) for record in records])
    assert len(curve.epochs) <= 400
    assert (curve.epochs[0], curve.epochs[-1]) == (1.0, 5000.0)
    assert curve.series["loss"][-1] == 5000.0
    assert curve.series["validation_loss"][0] is None
    assert answers.curve_of("none", []).epochs == ()


def test_a_diagnosis_on_the_page_is_that_of_the_library_and_its_remedy_can_be_tried() -> None:
    sick = Setting(data="iris", layers=(HiddenLayer(units=30, activation="sigmoid", init="normal"),), scaling="none")
    moment = moment_of(sick)
    diagnosed = diagnosing.diagnose(moment)
    X, t = moment.experiment.rows.training
    settings = moment.experiment.training.settings
    found = cr.diagnose(
        moment.experiment.model(moment.theta).network, X, t, optimizer=settings.optimizer, batch_size=32
    )
    assert [finding.rule for finding in diagnosed.told.findings] == list(found.rules)
    with pytest.raises(ArgumentError):
        diagnosed.tried(99, 0)


@pytest.mark.slow
def test_a_remedy_is_tried_and_compared() -> None:
    sick = Setting(data="iris", layers=(HiddenLayer(units=30, activation="sigmoid", init="normal"),), scaling="none")
    diagnosed = diagnosing.diagnose(moment_of(sick))
    ready = [
        (f, r)
        for f, finding in enumerate(diagnosed.told.findings)
        for r, cure in enumerate(finding.remedies)
        if cure.ready
    ]
    tried = diagnosed.tried(*ready[0])
    assert len(tried.before.epochs) == len(tried.after.epochs) > 10
    assert "as it was" in tried.words
