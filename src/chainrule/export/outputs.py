"""The outputs that a generated source gives, beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    X = subject.inputs()
    measured = subject.network.astype("float32") if single else subject.network
    limit = rounding(measured, X.astype(measured.dtype))
    given = 0 if subject.X is None else len(subject.X)
    return compare(theirs, subject.network.forward(X), limit=limit, how=how, rows=given, random_rows=RANDOM_ROWS)
