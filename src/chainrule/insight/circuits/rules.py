"""The local rules of a circuit: each operation beside its derivatives.

An operation takes numbers and gives a `Local`: its value, and for each operand a function that gives the derivative of
the value with respect to it. They are functions since not all are wanted: in ``x ** 2`` nobody varies the 2, and the
derivative with respect to it does not even exist for a negative x.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Slope: TypeAlias = "Callable[[], float]"


class OutOfDomain(ArithmeticError):  # noqa: N818 -- a fact about numbers; the circuit makes a message of it
    """An operation, or its derivative, is not defined for these numbers."""


class Local(NamedTuple):
    """What an operation knows of itself.

    Attributes:
        value: of the operation.
        slopes: for each operand, what gives the derivative with respect to it.
        kink: why there is no derivative at these numbers, and which one stands in for it; empty where there is one.
    """

    value: float
    slopes: tuple[Slope, ...]
    kink: str = ""


class Rule(NamedTuple):
    """An operation.

    Attributes:
        symbol: as it is written, ``"*"`` or ``"exp"``.
        name: of its rule of differentiation: sum, product, quotient, power, ...
        formulas: the derivative with respect to each operand, in ``{a}``, ``{b}`` and the value ``{y}``; the last one
            stands for all further operands.
        local: the operation itself.
        operands: how many it takes; None: any number.
    """

    symbol: str
    name: str
    formulas: tuple[str, ...]
    local: Callable[..., Local]
    operands: int | None

    @property
    def is_function(self) -> bool:
        """Whether it is written with parentheses."""
        return self.symbol.isidentifier()

    def formula(self, place: int, names: list[str], y: str) -> str:
        """The derivative with respect to the operand at that place, in the names of this use.

        >>> OPERATORS["*"].formula(0, ["x", "z"], "f")
        'z'
        """
        a, b = names[0], names[min(1, len(names) - 1)]
        return self.formulas[min(place, len(self.formulas) - 1)].format(a=a, b=b, y=y)


OPERATORS: dict[str, Rule] = {}
"""``+ - * / **``, each between two operands."""

FUNCTIONS: dict[str, Rule] = {}
"""What is written with parentheses."""


def _rule(symbol: str, name: str, *formulas: str, many: bool = False) -> Callable[[Callable[..., Local]], Rule]:
    """Enter the decorated operation under its symbol."""

    def enter(local: Callable[..., Local]) -> Rule:
        rule = Rule(symbol, name, formulas, local, None if many else len(formulas))
        (FUNCTIONS if rule.is_function else OPERATORS)[symbol] = rule
        return rule

    return enter


def _number(number: float) -> Slope:
    return lambda: number


# ---- operators ------------------------------------------------------------------------------------------------------


@_rule("+", "sum", "1", "1")
def _sum(a: float, b: float) -> Local:
    return Local(a + b, (_number(1), _number(1)))


@_rule("-", "difference", "1", "-1")
def _difference(a: float, b: float) -> Local:
    return Local(a - b, (_number(1), _number(-1)))


@_rule("*", "product", "{b}", "{a}")
def _product(a: float, b: float) -> Local:
    return Local(a * b, (lambda: b, lambda: a))


@_rule("/", "quotient", "1 / {b}", "-{y} / {b}")
def _quotient(a: float, b: float) -> Local:
    if b == 0:
        raise OutOfDomain("it divides by 0")
    y = a / b
    return Local(y, (lambda: 1 / b, lambda: -y / b))


@_rule("**", "power", "{b} * {a}**({b} - 1)", "{y} * log({a})")
def _power(a: float, b: float) -> Local:
    if a == 0 and b < 0:
        raise OutOfDomain("0 to a negative power divides by 0")
    if a < 0 and not b.is_integer():
        raise OutOfDomain("a negative number to a power that is not whole is no real number")
    y = a**b

    def to_base() -> float:
        if a == 0 and 0 < b < 1:
            raise OutOfDomain("its derivative is infinite where the base is 0")
        return b * a ** (b - 1) if b else 0.0

    def to_exponent() -> float:
        if a < 0:
            raise OutOfDomain("its derivative with respect to the exponent needs a base above 0")
        if a == 0 and b == 0:
            raise OutOfDomain("0 ** 0 has no derivative with respect to the exponent")
        return y * math.log(a) if a else 0.0

    return Local(y, (to_base, to_exponent))


def _minus(a: float) -> Local:
    return Local(-a, (_number(-1),))


MINUS = Rule("-", "negation", ("-1",), _minus, 1)
"""The sign before an operand."""

# ---- functions ------------------------------------------------------------------------------------------------------


@_rule("exp", "exponential", "{y}")
def _exp(a: float) -> Local:
    y = math.exp(a)
    return Local(y, (lambda: y,))


@_rule("log", "logarithm", "1 / {a}")
def _log(a: float) -> Local:
    if a <= 0:
        raise OutOfDomain("log takes numbers above 0")
    return Local(math.log(a), (lambda: 1 / a,))


@_rule("sin", "sine", "cos({a})")
def _sin(a: float) -> Local:
    return Local(math.sin(a), (lambda: math.cos(a),))


@_rule("cos", "cosine", "-sin({a})")
def _cos(a: float) -> Local:
    return Local(math.cos(a), (lambda: -math.sin(a),))


@_rule("tanh", "tanh", "1 - {y}**2")
def _tanh(a: float) -> Local:
    y = math.tanh(a)
    return Local(y, (lambda: 1 - y * y,))


@_rule("sigmoid", "sigmoid", "{y} * (1 - {y})")
def _sigmoid(a: float) -> Local:
    e = math.exp(-abs(a))  # in (0, 1]: no overflow for either sign
    y = (1 if a >= 0 else e) / (1 + e)
    return Local(y, (lambda: e / (1 + e) ** 2,))


@_rule("sqrt", "root", "1 / (2 * {y})")
def _sqrt(a: float) -> Local:
    if a < 0:
        raise OutOfDomain("sqrt takes numbers from 0 up")

    def slope() -> float:
        if a == 0:
            raise OutOfDomain("the derivative of sqrt is infinite at 0")
        return 0.5 / y

    y = math.sqrt(a)
    return Local(y, (slope,))


@_rule("relu", "relu", "1 if {a} > 0 else 0")
def _relu(a: float) -> Local:
    kink = "" if a else "relu has a kink at 0: its slope is 0 on the left and 1 on the right; 0 was taken"
    return Local(max(a, 0.0), (_number(1 if a > 0 else 0),), kink)


@_rule("abs", "absolute", "sign({a})")
def _abs(a: float) -> Local:
    kink = "" if a else "abs has a kink at 0: its slope is -1 on the left and 1 on the right; 0 was taken"
    return Local(abs(a), (_number(math.copysign(1, a) if a else 0),), kink)


@_rule("min", "minimum", "1 for the smallest", many=True)
def _min(*numbers: float) -> Local:
    return _chosen("min", min(numbers), numbers)


@_rule("max", "maximum", "1 for the largest", many=True)
def _max(*numbers: float) -> Local:
    return _chosen("max", max(numbers), numbers)


def _chosen(name: str, y: float, numbers: tuple[float, ...]) -> Local:
    """Derivative 1 for the chosen operand; equal ones share it, as torch and JAX have it."""
    equal = numbers.count(y)
    kink = f"{name} has a kink where operands are equal: {equal} are, 1/{equal} was taken for each" if equal > 1 else ""
    return Local(y, tuple(_number(1 / equal if number == y else 0) for number in numbers), kink)
