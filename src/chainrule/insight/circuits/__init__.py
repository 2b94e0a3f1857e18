"""An arithmetic expression as a circuit.

`expression` reads it into a `graph`, whose operations are `rules`; `circuit` goes backward through it; `telling`,
`drawing` (laid out by `layered`) and `symbolic` show it.
"""
