"""Every fault a table can have, by its message; and every form in which a table may come."""

from __future__ import annotations

import gzip
import io
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from safetensors.numpy import save_file

from chainrule.errors import DataError
from chainrule.tables import delimited, read_table

EXPECTED = {"a": [1, 3], "b": ["x", "y"]}


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(name, content):
    with open(name, "wb") as stream:  # noqa: PTH123 - the tests name files as a person does, relative to the folder
        stream.write(content if isinstance(content, bytes) else content.encode())
    return name


FORMS = {
    "comma.csv": "a,b\n1,x\n3,y\n",
    "no_last_newline.csv": "a,b\n1,x\n3,y",
    "tab.tsv": "a\tb\n1\tx\n3\ty\n",
    "tab_named.csv": "a\tb\n1\tx\n3\ty\n",
    "semicolon.csv": "a;b\n1;x\n3;y\n",
    "bar.txt": "a|b\n1|x\n3|y\n",
    "windows.csv": "a,b\r\n1,x\r\n3,y\r\n",
    "macintosh.csv": "a,b\r1,x\r3,y\r",
    "quoted.csv": '"a","b"\n"1","x"\n"3","y"\n',
    "blanks.csv": "a, b\n 1, x\n 3, y\n",
    "blank_lines.csv": "\n\na,b\n1,x\n\n3,y\n\n",
    "bom.csv": "\ufeffa,b\n1,x\n3,y\n",
    "utf16.csv": "a,b\n1,x\n3,y\n".encode("utf-16"),
    "packed.csv.gz": gzip.compress(b"a,b\n1,x\n3,y\n"),
    "packed.csv.zst": pa.compress(b"a,b\n1,x\n3,y\n", "zstd", asbytes=True),
    "no_ending": "a,b\n1,x\n3,y\n",
}


@pytest.mark.parametrize("name", FORMS)
def test_text_in_every_form(name):
    assert read_table(f"./{write(name, FORMS[name])}").to_dict(as_series=False) == EXPECTED


def test_parquet(tmp_path):
    pl.DataFrame(EXPECTED).write_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").to_dict(as_series=False) == EXPECTED


def test_standard_input(monkeypatch):
    stdin = SimpleNamespace(buffer=io.BytesIO(gzip.compress(b"a,b\n1,x\n3,y\n")))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert read_table("-").to_dict(as_series=False) == EXPECTED
    with pytest.raises(DataError, match=r"^standard input: nothing came"):
        read_table("-")


@pytest.mark.parametrize(
    "frame",
    [
        EXPECTED,
        pl.DataFrame(EXPECTED),
        pl.LazyFrame(EXPECTED),
        pd.DataFrame(EXPECTED),
        pa.table(EXPECTED),
        {"a": np.array([1, 3]), "b": ("x", "y")},
    ],
    ids=["dict", "polars", "lazy", "pandas", "pyarrow", "arrays"],
)
def test_frames(frame):
    assert read_table(frame).to_dict(as_series=False) == EXPECTED


def test_a_matrix_and_numbered_columns_of_pandas():
    matrix = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert read_table(matrix).to_dict(as_series=False) == {"column_1": [1.0, 3.0], "column_2": [2.0, 4.0]}
    assert read_table(pd.DataFrame(matrix)).columns == ["0", "1"]


def test_missing_values_everywhere():
    text = "n,t,f\n1,?,0.5\n?,x,NaN\nNA,,NA\n4,null,1\n"
    frame = read_table(write("m.csv", text))
    assert frame["n"].to_list() == [1, None, None, 4]
    assert frame["t"].to_list() == [None, "x", None, None]
    assert frame["f"].to_list() == [0.5, None, None, 1.0]
    columns = {"t": ["?", " x "], "f": [float("nan"), 1.0]}
    assert read_table(columns).to_dict(as_series=False) == {"t": [None, "x"], "f": [None, 1.0]}


def test_marks_of_ones_own():
    name = write("m.csv", "a,b\n-999,-\n3,y\n4,unknown\n")
    frame = read_table(name, missing=["-999", "-", "unknown"])
    assert frame.to_dict(as_series=False) == {"a": [None, 3, 4], "b": [None, "y", None]}


def test_a_mark_or_a_decimal_far_from_the_beginning():
    rows = "1,2\n" * 3000
    assert read_table(write("mark.csv", f"a,b\n{rows}?,3\n"))["a"].to_list()[-2:] == [1, None]
    assert read_table(write("decimal.csv", f"a,b\n{rows}1.5,3\n"))["a"].to_list()[-2:] == [1.0, 1.5]
    long = f"a,b\n{rows}1.5,9007199254740993\n"
    assert read_table(write("long.csv", long))["b"].to_list()[-1] == 9007199254740993
    assert read_table(write("text.csv", f"a,b\n{rows}x,3\n"))["a"].to_list()[-2:] == ["1", "x"]


def test_decimal_commas_between_semicolons():
    frame = read_table(write("e.csv", "a;b;c\n1,5;2;1,5 m\n-0,25;3;x\n"))
    assert frame.to_dict(as_series=False) == {"a": [1.5, -0.25], "b": [2, 3], "c": ["1,5 m", "x"]}


