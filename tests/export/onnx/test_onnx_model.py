"""Models in onnxruntime, from raw columns to answers, beside `Model.predict`."""

from __future__ import annotations

import json

import numpy as np
import onnx
import polars as pl
import pytest
from tests.export.onnx.running import run

import chainrule as cr
from chainrule.export.onnx import columns
from chainrule.tables import BooleanColumn, dataset_names

N = 120
OPTIONS = {"epochs": 5, "layers": (6,), "validation": 0.0}


def table(seed=0, rows=N):
    rng = np.random.default_rng(seed)
    size = rng.normal(10, 3, rows)
    return pl.DataFrame(
        {
            "size": np.where(rng.random(rows) < 0.1, None, size.round(2).astype(object)).tolist(),
            "colour": rng.choice(["red", "green", "dark blue", None], rows).tolist(),
            "member": rng.choice(["yes", "no", None], rows).tolist(),
            "code": rng.choice([10, 20, 30], rows).tolist(),
            "height": rng.normal(1.7, 0.1, rows),
            "price": size * 100 + rng.normal(size=rows),
            "kind": np.where(size > 10, "large", "small"),
        },
        strict=False,
    )


def inputs(frame):
    """What the documentation says: numbers as float64, NaN where missing; text as strings, empty where missing."""
    fed = {}
    for name in frame.columns:
        values = frame[name].to_list()
        if name in {"colour", "member"}:
            fed[name] = np.array([["" if value is None else value] for value in values], dtype=object)
        else:
            fed[name] = np.array([[np.nan if value is None else float(value)] for value in values])
    return fed


@pytest.fixture(scope="module")
def kind():
    return cr.train(table(), "kind", drop=("price",), categories=("code",), missing=("-999",), **OPTIONS)


def test_classes(kind, tmp_path):
    told = kind.export(tmp_path / "kind.onnx", data=table())
    assert f"the probabilities of {N} given and 1,000 random rows" in str(told)
    new = table(1).drop("price", "kind")
    strange = new.head(4).with_columns(
        colour=pl.Series(["violet", "", "RED", "red"]),
        member=pl.Series(["TRUE", "f", "perhaps", "0"]),
        code=pl.Series([40, 10, None, -999]),
        size=pl.Series([-999.0, None, 1e6, 0.0]),
    )
    new = pl.concat([new, strange])
    ours, theirs = kind.predict(new), run(told.files[0], inputs(new))
    assert theirs["prediction"].tolist() == ours["prediction"].to_list()
    np.testing.assert_allclose(theirs["probabilities"], ours.drop("prediction").to_numpy(), atol=1e-6)


def test_the_file_says_what_it_is(kind, tmp_path):
    kind.export(tmp_path / "kind.onnx")
    model = onnx.load(tmp_path / "kind.onnx")
    assert [each.name for each in model.graph.input] == ["size", "colour", "member", "code", "height"]
    assert [each.name for each in model.graph.output] == ["prediction", "probabilities"]
    assert {each.key: json.loads(each.value) for each in model.metadata_props} == {
        "target": "kind",
        "classes": ["large", "small"],
    }
    assert {each.domain: each.version for each in model.opset_import} == {"": 17, "ai.onnx.ml": 3}


