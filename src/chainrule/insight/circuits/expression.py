"""From text to a graph: numbers, names, ``+ - * / **`` and functions, with Python's precedence.

Nothing is evaluated as code. Python's own parser, `ast.parse`, was tried and does not take what is asked for here: in
CPython 3.11 to 3.13 it refuses more than 200 nested parentheses, so no chain ``sin(sin(...))`` of more functions, some
6,000 signs or powers in a row (MemoryError, "Parser stack overflowed"), and in 3.12 and 3.13 some 3,000 operations in a
row (RecursionError), whatever the recursion limit and the stack of the thread are. So this is the shunting yard of
Dijkstra (1961), a loop over the tokens with two stacks, so that nesting costs no recursion. What it understands is
listed here, and everything else is refused by name.

Identical subexpressions become one node: ``(x + y) * (x + y)`` has one sum, used twice, and ``x * x`` one x.
"""

from __future__ import annotations

import keyword
import math
import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from chainrule.errors import ArgumentError, unknown_name
from chainrule.insight.circuits.graph import Graph
from chainrule.insight.circuits.rules import FUNCTIONS, MINUS, OPERATORS, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_CHARACTERS = 2_000_000

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d]\w*)|(?P<sign>\*\*|//|[-+*/(),])|(?P<rest>\S))"
)
_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}
_SIGN_BINDS = 3  # -x**2 is -(x**2), and -x*y is (-x)*y
_INSTEAD = {"^": "Write ** for a power.", "//": "Write / to divide.", ".": "Nothing has attributes here.", "=": ""}


def read(text: object) -> Graph:
    """The graph of an expression.

    Raises:
        ArgumentError: for anything but numbers, names, operators and functions, with the place where it stands.

    >>> [node.rule.symbol if node.rule else node.name for node in read("(x + y) * (x + y)").nodes]
    ['x', 'y', '+', '*']
    """
    if not isinstance(text, str):
        raise ArgumentError("expression", where="circuit", expected="text such as '(x + y) * z'", got=text)
    if len(text) > MOST_CHARACTERS:
        raise ArgumentError("expression", where="circuit", expected=f"at most {MOST_CHARACTERS:,} characters")
    return _Reader(text).read()


class _Token(NamedTuple):
    kind: str
    text: str
    place: int


class _Open(NamedTuple):
    """An open parenthesis, of a function or of none, or an operator that waits for its last operand."""

    token: _Token
    rule: Rule | None
    binds: int  # 0 for a parenthesis


