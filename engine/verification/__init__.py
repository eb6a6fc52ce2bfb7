"""Verification of a case, purely: its states and clock, which documents it needs, who may approve, what comes next.

It does: hold the rules as tables and small functions of plain values. It does not: keep cases, know staff or sessions.
The rule it keeps: whoever asks says what the time is, and the answer depends on nothing else.
"""
