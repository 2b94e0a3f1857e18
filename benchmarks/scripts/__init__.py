"""Whole trainings as people write them with each library, a process each; the last line they print is JSON.

``python -m benchmarks.scripts.NAME_mnist DATA [--epochs N] [--until SHARE] [--seed N] [--threads N]`` where DATA is a
folder of MNIST's files or a pair of CSV files; ``NAME_digits --epochs N`` on scikit-learn's digits.
"""
