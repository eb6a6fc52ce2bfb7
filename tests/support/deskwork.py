"""A case walked through its life in tests: accepted over HTTP, documents sent, machines' findings told, people at work.

It does: send real requests and call the case service as the console does; what a machine found in a document is told by
the test instead of a child process. It does not: parse documents (tests/api/documents and tests/api/checks do). The
rule it keeps: everything below the telling is the real thing, on the test's own clock.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from sqlalchemy import Connection

from api.cases import approving, reading, working
from api.cases.acts import Actor
from api.cases.approving import Verdict
from api.cases.checking import Checked
from api.cases.desk import Desk
from api.cases.wanted import Standing, stand
from api.errors import Problem
from api.store import queries as store
from engine.canonical import canonical_bytes
from engine.verification.documents import parse_value
from tests.support.casework import hire
from tests.support.service import PERSON, Clock, Service, body_of

T = TypeVar("T")
VERA, ABEL, BETH = (
    Actor(f"stf_{name}", role) for name, role in (("vera", "verifier"), ("abel", "approver"), ("beth", "approver"))
)
PEOPLE = (VERA, ABEL, BETH)
DIRECTOR = {**PERSON, "roles": ["owner", "director", "contact"]}
PICTURE = b"\x89PNG\r\n\x1a\n made up "
SAID: Mapping[str, Mapping[str, str]] = {  # what the papers of the ordinary business say, as a person types it
    "identity": {"name": "ANN SAMPLE", "expires_on": "2030-01-31", "matches": "yes"},
    "company_extract": {"acn": "955501005", "as_of": "2026-07-30", "registered": "yes", "directors_match": "yes"},
    "trust_deed": {"name": "BANKSIA TRUST", "trustee_matches": "yes", "may_borrow": "yes"},
    "partnership_agreement": {"name": "BANKSIA PARTNERS", "partners_match": "yes"},
    "bank_statement": {
        "account_name": "BANKSIA HOMEWARES PTY LTD", "period_from": "2026-02-01", "period_to": "2026-07-31",
        "closing_cents": "115,000.00", "credits_cents": "480,000.00",
    },
    "activity_statement": {
        "abn": "37955501005", "period_from": "2026-04-01", "period_to": "2026-06-30", "sales_cents": "484,000",
        "gst_on_sales_cents": "44,000",
    },
    "tax_account": {"abn": "37955501005", "as_of": "2026-08-01", "overdue_cents": "0", "plan": "no"},
    "financial_statements": {
        "name": "BANKSIA HOMEWARES PTY LTD", "period_to": "2026-06-30", "turnover_cents": "1,936,000",
        "profit_cents": "120,000",
    },
    "bank_account_proof": {"account_name": "BANKSIA HOMEWARES PTY LTD", "matches": "yes"},
}  # fmt: skip
QUARTERS = (
    ("2025-07-01", "2025-09-30"), ("2025-10-01", "2025-12-31"), ("2026-01-01", "2026-03-31"),
    ("2026-04-01", "2026-06-30"),
)  # fmt: skip


@dataclass
class Office:
    """A service with three members of staff: Vera verifies, Abel and Beth approve; all hold both roles."""

    service: Service
    sent: int = 0
    said: dict[str, Mapping[str, str]] = field(default_factory=dict)  # by document, what a test wants it to say

    @classmethod
    def of(cls, service: Service) -> "Office":
        """The office of a service, with its people hired."""
        with service.database.transaction() as connection:
            hire(connection, *(each.id for each in PEOPLE))
        return cls(service)

    @property
    def desk(self) -> Desk:
        """The desk of the case service."""
        desk: Desk = self.service.state.desk
        return desk

    @property
    def clock(self) -> Clock:
        """The test's clock."""
        assert self.service.clock is not None
        return self.service.clock

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for one act."""
        return asyncio.run(work)

    def refused(self, work: Coroutine[Any, Any, Any]) -> str:
        """The slug of the problem that an act ends in."""
        with suppress(Problem):
            try:
                asyncio.run(work)
            except Problem as problem:
                return problem.slug
        raise AssertionError("it was allowed")

    def look(self, work: Callable[[Connection], T]) -> T:
        """Read from the database."""
        with self.service.database.transaction(read_only=True) as connection:
            return work(connection)

    def case(self, case_id: str) -> store.CaseRow:
        """The case as it is now."""
        found = self.look(lambda connection: store.get_case(connection, case_id))
        assert found is not None
        return found

    def standing(self, case_id: str) -> Standing:
        """The case with everything about it."""
        return self.look(lambda connection: stand(connection, self.case(case_id)))

    # -- the applicant -----------------------------------------------------------------------------------------

    def offered(self, told: Mapping[str, Any] | None = None, *people: Mapping[str, Any]) -> dict[str, Any]:
        """The reply to an application that is approved."""
        reply = self.service.apply(body_of(told, *(people or (DIRECTOR,)))).json()
        assert reply["outcome"] == "approve", reply
        found: dict[str, Any] = reply
        return found

    def accept(self, application_id: str, decision_id: str, **more: Any) -> httpx.Response:
        """Take an offer up."""
        return self.service.ask(
            "POST", f"/v1/applications/{application_id}/acceptance", json={"decision_id": decision_id}, **more
        )

    def accepted(self, told: Mapping[str, Any] | None = None, *people: Mapping[str, Any]) -> store.CaseRow:
        """A case that waits for documents."""
        offered = self.offered(told, *people)
        reply = self.accept(offered["application_id"], offered["decision_id"])
        assert reply.status_code == 201
        return self.case(reply.json()["case_id"])

    def send(
        self, case: store.CaseRow, kind: str, person_ref: str | None = None, content: bytes = b"", **more: Any
    ) -> httpx.Response:
        """Send one document, a new one unless its content is given."""
        self.sent += 1
        content = content or PICTURE + str(self.sent).encode()
        whose = f"&person_ref={person_ref}" if person_ref else ""
        headers = {"Content-Type": "image/png", **more.pop("headers", {})}
        path = f"/v1/applications/{case.application_id}/documents?kind={kind}{whose}"
        return self.service.ask("POST", path, content=content, headers=headers, **more)

    def hand_in(self, case: store.CaseRow, *kinds: str, **told: Any) -> store.CaseRow:
        """Send everything that is still wanted (of these kinds alone, where they are named), found to be in order."""
        for wanted in self.standing(case.id).wanted:
            if not wanted.required or wanted.met or (kinds and wanted.kind not in kinds):
                continue
            for _ in range(wanted.count):
                reply = self.send(case, wanted.kind, wanted.person_ref)
                assert reply.status_code == 201, reply.text
                self.found(reply.json()["document_id"], **told)
        return self.case(case.id)

    # -- the machines ------------------------------------------------------------------------------------------

    def found(
        self, document_id: str, verdict: str = "pass", *, electronic: bool = True, sure_bps: int = 9_900
    ) -> store.CaseRow:
        """Tell what machines found in a document: one check, and every field that the kind has."""

        def work(connection: Connection) -> store.CaseRow:
            document = store.get_document(connection, document_id)
            assert document is not None
            for state in ("quarantined", "clean"):
                change: store.DocumentChange = {"state": state}
                if state == "clean":
                    change |= {
                        "media_type": "image/png",
                        "pages": 1,
                        "perceptual": f"{int(document.sha256[:15], 16):016x}",
                    }
                document = store.change_document(connection, document_id, document.state, change)
                assert document is not None
            said = self.says(document)
            found = [
                {"field": name, "value": _plain(document.kind, name, value), "page": 1, "box": [50, 50, 400, 90]}
                for name, value in said.items()
            ]
            read = canonical_bytes({"says": "Read.", "found": found}).decode()
            rows = (
                store.NewCheck("fields", verdict, sure_bps, read),
                store.NewCheck(
                    "reading", "pass", 10_000,
                    canonical_bytes({"electronic": electronic, "scanned": "not scanned", "redactions": []}).decode(),
                ),
            )  # fmt: skip
            return reading.keep(self.desk, connection, document, Checked(rows, electronic, "not scanned"))

        with self.service.database.transaction() as connection:
            return work(connection)

    def says(self, document: store.DocumentRow) -> Mapping[str, str]:
        """What a document says: the quarters of activity statements follow one another."""
        if document.id in self.said:
            return self.said[document.id]
        said = dict(SAID[document.kind])
        if document.kind == "activity_statement":
            place = [each.id for each in self.standing(document.case_id).documents if each.kind == document.kind].index(
                document.id
            )
            said["period_from"], said["period_to"] = QUARTERS[place % len(QUARTERS)]
        return said

    # -- the people --------------------------------------------------------------------------------------------

    def complete(self, told: Mapping[str, Any] | None = None, *people: Mapping[str, Any]) -> store.CaseRow:
        """A case that people can take, with everything handed in."""
        case = self.hand_in(self.accepted(told, *people))
        assert case.state == "open", case.state
        return case

    def take(self, case: store.CaseRow, stage: store.StageName = "verify", by: Actor = VERA) -> store.CaseRow:
        """The case, held by somebody."""
        return self.do(working.claim(self.desk, case.id, stage, by))

    def settle(self, case: store.CaseRow, by: Actor = VERA) -> store.CaseRow:
        """Record what every document says and accept it, on a case that is held."""
        for document in self.standing(case.id).documents:
            if document.state != "checked":
                continue
            case = self.do(working.record(self.desk, case.id, case.version, by, document.id, self.says(document)))
            case = self.do(working.accept_document(self.desk, case.id, case.version, by, document.id))
        return case

    def verified(self, told: Mapping[str, Any] | None = None, by: Actor = VERA) -> store.CaseRow:
        """A case that somebody verified."""
        case = self.settle(self.take(self.complete(told), by=by), by=by)
        return self.do(working.verify(self.desk, case.id, case.version, by))

    def verdict(self, case: store.CaseRow, **changes: Any) -> Verdict:
        """A verdict on exactly what the case stands on."""
        return Verdict(**{"version": case.version, "content_sha256": case.content_sha256 or "", **changes})

    def approved(self, case: store.CaseRow, *by: Actor) -> store.CaseRow:
        """The case after these people approved it, one after the other."""
        for each in by or (ABEL,):
            case = self.take(self.case(case.id), "approve", each)
            case = self.do(approving.approve(self.desk, case.id, each, self.verdict(case)))
        return case


def _plain(kind: str, name: str, text: str) -> str:
    """As a check tells a value: money in whole cents."""
    value = parse_value(kind, name, text)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text
