"""The worked example that everybody checks against, step by step: Mazur, "A Step by Step Backpropagation Example".

2-2-2, sigmoid everywhere, E = sum 1/2 (t - o)^2, learning rate 0.5, one row; the biases are never updated. Every figure
is an entry of one trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

import chainrule as cr
from chainrule.initializers import Constant, Given
from chainrule.insight.rendering import Document, Explained, Formula, Heading, Part, Sentence, Table
from chainrule.insight.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

X = np.array([[0.05, 0.10]])
T = np.array([[0.01, 0.99]])
RATE = 0.5
STEPS = 10_000


class Figure(msgspec.Struct, frozen=True):
    """One number: ours in full, and as the article or its readers print it.

    Attributes:
        name: as the article calls it.
        value: in full.
        published: as it is printed, with a remark where there is one to make.
        address: where a trace of the step has it; empty for what a trace does not have.
    """

    name: str
    value: float
    published: str
    address: str = ""


class Chapter(msgspec.Struct, frozen=True):
    """A part of the story: a title, what happens, and the figures."""

    title: str
    words: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class WorkedExample(Explained):
    """Every figure, in the article's order; print it.

    Attributes:
        chapters: of the one step of gradient descent.
        training: the error after it, and error and outputs after 10,000 steps.
        with_bug: these again, with a hidden gradient that takes the output weights as they are after their own update.
        trace: of the step.
    """

    chapters: tuple[Chapter, ...]
    training: tuple[Figure, ...]
    with_bug: tuple[Figure, ...]
    trace: Trace

    @property
    def step(self) -> tuple[Figure, ...]:
        """The figures of the step."""
        return tuple(figure for chapter in self.chapters for figure in chapter.figures)

    def document(self, *, digits: int = 9) -> Document:
        return Document("The worked example, every figure", tuple(self._parts(digits)))

    def _parts(self, digits: int) -> Iterator[Part]:
        yield Sentence(_CONVENTIONS)
        for chapter in self.chapters:
            yield Heading(chapter.title)
            yield Sentence(chapter.words)
            yield _table(chapter.figures)
            if chapter.title in _REASONS:
                yield from self._reason(_REASONS[chapter.title], digits)
        yield Heading("After the step, and after 10,000")
        yield _table(self.training)
        yield Heading("Why the article has .291027924")
        yield Sentence(_WHY_ODD)
        yield _table(self.with_bug)

    def _reason(self, name: str, digits: int) -> Iterator[Part]:
        """The chain rule of one weight, as the trace writes it."""
        yield Sentence(f"The chain rule of {name}, in full:")
        parts = self.trace.why(name).document(digits=digits).parts
        yield from (part for part in parts if isinstance(part, Formula))

    def data(self) -> dict[str, Any]:
        parts = {"step": self.step, "training": self.training, "with_bug": self.with_bug}
        return {name: [msgspec.structs.asdict(figure) for figure in figures] for name, figures in parts.items()}


def _table(figures: tuple[Figure, ...]) -> Table:
    with_address = any(figure.address for figure in figures)
    rows = tuple((f.name, f"{f.value:.9f}", *([f.address] if with_address else []), f.published) for f in figures)
    return Table(("figure", "here", *(["in the trace"] if with_address else []), "published"), rows, right=(1,))


_CONVENTIONS = (
    "2 inputs, 2 hidden units h1 and h2, 2 outputs o1 and o2, sigmoid everywhere; E = sum 1/2 (t - o)^2; learning rate "
    "0.5; inputs .05 and .10, targets .01 and .99; the biases stay as they are. Every figure is an entry of the trace "
    "of one step, cr.trace(net, x, t, cr.SGD(0.5)): weights lead from row to column, so w1 and w2, which lead into h1, "
    "are the first column of dense_1.W."
)
_REASONS = {"3. Backward: the output weights": "dense_2.W[0, 0]", "4. Backward: the hidden weights": "dense_1.W[0, 0]"}
_WHY_ODD = (
    "All figures up to the new weights are right in the article; the error after the step is not. With those weights "
    "it is .291027774. What it prints comes out of a well-known bug: the gradient of w1..w4 is computed with w5..w8 as "
    "they are after their own update. The article's text warns of just that. The gradient of all weights belongs to "
    "one point: it must be complete before the first of them changes. It also gives the figures after 10,000 steps:"
)


def layers(frozen: tuple[str, ...] = ("b",)) -> tuple[cr.Dense, cr.Dense]:
    """The article's two layers: w1, w2 lead into h1, so they are the first column of the first matrix."""
    hidden = cr.Dense(2, "sigmoid", init=Given([[0.15, 0.25], [0.20, 0.30]]), bias_init=Constant(0.35), frozen=frozen)
    output = cr.Dense(2, "sigmoid", init=Given([[0.40, 0.50], [0.45, 0.55]]), bias_init=Constant(0.60), frozen=frozen)
    return hidden, output


def network(frozen: tuple[str, ...] = ("b",)) -> cr.Network:
    """The article's network; its biases stay as they are.

    >>> network().evaluate_loss(X, T).__round__(9)
    0.298371109
    """
    return cr.Network(layers(frozen), "half_squared_error", dtype="float64", n_inputs=2)


def run() -> WorkedExample:
    """Tell the worked example step by step, with the published figure beside each of ours."""
    net = network()
    step = cr.trace(net, X, T, cr.SGD(RATE))
    net.fit(X, T, epochs=STEPS, optimizer=cr.SGD(RATE))
    published = ".291027774, recomputed; the article has .291027924"
    result = WorkedExample(chapters(step), _summary(net, step["loss.new"], published), train_with_bug(), step)
    print(result.to_text(digits=9))
    return result


