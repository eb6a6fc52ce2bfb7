"""The receipt of a recorded decision: what it says, and the file, made again from the record at any time.

It does: hold the record against its audit entry, choose the fields by name, and sign. It does not: know who may have
it. The rules it keeps: of the decision it tells what the public reply tells; a record that does not agree with its
audit entry is never signed for; the same record gives the same bytes under the same key.
"""

import json

from sqlalchemy import Connection

from api.audit.records import Sworn, disagreements
from api.receipts.signing import Signer
from api.replies import Recorded, public_reply
from api.store import queries as store
from api.store.queries.audit import GENESIS, Chain, audit_entries
from engine.decision import Decision

KIND, VERSION = "creditline decision receipt", 1
# Of the public reply. Its message is left out: those words may be put better one day, and receipts stay as they are.
TOLD = (
    "decision_id", "application_id", "decided_at", "outcome", "requested_cents", "offer", "reasons",
    "external_data_unavailable", "supersedes", "audit_seq", "receipt_hash", "synthetic",
)  # fmt: skip
Content = dict[str, object]


class RecordAltered(Exception):
    """A decision whose record is not what its audit entry swore; the words name row and column, never a value."""


def receipt_of(connection: Connection, decision_id: str, signer: Signer) -> bytes | None:
    """The signed receipt of a decision, None where there is no such decision. Raises RecordAltered."""
    content = content_of(connection, decision_id)
    return None if content is None else signer.sign(content)


def content_of(connection: Connection, decision_id: str) -> Content | None:
    """What the receipt of a decision says, but for the key; None without such a decision. Raises RecordAltered."""
    row = store.get_decision(connection, decision_id)
    if row is None:
        return None
    receipt_hash = _sworn(connection, row)
    application = store.get_application(connection, row.application_id)
    if application is None:
        raise RecordAltered(f"decision {row.id} has lost its application")
    recorded = Recorded(
        row.id, row.application_id, row.decided_at, Decision.model_validate_json(row.body), row.audit_seq,
        receipt_hash, row.supersedes,
    )  # fmt: skip
    reply = json.loads(public_reply(recorded))
    return {
        "kind": KIND,
        "v": VERSION,
        **{name: reply[name] for name in TOLD},
        "abn": row.abn,
        "received_at": application.received_at.isoformat().replace("+00:00", "Z"),
        "application_sha256": application.body_sha256,
        "facts_sha256": row.facts_sha256,
        "release": row.release_name,
        "release_digest": row.release_digest,
        "engine_digest": row.engine_digest,
    }


def _sworn(connection: Connection, row: store.DecisionRow) -> str:
    """The digest of the decision's audit entry, once entry and rows have been held against each other."""
    entries = {entry[0]: entry for entry in audit_entries(connection, row.audit_seq - 2, row.audit_seq)}
    entry, before = entries.get(row.audit_seq), entries.get(row.audit_seq - 1)
    if entry is None or (before is None and row.audit_seq > 1):
        raise RecordAltered(f"the audit entry of decision {row.id}, or the one before it, is missing")
    chain = Chain(row.audit_seq - 1, GENESIS if before is None else before[3].decode("ascii", "replace"))
    told = chain.follow(entry)
    if isinstance(told, str):
        raise RecordAltered(told)
    sworn = Sworn(told, -1 if before is None else before[1])
    for finding in disagreements(connection, {row.audit_seq: sworn}):
        raise RecordAltered(finding.what)
    return chain.sha256