class _Reader:
    """The two stacks: operands that are complete, and what waits for operands."""

    def __init__(self, text: str) -> None:
        self.text, self.graph = text, Graph()
        self.operands: list[int] = []
        self.waiting: list[_Open] = []
        self.called: _Token | None = None  # a function whose parenthesis comes next
        self.commas: list[int] = []  # of each open function

    def read(self) -> Graph:
        expects_operand = True
        for token, following in _pairs(self.text):
            if token.kind == "rest":
                self._strange(token)
            expects_operand = self._operand(token, following) if expects_operand else self._after_operand(token)
        if expects_operand:
            self._fail(f"it ends where a number, a name or '(' is expected{'' if self.operands else ': it is empty'}")
        self._reduce(0)
        if self.waiting:
            self._fail("a parenthesis is not closed", self.waiting[-1].token)
        self.graph.result = self.operands.pop()
        return self.graph

    def _operand(self, token: _Token, following: str) -> bool:
        """Take a token where an operand begins; whether one is still expected."""
        if token.kind == "number":
            self._push_number(token)
            return False
        if token.kind == "name":
            return self._name(token, following)
        if token.text == "(":
            self._open(token)
        elif token.text == "-":
            self.waiting.append(_Open(token, MINUS, _SIGN_BINDS))
        elif token.text != "+":
            self._fail(f"{token.text!r} stands where a number, a name or '(' is expected", token)
        return True

    def _push_number(self, token: _Token) -> None:
        number = float(token.text)
        if not math.isfinite(number):
            self._fail(f"{token.text} is beyond the numbers of this machine", token)
        self.operands.append(self.graph.number(number))

    def _name(self, token: _Token, following: str) -> bool:
        """A function, whose parenthesis follows, or an input."""
        name = token.text
        if keyword.iskeyword(name):
            self._fail(f"{name!r} is a word of Python's, not of an expression", token, mend=_WHAT_THERE_IS)
        if following == "(":
            if name not in FUNCTIONS:
                raise unknown_name("function", name, FUNCTIONS, where="circuit")
            self.called = token
            return True
        if name in FUNCTIONS:
            self._fail(f"{name} is a function", token, mend=f"Write {name}(...)")
        self.operands.append(self.graph.number(math.pi) if name == "pi" else self.graph.input(name))
        return False

    def _open(self, token: _Token) -> None:
        if self.called is None:
            self.waiting.append(_Open(token, None, 0))
            return
        self.waiting.append(_Open(self.called, FUNCTIONS[self.called.text], 0))
        self.commas.append(0)
        self.called = None

    def _after_operand(self, token: _Token) -> bool:
        """Take a token after an operand; whether an operand is expected next."""
        if token.text in OPERATORS:
            binds = _BINDS[token.text]
            self._reduce(binds + (token.text == "**"))  # powers are taken from the right
            self.waiting.append(_Open(token, OPERATORS[token.text], binds))
            return True
        if token.text == ",":
            self._reduce(0)
            if not (self.waiting and self.waiting[-1].rule):
                self._fail("a comma stands outside a function", token)
            self.commas[-1] += 1
            return True
        if token.text != ")":
            what = "'(' stands" if token.text == "(" else f"{token.text!r} stands"
            self._fail(f"{what} where an operator is expected", token, mend="Write 2 * x for a product.")
        self._close(token)
        return False

    def _close(self, token: _Token) -> None:
        self._reduce(0)
        if not self.waiting:
            self._fail("')' closes nothing", token)
        opened = self.waiting.pop()
        if opened.rule is None:
            return
        rule, given = opened.rule, self.commas.pop() + 1
        if rule.operands not in {None, given}:
            self._fail(f"{rule.symbol} takes one number, not {given}", opened.token)
        self._apply(rule, given)

    def _reduce(self, binds: int) -> None:
        """Apply the operators that bind at least so tightly, back to the last open parenthesis."""
        while self.waiting and self.waiting[-1].binds >= max(binds, 1):
            rule = self.waiting.pop().rule
            if rule is not None:
                self._apply(rule, rule.operands or 0)

    def _apply(self, rule: Rule, count: int) -> None:
        operands = tuple(self.operands[-count:])
        del self.operands[-count:]
        self.operands.append(self.graph.apply(rule, operands))

    def _strange(self, token: _Token) -> NoReturn:
        self._fail(f"{token.text!r} is not understood", token, mend=_INSTEAD.get(token.text) or _WHAT_THERE_IS)

    def _fail(self, what: str, token: _Token | None = None, mend: str = "") -> NoReturn:
        near = "" if token is None else f" (at {_excerpt(self.text, token.place)!r}, character {token.place + 1})"
        raise ArgumentError(f"{what}{near}", where="circuit", mend=mend)


_WHAT_THERE_IS = f"There are numbers, names, pi, {' '.join(OPERATORS)}, parentheses and {', '.join(FUNCTIONS)}."


def _excerpt(text: str, place: int) -> str:
    return text[place : place + 16] + ("…" if len(text) > place + 16 else "")


def _pairs(text: str) -> Iterator[tuple[_Token, str]]:
    """Each token with the text of the one after it."""
    before = None
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        token = _Token(kind, _plain(match[kind]), match.start(kind))
        if token.text == "//":
            token = token._replace(kind="rest")
        if before is not None:
            yield before, token.text
        before = token
    if before is not None:
        yield before, ""


def _plain(text: str) -> str:
    """A name as Python writes it in keyword arguments."""
    return unicodedata.normalize("NFKC", text)
