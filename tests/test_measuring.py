"""What is measured after each epoch."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.interface import Data
from chainrule.engines.reference import ReferenceEngine
from chainrule.measuring import EpochScores, chosen_classes


def test_the_class_of_a_row_is_its_first_largest_output_or_a_half_reached() -> None:
    np.testing.assert_array_equal(chosen_classes(np.array([[0.2, 0.4, 0.4], [0.9, 0.0, 0.1]])), [1, 0])
    np.testing.assert_array_equal(chosen_classes(np.array([[0.5], [0.49]])), [1, 0])


def test_scores_are_those_of_the_rows_held_out() -> None:
    net = cr.Network([cr.Dense(2, "softmax")], n_inputs=2, dtype="float64")
    net.parameters["dense_1.W"] = [[3.0, -3.0], [0.0, 0.0]]
    net.parameters["dense_1.b"] = [0.0, 0.0]
    held = Data(np.array([[1.0, 0], [1, 0], [-1, 0], [-1, 0]]), np.eye(2)[[0, 0, 1, 0]])
    scores = EpochScores(net.objective, net.theta, ReferenceEngine(), held, held, "accuracy")
    found = scores()
    assert list(found) == ["validation_loss", "validation_accuracy"]
    assert found["validation_accuracy"] == 0.75
    right = np.log1p(np.exp(-6))
    assert found["validation_loss"] == pytest.approx((3 * right + right + 6) / 4)
    net.theta[...] = np.nan
    assert np.isnan(list(scores().values())).all()
