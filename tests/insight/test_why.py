"""Why a gradient is what it is: the sum over all paths, the backward pass and central differences agree."""

from __future__ import annotations

import itertools
import json
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from tests import registry

import chainrule as cr
from chainrule.examples import worked_example
from chainrule.insight.rows import Given
from chainrule.insight.trace import Trace


@pytest.fixture(scope="module")
def worked():
    return cr.trace(worked_example.network(), worked_example.X, worked_example.T)


# ---- the worked example ---------------------------------------------------------------------------------------------


def test_one_path_in_three_forms(worked):
    text = worked.why("dense_2.W[0, 0]", row=0).to_text(digits=9)
    assert "dL/dw = (o1 - t1) * o1 (1 - o1) * h1\n" in text
    assert "= (0.75136507 - 0.01) * 0.75136507 (1 - 0.75136507) * 0.593269992\n" in text
    assert "= 0.0821670406\n" in text


def test_the_published_factors_of_a_hidden_weight(worked):
    """The article: dE_o1/dout_h1 .055399425, dE_o2/dout_h1 -.019049119, dout_h1/dnet_h1 .241300709, x .05."""
    why = worked.why("dense_1.W[0, 0]", row=0)
    first, second = why.paths()
    assert (why.n_paths, why.n_dead) == (2, 0)
    to_h1 = [path.factors[0].value * path.factors[1].value * path.factors[2].value for path in (first, second)]
    assert to_h1 == pytest.approx([0.055399425, -0.0190491183], abs=5e-10)
    assert [factor.value for factor in first.factors[3:]] == pytest.approx([0.241300709, 0.05], abs=5e-10)
    assert [factor.where for factor in first.factors] == [
        "dense_2.dY[0, 0]", "dense_2.slope[0, 0]", "dense_2.W[0, 0]", "dense_1.slope[0, 0]", "dense_1.X[0, 0]"
    ]  # fmt: skip
    assert why.value == pytest.approx(0.000438568, abs=5e-10)


def test_biases_have_no_last_factor(worked):
    assert worked.why("dense_1.b[1]").value == pytest.approx(0.00995425, abs=5e-9)
    assert "dL/dw = (o2 - t2) * o2 (1 - o2)\n" in str(worked.why("dense_2.b[1]"))


def test_a_negative_number_stands_in_one_pair_of_brackets():
    """The slope of softplus is sigmoid(z): its net input here is 0.5 * -2 = -1."""
    network = cr.Network([cr.Dense(1, "softplus", bias=False), cr.Dense(1)], loss="half_squared_error", n_inputs=1)
    network.theta = [0.5, 1.0, 0.0]
    text = str(cr.trace(network, [[-2.0]], [1.0]).why("dense_1.W[0, 0]"))
    assert " sigmoid(-1) * (-2)\n" in text


def test_every_factor_is_where_it_says(worked):
    for name in ("dense_1.W[0, 1]", "dense_2.W[1, 0]"):
        for path in worked.why(name).paths():
            for factor in path.factors:
                assert worked[factor.where] == factor.value


# ---- every layer, activation and loss -------------------------------------------------------------------------------


def traced(case):
    point = registry.draw(case)
    batch = cr.engines.interface.Data(point.X, point.T, point.weights)
    return Trace(point.objective, point.theta, Given(None, batch, tuple(range(case.B))), point.mode, None)


def agree(made, parameter, row, case):
    """The sum of paths, the backward pass and differences, of the whole array and of its first entry."""
    why = made.why(parameter.name, row=row)
    scale = float(np.max(np.abs(why.gradient)))
    rounding = 1e-15 + 1e-12 * scale  # what is 0 by mathematics is a sum of numbers that cancel
    assert np.allclose(why.value, why.gradient, rtol=1e-9, atol=rounding), (parameter.name, row, case)
    assert not why.crossed
    if parameter.trainable:
        assert why.band in {"good", "fine only with kinks"}, (parameter.name, row, why.error, case)
    alone = made.why(f"{parameter.name}[{', '.join('0' * len(parameter.shape))}]", row=row)
    paths = alone.paths(100_000)
    assert len(paths) == alone.n_paths
    penalty = alone.penalty.flat[0]
    whole = sum(path.value for path in paths)
    assert whole + penalty == pytest.approx(alone.gradient, rel=1e-8, abs=rounding), (parameter.name, case)
    for path in paths[:3]:
        assert np.prod([factor.value for factor in path.factors]) == pytest.approx(path.value, rel=1e-12)
    assert "Do they agree?" in str(alone)


def asked(made):
    return [p for p in made.objective.layout.parameters if p.kind != "state"]


