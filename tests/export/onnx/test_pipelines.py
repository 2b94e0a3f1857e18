"""Pipelines with our estimators through skl2onnx and onnxruntime, beside their own `predict`."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from chainrule.estimators import Architecture, MLPClassifier, MLPRegressor
from chainrule.export.onnx import register_converters

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")]
X, y = load_iris(return_X_y=True)
QUICK = {"max_iter": 3, "tol": 0.0, "hidden_layer_sizes": (8,), "random_state": 0}


@pytest.fixture(scope="module")
def to_onnx():
    """Of skl2onnx, which takes a third of a second to import."""
    convert = pytest.importorskip("skl2onnx").to_onnx
    register_converters()
    return convert


def run(model, X):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: X})


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "labels",
    [y, np.array(["se", "ve", "vi"])[y], y == 1, np.array(["no", "yes"], dtype=object)[np.minimum(y, 1)]],
    ids=["numbers", "texts", "truths", "two texts"],
)
def test_classifiers(to_onnx, labels, dtype):
    data = X.astype(dtype)
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**QUICK)).fit(data, labels)
    label, probabilities = run(to_onnx(pipeline, data[:1], options={"zipmap": False}), data)
    assert (label == pipeline.predict(data)).all()
    np.testing.assert_allclose(probabilities, pipeline.predict_proba(data), atol=1e-6 if dtype == np.float32 else 1e-14)


def test_probabilities_by_the_name_of_the_class(to_onnx):
    data = X.astype(np.float32)
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**QUICK)).fit(data, np.array(["se", "ve", "vi"])[y])
    _, by_name = run(to_onnx(pipeline, data[:1]), data)
    np.testing.assert_allclose(by_name[7]["ve"], pipeline.predict_proba(data)[7, 1], rtol=1e-5)


@pytest.mark.parametrize("opset", [17, 21])
@pytest.mark.parametrize("several", [False, True])
def test_regressors(to_onnx, several, opset):
    inputs, values = load_diabetes(return_X_y=True)
    values = np.c_[values, -values] if several else values
    architecture = Architecture(normalization="layer", dropout=0.2)
    pipeline = make_pipeline(StandardScaler(), MLPRegressor(architecture=architecture, **QUICK)).fit(inputs, values)
    model = to_onnx(pipeline, inputs[:1], target_opset=opset)
    (theirs,) = run(model, inputs)
    np.testing.assert_allclose(theirs.reshape(values.shape), pipeline.predict(inputs), rtol=1e-12, atol=1e-12)


def test_texts_encoded_by_scikit_learn(to_onnx):
    pd = pytest.importorskip("pandas")
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    frame = pd.DataFrame(
        {"length": X[:, 0].astype(np.float32), "garden": np.array(["north", "south"])[np.arange(150) % 2]}
    )
    encoding = make_column_transformer((StandardScaler(), ["length"]), (OneHotEncoder(sparse_output=False), ["garden"]))
    pipeline = make_pipeline(encoding, MLPClassifier(**QUICK)).fit(frame, y)
    kinds = [("length", FloatTensorType([None, 1])), ("garden", StringTensorType([None, 1]))]
    model = to_onnx(pipeline, initial_types=kinds, options={"zipmap": False})
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    _, P = session.run(None, {name: frame[[name]].to_numpy() for name in frame.columns})
    np.testing.assert_allclose(P, pipeline.predict_proba(frame), atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [2, 3])
def test_several_labels_at_once(to_onnx, count, dtype):
    data = X.astype(dtype)
    labels = np.c_[data[:, 0] > 5.8, y == 0, y >= 1][:, :count].astype(int)
    model = MLPClassifier(**{**QUICK, "max_iter": 60, "learning_rate_init": 0.05}).fit(data, labels)
    label, P = run(to_onnx(model, data[:1], options={"zipmap": False}), data)
    assert (label == model.predict(data)).all()
    assert 0 < label.mean() < 1
    np.testing.assert_allclose(P, model.predict_proba(data), atol=1e-6)
