"""The command line: arguments in, records out; no mathematics.

A file a command; each is imported when it is called, so that ``chainrule --help`` loads none of them.
"""

from __future__ import annotations

from keyword import iskeyword

from cyclopts import App, Parameter

from chainrule._version import __version__
from chainrule.cli.options import converted
from chainrule.cli.running import run_app

_EXAMPLES = """\
Examples:
  chainrule train digits --test 0.25 --plot digits.png
  chainrule train flowers.csv --target species --out flowers.safetensors
  chainrule predict flowers.safetensors new.csv --out answers.csv
  chainrule explain flowers.safetensors flowers.csv --why "dense_1.W[0, 1]"

chainrule COMMAND --help tells more; --debug after any command shows where an
error came from. Exit codes: 0 done, 1 the work failed, 2 the call or the data
was wrong, 130 Ctrl-C."""

_COMMANDS = {  # the first paragraph stands in the list of commands, all in the command's own help
    "train": """Train a network on a table, and write it to a file.

It finds out whether the target asks for classes or for values, encodes every column, trains, and reports how good the \
answers are for rows that it has not seen.""",
    "predict": """Answers for the rows of a table, as CSV or Parquet.

A column `prediction` in the order of the rows and, for classes, the probability of each.""",
    "evaluate": """How good the answers of a model are for rows that are known.

A report, and for classes the confusion matrix.""",
    "explain": """Where a number came from: one step, or the chain rule of one weight.

For some rows of a table: forward, loss, backward and, with an optimizer, the update, every number by its name; as \
text, Markdown, LaTeX, HTML or JSON.""",
    "check": """Whether the gradient of a model is the derivative of its loss.

Backpropagation beside difference quotients, which know nothing but values: every array of weights, the inputs, and \
random directions.""",
    "export": """A model as a file that other programs run: ONNX, JSON, source code.

It is run or read back beside the model, on rows of yours and on random ones, before it is put in place; the largest \
difference is shown.""",
    "mark": """The mistake in somebody's backpropagation.

Their own numbers beside the right ones: which are right, which is the first wrong one, and which of some hundred \
mistakes, or which two of them, makes exactly these numbers.""",
    "exercise": """Sheets to do backpropagation by hand, and their marking.

A small network with numbers and blanks, another for each student; the answers lie apart.""",
    "diagnose": """What is wrong with a model, its data or its training, and what to try.

Each finding says the numbers that it rests on, why it matters, and the option that may mend it; --try-it trains both \
ways and compares.""",
    "report": """All that there is to tell of a model, as one HTML file.

What was trained, how it learned, how good it is and for which rows it is worst, which inputs matter, and the \
diagnosis; train --report writes the same with what the layers did.""",
    "compare": """Models side by side: what was asked of each, and what came of it.

The settings that differ, losses and scores, and with --data how good each is on the same rows; as a page with \
--out both.html, their curves too.""",
    "circuit": """An expression at a point: values forward, gradients backward.

Each node with the rule of its derivative, beside a difference quotient; as text, HTML or a drawing.""",
    "serve": """Answers over HTTP: JSON or CSV in, predictions out.

With a page to try it, an OpenAPI document, and limits that hold whatever a client does.""",
    "play": """The playground: watch a network learn, and ask every number.

A page in the browser, served to this machine alone: your table or a built-in one, the network by hand, every step \
forward and back.""",
    "import": """A network that was trained elsewhere, from an ONNX or Keras file.

Both are run on the same rows and compared, layer by layer.""",
    "example": "Worked examples, each with the conventions of its document.",
    "data": """The built-in tables; or what is in a table.

Of each column: what it holds, how many values are missing, and what a network would see of it.""",
    "doctor": "What is installed here, which engine runs and why, what is missing.",
}


def make_app() -> App:
    """The application with its commands."""
    app = App(
        name="chainrule",
        help="Train feed-forward networks by backpropagation, use them, and ask any number\nwhere it came from.",
        help_epilogue=_EXAMPLES,
        help_format="plaintext",
        default_parameter=Parameter(converter=converted),
        version=f"chainrule {__version__}",
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for place, (name, about) in enumerate(_COMMANDS.items()):
        module = f"{name}_" if iskeyword(name) else name
        app.command(f"chainrule.cli.{module}:app", name=name, help=about, sort_key=place)
    return app


def run(arguments: list[str]) -> int:
    """Run one command; the exit code."""
    return run_app(make_app, arguments)