@pytest.mark.parametrize("layers", registry.LAYERS)
def test_paths_gradient_and_difference_agree(layers):
    """A few combinations of each; the slow test takes all of them."""
    for case in itertools.islice(registry.every_pair(layers), 5, None, 41):
        made = traced(case)
        for row in (None, case.B - 1):
            agree(made, asked(made)[0], row, case)


@pytest.mark.slow
@pytest.mark.parametrize("layers", registry.LAYERS)
def test_paths_gradient_and_difference_agree_everywhere(layers):
    """Every activation under every loss; parameters and rows take turns."""
    for turn, case in enumerate(registry.every_pair(layers)):
        made = traced(case)
        parameters = asked(made)
        agree(made, parameters[turn % len(parameters)], None if turn % 3 else case.B - 1, case)


def test_the_shares_of_the_rows_add_up():
    case = registry.Case("batch norm", cr.activations.Tanh, cr.losses.HalfSquaredError, B=4)
    made = traced(case)
    for name in ("dense_1.W", "batch_norm_1.gamma", "dense_2.b"):
        shares = [made.why(name, row=row) for row in range(4)]
        assert np.allclose(sum(share.value for share in shares), made.why(name).value, rtol=1e-9, atol=1e-14)
        for share in shares:
            assert share.band == "good"


# ---- what is hard ---------------------------------------------------------------------------------------------------


def test_paths_past_and_through_a_residual():
    layers = [cr.Dense(2), cr.Residual([cr.Dense(3, "tanh"), cr.Dense(2)]), cr.Dense(1)]
    net = cr.Network(layers, "half_squared_error", n_inputs=2, seed=4)
    why = cr.trace(net, [[0.3, -0.7]], [0.5]).why("dense_1.W[0, 0]")
    assert why.n_paths == 1 + 3 * 2  # past the three units, and through each of them to both outputs
    lengths = sorted(len(path.factors) for path in why.paths())
    assert lengths[0] < lengths[1]
    assert sum(path.value for path in why.paths()) == pytest.approx(why.gradient, rel=1e-12)
    assert "dF_" in str(why)


def test_units_that_are_off_and_numbers_that_are_dropped_are_told():
    net = cr.Network([cr.Dense(6, "relu"), cr.Dropout(0.5), cr.Dense(2, "softmax")], n_inputs=2, seed=2)
    made = cr.trace(net, [[0.3, -0.7]], [0], training=True)
    text = str(made.why("dense_2.W[0, 1]"))
    assert "relu outputs are off" in text
    assert "numbers are dropped, the mask is 0 there" in text
    dead = int(np.flatnonzero((made["dropout_1.mask"] == 0)[0])[0])
    why = made.why(f"dense_1.W[0, {dead}]")
    assert (why.value, why.n_paths) == (0.0, 0)
    assert why.n_dead > 0
    str(why)


def test_a_kink_between_the_two_points_is_named():
    net = cr.Network([cr.Dense(1, "relu"), cr.Dense(1)], "half_squared_error", n_inputs=1, dtype="float64")
    net.theta[:] = [0.0, 0.0, 1.0, 0.5]
    why = cr.trace(net, [[1.0]], [2.0]).why("dense_1.W[0, 0]")
    assert why.crossed == ("dense_1, relu at 0, row 0, unit 0",)
    assert "steps across a kink" in str(why)
    assert why.gradient == 0
    assert why.difference == pytest.approx(-0.75, abs=1e-4)


def test_a_wide_network_lists_the_largest_and_sums_up_the_rest():
    net = cr.Network([cr.Dense(40, "sigmoid"), cr.Dense(30, "tanh"), cr.Dense(5, "softmax")], n_inputs=6, seed=1)
    rng = np.random.default_rng(2)
    why = cr.trace(net, rng.normal(size=(1, 6)), [3]).why("dense_1.W[2, 7]", paths=8)
    assert why.n_paths == 30 * 5
    every = why.paths(1000)
    sizes = [abs(path.value) for path in every]
    assert sizes == sorted(sizes, reverse=True)
    assert [path.value for path in why.paths(8)] == [path.value for path in every[:8]]
    assert sum(path.value for path in every) == pytest.approx(why.gradient, rel=1e-12)
    text = " ".join(str(why).split())
    assert "142 more paths are not listed; together they give" in text
    left = float(text.partition("together they give ")[2].split()[0].rstrip("."))
    assert left == pytest.approx(sum(path.value for path in every[8:]), rel=1e-4)


def test_a_deep_network_has_more_paths_than_anyone_could_list():
    net = cr.Network([*[cr.Dense(32, "tanh") for _ in range(8)], cr.Dense(1)], "half_squared_error", n_inputs=2)
    why = cr.trace(net, [[1.0, 2.0]], [0.0]).why("dense_1.W[0, 0]", paths=3)
    assert why.n_paths == 32**7
    assert why.value == pytest.approx(why.gradient, rel=1e-12)
    assert len(why.paths(3)) == 3


