"""The compiled encoding of columns of numbers against NumPy's, to the bit."""

import itertools

import numpy as np
import polars as pl
import pytest

from chainrule.engines.native import instruction_sets, kernels
from chainrule.errors import DataError
from chainrule.tables import filling
from chainrule.tables.features import NumberColumn
from chainrule.tables.filling import NumberScales, fill_numbers

pytestmark = pytest.mark.skipif(kernels() is None, reason="the compiled module was not built")

WHOLE = (pl.Int8, pl.UInt8, pl.Int16, pl.UInt16, pl.Int32, pl.UInt32, pl.Int64, pl.UInt64)


def frame_of(rows, *, missing, seed=0):
    """Columns of every type, in stretches of odd lengths that do not begin where their memory does."""
    rng = np.random.default_rng(seed)
    columns = []
    for i in range(37):
        dtype = (*WHOLE, pl.Float32, pl.Float64)[i % 10]
        values = pl.Series(f"x{i}", rng.normal(scale=30.0, size=rows)).cast(pl.Float64)
        if dtype in WHOLE:
            values = values.abs().round() if str(dtype).startswith("U") else values.clip(-120, 120).round()
        holes = pl.Series(rng.random(rows) < (0.2 if missing and i % 3 else 0.0))
        columns.append(pl.select(pl.when(~holes).then(values.cast(dtype)).alias(f"x{i}")).to_series())
    frame = pl.DataFrame(columns)
    cuts = [0, rows // 7, rows // 3, rows]
    return pl.concat([frame.slice(a, b - a) for a, b in itertools.pairwise(cuts)], rechunk=False)


def columns_of(frame, *, indicators):
    rng = np.random.default_rng(1)
    columns, places, place = [], [], 0
    for i, name in enumerate(frame.columns):
        median, center, scale = rng.normal(size=3)
        flagged = indicators and i > 20 and i % 4 == 0  # the first are neighbours, the last are not
        columns.append(
            NumberColumn(name=name, median=median, center=center, scale=abs(scale) + 0.1, indicator=bool(flagged))
        )
        places.append(place)
        place += 1 + flagged
    return columns, places, place + 2


def by_numpy(columns, places, frame, X):
    block = np.column_stack([series.cast(pl.Float64).fill_null(float("nan")).to_numpy() for series in frame])
    NumberScales(columns, places).fill(block, X)
    return X


@pytest.mark.parametrize("instruction_set", instruction_sets())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("rows", "missing"), [(1, False), (2, True), (211, False), (211, True)])
def test_the_bits_are_numpys(instruction_set, dtype, rows, missing):
    frame = frame_of(rows, missing=missing)
    columns, places, width = columns_of(frame, indicators=missing)
    X = np.zeros((rows, width), dtype)
    assert NumberScales(columns, places).fill_natively(frame, X, instruction_set=instruction_set)
    expected = by_numpy(columns, places, frame, np.zeros((rows, width), dtype))
    assert X.tobytes() == expected.tobytes()
    assert np.ptp(X[:, places]) > 0 or rows == 1


def test_threads_change_no_bit(monkeypatch):
    frame = frame_of(1000, missing=True)
    columns, places, width = columns_of(frame, indicators=True)
    alone, shared = (np.zeros((1000, width), np.float32) for _ in range(2))
    fill_numbers(columns, frame.get_columns(), alone, places)
    monkeypatch.setattr(filling, "_SHARED", 1)
    monkeypatch.setattr(filling, "cores", lambda: 7)
    fill_numbers(columns, frame.get_columns(), shared, places)
    assert alone.tobytes() == shared.tobytes()


def test_without_the_compiled_module_it_is_the_same(monkeypatch):
    frame = frame_of(300, missing=True)
    columns, places, width = columns_of(frame, indicators=True)
    compiled, plain = (np.zeros((300, width), np.float32) for _ in range(2))
    fill_numbers(columns, frame.get_columns(), compiled, places)
    monkeypatch.setattr(filling, "kernels", lambda: None)
    fill_numbers(columns, frame.get_columns(), plain, places)
    assert compiled.tobytes() == plain.tobytes()