def chapters(step: Trace) -> tuple[Chapter, ...]:
    """The figures of the step, from its trace."""
    return tuple(
        Chapter(title, words, tuple(_figure(step, *figure) for figure in figures)) for title, words, figures in _STORY
    )


def _figure(step: Trace, name: str, address: str, published: str) -> Figure:
    """The number at an address; where it is a product of two, at both."""
    value = float(np.prod([step[part] for part in address.split(" * ")]))
    return Figure(name, value, published, address)


_STORY: tuple[tuple[str, str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "1. Forward",
        "Each unit sums its inputs times its weights, and its bias; sigmoid makes its output of that.",
        (
            ("net_h1", "dense_1.Z[0, 0]", ".3775"),
            ("out_h1", "dense_1.Y[0, 0]", ".593269992"),
            ("out_h2", "dense_1.Y[0, 1]", ".596884378"),
            ("net_o1", "dense_2.Z[0, 0]", "1.105905967"),
            ("out_o1", "dense_2.Y[0, 0]", ".75136507"),
            ("out_o2", "dense_2.Y[0, 1]", ".772928465"),
        ),
    ),
    (
        "2. The error",
        "Half the squared distance of each output from its target, and their sum.",
        (
            ("E_o1", "loss.terms[0, 0]", ".274811083"),
            ("E_o2", "loss.terms[0, 1]", ".023560026"),
            ("E", "loss", ".298371109"),
        ),
    ),
    (
        "3. Backward: the output weights",
        "w5 leads from h1 to o1: three factors. The first two are delta_o1, which all weights into o1 share.",
        (
            ("dE/dout_o1", "dense_2.dY[0, 0]", ".74136507"),
            ("dout_o1/dnet_o1", "dense_2.slope[0, 0]", ".186815602"),
            ("delta_o1", "dense_2.dZ[0, 0]", ".138498562"),
            ("dE/dw5", "dense_2.dW[0, 0]", ".082167041"),
        ),
    ),
    (
        "4. Backward: the hidden weights",
        "w1 leads from the first input to h1, and from there to both outputs: two ways, by w5 and w7 as they were.",
        (
            ("dE_o1/dout_h1", "dense_2.dZ[0, 0] * dense_2.W[0, 0]", ".055399425"),
            ("dE_o2/dout_h1", "dense_2.dZ[0, 1] * dense_2.W[0, 1]", "-.019049119, rounded"),
            ("dE/dout_h1", "dense_1.dY[0, 0]", ".036350306"),
            ("dout_h1/dnet_h1", "dense_1.slope[0, 0]", ".241300709"),
            ("dE/dw1", "dense_1.dW[0, 0]", ".000438568"),
        ),
    ),
    (
        "5. The biases",
        "They have gradients too, but the article leaves them as they are.",
        (
            ("dE/db2, o1", "dense_2.db[0]", ".13849856, not in the article"),
            ("dE/db2, o2", "dense_2.db[1]", "-.03809824, not in the article"),
            ("dE/db1, h1", "dense_1.db[0]", ".00877135, not in the article"),
            ("dE/db1, h2", "dense_1.db[1]", ".00995425, not in the article"),
        ),
    ),
    (
        "6. The step",
        "Each weight minus 0.5 times its gradient, all at once.",
        (
            ("w1 after the step", "dense_1.W.new[0, 0]", ".149780716"),
            ("w2 after the step", "dense_1.W.new[1, 0]", ".19956143"),
            ("w3 after the step", "dense_1.W.new[0, 1]", ".24975114"),
            ("w4 after the step", "dense_1.W.new[1, 1]", ".29950229"),
            ("w5 after the step", "dense_2.W.new[0, 0]", ".35891648"),
            ("w6 after the step", "dense_2.W.new[1, 0]", ".408666186"),
            ("w7 after the step", "dense_2.W.new[0, 1]", ".51130127"),
            ("w8 after the step", "dense_2.W.new[1, 1]", ".561370121"),
        ),
    ),
)


def train_with_bug() -> tuple[Figure, ...]:
    """The same training, except that the hidden layer's gradient takes w5..w8 as they are after their own update.

    The article prints what comes out of this: its program must have had the bug, though its text warns of it.
    """
    net = network()
    W1, W2 = (net.parameters[f"dense_{k}.W"] for k in (1, 2))
    errors: list[float] = []
    for _ in range(STEPS):
        H = 1 / (1 + np.exp(-(X @ W1 + 0.35)))
        Y = 1 / (1 + np.exp(-(H @ W2 + 0.60)))
        delta_o = (Y - T) * Y * (1 - Y)
        W2 -= RATE * H.T @ delta_o  # too early: the next line should have seen the old W2
        W1 -= RATE * X.T @ (delta_o @ W2.T * H * (1 - H))
        errors = errors or [net.evaluate_loss(X, T)]
    published = [".291027924", ".000035085", ".015912196", ".984065734"]
    return _summary(net, errors[0], *(f"{text}, as the article has it" for text in published))


def _summary(net: cr.Network, after_one: float, *published: str) -> tuple[Figure, ...]:
    o1, o2 = net.forward(X)[0].tolist()
    names = ["E after one step", *(f"{name} after {STEPS:,}" for name in ("E", "out_o1", "out_o2"))]
    values = [after_one, net.evaluate_loss(X, T), o1, o2]
    texts = [*published, "", "", ""][:4]
    return tuple(Figure(*row) for row in zip(names, values, texts, strict=True))


if __name__ == "__main__":
    run()
