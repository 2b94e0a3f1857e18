"""The diagnosis of a run on the page, and the remedies that it offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainrule.errors import ArgumentError
from chainrule.history import History
from chainrule.insight.diagnosis import diagnose as find
from chainrule.insight.diagnosis.findings import Findings
from chainrule.playground import messages

if TYPE_CHECKING:
    from chainrule.insight.diagnosis.finding import Finding
    from chainrule.insight.diagnosis.trying import Trial
    from chainrule.playground.moment import Moment

_EPOCHS = 60  # of both trainings, when a remedy is tried


@dataclass(frozen=True)
class Diagnosed:
    """What was found, and what the page is told of it."""

    findings: Findings
    told: messages.Diagnosed

    def tried(self, finding: int, remedy: int) -> messages.Tried:
        """Train both ways and compare.

        Raises:
            ArgumentError: when there is no such finding or remedy, or none that a program can try.
        """
        if not 0 <= finding < len(self.findings):
            expected = f"a number from 0 to {len(self.findings) - 1}"
            raise ArgumentError("finding", where="playground", expected=expected, got=finding)
        compared = self.findings[finding].try_it(remedy, epochs=_EPOCHS)
        document = compared.document()
        words = next((part.text for part in messages.parts_of(document) if part.kind == "sentence"), "")
        before, after = _curve("as it was", compared.before), _curve("with it", compared.after)
        return messages.Tried(finding, remedy, document.title, compared.helped, words, before, after)


def diagnose(moment: Moment) -> Diagnosed:
    """What is wrong with the network, its data and the training, with the weights of a moment."""
    experiment = moment.experiment
    training = experiment.training
    records = [each.record for each in moment.finished]
    network = experiment.model(moment.theta).network
    settings = training.settings
    history = History(records, best_epoch=0, stopped="", seconds=0.0, settings=settings) if records else None
    X, t = experiment.rows.training
    found = find(network, X, t, history, optimizer=settings.optimizer, batch_size=settings.batch_size)
    told = tuple(_finding(each) for each in found)
    return Diagnosed(found, messages.Diagnosed(moment.taken, told))


def _finding(finding: Finding) -> messages.FindingTold:
    cures = tuple(messages.Cure(r.words, r.argument, ready=r.change is not None) for r in finding.remedies)
    figures = tuple(map(str, finding.figures))
    return messages.FindingTold(
        finding.rule, finding.severity, finding.where, finding.says, finding.why, figures, cures
    )


def _curve(name: str, trial: Trial) -> messages.Curve:
    epochs = tuple(float(epoch) for epoch in range(1, len(trial.losses) + 1))
    return messages.Curve(name, epochs, {"loss": trial.losses})
