"""Is this table fit to learn from? Leakage and quality, found from the data itself, before anything is fitted.

It does: read a table with nothing but target, time and weight named (`reading`), look at every column alone and against
the others (`one_outcome`, `ranking`, `afterwards`, `quality`), and tell findings with their numbers (`findings`). It
does not: know what a column means, or fit what will be used. The rule it keeps: a column that betrays the outcome is
no input unless a person signs for it (`waivers`).
"""

from training.audit.findings import BETRAYS, Finding, Report
from training.audit.kept import card_section, keep
from training.audit.looking import audit
from training.audit.waivers import Refused, Waiver, read_waivers, require_clean

__all__ = [
    "BETRAYS",
    "Finding",
    "Refused",
    "Report",
    "Waiver",
    "audit",
    "card_section",
    "keep",
    "read_waivers",
    "require_clean",
]
