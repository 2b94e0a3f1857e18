"""Make the data files of this folder again: `python -m chainrule.tables.datasets.make PENGUINS_CSV`.

PENGUINS_CSV is `palmerpenguins/data/penguins.csv` of the package `palmerpenguins` (0.1.6) on PyPI; the others are read
from scikit-learn, which must be installed. The files come out the same, byte for byte, with the same versions.
"""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path
from typing import Any

import polars as pl


def main(penguins: str) -> None:
    """Write the five files."""
    frame = pl.read_csv(penguins, null_values="NA", infer_schema_length=None)
    save("penguins", frame.select(pl.exclude("species"), pl.col("species")))
    for name, target in (("iris", "species"), ("wine", "target"), ("breast_cancer", "target"), ("digits", "digit")):
        save(name, from_sklearn(name, target))


def from_sklearn(name: str, target: str) -> pl.DataFrame:
    """A table of scikit-learn, names in lower case with underscores, classes by their names."""
    from sklearn import datasets

    bunch: Any = getattr(datasets, f"load_{name}")()
    columns = {clean(key): whole(bunch.data[:, place]) for place, key in enumerate(bunch.feature_names)}
    return pl.DataFrame(columns | {target: [bunch.target_names[index].item() for index in bunch.target]})


def clean(name: str) -> str:
    """`sepal length (cm)` as `sepal_length`, `alcalinity_of_ash` as it is."""
    return name.removesuffix(" (cm)").replace(" ", "_")


def whole(values: Any) -> Any:
    """Whole numbers without their `.0`."""
    return values.astype(int) if (values == values.astype(int)).all() else values


def save(name: str, frame: pl.DataFrame) -> None:
    """Write `name.csv.gz`, without a date inside."""
    buffer = io.BytesIO()
    frame.write_csv(buffer)
    path = Path(__file__).with_name(f"{name}.csv.gz")
    path.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))


if __name__ == "__main__":
    main(sys.argv[1])
