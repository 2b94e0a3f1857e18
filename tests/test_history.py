"""The history as a table and as a picture."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import polars as pl
import pytest
from matplotlib.image import imread

import chainrule as cr
from chainrule.history import History
from chainrule.plotting import check_picture_path

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 3))
Y = np.where(X[:, 0] > 0, "up", "down")


def fitted(epochs: int = 6, **options: Any) -> History:
    net = cr.Network([cr.Dense(2, "softmax")])
    return net.fit(X, Y, epochs=epochs, **{"validation": 0.3, "metrics": ["accuracy", "roc_auc"], **options})


def test_the_table_has_a_row_for_each_epoch() -> None:
    history = fitted()
    frame = history.to_frame()
    assert isinstance(frame, pl.DataFrame)
    assert frame.columns == [
        "epoch",
        "loss",
        "validation_loss",
        "validation_accuracy",
        "validation_roc_auc",
        "rate",
        "seconds",
    ]
    assert frame["epoch"].to_list() == [1, 2, 3, 4, 5, 6] == [record.epoch for record in history]
    assert (
        frame["validation_loss"].to_list()
        == history["validation_loss"]
        == [r.scores["validation_loss"] for r in history]
    )
    assert frame["seconds"].is_sorted()
    assert 0 < frame["seconds"][-1] <= history.seconds
    assert "<table" in history._repr_html_()


def test_a_penalty_has_a_column_where_there_is_one() -> None:
    net = cr.Network([cr.Dense(2, "softmax")], l2=0.5)
    history = net.fit(X, Y, epochs=3, validation=0.3)
    assert history.to_frame().columns == ["epoch", "loss", "validation_loss", "penalty", "rate", "seconds"]
    assert history["objective"] == np.add(history["loss"], history["penalty"]).tolist()
    assert len(history.plot().axes) == 1
    plain = fitted(epochs=2)
    assert plain["penalty"] == [0.0, 0.0]
    assert plain["objective"] == plain["loss"]


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(KeyError, match=r"acuracy.*there are: epoch, loss, validation_loss"):
        fitted()["acuracy"]


def test_it_tells_itself_in_a_line() -> None:
    history = fitted()
    assert repr(history).startswith("History of 6 epochs in ")
    assert f"loss {history['loss'][-1]:.6g}, validation_loss" in repr(history)
    assert f"best epoch {history.best_epoch}" in repr(history)
    assert repr(History([], best_epoch=0, stopped="", seconds=0.0)) == "History of no epochs"


def test_a_history_of_no_epochs_is_an_empty_table() -> None:
    empty = History([], best_epoch=0, stopped="", seconds=0.0)
    assert empty.to_frame().shape == (0, 4)
    assert len(empty) == 0


def test_the_picture_says_what_it_shows() -> None:
    history = fitted()
    losses, scores = history.plot().axes
    assert (losses.get_xlabel(), losses.get_ylabel(), scores.get_ylabel()) == ("epoch", "loss", "score")
    lines = {line.get_label(): line for line in losses.lines}
    assert set(lines) == {"training loss", "validation loss", f"best epoch {history.best_epoch}"}
    assert list(lines["training loss"].get_ydata()) == history["loss"]
    assert list(lines["validation loss"].get_xdata()) == [1, 2, 3, 4, 5, 6]
    assert {line.get_label() for line in scores.lines} >= {"validation accuracy", "validation roc auc"}
    assert [text.get_text() for text in losses.get_legend().get_texts()] == list(lines)


def test_one_panel_is_enough_without_scores() -> None:
    assert len(fitted(metrics=()).plot().axes) == 1


@pytest.mark.parametrize(
    ("ending", "options", "epochs"),
    [
        ("png", {}, 1),
        ("PNG", {}, 2),
        ("pdf", {}, 2),
        ("svg", {}, 1),
        ("svg", {"validation": None}, 2),
        ("svg", {"validation": None}, 1),
        ("svg", {"metrics": ()}, 2),
        ("svg", {"metrics": ()}, 1),
    ],
)
def test_the_picture_is_written(tmp_path: Any, ending: str, options: dict[str, Any], epochs: int) -> None:
    path = tmp_path / f"curves.{ending}"
    fitted(epochs, **options).plot(path)
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending.lower()]
    assert path.read_bytes().startswith(start)
    if ending.lower() == "png":
        pixels = imread(path)
        assert pixels.shape[0] > 300
        assert pixels.std() > 0.01  # not blank
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_undefined_scores_and_no_epochs_can_be_drawn() -> None:
    net = cr.Network([cr.Dense(2, "softmax")])
    net.fit(X, Y, epochs=3, validation=(X[:1], Y[:1]), metrics="roc_auc").plot()
    History([], best_epoch=0, stopped="", seconds=0.0).plot()


def test_losses_over_decades_are_drawn_on_a_logarithmic_axis() -> None:
    net = cr.Network([cr.Dense(1)], "mean_squared_error", dtype="float64")
    history = net.fit(X, X[:, 0], epochs=60, optimizer=cr.SGD(0.3))
    assert history["loss"][0] / history["loss"][-1] > 100
    assert history.plot().axes[0].get_yscale() == "log"
    assert fitted().plot().axes[0].get_yscale() == "linear"


def test_an_ending_of_no_picture_is_told(tmp_path: Any) -> None:
    for name in ("curves.jpg", "curves", "png"):
        with pytest.raises(cr.ArgumentError, match=r"plot: path: expected a name ending in \.png, \.svg, \.pdf"):
            fitted().plot(tmp_path / name)
        with pytest.raises(cr.ArgumentError):
            check_picture_path(name)
    with pytest.raises(cr.StorageError, match=r"curves\.png: could not be written: No such file or directory"):
        fitted().plot(tmp_path / "nowhere" / "curves.png")
    assert list(tmp_path.iterdir()) == []


def test_pyplot_is_not_touched() -> None:
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    fitted().plot()
    assert plt.get_fignums() == before


# ---- in a model file -------------------------------------------------------------------------------------------------


def saved(history: History, tmp_path: Any) -> History:
    net = cr.Network([cr.Dense(1)], n_inputs=1)
    net.history = history
    net.save(tmp_path / "m.safetensors")
    again = cr.load(tmp_path / "m.safetensors").history
    assert again is not None
    return again


def test_a_model_file_tells_it_without_times(tmp_path: Any) -> None:
    history = fitted(early_stopping=cr.EarlyStopping(2, monitor="validation_roc_auc"), epochs=30)
    again = saved(history, tmp_path)
    assert history.stopped
    assert again.names == history.names
    assert all(again[name] == history[name] for name in again.names if name != "seconds")
    assert (again.best_epoch, again.stopped, again.settings) == (history.best_epoch, history.stopped, history.settings)
    assert again.seconds == again["seconds"][-1] == 0.0
    assert " s:" not in repr(again)


def test_scores_that_are_undefined_stay_so(tmp_path: Any) -> None:
    first = fitted(epochs=1, metrics=["roc_auc"], validation=(X[:2], ["up", "up"]))
    assert np.isnan(saved(first, tmp_path)["validation_roc_auc"]).all()


def test_of_many_epochs_it_keeps_the_first_the_best_and_the_last(tmp_path: Any) -> None:
    net = cr.Network([cr.Dense(2, "softmax")])
    history = net.fit(X, Y, epochs=5000, batch_size=None)
    kept = saved(History(history.epochs, best_epoch=777, stopped="", seconds=1.0, settings=history.settings), tmp_path)
    assert len(kept) <= 501
    assert {1, 777, *range(4981, 5001)} <= set(kept["epoch"])
    assert max(np.diff(kept["epoch"])) <= 11
    assert all(record.loss == history["loss"][record.epoch - 1] for record in kept)


def test_a_copy_holds_no_rows() -> None:
    X, y = np.zeros((500, 40), np.float32), np.arange(500) % 2
    net = cr.Network([cr.Dense(2, "softmax")])
    history = net.fit(X, y, epochs=1)
    assert history.trained is not None
    assert history.trained.data.X is X  # nothing is kept twice
    assert len(pickle.dumps(net)) < 10_000
    again = copy.deepcopy(net).history
    assert again is not None
    assert (again.trained, again["loss"]) == (None, history["loss"])
