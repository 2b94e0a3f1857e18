"""The drawing of a circuit: what it says, and that nothing lies over anything else."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

import pytest

import chainrule as cr
from chainrule.insight.circuits.layered import layered

SVG = "{http://www.w3.org/2000/svg}"


def test_the_drawing_is_well_formed_and_says_every_number():
    f = cr.circuit("(x + y) * z - max(x, z) / 7", x=-2, y=5, z=-4)
    root = ET.fromstring(f.to_svg())  # noqa: S314 -- our own
    words = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    for name, value in f.values.items():
        assert f"{value:.4g}" in words or f"{name} = {value:.4g}" in words
    for gradient in f.gradients.values():
        assert f"{gradient:.4g}" in words
    assert "<script" not in f.to_svg()


def test_boxes_do_not_touch():
    f = cr.circuit("sigmoid(a*x + b*y + c) * tanh(a*y + d) + relu(a*x - d) ** 2", a=1, b=2, c=3, d=4, x=5, y=6)
    root = ET.fromstring(f.to_svg())  # noqa: S314 -- our own
    boxes = [tuple(float(box.get(key)) for key in ("x", "y", "width", "height")) for box in root.iter(f"{SVG}rect")]
    assert len(boxes) == len(f.graph.nodes)
    for (x0, y0, w0, h0), (x1, y1, w1, h1) in itertools.combinations(boxes, 2):
        assert x0 + w0 < x1 or x1 + w1 < x0 or y0 + h0 + 30 < y1 or y1 + h1 + 30 < y0


def test_edges_go_from_left_to_right_by_way_of_every_layer():
    operands = [(), (), (0, 1), (2,), (3, 0)]
    layout = layered(operands)
    for node, below in enumerate(operands):
        for operand in below:
            layers = [layout.layer[operand], *(layer for layer, _ in layout.bends[operand, node]), layout.layer[node]]
            assert layers == list(range(layers[0], layers[-1] + 1))


def test_what_is_too_large_is_not_drawn():
    with pytest.raises(cr.ArgumentError, match="at most 150 nodes"):
        cr.circuit("x" + "+1" * 200, x=1).to_svg()
