"""Figures on real credit data that is not part of this project: `python -m benchmarks.credit`."""
