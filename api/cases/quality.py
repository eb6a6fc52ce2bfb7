"""What people make of the cases that were drawn for them after machines had found the evidence clean.

It does: say of one case whether people upheld the machine. It does not: count. The rule it keeps: whatever a person
changed (a value, a document sent back, asked for or left aside) overturns, whether or not it moved the decision.
"""

from typing import Literal

from sqlalchemy import Connection

from api.cases.checking import machine_values
from api.cases.wanted import Standing
from api.store import queries as store

Found = Literal["upheld", "overturned"]
_CHANGES = frozenset({"return_document", "request", "waive"})


def found_by_people(connection: Connection, standing: Standing) -> Found | None:
    """Whether the people who verified this case found what the machine had found; None where it was not drawn."""
    if not standing.case.sampled:
        return None
    since = max(each.version for each in standing.events if each.event == "sample")
    if any(each.event in _CHANGES and each.version > since for each in standing.events):
        return "overturned"
    recorded = {
        (each.document_id, each.field): each.value for each in store.latest_values(connection, standing.case.id)
    }
    for document in standing.documents:
        if document.state != "accepted":
            continue
        if any(
            recorded.get((each.document_id, each.field)) != each.value for each in machine_values(connection, document)
        ):
            return "overturned"
    return "upheld"
