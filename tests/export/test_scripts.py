"""Scripts in NumPy and plain Python: the same losses as a fit, found by code that imports nothing of ours."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule import activations, losses
from chainrule.export import formulas
from chainrule.schedules import ReduceOnPlateau, Step, WarmUp

RNG = np.random.default_rng(3)
X = RNG.standard_normal((13, 4)).round(3)
Y = np.arange(13) % 3
V = RNG.standard_normal((13, 2)).round(3)
TARGETS = {
    "poisson": RNG.poisson(2.0, (13, 2)).astype(float),
    "binary_cross_entropy": (V > 0).astype(float),
    "cross_entropy": Y,
}
HEADS = {"poisson": "softplus", "binary_cross_entropy": "sigmoid", "cross_entropy": "softmax"}
BOTH = pytest.mark.parametrize("to", ["numpy", "python"])


def _losses(path):
    script = runpy.run_path(str(path))
    rows = [script[name] for name in ("X", "T", "weights") if name in script]
    return [float(loss) for loss in script["train"](script["parameters"], *rows, 10)]


def _fitted(layers, loss, y, **options):
    """The losses of ten epochs, from a network of its own."""
    settings = {name: options.pop(name) for name in ("l1", "l2", "seed") if name in options}
    net = cr.Network(layers, loss, n_inputs=4, dtype="float64", **settings)
    net.theta = net.theta.astype("float32").astype(str).astype(float)  # the numbers as the script has them
    return net.fit(X, y, epochs=10, engine="reference", **options)["loss"]


def _check(to, path, layers, loss, y, **options):
    settings = {name: options[name] for name in ("l1", "l2", "seed") if name in options}
    net = cr.Network(layers, loss, n_inputs=4, **settings)
    told = {name: value for name, value in options.items() if name not in settings}
    net.export(path, to, data=X, y=y, **told)
    assert _losses(path) == pytest.approx(_fitted(layers, loss, y, **options), rel=1e-9)


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("f", activations.names())
def test_every_activation(f, to, tmp_path):
    layers = [cr.Dense(5, f), cr.Dense(2, "identity")]
    optimizer = cr.SGD(0.05, clip_norm=0.5)  # exp runs away without
    _check(to, tmp_path / "net.py", layers, "mean_squared_error", V, optimizer=optimizer, batch_size=5)


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("loss", losses.names())
@pytest.mark.parametrize("fused", [True, False])
def test_every_loss(fused, loss, reduction, to, tmp_path):
    kind = type(losses.get(loss))
    y = TARGETS.get(loss, V)
    units = 3 if loss == "cross_entropy" else 2
    head = HEADS.get(loss, "identity") if fused else {"poisson": "sigmoid"}.get(loss, "softmax")
    if loss == "cross_entropy" and not fused:
        head = "sigmoid"
    layers = [cr.Dense(5, "tanh"), cr.Dense(units, head)]
    _check(to, tmp_path / "net.py", layers, kind(reduction=reduction), y, optimizer=cr.SGD(0.01), batch_size=5)


OPTIMIZERS = [
    cr.SGD(0.1, momentum=0.9),
    cr.SGD(0.1, momentum=0.9, nesterov=True),
    cr.RMSProp(0.01),
    cr.RMSProp(0.01, momentum=0.5),
    cr.Adagrad(0.1, initial=0.1),
    cr.Adam(0.01),
    cr.AdamW(0.01, weight_decay=0.1),
    cr.NAdam(0.01),
    cr.SGD(0.1, clip_norm=0.05),
    cr.SGD(0.1, clip_value=0.01),
    cr.Adam(Step(0.1, every=2)),
]


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda each: type(each).__name__)
def test_every_optimizer(optimizer, to, tmp_path):
    layers = [cr.Dense(5, "tanh"), cr.Dense(3, "softmax")]
    _check(to, tmp_path / "net.py", layers, "cross_entropy", Y, optimizer=optimizer, batch_size=4, seed=2**40 + 7)


PLATEAUS = {
    "at once": ReduceOnPlateau(2.0, patience=0, factor=0.3, min_delta=0.05),
    "least and rest": ReduceOnPlateau(3.0, patience=0, min_rate=0.5, cooldown=1, min_delta=0.05),
    "as scikit-learn": ReduceOnPlateau(2.0, patience=1, factor=0.2, cumulative=False, min_delta=0.05),
    "after a warm-up": WarmUp(ReduceOnPlateau(2.0, patience=0, factor=0.2, min_delta=0.05), epochs=1.5),
}


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("batch_size", [5, len(X)])
@pytest.mark.parametrize("schedule", PLATEAUS.values(), ids=PLATEAUS)
def test_a_rate_that_follows_the_loss(schedule, batch_size, to, tmp_path):
    path, layers = tmp_path / "net.py", [cr.Dense(5, "tanh"), cr.Dense(3, "softmax")]
    summed = losses.CrossEntropy(reduction="sum")
    _check(to, path, layers, summed, Y, optimizer=cr.Adam(schedule), batch_size=batch_size)
    optimizer = cr.SGD(schedule)
    _check(to, path, layers, "cross_entropy", Y, optimizer=optimizer, batch_size=batch_size, l1=0.01, l2=0.1)
    net = cr.Network(layers, n_inputs=4, l1=0.01, l2=0.1)
    rates = net.fit(X, Y, epochs=10, optimizer=optimizer, batch_size=batch_size, engine="reference")["rate"]
    assert min(rates) < rates[1]  # there was something to follow


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("loss", losses.names())
def test_rows_that_count_differently(loss, to, tmp_path):
    y, head = TARGETS.get(loss, V), HEADS.get(loss, "identity")
    layers = [cr.Dense(5, "tanh"), cr.Dense(3 if loss == "cross_entropy" else 2, head)]
    weights = np.linspace(0, 2, len(X))
    _check(to, tmp_path / "net.py", layers, loss, y, optimizer=cr.SGD(0.1), batch_size=5, sample_weight=weights)


@BOTH
def test_weights_of_rows_and_classes(to, tmp_path):
    weights = np.linspace(0, 2, len(X))
    layers = [cr.Dense(3, "softmax")]
    _check(to, tmp_path / "net.py", layers, "cross_entropy", Y, sample_weight=weights, class_weight="balanced")
    model = cr.train("iris", epochs=1, class_weight="balanced", layers=(2,))
    assert model.export(tmp_path / "iris.py", to, data=model.read("iris")[:60]).max_difference < 1e-12
    assert "weights" in runpy.run_path(str(tmp_path / "iris.py"))


LAYERS = {
    "batch norm": [
        cr.BatchNorm(),
        cr.Dense(5, "relu"),
        cr.BatchNorm(momentum=0.8),
        cr.Dropout(0.3),
        cr.Dense(3, "softmax"),
    ],
    "frozen": [
        cr.Dense(5, "relu", frozen="W"),
        cr.LayerNorm(frozen="beta"),
        cr.Dense(5, bias=False),
        cr.Activation("elu"),
        cr.Dense(3, "softmax", frozen="b"),
    ],
    "residual": [
        cr.Residual([cr.Dense(4, "relu"), cr.Residual([cr.LayerNorm(), cr.Dropout(0.5), cr.Dense(4)])]),
        cr.Dense(3),
        cr.Activation("softmax"),
    ],
    "constants": [
        cr.Dense(5, activations.LeakyReLU(0.1)),
        cr.Dense(5, activations.LeakyReLU(0.3)),
        cr.Residual([cr.Activation(activations.ELU(0.3))]),
        cr.Dense(3, "softmax"),
    ],
    "dropout at both ends": [cr.Dropout(0.2), cr.Dense(3, "softmax"), cr.Dropout(0.1)],
}


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_every_layer(layers, to, tmp_path):
    path = tmp_path / "net.py"
    _check(to, path, layers, "cross_entropy", Y, optimizer=cr.Adam(0.01), batch_size=4, l1=0.01, l2=0.1, seed=5)
    _check(to, path, layers, "cross_entropy", Y, optimizer=cr.Adam(0.01), batch_size=4, shuffle=False)


@BOTH
def test_ten_losses_of_some_layers_a_loss_and_an_optimizer(to, tmp_path):
    layers = [cr.Dense(3, "gelu"), cr.Dropout(0.3), cr.LayerNorm(), cr.Dense(3, "softmax")]
    _check(to, tmp_path / "net.py", layers, "cross_entropy", Y, optimizer=cr.NAdam(0.01), batch_size=5, l2=0.1)


@BOTH
def test_a_wrong_slope_is_found_before_anything_is_written(to, tmp_path, monkeypatch):
    wrong = formulas.Curve("tanh(z)", "1 - y")
    monkeypatch.setitem(formulas.ACTIVATIONS, "tanh", wrong)
    net = cr.Network([cr.Dense(5, "tanh"), cr.Dense(2)], "mean_squared_error", n_inputs=4)
    with pytest.raises(cr.ChainruleError, match="other losses"):
        net.export(tmp_path / "net.py", to, data=X, y=V)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("to", ["numpy", "python"])
def test_a_person_runs_it(to, tmp_path):
    """In a process that has none of our modules, of NumPy only where it is NumPy's: both losses are the same."""
    model = cr.train("iris", epochs=3)
    model.export(tmp_path / "iris.py", to, data="iris")
    hidden = ["chainrule", "numpy"] if to == "python" else ["chainrule"]
    code = f"import sys; sys.modules.update(dict.fromkeys({hidden})); "
    code += "import runpy; runpy.run_path('iris.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    assert [int(row[0]) for row in rows] == list(range(1, 11))
    assert all(row[1] == row[2] for row in rows)
    first = model.history["loss"]
    assert [float(row[1]) for row in rows[:3]] == pytest.approx(first, rel=1e-5)


