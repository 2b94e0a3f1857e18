"""The documents that this library starts from, each as an ordinary use of its settings.

Each module is a script to be read, and has a function ``run``: ``chainrule example NAME`` calls it with the options of
the command line, `main` with a list of them. What it returns is a record, and what it prints is that record.
"""

from __future__ import annotations

EXAMPLES: dict[str, str] = {
    "three-flowers": "chainrule.examples.three_flowers",
    "csv-classifier": "chainrule.examples.csv_classifier",
    "xor": "chainrule.examples.xor",
    "digits": "chainrule.examples.digits",
    "worked-example": "chainrule.examples.worked_example",
}
"""The name of each example, and the module whose ``run`` it is."""
