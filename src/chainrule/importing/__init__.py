"""Networks that were trained elsewhere, and how far they compute the same here.

A file for each source (`sklearn`, `torch`, `keras`, `onnx`) reads it into `steps`; `assembling` makes layers of
them, `comparing` runs both, `report` tells, and `imported` puts these together.
"""
