"""Screening against the Consolidated List of the Department of Foreign Affairs and Trade, inside this process.

It does: read the published spreadsheet (workbook, reader, births), bring names to one form (names), find the listed
names that come near (matching, screening), and hold the list in force (compliance). It does not: decide what a hit
means; a person in compliance does, and the applicant is told nothing. The rule it keeps: names of applicants leave
neither the process nor the call, and docs/sanctions.md holds what the threshold costs whom.
"""

from api.sources.sanctions.compliance import Compliance
from api.sources.sanctions.reader import Entry, SanctionsList, read_list
from api.sources.sanctions.screening import THRESHOLD, Hit, Screened, Screening, Unscreenable
from api.sources.sanctions.workbook import ListRejected

__all__ = [
    "THRESHOLD", "Compliance", "Entry", "Hit", "ListRejected", "SanctionsList", "Screened", "Screening",
    "Unscreenable", "read_list",
]  # fmt: skip
