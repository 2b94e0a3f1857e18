"""The forms of a document: what they say, that nothing of it is lost, and that each is well-formed."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import chainrule as cr
from chainrule import ArgumentError
from chainrule.insight.rendering import Document, Explained, Figure, Formula, Heading, Matrix, Sentence, Table, number
from chainrule.insight.rendering.notation import to_latex, to_mathml
from chainrule.insight.rendering.numbers import aligned, cells, plain
from chainrule.insight.rendering.text import lines

VALUES = np.arange(600.0).reshape(20, 30) / 7


class Example(Explained):
    def document(self, *, digits=6):
        return Document(
            "A title & more",
            (
                Sentence("Some words < others, " * 12),
                Heading("dense_1"),
                Matrix("dense_1.Z", VALUES, "X W + b", "a note"),
                Matrix("loss", np.float64(0.298371109), "1/2 sum_o (y_o - t_o)^2"),
                Matrix("dense_1.db", np.array([1e-9, -2.5])),
                Formula(("dL/dw = (o1 - t1) * o1 (1 - o1) * h1", f"= {number(0.1234567891, digits)}")),
                Table(
                    ("symbol", "value", "where"), (("o1", "0.75", "dense_2.Y[0, 0] " * 8),), right=(1,), formulas=(0,)
                ),
                Figure("<svg xmlns='http://www.w3.org/2000/svg'></svg>", "a drawing"),
                Sentence("careful", tone="warning"),
            ),
        )

    def data(self):
        return {"Z": plain(VALUES), "odd": plain(np.array([np.nan, 1.0]))}


def test_text_keeps_to_the_width_and_abridges():
    text = str(Example())
    assert max(map(len, text.splitlines())) <= 80
    assert "dense_1.Z (20, 30) = X W + b   a note" in text
    assert "…" in text
    assert text.startswith("A title & more\n\nSome words")


def test_equals_signs_stand_below_each_other():
    text = str(Example()).splitlines()
    (place,) = [i for i, line in enumerate(text) if line.lstrip().startswith("dL/dw")]
    assert text[place].index(" = ") == text[place + 1].index("= ") - 1


def test_no_line_ends_within_an_address():
    words = Document("t", (Sentence("look at dense_1.W[0, 1] " * 9),))
    for line in lines(words, width=40):
        assert line.text.count("[") == line.text.count("]")
        assert "\xa0" not in line.text


def test_whole_leaves_nothing_out():
    text = Example().to_text(whole=True)
    assert "…" not in text
    rows = [line.split() for line in text.splitlines() if line.startswith("    ") and "e-" not in line]
    assert np.allclose(np.array(rows[:20], dtype=float), VALUES, atol=1e-3)


def test_digits_reach_matrices_and_formulas():
    text = Example().to_text(digits=9)
    assert "0.298371109" in text
    assert "0.123456789" in text


def test_a_terminal_may_colour_lines():
    styles = {line.style for line in lines(Example().document())}
    assert {"bold", "bold cyan", "yellow", "cyan", ""} <= styles


def test_html_is_one_piece_and_well_formed():
    page = Example().to_html()
    assert "<script" not in page
    assert "src=" not in page
    assert "http" not in page.replace("http://www.w3.org", "")
    body = page.partition("<body>")[2].partition("</body>")[0]
    root = ET.fromstring(body.strip())  # noqa: S314 -- our own
    assert root.find(".//math") is not None
    assert len(root.findall(".//table[@class='matrix']")) == 2
    assert "A title & more" in "".join(root.itertext())


def test_a_page_is_written_to_a_file(tmp_path):
    page = Example().to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page
    assert Example()._repr_html_() in page


def test_markdown_has_tables_and_formulas():
    text = Example().to_markdown()
    assert "| $o_{1}$ | 0.75 |" in text
    assert "$$\n\\begin{aligned}\n\\frac{\\partial L}{\\partial w} &=" in text
    assert "## dense\\_1" in text


def test_latex_environments_are_closed_and_text_is_escaped():
    text = Example().to_latex()
    for environment in ("bmatrix", "tabular", "aligned", "verbatim"):
        assert text.count(f"\\begin{{{environment}}}") == text.count(f"\\end{{{environment}}}") > 0
    assert "A title \\& more" in text
    assert text.count("{") - text.count("\\{") == text.count("}") - text.count("\\}")


def test_json_is_exact():
    given = json.loads(Example().to_json())
    assert np.array_equal(given["Z"], VALUES)
    assert given["odd"] == ["nan", 1.0]


def test_an_unknown_format_is_refused():
    with pytest.raises(ArgumentError, match="Did you mean 'markdown'"):
        Example().rendered("markdwn")


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html", "json"])
def test_every_format_by_its_name(form):
    assert Example().rendered(form).endswith("\n")


@pytest.mark.parametrize(
    ("formula", "latex"),
    [
        ("dZ = dY * f'(Z)", r"\mathrm{d}Z = \mathrm{d}Y \odot f' ( Z )"),
        ("dW = X^T dZ", r"\mathrm{d}W = X^{\top} \mathrm{d}Z"),
        ("2/O (y_o - t_o)", r"2 / O ( y_{o} - t_{o} )"),
        ("a * W[0, 1]", r"a \cdot W_{0 , 1}"),
        ("h2.3 * 1e-05", r"h_{3}^{( 2 )} \cdot 1 \times 10^{-5}"),
        ("log sum_j exp(z_j)", r"\log \sum_{j} \exp ( z_{j} )"),
        ("dense_1.W[0, 1] = 2", r"\texttt{dense\_1.W[0, 1]} = 2"),
        ("dL/dW[0, 1]", r"\frac{\partial L}{\partial W_{0 , 1}}"),
    ],
)
def test_plain_notation_as_latex(formula, latex):
    assert to_latex(formula) == latex


@pytest.mark.parametrize("formula", ["dL/dw = a < b", "x_1^2 & y", "(((", "", "^", "_", "W[0", "sum_", "δ_h1 ≈ 1e-300"])
def test_any_text_gives_well_formed_mathml(formula):
    ET.fromstring(to_mathml(formula))  # noqa: S314 -- our own


@pytest.mark.parametrize("values", [np.zeros((0, 3)), np.zeros(3), np.array(np.nan), np.array([1e300, 1e-300, np.inf])])
def test_any_numbers_can_be_shown(values):
    rows = cells(values, digits=6, rows=4, columns=4)
    assert len(rows) == (len(values) if values.ndim == 2 else 1)


def test_decimals_are_common_where_sizes_allow_it():
    assert aligned(np.array([0.0123456789, -1.5])).tolist() == ["0.01235", "-1.50000"]
    assert aligned(np.array([1e-9, 1.5])).tolist() == ["1e-09", "1.5"]
    assert aligned(np.array([1.0, 0.0, 20.0])).tolist() == ["1", "0", "20"]


# ---- within 80 columns ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("digits", [6, 9])
@pytest.mark.parametrize("f", ["identity", "silu", "gelu", "selu"])
def test_no_line_is_wider_than_a_terminal(f, digits):
    inside = [cr.Dense(12, f), cr.LayerNorm()]
    layers = [cr.Dense(12, f), cr.BatchNorm(), cr.Residual(inside), cr.Dropout(0.3), cr.Dense(3, "softmax")]
    net = cr.Network(layers, n_inputs=13, l2=0.01)
    step = cr.trace(net, np.random.default_rng(0).normal(size=(4, 13)), [0, 1, 2, 1], cr.Adam(0.1))
    questions = (step, step.why("dense_1.W[12, 11]", paths=4), step.why("dense_1.W"), step.what_if("X[0, 12]", 0.7))
    for told in questions:
        assert max(map(len, told.to_text(digits=digits).splitlines())) <= 80


def test_a_square_is_kept_beside_the_number_of_a_layer():
    """Both stand above the line; TeX refuses two superscripts, as it refuses x ' ' and x^{2} '."""
    assert to_latex("1 - h2.3^2") == "1 - ( h_{3}^{( 2 )} )^{2}"
    assert to_latex("h2.3''^2") == r"( h_{3}^{( 2 ) \prime\prime} )^{2}"
    assert to_latex("do1'/dz_h2.3''") == r"\frac{\partial o_{1}^{\prime}}{\partial z_{h_{3}^{( 2 )}}^{\prime\prime}}"
    assert "".join(ET.fromstring(to_mathml("h2.3''^2")).itertext()) == "(h3(2)'')2"  # noqa: S314 -- our own


def test_no_formula_of_an_explanation_has_two_superscripts():
    net = cr.Network([cr.Dense(3, "tanh"), cr.BatchNorm(), cr.Dense(3, "silu"), cr.Dense(2, "softmax")], n_inputs=2)
    step = cr.trace(net, [[1.0, 0.0], [0.5, 1.0], [0.2, 0.3]], [0, 1, 1], training=True)
    written = step.why("dense_1.W[0, 1]", paths=9).to_latex()
    assert r"\prime" in written
    assert "'" not in written.replace("silu'", "")
    assert not re.search(r"\^\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}\s*[\^']", written)