def test_it_begins_where_the_training_began_or_with_the_weights_that_were_set(tmp_path):
    net = cr.Network([cr.Dense(1)], "half_squared_error", n_inputs=4)
    net.parameters["dense_1.W"] = np.full((4, 1), 0.25)
    net.export(tmp_path / "set.py", data=X, y=V[:, 0])
    assert runpy.run_path(str(tmp_path / "set.py"))["parameters"]["W1"].tolist() == [[0.25]] * 4
    drawn = cr.Network([cr.Dense(1)], "half_squared_error", n_inputs=4).parameters["dense_1.W"]
    net.fit(X, V[:, 0], epochs=2, batch_size=4, optimizer="sgd")
    for start, weights in (("auto", drawn), ("initial", drawn), ("present", net.parameters["dense_1.W"])):
        net.export(tmp_path / "net.py", data=X, y=V[:, 0], start=start)
        script = runpy.run_path(str(tmp_path / "net.py"))
        assert script["parameters"]["W1"].tolist() == pytest.approx(weights, rel=1e-6)
        assert (script["BATCH_SIZE"], script["RATE"]) == (4, 0.01)


def test_without_rows_some_are_made_up_and_it_says_so(tmp_path):
    net = cr.Network([cr.Dense(3, "softmax")], n_inputs=4)
    exported = net.export(tmp_path / "net.py")
    assert "made up" in str(exported)
    assert exported.max_difference < 1e-12


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"optimizer": "lbfgs"}, "L-BFGS"),
        ({"sample_weight": [-1.0] * 13}, "numbers >= 0"),
        ({"class_weight": {7: 2.0}}, "labels among"),
        ({"data": None, "y": None, "sample_weight": [1.0]}, "the rows that they belong to"),
        ({"start": "middle"}, "auto or initial or present"),
        ({"batch_size": -1}, "batch_size"),
        ({"y": None}, "labels or values"),
        ({"learning_rate": 1}, "learning_rate"),
    ],
)
def test_what_cannot_be_written_is_said(options, words, tmp_path):
    net = cr.Network([cr.Dense(3, "softmax")], n_inputs=4)
    with pytest.raises(cr.ArgumentError, match=words):
        net.export(tmp_path / "net.py", **{"data": X, "y": Y, **options})


