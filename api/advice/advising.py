"""What would change a decision, made once and kept; who knows what; whom to ask: the advice on one application.

It does: work counterfactuals out under the decision's own release, keep them with their expiry, and put the reply
together. It does not: honour them (api.flow does, whenever it decides again). The rules it keeps: a decision's
counterfactuals never change; what is refused or referred for compliance is answered as any other that no evidence would
change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import Connection

from api.advice.contacts import Contacts
from api.advice.honouring import evidence_text, promise_of
from api.advice.record import Recorded, Remembered, recorded, standing_row
from api.advice.reviewing import DAYS
from api.advice.sources import contact_reply, sources_used
from api.advice.words import SUBJECT_TO, evidence_words, how, last_day, promise_words
from api.advice.working import Worker
from api.flow import Shell
from api.security import new_id
from api.store import queries as store
from api.store.queries.advice import (
    CounterfactualRow,
    counterfactuals_of,
    keep_counterfactuals,
    review_request_of,
)
from api.store.queries.referrals import open_review
from api.zone import SYDNEY
from engine.canonical import canonical_bytes, digest
from engine.decision import Decision
from engine.whatif import EVIDENCE, Promise, ShownBy, promises

_SHOWN_BY = {each.kind: each.shown_by for each in EVIDENCE}
_MOST_EMPTY = 5_000  # decisions of which nothing better is known, remembered until the process ends
_MOST_SOURCES = 2_000
ANSWER_DAYS = 30  # of a complaint, from the day it comes
_PERSON = (
    "You can ask for a person to look at this decision again. It costs nothing, and you have an answer within "
    f"{DAYS} business days."
)
_COMPLAINT = f"If you are not content, complain to us first: we answer within {ANSWER_DAYS} days, free of charge."
_PRIVACY = (
    "If it is about your personal information and our answer does not settle it, you can complain to the Office of the "
    "Australian Information Commissioner (oaic.gov.au)."
)
_SCHEME = "If our answer does not settle it, you can go to the dispute scheme that we are a member of, free of charge."


@dataclass(frozen=True, slots=True)
class _Look:
    """What one reading transaction gives."""

    row: store.DecisionRow
    rows: tuple[CounterfactualRow, ...]
    case: store.CaseRow | None
    requested: bool
    answered: bool


class Adviser:
    """The advice of one process."""

    def __init__(self, worker: Worker, contacts: Contacts) -> None:
        self._worker, self._contacts = worker, contacts
        self._empty = Remembered[str, bool](_MOST_EMPTY)
        self._sources = Remembered[str, list[dict[str, object]]](_MOST_SOURCES)

    async def answer(self, shell: Shell, caller_id: str, application_id: str) -> bytes:
        """The reply. Problems `not-found`, `gone`, `overloaded`, `not-configured`."""
        found = await shell.database.read(lambda connection: _look(connection, application_id, caller_id))
        rows, sources = found.rows, self._sources.get(found.row.id)
        known = bool(rows) or self._empty.get(found.row.id) is not None
        if sources is None or not known:
            behind = await recorded(shell, found.row)
            sources = self._sources.keep(found.row.id, sources_used(behind.facts, self._contacts))
            if not known:
                rows = await self._make(shell, behind, found.case)
        return self._reply(found, rows, sources, shell.clock())

    async def _make(self, shell: Shell, found: Recorded, case: store.CaseRow | None) -> tuple[CounterfactualRow, ...]:
        """Work the counterfactuals of a decision out, and keep them; none once its time is over."""
        until = held_until(found)
        ways = _ways(found.decision, case)
        if until <= shell.clock():
            return ()
        made = await self._worker.do(lambda: promises(found.application, found.facts, found.release, until, ways))
        if not made:
            self._empty.keep(found.row.id, True)
            return ()
        rows = _rows(shell, found, made)

        def keep(connection: Connection) -> tuple[CounterfactualRow, ...]:
            if not keep_counterfactuals(connection, rows):
                return counterfactuals_of(connection, found.row.id)
            store.append_audit(connection, _event(found.row, rows), shell.clock())
            return rows

        return await shell.database.write(keep)

    def _reply(
        self, found: _Look, rows: Sequence[CounterfactualRow], sources: list[dict[str, object]], now: datetime
    ) -> bytes:
        row, held = found.row, [each for each in rows if each.held_until >= now]
        complaints = self._contacts.complaints
        return canonical_bytes(
            {
                "application_id": row.application_id,
                "decision_id": row.id,
                "outcome": row.outcome,
                "counterfactuals": [_told(each, promise_of(each)) for each in held],
                "subject_to": list(SUBJECT_TO) if held else [],
                "sources": sources,
                "person": {
                    "words": _PERSON,
                    "business_days": DAYS,
                    "requested": found.requested,
                    "answered": found.answered,
                },
                "complaints": {
                    "words": _COMPLAINT,
                    "desk": contact_reply(complaints.desk),
                    "answer_days": ANSWER_DAYS,
                    "privacy": _PRIVACY,
                    "scheme": {
                        "words": _SCHEME,
                        "contact": contact_reply(complaints.scheme),
                        "member_number": complaints.scheme_number,
                    }
                    if complaints.scheme_member and complaints.scheme
                    else None,
                },
                "synthetic": row.synthetic,
            }
        )


def held_until(found: Recorded) -> datetime:
    """Until when a decision's counterfactuals are held: to the end of the day, in Sydney, on which its offer would end.

    The day is what the applicant is told.
    """
    as_of = found.decision.as_of
    ends = as_of + timedelta(days=found.release.policy.on(as_of.date()).offer.held_days)
    return datetime.combine(last_day(ends), time(23, 59, 59), SYDNEY).astimezone(UTC)


def _look(connection: Connection, application_id: str, caller_id: str) -> _Look:
    row = standing_row(connection, application_id, caller_id)
    request = review_request_of(connection, row.id)
    return _Look(
        row,
        counterfactuals_of(connection, row.id),
        store.case_of_application(connection, application_id),
        request is not None,
        request is not None and open_review(connection, request.id) is None,
    )


def _ways(decision: Decision, case: store.CaseRow | None) -> tuple[ShownBy, ...]:
    """Who may still show something: sources until an offer is accepted, documents where one is there to be accepted."""
    if case is not None:
        return ("documents",) if case.closed_at is None else ()
    return ("registry", "bureau") if decision.offer is None else ("documents", "registry", "bureau")


def _rows(shell: Shell, found: Recorded, made: Sequence[Promise]) -> tuple[CounterfactualRow, ...]:
    return tuple(
        CounterfactualRow(
            id=new_id("cfl"), application_id=found.row.application_id, decision_id=found.row.id, place=place,
            release_name=found.release.name, release_digest=found.release.digest, engine_digest=shell.engine_digest,
            evidence=evidence_text(promise), limit_cents=promise.limit_cents,
            monthly_rate_bps=promise.monthly_rate_bps, held_until=promise.held_until, made_at=shell.clock(),
        )
        for place, promise in enumerate(made, start=1)
    )  # fmt: skip


def _event(row: store.DecisionRow, rows: Sequence[CounterfactualRow]) -> store.AuditEvent:
    """Who was promised what, by digest."""
    told = [[each.id, each.evidence, each.limit_cents, each.monthly_rate_bps, each.held_until.isoformat()]
            for each in rows]  # fmt: skip
    details: dict[str, str | int | bool | None] = {
        "application": row.application_id,
        "counterfactuals": len(rows),
        "counterfactuals_sha256": digest(told),
    }
    return store.AuditEvent("service", "system", "promise", row.id, details)


def _told(row: CounterfactualRow, promise: Promise) -> dict[str, object]:
    code, words = how(promise)
    return {
        "counterfactual_id": row.id,
        "words": promise_words(promise),
        "evidence": [
            {"code": each.kind, "shown_by": _SHOWN_BY[each.kind], "words": evidence_words(each)}
            for each in promise.evidence
        ],
        "limit_cents": row.limit_cents,
        "monthly_rate_bps": row.monthly_rate_bps,
        "monthly_rate_percent": str(Decimal(row.monthly_rate_bps) / 100),
        "held_until": row.held_until.isoformat().replace("+00:00", "Z"),
        "how": {"code": code, "words": words},
    }