@pytest.mark.parametrize("value", [float("inf"), 1e300])
def test_the_first_number_that_is_infinite_is_told(value):
    frame = frame_of(211, missing=False)
    wrong = pl.Series("x9", [0.0] * 150 + [value] * 61)
    frame = frame.with_columns(wrong)
    columns, places, width = columns_of(frame, indicators=False)
    with pytest.raises(DataError, match=r"column 'x9', row 151 holds (inf|1e\+300)") as fault:
        fill_numbers(columns, frame.get_columns(), np.zeros((211, width), np.float32), places)
    assert (fault.value.row, fault.value.column) == (151, "x9")


def test_nan_beside_nulls_is_missing():
    column = NumberColumn(name="x", median=7.0, indicator=True)
    X = np.zeros((3, 2), np.float32)
    fill_numbers([column], [pl.Series("x", [1.0, float("nan"), None])], X, [0])
    np.testing.assert_array_equal(X, [[1, 0], [7, 1], [7, 1]])


def encode(frame, X, **changed):
    C = frame.width
    given = {
        "stream": frame.__arrow_c_stream__(),
        **dict.fromkeys(("medians", "centers", "scales"), np.ones(C)),
        "places": np.arange(C),
        "flags": np.full(C, -1),
        "threads": 1,
        "instruction_set": "",
        "X": X,
    }
    return kernels().encode_numbers(**given | changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"stream": pl.DataFrame({"a": ["x"] * 4, "b": ["y"] * 4}).__arrow_c_stream__()}, "holds no numbers"),
        ({"stream": pl.DataFrame({"a": [1], "b": [2]}).__arrow_c_stream__()}, "other rows"),
        ({"places": np.array([0, 3])}, "a place that is not there"),
        ({"places": np.array([-1, 1])}, "a place that is not there"),
        ({"places": np.array([1, 0])}, "another order"),
        ({"flags": np.array([0, 3])}, "a flag that is not there"),
        ({"scales": np.ones(1)}, "not one of each"),
        ({"threads": 0}, "no threads"),
        ({"instruction_set": "abacus"}, "abacus"),
    ],
)
def test_a_wrong_call_is_refused(changed, message):
    frame = pl.DataFrame({"a": [1, 2, 3, 4], "b": [5, 6, 7, 8]})
    with pytest.raises((ValueError, RuntimeError), match=message):
        encode(frame, np.zeros((4, 3), np.float32), **changed)


def test_a_stream_gives_its_table_once():
    frame = pl.DataFrame({"a": [1, 2]})
    stream = frame.__arrow_c_stream__()
    encode(frame, np.zeros((2, 1)), stream=stream)
    with pytest.raises((ValueError, RuntimeError)):
        encode(frame, np.zeros((2, 1)), stream=stream)


@pytest.mark.parametrize("missing", [False, True])
def test_medians_of_bytes_are_those_of_polars(missing):
    rng, rows = np.random.default_rng(0), 211
    columns = []
    for i in range(9):
        values = pl.Series(f"x{i}", rng.integers(0, 1 << i, rows), dtype=pl.UInt8)
        holes = pl.Series(rng.random(rows) < (i / 8 if missing else 0.0))  # of the last none is left
        columns.append(pl.select(pl.when(~holes).then(values).alias(f"x{i}")).to_series())
    frame = pl.DataFrame(columns)
    for first, last in [(0, rows), (3, rows), (5, 11), (0, 1)]:
        cut = pl.concat([frame.slice(first, 1), frame[first + 1 : last]], rechunk=False)
        assert tuple(kernels().byte_medians(cut.__arrow_c_stream__())) == cut.select(pl.all().median()).row(0)
    with pytest.raises(ValueError, match="of bytes"):
        kernels().byte_medians(frame.cast(pl.Int16).__arrow_c_stream__())
