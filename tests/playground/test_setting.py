"""What is set on the page: what is refused, and what a link holds."""

from __future__ import annotations

import base64
import zlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chainrule import activations, initializers, losses, optimizers, schedules
from chainrule.errors import ArgumentError
from chainrule.layers import Activation, BatchNorm, Dense, Dropout, LayerNorm, Residual
from chainrule.playground.setting import HiddenLayer, Setting, choices, from_link, stack


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
        {"optimizer": "lbfgs"},  # with a rate, which it has not
        {"optimizer": {"name": "adam", "beta3": 0.1}},
        {"optimizer": {"name": "adam", "beta1": 1.5}},
        {"optimizer": {"beta1": 0.5}},
        {"schedule": {"name": "warm_up", "schedule": "warm_up"}},
        {"loss": {"name": "huber", "delta": -1}},
        {"layers": (HiddenLayer(shortcut=2),)},
        {"layers": (HiddenLayer(), HiddenLayer(shortcut=2), HiddenLayer(shortcut=2))},
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
    "wrong",
    [
        {"units": 0},
        {"units": 10**6},
        {"activation": "tan"},
        {"activation": "auto"},
        {"activation": {"name": "elu", "alpha": "much"}},
        {"init": "x"},
        {"norm": {"name": "batch", "momentum": 2}},
        {"dropout": 1.0},
        {"frozen": ("c",)},
        {"shortcut": -1},
    ],
)
def test_a_wrong_layer_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ArgumentError):
        HiddenLayer(**wrong)


@pytest.mark.slow
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
    assert offered.activations == activations.names()
    assert set(offered.initializers) == {"auto", *initializers.NAMES}
    assert set(offered.losses) == set(losses.names())
    assert offered.optimizers == optimizers.NAMES
    assert offered.schedules == schedules.NAMES


def test_a_shortcut_is_a_residual_and_a_norm_may_stand_before_the_activation() -> None:
    first, second = HiddenLayer(units=4), HiddenLayer(units=2, activation="relu", norm="layer", norm_first=True)
    assert stack([first, replace(second, shortcut=2)]) == [
        Residual((*first.layers(), Dense(2, init=initializers.for_activation("relu")), LayerNorm(), Activation("relu")))
    ]
    inner = replace(first, shortcut=1)
    assert stack([first, replace(inner, shortcut=2), inner]) == [
        Residual((*first.layers(), *first.layers())),
        Residual(first.layers()),
    ]


def test_options_reach_the_librarys_own_records() -> None:
    setting = Setting(
        layers=(
            HiddenLayer(
                activation={"name": "leaky_relu", "leak": 0.3}, bias=False, norm={"name": "batch", "momentum": 0.5}
            ),
        ),
        optimizer={"name": "nesterov", "momentum": 0.5, "clip_norm": 2},
        schedule={"name": "warm_up", "epochs": 3, "schedule": {"name": "cosine", "final": 0.001}},
        lr=0.1,
    )
    dense, norm = setting.hidden()
    assert dense == Dense(6, activations.LeakyReLU(0.3), bias=False)
    assert norm == BatchNorm(momentum=0.5)
    rate = schedules.WarmUp(schedules.Cosine(0.1, final=0.001), epochs=3)
    assert setting.make_optimizer() == optimizers.SGD(rate, momentum=0.5, nesterov=True, clip_norm=2.0)
    assert from_link(setting.link()) == setting


def test_what_is_set_otherwise_is_told_in_words() -> None:
    here, there = Setting(lr=0.1), Setting(lr=0.01, layers=(HiddenLayer(units=3, dropout=0.5),))
    assert here.differences(there) == (("layers", "8 tanh, 6 tanh", "3 tanh dropout 0.5"), ("lr", "0.1", "0.01"))
    assert here.differences(here) == ()


def test_a_change_of_the_training_alone_needs_no_restart() -> None:
    before = Setting()
    assert not msgspec.structs.replace(before, lr=0.5, optimizer="sgd", batch_size=8, l2=0.1).needs_restart(before)
    for change in ({"seed": 1}, {"data": "moons"}, {"layers": ()}, {"noise": 0.5}):
        assert msgspec.structs.replace(before, **change).needs_restart(before)
