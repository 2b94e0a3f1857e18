"""The mistakes that marking knows, in the order of the step."""

from chainrule.insight.marking.catalogue.branches import BRANCHES
from chainrule.insight.marking.catalogue.forward import FORWARD
from chainrule.insight.marking.catalogue.losses import LOSSES
from chainrule.insight.marking.catalogue.norms import NORMS
from chainrule.insight.marking.catalogue.products import PRODUCTS
from chainrule.insight.marking.catalogue.slopes import SLOPES
from chainrule.insight.marking.catalogue.updates import UPDATES

CATALOGUE = (*FORWARD, *LOSSES, *SLOPES, *PRODUCTS, *NORMS, *BRANCHES, *UPDATES)

__all__ = ["CATALOGUE"]
