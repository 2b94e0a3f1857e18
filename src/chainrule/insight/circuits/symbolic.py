"""The derivative of a circuit as a formula, by SymPy: an answer by other means."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.errors import ArgumentError, MissingExtraError
from chainrule.insight.differences import relative_error

if TYPE_CHECKING:
    from chainrule.insight.circuits.circuit import Circuit

_MOST = 200  # operations: formulas of more fill pages, and SymPy takes minutes


class Symbolic(NamedTuple):
    """A derivative as a formula.

    Attributes:
        name: of the input.
        formula: as SymPy writes it.
        value: of the formula at the inputs; nan where it has none, at a kink.
        error: relative, against the backward pass.
    """

    name: str
    formula: str
    value: float
    error: float


def symbolic_gradient(circuit: Circuit) -> tuple[Symbolic, ...]:
    """The derivative with respect to each input.

    Raises:
        MissingExtraError: without SymPy.
        ArgumentError: for a circuit of more than 200 operations.
    """
    if len(circuit.graph.nodes) > _MOST:
        expected = f"at most {_MOST} operations and numbers for a symbolic derivative"
        raise ArgumentError("expression", where="circuit", expected=expected, got=len(circuit.graph.nodes))
    try:
        import sympy
    except ImportError:
        raise MissingExtraError("a symbolic derivative", library="sympy", extra="symbolic") from None
    symbols = {name: sympy.Symbol(name, real=True) for name in circuit.inputs}
    expression = _expression(circuit, sympy, symbols)
    return tuple(_derivative(circuit, sympy, expression, symbols, name) for name in circuit.inputs)


def _derivative(circuit: Circuit, sympy: Any, expression: Any, symbols: dict[str, Any], name: str) -> Symbolic:
    slope = sympy.diff(expression, symbols[name])
    at = {symbols[other]: sympy.Float(value, 30) for other, value in circuit.inputs.items()}
    try:
        value = float(slope.subs(at).evalf())
    except (TypeError, ValueError):  # a step function at its step, a derivative that SymPy leaves standing
        value = float("nan")
    formula = min(str(slope), str(sympy.simplify(slope)), key=len)
    return Symbolic(name, formula, value, relative_error(circuit.gradient[name], value))


def _expression(circuit: Circuit, sympy: Any, symbols: dict[str, Any]) -> Any:
    """The circuit in SymPy's own words, node by node: no text is read."""
    words = _words(sympy)
    built: list[Any] = []
    for node in circuit.graph.nodes:
        if node.rule is None:
            built.append(symbols[node.name] if node.name else sympy.nsimplify(node.number, rational=True))
        else:
            built.append(words[node.rule.name](*(built[operand] for operand in node.operands)))
    return built[circuit.graph.result]


def _words(sympy: Any) -> dict[str, Any]:
    return {
        "sum": lambda a, b: a + b,
        "difference": lambda a, b: a - b,
        "product": lambda a, b: a * b,
        "quotient": lambda a, b: a / b,
        "power": lambda a, b: a**b,
        "negation": lambda a: -a,
        "exponential": sympy.exp,
        "logarithm": sympy.log,
        "sine": sympy.sin,
        "cosine": sympy.cos,
        "tanh": sympy.tanh,
        "sigmoid": lambda a: 1 / (1 + sympy.exp(-a)),
        "root": sympy.sqrt,
        "relu": lambda a: sympy.Max(0, a),
        "absolute": sympy.Abs,
        "minimum": lambda *operands: reduce(sympy.Min, operands),
        "maximum": lambda *operands: reduce(sympy.Max, operands),
    }
