"""The decision itself: pure values in, one decision out; start with decision.py.

Nothing here reads a file, a clock, the network, a database, the environment or chance. All of that comes in
as arguments, so that the same three give the same decision, to the byte. tests/architecture keeps this rule.
"""
