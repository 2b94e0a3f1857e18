"""Numbers as small pictures: PNG within the page, blue above zero and red below, clear where there is nothing."""

from __future__ import annotations

import base64
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from chainrule.arrays import Floats, Ints

_ABOVE, _BELOW = (38, 114, 201), (207, 77, 48)  # both are seen on white and on black
_TILES = 40  # in a mosaic, at most
_ROUNDING = 1e-4  # of the scale, in float32


def picture(values: Floats, words: str, *, scale: float, css: str = "pixels") -> str:
    """The element ``<img>`` of values ``(H, W)``, whose strongest colour is ± `scale`."""
    from PIL import Image

    strength = np.clip(np.nan_to_num(values / (scale or 1.0)), -1, 1)
    pixels = np.empty((*values.shape, 4), np.uint8)
    pixels[..., :3] = np.where(strength[..., None] < 0, _BELOW, _ABOVE)
    pixels[..., 3] = np.round(np.abs(strength) * 255)
    stream = BytesIO()
    Image.fromarray(pixels, "RGBA").quantize(64).save(stream, "PNG", optimize=True)
    content = base64.b64encode(stream.getvalue()).decode()
    H, W = values.shape
    return f'<img class="{css}" width="{W}" height="{H}" alt="{escape(words)}" src="data:image/png;base64,{content}">'


def like_pixels(least: Floats, most: Floats) -> bool:
    """Whether columns with these least and largest values ``(I,)`` may be pixels.

    These are on one scale: most of them begin at its end, the ground, and reach beyond its half.

    >>> like_pixels(np.array([0.0, 0.0, 3.0]), np.array([255.0, 200.0, 250.0]))
    True
    >>> like_pixels(np.array([-2.1, -1.9, -2.3]), np.array([2.2, 1.8, 2.5]))
    False
    """
    low, span = least.min(), most.max() - least.min()
    if not np.isfinite(span) or span <= 0:
        return False
    at_ground = (least - low) / span < _ROUNDING
    return bool(at_ground.mean() > 0.5 and np.median((most - low) / span) > 0.5)


def as_image(x: Floats, side: int, places: Ints) -> Floats:
    """The pixels of a row ``(I,)`` in their places ``(side, side)``; 0 where the row has none."""
    image = np.zeros(side * side)
    image[places] = x
    return image.reshape(side, side)


def tiles_of(W: Floats) -> Ints:
    """The units of ``W (I, O)`` to show: all, or those with the largest weights."""
    strongest = np.argsort(-np.linalg.norm(W, axis=0), kind="stable")[:_TILES]
    return np.sort(strongest)
