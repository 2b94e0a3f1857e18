"""The OpenAPI document says what the server does: schemathesis makes requests from it, right ones and wrong ones."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

import chainrule as cr
from chainrule.serving.app import make_app
from chainrule.serving.limits import Limits

pytestmark = pytest.mark.slow

TABLE = {
    "age": [30.5, 40, None, 50, 20, 31],
    "city": ["Bern", "Genf", "Bern", "Genf", "Bern", "Genf"],
    "code": [1, 2, 1, 3, 3, 2],
    "member": [True, False, True, True, False, True],
    "born": ["2001-02-03", "2002-03-04", "1999-01-01", "1998-07-08", "2003-04-05", "2001-02-03"],
    "y": ["a", "b", "a", "b", "a", "b"],
}
LIMITS = Limits(max_rows=5)
SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)


def document_of(model):
    import schemathesis  # a slow import, which collecting these tests need not wait for

    return schemathesis.openapi.from_asgi("/openapi.json", make_app(model, limits=LIMITS))


@pytest.fixture(scope="module")
def table():
    return document_of(cr.train(TABLE, target="y", layers=(2,), epochs=1, categories=["code"]))


@pytest.fixture(scope="module")
def values():
    return document_of(cr.train({"x": [1.0, 2, 3, 4], "y": [1.5, 2.5, 3, 4]}, target="y", layers=(2,), epochs=1))


@pytest.fixture(scope="module")
def network():
    return document_of(cr.Network([cr.Dense(3, "softmax")], loss="cross_entropy").build(2))


def agrees(*, case):
    """The response is one that the document promises.

    What JSON Schema cannot say is judged here: columns have one length, and a text is a table or none.
    """
    from schemathesis.specs.openapi import checks

    response = case.call()
    beyond = response.status_code == 413 or _of_several_lengths(case.body) or case.media_type == "text/csv"
    unsaid = [checks.positive_data_acceptance, checks.negative_data_rejection]
    case.validate_response(response, excluded_checks=unsaid if beyond else [])
    assert response.status_code < 500


def _of_several_lengths(body):
    if not isinstance(body, dict):
        return False
    lists = [value for name, value in body.items() if isinstance(value, list) and name in {*TABLE, "x"}]
    return len(set(map(len, lists))) > 1


@pytest.mark.parametrize("mode", ["positive", "negative"])
@pytest.mark.parametrize("served", ["table", "values", "network"])
def test_the_server_does_what_its_document_says(served, mode, request):
    from schemathesis import GenerationMode

    mode = GenerationMode(mode)
    operations = [found.ok() for found in request.getfixturevalue(served).get_all_operations()]
    assert {operation.label for operation in operations} == {"POST /predict", "GET /schema", "GET /health"}
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and not operation.body:
            continue  # a request that says nothing says nothing wrong
        SETTINGS(given(case=operation.as_strategy(generation_mode=mode))(agrees))()
