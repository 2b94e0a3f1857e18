"""The OpenAPI document says what the server does: schemathesis makes requests from it, right ones and wrong ones."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

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


def agrees(case):
    """The response is one that the document promises; columns of several lengths, of which it cannot tell, are 422."""
    if isinstance(case.body, dict):
        lists = [value for name, value in case.body.items() if isinstance(value, list) and name in {*TABLE, "x"}]
        if len(set(map(len, lists))) > 1:
            assert case.call().status_code in {413, 422}
            return
    case.call_and_validate()


@schemathesis.pytest.from_fixture("table").parametrize()
@SETTINGS
def test_a_model_of_a_table(case):
    agrees(case)


@schemathesis.pytest.from_fixture("values").parametrize()
@SETTINGS
def test_a_model_of_values(case):
    agrees(case)


@schemathesis.pytest.from_fixture("network").parametrize()
@SETTINGS
def test_a_network(case):
    agrees(case)
