"""Model files of Keras: their record is read, and believed, before Keras is given the file.

A ``.keras`` file is a zip archive with ``config.json``, a ``.h5`` file has the same as an attribute. Keras makes
objects of whatever class, in whatever module, the record names, and old files hold compiled functions: so only records
are let through that name layers of a list, initialisers and the like of Keras itself, and no more numbers than the file
can hold.
"""

from __future__ import annotations

import zipfile
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from chainrule.errors import FileFormatError, MissingExtraError
from chainrule.importing.steps import unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LARGEST_RECORD = 1 << 24
_LARGEST_RATIO = 100  # of an archive's contents to its size; Keras does not compress
_MODULES = {"keras", "keras.layers", "keras.models", "keras.initializers", "keras.regularizers", "keras.constraints"}
_NOT_BUILT = {"compile_config"}  # which Keras leaves alone unless asked to compile


def read_model(keras: Any, path: str, *, known: Sequence[str]) -> tuple[Any, Any]:
    """The `Sequential` of a file, and the loss that its record tells.

    Args:
        keras: the library.
        path: of the file.
        known: the names of the layers that may be in it.

    Raises:
        FileFormatError: when it is no such file, or one that cannot be trusted.
        ArgumentError: for a layer that is not known.
    """
    record, loss, room = _record(path)
    if record.get("class_name") != "Sequential":
        raise unsupported(f"a model of the class {record.get('class_name')}", path, ["Sequential"])
    _check_layers(record, path, known)
    _check_objects(record, path)
    wanted = _count(record)
    if wanted > room:
        raise FileFormatError(
            f"its layers want {wanted:,} numbers and the file holds {room:,} bytes", where=path, mend="It is cut off."
        )
    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as fault:  # noqa: BLE001 -- whatever a library says of a broken file
        why = (str(fault).strip().splitlines() or [type(fault).__name__])[0]
        raise FileFormatError(f"Keras cannot read it: {why}", where=path) from None
    return model, loss


# ---- the record -----------------------------------------------------------------------------------------------------


def _record(path: str) -> tuple[dict[str, Any], Any, int]:
    """The record of a file, the loss it tells, and the bytes that it has for numbers."""
    ending = Path(path).suffix.lower()
    readers = {".keras": _record_of_keras, ".h5": _record_of_h5, ".hdf5": _record_of_h5}
    if ending not in readers:
        raise FileFormatError(f"a file {ending!r}", where=path, expected=f"one of {', '.join(readers)}", got=path)
    if not Path(path).is_file():
        raise FileFormatError("there is no such file", where=path)
    text, training, room = readers[ending](path)
    record, told = _decoded(text, path), _decoded(training, path) if training else {}
    loss = told.get("loss") or (record.get("compile_config") or {}).get("loss")
    return record, loss, room


def _record_of_keras(path: str) -> tuple[bytes, bytes, int]:
    try:
        with zipfile.ZipFile(path) as archive:
            inside = sum(entry.file_size for entry in archive.infolist())
            if inside > _LARGEST_RATIO * Path(path).stat().st_size or "config.json" not in archive.namelist():
                raise FileFormatError("this is no model that Keras wrote", where=path)
            if archive.getinfo("config.json").file_size > _LARGEST_RECORD:
                raise FileFormatError("its record is too large", where=path)
            return archive.read("config.json"), b"", inside
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as fault:
        raise FileFormatError(f"this is no .keras file, or a broken one ({fault})", where=path) from None


def _record_of_h5(path: str) -> tuple[bytes, bytes, int]:
    try:
        import h5py
    except ModuleNotFoundError:
        raise MissingExtraError("an .h5 file", library="h5py", extra="keras") from None
    try:
        with h5py.File(path, "r") as file:
            texts = [file.attrs.get(name, b"") for name in ("model_config", "training_config")]
    except (OSError, RuntimeError, KeyError, ValueError) as fault:
        raise FileFormatError(f"this is no .h5 file, or a broken one ({fault})", where=path) from None
    model, training = (_bytes(text) for text in texts)
    if not model:
        mend = "It holds weights alone: build the model, load them, and give it to from_keras."
        raise FileFormatError("there is no record of a model in it", where=path, mend=mend)
    return model, training, Path(path).stat().st_size


def _bytes(text: Any) -> bytes:
    return text.encode(errors="surrogateescape") if isinstance(text, str) else bytes(text)


def _decoded(text: bytes, path: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, ValueError) as fault:
        raise FileFormatError(f"its record is not valid: {fault}", where=path) from None


def _layers(record: Any, path: str) -> list[dict[str, Any]]:
    """The records of the layers of a Sequential."""
    layers = record.get("config", {}).get("layers") if isinstance(record.get("config"), dict) else None
    if not isinstance(layers, list) or not all(isinstance(layer, dict) for layer in layers):
        raise FileFormatError("its record names no layers", where=path)
    return layers


def _check_layers(record: dict[str, Any], path: str, known: Sequence[str], place: str = "") -> None:
    """Raise for the first layer that is not known."""
    index = 0
    for layer in _layers(record, path):
        kind, here = str(layer.get("class_name")), f"{place}.{index}" if place else str(index)
        if kind not in known:
            raise unsupported(f"layer {here}, {kind}", path, [name for name in known if name != "InputLayer"])
        if kind == "Sequential":
            _check_layers(layer, path, known, here)
        index += kind != "InputLayer"


def _objects(part: Any) -> Iterator[dict[str, Any]]:
    """Every record of an object within a record."""
    if isinstance(part, list):
        for inner in part:
            yield from _objects(inner)
    elif isinstance(part, dict):
        if "class_name" in part or "module" in part:
            yield part
        for name, inner in part.items():
            if name not in _NOT_BUILT:
                yield from _objects(inner)


def _check_objects(record: dict[str, Any], path: str) -> None:
    """Raise for an object that is not Keras's own, or is code."""
    for found in _objects(record):
        kind, module = str(found.get("class_name")), found.get("module")
        known_name = found.get("registered_name") in (None, kind)
        if not kind.isidentifier() or not kind[0].isupper() or kind == "Lambda" or not known_name:
            raise FileFormatError(f"it asks for code of its own, {kind!r}, which is not run", where=path)
        if module is not None and module not in _MODULES:
            raise FileFormatError(f"it asks for {kind!r} of the module {module!r}, which is not run", where=path)


def _count(record: dict[str, Any]) -> int:
    """The numbers that its dense layers want, from the shapes that the record tells; at least 0."""
    width, count = 0, 0
    for layer in record["config"]["layers"]:
        config = layer.get("config") if isinstance(layer.get("config"), dict) else {}
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        if isinstance(shape, list):
            width = prod(size for size in shape[1:] if isinstance(size, int))
        if layer["class_name"] == "Sequential":
            count += _count(layer)
        units = config.get("units")
        if isinstance(units, int):
            count, width = count + (max(width, 1) + 1) * units, units
    return max(count, 0)
