"""Speed, memory and score, against peers in the same run: ``python -m benchmarks [NAME ...]``."""
