"""A network as a script that needs NumPy alone: forward, backward and training, written out."""

from functools import partial

from chainrule.export.dialects import NumPy
from chainrule.export.running import draft

make = partial(draft, NumPy())
