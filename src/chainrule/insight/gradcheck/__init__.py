"""Whether a gradient is the derivative of its function.

`check` is what a person calls; `objectives` and `foreign` make functions of what is given, `probing` looks at their
entries and directions, `kinks` says what switches, and `findings` tells what was found.
"""
