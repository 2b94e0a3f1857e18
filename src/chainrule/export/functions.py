"""The functions of one number that a network needs, activations and their slopes, as definitions in a language."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chainrule.export.expressions import Language, calls, letters
from chainrule.export.formulas import ACTIVATIONS, PARTS, limits

if TYPE_CHECKING:
    from chainrule.activations import ActivationFunction
    from chainrule.arrays import DType


class Function(NamedTuple):
    """A definition.

    Attributes:
        of: the activation that needed it first.
        name: its own.
        arguments: their letters.
        about: what it is in the notation of people.
        value: its value in the language.
    """

    of: str
    name: str
    arguments: tuple[str, ...]
    about: str
    value: str


class Functions:
    """Collects what is asked for: each function once, after those that it calls.

    Attributes:
        defined: the definitions so far, in an order in which they can stand.
    """

    def __init__(self, language: Language, dtype: DType) -> None:
        self.language, self.limits = language, limits(dtype)
        self.defined: list[Function] = []
        self._names: dict[tuple[str, tuple[float, ...]], str] = {}

    @property
    def by_activation(self) -> list[Function]:
        """The definitions with those of one activation together; for languages in which any order will do."""
        order = list(dict.fromkeys(each.of for each in self.defined))
        return sorted(self.defined, key=lambda each: order.index(each.of))

    def value(self, f: ActivationFunction) -> str:
        """The name of the function that is f, of one argument z."""
        about = f"f(z) = {_about(f, f.formula)}"
        return self._define(f, self._name(f), ACTIVATIONS[f.name].value, about, f.constants)[0]

    def slope(self, f: ActivationFunction) -> tuple[str, tuple[str, ...]]:
        """The name of the function that is f', and its arguments: z, y or both."""
        known = "" if "'" in f.slope_formula else f" = {_about(f, f.slope_formula)}"  # gelu has no short one
        about = f"f'(z){known}, of {f.name}"
        return self._define(f, f"{self._name(f)}_slope", ACTIVATIONS[f.name].slope, about, f.constants)

    def _name(self, f: ActivationFunction) -> str:
        """Its own; with a number where the same activation stands there with other constants."""
        key = f.name, tuple(f.constants.values())
        if key not in self._names:
            count = sum(name == f.name for name, _ in self._names)
            self._names[key] = f.name if not count else f"{f.name}_{count + 1}"
        return self._names[key]

    def _define(
        self,
        f: ActivationFunction,
        name: str,
        formula: str,
        about: str,
        constants: dict[str, float] | None = None,
    ) -> tuple[str, tuple[str, ...]]:
        known = {**self.limits, **(constants or {})}
        arguments = tuple(letter for letter in letters(formula) if letter in {"z", "y"})
        own = self.language.functions.get(name)
        if own and formula == f"{name}(z)":
            return own, arguments  # the language has it
        if name not in {each.name for each in self.defined}:
            for called in sorted(calls(formula) & set(PARTS)):
                if called != name:
                    self._define(f, called, PARTS[called], _ABOUT[called])
            self.defined.append(Function(f.name, name, arguments, about, self.language.write(formula, known)))
        return name, arguments


_ABOUT = {
    "sigmoid": "f(z) = 1 / (1 + exp(-z))",
    "gelu_tanh": "tanh(u), u = sqrt(2/pi) (z + 0.044715 z^3), within gelu",
    "gelu_inner_slope": "du/dz, within gelu'",
}


def _about(f: ActivationFunction, formula: str) -> str:
    constants = ", ".join(f"{letter} = {number!r}" for letter, number in f.constants.items())
    return f"{formula}, {constants}" if constants else formula
