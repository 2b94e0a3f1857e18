"""``chainrule diagnose``: what is wrong with a model, its data or its training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from chainrule.cli.explaining import Format, Json, Out, deliver, form_of
from chainrule.cli.models import open_model
from chainrule.cli.options import GROUPS
from chainrule.errors import ArgumentError, unknown_name

if TYPE_CHECKING:
    from chainrule.insight.diagnosis import Findings
    from chainrule.insight.rendering import Explained

_DATA = GROUPS["Data"]

app = App(
    name="diagnose",
    usage="Usage: chainrule diagnose MODEL DATA [OPTIONS]",
    help_epilogue="Examples:\n  chainrule diagnose flowers.safetensors flowers.csv\n"
    "  chainrule diagnose flowers.safetensors flowers.csv --try-it class_imbalance",
)


@app.default
def diagnose(
    model: Annotated[str, Parameter(group=_DATA, help="A model file that chainrule train wrote.")],
    data: Annotated[
        str,
        Parameter(
            group=_DATA, help="The table, its target included: a file, - for standard input, or a built-in name."
        ),
    ],
    /,
    *,
    curvature: Annotated[
        bool,
        Parameter(
            group=_DATA,
            negative=(),
            show_default=False,
            help="Measure the largest eigenvalue of the Hessian too, and compare the learning rate with it.",
        ),
    ] = False,
    try_it: Annotated[
        str | None,
        Parameter(
            group=_DATA,
            name="--try-it",
            metavar="RULE",
            show_default=False,
            help="Train with the first remedy of this finding and without it, and compare.",
        ),
    ] = None,
    format: Format = None,  # noqa: A002 -- the option's name
    json: Json = False,
    out: Out = None,
) -> None:
    """Print the findings; see `app` for the words that a person reads."""
    form = form_of(format, out, json=json)
    from chainrule.insight.diagnosis import diagnose as diagnosed

    findings = diagnosed(open_model(model, data, command="diagnose"), data, curvature=curvature or None)
    deliver(findings if try_it is None else _tried(findings, try_it), form=form, out=out)


def _tried(findings: Findings, rule: str) -> Explained:
    """Both trainings of the first remedy of a rule.

    Raises:
        ArgumentError: when the rule found nothing.
    """
    if not findings:
        raise ArgumentError("--try-it: no rule found anything, so there is nothing to try", got=rule)
    if rule not in findings.rules:
        raise unknown_name("finding", rule, findings.rules, where="--try-it")
    return findings[rule].try_it()
