"""What holds for a network from anywhere."""

from __future__ import annotations

import numpy as np

import chainrule as cr


def check_every_insight(net: cr.Network, X: np.ndarray, y: np.ndarray) -> None:
    """Trace, gradient check, diagnosis and marking work on it and say what they say of networks made here."""
    finer = net.astype("float64")
    traced = cr.trace(net, X[:2], y[:2])
    assert np.allclose(traced[f"{_last(net)}.Y"], finer.forward(X[:2]), atol=1e-5)
    assert cr.check_gradients(net, X, y).ok
    assert not cr.diagnose(net, X, y).alarms
    assert len(cr.diagnose(net, 1000 * X, y)) > len(cr.diagnose(net, X, y))
    right = {"dense_1.dW": traced["dense_1.dW"]}
    assert cr.mark(net, X[:2], y[:2], right).ok
    assert not cr.mark(net, X[:2], y[:2], {"dense_1.dW": 2 * np.asarray(traced["dense_1.dW"])}).ok


def _last(net: cr.Network) -> str:
    names = [name.rsplit(".", 1)[0] for name in net.parameters]
    return names[-1]


def became(net: cr.Network) -> dict[str, str]:
    """What became of each layer, by its name."""
    return {layer.name: layer.became for layer in net.report.layers}
