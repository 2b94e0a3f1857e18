"""What an explanation says, apart from how it is drawn: a small document, and a writer for each form of it.

`document` has the parts; `notation` reads the formulas; `text`, `markdown`, `latex` and `html` each draw a document;
`explained` is the base of whatever explains itself.
"""

from chainrule.insight.rendering.document import Document, Figure, Formula, Heading, Matrix, Part, Sentence, Table
from chainrule.insight.rendering.explained import Explained
from chainrule.insight.rendering.numbers import number, plain, shape_text

__all__ = [
    "Document",
    "Explained",
    "Figure",
    "Formula",
    "Heading",
    "Matrix",
    "Part",
    "Sentence",
    "Table",
    "number",
    "plain",
    "shape_text",
]
