"""Model files: a round trip to the bit, and distrust of whatever is not one."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule import activations, initializers, losses
from chainrule.storage import FORMAT, open_file, write_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4))
Y = RNG.integers(0, 3, size=12)


def small(**options: Any) -> cr.Network:
    layers = [cr.Dense(3, "tanh"), cr.BatchNorm(), cr.Residual([cr.Dense(3, "relu")]), cr.Dense(3, "softmax")]
    net = cr.Network(layers, **{"seed": 1, "l2": 0.1, **options})
    net.fit(X, np.array(["a", "b", "c"])[Y], epochs=1)
    return net


def same(net: cr.Network, other: Any) -> None:
    """To the bit, in all that can be seen."""
    assert type(other) is cr.Network
    assert other.theta.tobytes() == net.theta.tobytes()
    assert other.theta.dtype == net.theta.dtype
    assert other.forward(X).tobytes() == net.forward(X).tobytes()
    assert other.predict(X).tolist() == net.predict(X).tolist()
    assert (other.seed, other.l1, other.l2, other.loss) == (net.seed, net.l1, net.l2, net.loss)
    assert list(other.parameters) == list(net.parameters)
    assert repr(other) == repr(net).replace("Given(values", "Given(no values")


def round_trip(net: cr.Network, path: Path) -> Any:
    net.save(path)
    return cr.load(path)


# ---- round trips -----------------------------------------------------------------------------------------------------

LAYERS: list[list[Any]] = [
    [cr.Dense(3, "softmax")],
    [cr.Dense(2, bias=False), cr.Dense(3, "softmax", frozen=("W", "b"))],
    [
        cr.Dense(4),
        cr.Dropout(0.25),
        cr.BatchNorm(momentum=0.99, epsilon=1e-3, frozen=("gamma",)),
        cr.Dense(3, "softmax"),
    ],
    [
        cr.LayerNorm(),
        cr.Activation("gelu"),
        cr.Residual([cr.Dense(4), cr.Residual([cr.Dense(4)])]),
        cr.Dense(3, "softmax"),
    ],
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layers", LAYERS, ids=len)
def test_every_layer_comes_back(tmp_path: Path, layers: list[Any], dtype: Any) -> None:
    net = cr.Network(layers, seed=2**40, dtype=dtype, l1=1e-3, l2=0.1)
    net.fit(X, Y, epochs=2, batch_size=4)
    same(net, round_trip(net, tmp_path / "m.safetensors"))


INITIALIZERS = [
    *initializers.NAMES,
    initializers.Normal(0.01, 1.0),
    initializers.Uniform(-2, -1),
    initializers.Constant(3),
]


@pytest.mark.parametrize("init", [*INITIALIZERS, 0.5, np.arange(12.0).reshape(4, 3)], ids=str)
def test_every_initializer_comes_back(tmp_path: Path, init: Any) -> None:
    net = cr.Network([cr.Dense(3, "softmax", init=init)], n_inputs=4)
    other = round_trip(net, tmp_path / "m.safetensors")
    same(net, other)
    if not isinstance(init, np.ndarray):
        assert other.reset().theta.tobytes() == net.theta.tobytes()


@pytest.mark.parametrize(
    "activation", [*activations.names(), activations.get("leaky_relu"), activations.get("elu")], ids=str
)
def test_every_activation_comes_back(tmp_path: Path, activation: Any) -> None:
    net = cr.Network([cr.Dense(5, activation), cr.Dense(3, "softmax")], n_inputs=4)
    same(net, round_trip(net, tmp_path / "m.safetensors"))


@pytest.mark.parametrize("loss", [*losses.names(), losses.Huber(delta=0.3, reduction="sum")], ids=str)
def test_every_loss_comes_back(tmp_path: Path, loss: Any) -> None:
    net = cr.Network([cr.Dense(3, "softmax")], loss, n_inputs=4)
    same(net, round_trip(net, tmp_path / "m.safetensors"))


@pytest.mark.parametrize(
    "labels",
    [["ä", "b\n", ""], [3, 1, 2], [-(2**62), 0, 2**62], [0.0, 1.0, 2.0], [-3.0, 1e300, 7.0], [True, False]],
    ids=str,
)
def test_classes_keep_their_type(tmp_path: Path, labels: list[Any]) -> None:
    net = cr.Network([cr.Dense(len(labels), "softmax")])
    net.fit(X, np.array(labels)[Y % len(labels)], epochs=1)
    other = round_trip(net, tmp_path / "m.safetensors")
    same(net, other)
    assert other.classes.dtype == net.classes.dtype
    assert [type(label) for label in other.classes.tolist()] == [type(labels[0])] * len(labels)
    other.fit(X, np.array(labels)[Y % len(labels)], epochs=1)  # and can go on with them


def test_a_network_without_parameters_comes_back(tmp_path: Path) -> None:
    net = cr.Network([cr.Activation("softmax")], n_inputs=4)
    same(net, round_trip(net, tmp_path / "m.safetensors"))


def test_extreme_numbers_keep_their_bits(tmp_path: Path) -> None:
    net = cr.Network([cr.Dense(3, "softmax")], n_inputs=4, dtype="float64")
    net.theta[:5] = [-0.0, 5e-324, 1.7976931348623157e308, 0.1, -1e-310]
    assert round_trip(net, tmp_path / "m.safetensors").theta.tobytes() == net.theta.tobytes()


def test_any_tool_can_read_the_tensors(tmp_path: Path) -> None:
    net = small()
    net.save(tmp_path / "m.safetensors")
    tensors = safetensors.numpy.load_file(tmp_path / "m.safetensors")
    assert tensors.keys() == net.parameters.keys()
    np.testing.assert_array_equal(tensors["residual_1.dense_1.W"], net.parameters["residual_1.dense_1.W"])


def test_the_same_network_is_the_same_file(tmp_path: Path) -> None:
    for name in "ab":
        small().save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_untrained_network_without_inputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(cr.NotFittedError):
        cr.Network([cr.Dense(3)]).save(tmp_path / "m")
    assert not list(tmp_path.iterdir())


# ---- what is not a model file ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "m.safetensors"
    small().save(path)
    return path.read_bytes()


def taken_apart(data: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """The header of a file, the record in it, and the bytes of its tensors."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    return header, json.loads(header["__metadata__"]["chainrule"]), data[8 + length :]


