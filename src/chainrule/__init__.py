"""Neural networks trained by hand-written backpropagation, fast, and able to explain every number."""

__version__ = "0.1.0"
