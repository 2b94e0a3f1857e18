"""JavaScript: an ES module for prediction, for browsers and Node, that needs nothing."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chainrule.export.expressions import JAVASCRIPT
from chainrule.export.function_pieces import JAVASCRIPT_PIECES, needed
from chainrule.export.functions import Functions
from chainrule.export.meaning import meaning
from chainrule.export.numbers import listed, short_texts
from chainrule.export.outputs import compare_outputs
from chainrule.export.processes import SECONDS, finished
from chainrule.export.program import Add, Apply, Fork, Linear, Normalize, Op, layers_of, program
from chainrule.export.subject import Draft, Subject
from chainrule.export.texts import block_comment, javascript_string, less
from chainrule.exported import Unchecked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.exported import Check


def make(subject: Subject, path: Path) -> Draft:
    """The module.

    Raises:
        ExportError: when it computes otherwise than our engine.
    """
    text = _Writer(subject).text()
    return Draft(files={path.name: text.encode()}, check=_check(subject, text))


class _Writer:
    """Writes the module."""

    def __init__(self, subject: Subject) -> None:
        self.subject, self.name, self.network = subject, subject.name, subject.network
        self.meaning = meaning(subject)
        self.program = program(self.network, training=False)
        self.functions = Functions(JAVASCRIPT, self.network.dtype)
        self.array = "Float32Array" if self.network.dtype == "float32" else "Float64Array"

    def text(self) -> str:
        """All of it, in the order in which it is read."""
        public = [self._predict(), *self._encode(), *self._answers()]
        own = [
            f"/** {each.about}. */\nfunction {each.name}({', '.join(each.arguments)}) {{\n  return {each.value};\n}}"
            for each in self.functions.defined
        ]
        pieces = needed(JAVASCRIPT_PIECES, "\n".join(public))
        return (
            "\n\n".join([self._head(), "\n".join(self._constants()), *public, *own, *pieces, *self._weights()]) + "\n"
        )

    def _head(self) -> str:
        n, o = self.program.n_inputs, self.program.n_outputs
        lines = [f"{self.name}: a network of {n} inputs and {o} output{'s' * (o > 1)}, made by chainrule."]
        lines += ["", *(f"  {line}" for line in layers_of(self.program))]
        return _comment(lines)

    def _constants(self) -> Iterator[str]:
        yield f"export const INPUTS = {self.program.n_inputs};"
        yield f"export const OUTPUTS = {self.program.n_outputs};"
        if self.meaning.classes:
            yield f"export const CLASSES = {_names(self.meaning.classes)};"
        if self.meaning.numbers:
            yield f"export const COLUMNS = {_names(tuple(each.name for each in self.meaning.numbers))};"

    def _predict(self) -> str:
        outputs = "the probabilities of the classes" if self.network.loss.for_classes else "the outputs"
        rows = [f"  x[{i}]  {place.name}: {place.rule}" for i, place in enumerate(self.meaning.places)]
        told = _comment([f"From the inputs of one row, an array, to {outputs}.", *rows])
        lines = [
            "if (x.length !== INPUTS) throw new RangeError(`expected ${INPUTS} inputs, got ${x.length}`);",
            f"const X = {self.array}.from(x);",
            *(line for op in self.program.ops for line in self._op(op)),
            f"return {self.program.result};",
        ]
        body = "\n".join(f"  {line}" for line in lines)
        return f"{told}\nexport function predict(x) {{\n{body}\n}}"

    def _op(self, op: Op) -> Iterator[str]:
        n, x, y = op.number, op.source, op.result
        if isinstance(op, Linear):
            yield f"// {op.layer}: {op.I} -> {op.O}"
            yield f"const {y} = linear({x}, W{n}, {f'b{n}' if op.bias else f'new {self.array}({op.O})'});"
        elif isinstance(op, Apply):
            yield f"const {y} = {self._activate(op)};"
        elif isinstance(op, Normalize):
            yield f"// {op.layer}"
            if op.over_rows:
                mean = f"({x}[o] - mean{n}[o]) / Math.sqrt(variance{n}[o] + {op.epsilon!r})"
                yield f"const {y} = {x}.map((_, o) => gamma{n}[o] * ({mean}) + beta{n}[o]);"
            else:
                yield f"const {y} = normalize({x}, {op.epsilon!r}).map((h, o) => gamma{n}[o] * h + beta{n}[o]);"
        elif isinstance(op, Add):
            yield f"// {op.layer}"
            yield f"const {y} = {op.shortcut}.map((each, o) => each + {x}[o]);"
        else:
            assert isinstance(op, Fork)  # noqa: S101 -- there is nothing else in a prediction

    def _activate(self, op: Apply) -> str:
        if op.f.name == "identity":
            return op.source
        if not op.f.elementwise:
            return f"softmax({op.source})"
        name = self.functions.value(op.f)
        return f"{op.source}.map((z) => {name}(z))" if "." in name else f"{op.source}.map({name})"

    def _encode(self) -> Iterator[str]:
        """From the columns of a table to inputs, where all of them are numbers."""
        if not self.meaning.numbers:
            return
        marks = "".join(f" || row[name] === {mark!r}" for mark in self.meaning.marks)
        told = "".join(f" or {mark!r}" for mark in self.meaning.marks)
        lines = []
        for each in self.meaning.numbers:
            name = javascript_string(each.name)
            known = f"known({name}, {each.median!r})"
            plain = not each.center and each.scale == 1
            lines.append(known if plain else f"({less(known, repr(each.center))}) / {each.scale!r}")
            lines += [f"missing({name}) ? 1 : 0"] * each.indicator
        yield "\n".join(
            [
                f"/** The inputs from an object with a number for each of COLUMNS; null{told} is a missing one. */",
                "export function encode(row) {",
                f"  const missing = (name) => Number.isNaN(row[name] ?? NaN){marks};",
                "  const known = (name, median) => (missing(name) ? median : row[name]);",
                "  return [",
                *(f"    {line}," for line in lines),
                "  ];",
                "}",
            ]
        )

    def _answers(self) -> Iterator[str]:
        """What the outputs say."""
        if self.meaning.classes:
            best = "y.indexOf(y.reduce((a, b) => Math.max(a, b)))"
            place = "y[0] >= 0.5 ? 1 : 0" if self.program.n_outputs == 1 else best
            told = "/** The class that the outputs stand for, one of CLASSES. */"
            yield f"{told}\nexport function classOf(y) {{\n  return CLASSES[{place}];\n}}"
        target = self.meaning.target
        if target is not None:
            told = _comment([f"{target.name}, from the outputs."])
            yield f"{told}\nexport function decode(y) {{\n  return y[0] * {target.std!r} + {target.mean!r};\n}}"

    def _weights(self) -> Iterator[str]:
        for each in self.program.parameters:
            numbers = listed(short_texts(each.values), indent="  ")
            told = f"/** {each.full} ({', '.join(map(str, each.values.shape))}) */"
            yield f"{told}\nconst {each.name} = new {self.array}([\n{numbers}\n]);"


def _names(names: tuple[str, ...]) -> str:
    return f"[{', '.join(map(javascript_string, names))}]"


def _comment(lines: list[str]) -> str:
    return block_comment(lines, "/**")


def _check(subject: Subject, text: str) -> Check | Unchecked:
    """Run it in Node on the rows to compare on."""
    node = shutil.which("node")
    if node is None:
        return Unchecked(why="there is no Node here")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "network.mjs").write_text(text, encoding="utf-8")
        (folder / "rows.json").write_text(json.dumps(subject.inputs().tolist()))
        (folder / "check.mjs").write_text(_HARNESS)
        outputs = finished([node, "check.mjs"], folder=folder, fails="Node cannot run the module")
    if outputs is None:
        return Unchecked(why=f"it took longer than {SECONDS} s")
    return compare_outputs(subject, np.array(json.loads(outputs), np.float64), how="running it in Node")


_HARNESS = """
import { readFileSync } from "node:fs";
import { predict } from "./network.mjs";
const rows = JSON.parse(readFileSync("rows.json"));
process.stdout.write(JSON.stringify(rows.map((row) => Array.from(predict(row)))));
"""
