"""What a person hands in, arrays and frames, as the matrices that engines take: X (N, I), T (N, O), weights (N,)."""

from __future__ import annotations

from chainrule.inputs.matrices import as_matrix
from chainrule.inputs.rows import Rows
from chainrule.inputs.targets import Targets, as_targets
from chainrule.inputs.weights import class_weights, sample_weights

__all__ = ["Rows", "Targets", "as_matrix", "as_targets", "class_weights", "sample_weights"]
