"""`diagnose`: what it takes, what it refuses, how it is shown, and every layer, activation and loss."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks.studies.sick import table
from tests.registry import LAYERS, LOSSES, every_pair, objective_of, quick

import chainrule as cr
from chainrule.insight.rendering.explained import FORMATS

if TYPE_CHECKING:
    from chainrule.insight.diagnosis import Findings


def run_case(case) -> Findings | None:
    """Diagnose the network of a combination of the registry; None where targets and network refuse each other."""
    objective = objective_of(case)
    net = cr.Network(
        objective.network.layers, objective.loss, dtype="float64", l1=objective.l1, l2=objective.l2, n_inputs=3
    )
    random = np.random.default_rng(case.seed)
    X, T = random.uniform(-1.5, 1.5, (case.B, 3)), LOSSES[case.loss].targets(random, case.B, case.O)
    try:
        net.read(X, T, where="test")
    except cr.InputError:
        return None
    before = net.theta.copy()
    findings = cr.diagnose(net, X, T, optimizer=("sgd", "adam", "lbfgs")[case.seed % 3])
    assert np.array_equal(net.theta, before)
    assert f"{len(findings)}. " in str(findings) or not findings
    json.loads(findings.to_json())
    return findings


@pytest.mark.parametrize("layers", list(LAYERS)[::3])
def test_some_combinations(layers):
    assert any(run_case(case) is not None for case in list(quick(layers))[:: len(LAYERS)])


@pytest.mark.slow
@pytest.mark.parametrize("layers", LAYERS)
def test_every_layer_activation_and_loss(layers):
    ran = [findings for case in every_pair(layers) if (findings := run_case(case)) is not None]
    assert len(ran) > 50


def test_a_model_with_its_table_and_its_names():
    model = cr.train("wine", scaling="none", epochs=3, layers=(8,))
    found = cr.diagnose(model, "wine")["inputs_not_scaled"]
    assert found.where == "proline"
    assert found.remedies[0].option == "--scaling standard"


def test_the_history_says_how_it_was_trained():
    digits = table("digits")
    net = cr.Network([cr.Dense(16, "tanh"), cr.Dense(10, "softmax")])
    history = net.fit(digits.X, digits.y, epochs=6, optimizer=cr.SGD(50.0))
    assert history.settings.optimizer == cr.SGD(50.0)
    found = cr.diagnose(net, digits.X, digits.y)["learning_rate_too_high"]
    assert found.remedies[0].argument == "optimizer=cr.SGD(rate=5.0)"
    net.history = None
    assert "learning_rate_too_high" not in cr.diagnose(net, digits.X, digits.y)
    assert "learning_rate_too_high" in cr.diagnose(net, digits.X, digits.y, history)


def test_a_model_from_a_file_that_learned_nothing(tmp_path):
    model = cr.train("circles", activation="sigmoid", layers=(32,), epochs=30)
    model.save(tmp_path / "m.safetensors")
    assert [each.rule for each in cr.diagnose(cr.load(tmp_path / "m.safetensors"), "circles").alarms] == [
        "loss_not_decreasing"
    ]


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((None, 1, 2), {}, "network: expected a Network or a Model, got None"),
        ((cr.Network([cr.Dense(2, "softmax")]), [[0.0], [1.0]]), {}, "y: expected the targets"),
        ((cr.Network([cr.Dense(2, "softmax")]), [[0.0], [np.nan]], [0, 1]), {}, "row 1, column 0 is nan"),
        ((cr.Network([cr.Dense(2, "softmax")]), [[0.0], [1.0]], [0, 1, 1]), {}, "expected 2 rows"),
        ((cr.Network([cr.Dense(2, "softmax")], n_inputs=3), [[0.0], [1.0]], [0, 1]), {}, "expected 3 columns"),
        ((cr.Network([cr.Dense(2, "softmax")]), [[0.0], [1.0]], [0, 1], "history"), {}, "history: expected what fit"),
        ((cr.Network([cr.Dense(2, "softmax")]), [[0.0], [1.0]], [0, 1]), {"optimizer": "adm"}, "'adam'"),
        ((cr.Network([cr.Dense(2, "softmax")]), [[0.0], [1.0]], [0, 1]), {"batch_size": 0}, "batch_size"),
    ],
)
def test_what_is_refused(arguments, options, words):
    with pytest.raises(cr.InputError) as fault:
        cr.diagnose(*arguments, **options)
    assert words in str(fault.value)


def test_a_model_holds_its_own_target():
    model = cr.train("xor", epochs=1)
    with pytest.raises(cr.ArgumentError, match="y: expected nothing for a Model"):
        cr.diagnose(model, "xor", [0, 1])


# ---- how it is shown -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def findings() -> Findings:
    wine = table("wine")
    return cr.diagnose(cr.Network([cr.Dense(8, "tanh"), cr.Dense(3, "softmax")]), wine.raw, wine.y)


def test_findings_are_a_sequence_by_severity(findings):
    order = [("alarm", "warning", "note").index(each.severity) for each in findings]
    assert order == sorted(order)
    assert findings["inputs_not_scaled"] is findings.alarms[0]
    assert "inputs_not_scaled" in findings
    assert "overfit" not in findings
    assert repr(findings) == f"Findings({findings.counted()})"
    with pytest.raises(cr.ArgumentError, match="there is no finding 'inputs'"):
        _ = findings["inputs"]


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_says_it(findings, form):
    shown = findings.rendered(form)
    assert "scaling standard" in shown
    assert "<script" not in shown


def test_text_fits_eighty_columns(findings):
    assert max(map(len, str(findings).splitlines())) <= 80


def test_json_has_the_exact_numbers(findings):
    first = json.loads(findings.to_json())["findings"][0]
    found = findings[0]
    assert [each["value"] for each in first["numbers"]] == [each.value for each in found.figures]
    assert first["try"][0] == {
        "words": "scale the inputs",
        "argument": "X = (X - X.mean(axis=0)) / X.std(axis=0)",
        "option": "--scaling standard",
    }


def test_nothing_found_is_said():
    iris = table("iris")
    net = cr.Network([cr.Dense(8, "tanh"), cr.Dense(3, "softmax")], seed=1)
    net.fit(iris.X, iris.y, epochs=60, optimizer=cr.Adam(0.01))
    told = str(cr.diagnose(net, iris.X, iris.y))
    assert "nothing found" in told
    assert "No rule found anything." in told
