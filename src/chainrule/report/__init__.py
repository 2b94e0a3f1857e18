"""The report of a training: one HTML file that needs nothing else.

`subject` gathers what is told, `sections` write it, `charts` draw it, `page` puts it together; `watching` listens to a
training for what its layers do; `comparing` puts models side by side.
"""

from chainrule.report.comparing import compare
from chainrule.report.reporting import report, run_and_report
from chainrule.report.watching import LayerStatistics

__all__ = ["LayerStatistics", "compare", "report", "run_and_report"]
