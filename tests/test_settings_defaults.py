"""What `Settings` leaves open and how it is filled in for a table; the numbers themselves are held by `benchmarks/`."""

import polars as pl
import pytest

import chainrule as cr
from chainrule.settings import Settings
from chainrule.table_training import TableTraining


@pytest.mark.parametrize(
    ("given", "rows", "validation", "patience", "l2"),
    [
        ({}, 999, 0.0, 0, 0.008),
        ({}, 1000, 0.1, 10, 0.008),
        ({}, 60_000, 0.1, 10, 0.00013),
        ({"patience": 3}, 100, 0.1, 3, 0.08),
        ({"patience": 0}, 5000, 0.1, 0, 0.0016),
        ({"validation": 0.0}, 5000, 0.0, 0, 0.0016),
        ({"validation": 0.2}, 100, 0.2, 10, 0.08),
        ({"validation": "held.csv"}, 100, "held.csv", 10, 0.08),
        ({"l2": 0.0}, 100, 0.0, 0, 0.0),
    ],
)
def test_what_is_left_open_is_filled_in(given, rows, validation, patience, l2):
    filled = Settings(**given).for_rows(rows)
    assert (filled.validation, filled.patience, filled.l2) == (validation, patience, l2)
    assert filled.for_rows(10 * rows) == filled  # nothing is open any more


def test_rows_kept_for_a_test_do_not_count():
    frame = pl.DataFrame({"x": range(1200), "y": ["a", "b", "c"] * 400})
    assert TableTraining(frame, Settings(target="y")).rows == (1080, 120, 0)
    assert TableTraining(frame, Settings(target="y", test=0.2)).rows == (960, 0, 240)


def test_a_model_says_with_what_it_was_trained(tmp_path):
    model = cr.train("iris", epochs=1)
    model.save(tmp_path / "iris.safetensors")
    saved = cr.load(tmp_path / "iris.safetensors")
    assert saved.settings == model.settings
    assert (saved.settings.l2, saved.settings.validation, saved.network.l2) == (0.053, 0.0, 0.053)


@pytest.mark.parametrize("wrong", [{"l2": -1.0}, {"patience": -1}, {"validation": 1.5}])
def test_a_number_out_of_range_is_refused(wrong):
    with pytest.raises(cr.ArgumentError, match=next(iter(wrong))):
        Settings(**wrong)
