"""ONNX: a network, or a model from raw columns to answers, as a graph that onnxruntime and others run."""

from chainrule.export.onnx.making import make
from chainrule.export.onnx.pipelines import register_converters

__all__ = ["make", "register_converters"]
