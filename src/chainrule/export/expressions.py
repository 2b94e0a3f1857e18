"""Formulas, written once in Python's notation, as the lines of the languages that are exported to.

A formula is an expression of the letters ``z y t g w ...``, numbers, ``+ - * / **``, comparisons, ``A if C else B`` and
the functions of `KNOWN`; any other function is one of the exported file's own.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

KNOWN = ("abs", "exp", "expm1", "log", "log1p", "max", "min", "sqrt", "tanh")


@dataclass(frozen=True)
class Language:
    """How a language writes what the formulas are made of.

    Attributes:
        functions: its names of the functions in `KNOWN`.
        choice: how it writes ``A if C else B``, from C, A and B.
        number: how it writes a number, where not as Python does.
        letters: its names of the letters, where they differ.
        brackets: whether a choice needs them inside of a larger formula.
    """

    functions: Mapping[str, str]
    choice: Callable[[str, str, str], str]
    number: Callable[[float], str] = repr
    letters: Mapping[str, str] = field(default_factory=dict)
    brackets: bool = True

    def write(self, formula: str, constants: Mapping[str, float] | None = None) -> str:
        """The formula in this language, with numbers in place of the letters that are constants.

        >>> C.write("z if z > 0 else a * expm1(z)", {"a": 0.5})
        'z > 0.0f ? z : 0.5f * expm1f(z)'
        """
        tree = ast.parse(formula, mode="eval").body
        return self._text(_Constants(constants or {}).visit(tree))

    def _text(self, node: ast.expr) -> str:
        return self.choose(node) if isinstance(node, ast.IfExp) else ast.unparse(_Words(self).visit(node))

    def with_letters(self, letters: Mapping[str, str]) -> Language:
        """The same language with these names for the letters."""
        return replace(self, letters=letters)

    def choose(self, node: ast.IfExp) -> str:
        """``A if C else B``."""
        return self.choice(self._text(node.test), self._text(node.body), self._text(node.orelse))


class _Constants(ast.NodeTransformer):
    """Puts numbers in place of letters."""

    def __init__(self, constants: Mapping[str, float]) -> None:
        self.constants = constants

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self.constants[node.id]) if node.id in self.constants else node


class _Words(ast.NodeTransformer):
    """Puts the language's own words in place of names and numbers."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.language.letters.get(node.id, node.id))

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Name(self.language.number(node.value))  # type: ignore[arg-type] # formulas hold numbers alone

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """A choice within an expression: in brackets, as a name that is printed as it is."""
        text = self.language.choose(node)
        return ast.Name(f"({text})" if self.language.brackets else text)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if not isinstance(node.func, ast.Name):
            return self.generic_visit(node)  # type: ignore[return-value] # an expression stays one
        name = self.language.functions.get(node.func.id, node.func.id)
        return ast.Call(ast.Name(name), [self.visit(argument) for argument in node.args], [])


def letters(formula: str) -> tuple[str, ...]:
    """The letters of a formula, the last of the alphabet first: z before y, y before t, w before g.

    >>> letters("y * (1 - y) + exp(z)")
    ('z', 'y')
    """
    tree = ast.parse(formula, mode="eval")
    called = calls(formula)
    return tuple(sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - called, reverse=True))


def calls(formula: str) -> set[str]:
    """The functions that a formula calls.

    >>> sorted(calls("z * sigmoid(z) + exp(z)"))
    ['exp', 'sigmoid']
    """
    nodes = ast.walk(ast.parse(formula, mode="eval"))
    return {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


def _c_float(number: float) -> str:
    return f"{float(number)!r}f"


def _ternary(condition: str, yes: str, no: str) -> str:
    return f"{condition} ? {yes} : {no}"


PYTHON = Language(
    {name: name if name in {"abs", "max", "min"} else f"math.{name}" for name in KNOWN},
    lambda condition, yes, no: f"{yes} if {condition} else {no}",
)
NUMPY = Language(
    {name: f"np.{name}" for name in KNOWN} | {"max": "np.maximum", "min": "np.minimum"},
    lambda condition, yes, no: f"np.where({condition}, {yes}, {no})",
    letters={"z": "Z", "y": "Y"},
    brackets=False,
)
C = Language(
    {name: f"{name}f" for name in KNOWN} | {"abs": "fabsf", "max": "fmaxf", "min": "fminf"}, _ternary, number=_c_float
)
JAVASCRIPT = Language({name: f"Math.{name}" for name in KNOWN}, _ternary)
