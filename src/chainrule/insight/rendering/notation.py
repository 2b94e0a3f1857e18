"""Formulas in plain notation, as they stand in docstrings and in a terminal, written as LaTeX or MathML.

One line such as ``dL/dw = (o1 - t1) * o1 (1 - o1) * h1`` or ``dZ = dY * f'(Z)``::

    y_o, W[0, 1]      below the line          z^2, W^T     above it
    o1, h2.3          unit 1; unit 3 of hidden layer 2
    h2.3'             the same of another row
    W2[0, 1]          an entry of the second matrix
    dL/dw             a partial derivative    sum_k        a sum over k
    *                 times; entry by entry between arrays, whose names are upper-case
    dense_1.W[0, 1]   an address, written as it is
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from typing import NamedTuple


class Item(NamedTuple):
    """A piece of a formula with what stands below and above it.

    Attributes:
        kind: ``name``, ``word``, ``number``, ``sign``, ``sum``, ``address`` or ``fraction``.
        text: as it was written; of a fraction the numerator.
        below: a formula itself; of a fraction the denominator.
        above: a formula itself.
        primes: after both.
        power: of the whole, where something else stands above: ``h2.3^2``, ``o1'^2``.
    """

    kind: str
    text: str
    below: str = ""
    above: str = ""
    primes: str = ""
    power: str = ""


_ADDRESS = r"[a-z]+(?:_[a-z]+)*_\d+\.[\w.]+(?:\[[^\]]*\])?"
_PART = r"\([^()]*\)|\{[^{}]*\}|-?[\w.]+"
_TOKEN = re.compile(
    rf"\s*(?:(?P<address>{_ADDRESS})"
    r"|(?P<fraction>d[A-Za-z][\w.]*(?:\[[^\]]*\])?'*/d[A-Za-z][\w.]*(?:\[[^\]]*\])?'*)"
    r"|(?P<number>\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?)"
    r"|(?P<name>[^\W\d_]+'?(?:\d+(?:\.\d+)?)?(?:\[[^\]]*\])?)"
    r"|(?P<sign>.))"
    rf"(?:_(?P<below>{_PART}))?(?P<primes>'*)(?:\^(?P<above>{_PART}))?",
    re.DOTALL,
)
_CONNECTING = frozenset(("if", "else", "of", "over", "the", "rows", "features", "with", "probability"))
_GREEK = {
    "delta": "δ",
    "gamma": "γ",
    "beta": "β",
    "epsilon": "ε",
    "alpha": "α",
    "theta": "θ",
    "mu": "μ",
    "sigma": "σ",
    "pi": "π",
}
_LATEX_FUNCTIONS = frozenset(("exp", "log", "tanh", "max", "min", "sin", "cos"))
_LATEX_GREEK = {sign: f"\\{name}" for name, sign in _GREEK.items()}
_SCALARS = frozenset("LEOBIKNP")  # the loss, and the letters of shapes


@lru_cache(maxsize=4096)
def items(formula: str) -> tuple[Item, ...]:
    """The pieces of a formula.

    >>> [item.kind for item in items("dZ = p - t")], items("y_o")[0].below
    (['name', 'sign', 'name', 'sign', 'name'], 'o')
    """
    return tuple(_item(match) for match in _TOKEN.finditer(formula.strip()) if match[0].strip())


def _item(match: re.Match[str]) -> Item:
    kind = str(match.lastgroup)
    for group in ("address", "fraction", "number", "name", "sign"):
        if match[group] is not None:
            kind = group
    text = match[kind]
    below, above = (_bare(match[group]) for group in ("below", "above"))
    if kind == "fraction":
        top, _, bottom = text.partition("/")
        return Item("fraction", top, bottom, above)
    item = _named(text, below) if kind == "name" else Item(kind, text, below)
    item = item._replace(primes=match["primes"])
    return item._replace(power=above) if item.above or item.primes else item._replace(above=above)


def _bare(part: str | None) -> str:
    """Without the brackets that only hold it together."""
    if not part:
        return ""
    return part[1:-1] if part[0] in "({" else part


def _named(text: str, below: str) -> Item:
    """A letter with its index, a Greek letter, a sum, or a word such as ``exp``."""
    base, _, index = text.partition("[")
    letters = base.rstrip("0123456789.")
    digits = base[len(letters) :]
    index = index.rstrip("]")
    if index and digits:  # W2[0, 1]: an entry of the second matrix
        digits = f"{digits}."
    below, above = ", ".join(filter(None, [below, index])), ""
    if letters == "sum":
        return Item("sum", "∑", below)
    if "." in digits:
        layer, _, digits = digits.partition(".")
        above = f"({layer})"
    below = ", ".join(filter(None, [digits, below]))
    letters = _GREEK.get(letters, letters)
    d_of_array = len(letters) == 2 and letters[0] == "d"
    kind = "name" if len(letters.rstrip("'")) == 1 or d_of_array else "word"
    return Item(kind, letters, below, above)


def _has_arrays(formula: str) -> bool:
    """Whether whole arrays are multiplied: upper-case names without an index."""
    return any(
        item.kind == "name" and item.text[-1].isupper() and not item.below and item.text not in _SCALARS
        for item in items(formula)
    )


# ---- LaTeX ----------------------------------------------------------------------------------------------------------


def to_latex(formula: str) -> str:
    r"""The formula in LaTeX's mathematics.

    >>> to_latex("dL/dw = sum_k delta_k * x^2")
    '\\frac{\\partial L}{\\partial w} = \\sum_{k} \\delta_{k} \\cdot x^{2}'
    """
    times = r"\odot" if _has_arrays(formula) else r"\cdot"
    return " ".join(_latex(item, times) for item in items(formula))


def _latex(item: Item, times: str) -> str:
    if item.kind == "fraction":
        top, bottom = (to_latex(part[1:]) for part in (item.text, item.below))
        return rf"\frac{{\partial {top}}}{{\partial {bottom}}}"
    below = f"_{{{to_latex(item.below)}}}" if item.below else ""
    above = " ".join(filter(None, [_latex_above(item.above), r"\prime" * len(item.primes)]))
    written = _latex_base(item, times) + below + (f"^{{{above}}}" if above else "")
    return rf"( {written} )^{{{to_latex(item.power)}}}" if item.power else written


def _latex_above(above: str) -> str:
    return r"\top" if above == "T" else to_latex(above)


def _latex_base(item: Item, times: str) -> str:
    text = item.text
    if item.kind == "name" and text[0] == "d" and len(text) == 2:
        return rf"\mathrm{{d}}{text[1]}"
    if item.kind == "number":
        mantissa, _, exponent = text.partition("e")
        return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else mantissa.replace(",", "{,}")
    if item.kind == "address":
        return rf"\texttt{{{latex_text(text)}}}"
    if item.text in _CONNECTING:
        return rf"\text{{ {text} }}"
    if item.kind == "word":
        return rf"\{text}" if text in _LATEX_FUNCTIONS else rf"\operatorname{{{text}}}"
    signs = {"*": times, "∑": r"\sum", "{": r"\{", "}": r"\}", "%": r"\%", "#": r"\#", "…": r"\dots", "≈": r"\approx"}
    return _LATEX_GREEK.get(text, signs.get(text, text))


_LATEX_SPECIAL = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "…": r"\dots{}",
    "≈": r"$\approx$",
}


def latex_text(text: str) -> str:
    r"""Words as LaTeX takes them.

    >>> latex_text("dense_1.W costs 5 %")
    'dense\\_1.W costs 5 \\%'
    """
    return "".join(_LATEX_SPECIAL.get(character, character) for character in text)


# ---- MathML ---------------------------------------------------------------------------------------------------------


def to_mathml(formula: str, *, block: bool = False) -> str:
    """The formula as a MathML element, which browsers draw without scripts or fonts.

    >>> to_mathml("x^2")
    '<math><msup><mi>x</mi><mn>2</mn></msup></math>'
    """
    display = ' display="block"' if block else ""
    return f"<math{display}>{mathml_row(formula)}</math>"


def mathml_row(formula: str) -> str:
    """The inside of a MathML element."""
    times = "⊙" if _has_arrays(formula) else "·"
    found = items(formula)
    return "".join(_mathml(item, times, before) for before, item in zip((None, *found), found, strict=False))


def _mathml(item: Item, times: str, before: Item | None) -> str:
    if item.kind == "fraction":
        top, bottom = (f"<mrow><mo>∂</mo>{mathml_row(part[1:])}</mrow>" for part in (item.text, item.below))
        return f"<mfrac>{top}{bottom}</mfrac>"
    base = _mathml_base(item, times, before)
    if item.power:
        bracket = '<mo stretchy="false">{}</mo>'.format
        whole = f"<mrow>{bracket('(')}{_mathml(item._replace(power=''), times, None)}{bracket(')')}</mrow>"
        return f"<msup>{whole}{_unwrapped(f'<mrow>{mathml_row(item.power)}</mrow>')}</msup>"
    below, above = (f"<mrow>{mathml_row(part)}</mrow>" if part else "" for part in (item.below, item.above))
    if item.above == "T":
        above = "<mo>⊤</mo>"
    element = {(True, True): "msubsup", (True, False): "msub", (False, True): "msup"}.get((bool(below), bool(above)))
    below, above = (_unwrapped(part) for part in (below, above))
    primes = f'<mo lspace="0" rspace="0">{item.primes}</mo>' if item.primes else ""
    return (f"<{element}>{base}{below}{above}</{element}>" if element else base) + primes


def _unwrapped(row: str) -> str:
    """A row of one element is that element."""
    return row[6:-7] if row.startswith("<mrow>") and row.count("<") == 4 else row


def _mathml_base(item: Item, times: str, before: Item | None) -> str:
    text = escape(item.text, quote=False)
    if item.kind == "name" and text[0] == "d" and len(text) == 2:
        return f'<mrow><mi mathvariant="normal">d</mi><mi>{text[1]}</mi></mrow>'
    if item.kind == "number":
        mantissa, _, exponent = text.partition("e")
        power = f"<mo>×</mo><msup><mn>10</mn><mn>{_minus(int(exponent))}</mn></msup>" if exponent else ""
        return f"<mrow><mn>{mantissa}</mn>{power}</mrow>" if power else f"<mn>{mantissa}</mn>"
    if item.kind == "address":
        return f"<mtext>{text}</mtext>"
    if item.kind in {"sign", "sum"}:
        return _mathml_sign(text, times, before)
    if item.text in _CONNECTING:
        return f"<mtext>&#160;{text}&#160;</mtext>"
    space = '<mspace width="0.15em"/>' if before is not None and before.kind == "word" else ""
    return f"<mrow>{space}<mi>{text}</mi></mrow>" if space else f"<mi>{text}</mi>"


def _mathml_sign(text: str, times: str, before: Item | None) -> str:
    """A sign: brackets as high as the line, a minus close to its number where it is that number's own."""
    if text in "()[]":
        return f'<mo stretchy="false">{text}</mo>'
    own = before is None or (before.kind == "sign" and before.text not in ")]")
    form = ' form="prefix"' if text == "-" and own else ""
    return f"<mo{form}>{ {'*': times, '-': '−'}.get(text, text) }</mo>"


def _minus(exponent: int) -> str:
    return f"−{-exponent}" if exponent < 0 else str(exponent)
