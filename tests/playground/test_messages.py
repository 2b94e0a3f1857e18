"""What a page is told: words and cells, no markup."""

from __future__ import annotations

import chainrule as cr
from chainrule.playground import messages


def test_an_explanation_is_told_in_words_and_cells() -> None:
    net = cr.Network([cr.Dense(2, "tanh"), cr.Dense(1)], "half_squared_error", n_inputs=2)
    reason = cr.trace(net, [0.5, -1.0], [1.0]).why("dense_1.W[0, 1]")
    parts = messages.parts_of(reason.document())
    assert {"heading", "formula"} <= {part.kind for part in parts}
    everything = " ".join([*(part.text for part in parts), *(line for part in parts for line in part.lines)])
    assert f"{reason.value:.6g}".lstrip("-") in everything
