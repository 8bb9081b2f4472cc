"""Benchmarks run: the same code as for the figures, at sizes that take seconds."""
