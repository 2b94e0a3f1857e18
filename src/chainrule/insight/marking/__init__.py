"""Marking: somebody's own numbers beside the right ones, and the mistake that makes theirs.

`answers` reads what a person gives, `arrangement` how it lies, `precision` how exactly it was written; `variant` is a
step with mistakes made on purpose, `catalogue` the mistakes, `search` finds those that fit, `marking` puts it
together; `sheets` makes exercises.
"""