def test_quoted_separators_lines_and_marks():
    text = 'a,b\n1,"x, y\nz"\n2,"say ""no"""\n3,5" pipe\n'
    assert read_table(write("q.csv", text))["b"].to_list() == ["x, y\nz", 'say "no"', '5" pipe']


def test_a_mark_of_inches_swallows_no_line():
    assert read_table(write("inch.csv", 'a,b\n1,5" pipe\n2,y\n')).to_dict(as_series=False) == {
        "a": [1, 2],
        "b": ['5" pipe', "y"],
    }


def test_no_header():
    name = write("n.csv", "5,0,0.5\n4,1,0.25\n")
    with pytest.raises(DataError, match=r"holds numbers \(5, 0, 0\.5\)\. If it has no header, say so: .*--no-header"):
        read_table(name)
    assert read_table(name, header=False).to_dict(as_series=False) == {
        "column_1": [5, 4],
        "column_2": [0, 1],
        "column_3": [0.5, 0.25],
    }
    with pytest.raises(DataError, match="no header"):
        read_table(write("iris.data", "5.1,3.5,1.4,0.2,setosa\n4.9,3.0,1.4,0.2,setosa\n"))
    assert read_table(write("counted.csv", "0,1,2\n5,6,7\n")).columns == ["0", "1", "2"]
    assert read_table(write("years.csv", "country,1990,2000\nx,6,7\n")).columns == ["country", "1990", "2000"]


def test_unnamed_columns_get_names():
    assert read_table(write("u.csv", ",a\n0,5\n1,6\n")).columns == ["column_1", "a"]


FAULTS = {
    "empty.csv": ("", "the file is empty"),
    "blank.csv": ("\n\n", "nothing but blank lines|holds nothing"),
    "header.csv": ("a,b\n", "a header and no rows"),
    "header_only_gz.csv": (gzip.compress(b""), "holds nothing"),
    "short.csv": ("a,b\n1,2\n3\n4,5\n", "line 3 has 1 field, the header has 2"),
    "short_quoted.csv": ('a,b\n1,"2\n2"\n3\n', "line 4 has 1 field, the header has 2"),
    "long.csv": ("a,b\n1,2\n3,4,5\n", "line 3 has 3 fields, the header has 2"),
    "after_blank.csv": ("\n\na,b\n1,2\n3\n", "line 5 has 1 field"),
    "far.csv": ("a,b\n" + "1,2\n" * 5000 + "1,2,3\n", "line 5002 has 3 fields"),
    "open_quote.csv": ('a,b\n1,2\n1,"x\n3,1\n', "line 3: a double quotation mark is opened and not closed"),
    "open_quote_at_once.csv": ('a,b\n1,"x\n3,1\n', "line 2: a double quotation mark is opened and not closed"),
    "colon.csv": (
        "a:b\n1:2\n",
        "'a:b', which seems to hold several separated by ':': expected columns separated by comma",
    ),
    "space.csv": ("a b c\n1 2 3\n", "separated by ' '"),
    "latin.csv": ("a,b\n1,Zürich\n".encode("latin1"), r"line 2 \(byte 7\) holds 0xFC, which is not UTF-8\. .*iconv"),
    "latin_header.csv": ("ä,b\n1,x\n".encode("latin1"), r"line 1 \(byte 0\) holds 0xE4"),
    "latin_far.csv": (b"a,b\n" + b"1,x\n" * 3000 + b"1,\xe4\n", r"line 3002 \(byte 12006\) holds 0xE4"),
    "cut_character.csv": (b"a,b\n1,x\n2,\xc3", "in the middle of a character"),
    "utf16.csv": ("a,b\n1,x\n".encode("utf-16-le"), "byte 1 is zero: this is a binary file"),
    "twice.csv": ("a,b,a\n1,2,3\n", "columns 1 and 3 are both named 'a'"),
    "twice_blank.csv": ("a,b, a\n1,2,3\n", "columns 1 and 3 are both named 'a'"),
    "text.parquet": ("a,b\n1,2\n", "the name says Parquet, and the file is not: expected the bytes PAR1"),
    "cut.parquet": (b"PAR1\x15\x04\x15", "cut off, broken or encrypted"),
    "sheet.csv": (b"PK\x03\x04abc", "spreadsheet"),
    "pixels.csv": (b"\0\0\x08\x03\0\0\0\1", "IDX file, not a table. .*mnist:FOLDER"),
    "junk.csv": (bytes(range(1, 256)) * 9, "not UTF-8"),
    "zeros.csv": (b"\1\2\3\0\4", "byte 3 is zero: this is a binary file"),
    "infinite.csv": ("a,b\n1,2\n3,inf\n", "column 'b', row 2 holds inf"),
    "minus.csv": ("a,b\n1,2\n3,-Infinity\n", "column 'b', row 2 holds -inf"),
    "overflow.csv": ("a,b\n1,2\n3,1e999\n", "column 'b', row 2 holds inf"),
    "cut.csv.gz": (gzip.compress(b"a,b\n1,2\n" * 100)[:-9], "compressed with gzip, and broken or cut off"),
    "cut.csv.zst": (pa.compress(b"a,b\n1,2\n" * 100, "zstd", asbytes=True)[:-4], "compressed with zstd, and broken"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_files(name):
    content, message = FAULTS[name]
    with pytest.raises(DataError, match=message) as caught:
        read_table(write(name, content))
    assert str(caught.value).startswith(f"{name}: ")
    assert caught.value.__cause__ is None
    assert "polars" not in str(caught.value).lower()


def test_a_model_is_no_table():
    save_file({"dense_1.W": np.zeros((2, 2))}, "model.safetensors")
    with pytest.raises(DataError, match=r"^model.safetensors: this is a model file \(safetensors\), not a table"):
        read_table("model.safetensors")


def test_names_that_lead_nowhere(tmp_path):
    write("flowers.csv", "a\n1\n")
    with pytest.raises(DataError, match=r"^flower.csv: there is no such file\. Did you mean 'flowers.csv'\?"):
        read_table("flower.csv")
    with pytest.raises(DataError, match="There is no folder 'nowhere' either"):
        read_table("nowhere/flower.csv")
    with pytest.raises(DataError, match=r"this is a directory, not a file\. Name one of its files: flowers.csv"):
        read_table(tmp_path)
    with pytest.raises(DataError, match=r"no built-in table of that name\. Did you mean 'iris'"):
        read_table("irs")
    with pytest.raises(DataError, match="mnist:FOLDER"):
        read_table("mnist")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (5, "expected a path, the name of a built-in table, a polars, pandas or pyarrow frame, .* got 5"),
        (None, "expected a path"),
        ({}, "0 rows and 0 columns"),
        ({"a": []}, "0 rows and 1 columns"),
        ({"a": [1], "b": [1, 2]}, "column 'b' has 2 values, 'a' has 1"),
        ({"a": [1, "x", 3]}, "column 'a', row 2 holds 'x', the rows before it int"),
        ({"a": "text"}, "column 'a': expected a list or array of values, got 'text'"),
        ({"a": [1.0, float("inf")]}, "column 'a', row 2 holds inf"),
        (pd.DataFrame({"a": [1, "x"]}), "column 'a', row 2 holds 'x'"),
        (pd.DataFrame(np.eye(2), columns=["a", "a"]), "columns 1 and 2 are both named 'a'"),
        (pl.DataFrame({"a": [1]}).head(0), "0 rows and 1 columns"),
        (np.ones(3), "expected a matrix"),
    ],
)
def test_faults_of_frames(source, message):
    with pytest.raises(DataError, match=message):
        read_table(source)


