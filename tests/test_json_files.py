"""Model files as text: back to the last bit, and distrusted."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import chainrule as cr
from chainrule.json_files import shortest


@pytest.fixture
def path(tmp_path):
    cr.Network([cr.Dense(3, "tanh"), cr.BatchNorm(), cr.Dense(2, "softmax")], n_inputs=4).export(tmp_path / "net.json")
    return tmp_path / "net.json"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_comes_back_to_the_bit(dtype, tmp_path):
    net = cr.Network([cr.Dense(5, "gelu"), cr.Residual((cr.Dense(5, "elu"),)), cr.Dense(1)], "huber", dtype=dtype)
    net.fit(np.random.default_rng(0).normal(size=(20, 3)), np.arange(20.0), epochs=2)
    net.export(tmp_path / "net.json")
    again = cr.load(tmp_path / "net.json")
    assert again.theta.dtype == net.theta.dtype
    assert again.theta.tobytes() == net.theta.tobytes()
    assert again.record() == net.record()


@settings(max_examples=40)
@given(
    st.sampled_from([np.float32, np.float64]).flatmap(
        lambda t: hnp.arrays(t, 20, elements=hnp.from_dtype(np.dtype(t), allow_nan=False, allow_infinity=False))
    )
)
def test_the_digits_written_give_the_same_bits(values):
    text = json.dumps(shortest(values).tolist())
    again = np.array(json.loads(text)).astype(values.dtype)
    assert again.tobytes() == values.tobytes()


def test_the_digits_are_few():
    assert json.dumps(shortest(np.array([0.1, -2.5e-20], np.float32)).tolist()) == "[0.1, -2.5e-20]"


def changed(path, change):
    record = json.loads(path.read_bytes())
    change(record)
    path.write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r.update(format=99), "by a newer chainrule"),
        (lambda r: r.update(kind="checkpoint"), "this is a checkpoint file"),
        (lambda r: r.pop("tensors"), "missing required field `tensors`"),
        (lambda r: r["tensors"].pop("dense_1.W"), r"there is no tensor 'dense_1\.W'"),
        (
            lambda r: r["tensors"].update({"dense_1.W": [[1, 2], [3]]}),
            r"tensor 'dense_1\.W': expected a list of numbers",
        ),
        (lambda r: r["tensors"].update({"dense_1.W": "AAAA"}), r"tensor 'dense_1\.W': expected a list of numbers"),
        (lambda r: r["tensors"].update({"dense_1.b": ["1"] * 3}), r"tensor 'dense_1\.b': expected a list of numbers"),
        (lambda r: r["tensors"].update({"dense_1.b": [None] * 3}), r"tensor 'dense_1\.b': expected a list of numbers"),
        (lambda r: r["tensors"].update({"dense_1.b": [1.0] * 4}), r"expected float32 of shape \(3,\)"),
        (lambda r: r["tensors"].update({"dense_1.b": [1e39] * 3}), "holds NaN or infinity"),
        (lambda r: r["tensors"].update({"more": [1.0]}), "a tensor 'more' that the record does not tell of"),
        (lambda r: r["parts"].pop("network"), "has no part 'network'"),
        (lambda r: r["parts"]["network"]["layers"][0].update(units=0), "units"),
    ],
)
def test_a_file_changed_by_hand_is_refused(path, change, words):
    changed(path, change)
    with pytest.raises(cr.FileFormatError, match=words):
        cr.load(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"format":1', b"[" * 100_000])
def test_what_is_no_such_file_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(cr.FileFormatError):
        cr.load(path)


def test_a_missing_file_names_the_one_that_is_meant(path):
    with pytest.raises(cr.FileFormatError, match=r"Did you mean 'net\.json'"):
        cr.load(path.with_name("nett.json"))