def test_penalties_have_their_own_line():
    net = cr.Network([cr.Dense(1)], "half_squared_error", n_inputs=2, l1=0.01, l2=0.5, dtype="float64")
    net.theta[:] = [0.4, -0.2, 0.0]
    made = cr.trace(net, [[1.0, 2.0]], [0.0])
    whole, share = made.why("dense_1.W[1, 0]"), made.why("dense_1.W[1, 0]", row=0)
    assert share.value == 0.0
    assert whole.value == pytest.approx(-0.01 - 0.1, rel=1e-12)
    assert whole.band == "good"
    assert "dP/dw = l1 sign(w) + l2 w" in str(whole)


def test_float32_is_compared_with_differences_in_float64():
    net = cr.Network([cr.Dense(8, "tanh"), cr.Dense(3, "softmax")], n_inputs=4)
    why = cr.trace(net, [[0.1, -0.4, 1.0, 2.0]], [1], dtype=None).why("dense_1.W")
    assert why.gradient.dtype == np.float32
    assert why.error < 1e-4


# ---- parts, forms, faults -------------------------------------------------------------------------------------------


def test_a_column_and_a_whole_matrix(worked):
    assert worked.why("dense_1.W").value.shape == (2, 2)
    assert worked.why("dense_1.W[:, 1]").value.tolist() == worked["dense_1.dW[:, 1]"].tolist()
    assert worked.why("dense_1.b").value.tolist() == worked["dense_1.db"].tolist()


@pytest.mark.parametrize("name", ["dense_1.W[0, 1]", "dense_2.W", "dense_2.W[:, 0]"])
def test_every_form(worked, name):
    why = worked.why(name, paths=4)
    page = why.to_html()
    ET.fromstring(page.partition("<body>")[2].partition("</body>")[0].strip())  # noqa: S314 -- our own
    assert "\\partial L" in why.to_latex() or not why.alone
    assert why.to_markdown().startswith("# ")
    assert np.array_equal(json.loads(why.to_json())["value"], why.value)
    assert max(map(len, str(why).splitlines())) <= 80


@pytest.mark.parametrize(
    ("name", "row", "said"),
    [
        ("dense_1.w[0, 0]", None, "Did you mean 'dense_1.W'"),
        ("dense_1.Z[0, 0]", None, "dense_1.W, dense_1.b"),
        ("dense_1.W[2, 0]", None, "within its shape"),
        ("dense_1.W[0, 0]", 1, "a row of the trace, 0 to 0"),
        ("dense_1.W[0, 0]", True, "a row of the trace"),
    ],
)
def test_what_cannot_be_asked(worked, name, row, said):
    with pytest.raises(cr.ArgumentError, match=said):
        worked.why(name, row=row)


def test_paths_are_those_of_one_entry(worked):
    with pytest.raises(cr.ArgumentError, match="paths are those of one entry"):
        worked.why("dense_1.W").paths()
    with pytest.raises(cr.ArgumentError, match="paths"):
        worked.why("dense_1.W[0, 0]", paths=-1)


# ---- what is written is what is computed ----------------------------------------------------------------------------


def arithmetic(text):
    """What a line with numbers put in comes to, read as mathematics is: a product may lack its sign."""
    text = re.sub(r"(?<=[\d)]) \(", " * (", " ".join(text.split()).replace("^", "**"))
    return eval(text, {"sigmoid": lambda z: 1 / (1 + math.exp(-z)), "exp": math.exp})  # noqa: S307 -- our own formula


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "scaled_tanh", "silu", "softplus", "exp", "identity"])
def test_a_line_of_numbers_comes_to_its_value(activation):
    layers = [cr.Dense(3, activation), cr.Dense(2, activation), cr.Dense(1, "sigmoid")]
    net = cr.Network(layers, loss="binary_cross_entropy", seed=0, n_inputs=2)
    told = str(cr.trace(net, [[0.5, 1]], [1]).why("dense_1.W[1, 0]"))
    lines = told.partition("factored\n\n")[2].partition("\n\nPaths")[0].split("\n\n")
    assert len(lines) == 4
    for line in lines:
        _, _, in_numbers, *_, value = re.split(r"\s= ", line)
        assert arithmetic(in_numbers) == pytest.approx(float(value), rel=1e-4)


@pytest.mark.slow
def test_more_paths_than_a_float64_can_count():
    network = cr.Network([cr.Dense(2, "tanh")] * 1030 + [cr.Dense(1)], "half_squared_error", n_inputs=1)
    why = cr.trace(network, [1.0], [0.0]).why("dense_1.W[0, 0]")
    assert 1e308 < why.n_paths < 1e309
    assert "about 1.8e+308 paths lead" in why.to_text()
