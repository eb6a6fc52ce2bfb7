"""Decision receipts: a signed file that an applicant keeps, which says what was decided, on what and by what.

It does: build one from the record, the same bytes every time, lay it out for a page, and check one. It does not: decide
or write. The rule it keeps: a receipt tells what the public reply tells and the digests of the rest, and only a record
that agrees with its audit entry is signed for.
"""
