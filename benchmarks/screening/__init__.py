"""What screening against a sanctions list costs whom: false positives by the origin of a name, and what is found.

Made-up people only. `python -m benchmarks.screening` measures and writes the tables of docs/sanctions.md.
"""
