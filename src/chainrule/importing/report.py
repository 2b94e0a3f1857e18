"""What an import found: what became of each layer, and how far the two networks differ."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from chainrule.insight.rendering import Document, Explained, Sentence, Table, plain
from chainrule.insight.rendering.numbers import DIGITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.insight.rendering import Part

_NAME = 34  # characters of a layer's name in the table


class LayerComparison(Struct, frozen=True):
    """One layer of the original beside what became of it.

    Attributes:
        name: in the original.
        became: what it is here.
        difference: the largest difference between the values after it, there and here; None where they stand in no
            layer here (it was folded into the next) or there.
        largest: the largest of the values there.
        rounding: the largest difference that the rounding of these values alone makes.
        approximates: whether the layer is known to compute something a little different.
    """

    name: str
    became: str
    difference: float | None = None
    largest: float = 0.0
    rounding: float = 0.0
    approximates: bool = False


@dataclass(frozen=True, kw_only=True)
class ImportReport(Explained):
    """What an import found; print it.

    Attributes:
        origin: what was read.
        inputs: I.
        outputs: O.
        parameters: P.
        dtype: of all numbers.
        loss: of the network here.
        loss_reason: why it is that one.
        layers: a comparison for each layer of the original, from the inputs on.
        difference: the largest difference between the outputs, there and here.
        largest: the largest of the outputs there.
        rounding: the largest difference that the rounding of the outputs alone makes.
        rows_random: rows of random numbers that both were given.
        rows_given: rows of the caller that both were given.
        notes: what else is to be known.
    """

    origin: str
    inputs: int
    outputs: int
    parameters: int
    dtype: str
    loss: str
    loss_reason: str
    layers: tuple[LayerComparison, ...]
    difference: float
    largest: float
    rounding: float
    rows_random: int
    rows_given: int
    notes: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Whether every layer computes what the original does, to rounding."""
        return not any(layer.approximates for layer in self.layers)

    def __repr__(self) -> str:
        return f"ImportReport({self.origin!r}, {len(self.layers)} layers, difference={self.difference:.2g})"

    def document(self, *, digits: int = DIGITS) -> Document:  # noqa: ARG002 -- differences are told by their order
        return Document(f"Imported from {self.origin}", tuple(_parts(self)))

    def data(self) -> dict[str, Any]:
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        layers = [{k: _plain(v) for k, v in structs.asdict(layer).items()} for layer in self.layers]
        return {"exact": self.exact, **{k: _plain(v) for k, v in told.items()}, "layers": layers}


def _plain(value: Any) -> Any:
    return plain(value) if isinstance(value, float) else value


def _parts(report: ImportReport) -> Iterator[Part]:
    yield _verdict(report)
    rows = f"{report.rows_random} random rows" + (f" and {report.rows_given} given ones" if report.rows_given else "")
    yield Sentence(f"Both were given {rows}; rounding alone makes differences of {report.rounding:.1e}.", "note")
    yield Sentence(
        f"{report.inputs} inputs, {report.outputs} outputs, {report.parameters:,} parameters, {report.dtype}; "
        f"loss {report.loss}: {report.loss_reason}."
    )
    yield Table(("there", "difference", "largest", "here"), tuple(_row(layer) for layer in report.layers), right=(1, 2))
    yield from (Sentence(note, "note") for note in report.notes)


def _verdict(report: ImportReport) -> Sentence:
    size = f"The outputs differ by {report.difference:.1e} at most, the largest is {report.largest:.3g}."
    if report.exact:
        return Sentence(f"It computes what the original does. {size}", "good")
    names = ", ".join(layer.name for layer in report.layers if layer.approximates)
    return Sentence(f"It computes nearly what the original does ({names}). {size}", "warning")


def _row(layer: LayerComparison) -> tuple[str, str, str, str]:
    name = layer.name if len(layer.name) <= _NAME else layer.name[: _NAME - 1] + "…"
    difference = "" if layer.difference is None else f"{layer.difference:.1e}"
    largest = "" if layer.difference is None else f"{layer.largest:.3g}"
    return name, difference, largest, layer.became