@pytest.mark.slow
@BOTH
def test_a_network_without_parameters_and_more_rows_than_are_compared(to, tmp_path):
    net = cr.Network([cr.Dropout(0.5)], "mean_squared_error", n_inputs=1)
    rows = np.zeros((10_001, 1))
    exported = net.export(tmp_path / "net.py", to, data=rows, y=rows, batch_size=0)
    assert exported.max_difference == 0
    assert "10001 rows" in (tmp_path / "net.py").read_text()


def test_nothing_stands_in_a_script_that_it_does_not_use(tmp_path):
    """Every function that is defined is called, and every module imported is used."""
    for to, layers in (("numpy", LAYERS["residual"]), ("python", LAYERS["batch norm"])):
        net = cr.Network(layers, n_inputs=4)
        net.export(tmp_path / "net.py", to, data=X, y=Y, batch_size=4)
        nodes = list(ast.walk(ast.parse((tmp_path / "net.py").read_text())))
        defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
        imports = [alias for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        names = defined | {alias.asname or alias.name for alias in imports}
        used = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        assert names - used <= {"predict"}


def test_the_page_shows_what_is_written(tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "sources.md").read_text()
    example, shown = re.search(r"```python\n(import.*?)```\n+```text\n(.*?)```", page, re.DOTALL).groups()
    monkeypatch.chdir(tmp_path)
    exec(example, {})  # noqa: S102 -- our own page
    assert shown in (tmp_path / "xor.py").read_text()


def test_no_line_of_a_script_is_much_longer_than_a_screen_is_wide(tmp_path):
    layers = [cr.Dense(3, "elu") for _ in range(12)]
    for to in ("numpy", "python"):
        cr.Network([*layers, cr.Dense(2)], "huber", n_inputs=2).export(tmp_path / "net.py", to, optimizer="adamw")
        assert max(map(len, (tmp_path / "net.py").read_text().splitlines())) <= 120


@BOTH
def test_any_name_of_a_file_will_do(to, tmp_path):
    path = tmp_path / 'a "name" \\ of its own.py'
    net = cr.Network([cr.Dense(60, "relu"), cr.Dense(3)], "huber", n_inputs=20)
    assert len(net.export(path, to).files) == 2
    assert len(_losses(path)) == 10


def test_the_columns_of_a_table_are_named(tmp_path):
    strange = {"a\nb": [1.0, 2.0, 3.0, 4.0], 't"': ["x", 'y"""\\', "x", 'y"""\\']}
    model = cr.train(strange, target='t"', epochs=1, layers=(2,))
    model.export(tmp_path / "net.py", "python", data=strange)
    text = (tmp_path / "net.py").read_text()
    assert "# X: a b" in text
    assert '# T: 1 in the column of its class: x, y"""\\' in text
    assert len(_losses(tmp_path / "net.py")) == 10
