"""Tables that come with the package: small real ones, and made ones whose shape is known.

>>> load_dataset("iris").shape
(150, 5)
"""

from __future__ import annotations

import io
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

import msgspec
import polars as pl

from chainrule.errors import unknown_name
from chainrule.tables.datasets import generated

if TYPE_CHECKING:
    from collections.abc import Callable

_GENERATED: dict[str, Callable[[], pl.DataFrame]] = {
    "circles": generated.circles,
    "moons": generated.moons,
    "sine": generated.sine,
    "spirals": generated.spirals,
    "xor": generated.xor,
}


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to know about a built-in table."""

    name: str
    rows: int
    columns: int
    """All of them, the target included."""
    target: str
    task: Literal["classification", "regression"] = "classification"
    about: str
    licence: str = "made by this package, which is under the Apache License 2.0"
    source: str = "chainrule.tables.datasets.generated"


_BSD = "BSD-3-Clause (as distributed by scikit-learn); CC BY 4.0 (UCI)"
_DATASETS = (
    Dataset(
        name="breast_cancer",
        rows=569,
        columns=31,
        target="target",
        about="Thirty measures of cell nuclei in a sample of tissue; malignant or benign.",
        licence=_BSD,
        source="Wolberg, Mangasarian, Street & Street, Breast Cancer Wisconsin (Diagnostic), UCI, doi:10.24432/C5DW2B",
    ),
    Dataset(name="circles", rows=400, columns=3, target="target", about="Two rings, one inside the other, in a plane."),
    Dataset(
        name="digits",
        rows=1797,
        columns=65,
        target="digit",
        about="Handwritten digits as 8 x 8 pictures, each pixel from 0 to 16.",
        licence=_BSD,
        source="Alpaydin & Kaynak, Optical Recognition of Handwritten Digits, UCI, doi:10.24432/C50P49 (its test part)",
    ),
    Dataset(
        name="iris",
        rows=150,
        columns=5,
        target="species",
        about="Length and width (cm) of sepals and petals of three species of iris.",
        licence=_BSD,
        source="Fisher 1936, Annals of Eugenics 7, 179-188; Iris, UCI, doi:10.24432/C56C76",
    ),
    Dataset(name="moons", rows=400, columns=3, target="target", about="Two crescents that reach into each other."),
    Dataset(
        name="penguins",
        rows=344,
        columns=8,
        target="species",
        about="Three species of penguins on three islands: bill, flipper, mass, sex; some values are missing.",
        licence="CC0 1.0",
        source="Gorman, Williams & Fraser 2014, PLoS ONE 9(3) e90081; Horst, Hill & Gorman 2020, palmerpenguins, "
        "doi:10.5281/zenodo.3960218",
    ),
    Dataset(
        name="sine",
        rows=400,
        columns=2,
        target="target",
        task="regression",
        about="One period and a half of a sine, with noise of standard deviation 0.1.",
    ),
    Dataset(name="spirals", rows=400, columns=3, target="target", about="Two spirals around one centre, hard to part."),
    Dataset(
        name="wine",
        rows=178,
        columns=14,
        target="target",
        about="Thirteen chemical measures of wines of three growers in one region.",
        licence=_BSD,
        source="Aeberhard & Forina, Wine, UCI, doi:10.24432/C5PC7J",
    ),
    Dataset(
        name="xor",
        rows=400,
        columns=3,
        target="target",
        about="The four corners of exclusive or, a hundred points around each (standard deviation 0.1).",
    ),
)


def dataset_names() -> tuple[str, ...]:
    """The names of the built-in tables."""
    return tuple(each.name for each in _DATASETS)


def describe(name: str) -> Dataset:
    """What there is to know about a built-in table.

    >>> describe("penguins").target
    'species'

    Raises:
        ArgumentError: for a name that is none of `dataset_names()`.
    """
    for each in _DATASETS:
        if each.name == name:
            return each
    raise unknown_name("built-in table", name, dataset_names())


def load_dataset(name: str) -> pl.DataFrame:
    """A built-in table, its target last.

    Raises:
        ArgumentError: for a name that is none of `dataset_names()`.
    """
    describe(name)
    if name in _GENERATED:
        return _GENERATED[name]()
    data = files(__name__).joinpath(f"{name}.csv.gz").read_bytes()
    return pl.read_csv(io.BytesIO(data), infer_schema_length=None)