def put_together(header: dict[str, Any], record: Any, body: bytes) -> bytes:
    text = record if isinstance(record, str) else json.dumps(record)
    packed = json.dumps({**header, "__metadata__": {"chainrule": text}}).encode()
    return struct.pack("<Q", len(packed)) + packed + body


def refused(tmp_path: Path, data: bytes, message: str | None = None) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(data)
    with pytest.raises(cr.FileFormatError, match=message) as caught:
        cr.load(path)
    assert str(path) in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_truncated_file_is_refused_at_every_length(tmp_path: Path, good: bytes) -> None:
    header_end = 8 + struct.unpack("<Q", good[:8])[0]
    lengths = {*range(20), *range(0, len(good), 97), header_end - 1, header_end, header_end + 1, len(good) - 1}
    for length in sorted(lengths):
        refused(tmp_path, good[:length], "this is no model file of chainrule, or it is damaged")
    refused(tmp_path, good + b"\0", "damaged")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a,b\n1,2\n",
        b"PK\x03\x04" + bytes(100),
        b"\x80\x04\x95" + bytes(50),
        b"\x1f\x8b" + bytes(50),
        bytes(1000),
        b"\xff" * 1000,
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 200_000) + b"[" * 200_000,
    ],
    ids=["empty", "csv", "zip", "pickle", "gzip", "zeros", "ones", "huge header", "no record", "list", "deep"],
)
def test_other_formats_are_refused(tmp_path: Path, data: bytes) -> None:
    refused(tmp_path, data)


def test_a_safetensors_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, safetensors.numpy.save({"W": np.ones(3)}), "a safetensors file, but not one that chainrule wrote")


