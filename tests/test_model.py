"""From a table to a model, and from its file back."""

from __future__ import annotations

import json
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, r2_score

import chainrule as cr

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(0)
TABLE = pl.DataFrame(
    {
        "size": RNG.normal(3, 1, 120),
        "colour": RNG.choice(["red", "green", "blue"], 120),
        "old": RNG.integers(0, 2, 120).astype(bool),
        "gap": [None if i % 7 == 0 else float(i) for i in range(120)],
    }
).with_columns(
    kind=pl.when(pl.col("size") > 3).then(pl.lit("big")).otherwise(pl.lit("small")),
    price=pl.col("size") * 1000 + pl.col("old") * 500 + 5000,
)
QUICK: dict[str, Any] = {"epochs": 40, "layers": (16,), "lr": 0.02}


def classifier(**options: Any) -> cr.Model:
    return cr.train(TABLE, "kind", drop=("price",), **{**QUICK, **options})


def regressor(**options: Any) -> cr.Model:
    return cr.train(TABLE, "price", drop=("kind",), **{**QUICK, **options})


@pytest.fixture(scope="module")
def model() -> cr.Model:
    return classifier()


def test_classes_have_their_labels_and_probabilities(model: cr.Model) -> None:
    answer = model.predict(TABLE)
    assert answer.columns == ["prediction", "probability_big", "probability_small"]
    P = answer.select(pl.exclude("prediction")).to_numpy()
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-6)
    assert answer["prediction"].to_list() == [["big", "small"][k] for k in P.argmax(axis=1)]
    accuracy = accuracy_score(TABLE["kind"], answer["prediction"])
    assert accuracy > 0.9
    assert f"{accuracy:.3f}"[:4] in str(model.evaluate(TABLE))


def test_values_come_back_in_their_units() -> None:
    model = regressor(epochs=150)
    answer = model.predict(TABLE)
    assert answer.columns == ["prediction"]
    assert r2_score(TABLE["price"], answer["prediction"]) > 0.9


def test_any_frame_gives_the_same_answers(model: cr.Model) -> None:
    wanted = model.predict(TABLE)
    for frame in (
        TABLE.to_pandas(),
        TABLE.to_arrow(),
        TABLE.select(reversed(TABLE.columns)),
        TABLE.drop("kind", "price"),
    ):
        assert model.predict(frame).equals(wanted)
    assert type(TABLE.to_pandas()) is pd.DataFrame


def test_one_seed_one_model() -> None:
    a, b, c = classifier(epochs=3), classifier(epochs=3), classifier(epochs=3, seed=1)
    assert a.network.theta.tobytes() == b.network.theta.tobytes() != c.network.theta.tobytes()


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize("loss", ["auto", "mean_squared_error", "binary_cross_entropy"])
def test_a_model_comes_back_to_the_bit(tmp_path: Path, make: Any, loss: str) -> None:
    if make is regressor and loss == "binary_cross_entropy":
        with pytest.raises(cr.ArgumentError, match="a loss for values"):
            make(epochs=1, loss=loss)
        return
    model = make(epochs=2, loss=loss)
    model.save(tmp_path / "m.safetensors")
    other = cr.load(tmp_path / "m.safetensors")
    assert isinstance(other, cr.Model)
    assert other.network.theta.tobytes() == model.network.theta.tobytes()
    assert other.predict(TABLE).equals(model.predict(TABLE))
    assert (other.columns, other.settings) == (model.columns, model.settings)
    assert model.history is not None
    assert other.history is not None
    assert other.history["loss"] == model.history["loss"]


def test_training_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    whole = classifier(epochs=6, dropout=0.2, patience=3)

    def pull(record: Any) -> None:
        if record.epoch == 3:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        classifier(epochs=6, dropout=0.2, patience=3, callbacks=[cr.Checkpoint(path), pull])
    resumed = classifier(epochs=6, dropout=0.2, patience=3, resume=path)
    assert resumed.network.theta.tobytes() == whole.network.theta.tobytes()


def test_rows_of_the_test_are_not_trained_on() -> None:
    seen = classifier(test=0.25, epochs=30)
    assert seen.test_report is not None
    assert "30" in str(seen.test_report)  # rows


# ---- tampered files --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good(model: cr.Model, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "m.safetensors"
    model.save(path)
    return path.read_bytes()


def record_of(data: bytes) -> dict[str, Any]:
    (length,) = struct.unpack("<Q", data[:8])
    record: dict[str, Any] = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["chainrule"])
    return record


def with_record(data: bytes, record: dict[str, Any]) -> bytes:
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"]["chainrule"] = json.dumps(record)
    packed = json.dumps(header).encode()
    return struct.pack("<Q", len(packed)) + packed + data[8 + length :]


def load(path: Path, data: bytes) -> Any:
    path.write_bytes(data)
    return cr.load(path)


def test_columns_that_do_not_fit_the_network_are_refused(tmp_path: Path, good: bytes) -> None:
    record = record_of(good)
    del record["parts"]["columns"]["features"][0]
    with pytest.raises(cr.FileFormatError, match="the columns in the file do not fit the network: expected 8 inputs"):
        load(tmp_path / "m", with_record(good, record))
    record = record_of(good)
    record["parts"]["columns"]["target"]["classes"] = ["a", "b", "c"]
    with pytest.raises(
        cr.FileFormatError, match="do not fit the network: expected 8 inputs and 2 outputs, got '8 and 3'"
    ):
        load(tmp_path / "m", with_record(good, record))


@pytest.mark.parametrize("part", ["columns", "settings"])
@pytest.mark.parametrize(
    "value", [None, [], {}, "x", 3, {"features": 3}, {"epochs": -1}, {"optimizer": "adm"}], ids=str
)
def test_parts_of_another_type_are_refused(tmp_path: Path, good: bytes, part: str, value: Any) -> None:
    record = record_of(good)
    record["parts"][part] = value
    if part == "settings" and value in ({}, {"features": 3}):
        return  # every setting has a default, and those of a later version are passed over
    with pytest.raises(cr.FileFormatError, match=f"the record's part '{part}' is not valid"):
        load(tmp_path / "m", with_record(good, record))


def test_a_model_without_settings_is_refused(tmp_path: Path, good: bytes) -> None:
    record = record_of(good)
    del record["parts"]["settings"]
    with pytest.raises(cr.FileFormatError, match="the record has no part 'settings'"):
        load(tmp_path / "m", with_record(good, record))


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(place for key, inner in items for place in places(inner, (*way, key)))]


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_record_with_anything_anywhere_is_refused_or_harmless(
    tmp_path: Path, good: bytes, data: st.DataObject
) -> None:
    record = record_of(good)
    way = data.draw(st.sampled_from([way for way in places(record) if way[:1] == ("parts",) and len(way) > 1]))
    place: Any = record
    for key in way[:-1]:
        place = place[key]
    simple = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5)
    place[way[-1]] = data.draw(
        simple | st.lists(simple, max_size=3) | st.dictionaries(st.text(max_size=3), simple, max_size=2)
    )
    try:
        model = load(tmp_path / "m", with_record(good, record))
    except cr.FileFormatError:
        return
    with suppress(cr.InputError):  # such as a column that this table does not have
        assert len(model.predict(TABLE)) == 120
