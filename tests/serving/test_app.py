"""The application: what it answers, against `Model.predict`, and how it refuses."""

from __future__ import annotations

import json
import logging
from threading import Event

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient

import chainrule as cr
from chainrule.serving.app import make_app
from chainrule.serving.limits import Limits
from chainrule.tables import load_dataset

JSON = {"content-type": "application/json"}
CSV = {"content-type": "text/csv"}
ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}


@pytest.fixture(scope="module")
def iris():
    return cr.train("iris", layers=(8,), epochs=5)


@pytest.fixture(scope="module")
def client(iris):
    with TestClient(make_app(iris, name="iris", limits=Limits(max_body=50_000, max_rows=200, timeout=5))) as client:
        yield client


def post(client, value, **headers):
    return client.post("/predict", content=json.dumps(value), headers={**JSON, **headers})


def problem(response, status):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert told["status"] == status
    assert told["title"]
    return told


def test_rows_are_answered_as_predict_answers_them(iris, client):
    frame = load_dataset("iris").drop("species")
    answered = post(client, frame.to_dicts()).json()["predictions"]
    expected = iris.predict(frame)
    assert [each["prediction"] for each in answered] == expected["prediction"].to_list()
    shares = np.array([list(each["probabilities"].values()) for each in answered])
    assert np.array_equal(shares, expected.drop("prediction").to_numpy().astype(float))
    assert list(answered[0]["probabilities"]) == list(iris.columns.classes)


def test_one_row_and_columns_are_answered_as_rows_are(client):
    expected = post(client, [ROW]).json()
    assert post(client, ROW).json() == expected
    assert post(client, {name: [value] for name, value in ROW.items()}).json() == expected
    assert post(client, {**ROW, "id": "an older column"}).json() == expected


def test_a_table_is_answered_as_the_command_answers_it(iris, client):
    frame = load_dataset("iris")
    response = client.post("/predict", content=frame.write_csv(), headers=CSV)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.content == iris.predict(frame).write_csv().encode()


def test_accept_chooses_the_answer(client):
    table = pl.DataFrame([ROW]).write_csv()
    as_json = client.post("/predict", content=table, headers={**CSV, "accept": "application/json"})
    assert as_json.json() == post(client, [ROW]).json()
    as_csv = post(client, [ROW], accept="text/csv, application/json")
    assert as_csv.content == client.post("/predict", content=table, headers=CSV).content


def test_values_are_answered_in_their_own_unit():
    model = cr.train({"x": [1.0, 2.0, 3.0, 4.0], "y": [10.5, 20.25, 30.75, 40.5]}, target="y", layers=(4,), epochs=5)
    client = TestClient(make_app(model))
    answered = post(client, {"x": [1.5, 2.5]}).json()["predictions"]
    assert [each["prediction"] for each in answered] == model.predict({"x": [1.5, 2.5]})["prediction"].to_list()


@pytest.mark.parametrize(
    ("layer", "loss"),
    [
        (cr.Dense(3, "softmax"), "cross_entropy"),
        (cr.Dense(1, "sigmoid"), "binary_cross_entropy"),
        (cr.Dense(3, "sigmoid"), "binary_cross_entropy"),
        (cr.Dense(1), "mean_squared_error"),
        (cr.Dense(2), "mean_squared_error"),
    ],
)
def test_a_network_takes_lists_of_numbers(layer, loss):
    network = cr.Network([cr.Dense(4, "tanh"), layer], loss=loss).build(2)
    client, X = TestClient(make_app(network)), [[0.5, -1], [2, 3]]
    answered = post(client, X).json()["predictions"]
    assert [each["prediction"] for each in answered] == network.predict(X).tolist()
    if network.loss.for_classes:
        shares = [each["probabilities"] for each in answered]
        shares = [list(each.values()) if isinstance(each, dict) else each for each in shares]
        assert shares == network.predict_proba(X).tolist()
    assert problem(post(client, [[1, 2], [1, "x"]]), 422)["errors"] == [
        {"row": 2, "column": "column_2", "expected": "a number from -1e+20 to 1e+20", "got": "'x'"}
    ]
    problem(client.post("/predict", content="a,b\n1,2\n", headers=CSV), 415)


def test_a_network_with_labels_answers_them():
    network = cr.Network([cr.Dense(2, "softmax")], loss="cross_entropy")
    network.fit([[0.0], [1.0]], ["no", "yes"], epochs=1)
    (answer,) = post(TestClient(make_app(network)), [[1.0]]).json()["predictions"]
    assert list(answer["probabilities"]) == ["no", "yes"]
    assert answer["prediction"] == network.predict([[1.0]])[0]


