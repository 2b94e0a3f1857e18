"""C: a header and a source in C99, for float32, that allocate nothing and need math.h alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.export.c_predict import Prediction
from chainrule.export.c_running import check_prediction
from chainrule.export.c_train import TrainingStep
from chainrule.export.expressions import C
from chainrule.export.function_pieces import C_PIECES, needed
from chainrule.export.functions import Function, Functions
from chainrule.export.meaning import Meaning, meaning
from chainrule.export.numbers import float32_texts, listed
from chainrule.export.program import Drop, Normalize, layers_of, program
from chainrule.export.subject import Draft, Subject
from chainrule.export.texts import block_comment, c_string, less

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from chainrule.arrays import Floats


def make(subject: Subject, path: Path, *, training_step: bool = False) -> Draft:
    """A source and its header.

    Args:
        subject: the network.
        path: of the source.
        training_step: whether there is a function that trains on one row; the weights are then in RAM.

    Raises:
        ArgumentError: for a layer that cannot be trained on single rows, a number that float32 cannot hold, or a name
            that no #include can.
        ExportError: when the compiled source computes otherwise than our engine.
    """
    if set(path.name) & set('"\\\n\r'):
        raise ArgumentError(
            "the name of the file stands in #include",
            where="export",
            expected="one without quotation marks, backslashes and line breaks",
            got=path.name,
        )
    writer = _Writer(subject, training_step=training_step)
    header = path.with_suffix(".h").name
    files = {
        path.name: writer.source(header).encode(errors="surrogateescape"),
        header: writer.header().encode(),
    }
    notes = ("It computes in float32.",) if subject.network.dtype == "float64" else ()
    return Draft(files=files, check=check_prediction(subject, files), notes=notes)


class _Writer:
    """Writes both files."""

    def __init__(self, subject: Subject, *, training_step: bool) -> None:
        self.name, self.network = subject.name, subject.network
        self.meaning: Meaning = meaning(subject)
        self.program = program(self.network, training=False)
        self.functions = Functions(C, "float32")
        self.prediction = Prediction(self.program, self.functions)
        self.step: TrainingStep | None = None
        if training_step:
            self.step = TrainingStep(program(self.network, training=True), self.functions)

    # ---- the header -------------------------------------------------------------------------------------------------

    def header(self) -> str:
        """What others include."""
        guard = f"{self.name.upper()}_H"
        lines = [
            block_comment([*self._about(), "", *(f"  {line}" for line in layers_of(self.program)), "", *self._sizes()])
        ]
        lines += [f"#ifndef {guard}", f"#define {guard}", "", *self._constants()]
        lines += ["#ifdef __cplusplus", 'extern "C" {', "#endif", "", *self._prototypes()]
        lines += ["#ifdef __cplusplus", "}", "#endif", "", "#endif", ""]
        return "\n".join(lines)

    def _about(self) -> list[str]:
        n, o = self.program.n_inputs, self.program.n_outputs
        return [f"{self.name}: a network of {n} inputs and {o} output{'s' * (o > 1)}, made by chainrule."]

    def _sizes(self) -> list[str]:
        """Bytes of weights and of memory."""
        count = sum(values.size for _, values in self._weights())
        local = 4 * sum(self.prediction.buffers.values())
        where = "constant (flash)" if self.step is None else "variable (RAM), for they are trained"
        lines = [
            f"Weights: {count:,} numbers, {4 * count:,} bytes, {where}.",
            f"Memory: {self.name}_predict has {local:,} bytes of local arrays on the stack. Nothing is allocated.",
        ]
        if self.step is not None:
            own = 4 * sum(self.step.arrays.values())
            lines.append(f"{self.name}_train has {own:,} bytes of local arrays on the stack.")
        return [*lines, "C99, float32; needs math.h alone."]

    def _constants(self) -> Iterator[str]:
        upper = self.name.upper()
        yield f"#define {upper}_INPUTS {self.program.n_inputs}"
        yield f"#define {upper}_OUTPUTS {self.program.n_outputs}"
        if self.meaning.classes:
            yield f"#define {upper}_CLASSES {len(self.meaning.classes)}"
        if self.meaning.numbers:
            yield f"#define {upper}_COLUMNS {len(self.meaning.numbers)}"
        yield ""
        if self.meaning.places:
            rows = [f"  x[{i}]  {place.name}: {place.rule}" for i, place in enumerate(self.meaning.places)]
            yield block_comment(["The inputs:", *rows])

    def _prototypes(self) -> Iterator[str]:
        for told, prototype in self._functions():
            yield block_comment(told)
            yield f"{prototype};"
            yield ""
        if self.meaning.classes:
            yield "/* The names of the classes. */"
            yield f"extern const char *const {self.name}_classes[{self.name.upper()}_CLASSES];"
            yield ""

    def _functions(self) -> Iterator[tuple[list[str], str]]:
        """Every public function: what it does, and how it is called."""
        name, upper = self.name, self.name.upper()
        outputs = "the probabilities of the classes" if self.network.loss.for_classes else "the outputs"
        yield (
            [f"y = network(x): {outputs}. x and y do not overlap."],
            f"void {name}_predict(const float x[{upper}_INPUTS], float y[{upper}_OUTPUTS])",
        )
        if self.meaning.classes:
            yield (
                [f"The place of the class that these outputs stand for, 0 to {len(self.meaning.classes) - 1}."],
                f"int {name}_class(const float y[{upper}_OUTPUTS])",
            )
        if self.meaning.numbers:
            yield (
                [f"The inputs from the columns of a table, in their order; NAN{self._marks()} where one is missing."],
                f"void {name}_encode(const float columns[{upper}_COLUMNS], float x[{upper}_INPUTS])",
            )
        if self.meaning.target is not None:
            yield ([f"{self.meaning.target.name}, from the output."], f"float {name}_decode(float y)")
        if self.step is not None:
            t = "targets t, 1 for its class and 0 for the others" if self.meaning.classes else "targets t"
            told = [f"A step of gradient descent on one row, with its {t}. Gives the loss before the step."]
            arguments = f"const float x[{upper}_INPUTS], const float t[{upper}_OUTPUTS], float rate"
            yield told, f"float {name}_train({arguments})"

    # ---- the source -------------------------------------------------------------------------------------------------

    def source(self, header: str) -> str:
        """What is compiled."""
        bodies = self._bodies()
        written = [f"{prototype}\n{{\n{_block(bodies[i])}\n}}" for i, (_, prototype) in enumerate(self._functions())]
        names = "\n".join(f"static float {each.name}" for each in self.functions.defined)
        own = [self._define(each) for each in self.functions.defined]
        pieces = needed(C_PIECES, "\n".join([*written, names]))
        includes = [f'#include "{header}"', "", "#include <math.h>"]
        if any("uint32_t" in piece for piece in pieces):
            includes.append("#include <stdint.h>")
        parts = ["\n".join([block_comment(self._about()), *includes]), *self._seed(), *self._arrays(), *own, *pieces]
        parts += self._missing()
        return "\n\n".join([*parts, *self._classes(), *written]) + "\n"

    def _bodies(self) -> list[list[str]]:
        """The bodies of the functions, in the order of `_functions`."""
        buffers = [f"float {name}[{size}];" for name, size in sorted(self.prediction.buffers.items())]
        bodies = [[*buffers, *self.prediction.lines]]
        if self.meaning.classes:
            bodies.append(self._class())
        if self.meaning.numbers:
            bodies.append(list(self._encode()))
        if self.meaning.target is not None:
            bodies.append([f"return y * {_text(self.meaning.target.std)} + {_text(self.meaning.target.mean)};"])
        if self.step is not None:
            arrays = [f"float {name}[{size}];" for name, size in self.step.arrays.items()]
            steps = ["static uint32_t step = 0;"] if self.step.program.has(Drop) else []
            ends = ["", *(["step++;"] if steps else []), "return loss;"]
            bodies.append([*steps, *arrays, *self.step.lines, *ends])
        return bodies

    def _class(self) -> list[str]:
        if self.program.n_outputs == 1:
            return ["return y[0] >= 0.5f;"]
        return [
            "int best = 0;",
            f"for (int k = 1; k < {self.program.n_outputs}; k++)",
            "    if (y[k] > y[best]) best = k;",
            "return best;",
        ]

    def _encode(self) -> Iterator[str]:
        at = 0
        for i, each in enumerate(self.meaning.numbers):
            value = f"missing(columns[{i}]) ? {_text(each.median)} : columns[{i}]"
            yield f"x[{at}] = ({less(f'({value})', _text(each.center))}) / {_text(each.scale)};"
            if each.indicator:
                yield f"x[{at + 1}] = missing(columns[{i}]) ? 1.0f : 0.0f;"
            at += len(each.names)

    def _missing(self) -> Iterator[str]:
        """What says whether a value is missing."""
        if self.meaning.numbers:
            told = block_comment([f"whether a value is missing: NAN{self._marks()}"])
            tests = " || ".join(["isnan(value)", *(f"value == {_text(mark)}" for mark in self.meaning.marks)])
            yield f"{told}\nstatic int missing(float value)\n{{\n    return {tests};\n}}"

    def _marks(self) -> str:
        return "".join(f" or {mark:.9g}" for mark in self.meaning.marks)

    def _define(self, function: Function) -> str:
        declared = ", ".join(f"float {argument}" for argument in function.arguments)
        head = f"static float {function.name}({declared})"
        return f"/* {function.about} */\n{head}\n{{\n    return {function.value};\n}}"

    def _seed(self) -> Iterator[str]:
        if self.step is not None and self.step.program.has(Drop):
            seed = self.network.seed
            yield f"#define SEED_LOW {seed & 0xFFFFFFFF}u\n#define SEED_HIGH {seed >> 32 & 0xFFFFFFFF}u"

    def _weights(self) -> Iterator[tuple[str, Floats]]:
        """The arrays of the source; of batch norm what its running averages come to: y = scale x + shift."""
        norms = {op.number: op for op in self.program.ops if isinstance(op, Normalize) and op.over_rows}
        values = {each.name: each.values for each in self.program.parameters}
        for each in self.program.parameters:
            number = each.number
            if number not in norms:
                yield each.name, each.values
            elif each.name.startswith("gamma"):
                variance = values[f"variance{number}"].astype(np.float64)
                scale = values[f"gamma{number}"] / np.sqrt(variance + norms[number].epsilon)
                yield f"scale{number}", scale
                yield f"shift{number}", values[f"beta{number}"] - values[f"mean{number}"] * scale

    def _arrays(self) -> Iterator[str]:
        kind = "static const float" if self.step is None else "static float"
        shapes = {each.name: each for each in self.program.parameters}
        for name, values in self._weights():
            told = f"/* {shapes[name].full} {values.shape} */\n" if name in shapes else ""
            texts = [f"{text}f" for text in float32_texts(values)]
            yield f"{told}{kind} {name}[{values.size}] = {{\n{listed(texts)}\n}};"

    def _classes(self) -> Iterator[str]:
        if self.meaning.classes:
            texts = ", ".join(c_string(label) for label in self.meaning.classes)
            yield f"const char *const {self.name}_classes[{self.name.upper()}_CLASSES] = {{{texts}}};"


def _block(lines: list[str]) -> str:
    return "\n".join(f"    {line}" if line else "" for line in lines)


def _text(number: float) -> str:
    return f"{float32_texts(np.array([number]))[0]}f"
