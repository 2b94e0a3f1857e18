"""An input that is there for a category nobody has seen yet is no constant input; one that tells nothing is."""

from __future__ import annotations

import numpy as np
import polars as pl

import chainrule as cr


def test_the_place_of_a_category_not_seen_yet_is_no_fault() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    table = pl.DataFrame({"town": ["Bern", "Basel", "Genf"] * 20, "x": x, "y": np.where(x > 0, "up", "down")})
    model = cr.train(table, "y", epochs=2)
    assert model.columns.spare == (2 + 1,)
    assert "constant_inputs" not in {finding.rule for finding in cr.diagnose(model, table)}
    X = np.column_stack([x, np.ones(60)])
    net = cr.Network([cr.Dense(2, "softmax")])
    net.fit(X, (x > 0).astype(int), epochs=2)
    assert "constant_inputs" in {finding.rule for finding in cr.diagnose(net, X, (x > 0).astype(int))}
