"""How NumPy and plain Python write the arithmetic of matrices that a script is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chainrule.export.expressions import NUMPY, PYTHON, Language, letters
from chainrule.export.pieces import NUMPY_PIECES, PYTHON_PIECES

if TYPE_CHECKING:
    from collections.abc import Mapping

NONE: Mapping[str, str] = {}


class Dialect(Protocol):
    """Expressions of matrices, from the texts of their parts.

    Attributes:
        name: what people call it.
        language: of the formulas of one number.
        pieces: the source of its functions of matrices.
    """

    name: str
    language: Language
    pieces: str

    def matmul(self, A: str, B: str) -> str:
        """``A B``."""

    def transpose(self, A: str) -> str:
        """``A^T``."""

    def add_row(self, A: str, b: str) -> str:
        """``A + b``, b added to every row."""

    def times_row(self, A: str, b: str) -> str:
        """``A * b``, every row times b."""

    def times_column(self, A: str, c: str) -> str:
        """Row i of A times c_i."""

    def add(self, A: str, B: str) -> str:
        """``A + B``."""

    def times(self, A: str, B: str) -> str:
        """``A * B``, entry by entry."""

    def sum_rows(self, A: str) -> str:
        """The sum over the rows."""

    def call(self, function: str, *arrays: str) -> str:
        """A function of numbers at every entry."""

    def formula(
        self,
        formula: str,
        variables: Mapping[str, str],
        constants: Mapping[str, float],
        names: Mapping[str, str] = NONE,
    ) -> str:
        """A formula at every entry: arrays in place of `variables`, numbers of `constants`, other names of `names`."""

    def sum_of(
        self, formula: str, variables: Mapping[str, str], constants: Mapping[str, float], weights: str = ""
    ) -> str:
        """The sum of a formula over all entries, each row times its weight."""

    def total(self, numbers: str, weights: str = "") -> str:
        """The sum of a list of numbers, each times its weight."""

    def rows(self, A: str, rows: str) -> str:
        """These rows of a matrix."""

    def fill(self, number: float, like: str) -> str:
        """An array of one number."""


class NumPy:
    """With NumPy's operators."""

    name, language, pieces = "NumPy", NUMPY, NUMPY_PIECES

    def matmul(self, A: str, B: str) -> str:
        return f"{A} @ {B}"

    def transpose(self, A: str) -> str:
        return f"{A}.T"

    def add_row(self, A: str, b: str) -> str:
        return f"{A} + {b}"

    def times_row(self, A: str, b: str) -> str:
        return f"{A} * {b}"

    def times_column(self, A: str, c: str) -> str:
        return f"{c}[:, None] * {A}"

    def add(self, A: str, B: str) -> str:
        return f"{A} + {B}"

    def times(self, A: str, B: str) -> str:
        return f"{A} * {B}"

    def sum_rows(self, A: str) -> str:
        return f"{A}.sum(axis=0)" if A.isidentifier() else f"({A}).sum(axis=0)"

    def call(self, function: str, *arrays: str) -> str:
        return f"{function}({', '.join(arrays)})"

    def formula(
        self,
        formula: str,
        variables: Mapping[str, str],
        constants: Mapping[str, float],
        names: Mapping[str, str] = NONE,
    ) -> str:
        return NUMPY.with_letters({**names, **variables}).write(formula, constants)

    def sum_of(
        self, formula: str, variables: Mapping[str, str], constants: Mapping[str, float], weights: str = ""
    ) -> str:
        terms = self.formula(formula, variables, constants)
        return f"np.sum({self.times_column(f'({terms})', weights) if weights else terms})"

    def total(self, numbers: str, weights: str = "") -> str:
        return f"np.sum({weights} * {numbers})" if weights else f"{numbers}.sum()"

    def rows(self, A: str, rows: str) -> str:
        return f"{A}[{rows}]"

    def fill(self, number: float, like: str) -> str:
        return f"np.full_like({like}, {number!r})" if number else f"np.zeros_like({like})"


class PlainPython:
    """With lists of lists, and functions for what they lack."""

    name, language, pieces = "Python", PYTHON, PYTHON_PIECES

    def matmul(self, A: str, B: str) -> str:
        return f"matmul({A}, {B})"

    def transpose(self, A: str) -> str:
        return f"transpose({A})"

    def add_row(self, A: str, b: str) -> str:
        return f"add_row({A}, {b})"

    def times_row(self, A: str, b: str) -> str:
        return f"times_row({A}, {b})"

    def times_column(self, A: str, c: str) -> str:
        return f"times_column({A}, {c})"

    def add(self, A: str, B: str) -> str:
        return f"add({A}, {B})"

    def times(self, A: str, B: str) -> str:
        return f"times({A}, {B})"

    def sum_rows(self, A: str) -> str:
        return f"sum_rows({A})"

    def call(self, function: str, *arrays: str) -> str:
        return f"each({', '.join((function, *arrays))})"

    def formula(
        self,
        formula: str,
        variables: Mapping[str, str],
        constants: Mapping[str, float],
        names: Mapping[str, str] = NONE,
    ) -> str:
        free = [letter for letter in letters(formula) if letter in variables]
        arrays = ", ".join(variables[letter] for letter in free)
        value = PYTHON.with_letters(names).write(formula, constants)
        return f"each(lambda {', '.join(free)}: {value}, {arrays})"

    def sum_of(
        self, formula: str, variables: Mapping[str, str], constants: Mapping[str, float], weights: str = ""
    ) -> str:
        free = [letter for letter in letters(formula) if letter in variables]
        rows, row = ", ".join(variables[letter] for letter in free), ", ".join(free) + "," * (len(free) == 1)
        term = PYTHON.write(formula, constants)
        if weights:
            return f"sum(weight * ({term}) for weight, *row in zip({weights}, {rows}) for {row} in zip(*row))"
        return f"sum({term} for row in zip({rows}) for {row} in zip(*row))"

    def total(self, numbers: str, weights: str = "") -> str:
        return f"sum(weight * each for weight, each in zip({weights}, {numbers}))" if weights else f"sum({numbers})"

    def rows(self, A: str, rows: str) -> str:
        return f"[{A}[row] for row in {rows}]"

    def fill(self, number: float, like: str) -> str:
        return f"each(lambda _: {number!r}, {like})"
