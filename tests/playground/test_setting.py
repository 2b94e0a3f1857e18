"""What is set on the page: what is refused, and what a link holds."""

from __future__ import annotations

import base64
import zlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule import activations, initializers, losses, optimizers, schedules
from chainrule.errors import ArgumentError
from chainrule.layers import BatchNorm, Dense, Dropout
from chainrule.playground.setting import HiddenLayer, Setting, choices, from_link


def test_a_hidden_layer_is_the_librarys_own_layers() -> None:
    layer = HiddenLayer(units=5, activation="relu", init="he_normal", norm="batch", dropout=0.25)
    assert layer.layers() == (Dense(5, "relu", init="he_normal"), BatchNorm(), Dropout(0.25))


@pytest.mark.parametrize(
    "wrong",
    [
        {"noise": -1.0},
        {"training_share": 0.0},
        {"training_share": 1.5},
        {"epochs": 10**9},
        {"optimizer": "lbfgs"},
        {"optimizer": "sgdd"},
        {"loss": "none"},
        {"lr": -0.1},
        {"layers": (HiddenLayer(),) * 99},
    ],
)
def test_what_is_out_of_range_is_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(ArgumentError):
        Setting(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"units": 0}, {"units": 10**6}, {"activation": "tan"}, {"init": "x"}, {"dropout": 1.0}]
)
def test_a_wrong_layer_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ArgumentError):
        HiddenLayer(**wrong)


@given(
    st.lists(st.builds(HiddenLayer, units=st.integers(1, 200), dropout=st.floats(0, 0.9)), max_size=6),
    st.integers(0, 2**31),
    st.text(max_size=20),
)
@settings(max_examples=30)
def test_a_link_gives_the_setting_back(layers: list[HiddenLayer], seed: int, data: str) -> None:
    setting = Setting(layers=tuple(layers), seed=seed, data=data, lr=None)
    assert from_link(setting.link()) == setting


def test_links_that_are_none_are_refused() -> None:
    bomb = base64.urlsafe_b64encode(zlib.compress(b" " * 10_000_000)).decode()
    unknown = base64.urlsafe_b64encode(zlib.compress(msgspec.json.encode({"nose": 1}))).decode()
    for text in ("", "x", "*" * 50, "A" * 100_000, bomb, unknown, "eJwDAAAAAAE"):
        with pytest.raises(ArgumentError):
            from_link(text)


def test_the_page_offers_all_that_the_library_has() -> None:
    offered = choices()
    assert set(activations.names()) - set(offered.activations) == {"softmax"}
    assert set(offered.initializers) == {"auto", *initializers.NAMES}
    assert set(offered.losses) == set(losses.names())
    assert set(optimizers.NAMES) - set(offered.optimizers) == {"lbfgs"}
    assert offered.schedules == schedules.NAMES


def test_a_change_of_the_training_alone_needs_no_restart() -> None:
    before = Setting()
    assert not msgspec.structs.replace(before, lr=0.5, optimizer="sgd", batch_size=8, l2=0.1).needs_restart(before)
    for change in ({"seed": 1}, {"data": "moons"}, {"layers": ()}, {"noise": 0.5}):
        assert msgspec.structs.replace(before, **change).needs_restart(before)
