"""The outputs that a generated source gives, beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.export.comparing import compare, rounding
from chainrule.export.subject import RANDOM_ROWS

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.export.subject import Subject
    from chainrule.exported import Check


def compare_outputs(subject: Subject, theirs: Floats, *, how: str, single: bool = False) -> Check:
    """Their outputs for `Subject.inputs`, beside ours.

    Args:
        subject: the network and its rows.
        theirs: outputs ``(N, O)``.
        how: what computed them.
        single: whether it did so in float32, whatever our network computes in.

    Raises:
        ExportError: when they differ by more than rounding explains.
    """
    X, ours = subject.inputs(), subject.network.forward(subject.inputs())
    measured = subject.network.astype("float32") if single else subject.network
    near = X.astype(measured.dtype)
    if single:
        ours = np.where(np.isfinite(measured.forward(near)), ours, np.inf)  # what is too large for float32
    given = len(X) - RANDOM_ROWS
    return compare(theirs, ours, limit=rounding(measured, near), how=how, rows=given, random_rows=RANDOM_ROWS)
