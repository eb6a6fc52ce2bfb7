"""The contract: its terms, its exact text, who signs it and in which capacity, and the line that opens with it.

It does: fill the lender's own text with terms, keep signatures of exactly that text, open the line once. It does not:
give legal advice, decide, or send anything. The rule it keeps: what is signed is bytes, known by their digest.
"""