def test_without_the_columns(kind, tmp_path):
    told = kind.export(tmp_path / "kind.onnx", data=table(), network_only=True)
    X, _ = kind.encoded(table())
    np.testing.assert_allclose(run(told.files[0], {"X": X})["Y"], kind.network.forward(X), atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_in_the_units_of_the_target(dtype, tmp_path):
    model = cr.train(table(), "price", dtype=dtype, **OPTIONS)
    told = model.export(tmp_path / "price.onnx")
    new = table(1).drop("price")
    theirs = run(told.files[0], inputs(new.drop("kind")) | {"kind": new["kind"].to_numpy().astype(object)[:, None]})
    assert theirs["prediction"].shape == (N,)
    np.testing.assert_allclose(
        theirs["prediction"], model.predict(new)["prediction"], rtol=1e-5 if dtype == "float32" else 1e-12
    )


@pytest.mark.parametrize(
    ("labels", "options"),
    [
        ([True, False], {"loss": "binary_cross_entropy"}),
        ([3, 1, 2], {}),
        (["a", "b", "c"], {"loss": "mean_squared_error"}),
        (["ä", "ß"], {"norm": "batch", "dropout": 0.2}),
    ],
)
def test_labels_of_every_kind_and_outputs_of_every_kind(labels, options, tmp_path):
    frame = (
        table()
        .with_columns(kind=pl.Series([labels[i % len(labels)] for i in range(N)]))
        .select("size", "height", "kind")
    )
    model = cr.train(frame, "kind", task="classification", **OPTIONS, **options)
    told = model.export(tmp_path / "labels.onnx")
    ours, theirs = model.predict(frame), run(told.files[0], inputs(frame.select("size", "height")))
    assert theirs["prediction"].tolist() == ours["prediction"].to_list()
    np.testing.assert_allclose(theirs["probabilities"], ours.drop("prediction").to_numpy(), atol=1e-6)


def test_names_that_clash_with_others(tmp_path):
    frame = table().select(pl.col("size").alias("prediction"), pl.col("height").alias("dense_1.W"), "kind")
    model = cr.train(frame, "kind", **OPTIONS)
    told = model.export(tmp_path / "names.onnx")
    theirs = run(told.files[0], inputs(frame.drop("kind")))
    assert list(theirs) == ["prediction_2", "probabilities"]
    assert theirs["prediction_2"].tolist() == model.predict(frame)["prediction"].to_list()


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dates(dtype, tmp_path):
    """The encoding itself: all its parts, over leap years, the ends of years and the years before 1970."""
    rng = np.random.default_rng(0)
    first, last = np.array(["1583-01-01", "2420-01-01"], "datetime64[us]").astype(np.int64)
    moments = rng.integers(first, last, 3000)
    days = np.array(
        [f"{y}-{d}" for y in (1700, 1900, 1968, 2000, 2023, 2024) for d in ("02-28", "03-01", "12-31", "01-01")]
    )
    days[-1] = "2000-02-29"  # the last day of an era of 400 years
    moments[: len(days)] = days.astype("datetime64[us]").astype(np.int64)
    frame = pl.DataFrame({"when": pl.Series(moments).cast(pl.Datetime("us")), "kind": ["a", "b"] * 1500})
    frame = frame.with_columns(when=pl.when(pl.Series(rng.random(3000) > 0.1)).then("when"))
    model = cr.train(frame, "kind", dtype=dtype, epochs=1, layers=(0,), validation=0.0)
    assert [part.part for part in model.columns.features[0].parts] == [
        "year",
        "month",
        "day of week",
        "day of year",
        "hour",
        "days",
    ]
    model.network.parameters["dense_1.W"] = rng.normal(size=model.network.parameters["dense_1.W"].shape)
    told = model.export(tmp_path / "dates.onnx")
    when = frame["when"].to_numpy().astype("datetime64[us]").astype(np.int64)[:, None]
    theirs = run(told.files[0], {"when": when})["probabilities"]
    ours = model.predict(frame).drop("prediction").to_numpy()
    np.testing.assert_allclose(theirs, ours, atol=1e-6 if dtype == "float32" else 1e-14)


def test_a_column_without_words_is_named(kind, tmp_path, monkeypatch):
    monkeypatch.delitem(columns._ENCODERS, BooleanColumn)
    with pytest.raises(cr.ArgumentError, match="the column 'member' is a boolean, for which ONNX has no words"):
        kind.export(tmp_path / "kind.onnx")
    kind.export(tmp_path / "kind.onnx", network_only=True)


def test_numbers_that_float64_cannot_tell_apart_are_refused(tmp_path):
    frame = table().select("size", "kind").with_columns(id=pl.Series([2**60 + i % 2 for i in range(N)]))
    model = cr.train(frame, "kind", categories=("id",), **OPTIONS)
    with pytest.raises(cr.ArgumentError, match="the column 'id' has categories that are the same number"):
        model.export(tmp_path / "ids.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("name", dataset_names())
def test_every_table_that_is_built_in(name, tmp_path):
    model = cr.train(name, epochs=2, layers=(8,), validation=0.0)
    told = model.export(tmp_path / "model.onnx", data=name)
    frame, fed = model.read(name), {}
    for feature in onnx.load(told.files[0]).graph.input:
        values = frame[feature.name].to_list()
        text = feature.type.tensor_type.elem_type == onnx.TensorProto.STRING
        missing, kind = ("", str) if text else (np.nan, float)
        given = [missing if value is None else kind(value) for value in values]
        fed[feature.name] = np.array(given, dtype=object if text else float)[:, None]
    theirs, ours = run(told.files[0], fed), model.predict(name)
    if model.columns.classes:
        np.testing.assert_allclose(theirs["probabilities"], ours.drop("prediction").to_numpy(), atol=1e-5)
    else:
        np.testing.assert_allclose(theirs["prediction"], ours["prediction"], rtol=1e-4, atol=1e-5)
