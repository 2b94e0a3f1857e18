"""A finding and the rule that made it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, TypeAlias

from chainrule.errors import ArgumentError
from chainrule.insight.diagnosis.remedy import Remedy
from chainrule.insight.diagnosis.setup import Setup
from chainrule.insight.diagnosis.trying import Comparison, compare

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainrule.insight.diagnosis.evidence import Evidence

Severity: TypeAlias = Literal["alarm", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("alarm", "warning", "note")
"""An alarm: training fails or will. A warning: it costs quality or time. A note: good to know."""


class Measured(NamedTuple):
    """A number that a finding rests on, and what would be well."""

    name: str
    value: float
    healthy: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.value:.3g}" + (f" ({self.healthy} is well)" if self.healthy else "")


@dataclass(frozen=True)
class Finding:
    """Something that a rule found.

    Attributes:
        rule: its name.
        severity: alarm, warning or note.
        where: the layer, parameter or input; empty where it is the training as a whole.
        says: what was found, in a sentence.
        figures: the numbers that it rests on.
        why: why it matters, in a sentence.
        remedies: what to try, the most promising first.
        source: of the rule and its threshold.
        cause: the rule whose finding may well be the reason of this one; empty where there is none.
    """

    rule: str
    severity: Severity
    where: str
    says: str
    figures: tuple[Measured, ...]
    why: str
    remedies: tuple[Remedy, ...]
    source: str
    setup: Setup = field(repr=False, compare=False)
    cause: str = ""

    def try_it(self, remedy: int = 0, *, epochs: int | None = None) -> Comparison:
        """Train as it was and with a remedy, from the same seed, and compare; `setup` is left as it is.

        Args:
            remedy: which of `remedies`, from 0.
            epochs: of both trainings; unless given, as many as were asked for.

        Raises:
            ArgumentError: when there is no such remedy, or it is none that a program can try.
        """
        where = "try_it"
        if not isinstance(remedy, int) or not 0 <= remedy < len(self.remedies):
            raise ArgumentError(
                "remedy", where=where, expected=f"a number from 0 to {len(self.remedies) - 1}", got=remedy
            )
        chosen = self.remedies[remedy]
        if chosen.change is None:
            other = [str(i) for i, each in enumerate(self.remedies) if each.change is not None]
            mend = f"Try remedy {', '.join(other)}." if other else "It is for you to do."
            raise ArgumentError(f"no program can do this: {chosen.words}", where=where, mend=mend)
        return compare(self.setup, chosen, epochs=epochs)


class Rule:
    """What every rule is: a name, a source, why it matters, and a check.

    Attributes:
        name: by which a finding is known.
        family: what it looks at.
        source: of the rule and its threshold.
        why: why it matters, in a sentence.
    """

    name: ClassVar[str]
    family: ClassVar[str]
    source: ClassVar[str]
    why: ClassVar[str]

    def check(self, evidence: Evidence) -> Finding | None:
        """What it finds, if anything."""
        raise NotImplementedError

    def finding(
        self,
        evidence: Evidence,
        severity: Severity,
        says: str,
        figures: Iterable[Measured],
        remedies: Iterable[Remedy],
        *,
        where: str = "",
    ) -> Finding:
        """A finding of this rule; remedies that would change nothing are left out."""
        probe = evidence.setup.of_few_rows()
        useful = [each for each in remedies if each.change is None or probe.differs_from(each.change(probe))]
        return Finding(
            self.name,
            severity,
            where,
            says,
            tuple(figures),
            self.why,
            tuple(useful),
            self.source,
            evidence.setup,
        )
