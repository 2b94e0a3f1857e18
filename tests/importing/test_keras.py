"""Networks of Keras, where it is installed with a backend: outputs and files."""

from __future__ import annotations

import io
import os
import zipfile

import numpy as np
import pytest
from tests.importing.checking import became, check_every_insight

import chainrule as cr

pytest.importorskip("keras", reason="keras is not installed")
for backend in ("torch", "jax", "tensorflow"):
    try:
        __import__(backend)
    except ImportError:
        continue
    os.environ.setdefault("KERAS_BACKEND", backend)
    break
keras = pytest.importorskip("keras", exc_type=ImportError)
L = keras.layers
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras's own, with NumPy 2

rng = np.random.default_rng(4)
X = rng.normal(size=(12, 4)).astype("f4")


def sequential(*layers, shape=(4,)):
    """A Sequential with weights that are all other than at first."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input(shape), *layers])
    model.set_weights([np.abs(w) + rng.uniform(0.1, 1, w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


def outputs(model, rows=X):
    return keras.ops.convert_to_numpy(model(rows, training=False))


LAYERS = {
    **{f"activation {name}": L.Activation(name) for name in ("sigmoid", "tanh", "relu", "softmax", "silu", "linear")},
    **{f"dense {name}": L.Dense(6, activation=name) for name in ("elu", "selu", "softplus", "leaky_relu", "softmax")},
    "dense with an object": L.Dense(6, activation=L.LeakyReLU(negative_slope=0.4)),
    "dense without a bias": L.Dense(5, use_bias=False),
    "relu": L.ReLU(),
    "relu with a leak": L.ReLU(negative_slope=0.2),
    "leaky relu": L.LeakyReLU(negative_slope=0.3),
    "elu": L.ELU(alpha=0.7),
    "softmax": L.Softmax(),
    "dropout": L.Dropout(0.4),
    "flatten": L.Flatten(),
    "identity": L.Identity(),
    "batch norm": L.BatchNormalization(epsilon=0.01, momentum=0.8),
    "batch norm without a scale": L.BatchNormalization(scale=False),
    "layer norm": L.LayerNormalization(epsilon=0.01),
    "layer norm without a shift": L.LayerNormalization(center=False),
    "normalization": L.Normalization(mean=[1.0, 2, 3, 4, 5, 6], variance=[1.0, 2, 3, 4, 5, 6]),
    "rescaling": L.Rescaling(0.25, offset=-1.0),
}


@pytest.mark.parametrize("name", LAYERS)
def test_each_layer_computes_the_same(name):
    model = sequential(L.Dense(6, activation="tanh"), LAYERS[name], L.Dense(3))
    net = cr.from_keras(model)
    assert np.allclose(net.forward(X), outputs(model), rtol=1e-4, atol=1e-5)
    model = sequential(L.Dense(6), LAYERS[name].__class__.from_config(LAYERS[name].get_config()))
    assert np.allclose(cr.from_keras(model).forward(X), outputs(model), rtol=1e-4, atol=1e-5)


def test_nested_ones_and_pictures_taken_flat():
    inner = keras.Sequential([L.Dense(5), L.ReLU(name="bend")], name="inner")
    model = sequential(
        L.Rescaling(1 / 255, name="scale"), L.Flatten(name="flat"), inner, L.Dense(3, name="last"), shape=(3, 4)
    )
    rows = rng.uniform(0, 255, size=(9, 12)).astype("f4")
    net = cr.from_keras(model)
    assert np.allclose(net.forward(rows), outputs(model, rows.reshape(9, 3, 4)), rtol=1e-4, atol=1e-5)
    assert became(net)["0 scale"] == "folded into dense_1.W and dense_1.b"
    assert became(net)["2.1 bend"] == "dense_1: relu"


@pytest.mark.parametrize(
    ("given", "loss"),
    [
        ("mse", "mean_squared_error"),
        ("mae", "mean_absolute_error"),
        ("poisson", "poisson"),
        (keras.losses.Huber(delta=2.0), "huber"),
        (keras.losses.CategoricalCrossentropy(from_logits=True), "cross_entropy"),
        (keras.losses.BinaryCrossentropy(from_logits=True), "binary_cross_entropy"),
        (keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1), "mean_squared_error"),  # another loss
        ("categorical_crossentropy", "mean_squared_error"),  # of logits that nobody says to be such: not believed
        (lambda t, y: keras.ops.mean((t - y) ** 4), "mean_squared_error"),
    ],
)
def test_the_loss_is_that_of_compile(given, loss, tmp_path):
    model = sequential(L.Dense(3))
    model.compile(loss=given)
    net = cr.from_keras(model)
    assert net.loss.name == loss
    assert getattr(net.loss, "delta", 2.0) == 2.0
    assert cr.from_keras(model, loss="half_squared_error").loss.name == "half_squared_error"
    if isinstance(given, str) or loss.endswith("entropy"):
        model.save(tmp_path / "net.keras")
        assert cr.from_keras(tmp_path / "net.keras").loss == net.loss


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_files_are_read_by_keras(ending, tmp_path):
    model = sequential(
        L.BatchNormalization(), L.Dense(5, activation="tanh"), L.Dropout(0.1), L.Dense(3, activation="softmax")
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.save(tmp_path / f"net.{ending}")
    net = cr.from_keras(tmp_path / f"net.{ending}")
    assert np.allclose(net.forward(X), outputs(model), rtol=1e-4, atol=1e-6)
    assert net.loss.name == "cross_entropy"
    assert net.report.loss_reason == "that of model.compile"


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="it has no float64 unless told so at its start")
def test_float64_stays_float64():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        model = keras.Sequential([keras.Input((4,), dtype="float64"), L.Dense(3, activation="tanh")])
        net = cr.from_keras(model)
    finally:
        keras.config.set_dtype_policy(before)
    assert net.dtype == "float64"
    assert np.array_equal(net.parameters["dense_1.W"], keras.ops.convert_to_numpy(model.layers[0].kernel))


def test_every_insight_works_on_it():
    keras.utils.set_random_seed(0)
    net = cr.from_keras(keras.Sequential([keras.Input((4,)), L.Dense(6, "tanh"), L.Dense(3, "softmax")]))
    rows = rng.normal(size=(60, 4)).astype("f4")
    check_every_insight(net, rows, net.predict(rows))


def test_further_training_keeps_the_momentum_of_batch_norm():
    (_, norm) = cr.from_keras(sequential(L.Dense(3), L.BatchNormalization(momentum=0.8, epsilon=0.25))).layers
    assert norm == cr.BatchNorm(momentum=0.8, epsilon=0.25)


def test_what_stays_behind_is_said():
    model = sequential(L.Dense(3, kernel_regularizer="l2", bias_constraint="non_neg"))
    notes = "; ".join(cr.from_keras(model).report.notes)
    assert "kernel_regularizer stays behind" in notes
    assert "bias_constraint stays behind" in notes


def test_what_keras_does_not_train_is_not_trained_here():
    model = sequential(L.Dense(3, trainable=False), L.BatchNormalization(scale=False), L.Dense(2))
    layers = cr.from_keras(model).layers
    assert [layer.frozen for layer in layers] == [("W", "b"), ("gamma",), ()]


def test_a_gelu_of_the_other_form_is_taken_only_when_asked_for():
    model = sequential(L.Dense(6, activation="gelu"), L.Dense(2))
    with pytest.raises(cr.ArgumentError, match="approximate_gelu=True"):
        cr.from_keras(model)
    assert 1e-6 < cr.from_keras(model, approximate_gelu=True).report.difference < 1e-2


def functional():
    rows = keras.Input((4,))
    return keras.Model(rows, L.Dense(3)(rows))


REFUSED = {
    "an operator": (lambda: sequential(L.Dense(3), L.PReLU()), r"layer 1, .* \(PReLU\), is not supported"),
    "an activation": (lambda: sequential(L.Dense(3, activation="mish")), "its activation 'mish' is not supported"),
    "a function": (lambda: sequential(L.Dense(3, activation=lambda x: x)), "its activation .* is not supported"),
    "a ceiling": (lambda: sequential(L.Dense(3), L.ReLU(max_value=6)), "max_value and threshold: expected None and 0"),
    "another axis": (lambda: sequential(L.Flatten(), L.Dense(3), L.Softmax(axis=0)), "axis: expected -1"),
    "half numbers": (lambda: sequential(L.Dense(3, dtype="float16")), "float32 or float64"),
    "mixed numbers": (lambda: sequential(L.Dense(3, dtype="mixed_float16")), "mixed_float16 in a model of float32"),
    "not flat": (lambda: sequential(L.Dense(3), shape=(2, 4)), "W: expected shape"),
    "a graph": (functional, "Rebuild it as a Sequential"),
    "not built": (lambda: keras.Sequential([L.Dense(3)]), "no weights yet"),
    "a number": (lambda: 3, "a keras.Sequential or a path"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_counterpart_is_named(name):
    make, words = REFUSED[name]
    with pytest.raises(cr.InputError, match=words):
        cr.from_keras(make())


def test_a_file_that_is_cut_off(tmp_path):
    sequential(L.Dense(3)).save(tmp_path / "net.keras")
    whole = (tmp_path / "net.keras").read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 30):
        (tmp_path / "cut.keras").write_bytes(whole[:length])
        with pytest.raises(cr.FileFormatError, match="broken one"):
            cr.from_keras(tmp_path / "cut.keras")


def weights_of_another_kind(path, change):
    """A file that Keras wrote, whose first matrix was replaced."""
    h5py = pytest.importorskip("h5py")
    sequential(L.Dense(3)).save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    weights = io.BytesIO(members["model.weights.h5"])
    with h5py.File(weights, "a") as file:
        del file["layers/dense/vars/0"]
        change(h5py, file["layers/dense/vars"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**members, "model.weights.h5": weights.getvalue()}.items():
            archive.writestr(name, content)


def test_weights_that_are_not_in_the_file(tmp_path):
    """More of them than are stored, those of another file: Keras refuses both."""
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(48))
    changes = (
        lambda _, file: file.create_dataset("0", shape=(1 << 22, 1 << 12), chunks=(1 << 10, 1 << 10), dtype="f4"),
        lambda _, file: file.create_dataset("0", shape=(4, 3), dtype="f4", external=[(str(secret), 0, 48)]),
        lambda h5py, file: file.__setitem__("0", h5py.ExternalLink(str(secret), "/0")),
    )
    for change in changes:
        weights_of_another_kind(tmp_path / "net.keras", change)
        with pytest.raises(cr.FileFormatError, match="Keras cannot read it"):
            cr.from_keras(tmp_path / "net.keras")
