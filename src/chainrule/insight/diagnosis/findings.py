"""What a diagnosis found, in order, for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from chainrule.errors import unknown_name
from chainrule.insight.diagnosis.finding import SEVERITIES, Finding, Severity
from chainrule.insight.rendering import Document, Explained, Heading, Part, Sentence, Table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    Tone = Literal["note", "warning", "alarm"]


class Findings(Explained, Sequence[Finding]):
    """What a diagnosis found: alarms first, then warnings and notes, causes before their consequences.

    ``print`` shows them, a notebook shows them as HTML; they are a sequence of `Finding`.

    Args:
        findings: in the order of the rules.
        subject: what was looked at, in words.
    """

    def __init__(self, findings: Iterable[Finding], *, subject: str = "this network") -> None:
        found = list(findings)
        self._findings = tuple(sorted(found, key=lambda each: (SEVERITIES.index(each.severity), bool(each.cause))))
        self.subject = subject

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """What makes the training fail."""
        return self.of("alarm")

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of a severity."""
        return tuple(each for each in self._findings if each.severity == severity)

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules that found something."""
        return tuple(each.rule for each in self._findings)

    @overload
    def __getitem__(self, key: int | str) -> Finding: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Finding, ...]: ...
    def __getitem__(self, key: int | str | slice) -> Finding | tuple[Finding, ...]:
        """A finding by its place or by the name of its rule.

        Raises:
            ArgumentError: when the rule of that name found nothing.
        """
        if not isinstance(key, str):
            return self._findings[key]
        if key not in self.rules:
            raise unknown_name("finding", key, self.rules, where="findings")
        return next(each for each in self._findings if each.rule == key)

    def __len__(self) -> int:
        return len(self._findings)

    def __contains__(self, rule: object) -> bool:
        return rule in self._findings or rule in self.rules

    def __repr__(self) -> str:
        return f"Findings({self.counted()})"

    def counted(self) -> str:
        """``2 alarms, 1 note``."""
        counts = {severity: len(self.of(severity)) for severity in SEVERITIES}
        said = [f"{n} {severity}{'' if n == 1 else 's'}" for severity, n in counts.items() if n]
        return ", ".join(said) or "nothing found"

    def document(self, *, digits: int = 3) -> Document:
        parts: list[Part] = []
        for place, finding in enumerate(self._findings, 1):
            parts += _told(place, finding, digits)
        if not parts:
            parts.append(Sentence("No rule found anything.", "good"))
        return Document(f"Diagnosis of {self.subject}: {self.counted()}", tuple(parts))

    def data(self) -> dict[str, Any]:
        return {"subject": self.subject, "findings": [as_data(each) for each in self._findings]}


def as_data(finding: Finding) -> dict[str, Any]:
    """A finding as plain types, with the exact numbers; a number that is not finite is None."""
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "where": finding.where,
        "cause": finding.cause,
        "says": finding.says,
        "numbers": [
            {"name": each.name, "value": _finite(each.value), "healthy": each.healthy} for each in finding.figures
        ],
        "why": finding.why,
        "try": [{"words": each.words, "argument": each.argument, "option": each.option} for each in finding.remedies],
        "source": finding.source,
    }


def _finite(value: float) -> float | None:
    return float(value) if abs(value) < float("inf") else None


def _told(place: int, finding: Finding, digits: int) -> list[Part]:
    tone: Tone = finding.severity
    numbers = tuple((each.name, f"{each.value:.{min(digits, 4)}g}", each.healthy) for each in finding.figures)
    tried = tuple(
        (remedy.words, "; ".join(filter(None, (remedy.argument, remedy.option)))) for remedy in finding.remedies
    )
    return [
        Heading(f"{place}. {finding.severity}: {finding.rule}"),
        Sentence(_sentence(finding.says), tone),
        Sentence(finding.why + (f" Perhaps it comes from {finding.cause}." if finding.cause else "")),
        Sentence(f"Source: {finding.source}.", "note"),
        Table(("measured", "", "well is"), numbers, right=(1,)),
        Table(("try", "as argument; as option"), tried),
    ]


def _sentence(text: str) -> str:
    """The words as a sentence; a name at the beginning keeps its letters."""
    first = text.partition(" ")[0]
    return f"{text}." if "_" in first or "." in first else f"{text[:1].upper()}{text[1:]}."
