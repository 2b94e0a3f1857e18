"""The view in a notebook: its protocol, without Jupyter; and the page as one document."""

from __future__ import annotations

import queue
import re
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.playground.frames import read_frame
from chainrule.playground.standalone import document

pytest.importorskip("anywidget", reason="anywidget is not installed")

from msgspec import json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.playground.notebook import View

X = np.random.default_rng(0).normal(size=(60, 2))
LABELS = np.where(X[:, 0] * X[:, 1] > 0, "same", "other")


@pytest.fixture
def net() -> cr.Network:
    net = cr.Network([cr.Dense(3, "tanh"), cr.Dense(1, "sigmoid")], loss="binary_cross_entropy", seed=1)
    net.fit(X, LABELS, epochs=2)
    return net


class Page:
    """What a browser would do: it says what it asks, and hears what is told."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.heard: queue.SimpleQueue[tuple[dict[str, Any], list[bytes] | None]] = queue.SimpleQueue()
        view.send = lambda content, buffers=None: self.heard.put((content, buffers))
        self.say(kind="open")
        assert self.heard.get(timeout=10)[0]["kind"] == "document"
        self.say(kind="attend")

    def say(self, *buffers: bytes, **content: Any) -> None:
        self.view._handle_custom_msg(content, [memoryview(each) for each in buffers])

    def ask(self, kind: str, *buffers: bytes, **fields: Any) -> None:
        self.say(*buffers, kind="asked", text=json.encode({"kind": kind, **fields}).decode())

    def until(self, kind: str, **wanted: Any) -> tuple[dict[str, Any], bytes]:
        """The next that is told of this kind, and the bytes that came with it."""
        while True:
            content, buffers = self.heard.get(timeout=20)
            given = b"" if not buffers else buffers[0]
            if content["text"] is None:
                told = read_frame(given)[0]
                self.ask("drawn")
            else:
                told = json.decode(content["text"])
            if told["kind"] == kind and all(told[name] == value for name, value in wanted.items()):
                return told, given


@pytest.fixture
def page(net: cr.Network) -> Iterator[Page]:
    one = Page(net.view(lr=0.25))
    yield one
    one.view.close()


def test_it_begins_with_the_weights_and_the_rows_of_the_network(page: Page, net: cr.Network) -> None:
    setup, _ = page.until("setup")
    assert setup["setting"]["lr"] == 0.25
    assert setup["classes"] == ["other", "same"]
    assert page.until("frame")[0]["taken"] == 0
    assert np.array_equal(page.view.network.theta, net.theta)
    assert page.view.network.predict(X).tolist() == net.predict(X).tolist()


def test_it_trains_a_copy_which_can_be_had(page: Page, net: cr.Network) -> None:
    before = net.theta.copy()
    page.ask("step", unit="epoch")
    page.until("frame", epoch=1)
    assert np.array_equal(net.theta, before)
    assert not np.array_equal(page.view.network.theta, before)
    assert page.view.model.predict(pl.DataFrame({"x1": X[:, 0], "x2": X[:, 1]})).height == 60


def test_files_come_and_go_without_a_server(page: Page, tmp_path: Any) -> None:
    page.ask("take", call="a", what="model")
    told, given = page.until("answer", call="a")
    assert told["name"] == "data.safetensors"
    (tmp_path / told["name"]).write_bytes(given)
    assert cr.load(tmp_path / told["name"]).network.theta.size == 13
    page.ask("upload", b"a,b\n1,2\n3,4\n", call="b", name="own.csv")
    welcome, _ = page.until("welcome", is_new=False)
    assert "own.csv" in [source["name"] for source in welcome["sources"]]
    assert page.until("answer", call="b")[0]["name"] == "own.csv"
    page.ask("upload", b"", call="c", name="own.exe")
    assert "own.exe" in page.until("answer", call="c")[0]["fault"]
    page.ask("take", call="d", what="nothing")
    assert "nothing" in page.until("answer", call="d")[0]["fault"]


@pytest.mark.parametrize("text", ["nonsense", '{"kind": "fly"}', '{"kind": "take"}', '{"kind": "upload", "call": 7}'])
def test_a_broken_message_is_answered_and_the_view_lives_on(page: Page, text: str) -> None:
    page.say(kind="asked", text=text)
    assert page.until("fault")[0]["words"]
    page.say(kind="whatever")
    page.ask("step")
    assert page.until("frame", taken=1)[0]["state"] == "paused"


def test_a_page_that_is_shown_again_goes_on_where_it_was(page: Page) -> None:
    page.ask("play", speed=50.0)
    page.until("frame", state="playing", taken=2)
    page.say(kind="leave")
    page.say(kind="attend")
    assert page.until("welcome")[0]["is_new"] is False
    assert page.until("frame", state="paused")[0]["taken"] >= 2


def test_a_model_is_looked_at_on_a_table() -> None:
    model = cr.train("iris", target="species", epochs=2)
    view = model.view("iris")
    assert np.array_equal(view.network.theta, model.network.theta)
    assert view.model.columns == model.columns
    view.close()
    own = model.view()
    assert np.array_equal(own.network.theta, model.network.theta)
    assert own.model.columns.feature_names == model.columns.feature_names
    own.close()


def test_values_are_looked_at_too() -> None:
    net = cr.Network([cr.Dense(3, "relu"), cr.Dense(1)], loss="mean_squared_error", n_inputs=2)
    page = Page(net.view(X, X[:, 0] * 2, names=["left", "right"]))
    setup, _ = page.until("setup")
    assert [axis["name"] for axis in setup["axes"]] == ["left", "right"]
    assert setup["classes"] == []
    page.view.close()


def test_what_cannot_be_looked_at_is_said_at_once() -> None:
    net = cr.Network([cr.Dense(2, "sigmoid"), cr.Dense(2, "sigmoid")], loss="half_squared_error", n_inputs=2)
    with pytest.raises(cr.ArgumentError, match=r"net\.view\(X, y\)"):
        net.view()
    with pytest.raises(cr.ArgumentError, match="one target"):
        net.view(X, X)
    with pytest.raises(cr.ArgumentError, match="names"):
        net.view(X, X[:, 0] > 0, names=["one"])
    with pytest.raises(cr.InputError, match="learning_rate"):
        net.view(X, X[:, 0] > 0, learning_rate=0.1)
    with pytest.raises(cr.ShapeError):
        net.view(X[:, :1], X[:, 0] > 0)


def test_the_document_loads_nothing_and_knows_all_its_modules() -> None:
    text = document()
    assert not re.search(r'(src|href)="(?!data:|#)', text)
    found = re.search(r'<script type="importmap">(.*?)</script>', text)
    assert found is not None
    modules = json.decode(found[1])["imports"]
    assert "chainrule/main.js" in modules
    for address in modules.values():
        code = b64decode(address.partition(",")[2]).decode()
        assert set(re.findall(r'^(?:import|\} from|.* from) .*?"(.*?)";', code, flags=re.MULTILINE)) <= set(modules)
        assert 'from "./' not in code
