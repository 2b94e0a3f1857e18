"""What is wrong with a network, its data or its training, and what to try.

`diagnosing` and `live` are the ways in; `rules` has a class for each rule, `finding` says what one finds; `look` and
`evidence` are what rules judge by; `setup`, `remedies` and `trying` train both ways.
"""

from chainrule.insight.diagnosis.diagnosing import diagnose, diagnose_training
from chainrule.insight.diagnosis.finding import Finding, Measured
from chainrule.insight.diagnosis.findings import Findings
from chainrule.insight.diagnosis.live import Diagnosis
from chainrule.insight.diagnosis.remedy import Remedy
from chainrule.insight.diagnosis.rules import RULES
from chainrule.insight.diagnosis.trying import Comparison, Trial

__all__ = [
    "RULES",
    "Comparison",
    "Diagnosis",
    "Finding",
    "Findings",
    "Measured",
    "Remedy",
    "Trial",
    "diagnose",
    "diagnose_training",
]
