"""Tables made by a formula and a seed: shapes that a network with no hidden layer cannot part, and a curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

if TYPE_CHECKING:
    from chainrule.arrays import Floats

_ROWS = 400


def xor() -> pl.DataFrame:
    """The target is 1 where exactly one of x1, x2 is about 1 (the other about 0)."""
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    points = np.repeat(corners, _ROWS // 4, axis=0)
    return _table(points + _noise(0.1, points.shape), points[:, 0] ^ points[:, 1])


def moons() -> pl.DataFrame:
    """Half a circle, and another, turned round and moved by (1, 1/2)."""
    angle = np.linspace(0, np.pi, _ROWS // 2)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    return _table(np.concatenate([upper, lower]) + _noise(0.1, (_ROWS, 2)), _halves())


def circles() -> pl.DataFrame:
    """A circle of radius 1, and one of radius 1/2 within."""
    angle = np.tile(np.linspace(0, 2 * np.pi, _ROWS // 2, endpoint=False), 2)
    radius = np.where(_halves() == 0, 1.0, 0.5)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _table(points + _noise(0.05, points.shape), _halves())


def spirals() -> pl.DataFrame:
    """Radius t, angle 3 pi t, for t from 0.1 to 1; and the same turned by half a circle."""
    t = np.tile(np.linspace(0.1, 1, _ROWS // 2), 2)
    angle = 3 * np.pi * t + np.pi * _halves()
    points = t[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _table(points + _noise(0.02, points.shape), _halves())


def sine() -> pl.DataFrame:
    """The target is sin(x) + noise, for x from 0 to 3 pi."""
    x = np.linspace(0, 3 * np.pi, _ROWS)
    return _shuffled({"x": x, "target": np.sin(x) + _noise(0.1, x.shape)})


def _halves() -> npt.NDArray[np.int64]:
    """0 for the first half of the rows, 1 for the second."""
    return np.repeat(np.array([0, 1]), _ROWS // 2)


def _noise(deviation: float, shape: tuple[int, ...]) -> Floats:
    """Normal noise, always the same."""
    return np.random.default_rng(0).normal(0, deviation, shape)


def _table(points: Floats, target: npt.NDArray[np.int64]) -> pl.DataFrame:
    """Points of a plane and their classes."""
    return _shuffled({"x1": points[:, 0], "x2": points[:, 1], "target": target})


def _shuffled(columns: dict[str, npt.NDArray[Any]]) -> pl.DataFrame:
    """The table in an order that is mixed, and always the same: a part of it then looks like the whole.

    Six decimals are kept, so that the last bit of a sine, which differs from machine to machine, changes nothing.
    """
    order = np.random.default_rng(1).permutation(_ROWS)
    rounded = {name: values.round(6)[order] for name, values in columns.items()}
    return pl.DataFrame(rounded)
