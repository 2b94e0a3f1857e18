"""A file in onnxruntime, without any of our code."""

from __future__ import annotations

import onnxruntime


def run(path, inputs):
    """The outputs by name."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs), strict=True))
