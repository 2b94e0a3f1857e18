"""`coefs_` and `intercepts_`: lists whose entries are the network's own numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, SupportsIndex

from chainrule.errors import ArgumentError

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.network import Network


class Views(list["Floats"]):
    """A list of views into theta: to assign to one of its places, or into one of its arrays, sets the weights."""

    def __init__(self, network: Network, names: list[str]) -> None:
        super().__init__(network.parameters[name] for name in names)
        self._network, self._names = network, names

    def __setitem__(self, place: SupportsIndex | slice, values: Any) -> None:
        if isinstance(place, slice):
            raise ArgumentError("a slice of weights", expected="one layer at a time", got=place)
        self._network.parameters[self._names[place]] = values

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(map(_copied, self)),)


def _copied(view: Floats) -> Floats:
    return view.copy()
