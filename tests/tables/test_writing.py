"""Writing: in every form, whole or not at all."""

from __future__ import annotations

import io
import os
import sys
from types import SimpleNamespace

import polars as pl
import pytest

from chainrule.errors import ArgumentError, DataError, StorageError
from chainrule.tables import read_table, write_table

FRAME = pl.DataFrame({"a": [1, None, 3], "b": ["x, y", None, 'q"q'], "c": [0.1, 2.5, None]})


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".pq", ".csv.gz", ".tsv.gz"])
def test_what_was_written_is_read_back(tmp_path, ending):
    path = tmp_path / f"t{ending}"
    write_table(FRAME, path)
    assert read_table(path).equals(FRAME)
    assert os.listdir(tmp_path) == [path.name]  # noqa: PTH208 - nothing else may lie there


def test_standard_output(monkeypatch):
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=buffer))
    write_table(pl.DataFrame({"a": [1], "b": ["ü"]}), "-")
    assert buffer.getvalue() == "a,b\n1,ü\n".encode()


def test_a_failure_leaves_what_stood_there(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text("old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"t\.csv: could not be written: No space left on device"):
        write_table(FRAME, path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.csv"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write_table(FRAME, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert read_table(tmp_path / "real.csv").equals(FRAME)


def test_faults(tmp_path):
    with pytest.raises(ArgumentError, match=r"expected \.csv or \.tsv or .*, got '\.xlsx'"):
        write_table(FRAME, tmp_path / "t.xlsx")
    with pytest.raises(StorageError, match="could not be written: No such file or directory"):
        write_table(FRAME, tmp_path / "nowhere" / "t.csv")
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(StorageError, match="could not be written"):
        write_table(FRAME, tmp_path / "d.csv")
    with pytest.raises(DataError, match="Write Parquet instead"):
        write_table(pl.DataFrame({"a": [[1, 2]]}), tmp_path / "t.csv")
