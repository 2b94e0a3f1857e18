"""The JSON Schema of the text files, from the records that write them; ``model.schema.json`` beside this file is it.

``python -m chainrule.export.schema`` writes it anew.
"""

from __future__ import annotations

from inspect import cleandoc
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from chainrule.files import atomic_write
from chainrule.network_record import NetworkRecord
from chainrule.settings import Settings
from chainrule.storage import FORMAT
from chainrule.tables import Columns

PATH = Path(__file__).with_name("model.schema.json")

_NUMBERS = {"type": "array", "items": {"type": "number"}}
Tensor = Annotated[Any, msgspec.Meta(extra_json_schema={"anyOf": [_NUMBERS, {"type": "array", "items": _NUMBERS}]})]


class Parts(msgspec.Struct, kw_only=True):
    """What the tensors belong to.

    Attributes:
        network: the layers, the loss and the classes.
        columns: how a table becomes the inputs and outputs become answers; of a model only.
        settings: how it was trained; of a model only.
    """

    network: NetworkRecord
    columns: Columns | msgspec.UnsetType = msgspec.UNSET
    settings: Settings | msgspec.UnsetType = msgspec.UNSET


class ModelFile(msgspec.Struct, kw_only=True):
    """A model of chainrule as text.

    Attributes:
        format: the version of this format.
        kind: of file.
        library: the version of chainrule that wrote it.
        parts: what the tensors belong to.
        tensors: the parameters by name: vectors, and matrices W of as many rows as a layer has inputs.
    """

    format: Annotated[int, msgspec.Meta(ge=1, le=FORMAT)]
    kind: Literal["model"]
    library: str
    parts: Parts
    tensors: dict[str, Tensor]


def schema() -> dict[str, Any]:
    """The schema, as JSON Schema 2020-12 has it."""
    made = msgspec.json.schema(ModelFile)
    for definition in made["$defs"].values():
        definition["description"] = cleandoc(definition["description"]).partition("\n\n>>>")[0]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def text() -> bytes:
    """The schema as the file holds it."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=1) + b"\n"


if __name__ == "__main__":
    with atomic_write(PATH) as file:
        file.write(text())
