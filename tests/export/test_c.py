"""Generated C: compiled without a warning, the same outputs, the same training, within the memory that it states."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest

import chainrule as cr
from chainrule import activations
from chainrule.export import c_running, formulas
from chainrule.export.c_running import FLAGS

COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not COMPILERS, reason="there is no C compiler here"),
]
RNG = np.random.default_rng(1)
X = RNG.standard_normal((40, 4)).astype(np.float32)
Y = RNG.integers(0, 3, 40)
LAYERS = {
    "norms": [cr.LayerNorm(), cr.Dense(5, "relu"), cr.BatchNorm(), cr.Dropout(0.3), cr.Dense(3, "softmax")],
    "residual": [
        cr.Residual([cr.LayerNorm(), cr.Dense(6, "relu"), cr.Residual([cr.Activation("tanh")]), cr.Dense(4)]),
        cr.Residual([cr.Dropout(0.2)]),
        cr.Dense(3, bias=False),
        cr.Activation("softmax"),
    ],
    "a residual sum at the end": [cr.Dense(3), cr.Residual([cr.LayerNorm(), cr.Activation("elu")])],
    "a norm alone": [cr.LayerNorm()],
    "nothing at all": [cr.Dropout(0.5)],
}


def _compile(folder, *sources, compiler=COMPILERS[0] if COMPILERS else "", flags=FLAGS):
    paths = [folder / source for source in sources]
    subprocess.run([compiler, *flags, *paths, "-o", folder / "program", "-lm"], check=True, cwd=folder)
    return folder / "program"


@pytest.mark.parametrize("f", activations.names())
def test_every_activation(f, tmp_path):
    net = cr.Network([cr.Dense(6, f), cr.Dense(3)], "half_squared_error", n_inputs=4)
    net.theta *= 0.3  # so that exp is of the size of the others
    exported = net.export(tmp_path / "net.c", data=X)
    assert exported.rows == 1040
    assert exported.max_difference < 1e-5


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_every_layer(layers, tmp_path):
    net, rng = cr.Network(layers, "half_squared_error", n_inputs=4), np.random.default_rng(7)
    for name, values in net.parameters.items():  # every bias, mean and variance is to count
        net.parameters[name] = np.abs(values + rng.standard_normal(values.shape)) + 0.1
    assert net.export(tmp_path / "net.c", data=X).max_difference < 1e-5


@pytest.mark.parametrize("compiler", COMPILERS)
def test_every_compiler_takes_it_without_a_warning(compiler, tmp_path):
    model = cr.train("iris", epochs=2)
    model.export(tmp_path / "iris.c")
    flags = (*FLAGS, "-Wshadow", "-Wconversion", "-c")
    source = tmp_path / "iris.c"
    subprocess.run([compiler, *flags, "-o", tmp_path / "iris.o", source], check=True)


TRAINED = {
    "softmax": ([cr.Dense(5, "gelu"), cr.Dropout(0.4), cr.Dense(3, "softmax")], "cross_entropy"),
    "sigmoid": ([cr.Dense(5, "tanh", frozen="b"), cr.Dense(3, "sigmoid")], "cross_entropy"),
    "softmax alone": ([cr.Dense(5, "elu"), cr.Dense(3, "softmax")], "mean_squared_error"),
    "norm": ([cr.Residual([cr.LayerNorm(), cr.Dense(4, "silu")]), cr.LayerNorm(), cr.Dense(3)], "huber"),
    "frozen": ([cr.Dense(5, "selu", frozen=("W", "b")), cr.Dense(3, bias=False)], "mean_absolute_error"),
}


@pytest.mark.parametrize(("layers", "loss"), TRAINED.values(), ids=TRAINED)
def test_a_training_step_is_that_of_our_engine(layers, loss, tmp_path):
    """Forty rows one after the other: the same losses, and afterwards the same outputs, as a fit of one epoch."""
    T = np.eye(3, dtype=np.float32)[Y]
    net = cr.Network(layers, loss, n_inputs=4, seed=11, l1=0.001, l2=0.01)
    net.export(tmp_path / "net.c", training_step=True)
    (tmp_path / "main.c").write_text(_TRAIN)
    rows = np.hstack([X, T]).astype(np.float32).tobytes()
    done = subprocess.run([_compile(tmp_path, "net.c", "main.c")], input=rows, capture_output=True, check=True)
    theirs = np.frombuffer(done.stdout, np.float32)
    history = net.fit(X, T, epochs=1, batch_size=1, shuffle=False, optimizer=cr.SGD(0.05), engine="reference")
    assert theirs[0] == pytest.approx(history["loss"][0], rel=1e-5)
    assert theirs[1:] == pytest.approx(net.forward(X).ravel(), rel=1e-4, abs=1e-6)


_TRAIN = """
#include "net.h"
#include <stdio.h>

