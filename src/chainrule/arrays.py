"""Arrays: type aliases, shape letters, the number types, the array-API namespace and the counter-based random hash.

Shape letters, everywhere in this package:

    ``B`` rows in a batch    ``I`` inputs     ``O`` outputs
    ``K`` classes            ``P`` parameters ``N`` rows in the data

Arrays are upper-case: ``X (B, I)``, ``Z = X W + b (B, O)``, ``Y = f(Z) (B, O)``, targets ``T (B, O)``. ``dZ`` means
dLoss/dZ and has the shape of ``Z``; in what people read it is called *delta*.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from chainrule.errors import ArgumentError

Array: TypeAlias = Any
"""An array of any library that speaks the array-API standard (NumPy, JAX, ...); the standard has no type of its own."""

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
"""A NumPy array of float32 or float64."""

Ints: TypeAlias = npt.NDArray[np.integer[Any]]
"""A NumPy array of whole numbers."""

DType: TypeAlias = Literal["float32", "float64"]
DTYPES: tuple[DType, ...] = ("float32", "float64")

_ADD: Any = np.add.reduce  # its overloads know a literal `keepdims` only
_WORD = 0xFFFFFFFF  # the hash works on 32-bit words: JAX has no others unless asked


def namespace(X: Array) -> Any:
    """The functions that fit this array: `numpy`, `jax.numpy`, ... (the array-API standard)."""
    return np if type(X) is np.ndarray else X.__array_namespace__()


def total(X: Array, axis: int | None = None, *, keepdims: bool = False) -> Array:
    """The sum over an axis, or over all entries: the standard's `sum`, without NumPy's wrapper around its reduction.

    Small networks spend a fifth of a step in that wrapper.
    """
    if type(X) is np.ndarray:
        return _ADD(X, axis=axis, keepdims=keepdims)
    return namespace(X).sum(X, axis=axis, keepdims=keepdims)


def check_dtype(dtype: object, *, where: str) -> DType:
    """`float32` or `float64`, from a name or a NumPy dtype.

    Raises:
        ArgumentError: for any other.
    """
    try:
        name = np.dtype(dtype).name if dtype is not None else None  # type: ignore[call-overload] # NumPy: None is float64
    except (TypeError, ValueError):
        name = None
    for known in DTYPES:
        if name == known:
            return known
    raise ArgumentError("dtype", where=where, expected="float32 or float64", got=dtype)


def hash_words(xp: Any, words: Array) -> Array:
    """Mix every 32-bit word: a bijection in which each input bit flips each output bit with probability 1/2.

    The multipliers and shifts are ``lowbias32`` of C. Wellons, "Prospecting for Hash Functions" (2018).
    """
    words = words ^ (words >> 16)
    words = words * xp.asarray(0x7FEB352D, dtype=xp.uint32)
    words = words ^ (words >> 15)
    words = words * xp.asarray(0x846CA68B, dtype=xp.uint32)
    return words ^ (words >> 16)


def hash_int(*numbers: int) -> int:
    """One 32-bit word that depends on every number and on their order."""
    state = 0
    for number in numbers:
        state = (state * 0x9E3779B1 + (number & _WORD) + 0x7F4A7C15) & _WORD
        state ^= state >> 16
        state = (state * 0x7FEB352D) & _WORD
        state ^= state >> 15
        state = (state * 0x846CA68B) & _WORD
        state ^= state >> 16
    return state


def random_words(xp: Any, shape: tuple[int, ...], *, seed: int, stream: int, step: int) -> Array:
    """Random 32-bit words ``(shape)`` that depend on nothing but their place, the seed, the stream and the step.

    Counter-based: no state is kept, so any engine makes the same words in any order on any number of threads.

    word[i] = mix(mix(i + k1) ^ k2)   with k1, k2 = hashes of (seed, stream, step)

    >>> random_words(np, (4,), seed=0, stream=1, step=0).dtype
    dtype('uint32')
    """
    size = 1
    for length in shape:
        size *= length
    k1, k2 = (hash_int(seed, seed >> 32, stream, step, which) for which in (1, 2))
    counter = xp.arange(size, dtype=xp.uint32) + xp.asarray(k1, dtype=xp.uint32)
    return xp.reshape(hash_words(xp, hash_words(xp, counter) ^ xp.asarray(k2, dtype=xp.uint32)), shape)


def bernoulli(xp: Any, shape: tuple[int, ...], probability: float, *, seed: int, stream: int, step: int) -> Array:
    """True with the given probability, independently at each place; see `random_words`."""
    threshold = min(round(probability * 2**32), _WORD)
    return random_words(xp, shape, seed=seed, stream=stream, step=step) < xp.asarray(threshold, dtype=xp.uint32)
