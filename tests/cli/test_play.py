"""``chainrule play``: what it serves, and what it refuses before anything is served."""

from __future__ import annotations

import socket

import numpy as np
import pytest
from msgspec.structs import replace

import chainrule as cr
from chainrule.cli import play
from chainrule.playground import experiment
from chainrule.playground.models import begun_with
from chainrule.playground.tables import Sources


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What would have been served."""
    calls: list[dict[str, object]] = []
    monkeypatch.setattr("chainrule.playground.server.serve", lambda app, **where: calls.append({"app": app, **where}))
    monkeypatch.setattr(play, "_open_soon", lambda address: calls.append({"opened": address}))
    return calls


def test_the_address_is_printed_with_its_token_and_no_browser_opens(call, served) -> None:
    done = call("play", "--no-browser", "--port", "0", "--token", "a-token-of-mine")
    assert done.code == 0
    (serving,) = served
    assert serving["host"] == "127.0.0.1"
    assert f"http://127.0.0.1:{serving['port']}/?token=a-token-of-mine" in done.out


def test_the_browser_opens_at_the_address(call, served) -> None:
    done = call("play", "iris", "--port", "0")
    opened = served[0]["opened"]
    assert str(opened) in done.out
    assert len(str(opened).partition("token=")[2]) >= 32


def test_a_port_that_is_taken_gives_way_to_the_next(call, served) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert call("play", "--no-browser", "--port", str(port)).code == 0
    assert served[0]["port"] != port


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--port", "99999"), "--port"),
        (("--token", "short"), "--token"),
        (("nothing-here.csv",), "nothing-here.csv"),
        (("irs",), "Did you mean 'iris'"),
        (("iris", "--target", "specis"), "Did you mean 'species'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_served(call, served, arguments, words) -> None:
    done = call("play", "--no-browser", *arguments)
    assert done.code == 2
    assert words in done.err
    assert not served


def test_a_model_begins_with_its_own_weights_on_its_table(call, served, tmp_path) -> None:
    call(
        "train",
        "iris",
        "--layers",
        "5,3",
        "--norm",
        "layer",
        "--dropout",
        "0.1",
        "--epochs",
        "3",
        "--out",
        "m.safetensors",
    )
    assert call("play", "m.safetensors", "iris", "--no-browser", "--port", "0").code == 0
    assert len(served) == 1
    begun = begun_with(cr.load(tmp_path / "m.safetensors"), "iris")
    sources = Sources({}, begun)
    made = experiment.make(begun.setting, sources)
    model = cr.load(tmp_path / "m.safetensors")
    assert np.array_equal(made.network.theta, model.network.theta)
    assert made.rows.columns == model.columns
    assert [layer.units for layer in begun.setting.layers] == [5, 3]
    other = experiment.make(replace(begun.setting, seed=5), sources)
    assert not np.array_equal(other.network.theta, model.network.theta)


def test_a_model_without_a_table_or_two_tables_are_refused(call, served) -> None:
    call("train", "iris", "--epochs", "1", "--out", "m.safetensors")
    assert "needs a table" in call("play", "m.safetensors").err
    assert "A table alone" in call("play", "iris", "wine").err
    assert not served