def test_a_file_that_another_one_replaces_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    cr.Network([cr.Dense(2)], "mean_squared_error", n_inputs=3).save(path)
    opened = open_file(path, kind="model")
    cr.Network([cr.Dense(2)], "mean_squared_error", n_inputs=4).save(path)
    with pytest.raises(cr.FileFormatError, match="took its place"):
        opened.tensors({"dense_1.W": (3, 2), "dense_1.b": (2,)}, "float32")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.safetensors").touch()
    for path, message in (
        (tmp_path, "this is a folder, not a model file"),
        (tmp_path / "mime.safetensors", "there is no such model file. Did you mean 'mine.safetensors'"),
        (tmp_path / "nowhere" / "x", "there is no such model file"),
        ("/dev/zero", "this is a device or a pipe, not a model file"),
        (tmp_path / ("x" * 400), "cannot be read: File name too long"),
    ):
        with pytest.raises(cr.FileFormatError, match=message):
            cr.load(path)
    for wrong in (None, 3, ["a"], "a\0b"):
        with pytest.raises(cr.ArgumentError, match="load: path: expected the path of a model file"):
            cr.load(wrong)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(cr.FileFormatError, match="a device or a pipe"):
        cr.load(tmp_path / "pipe")


def test_a_checkpoint_is_not_a_model(tmp_path: Path) -> None:
    write_file(tmp_path / "c", kind="checkpoint", parts={}, tensors={})
    with pytest.raises(cr.FileFormatError, match=r"this is a checkpoint file\. Give a model file"):
        cr.load(tmp_path / "c")
    with pytest.raises(cr.FileFormatError, match="there is no such checkpoint file"):
        open_file(tmp_path / "x", kind="checkpoint")


def test_newer_and_impossible_versions_are_refused(tmp_path: Path, good: bytes) -> None:
    header, record, body = taken_apart(good)
    newer = {"format": FORMAT + 1, "what": "is unknown"}
    refused(tmp_path, put_together(header, newer, body), r"by a newer chainrule; this one reads up to 1\. Upgrade")
    for version in (0, -1):
        refused(tmp_path, put_together(header, {**record, "format": version}, body), "there never was a format")
    for version in ("1", None, 1.5, []):
        refused(tmp_path, put_together(header, {**record, "format": version}, body), "the record is not valid")


# ---- tampered records ------------------------------------------------------------------------------------------------


def changed(path: str, value: Any) -> Callable[[Any], Any]:
    """What sets one place of the network record."""

    def change(network: Any) -> Any:
        *way, last = (int(key) if key.lstrip("-").isdigit() else key for key in path.split("/"))
        place = network
        for key in way:
            place = place[key]
        place[last] = value
        return network

    return change


def nested(depth: int) -> Any:
    layer: Any = {"layer": "dense", "units": 3}
    for _ in range(depth):
        layer = {"layer": "residual", "layers": [layer]}
    return layer


TAMPERED: dict[str, Callable[[Any], Any]] = {
    "unknown layer": changed("layers/0/layer", "shell"),
    "layer without a name": changed("layers/0", {"units": 3}),
    "layer of another type": changed("layers/0", "dense"),
    "negative units": changed("layers/0/units", -3),
    "no units": changed("layers/0/units", 0),
    "units that do not fit": changed("layers/0/units", 4),
    "half a unit": changed("layers/0/units", 2.5),
    "units as text": changed("layers/0/units", "3"),
    "huge units": changed("layers/0/units", 2**40),
    "units beyond 64 bits": changed("layers/0/units", 2**80),
    "huge output": changed("layers/3/units", 2**62),
    "unknown activation": changed("layers/0/activation", {"name": "exec"}),
    "activation as a list": changed("layers/0/activation", ["tanh"]),
    "unknown initializer": changed("layers/0/init", {"type": "System"}),
    "rate out of range": changed("layers/1", {"layer": "dropout", "rate": 2.0}),
    "unknown frozen name": changed("layers/0/frozen", ["V"]),
    "residual that does not fit": changed("layers/2/layers/0/units", 5),
    "no layers": changed("layers", []),
    "too many layers": changed("layers", [{"layer": "dense", "units": 3}] * 500),
    "deep nesting": changed("layers/2", nested(60)),
    "no inputs": changed("input_shape", []),
    "zero inputs": changed("input_shape", [0]),
    "negative inputs": changed("input_shape", [-4]),
    "absurd inputs": changed("input_shape", [2**60]),
    "inputs of two axes": changed("input_shape", [2, 2]),
    "inputs as text": changed("input_shape", "4"),
    "unknown loss": changed("loss", {"name": "profit"}),
    "loss out of range": changed("loss", {"name": "huber", "delta": -1.0}),
    "unknown reduction": changed("loss", {"name": "huber", "reduction": "max"}),
    "other number type": changed("dtype", "float64"),
    "unknown number type": changed("dtype", "float16"),
    "negative penalty": changed("l1", -1.0),
    "penalty as text": changed("l2", "0.1"),
    "negative seed": changed("seed", -1),
    "too few classes": changed("classes", ["a", "b"]),
    "classes twice": changed("classes", ["a", "a", "b"]),
    "classes of two kinds": changed("classes", ["a", 1, 2]),
    "classes of no kind": changed("classes", [None, {}, []]),
    "nothing": lambda _: None,
    "a list": lambda _: [],
    "no fields": lambda _: {},
}