# ---- what it tells ---------------------------------------------------------------------------------------------------


def test_the_pages_are_there_and_load_nothing(client):
    assert client.get("/health").json() == {"status": "ok", "model": "iris"}
    assert client.get("/openapi.json").json()["openapi"].startswith("3.1")
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert "http://" not in page.text.replace("http://www.w3.org/", "")
    assert "https://" not in page.text


def test_names_in_the_page_are_no_markup():
    table = {"</script><b>": [1.0, 2.0, 3.0, 4.0], "y": [1.5, 2.5, 3.5, 4.5]}
    page = TestClient(make_app(cr.train(table, target="y", layers=(2,), epochs=1))).get("/").text
    assert "</script><b>" not in page


# ---- how it refuses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"[{", "not JSON"),
        (b"[NaN]", "not JSON"),
        (b"[1e999, NaN]", "not JSON"),
        (b'"\xff"', "not UTF-8: byte 0"),
        (b"[" * 20_000, "nested too deeply"),
        (b"[" + b"9" * 10_000 + b"]", "not JSON"),
    ],
)
def test_what_is_no_json_is_400(client, body, words):
    response = client.post("/predict", content=body, headers=JSON)
    assert words in problem(response, 400)["detail"]


def test_a_number_beyond_all_floats_is_named_too(client):
    body = json.dumps([ROW, ROW]).replace("1.4}", "1.4}").replace("0.2}]", "1e999}]")
    (error,) = problem(client.post("/predict", content=body, headers=JSON), 422)["errors"]
    assert (error["row"], error["column"], error["got"]) == (2, "petal_width", "inf")


@pytest.mark.parametrize("value", [[], {}, None, 3, "x", [[1, 2]], [None], [ROW, {}], {"sepal_length": []}])
def test_what_are_no_rows_is_422(client, value):
    problem(post(client, value), 422)


def test_a_wrong_value_is_named_with_its_row_and_column(client):
    told = problem(post(client, [ROW, {**ROW, "petal_width": "wide"}]), 422)
    assert told["errors"] == [{"row": 2, "column": "petal_width", "expected": "a number or null", "got": "'wide'"}]


def test_a_wrong_value_of_a_table_too(client):
    table = f"{','.join(ROW)}\n1,2,3,4\n1,2,wide,4\n"
    (error,) = problem(client.post("/predict", content=table, headers=CSV), 422)["errors"]
    assert (error["row"], error["column"], error["got"]) == (2, "petal_length", "'wide'")


def test_all_that_is_wrong_in_a_table_is_named(clients):
    table = "born,age,city,member\n2001-02-30,x,Bern,yes\n2001-01-01,3,Bern,no\nsoon,1e999,Bern,yes\n"
    errors = problem(clients.post("/predict", content=table, headers=CSV), 422)["errors"]
    assert [(each["row"], each["column"], each["got"]) for each in errors] == [
        (1, "age", "'x'"),
        (1, "born", "'2001-02-30'"),
        (3, "age", "'1e999'"),
        (3, "born", "'soon'"),
    ]


@pytest.mark.parametrize(("body", "kind"), [("age,City\n1,Bern\n", CSV), ('{"age": [1], "City": ["Bern"]}', JSON)])
def test_all_columns_that_are_missing_are_named(clients, body, kind):
    errors = problem(clients.post("/predict", content=body, headers=kind), 422)["errors"]
    assert {each["column"] for each in errors} == {"city", "member", "born"}
    assert not any("row" in each for each in errors)
    assert "'City' is another column" in next(each["expected"] for each in errors if each["column"] == "city")


def test_an_infinite_number_beside_the_columns_of_the_model_is_named(client):
    table = f"{','.join(ROW)},more\n1,2,3,4,5\n1,2,3,4,inf\n"
    (error,) = problem(client.post("/predict", content=table, headers=CSV), 422)["errors"]
    assert (error["row"], error["column"], error["got"]) == (2, "more", "inf")


@pytest.mark.parametrize(
    "table", [b"", b"\n\n", b"a,b\n", b"a,a\n1,2\n", b"\x1f\x8b\x08\x00", b"\0\1", b"x\n\xff\n", b'"']
)
def test_what_is_no_table_is_422(client, table):
    problem(client.post("/predict", content=table, headers=CSV), 422)


