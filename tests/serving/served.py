"""A table of every kind of column."""

from __future__ import annotations

CLIENTS = {
    "age": [30, 40, None, 50, 20, 31],
    "city": ["Bern", "Genf", "Bern", "Genf", "Bern", "Genf"],
    "member": [True, False, True, True, False, True],
    "born": ["2001-02-03", "2002-03-04", "1999-01-01", "1998-07-08", "2003-04-05", "2001-02-03"],
    "y": ["a", "b", "a", "b", "a", "b"],
}