@pytest.mark.slow
def test_a_large_file_is_read_in_narrow_types_and_right():
    rng = np.random.default_rng(0)
    wide = rng.integers(0, 100, (500_000, 24))
    wide[-1, :3] = [300, 70_000, 5_000_000_000]  # more than the first rows let expect
    frame = pl.DataFrame({f"x{i}": wide[:, i] for i in range(24)})
    frame.write_csv("large.csv")
    read = read_table("large.csv")
    assert (read.to_numpy() == wide).all()
    frame[:-1].write_csv("large.csv")
    read = read_table("large.csv")
    assert set(read.dtypes) == {pl.Int16}
    assert (read.to_numpy() == wide[:-1]).all()


def test_pictures_are_read_as_bytes_as_long_as_they_are_bytes(monkeypatch):
    monkeypatch.setattr(delimited, "_LARGE", 1)
    pixels = np.random.default_rng(0).integers(0, 256, (1500, 8))
    pixels[0, 0] = 255
    frame = pl.DataFrame({f"pixel_{i}": pixels[:, i] for i in range(8)})
    frame.write_csv("pictures.csv")
    assert read_table("pictures.csv").schema == dict.fromkeys(frame.columns, pl.UInt8())
    pixels[-1, 5] = 256  # beyond the rows that said what the columns hold
    frame = pl.DataFrame({f"pixel_{i}": pixels[:, i] for i in range(8)})
    frame.write_csv("pictures.csv")
    read = read_table("pictures.csv")
    assert set(read.dtypes) == {pl.Int16}
    assert (read.to_numpy() == pixels).all()


@pytest.mark.parametrize("size", [1, 300, 5_000])
def test_types_are_found_from_the_beginning_wherever_it_is_cut(monkeypatch, size):
    rows = [{"a": i, "text": f'line {i}\nand "more", of it', "b": i / 4} for i in range(1500)]
    pl.DataFrame(rows).write_csv("texts.csv")
    whole = read_table("texts.csv")
    monkeypatch.setattr(delimited, "_BEGINNING", size)
    assert read_table("texts.csv").equals(whole)
    assert whole["text"][7] == 'line 7\nand "more", of it'


def test_a_zero_byte_in_a_name_is_refused(tmp_path):
    frame = pl.DataFrame({"a\0b": [1.0, 2.0], "c": [1, 2]})
    path = tmp_path / "odd.parquet"
    frame.write_parquet(path)
    for source in (frame, frame.to_dict(as_series=False), path):
        with pytest.raises(DataError, match="zero byte"):
            read_table(source)
