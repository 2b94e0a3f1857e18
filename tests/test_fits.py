"""What comes out of many trainings: the best, the spread, the tables, the picture."""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.fits import Fit, Fits, spread
from chainrule.history import History
from chainrule.records import Epoch


def fit(candidate: int, values: list[float], *, kept: int | None = None, fault: Any = None, **labels: Any) -> Fit:
    """One that never was, with a validation loss for each epoch and an accuracy of 1 less it."""
    epochs = [
        Epoch(e, e, 9.0, 0.5, 0.1, e / 10, {"validation_loss": v, "validation_accuracy": 1 - v}, best=False)
        for e, v in enumerate(values, 1)
    ]
    return Fit(
        network=cr.Network([cr.Dense(1)]),
        history=History(epochs, best_epoch=1, stopped="", seconds=1.0),
        labels=labels,
        candidate=candidate,
        kept=len(values) if kept is None else kept,
        monitor="validation_loss",
        better={"validation_loss": "lower", "validation_accuracy": "higher"},
        fault=fault,
    )


def fault() -> cr.DivergenceError:
    return cr.DivergenceError(epoch=1, step=1, place="the loss", mend="Try less.")


def fits(*each: Fit) -> Fits:
    return Fits(each, seconds=2.0, threads=2)


def test_the_score_is_that_of_the_weights_that_were_kept() -> None:
    one = fit(0, [0.5, 0.2, 0.4], kept=2)
    assert (one.score(), one.score("validation_accuracy")) == (0.2, 0.8)
    assert fit(0, [0.5, 0.2, 0.4]).score() == 0.4
    assert np.isnan(fit(0, [], fault=fault()).score())


def test_the_best_is_the_lowest_loss_or_the_highest_score() -> None:
    three = fits(fit(0, [0.3], seed=0), fit(1, [0.1], seed=1), fit(2, [0.2], seed=2))
    assert three.best is three[1]
    assert three.best_by("validation_accuracy") is three[1]
    with pytest.raises(cr.ArgumentError, match="Did you mean 'validation_accuracy'"):
        three.best_by("validation_acuracy")


def test_candidates_are_compared_by_their_means() -> None:
    """The single best number is that of a candidate which is worse on the whole."""
    four = fits(fit(0, [0.05], fold=1), fit(0, [0.75], fold=2), fit(1, [0.35], fold=1), fit(1, [0.25], fold=2))
    assert four.best is four[3]
    assert four.compared()["mean"].to_list() == pytest.approx([0.3, 0.4])
    assert four.compared("validation_accuracy")["mean"].to_list() == pytest.approx([0.7, 0.6])


def test_one_that_diverged_is_never_the_best_nor_is_its_candidate() -> None:
    four = fits(fit(0, [0.0], fault=fault(), a=1), fit(0, [0.1], a=1), fit(1, [0.5], a=2), fit(1, [0.7], a=2))
    assert four.best is four[2]
    assert four.failed == [four[0]]
    assert four.spread() == spread([0.1, 0.5, 0.7])
    assert four.compared().rows()[0][:4] == (2, 2, 0, pytest.approx(0.6))


def test_spread_is_that_of_a_sample() -> None:
    values = [0.2, 0.5, 0.3, 0.9]
    of_values = spread(values)
    assert of_values.deviation == pytest.approx(statistics.stdev(values))
    assert (of_values.mean, of_values.least, of_values.most) == (pytest.approx(0.475), 0.2, 0.9)
    assert spread([3.0]).deviation == 0


def test_what_they_did_not_all_monitor_they_are_not_compared_by() -> None:
    nets = [cr.Network([cr.Dense(2, "softmax")], l2=l2) for l2 in (0.0, 1.0)]
    both = cr.fit_many(nets, [[0.0], [1.0]], [0, 1], epochs=1)
    assert [each.monitor for each in both] == ["loss", "objective"]
    assert both.monitor == "loss"


def test_the_summary_has_a_row_for_each_and_a_column_for_each_label() -> None:
    frame = fits(fit(0, [0.3], optimizer=cr.Adam(0.5)), fit(1, [0.1], fault=fault(), batch_size=8)).summary()
    assert frame.columns == [
        "optimizer",
        "batch_size",
        "epochs",
        "kept_epoch",
        "loss",
        "validation_loss",
        "validation_accuracy",
        "penalty",
        "seconds",
        "fault",
    ]
    assert frame["optimizer"].to_list() == ["Adam(rate=0.5)", None]
    assert frame["fault"].to_list()[0] is None
    assert "training diverged" in frame["fault"].to_list()[1]


def test_it_tells_in_a_line_how_they_are() -> None:
    three = fits(fit(0, [0.3], seed=0), fit(1, [0.1], seed=1), fit(2, [0.2], seed=2))
    told = "3 fits in 2 s, 2 at a time: validation_loss 0.2000 ± 0.1 (0.1000 to 0.3000); best: seed 1 (0.1000)"
    assert repr(three) == told
    assert told in three._repr_html_()
    folds = fits(fit(0, [0.3], fold=1), fit(0, [0.1], fold=2))
    assert "validation_loss of the best, the only one: 0.2000" in repr(folds)
    assert repr(fits()) == "0 fits in 2 s, 2 at a time: none of these trainings came to its end"


def test_the_picture_has_all_curves_and_names_the_best(tmp_path: Any) -> None:
    three = fits(fit(0, [0.3, 0.2], seed=0), fit(1, [0.1, 0.05], seed=1), fit(2, [0.2], fault=fault(), seed=2))
    figure = three.plot(tmp_path / "curves.svg")
    losses, scores = figure.axes
    assert [len(axes.lines) for axes in (losses, scores)] == [6, 3]
    strong = [line for line in losses.lines if line.get_alpha() == 1]
    assert [line.get_ydata()[-1] for line in strong] == [9.0, 0.05]
    names = [text.get_text() for text in losses.get_legend().texts]
    assert names == ["training loss, seed 1", "validation loss, seed 1"]
    assert (tmp_path / "curves.svg").stat().st_size > 1000
