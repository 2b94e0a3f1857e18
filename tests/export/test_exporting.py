"""The frame of all exports: which format, what is refused, and that nothing is put in place before it was checked."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.export import FORMATS, Draft, formats
from chainrule.export.formats import Format, chosen
from chainrule.exported import Check, Exported


@pytest.fixture
def net():
    return cr.Network([cr.Dense(3, "tanh"), cr.Dense(2, "softmax")], n_inputs=4)


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_every_format_is_found_by_its_ending_and_has_a_line(form):
    assert chosen(f"folder/net{form.endings[0]}", None) is form
    assert chosen("whatever", form.name) is form
    assert form.about
    assert callable(form.make)


def test_the_longest_ending_wins_and_the_first_of_two_formats(monkeypatch):
    three = [Format("a", (".py",), "", "m"), Format("b", ("_numpy.py", ".py"), "", "m")]
    monkeypatch.setattr(formats, "FORMATS", {each.name: each for each in three})
    assert chosen("net.py", None).name == "a"
    assert chosen("NET_numpy.PY", None).name == "b"


@pytest.mark.parametrize(
    ("path", "options", "words"),
    [
        ("net.foo", {}, "'net.foo' does not say which format is meant"),
        ("net.foo", {"to": "jsn"}, "Did you mean 'json'"),
        ("net.json", {"to": 3}, "there is no format 3"),
        ("missing/net.json", {}, "a file in a folder that exists"),
        ("net.json", {"colour": 1}, "there is no option 'colour': json has none"),
        (None, {}, "the path of a file"),
        (None, {"to": "json"}, "the path of a file"),
        (".", {"to": "json"}, "not of a folder"),
        ("net.js", {"to": "c"}, r"'net.js' is no name for a file of the format c. End it in \.c"),
        ("net", {"to": "javascript"}, r"End it in \.mjs or \.js"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(net, path, options, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(cr.ArgumentError, match=words):
        net.export(path, **options)
    assert not list(tmp_path.iterdir())


def test_a_network_that_is_not_built_or_not_finite_is_refused(net, tmp_path):
    with pytest.raises(cr.NotFittedError):
        cr.Network([cr.Dense(1)]).export(tmp_path / "net.json")
    net.parameters["dense_2.b"][1] = np.inf
    with pytest.raises(cr.ArgumentError, match=r"dense_2\.b holds NaN or infinity"):
        net.export(tmp_path / "net.json")


def test_data_that_does_not_fit_is_refused(net, tmp_path):
    with pytest.raises(cr.ShapeError, match="4 columns"):
        net.export(tmp_path / "net.json", data=np.zeros((2, 3)))


class Failing:
    """A format whose check fails, and one that cannot be finished."""

    def __init__(self, fault):
        self.fault = fault

    def make(self, _subject, _path, *, detail=1):  # noqa: ARG002 -- an option to misspell
        raise self.fault


@pytest.mark.parametrize("fault", [cr.ExportError("wrong"), KeyboardInterrupt()])
def test_nothing_is_replaced_by_what_failed(net, fault, tmp_path, monkeypatch):
    monkeypatch.setitem(formats.FORMATS, "bad", Format("bad", (".bad",), "", "bad"))
    monkeypatch.setattr(formats, "import_module", lambda _: Failing(fault))
    (tmp_path / "net.bad").write_text("good")
    with pytest.raises(type(fault)):
        net.export(tmp_path / "net.bad")
    with pytest.raises(cr.ArgumentError, match="Did you mean 'detail'"):
        net.export(tmp_path / "net.bad", detial=2)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("net.bad", "good")]


def test_several_files_lie_beside_each_other(net, tmp_path, monkeypatch):
    check = Check(how="somebody", quantity="outputs", rows=2, random_rows=1000, max_difference=1.5e-7, limit=1e-5)

    class Two:
        @staticmethod
        def make(subject, path):
            return Draft(files={path.name: b"main", f"{subject.name}.h": b"head"}, check=check, notes=("Mind it.",))

    monkeypatch.setitem(formats.FORMATS, "two", Format("two", (".two",), "", "two"))
    monkeypatch.setattr(formats, "import_module", lambda _: Two)
    told = net.export(tmp_path / "My net.two")
    assert told.files == (str(tmp_path / "My net.two"), str(tmp_path / "my_net.h"))
    assert [Path(file).read_bytes() for file in told.files] == [b"main", b"head"]
    assert (told.rows, told.max_difference, told.sizes) == (1002, 1.5e-7, (4, 4))
    assert str(told).splitlines()[1:] == [
        f"Wrote {tmp_path}/my_net.h (4 bytes)",
        "Checked by somebody: the outputs of 2 given and 1,000 random rows differ by at most 1.5e-07.",
        "Note: Mind it.",
    ]


@pytest.mark.parametrize("large", ["net.two", "net.h"])
def test_a_full_disk_leaves_all_files_as_they_were(net, large, tmp_path, monkeypatch):
    check = Check(how="somebody", max_difference=0.0, limit=0.0)

    class Two:
        @staticmethod
        def make(*_):
            return Draft(
                files={name: b"x" * (1 + 9999 * (name == large)) for name in ("net.two", "net.h")}, check=check
            )

    monkeypatch.setitem(formats.FORMATS, "two", Format("two", (".two",), "", "two"))
    monkeypatch.setattr(formats, "import_module", lambda _: Two)
    for name in ("net.two", "net.h"):
        (tmp_path / name).write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(cr.StorageError, match=large):
            net.export(tmp_path / "net.two")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"net.two": "old", "net.h": "old"}


def test_a_record_of_an_export_is_plain_data():
    check = Check(how="x", max_difference=0.0, limit=0.0)
    told = Exported(format="json", files=("a",), sizes=(1,), check=check)
    assert "the same to the bit" in str(told)
    assert told.rows == 0
