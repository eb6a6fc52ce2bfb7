"""An approved case in the store, with its application, people and decision, ready for its contract.

It does: keep an ordinary business's approval and a case on it, with any people in any roles. It does not: walk a case
through verification. The rule it keeps: every name and address in it is made up, and marked by `CANARIES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import count
from typing import Any

from sqlalchemy import Connection

from api.store.database import Database
from api.store.queries.applications import NewApplication, NewPerson
from api.store.queries.cases import CaseRow, NewCase, NewCaseEvent, change_case, open_case
from api.store.queries.records import Recorded
from engine.application import Application
from engine.canonical import canonical_bytes
from engine.decision import Decision, decide
from tests.support.businesses import AS_OF, application_json, business, story
from tests.support.neighbours import numbers_of
from tests.support.records import a_decision, a_record, recording
from tests.support.releases import fake_release

SOLE_DIRECTOR: Mapping[str, tuple[str, ...]] = {"ann": ("owner", "director", "contact")}
CANARIES = ("Canarygiven", "Canaryfamily", "canary-", "BANKSIA", "0491 570")  # what nobody may log
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Approved:
    """A case and what it stands on; `refs` are its people's references by the names that the test gave them."""

    case: CaseRow
    decision: Decision
    refs: Mapping[str, str]

    @property
    def mails(self) -> Mapping[str, str]:
        """Their addresses, by the same names."""
        return {name: mail_of(ref) for name, ref in self.refs.items()}


def mail_of(ref: str) -> str:
    """The address of a made-up person."""
    return f"canary-{ref.replace('_', '-')}@example.com"


def an_application(people: Mapping[str, tuple[str, ...]], **stated: Any) -> dict[str, Any]:
    """The ordinary business's application as JSON values, with these people in these roles."""
    body = application_json(story({"application": {"business": stated}}))
    body["people"] = [{"ref": ref, "roles": list(roles)} for ref, roles in people.items()]
    owners = sum("owner" in roles for roles in people.values())
    for each in body["people"]:
        each["ownership_bps"] = 10_000 // owners if "owner" in each["roles"] else 0
    return body


def a_person(ref: str, roles: tuple[str, ...], given: str = "Canarygiven") -> NewPerson:
    """A person's row."""
    body = {
        "roles": list(roles), "given_names": given, "family_name": f"Canaryfamily-{ref}", "date_of_birth": "1984-02-29",
        "mobile": "0491 570 006", "email": mail_of(ref),
    }  # fmt: skip
    return NewPerson(ref, ",".join(roles), canonical_bytes(body).decode())


@cache
def an_approval() -> Decision:
    """The ordinary business's decision, whoever's it is said to be: a contract takes its offer alone."""
    return decide(*business(), fake_release())


def approve(
    database: Database,
    people: Mapping[str, tuple[str, ...]] = SOLE_DIRECTOR,
    *,
    state: str = "approved",
    **stated: Any,
) -> Approved:
    """Keep an approved case of its own business, with these people."""
    number = next(_numbers)
    if stated.get("entity_type", "company") == "company":
        stated["abn"], stated["acn"] = numbers_of(number)
    else:
        stated = {"abn": numbers_of(number)[0], "acn": None, **stated}
    refs = {name: f"per_{number}_{name}" for name in people}
    body = an_application({refs[name]: roles for name, roles in people.items()}, **stated)
    application = Application.model_validate_json(canonical_bytes(body))
    decision = an_approval()
    offer = decision.offer
    assert offer is not None
    row = a_decision(
        abn=application.business.abn, body=decision.canonical(), decided_at=AS_OF, as_of=AS_OF,
        limit_cents=offer.limit_cents, monthly_rate_bps=offer.monthly_rate_bps,
        expires_at=offer.expires_at, entity_type=application.business.entity_type, state="VIC",
    )  # fmt: skip
    record = a_record(
        row, people=tuple(a_person(refs[name], roles) for name, roles in people.items()), messages=(),
        application=NewApplication(
            row.application_id, "key_caller", AS_OF, application.business.abn, application.canonical(), "api"
        ),
    )  # fmt: skip

    def keep(connection: Connection) -> CaseRow:
        assert isinstance(recording(record)(connection), Recorded)
        case = open_case(
            connection,
            NewCase(
                id=f"case_{number}", application_id=row.application_id, decision_id=row.id, abn=row.abn,
                legal_name=application.business.legal_name, state="waiting",
                limit_cents=offer.limit_cents,
                expires_at=offer.expires_at,
            ),
            NewCaseEvent("open", "key_caller", "caller", AS_OF),
        )  # fmt: skip
        assert case is not None
        if state == "waiting":
            return case
        closed = change_case(
            connection, case.id, 1, {"state": state, "closed_at": AS_OF + timedelta(hours=1)},
            NewCaseEvent("approve_final", "stf_1", "approver", AS_OF + timedelta(hours=1)),
        )  # fmt: skip
        assert isinstance(closed, CaseRow)
        return closed

    with database.transaction() as connection:
        return Approved(keep(connection), decision, refs)
