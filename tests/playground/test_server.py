"""The server: its page, its sessions, what is handed in and taken away."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

import chainrule as cr
from chainrule.playground import experiment as experiments
from chainrule.playground import telling, uploads
from chainrule.playground.frames import read_frame
from chainrule.playground.server import make_app
from chainrule.playground.setting import HiddenLayer, Setting
from chainrule.playground.sheets import drawn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.playground.experiment import Experiment

TOKEN, PORT = "a-token-of-the-test", 8700
SMALL = Setting(data="xor", layers=(HiddenLayer(units=2),), epochs=50)


def name_of(number: int) -> str:
    return f"session-{number}"


def open_client(**options: Any) -> TestClient:
    app = make_app(SMALL, token=TOKEN, port=PORT, **options)
    client = TestClient(app, base_url=f"http://127.0.0.1:{PORT}")
    client.cookies.set(f"chainrule_play_{PORT}", TOKEN)
    return client


@pytest.fixture
def client() -> Iterator[TestClient]:
    with open_client() as client:
        yield client


class Talk:
    """A page that asks and listens."""

    def __init__(self, socket: WebSocketTestSession) -> None:
        self.socket = socket

    def ask(self, kind: str, **fields: Any) -> None:
        self.socket.send_json({"kind": kind, **fields})

    def until(self, kind: str, wanted: Any = lambda _: True) -> Any:
        """The next that is told of this kind; frames are acknowledged as they come."""
        for _ in range(500):
            message = self.socket.receive()
            if message["type"] == "websocket.close":
                raise AssertionError(message)
            if message.get("bytes"):
                self.ask("drawn")
                told = read_frame(message["bytes"])[0]
            else:
                told = json.loads(message["text"])
            if told["kind"] == kind and wanted(told):
                return told
        raise AssertionError(f"no {kind} came")


def talk(client: TestClient, number: int = 1) -> Any:
    return client.websocket_connect(f"/talk?session={name_of(number)}", headers={"host": f"127.0.0.1:{PORT}"})


def test_a_page_is_welcomed_and_told_what_there_is(client: TestClient) -> None:
    with talk(client) as socket:
        page = Talk(socket)
        welcome = page.until("welcome")
        assert "relu" in welcome["choices"]["activations"]
        assert "iris" in [source["name"] for source in welcome["sources"]]
        setup = page.until("setup")
        assert setup["setting"]["data"] == "xor"
        assert page.until("plane")["points"]["rows"]
        assert page.until("frame")["taken"] == 0


def test_a_page_plays_steps_and_goes_back(client: TestClient) -> None:
    with talk(client) as socket:
        page = Talk(socket)
        page.ask("step")
        page.until("frame", lambda frame: frame["taken"] == 1)
        page.ask("play")
        finished = page.until("frame", lambda frame: frame["state"] == "finished")
        assert finished["epoch"] == 50
        page.ask("seek", taken=3)
        assert page.until("frame", lambda frame: frame["taken"] == 3)["furthest"] == finished["taken"]


def test_a_page_that_comes_again_finds_its_run(client: TestClient) -> None:
    with talk(client) as socket:
        page = Talk(socket)
        page.ask("configure", setting={"lr": 0.25})
        page.ask("step", unit="epoch")
        taken = page.until("frame", lambda frame: frame["epoch"] == 1)["taken"]
    with talk(client) as socket:
        page = Talk(socket)
        assert page.until("setup")["setting"]["lr"] == 0.25
        assert page.until("frame")["taken"] == taken


def test_sessions_are_apart_from_each_other(client: TestClient) -> None:
    with talk(client, 1) as one, talk(client, 2) as two:
        first, second = Talk(one), Talk(two)
        first.ask("configure", setting={"data": "moons"})
        first.until("setup", lambda setup: setup["setting"]["data"] == "moons")
        second.ask("step")
        second.until("frame", lambda frame: frame["taken"] == 1)
        second.ask("configure", setting={"lr": 0.5})
        assert second.until("setup", lambda setup: setup["setting"]["lr"] == 0.5)["setting"]["data"] == "xor"


def test_a_training_that_breaks_leaves_the_other_sessions(client: TestClient) -> None:
    with talk(client, 1) as one, talk(client, 2) as two:
        first, second = Talk(one), Talk(two)
        first.until("frame"), second.until("frame")
        first.ask("configure", setting={"data": "sine", "optimizer": "sgd", "lr": 1e8, "loss": "auto"})
        first.until("setup", lambda setup: setup["setting"]["data"] == "sine")
        first.ask("play")
        assert "not finite" in first.until("frame", lambda frame: frame["state"] == "diverged")["words"]
        second.ask("step")
        assert second.until("frame", lambda frame: frame["taken"] == 1)["state"] == "paused"
        first.ask("restart")
        assert first.until("frame", lambda frame: frame["state"] == "paused")["taken"] == 0


def test_a_fault_in_one_training_leaves_the_other_sessions(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Experiment] = []
    make = experiments.make
    monkeypatch.setattr(experiments, "make", lambda *given: begun.append(make(*given)) or begun[-1])

    def breaks(*_: object) -> NoReturn:
        raise MemoryError("planted")

    with talk(client, 1) as one, talk(client, 2) as two:
        first, second = Talk(one), Talk(two)
        first.until("frame"), second.until("frame")
        broken = next(each for each in begun if each is not None)
        monkeypatch.setattr(broken.training.run, "advance", breaks)
        monkeypatch.setattr(broken.training, "_epochs_at_once", lambda: 1)
        for page in (first, second):
            page.ask("play", speed=1000)
        frames = [page.until("frame", lambda frame: frame["state"] != "playing") for page in (first, second)]
        assert sorted(frame["state"] for frame in frames) == ["failed", "finished"]
        failed = first if frames[0]["state"] == "failed" else second
        assert frames[0 if failed is first else 1]["words"] == "MemoryError: planted"
        failed.ask("restart")
        assert failed.until("frame", lambda frame: frame["state"] == "paused")["taken"] == 0
        failed.ask("step")
        assert failed.until("frame", lambda frame: frame["taken"] == 1)["state"] == "paused"


def test_what_cannot_be_drawn_is_told_and_the_next_moment_is_drawn(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with talk(client) as socket:
        page = Talk(socket)
        page.until("frame")
        draw, calls = telling.draw, iter([True])
        monkeypatch.setattr(telling, "draw", lambda *given: 1 / 0 if next(calls, False) else draw(*given))
        page.ask("step")
        assert "ZeroDivisionError" in page.until("fault")["words"]
        page.ask("step")
        assert page.until("frame", lambda frame: frame["taken"] == 2)["state"] == "paused"


def test_a_second_page_of_a_session_takes_it_over(client: TestClient) -> None:
    with talk(client) as one:
        Talk(one).until("frame")
        with talk(client) as two:
            second = Talk(two)
            assert second.until("welcome")["is_new"] is False
            with pytest.raises(AssertionError, match="4409"):
                Talk(one).until("nothing")
            second.ask("step")
            assert second.until("frame", lambda frame: frame["taken"] == 1)["state"] == "paused"


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        '{"kind": "fly"}',
        '{"kind": "configure", "setting": {"lr": -1}}',
        '{"kind": "configure", "setting": {"layers": [{"units": "many"}]}}',
        '{"kind": "configure", "setting": {"data": "/etc/passwd"}}',
        '{"kind": "why", "name": "x"}',
        '{"kind": "why", "name": "dense_1.W[99, 0]"}',
        '{"kind": "change", "name": "dense_1.W[0, 0]", "value": 1e999}',
        '{"kind": "play", "speed": -5}',
        '{"kind": "view", "x": -7}',
        '{"kind": "view", "row": -1}',
        '{"kind": "step", "unit": "year"}',
        "[" * 5000,
        '{"kind": "open", "link": "xx"}',
        '{"kind": "remedy", "finding": 0, "remedy": 0}',
    ],
)
def test_a_broken_message_is_answered_and_the_session_lives_on(client: TestClient, text: str) -> None:
    with talk(client) as socket:
        page = Talk(socket)
        page.until("frame")
        socket.send_text(text)
        assert page.until("fault")["words"]
        page.ask("step")
        assert page.until("frame", lambda frame: frame["taken"] == 1)["state"] == "paused"


def test_the_number_of_sessions_is_bounded() -> None:
    with open_client(most=2) as client, talk(client, 1), talk(client, 2):
        with pytest.raises(WebSocketDisconnect) as refused, talk(client, 3) as third:
            third.receive_json()
        assert refused.value.code == 4400
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect("/talk?session=../x", headers={"host": f"127.0.0.1:{PORT}"}) as bad,
        ):
            bad.receive_json()


def test_a_session_that_nobody_comes_back_to_makes_room() -> None:
    with open_client(most=1, idle_minutes=0.0) as client:
        with talk(client, 1):
            pass
        with talk(client, 2) as socket:
            assert socket.receive_json()["kind"] == "welcome"


def test_why_is_answered_with_the_chain_rule(client: TestClient) -> None:
    with talk(client) as socket:
        page = Talk(socket)
        page.ask("step")
        page.ask("why", name="dense_1.W[0, 1]", row=3)
        told = page.until("explained")
        assert told["row"] == 3
        assert told["gradient"] == pytest.approx(told["difference"], rel=1e-5)
        assert told["steps"] == [0, 1]
        page.ask("change", name="dense_1.W[0, 1]", value=2.5)
        page.ask("why", name="dense_1.W[0, 1]")
        assert page.until("explained")["value"] == 2.5


def test_results_rows_and_diagnosis_are_told_when_asked_for(client: TestClient) -> None:
    with talk(client) as socket:
        page = Talk(socket)
        page.ask("view", results=True)
        assert sum(map(sum, page.until("results")["confusion"])) == 120
        page.ask("rows", first=50)
        assert page.until("page")["first"] == 50
        page.ask("diagnose")
        assert page.until("diagnosed")["taken"] == 0
        page.ask("keep")
        assert len(page.until("curves", lambda told: len(told["runs"]) == 2)["runs"]) == 2
        page.ask("drop")
        page.until("curves", lambda told: len(told["runs"]) == 1)


def test_a_table_is_handed_in_and_trained_on(client: TestClient) -> None:
    frame = pl.DataFrame({"a": np.arange(40.0), "b": np.arange(40.0) % 7, "y": np.arange(40.0) * 2})
    with talk(client) as socket:
        page = Talk(socket)
        page.until("frame")
        answer = client.post(f"/upload?session={name_of(1)}&name=my data.csv", content=frame.write_csv().encode())
        assert answer.json() == {"name": "my data.csv", "columns": ["a", "b", "y"]}
        handed = page.until("welcome", lambda told: told["sources"][0]["handed"])["sources"][0]
        assert handed["name"] == "my data.csv"
        page.ask("configure", setting={"data": "my data.csv"})
        setup = page.until("setup", lambda told: told["setting"]["data"] == "my data.csv")
        assert (setup["target"], setup["classes"]) == ("y", [])


def test_tables_that_are_none_or_too_large_are_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_ROWS", 3)
    monkeypatch.setattr("chainrule.playground.server.MOST_BYTES", 1000)
    with talk(client):
        where = f"/upload?session={name_of(1)}"
        assert client.post(f"{where}&name=a.exe", content=b"a,b\n1,2\n").status_code == 422
        assert client.post(f"{where}&name=a.parquet", content=b"not parquet").status_code == 422
        assert client.post(f"{where}&name=a.csv", content=b"").status_code == 422
        assert client.post(f"{where}&name=a.csv", content=b"a,b\n" + b"1,2\n" * 9).status_code == 422
        large = client.post(f"{where}&name=a.csv", content=b"a,b\n" + b"1,2\n" * 900)
        assert large.status_code == 413
        assert "larger" in large.json()["fault"]
        named = client.post(f"{where}&name=../../etc/x.csv", content=b"a,b\n1,2\n2,3\n")
        assert named.json()["name"] == "x.csv"
    assert client.post("/upload?session=nobody-there&name=a.csv", content=b"a\n1\n").status_code == 404


def test_small_files_that_hold_too_much_are_refused_before_they_are_read(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 1 << 20)
    many = io.BytesIO()
    pl.select(pl.repeat(1, 600_000, dtype=pl.Int8).alias("a")).write_parquet(many)
    wide = io.BytesIO()
    pl.DataFrame({f"c{k}": [1] for k in range(2001)}).write_parquet(wide)
    with talk(client):
        where = f"/upload?session={name_of(1)}"
        for name, content, words in (
            ("a.parquet", many.getvalue(), "600000"),
            ("w.parquet", wide.getvalue(), "2001"),
            ("a.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 400_000), "unpacked"),
            ("a.csv", gzip.compress(b"a,b\n1,2\n")[:-6], "cut off"),
            ("a.csv", b"\x28\xb5\x2f\xfd anything", "unzstd"),
        ):
            assert len(content) < 1 << 20
            answer = client.post(f"{where}&name={name}", content=content)
            assert answer.status_code == 422
            assert words in answer.json()["fault"].replace(",", "")
        whole = client.post(f"{where}&name=a.csv.gz", content=gzip.compress(b"a,b\n1,2\n2,3\n"))
        assert whole.json()["columns"] == ["a", "b"]


def test_a_matrix_that_is_too_large_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainrule.playground.tables.MOST_CELLS", 500)
    with talk(client) as socket:
        page = Talk(socket)
        page.until("fault", lambda told: "at most 500" in told["words"])


def test_the_model_is_taken_away_as_it_stands(client: TestClient, tmp_path: Any) -> None:
    with talk(client) as socket:
        page = Talk(socket)
        page.ask("step", unit="epoch")
        page.until("frame", lambda frame: frame["epoch"] == 1)
        answer = client.get(f"/take/model?session={name_of(1)}")
        assert answer.headers["content-disposition"] == 'attachment; filename="xor.safetensors"'
        path = tmp_path / "xor.safetensors"
        path.write_bytes(answer.content)
        model = cr.load(path)
        assert model.predict("xor").height == 400
        assert client.get(f"/take/nothing?session={name_of(1)}").status_code == 422
    assert client.get("/take/model?session=nobody-there").status_code == 404


@pytest.mark.parametrize(
    "path", ["/page/../server.py", "/page/%2e%2e/server.py", "/page/.x", "/page/a/b/c.js", "/page/x.py"]
)
def test_only_the_files_of_the_page_are_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.get("/page/uplot/uPlot.js").headers["content-type"].startswith("text/javascript")


def test_a_sheet_is_drawn_put_into_the_network_and_marked(client: TestClient) -> None:
    with talk(client) as socket:
        page = Talk(socket)
        page.ask("draw", options={"hidden": [3]}, seed=4, student=2)
        sheet = page.until("sheet")
        page.ask("load", sheet=sheet["name"])
        setup = page.until("setup", lambda setup: setup["setting"]["data"] == sheet["name"])
        assert (setup["sheet"], setup["targets"], [layer["units"] for layer in setup["layers"]]) == (
            True,
            ["t1", "t2"],
            [3, 2],
        )
        page.ask("step")
        page.until("frame", lambda frame: frame["taken"] == 1)
        page.ask("mark", sheet=sheet["name"], answers={"loss": float(drawn({"hidden": [3]}, 4, 2).trace()["loss"])})
        assert page.until("marked")["ok"]
        page.ask("mark", sheet=sheet["name"], answers={"loss": "much"})
        assert "expected a number" in page.until("fault")["words"]
        page.ask("mark", sheet="none", answers={"loss": 1.0})
        assert "exercise" in page.until("fault")["words"]


def test_a_run_is_forked_compared_and_let_go(client: TestClient) -> None:
    with talk(client) as socket:
        page = Talk(socket)
        page.ask("step", unit="epoch")
        page.until("frame", lambda frame: frame["epoch"] == 1)
        page.ask("fork")
        assert page.until("beside")["differs"] == []
        page.ask("configure", setting={"lr": 0.3})
        page.ask("step", unit="epoch")
        both = page.until("curves", lambda told: [len(run["epochs"]) for run in told["runs"]] == [2, 2])["runs"]
        assert both[0]["series"]["loss"][0] == both[1]["series"]["loss"][0]
        assert page.until("beside", lambda told: told["differs"])["differs"] == [["lr", "0.3", "0.01"]]
        page.ask("swap")
        assert page.until("setup")["setting"]["lr"] == 0.01
        page.ask("part")
        page.until("alone")
