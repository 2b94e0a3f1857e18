"""The report of a training: one HTML file that needs nothing else.

`subject` gathers what is told, `sections` write it, `charts` draw it, `page` puts it together; `watching` listens to a
training for what its layers do; `models` tells of a model that was trained before;
`comparing` puts models side by side.
"""

from chainrule.report.comparing import compare
from chainrule.report.models import report_model
from chainrule.report.reporting import report, run_and_report
from chainrule.report.watching import LayerStatistics

__all__ = ["LayerStatistics", "compare", "report", "report_model", "run_and_report"]