@pytest.mark.parametrize("case", TAMPERED)
def test_a_tampered_record_is_refused(tmp_path: Path, good: bytes, case: str) -> None:
    header, record, body = taken_apart(good)
    record["parts"]["network"] = TAMPERED[case](record["parts"]["network"])
    tracemalloc.start()
    refused(tmp_path, put_together(header, record, body))
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("depth", [100, 200, 240, 300, 330, 400, 480, 1000, 50_000])
def test_nesting_is_refused_or_harmless_at_every_depth(tmp_path: Path, good: bytes, depth: int) -> None:
    _, record, _ = taken_apart(good)
    record["parts"]["network"] = changed("layers/2", "HERE")(record["parts"]["network"])
    deep = '{"layer": "residual", "layers": [' * depth + '{"layer": "activation", "activation": {"name": "tanh"}}'
    text = json.dumps(record).replace('"HERE"', deep + "]}" * depth)
    tensors = {n: a for n, a in safetensors.numpy.load(good).items() if not n.startswith("residual")}
    usable_or_refused(tmp_path / "m.safetensors", safetensors.numpy.save(tensors, {"chainrule": text}))


@pytest.mark.parametrize(
    "record",
    [
        "",
        "{",
        "null",
        "[]",
        "3",
        '"x"',
        "{}",
        '{"format": 1}',
        '{"format": 1, "kind": "model", "library": 1}',
        "[" * 10**5,
    ],
)
def test_a_broken_record_is_refused(tmp_path: Path, good: bytes, record: str) -> None:
    header, _, body = taken_apart(good)
    refused(tmp_path, put_together(header, record, body), "the record is not valid")


def test_a_record_without_its_network_is_refused(tmp_path: Path, good: bytes) -> None:
    header, record, body = taken_apart(good)
    for parts in ({}, {"netwerk": record["parts"]["network"]}):
        refused(tmp_path, put_together(header, {**record, "parts": parts}, body), "has no part 'network'")
    for parts in (None, [], "x"):
        refused(tmp_path, put_together(header, {**record, "parts": parts}, body))


def tensors_of(header: dict[str, Any]) -> list[str]:
    return [name for name in header if name != "__metadata__"]


def test_tampered_tensors_are_refused(tmp_path: Path, good: bytes) -> None:
    header, record, body = taken_apart(good)

    def with_tensor(name: str, **fields: Any) -> bytes:
        return put_together({**header, name: {**header[name], **fields}}, record, body)

    W = "dense_1.W"
    assert header[W]["shape"] == [4, 3]
    for fields, message in (
        ({"shape": [3, 4]}, r"tensor 'dense_1.W': expected float32 of shape \(4, 3\)"),
        ({"shape": [12]}, "expected float32 of shape"),
        ({"shape": [2**60]}, "damaged"),
        ({"shape": [2**32, 2**32]}, "damaged"),
        ({"shape": [-4, -3]}, "damaged"),
        ({"shape": [4, 3.0]}, "damaged"),
        ({"dtype": "I32"}, "expected float32"),
        ({"dtype": "F64"}, "damaged"),
        ({"dtype": "F128"}, "damaged"),
        ({"data_offsets": [0, 2**60]}, "damaged"),
        ({"data_offsets": [2**63, 2**63 + 48]}, "damaged"),
        ({"data_offsets": [48, 0]}, "damaged"),
    ):
        refused(tmp_path, with_tensor(W, **fields), message)


