"""A network as a script in plain Python: forward, backward and training, written out, without any library."""

from functools import partial

from chainrule.export.dialects import PlainPython
from chainrule.export.running import draft

make = partial(draft, PlainPython())
