"""What a Keras file may say: read without Keras, which is not asked before all of it is believed."""

from __future__ import annotations

import json
import zipfile
from types import SimpleNamespace

import pytest

import chainrule as cr
from chainrule.importing.keras_files import read_model

KNOWN = ["Dense", "ReLU", "Sequential", "InputLayer"]
INPUT = {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, 4]}}


def dense(**config):
    return {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3, **config}, "registered_name": None}


def sequential(*layers):
    return {"module": "keras", "class_name": "Sequential", "config": {"layers": [INPUT, *layers]}}


class AskedError(Exception):
    """Keras was asked to read the file."""


def _asked(*_given, **_options):
    raise AskedError


KERAS = SimpleNamespace(saving=SimpleNamespace(load_model=_asked))


def written(path, record, *, weights=b"0" * 1000):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", record if isinstance(record, str | bytes) else json.dumps(record))
        archive.writestr("model.weights.h5", weights)
    return str(path)


def refused(path, words, error=cr.InputError):
    with pytest.raises(error, match=words) as caught:
        read_model(KERAS, str(path), known=KNOWN)
    assert "AskedError" not in str(caught.value)


def test_what_is_believed_is_handed_to_keras(tmp_path):
    path = written(tmp_path / "net.keras", sequential(dense(), sequential(dense(activation="relu"))))
    with pytest.raises(cr.FileFormatError, match="Keras cannot read it: AskedError"):
        read_model(KERAS, path, known=KNOWN)


CODE = {
    "a lambda": dense(activation={"class_name": "__lambda__", "config": {"value": "4wEAAA=="}}),
    "a function of a module": dense(activation={"module": "builtins", "class_name": "function", "config": "eval"}),
    "a class of a module": dense(kernel_initializer={"module": "subprocess", "class_name": "Popen", "config": {}}),
    "a module within": dense(kernel_initializer={"module": "keras.src.utils", "class_name": "Zeros", "config": {}}),
    "a module without a class": dense(kernel_initializer={"module": "os", "config": {}}),
    "a Lambda in another place": dense(kernel_initializer={"module": "keras.layers", "class_name": "Lambda"}),
    "a registered class": {**dense(), "registered_name": "mine>Dense"},
    "an object deep inside": dense(bias_constraint=[{"deep": {"module": "os", "class_name": "System"}}]),
}


@pytest.mark.parametrize("name", CODE)
def test_code_is_not_run(name, tmp_path):
    refused(written(tmp_path / "net.keras", sequential(CODE[name])), "which is not run")


def test_layers_that_are_not_known_are_named(tmp_path):
    path = written(tmp_path / "net.keras", sequential(dense(), sequential({"class_name": "Lambda", "config": {}})))
    refused(path, "layer 1.0, Lambda, is not supported. Supported are: Dense, ReLU, Sequential")
    path = written(tmp_path / "net.keras", {"module": "keras", "class_name": "Functional", "config": {}})
    refused(path, "the class Functional, is not supported")


def test_more_numbers_than_the_file_holds(tmp_path):
    path = written(tmp_path / "net.keras", sequential(dense(units=10**6), dense(units=10**6)))
    refused(path, r"want 1,000,006,000,000 numbers and the file holds 1,\d\d\d bytes")


def test_a_file_that_swells(tmp_path):
    with zipfile.ZipFile(tmp_path / "net.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps(sequential(dense())))
        archive.writestr("model.weights.h5", b"\0" * 10**6)
    refused(tmp_path / "net.keras", "no model that Keras wrote", cr.FileFormatError)


RECORDS = {
    "no JSON": ("{", "not valid"),
    "a list": ("[]", "not valid"),
    "deep": ("[" * 100_000, "not valid"),
    "no layers": ({"class_name": "Sequential", "config": {"layers": 3}}, "names no layers"),
    "no config": ({"class_name": "Sequential", "config": [1]}, "names no layers"),
    "layers that are none": ({"class_name": "Sequential", "config": {"layers": [1]}}, "names no layers"),
    "no class": ({}, "the class None, is not supported"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_records_that_are_broken(name, tmp_path):
    record, words = RECORDS[name]
    refused(written(tmp_path / "net.keras", record), words)


def test_files_that_are_none(tmp_path):
    (tmp_path / "net.keras").write_bytes(b"no archive")
    refused(tmp_path / "net.keras", "broken one", cr.FileFormatError)
    refused(tmp_path / "nowhere.keras", "no such file", cr.FileFormatError)
    refused(tmp_path / "net.pt", "one of .keras, .h5, .hdf5", cr.FileFormatError)
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        archive.writestr("other", "")
    refused(tmp_path / "other.keras", "no model that Keras wrote", cr.FileFormatError)


def test_old_files(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "net.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(sequential(CODE["a lambda"]))
    refused(path, "which is not run")
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = b'{"class_name": "Sequ\xff"}'
    refused(path, "not valid")
    with h5py.File(path, "w") as file:
        file.attrs["other"] = 1
    refused(path, "It holds weights alone")
    path.write_bytes(b"none")
    refused(path, "no .h5 file, or a broken one")
