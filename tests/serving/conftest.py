"""What several files of tests ask."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient
from tests.serving.served import CLIENTS

import chainrule as cr
from chainrule.serving.app import make_app


@pytest.fixture(scope="module")
def clients():
    return TestClient(make_app(cr.train(CLIENTS, target="y", layers=(2,), epochs=1), name="clients"))
