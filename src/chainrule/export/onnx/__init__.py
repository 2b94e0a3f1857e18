"""ONNX: a network, or a model from raw columns to answers, as a graph that onnxruntime and others run."""

from chainrule.export.onnx.making import make

__all__ = ["make"]
