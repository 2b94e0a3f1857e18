"""The built-in tables: what `describe` says is so, and the real ones are those of scikit-learn."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest
from sklearn import datasets as sklearn_datasets

from chainrule.errors import ArgumentError
from chainrule.tables import dataset_names, describe, fit_columns, load_dataset, read_table


def test_the_names():
    real = {"iris", "digits", "wine", "breast_cancer", "penguins"}
    assert set(dataset_names()) == real | {"xor", "moons", "spirals", "circles", "sine"}


@pytest.mark.parametrize("name", dataset_names())
def test_describe_is_true(name):
    about, frame = describe(name), read_table(name)
    assert frame.shape == (about.rows, about.columns)
    assert frame.columns[-1] == about.target
    assert fit_columns(frame, about.target).task == about.task
    assert about.licence
    assert about.source
    assert frame.equals(load_dataset(name))


@pytest.mark.parametrize("name", ["iris", "digits", "wine", "breast_cancer"])
def test_the_same_as_scikit_learn(name):
    bunch = getattr(sklearn_datasets, f"load_{name}")()
    frame = load_dataset(name)
    assert np.array_equal(frame.to_numpy()[:, :-1].astype(float), bunch.data)
    labels = [bunch.target_names[index] for index in bunch.target]
    assert frame[:, -1].to_list() == labels


def test_penguins():
    frame = load_dataset("penguins")
    assert dict(frame["species"].value_counts().iter_rows()) == {"Adelie": 152, "Chinstrap": 68, "Gentoo": 124}
    assert frame["body_mass_g"].null_count() == 2
    assert frame["sex"].null_count() == 11


def test_xor_is_exclusive_or():
    frame = load_dataset("xor")
    near = frame.select("x1", "x2").to_numpy().round().astype(int)
    assert np.array_equal(near[:, 0] ^ near[:, 1], frame["target"].to_numpy())


@pytest.mark.parametrize(("name", "inner"), [("circles", 0.75), ("spirals", None)])
def test_shapes_are_what_they_are_called(name, inner):
    frame = load_dataset(name)
    radius = np.hypot(frame["x1"].to_numpy(), frame["x2"].to_numpy())
    target = frame["target"].to_numpy()
    assert np.bincount(target).tolist() == [200, 200]
    if inner:
        assert np.array_equal(radius < inner, target == 1)
    else:  # each spiral covers all radii, so no circle parts them
        assert abs(radius[target == 0].mean() - radius[target == 1].mean()) < 0.02


def test_sine_is_a_sine():
    frame = load_dataset("sine")
    error = frame["target"].to_numpy() - np.sin(frame["x"].to_numpy())
    assert 0.08 < error.std() < 0.12


def test_an_unknown_name():
    with pytest.raises(ArgumentError, match="Did you mean 'iris'"):
        load_dataset("irs")


def test_licences_name_every_file():
    folder = files("chainrule.tables.datasets")
    text = folder.joinpath("LICENSES.md").read_text()
    stored = [entry.name for entry in folder.iterdir() if entry.name.endswith(".gz")]
    assert len(stored) == 5
    assert all(f"`{name}`" in text for name in stored)
    assert "Redistribution and use in source and binary forms" in text
