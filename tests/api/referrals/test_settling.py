"""A possible match is compliance's: settled once, for exactly what was found, and unseen by everybody else."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from api.errors import Problem
from api.records import difference_between
from api.referrals import settling
from api.referrals.reading import late_before
from api.store.queries import audit_entry
from api.store.queries.referrals import count_waiting, waiting_referrals
from engine.canonical import digest
from tests.support.referring import CLEO, HIT, TAX, WORDS, Referring
from tests.support.service import telling

EVIDENCE = "Another date of birth, by the passport we saw."


@pytest.fixture
def matched(url: str) -> Iterator[Referring]:
    """Every name here is on a list."""
    with telling(url, HIT) as service:
        yield Referring.of(service)


def test_a_match_that_is_none_is_cleared(matched: Referring) -> None:
    """Decided again on facts that name the settlement and nothing else new; it replays, and the applicant is told."""
    referral = matched.referred(HIT)
    act = settling.clear(matched.desk, referral.application_id, referral.row.id, CLEO, "NOT_THEM", EVIDENCE)
    new_id = matched.office.do(act)
    after = matched.now(referral.application_id)
    assert (after.row.id, after.decision.outcome) == (new_id, "approve")
    [kept] = matched.acts(referral.application_id)
    check = after.facts.compliance.value
    assert check is not None
    assert (check.cleared, check.sanctions_hits) == (kept.id, 1)
    said = digest(referral.facts.compliance.model_dump(mode="json"))
    assert json.loads(kept.body) == {"reason": "NOT_THEM", "words": EVIDENCE, "found_sha256": said}
    assert matched.office.service.ask("GET", f"/v1/decisions/{new_id}/replay").json()["match"] is True
    assert matched.office.service.ask("GET", f"/v1/decisions/{referral.row.id}/replay").json()["match"] is True


def test_nothing_of_it_is_told(matched: Referring) -> None:
    """Neither reply nor difference names it; the chain says the same of it as of a note, and none of the words."""
    referral = matched.referred(HIT)
    before = matched.office.service.ask("GET", f"/v1/applications/{referral.application_id}/decision").text
    act = settling.clear(matched.desk, referral.application_id, referral.row.id, CLEO, "NOT_THEM", EVIDENCE)
    new_id = matched.office.do(act)
    service = matched.office.service
    after = service.ask("GET", f"/v1/applications/{referral.application_id}/decision").text
    changes = matched.office.look(lambda connection: difference_between(connection, referral.row.id, new_id))
    for text in (before, after, " ".join(changes)):
        assert not [word for word in ("sanction", "compliance", "cleared", "match") if word in text.lower()]
    [kept] = matched.acts(referral.application_id)
    entry = matched.office.look(lambda connection: _entry(connection, kept.audit_seq))
    assert '"action":"referral_act"' in entry
    assert not [word for word in ("clear", "NOT_THEM", "passport", "sanction") if word in entry]


def _entry(connection: Any, seq: int) -> str:
    found = audit_entry(connection, seq)
    assert found is not None
    return str(found.body)


def test_what_else_refers_it_still_does(url: str) -> None:
    """Cleared, an application with overdue tax stays referred, and approvers can answer it from then on."""
    told = {**TAX, **HIT}
    with telling(url, told) as service:
        referring = Referring.of(service)
        referral = referring.referred(told)
        act = settling.clear(referring.desk, referral.application_id, referral.row.id, CLEO, "OFF_LIST", EVIDENCE)
        referring.office.do(act)
        after = referring.now(referral.application_id)
        assert [each.rule for each in after.decision.findings] == ["overdue_tax"]
        referring.office.do(referring.confirm(referring.proposed(after)))
        last = referring.now(referral.application_id)
        assert last.decision.outcome == "approve"
        assert last.facts.compliance == after.facts.compliance


def test_a_confirmed_match_waits_for_nobody(matched: Referring) -> None:
    """The decision stays as it is, the list is without it, and it is settled for good."""
    referral = matched.referred(HIT)
    assert len(matched.office.look(waiting_referrals)) == 1
    args = (matched.desk, referral.application_id, referral.row.id, CLEO)
    matched.office.do(settling.match(*args, "LISTED", EVIDENCE))
    assert matched.now(referral.application_id).row.id == referral.row.id
    assert matched.office.look(waiting_referrals) == ()
    assert matched.office.look(count_waiting) == 0
    assert matched.office.refused(settling.clear(*args, "NOT_THEM", EVIDENCE)) == "not-now"
    assert matched.office.refused(settling.match(*args, "LISTED", EVIDENCE)) == "not-now"


def test_of_two_who_settle_at_once_one_does(matched: Referring) -> None:
    """Cleared and confirmed in the same moment: one act is kept, the other is refused."""
    referral = matched.referred(HIT)
    args = (matched.desk, referral.application_id, referral.row.id, CLEO)

    async def attempt(work: Any) -> str:
        try:
            await work
        except Problem as problem:
            return problem.slug
        return "done"

    async def both() -> list[str]:
        one, other = settling.clear(*args, "NOT_THEM", EVIDENCE), settling.match(*args, "LISTED", EVIDENCE)
        return list(await asyncio.gather(attempt(one), attempt(other)))

    found = sorted(asyncio.run(both()))
    assert found[0] == "done"
    assert found[1] in {"stale-version", "not-now"}
    assert len(matched.acts(referral.application_id)) == 1


@pytest.mark.parametrize(
    ("reason", "words", "slug"),
    [
        ("LISTED", EVIDENCE, "validation-failed"),
        ("", EVIDENCE, "validation-failed"),
        ("NOT_THEM", " ", "validation-failed"),
    ],
)
def test_it_is_cleared_with_a_reason_and_evidence(matched: Referring, reason: str, words: str, slug: str) -> None:
    """A reason of the list and evidence in words, or nothing happens."""
    referral = matched.referred(HIT)
    act = settling.clear(matched.desk, referral.application_id, referral.row.id, CLEO, reason, words)
    assert matched.office.refused(act) == slug
    assert matched.acts(referral.application_id) == ()


def test_what_was_not_found_cannot_be_settled(lone: Referring) -> None:
    """A referral for another reason has nothing to settle; another decision than the one seen is refused."""
    referral = lone.referred()
    act = settling.clear(lone.desk, referral.application_id, referral.row.id, CLEO, "NOT_THEM", WORDS)
    assert lone.office.refused(act) == "not-now"
    act = settling.clear(lone.desk, referral.application_id, "dec_" + "0" * 32, CLEO, "NOT_THEM", WORDS)
    assert lone.office.refused(act) == "stale-version"


def test_late_is_what_the_promise_has_passed_for(lone: Referring) -> None:
    """Received on Monday 3 August 2026, it is late once Tuesday's five o'clock in Sydney is over, and not before."""
    lone.referred()
    clock = lone.office.clock

    def late() -> int:
        return lone.office.look(lambda connection: count_waiting(connection, late_before(clock())))

    clock.advance(30 * 3_600)  # Tuesday 4 August, 07:00 UTC, is five in the afternoon
    assert (late(), lone.office.look(count_waiting)) == (0, 1)
    clock.advance(1)
    assert late() == 1
