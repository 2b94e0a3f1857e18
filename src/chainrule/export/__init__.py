"""A network, or a model from raw columns to answers, as files that other programs run: ONNX, JSON, source code."""

from chainrule.export.exporting import export
from chainrule.export.formats import FORMATS, Format
from chainrule.export.subject import Draft, Subject
from chainrule.exported import Check, Exported, Unchecked

__all__ = ["FORMATS", "Check", "Draft", "Exported", "Format", "Subject", "Unchecked", "export"]
