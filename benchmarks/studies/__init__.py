"""Studies: a statement of the documents, over many seeds, as a table: ``python -m benchmarks.studies.xor``."""
