"""How far outputs may lie apart: each as far as rounding of it explains."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.export.comparing import compare, rounding

X = np.array([[0.0], [1.0], [40.0]])


@pytest.fixture(params=["float32", "float64"])
def net(request):
    """Outputs 1, e and 2e17."""
    return cr.Network([cr.Activation("exp")], "huber", n_inputs=1, dtype=request.param)


def check(net, theirs):
    return compare(theirs, net.forward(X), limit=rounding(net, X), how="it", rows=3, random_rows=0)


def test_a_large_output_hides_no_wrong_small_one(net):
    ours, eps = net.forward(X), np.finfo(net.dtype).eps
    assert check(net, ours * (1 + eps)).max_difference > 0
    wrong = ours.copy()
    wrong[0] += 1e4 * eps
    with pytest.raises(cr.ExportError, match=r"differ by .* in row 1, rounding explains"):
        check(net, wrong)


def test_near_0_an_output_may_be_as_far_off_as_what_was_added_up(net):
    """1e6 - 1e6: what is left holds the rounding of either."""
    wide = cr.Network([cr.Dense(1)], "huber", n_inputs=2, dtype=net.dtype)
    wide.theta = [1e6, -1e6, 0.0]
    limit = rounding(wide, np.array([[1.1, 1.1], [0.3, 0.2]]))
    assert np.finfo(net.dtype).eps * 1e5 < limit[0, 0] < np.finfo(net.dtype).eps * 1e9


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_wrong_where_ours_is_and_the_other_way_round(net, value):
    ours = net.forward(X)
    strange = np.where(X == 1, value, ours)
    for theirs, own in ((strange, ours), (ours, strange)):
        with pytest.raises(cr.ExportError):
            compare(theirs, own, limit=rounding(net, X), how="it", rows=3, random_rows=0)
