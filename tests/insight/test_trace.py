"""A trace tells what the step computed, to the last bit, under names that can be asked for."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from tests import registry

import chainrule as cr
from chainrule.examples import worked_example
from chainrule.insight.rendering.explained import FORMATS
from chainrule.insight.rows import Given
from chainrule.insight.trace import Trace
from chainrule.layers import Residual

FIGURES = {  # recomputed from the article; its printed digits
    "dense_1.Z[0, 0]": ".3775",
    "dense_1.Y[0, 0]": ".593269992",
    "dense_1.Y[0, 1]": ".596884378",
    "dense_2.Z[0, 0]": "1.105905967",
    "dense_2.Y[0, 0]": ".75136507",
    "dense_2.Y[0, 1]": ".772928465",
    "loss.terms[0, 0]": ".274811083",
    "loss.terms[0, 1]": ".023560026",
    "loss": ".298371109",
    "dense_2.dY[0, 0]": ".74136507",
    "dense_2.slope[0, 0]": ".186815602",
    "dense_2.dW[0, 0]": ".082167041",
    "dense_2.dZ[0, 0]": ".138498562",
    "dense_1.dY[0, 0]": ".036350306",
    "dense_1.slope[0, 0]": ".241300709",
    "dense_1.dW[0, 0]": ".000438568",
    "dense_2.W.new[0, 0]": ".35891648",
    "dense_2.W.new[1, 0]": ".408666186",
    "dense_2.W.new[0, 1]": ".51130127",
    "dense_2.W.new[1, 1]": ".561370121",
    "dense_1.W.new[0, 0]": ".149780716",
    "dense_1.W.new[1, 0]": ".19956143",
    "dense_1.W.new[0, 1]": ".24975114",
    "dense_1.W.new[1, 1]": ".29950229",
    "loss.new": ".291027774",
    "dense_2.db[0]": ".13849856",
    "dense_2.db[1]": "-.03809824",
    "dense_1.db[0]": ".00877135",
    "dense_1.db[1]": ".00995425",
}


@pytest.fixture(scope="module")
def worked():
    return cr.trace(worked_example.network(), worked_example.X, worked_example.T, cr.SGD(0.5))


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_of_the_worked_example(worked, name):
    text = FIGURES[name]
    decimals = len(text.partition(".")[2])
    assert round(worked[name], decimals) == round(float(text), decimals)


def test_the_digits_asked_for_are_shown(worked):
    text = worked.to_text(digits=9)
    for figure in ("0.593269992", "0.274811083", "0.298371109", "0.138498562", "0.0821670406", "0.291027774"):
        assert figure in text


# ---- names ----------------------------------------------------------------------------------------------------------


def test_an_array_an_entry_and_a_part(worked):
    assert worked["dense_2.dW"].shape == (2, 2)
    assert worked["dense_2.W[0, 1]"] == 0.5
    assert worked["dense_2.W[:, 1]"].tolist() == [0.5, 0.55]
    assert worked["dense_2.W[-1,0]"] == 0.45
    assert worked["dense_1.dZ[0]"].shape == (2,)
    assert "dense_1.slope" in worked
    assert "dense_1.dW" in list(worked)
    assert worked.formula("dense_1.dW") == "X^T dZ"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dense_2.dw", "Did you mean 'dense_2.dW'"),
        ("dense_3.W", "dense_1"),
        ("dense_1.W[2, 0]", r"within its shape \(2, 2\)"),
        ("dense_1.W[0, 0, 0]", "at most 2 places"),
        ("dense_1.W[a]", "whole numbers or ranges"),
        ("dense_1.W[0", "one pair of brackets"),
        ("dense_1.W[::0]", "a step other than 0"),
        (3, "a text such as"),
    ],
)
def test_an_address_that_is_not_there(worked, name, said):
    with pytest.raises(cr.ArgumentError, match=said):
        worked[name]


# ---- the numbers are those of the engine ----------------------------------------------------------------------------


def trace_of(case):
    point = registry.draw(case)
    given = Given(None, (cr.engines.interface.Data(point.X, point.T, point.weights)), tuple(range(case.B)))
    return point, Trace(point.objective, point.theta, given, point.mode, None)


@pytest.mark.parametrize("layers", registry.LAYERS)
def test_values_and_gradients_are_those_of_training_to_the_bit(layers):
    for case in itertools.islice(registry.every_pair(layers), 0, None, 7):
        the_same_to_the_bit(case)


@pytest.mark.slow
@pytest.mark.parametrize("layers", registry.LAYERS)
def test_so_they_are_under_every_activation_and_loss(layers):
    for turn, case in enumerate(registry.every_pair(layers)):
        made = the_same_to_the_bit(case)
        form = FORMATS[turn % len(FORMATS)]
        assert "dense_1" in made.rendered(form).replace("\\_", "_")


def the_same_to_the_bit(case):
    point, made = trace_of(case)
    objective = point.objective
    value, gradient = objective.value_and_gradient(point.theta, point.X, point.T, point.weights, point.mode)
    assert made["objective"] == float(value)
    params = objective.layout.split(point.theta)
    _, of_layers, _ = objective.data_term(params, point.X, point.T, point.weights, point.mode)
    joined = objective.layout.join(of_layers, point.theta)
    for parameter in objective.layout.parameters:
        if parameter.trainable:
            layer, _, own = parameter.name.rpartition(".")
            assert np.array_equal(made[f"{layer}.d{own}"], objective.layout.view(gradient, parameter.name)), case
            (node,) = [n for n in made.made.every_node() if n.name == layer and own in n.grads and not n.inside]
            assert np.array_equal(node.grads[own], objective.layout.view(joined, parameter.name)), case
    first = made.made.nodes[0]
    assert np.array_equal(first.dX, registry.gradient_of_inputs(point)), case
    assert np.allclose(made["loss.terms"].sum(axis=1), made["loss.rows"], rtol=1e-9, atol=1e-12), case
    return made


@pytest.mark.slow
@pytest.mark.parametrize("layers", registry.LAYERS)
def test_a_step_follows_the_gradient_under_every_activation_and_loss(layers):
    """Where training and prediction are one; gradient descent is written out, frozen numbers keep their bits."""
    for case in registry.every_pair(layers):
        point, plain = trace_of(case)
        if point.objective.network.has_modes:
            continue
        made = Trace(point.objective, point.theta, plain.given, point.mode, cr.SGD(0.3))
        trained = point.objective.layout.trainable("float64")
        assert np.allclose(made.update.theta, point.theta - 0.3 * made.gradient * trained, rtol=1e-14, atol=0), case
        assert np.array_equal(made.update.theta[trained == 0], point.theta[trained == 0]), case
        with np.errstate(all="ignore"):  # a step of .3 is too long for exp
            value, _ = point.objective.value_and_gradient(made.update.theta, *plain.batch, point.mode)
        penalty = point.objective.penalty(made.update.theta)[0]
        assert made["loss.new"] + penalty == pytest.approx(float(value), rel=1e-13, nan_ok=True), case


@pytest.mark.parametrize("layers", registry.LAYERS)
def test_every_layer_has_its_names(layers):
    for case in itertools.islice(registry.every_pair(layers), 0, None, 31):
        point, made = trace_of(case)
        for name, layer in _every_layer(point.objective.network, point.objective.input_shape, ""):
            names = {"X", "Y", "dY", "dX"}
            if layer.kind == "dense":
                names |= {"Z", "W", "dZ", "dW", "slope"} | ({"b", "db"} if layer.bias else set())
            if layer.kind in {"batch_norm", "layer_norm"}:
                names |= {"H", "mu", "var", "gamma", "beta", "dgamma", "dbeta"}
            if layer.kind == "activation":
                names |= {"slope"}
            assert {f"{name}.{own}" for own in names} <= set(made), (name, case)


def _every_layer(around, shape, prefix):
    for name, layer, inside in around.named(shape):
        yield prefix + name, layer
        if isinstance(layer, Residual):
            yield from _every_layer(layer, inside, f"{prefix}{name}.")


@pytest.mark.parametrize(
    "optimizer", [cr.SGD(0.5), "nesterov", "adam", cr.AdamW(0.01, clip_norm=0.1), "nadam", "rmsprop", "adagrad"]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_step_is_the_one_that_training_takes(optimizer, dtype):
    def network():
        layers = [
            cr.Dense(4, frozen="b"),
            cr.BatchNorm(),
            cr.Activation("relu"),
            cr.Dropout(0.3),
            cr.Dense(3, "softmax"),
        ]
        return cr.Network(layers, seed=5, dtype=dtype, n_inputs=3, l2=0.01)

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(8, 3)), np.arange(8) % 3
    net, trained = network(), network()
    before = net.theta.copy()
    made = cr.trace(net, X, y, optimizer, dtype=None)
    assert np.array_equal(net.theta, before)
    trained.fit(X, y, epochs=1, batch_size=None, shuffle=False, optimizer=optimizer, engine="reference")
    assert made.update.theta.dtype == dtype
    assert np.array_equal(made.update.theta, trained.theta)
    for name in trained.parameters:
        assert np.array_equal(made[f"{name}.new"], trained.parameters[name])
        if f"{name}.change" in made:
            assert np.array_equal(made[name] + made[f"{name}.change"], made[f"{name}.new"])


def test_without_an_optimizer_the_layers_are_as_in_prediction():
    net = cr.Network([cr.Dense(4), cr.BatchNorm(), cr.Dropout(0.5), cr.Dense(2, "softmax")], n_inputs=3)
    X, y = np.ones((2, 3)), [0, 1]
    made = cr.trace(net, X, y, dtype="float32")
    assert "dropout_1.mask" not in made
    assert np.array_equal(made["dense_2.Y"], net.forward(X))
    assert "dropout_1.mask" in cr.trace(net, X, y, training=True)


# ---- softmax and cross-entropy --------------------------------------------------------------------------------------


def test_the_pair_is_named_and_agrees_with_the_jacobian():
    net = cr.Network([cr.Dense(3, "tanh"), cr.Dense(4, "softmax")], n_inputs=2, seed=3)
    made = cr.trace(net, [[0.2, -1.0], [0.5, 0.1]], [3, 0])
    assert np.allclose(made["dense_2.dZ"], made["dense_2.dZ.jacobian"], rtol=0, atol=1e-15)
    assert made["dense_2.dZ[0, 3]"] == pytest.approx((made["dense_2.Y[0, 3]"] - 1) / 2)
    assert "softmax and cross_entropy are one function" in str(made)


# ---- what is handed in ----------------------------------------------------------------------------------------------


def test_one_row_may_stand_alone():
    net = cr.Network([cr.Dense(2, "softmax")], n_inputs=3)
    alone, table = cr.trace(net, [1, 2, 3.0], 1), cr.trace(net, [[1, 2, 3.0]], [1])
    assert alone["loss"] == table["loss"]
    assert cr.trace(net, np.array([1, 2, 3.0]), [0.5, 0.5])["T"].tolist() == [[0.5, 0.5]]


def test_some_rows_of_many():
    net = cr.Network([cr.Dense(2, "softmax")], n_inputs=1)
    made = cr.trace(net, [[0.0], [1], [2], [3]], [0, 1, 0, 1], rows=[3, -4], sample_weight=[1, 2, 3, 4])
    assert made["dense_1.X"].tolist() == [[3.0], [0.0]]
    assert made["weights"].tolist() == [4, 1]
    assert "they are rows 3, 0 of the data" in " ".join(str(made).split())


def test_rows_of_a_model_show_their_encoding(tmp_path):
    model = cr.train("iris", epochs=1, layers=(3,))
    made = cr.trace(model, "iris", rows=[0, 149])
    assert made["T"].tolist() == [[1, 0, 0], [0, 0, 1]]
    (first, *_) = made.given.encoding
    assert (first.column, first.value) == ("sepal_length", "5.1")
    assert float(first.inputs.partition(" = ")[2]) == pytest.approx(made["dense_1.X[0, 0]"], abs=1e-5)
    assert "sepal_length" in made.to_html(tmp_path / "a.html")
    legend = str(made.why("dense_2.W[0, 1]", row=0))
    assert "T[0, 1]  versicolor" in legend
    assert "Outputs: 0 setosa, 1 versicolor, 2 virginica." in " ".join(str(made).split())


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        (([[1.0, 2.0]], None), {}, "the targets of the rows"),
        (([[1.0]], [0]), {}, "2 columns"),
        (([[1.0, 2.0]], [0, 1]), {}, "1 rows, as X has"),
        (([[1.0, np.nan]], [0]), {}, "row 0, column 1 is nan"),
        (([[1.0, 2.0]], [0]), {"rows": [1]}, "whole numbers from 0 to 0"),
        (([[1.0, 2.0]], [0]), {"rows": []}, "at least one row"),
        (([[1.0, 2.0]], [0], "lbfgs"), {}, "a step along the gradient"),
        (([[1.0, 2.0]], [0], "sdg"), {}, "Did you mean 'sgd'"),
        (([[1.0, 2.0]], [0]), {"dtype": "float16"}, "float32 or float64"),
        (([[1.0, 2.0]], [7]), {}, "2 classes for 2 outputs"),
    ],
)
def test_what_is_wrong_is_said(arguments, options, said):
    net = cr.Network([cr.Dense(2, "softmax")], n_inputs=2)
    with pytest.raises(cr.InputError, match=said):
        cr.trace(net, *arguments, **options)


def test_only_networks_and_models():
    with pytest.raises(cr.ArgumentError, match="a Network or a Model"):
        cr.trace("net", [[1.0]], [0])


# ---- how it is shown ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html", "json"])
def test_every_form_shows_every_name(worked, form):
    text = worked.rendered(form)
    for name in worked:
        assert name.replace("_", "\\_" if form == "latex" else "_") in text


def test_json_holds_the_exact_numbers(worked):
    numbers = json.loads(worked.to_json())["numbers"]
    assert set(numbers) == set(worked)
    for name in worked:
        assert np.array_equal(np.asarray(numbers[name]["values"]), np.asarray(worked[name]))


def test_what_is_not_finite_is_shown_as_it_is():
    net = cr.Network([cr.Dense(2, "relu"), cr.Dense(1)], "half_squared_error", n_inputs=1, dtype="float64")
    net.theta[:] = 1e200
    made = cr.trace(net, [[1e150]], [1.0])
    assert made["loss"] == np.inf
    assert json.loads(made.to_json())["numbers"]["loss"]["values"] == "inf"
    assert "inf" in str(made)


# ---- training or prediction -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "between", [cr.Dropout(0.5), cr.BatchNorm(), cr.Residual([cr.Dense(4), cr.Dropout(0.1)])], ids=lambda b: b.kind
)
def test_a_step_is_one_of_training(between):
    net = cr.Network([cr.Dense(4, "tanh"), between, cr.Dense(1)], "half_squared_error", n_inputs=2)
    rows = [[0.5, -1.0], [1.0, 2.0]], [1.0, 0.0]
    step = cr.trace(net, *rows, cr.SGD(0.5))
    assert np.allclose(step["dense_2.W.new"], step["dense_2.W"] - 0.5 * step["dense_2.dW"], rtol=1e-15)
    assert cr.trace(net, *rows, training=False).loss != step.loss
    with pytest.raises(cr.ArgumentError, match="leave out training, or the optimizer"):
        cr.trace(net, *rows, cr.SGD(0.5), training=False)


def test_where_the_modes_are_one_both_may_be_asked_for():
    net = cr.Network(
        [cr.Dense(4, "tanh"), cr.Dropout(0.0), cr.LayerNorm(), cr.Dense(1)], "half_squared_error", n_inputs=2
    )
    step = cr.trace(net, [0.5, -1.0], [1.0], cr.SGD(0.5), training=False)
    assert np.allclose(step["dense_2.W.new"], step["dense_2.W"] - 0.5 * step["dense_2.dW"], rtol=1e-15)
