"""Measures of this program against its budgets: `python -m benchmarks [names]`, or `make bench`."""
