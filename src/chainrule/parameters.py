"""One flat vector: how theta is laid out, and named views onto it.

All parameters of a network are one contiguous ``theta (P,)``; ``W (I, O)`` and ``b (O,)`` of each layer are views of
it, named ``"dense_1.W"``. Gradients, optimiser slots and checkpoints have the same layout.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import checks
from chainrule.arrays import Array, Floats, namespace
from chainrule.errors import ArgumentError, ShapeError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chainrule.arrays import DType
    from chainrule.layers import Parameter


class Layout:
    """Where each parameter stands in theta.

    Attributes:
        parameters: in the order of theta.
        offsets: the first place of each in theta.
        size: P.
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self.parameters = tuple(parameters)
        sizes = [math.prod(parameter.shape) for parameter in self.parameters]
        self.offsets = tuple(int(end - size) for end, size in zip(np.cumsum(sizes), sizes, strict=True))
        self.size = int(sum(sizes))
        self._places = {
            p.name: (slice(o, o + n), p) for p, o, n in zip(self.parameters, self.offsets, sizes, strict=True)
        }
        self._leaves = [(p.path, size) for p, size in zip(self.parameters, sizes, strict=True)]
        self._masks: dict[tuple[str, str], Floats] = {}  # asked for at every step
        self.all_trainable = all(parameter.trainable for parameter in self.parameters)
        self.has_state = any(parameter.kind == "state" for parameter in self.parameters)

    def place(self, name: str) -> slice:
        """Where in theta the parameter of that name stands.

        Raises:
            ArgumentError: when there is none.
        """
        if not isinstance(name, str) or name not in self._places:
            raise unknown_name("parameter", name, self._places)
        return self._places[name][0]

    def view(self, theta: Array, name: str) -> Array:
        """The named part of theta in its own shape, without a copy."""
        return theta[self.place(name)].reshape(self._places[name][1].shape)

    def split(self, theta: Array) -> dict[Any, Any]:
        """Theta as the nested mappings that layers take; views, no copies."""
        nested: dict[Any, Any] = {}
        for parameter in self.parameters:
            inner = nested
            for key in parameter.path[:-1]:
                inner = inner.setdefault(key, {})
            inner[parameter.path[-1]] = self.view(theta, parameter.name)
        return nested

    def join(self, grads: Any, like: Array) -> Array:
        """Nested gradients as one vector ``(P,)``; 0 for what is frozen or is not trained."""
        xp = namespace(like)
        parts = []
        for path, size in self._leaves:
            grad = grads
            for key in path:
                grad = grad.get(key, _NOTHING)
            parts.append(xp.zeros_like(like[:size]) if grad is _NOTHING else grad.reshape(-1))
        return xp.concat(parts) if parts else xp.zeros_like(like)

    def weights(self, dtype: str) -> Floats:
        """A vector ``(P,)`` of 1 for the weights, which penalties and weight decay concern, and 0 for the rest."""
        return self._mask("weights", dtype, lambda parameter: parameter.kind == "weight")

    def trainable(self, dtype: str) -> Floats:
        """A vector ``(P,)`` of 1 for what gradient descent changes and 0 for the rest."""
        return self._mask("trainable", dtype, lambda parameter: parameter.trainable)

    def _mask(self, which: str, dtype: str, wanted: Callable[[Parameter], bool]) -> Floats:
        if (which, dtype) not in self._masks:
            mask = np.zeros(self.size, dtype=dtype)
            for place, parameter in self._places.values():
                mask[place] = wanted(parameter)
            self._masks[which, dtype] = mask
        return self._masks[which, dtype]

    def draw(self, rng: np.random.Generator, dtype: DType) -> Floats:
        """Initial weights, each parameter by its own initialiser, in the order of theta.

        Raises:
            ArgumentError: when they are more than the memory holds.
        """
        try:
            theta = np.empty(self.size, dtype=dtype)
        except (MemoryError, ValueError):  # more than there is, more than can be numbered
            expected = "as many parameters as fit into the memory"
            raise ArgumentError("layers", where="Network", expected=expected, got=self.size) from None
        for place, p in self._places.values():
            theta[place] = np.asarray(p.initial.draw(rng, p.shape, p.fan_in, p.fan_out)).reshape(-1)
        return theta


class Named(MutableMapping[str, Floats]):
    """A vector ``(P,)`` by the names of its parts: reading gives views, assigning sets the numbers.

    Attributes:
        theta: the vector itself.
    """

    def __init__(self, layout: Layout, theta: Floats) -> None:
        self.layout, self.theta = layout, theta

    def __getitem__(self, name: str) -> Floats:
        view: Floats = self.layout.view(self.theta, name)
        return view

    def __setitem__(self, name: str, values: Any) -> None:
        view, values = self[name], checks.numbers(values, name, where="parameters")
        if view.shape != values.shape:
            raise ShapeError(name, where="parameters", expected=f"shape {view.shape}", got=values.shape)
        view[...] = values

    def __delitem__(self, name: str) -> None:
        raise TypeError(f"parameters of a network cannot be deleted; set {name!r} to zeros instead")

    def __contains__(self, name: object) -> bool:  # the inherited one waits for a KeyError
        return isinstance(name, str) and any(name == known for known in self)

    def get(self, name: str, default: Any = None) -> Any:
        """The part of that name, or `default`."""
        found = name in self
        return self[name] if found else default

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Named):
            return NotImplemented
        return list(self) == list(other) and bool(np.array_equal(self.theta, other.theta))

    __hash__ = None  # type: ignore[assignment] # its numbers change

    def __iter__(self) -> Iterator[str]:
        return (parameter.name for parameter in self.layout.parameters)

    def __len__(self) -> int:
        return len(self.layout.parameters)

    def __repr__(self) -> str:
        rows = [f"  {p.name:<24} {p.shape!s:<14} {p.kind}" for p in self.layout.parameters]
        return "\n".join([f"{self.layout.size} numbers in {len(rows)} arrays", *rows])


_NOTHING: dict[Any, Any] = {}
