"""The contract of an approved case, its signatures, and the line that it opens.

It does not render the text, nor say whose signatures are needed.
The rule: a text that was signed is the text that is kept: a signature of any other is refused here.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from api.store.queries.exposure import hold_business
from api.store.tables import contract, line, signature


@dataclass(frozen=True, slots=True)
class NewContract:
    """A text ready to be signed, UTF-8."""

    id: str
    case_id: str
    decision_id: str
    template_sha256: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ContractRow:
    """A contract as kept."""

    id: str
    case_id: str
    decision_id: str
    template_sha256: str
    body: bytes = field(repr=False)
    body_sha256: str
    rendered_at: datetime


@dataclass(frozen=True, slots=True)
class NewSignature:
    """One person's signature, with the digest of the text that was shown."""

    contract_id: str
    person_ref: str
    authority: str
    body_sha256: str
    received_from: str


@dataclass(frozen=True, slots=True)
class SignatureRow:
    """A signature as kept."""

    contract_id: str
    person_ref: str
    authority: str
    body_sha256: str
    signed_at: datetime
    received_from: str


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line to be opened."""

    id: str
    application_id: str
    case_id: str
    decision_id: str
    contract_id: str
    abn: str = field(repr=False)
    limit_cents: int
    monthly_rate_bps: int


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line as kept; no drawdown before customer due diligence is recorded complete."""

    id: str
    application_id: str
    case_id: str
    decision_id: str
    contract_id: str
    abn: str = field(repr=False)
    limit_cents: int
    monthly_rate_bps: int
    opened_at: datetime
    due_diligence_at: datetime | None
    due_diligence_by: str | None


_CONTRACT = insert(contract).returning(*contract.c)
_SIGNATURE = {
    "sqlite": sqlite.insert(signature).on_conflict_do_nothing().returning(*signature.c),
    "postgresql": postgresql.insert(signature).on_conflict_do_nothing().returning(*signature.c),
}
_LINE = {
    "sqlite": sqlite.insert(line).on_conflict_do_nothing(index_elements=["application_id"]).returning(*line.c),
    "postgresql": postgresql.insert(line).on_conflict_do_nothing(index_elements=["application_id"]).returning(*line.c),
}
_OF_CASE = select(contract).where(contract.c.case_id == bindparam("sought"))
_BY_ID = select(contract).where(contract.c.id == bindparam("sought"))
_DIGEST = select(contract.c.body_sha256).where(contract.c.id == bindparam("sought"))
_SIGNATURES = (
    select(signature)
    .where(signature.c.contract_id == bindparam("sought"))
    .order_by(signature.c.signed_at, signature.c.person_ref)
)
_LINE_OF = select(line).where(line.c.application_id == bindparam("sought"))
_LINES = select(line).where(line.c.abn == bindparam("sought")).order_by(line.c.opened_at, line.c.id)
_COMPLETE = (
    update(line)
    .where(line.c.id == bindparam("sought"), line.c.due_diligence_at.is_(None))
    .values(due_diligence_at=bindparam("at"), due_diligence_by=bindparam("by"))
)


def insert_contract(connection: Connection, new: NewContract, at: datetime) -> ContractRow:
    """Keep the text to be signed; raises IntegrityError where the case has one."""
    values = {
        "id": new.id, "case_id": new.case_id, "decision_id": new.decision_id, "template_sha256": new.template_sha256,
        "body": new.body, "body_sha256": hashlib.sha256(new.body).hexdigest(), "rendered_at": at,
    }  # fmt: skip
    return ContractRow(*connection.execute(_CONTRACT, values).one())


def get_contract(connection: Connection, contract_id: str) -> ContractRow | None:
    """One contract by its id."""
    row = connection.execute(_BY_ID, {"sought": contract_id}).first()
    return None if row is None else ContractRow(*row)


def contract_of(connection: Connection, case_id: str) -> ContractRow | None:
    """The contract of a case, if it has one."""
    row = connection.execute(_OF_CASE, {"sought": case_id}).first()
    return None if row is None else ContractRow(*row)


def insert_signature(connection: Connection, new: NewSignature, at: datetime) -> SignatureRow | None:
    """Keep a signature; none where that person has signed. Raises ValueError for one of any other text."""
    kept = connection.execute(_DIGEST, {"sought": new.contract_id}).scalar()
    if kept != new.body_sha256:
        raise ValueError("the text that was signed is not the contract's")
    values = {name: getattr(new, name) for name in NewSignature.__dataclass_fields__}
    row = connection.execute(_SIGNATURE[connection.dialect.name], {**values, "signed_at": at}).first()
    return None if row is None else SignatureRow(*row)


def signatures_of(connection: Connection, contract_id: str) -> tuple[SignatureRow, ...]:
    """The signatures of a contract, in order."""
    return tuple(SignatureRow(*row) for row in connection.execute(_SIGNATURES, {"sought": contract_id}))


def open_line(connection: Connection, new: NewLine, at: datetime) -> LineRow | None:
    """Open a line; from then on it counts as exposure in place of its offer. None where the application has one.

    It holds the business, as whoever decides does, so it comes before `change_case` in a transaction.
    """
    hold_business(connection, new.abn)
    values = {name: getattr(new, name) for name in NewLine.__dataclass_fields__}
    row = connection.execute(_LINE[connection.dialect.name], {**values, "opened_at": at}).first()
    return None if row is None else LineRow(*row)


def line_of(connection: Connection, application_id: str) -> LineRow | None:
    """The line of an application, if it has one."""
    row = connection.execute(_LINE_OF, {"sought": application_id}).first()
    return None if row is None else LineRow(*row)


def lines_of(connection: Connection, abn: str) -> tuple[LineRow, ...]:
    """The lines of a business, oldest first."""
    return tuple(LineRow(*row) for row in connection.execute(_LINES, {"sought": abn}))


def complete_due_diligence(connection: Connection, line_id: str, staff_id: str, at: datetime) -> bool:
    """Record that customer due diligence is complete; False where it was before or there is no such line."""
    return connection.execute(_COMPLETE, {"sought": line_id, "at": at, "by": staff_id}).rowcount == 1
