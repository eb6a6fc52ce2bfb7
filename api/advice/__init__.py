"""Advice to applicants: other offers to choose from, what would change a no or a little, who knows what, who to ask.

It does: decide again on the record, keep what was shown as attainable and honour it. It does not: let anybody try
out other values of their own. The rules it keeps: nothing here counts as probing, and nothing here is worth probing;
a referral for compliance is answered, in bytes and in work done, as any other that no evidence would change.
"""
