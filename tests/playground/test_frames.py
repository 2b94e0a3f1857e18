"""Frames: their numbers are those of the library, whatever the view."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from chainrule.insight.passes import run
from chainrule.layers import PREDICTION
from chainrule.playground import experiment as experiments
from chainrule.playground.asks import View
from chainrule.playground.frames import Packer, Stage, as_bytes, draw, read_frame
from chainrule.playground.moment import Moment
from chainrule.playground.setting import HiddenLayer, Setting
from chainrule.playground.tables import Sources

WIDE = Setting(
    data="iris", layers=(HiddenLayer(units=23, norm="batch", dropout=0.2), HiddenLayer(units=4, activation="relu"))
)


def moment_of(setting: Setting) -> Moment:
    """The moment before the first step."""
    made = experiments.make(setting, Sources())
    return Moment(1, 1, "paused", "", 0, 0, 0, 0, made.network.theta.copy(), made, [], 0)


@pytest.mark.parametrize("data", ["iris", "digits", "sine", "spirals", "penguins"])
@pytest.mark.parametrize("side", ["forward", "backward"])
def test_every_kind_of_table_can_be_drawn_both_ways(data: str, side: str) -> None:
    moment = moment_of(replace(WIDE, data=data))
    head, arrays = read_frame(draw(moment, Stage(moment.experiment, View(side=side, row=1, x=999, y=999))))
    assert head["row"] == 1
    assert ("dW0" in arrays) == (side == "backward")
    for layer, (_, count) in enumerate(head["shown"][1:], start=1):
        assert arrays[f"value{layer}"].shape == (count,)


def test_the_window_of_a_wide_layer_shows_its_units() -> None:
    moment = moment_of(WIDE)
    theta = moment.experiment.network.parameters
    head, arrays = read_frame(draw(moment, Stage(moment.experiment, View(windows={"1": 20}))))
    assert head["shown"][1] == [20, 3]
    assert np.array_equal(arrays["W0"], theta["dense_1.W"][:, 20:23])
    assert np.array_equal(arrays["W1"], theta["dense_2.W"][20:23])
    assert np.array_equal(arrays["b0"], theta["dense_1.b"][20:23])
    assert len(arrays["strip1"]) == 23  # none is left out of the summary
    assert draw(moment, Stage(moment.experiment, View(windows={"1": 10**9, "7": -3, "x": 1})))


def test_gradients_and_deltas_of_a_row_are_those_of_both_passes() -> None:
    moment = moment_of(WIDE)
    network = moment.experiment.network
    X, t = moment.experiment.rows.every()
    _, arrays = read_frame(draw(moment, Stage(moment.experiment, View(side="backward", row=7))))
    _, gradient = network.loss_and_gradient(X[7:8], t[7:8])
    assert np.allclose(arrays["dW1"], gradient["dense_2.W"][:10], rtol=1e-5)
    both = run(network.objective, network.theta, network.read(X[7:8], t[7:8], where="test").data(), PREDICTION)
    delta = next(node.dY for node in both.nodes if node.name == "dense_2")
    assert np.allclose(arrays["delta2"], delta[0], rtol=1e-5)


def test_the_surface_is_what_the_network_answers_there() -> None:
    moment = moment_of(replace(WIDE, data="spirals", layers=(HiddenLayer(units=4),)))
    rows, network = moment.experiment.rows, moment.experiment.network
    _, arrays = read_frame(draw(moment, Stage(moment.experiment, View())))
    side = arrays["surface"].shape[0]
    across, up = rows.axes
    corner = network.forward([[across.high, up.high]])[0, 0]  # upper right
    assert abs(int(arrays["surface"][0, side - 1]) - (128 + 127 * (2 * corner - 1))) <= 1
    below = network.forward([[across.low, up.low]])[0, 0]
    assert abs(int(arrays["surface"][side - 1, 0]) - (128 + 127 * (2 * below - 1))) <= 1


def test_weights_that_are_not_finite_draw_nothing_and_break_nothing() -> None:
    moment = moment_of(WIDE)
    moment.theta[:] = np.nan
    head, arrays = read_frame(draw(moment, Stage(moment.experiment, View(side="backward", row=0))))
    assert set(np.unique(arrays["heat1"])) == {128}
    assert head["answer"]["shares"] == [0.0, 0.0, 0.0]


def test_bytes_reach_from_end_to_end() -> None:
    assert as_bytes(np.array([-1.0, 0.0, 1.0, 9.0, np.nan]), 0.0, 1.0).tolist() == [1, 128, 255, 255, 128]


def test_a_frame_is_read_as_it_was_packed() -> None:
    packer = Packer()
    packer.add("a", np.arange(5, dtype=np.uint8))
    packer.add("b", np.ones((2, 3), np.float32))
    head, arrays = read_frame(packer.pack({"words": "é"}))
    assert head["words"] == "é"
    assert arrays["a"].tolist() == [0, 1, 2, 3, 4]
    assert arrays["b"].tolist() == [[1, 1, 1], [1, 1, 1]]


def test_of_one_input_the_answer_is_a_curve() -> None:
    moment = moment_of(replace(WIDE, data="sine"))
    rows, network = moment.experiment.rows, moment.experiment.network
    _, arrays = read_frame(draw(moment, Stage(moment.experiment, View())))
    assert "surface" not in arrays
    x = np.linspace(rows.axes[0].low, rows.axes[0].high, arrays["line"].shape[1])
    low, high = rows.training[1].min(), rows.training[1].max()
    assert arrays["line"][0] * (high - low) + low == pytest.approx(network.predict(x[:, None]), abs=1e-4)
