"""What is timed, a module for each environment: `tasks(folder)` gives calls by name, `ROWS` how many rows there are.

Each module imports what its own environment has and nothing of ours, `ours` and `policy` apart.
"""