int main(void)
{
    float rows[40][NET_INPUTS + NET_OUTPUTS], y[NET_OUTPUTS], sum = 0.0f;
    if (fread(rows, sizeof rows, 1, stdin) != 1) return 1;
    for (int i = 0; i < 40; i++) sum += net_train(rows[i], rows[i] + NET_INPUTS, 0.05f);
    sum /= 40.0f;
    fwrite(&sum, sizeof sum, 1, stdout);
    for (int i = 0; i < 40; i++) {
        net_predict(rows[i], y);
        fwrite(y, sizeof y, 1, stdout);
    }
    return 0;
}
"""


@pytest.mark.skipif("gcc" not in COMPILERS, reason="gcc measures the stack")
def test_a_network_for_digits_runs_in_8_kilobytes(tmp_path):
    """Measured: all frames of the stack at once, and every variable that is not constant."""
    net = cr.Network([cr.Dense(32, "sigmoid"), cr.Dense(16, "sigmoid"), cr.Dense(10, "softmax")], n_inputs=64)
    net.export(tmp_path / "digits.c")
    flags = ["-std=c99", "-Os", "-fno-inline", "-fstack-usage", "-c", "digits.c"]
    subprocess.run(["gcc", *flags], cwd=tmp_path, check=True)
    frames = sum(int(line.split("\t")[1]) for line in (tmp_path / "digits.su").read_text().splitlines())
    sizes = subprocess.run(["size", "digits.o"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    _, data, bss, *_ = map(int, sizes.splitlines()[1].split()[:4])
    assert frames + data + bss < 1024
    header = (tmp_path / "digits.h").read_text()
    assert "Weights: 2,778 numbers, 11,112 bytes, constant (flash)." in header
    local = int(re.search(r"has ([\d,]+) bytes of local arrays", header).group(1))
    assert local == 4 * (32 + 16)


def test_a_table_of_numbers_is_encoded_as_the_model_encodes_it(tmp_path):
    table = {"a": [1.0, None, 3.5, -2.0, -9.5], "b": [0.1, 0.2, 0.4, 0.8, 1.6], "v": [1.0, 2.0, 3.0, 5.0, 4.0]}
    model = cr.train(table, target="v", epochs=3, layers=(3,), missing=("-9.5",))
    model.export(tmp_path / "values.c")
    (tmp_path / "main.c").write_text(_ENCODE)
    raw = np.array([[np.nan if v is None else v for v in table[name]] for name in "ab"], np.float32).T
    program = _compile(tmp_path, "values.c", "main.c")
    done = subprocess.run([program], input=raw.tobytes(), capture_output=True, check=True)
    answers = model.predict(table)["prediction"].to_numpy()
    assert np.frombuffer(done.stdout, np.float32) == pytest.approx(answers, rel=1e-5)


_ENCODE = """
#include "values.h"
#include <stdio.h>

int main(void)
{
    float columns[VALUES_COLUMNS], x[VALUES_INPUTS], y[VALUES_OUTPUTS];
    while (fread(columns, sizeof columns, 1, stdin) == 1) {
        values_encode(columns, x);
        values_predict(x, y);
        y[0] = values_decode(y[0]);
        fwrite(y, sizeof(float), 1, stdout);
    }
    return 0;
}
"""


def test_strange_names_stay_names(tmp_path):
    strange = ['*/ "x', "a\\b??=", "ä\n"]
    names = ["*/ n /*", "/*/", "??/", "\\", "a\u202eb", "\x01"]
    table = {**dict.fromkeys(names, [0.0, 1.0, 2.0] * 4), "t": strange * 4}
    model = cr.train(table, target="t", epochs=2)
    model.export(tmp_path / "2 strange-names.c")
    (tmp_path / "main.c").write_text(
        '#include "2 strange-names.h"\n#include <stdio.h>\n'
        "int main(void) { for (int k = 0; k < 3; k++) puts(net_2_strange_names_classes[k]); return 0; }\n"
    )
    done = subprocess.run([_compile(tmp_path, "2 strange-names.c", "main.c")], capture_output=True, check=True)
    assert done.stdout.decode() == "".join(f"{label}\n" for label in model.columns.classes)


def test_what_c_cannot_hold_is_said(tmp_path):
    net = cr.Network([cr.Dense(2)], "huber", n_inputs=1, dtype="float64")
    with pytest.raises(cr.ArgumentError, match="without quotation marks"):
        net.export(tmp_path / 'a "net".c')
    net.parameters["dense_1.W"][0, 0] = 1e60
    with pytest.raises(cr.ArgumentError, match=r"1e\+60 is too large for float32"):
        net.export(tmp_path / "net.c")


def test_what_cannot_be_trained_on_a_row_is_named(tmp_path):
    net = cr.Network([cr.Dense(3), cr.BatchNorm(), cr.Dense(3, "softmax")], n_inputs=4)
    with pytest.raises(cr.ArgumentError, match="batch_norm_1"):
        net.export(tmp_path / "net.c", training_step=True)
    with pytest.raises(cr.ArgumentError, match="nothing to train"):
        cr.Network([cr.Dropout(0.5)], "huber", n_inputs=4).export(tmp_path / "net.c", training_step=True)


def test_a_wrong_formula_is_found_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setitem(formulas.ACTIVATIONS, "silu", formulas.Curve("z * sigmoid(0.9 * z)", "1"))
    with pytest.raises(cr.ChainruleError, match="differ"):
        cr.Network([cr.Dense(5, "silu")], "huber", n_inputs=4).export(tmp_path / "net.c")
    assert not list(tmp_path.iterdir())


def test_without_a_compiler_it_says_that_nothing_was_checked(tmp_path, monkeypatch):
    monkeypatch.setattr(c_running.shutil, "which", lambda _: None)
    exported = cr.Network([cr.Dense(5)], "huber", n_inputs=4).export(tmp_path / "net.c")
    assert "Not checked: there is no C compiler here." in str(exported)
    assert exported.max_difference is None