def test_too_much_is_413(client):
    problem(post(client, [ROW] * 201), 413)
    problem(post(client, {name: [1] * 201 for name in ROW}), 413)
    problem(client.post("/predict", content=f"{','.join(ROW)}\n" + "1,2,3,4\n" * 201, headers=CSV), 413)
    problem(client.post("/predict", content="x," * 2000 + "\n", headers=CSV), 413)
    problem(client.post("/predict", content=b" " * 50_001, headers=JSON), 413)
    problem(client.post("/predict", content=(b" " * 1000 for _ in range(60)), headers=JSON), 413)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/xml"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_another_type_is_415(client, headers):
    problem(client.post("/predict", content=b"[]", headers=headers), 415)


def test_another_place_or_method(client):
    problem(client.get("/../../etc/passwd"), 404)
    problem(client.get("/predict"), 405)
    assert client.get("/predict").headers["allow"] == "POST"
    problem(client.post("/schema"), 405)


def test_a_name_that_is_not_its_own_is_refused(iris):
    app = make_app(iris, hosts={"localhost", "127.0.0.1", "[::1]"})
    for host in ("localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"):
        assert TestClient(app).get("/health", headers={"host": host}).status_code == 200
    for host in ("evil.example", "localhost.evil.example", "evil.example:8000", ""):
        problem(TestClient(app).get("/health", headers={"host": host}), 421)
    twice = [("host", "localhost"), ("host", "evil.example")]
    problem(TestClient(app).get("/health", headers=twice), 400)


def test_no_answer_says_that_other_pages_may_read_it(client):
    response = post(client, [ROW], origin="https://evil.example")
    assert not [name for name in response.headers if name.startswith("access-control")]
    assert client.options("/predict", headers={"origin": "https://evil.example"}).status_code == 405


def test_an_answer_that_is_not_finite_is_refused():
    network = cr.Network([cr.Dense(1)], loss="mean_squared_error").build(1)
    network.theta = np.full(2, 3e38, dtype="float32")
    assert problem(post(TestClient(make_app(network)), [[0], [1e10]]), 422)["errors"][0]["row"] == 2


def test_more_than_may_wait_are_told_to_come_again(iris):
    """The one thread that is there is held; the second request may wait, the third may not."""
    held, go_on = Event(), Event()

    class Held(type(iris.network)):
        def forward(self, X):
            held.set()
            assert go_on.wait(30)
            return super().forward(X)

    model = cr.Model(as_kind(iris.network, Held), iris.columns, iris.settings)
    app = make_app(model, limits=Limits(max_waiting=1))
    with TestClient(app) as client:
        table = pl.DataFrame([ROW]).write_csv()
        first = client.portal.start_task_soon(lambda: async_post(app, table))
        assert held.wait(30)
        response = client.post("/predict", content=table, headers=CSV)
        go_on.set()
        problem(response, 503)
        assert response.headers["retry-after"] == "1"
        assert first.result(30).status_code == 200
        assert client.post("/predict", content=table, headers=CSV).status_code == 200


async def async_post(app, content):
    import httpx2 as httpx

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as client:
        return await client.post("/predict", content=content, headers=CSV)


def as_kind(network, kind):
    copy = kind(network.layers, network.loss, seed=network.seed, dtype=network.dtype).build(network.input_shape[0])
    copy.theta = network.theta
    return copy


def test_an_answer_that_takes_too_long_is_given_up(iris):
    go_on = Event()

    class Held(type(iris.network)):
        def forward(self, X):
            go_on.wait(30)
            return super().forward(X)

    model = cr.Model(as_kind(iris.network, Held), iris.columns, iris.settings)
    client = TestClient(make_app(model, limits=Limits(timeout=0.05)))
    told = problem(client.post("/predict", content=pl.DataFrame([ROW]).write_csv(), headers=CSV), 503)
    go_on.set()
    assert "took more than 0.05 seconds" in told["detail"]


def test_a_fault_of_ours_is_a_problem_and_a_line_in_the_log(iris, caplog):
    class Broken(type(iris.network)):
        def forward(self, X):  # noqa: ARG002 -- as its base
            raise ZeroDivisionError("of ours")

    model = cr.Model(as_kind(iris.network, Broken), iris.columns, iris.settings)
    with caplog.at_level(logging.ERROR, "chainrule.serving"):
        told = problem(post(TestClient(make_app(model)), [ROW]), 500)
    assert "of ours" not in told["detail"]
    assert "ZeroDivisionError('of ours')" in caplog.text
