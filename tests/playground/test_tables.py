"""The tables that a page may name, and their rows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from chainrule.errors import ArgumentError, DataError
from chainrule.playground.setting import Setting
from chainrule.playground.tables import Sources, read_rows


@pytest.fixture
def own() -> Sources:
    frame = pl.DataFrame({"size": [1.0, 2.0, 3.0, 4.0] * 5, "kind": ["a", "b", "b", "a"] * 5, "price": range(20)})
    return Sources({"own.csv": frame})


def test_a_page_names_tables_and_no_paths(tmp_path: object) -> None:
    path = tmp_path / "secret.csv"  # type: ignore[operator] # pytest's own Path
    path.write_text("a,b\n1,2\n")
    for name in (str(path), "/etc/passwd", "../x.csv", "-"):
        with pytest.raises(ArgumentError, match="there is no table"):
            Sources().table(name)


def test_the_last_column_is_the_target_unless_another_is_asked_for(own: Sources) -> None:
    assert own.target(Setting(data="own.csv")) == "price"
    assert own.target(Setting(data="own.csv", target="kind")) == "kind"
    assert Sources().target(Setting(data="iris")) == "species"
    with pytest.raises(ArgumentError, match="Did you mean 'price'"):
        own.target(Setting(data="own.csv", target="prize"))


def test_a_column_that_cannot_be_learned_is_no_target_unless_asked_for() -> None:
    columns = {"size": range(20), "kind": ["a", "b"] * 10, "gaps": [None, *"abab" * 4, "a", "b", "a"]}
    frame = pl.DataFrame({**columns, "same": ["x"] * 20, "empty": [None] * 20})
    own = Sources({"own.csv": frame})
    assert own.target(Setting(data="own.csv")) == "kind"
    with pytest.raises(DataError, match="'empty' is the target"):
        read_rows(Setting(data="own.csv", target="empty"), own)


def test_the_colours_of_values_are_not_those_of_a_few_that_stand_far_off() -> None:
    y = np.linspace(-1, 1, 200)
    plain = pl.DataFrame({"a": y, "b": y**2, "y": y})
    far = plain.with_columns(pl.when(pl.col("y") == 1).then(10_000.0).otherwise(pl.col("y")).alias("y"))

    def ends(frame: pl.DataFrame) -> list[float]:
        rows = read_rows(Setting(data="own.csv", training_share=1.0), Sources({"own.csv": frame}))
        return list(rows.columns.decode_values(rows.target_ends))

    assert ends(plain) == pytest.approx([-1, 1])
    assert ends(far) == pytest.approx([-0.96, 0.96], abs=0.02)
    assert ends(far.select("a", "y")) == pytest.approx([-1, 10_000], abs=0.01)  # an axis has room for all


def test_the_rows_are_split_as_asked_and_none_is_lost() -> None:
    rows = read_rows(Setting(data="iris", training_share=0.8), Sources())
    kept, held = rows.places
    assert sorted([*kept.tolist(), *held.tolist()]) == list(range(150))
    assert len(held) == 30
    assert np.bincount(rows.data(held=True)[1]).tolist() == [10, 10, 10]  # stratified
    whole = read_rows(Setting(data="iris", training_share=1.0), Sources())
    assert whole.held is None
    assert len(whole.every()[0]) == 150


def test_noise_has_the_deviation_asked_for_and_is_the_same_again() -> None:
    plain, noisy, again = (
        read_rows(Setting(data="digits", training_share=1.0, noise=noise), Sources()).training[0]
        for noise in (0, 0.5, 0.5)
    )
    assert np.std(noisy - plain) == pytest.approx(0.5, rel=0.01)
    assert np.array_equal(noisy, again)


def test_an_axis_tells_the_values_of_the_table() -> None:
    rows = read_rows(Setting(data="iris", training_share=1.0), Sources())
    axis = rows.axes[0]
    column = rows.frame["sepal_length"] if "sepal_length" in rows.frame.columns else rows.frame[rows.frame.columns[0]]
    widened = 0.08 * (column.max() - column.min())
    assert axis.low_value == pytest.approx(column.min() - widened, rel=1e-4)
    assert axis.high_value == pytest.approx(column.max() + widened, rel=1e-4)


def test_numbers_are_looked_at_before_categories() -> None:
    rows = read_rows(Setting(data="penguins"), Sources())
    assert [rows.axes[place].name for place in rows.first_axes] == ["bill_length_mm", "bill_depth_mm"]
    assert read_rows(Setting(data="sine"), Sources()).first_axes == (0, 0)


def test_pixels_are_known_with_their_places() -> None:
    rows = read_rows(Setting(data="digits"), Sources())
    assert rows.picture_side == 8
    assert len(rows.pixels) == rows.training[0].shape[1] < 64
    first = rows.places[0][0]
    raw = np.array(rows.frame.drop("digit").row(int(first)), float)
    encoded = rows.training[0][0]
    centers = np.array([feature.center for feature in rows.columns.features])
    scales = np.array([feature.scale for feature in rows.columns.features])
    assert np.allclose(encoded * scales + centers, raw[rows.pixels], atol=1e-3)
    assert read_rows(Setting(data="iris"), Sources()).picture_side == 0


def test_a_target_that_is_dropped_is_refused(own: Sources) -> None:
    with pytest.raises(ArgumentError, match="drop"):
        read_rows(Setting(data="own.csv", drop=("price",)), own)


def test_a_table_that_cannot_be_learned_from_says_why() -> None:
    frame = pl.DataFrame({"a": [None, None], "b": [1, 2]})
    with pytest.raises(DataError):
        read_rows(Setting(data="empty"), Sources({"empty": frame}))


def test_a_square_number_of_measures_is_no_picture() -> None:
    rng = np.random.default_rng(0)
    measures = pl.DataFrame(rng.normal(size=(50, 36))).with_columns(kind=pl.Series(["x", "y"] * 25))
    pixels = pl.DataFrame(rng.integers(0, 17, size=(50, 36))).with_columns(kind=pl.Series(["x", "y"] * 25))
    sources = Sources({"measures": measures, "pixels": pixels})
    assert read_rows(Setting(data="measures"), sources).picture_side == 0
    assert read_rows(Setting(data="pixels"), sources).picture_side == 6
    assert read_rows(Setting(data="digits"), sources).picture_side == 8