def test_missing_extra_and_renamed_tensors_are_refused(tmp_path: Path, good: bytes) -> None:
    _, record, _ = taken_apart(good)
    metadata = {"chainrule": json.dumps(record)}
    tensors = safetensors.numpy.load(good)
    without = {name: array for name, array in tensors.items() if name != "dense_2.b"}
    refused(tmp_path, safetensors.numpy.save(without, metadata), "there is no tensor 'dense_2.b'")
    extra = {**tensors, "dense_3.b": np.ones(3, np.float32)}
    refused(tmp_path, safetensors.numpy.save(extra, metadata), "a tensor 'dense_3.b' that the record does not tell of")
    renamed = {**without, "dense_2.B": tensors["dense_2.b"]}
    refused(tmp_path, safetensors.numpy.save(renamed, metadata), "Did you mean 'dense_2.B'")
    refused(tmp_path, safetensors.numpy.save({}, metadata), "there is no tensor 'dense_1.W'")


def test_a_tensor_twice_is_refused_or_read_as_one(tmp_path: Path, good: bytes) -> None:
    (length,) = struct.unpack("<Q", good[:8])
    header = good[8 : 8 + length].rstrip()
    for name in ("dense_1.b", "dense_2.b"):
        entry = json.dumps(json.loads(header)[name])
        twice = header[:-1] + f', "dense_1.b": {entry}}}'.encode()
        usable_or_refused(tmp_path / "m.safetensors", struct.pack("<Q", len(twice)) + twice + good[8 + length :])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    net = small()
    net.parameters["dense_2.b"][1] = value
    net.save(tmp_path / "x")
    refused(tmp_path, (tmp_path / "x").read_bytes(), "tensor 'dense_2.b' holds NaN or infinity")


def test_a_file_changed_while_it_is_read_is_refused(tmp_path: Path, good: bytes) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(good)
    opened = open_file(path, kind="model")
    path.write_bytes(good[:-1])
    with pytest.raises(cr.FileFormatError, match="the file was changed while it was read"):
        cr.Network.from_file(opened)


def usable_or_refused(path: Path, data: bytes) -> None:
    """Whatever the bytes are: a network that computes, or a clear refusal."""
    path.write_bytes(data)
    try:
        net = cr.load(path)
    except cr.FileFormatError:
        return
    assert isinstance(net, cr.Network)
    rows = np.zeros((2, *net.input_shape), dtype=np.float32)
    assert len(net.forward(rows)) == len(net.predict(rows)) == 2
    if net.history is not None:
        assert len(net.history.to_frame()) == len(net.history)


_MANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.slow
@_MANY
@given(flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_bytes_are_refused_or_harmless(tmp_path: Path, good: bytes, flips: list[tuple[float, int]]) -> None:
    data = bytearray(good)
    for place, mask in flips:
        data[int(place * len(data))] ^= mask
    usable_or_refused(tmp_path / "m.safetensors", bytes(data))


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in nested lists and dicts."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(place for key, inner in items for place in places(inner, (*way, key)))]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["dense", "residual", "Given", "softmax", 1e308, -1, 0, 2**63]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["layer", "name", "type", "units"]), inner)
    ),
    max_leaves=4,
)


@pytest.mark.slow
@_MANY
@given(data=st.data())
def test_a_record_with_anything_anywhere_is_refused_or_harmless(
    tmp_path: Path, good: bytes, data: st.DataObject
) -> None:
    header, record, body = taken_apart(good)
    way = data.draw(st.sampled_from(places(record)[1:]))
    place = record
    for key in way[:-1]:
        place = place[key]
    place[way[-1]] = data.draw(JSON)
    usable_or_refused(tmp_path / "m.safetensors", put_together(header, record, body))


def test_nothing_is_executed(tmp_path: Path, good: bytes) -> None:
    """Loading imports nothing that the file names, and pickle is not there at all."""
    (tmp_path / "m.safetensors").write_bytes(good)
    code = f"""
import sys
import chainrule as cr
calls = []
sys.addaudithook(lambda event, args: calls.append((event, args)) if event in watched else None)
watched = {{"exec", "compile", "os.system", "subprocess.Popen", "socket.connect", "pickle.find_class"}}
from chainrule.network import Network
from chainrule.storage import open_file
calls.clear()
Network.from_file(open_file({str(tmp_path / "m.safetensors")!r}, kind="model"))
print([event for event, args in calls if event != "exec" and event != "compile"], flush=True)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
