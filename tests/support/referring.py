"""Applications that a person has to look at, and the people who do: for tests of referrals.

It does: apply with a story that is referred, and act as the console does. It does not: know what is right.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.cases.acts import Actor
from api.cases.desk import Desk
from api.referrals import proposing
from api.referrals.proposing import Proposal
from api.referrals.reading import Referral, read
from api.store.queries.referrals import ActRow, acts_of
from engine.facts import Facts
from tests.support.casework import hire
from tests.support.deskwork import ABEL, BETH, DIRECTOR, Office
from tests.support.service import Service, body_of

# Overdue tax above what policy accepts, without a plan: referred by a rule that approvers may leave aside.
TAX: Final[dict[str, Any]] = {"application": {"finances": {"overdue_tax_cents": 3_500_000, "tax_plan": False}}}
HIT: Final[dict[str, Any]] = {"compliance": {"sanctions_hits": 1}}
CLEO = Actor("stf_cleo", "compliance")
WORDS = "Known to us for years."


@dataclass
class Referring:
    """An office, and one application in it."""

    office: Office

    @classmethod
    def of(cls, service: Service) -> "Referring":
        """The office of a service, with its people hired, and Cleo of compliance."""
        office = Office.of(service)
        with service.database.transaction() as connection:
            hire(connection, CLEO.id)
        return cls(office)

    @property
    def desk(self) -> Desk:
        """The desk of the case service."""
        return self.office.desk

    def referred(self, told: Mapping[str, Any] | None = None) -> Referral:
        """An application that was referred."""
        reply = self.office.service.apply(body_of(TAX if told is None else told, DIRECTOR)).json()
        assert reply["outcome"] == "refer", reply
        return self.now(reply["application_id"])

    def now(self, application_id: str) -> Referral:
        """An application as it stands."""
        return self.office.look(lambda connection: read(connection, application_id))

    def acts(self, application_id: str) -> tuple[ActRow, ...]:
        """What was done about it."""
        return self.office.look(lambda connection: acts_of(connection, application_id))

    def facts(self, decision_id: str) -> Facts:
        """The facts of a decision."""
        return self.office.service.facts_of(decision_id)

    def aside(self, *rules: str, **more: Any) -> Proposal:
        """Leaving rules aside, the tax's unless others are named."""
        return Proposal(
            **{"what": "aside", "reason": "R10", "words": WORDS, "set_aside": rules or ("overdue_tax",), **more}
        )

    def proposed(self, referral: Referral, wanted: Proposal | None = None, by: Actor = ABEL) -> ActRow:
        """What somebody proposed."""
        wanted = wanted or self.aside()
        self.office.do(proposing.propose(self.desk, referral.application_id, referral.row.id, by, wanted))
        found = self.now(referral.application_id).proposal
        assert found is not None
        return found

    def confirm(self, proposal: ActRow, by: Actor = BETH, content: str = "", words: str = WORDS) -> Any:
        """The act that confirms it, to be awaited."""
        content = content or content_of(proposal)
        return proposing.confirm(self.desk, proposal.application_id, proposal.id, content, by, words)

    def requested(self, referral: Referral) -> str:
        """The id of a request for a person, as the applicant makes it."""
        reply = self.office.service.ask("POST", f"/v1/applications/{referral.application_id}/review-requests")
        assert reply.status_code == 201, reply.text
        found: str = reply.json()["review_request_id"]
        return found


def content_of(proposal: ActRow) -> str:
    """The digest of what was proposed."""
    found: str = json.loads(proposal.body)["content_sha256"]
    return found
