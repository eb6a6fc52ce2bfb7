"""Evidence that verifies itself: when it does, who is drawn, what people make of it, and that it is all or nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api.cases import reading, working
from api.cases.reading import reasons_for_people
from api.metrics import QUALITY, STRAIGHT_THROUGH
from api.store import queries as store
from tests.api.cases.test_approving import STRONG
from tests.support.deskwork import ABEL, BETH, QUARTERS, VERA, Office
from tests.support.service import telling

DRAWN, NOT_DRAWN = 0, 9_999
SECOND = timedelta(seconds=1)


def itself(office: Office, case: store.CaseRow, draws: int = NOT_DRAWN) -> store.CaseRow:
    """The case after the machine's attempt, where chance gives this number."""
    desk = replace(office.desk, draw=lambda below: min(draws, below - 1))
    office.do(reading.verify_itself(desk, case))
    return office.case(case.id)


def reasons(office: Office, case_id: str) -> tuple[str, ...]:
    """Why people verify this case."""
    standing, terms = office.standing(case_id), office.desk.policy().verification
    return office.look(lambda connection: reasons_for_people(connection, standing, terms))


def counted(metric: Any, result: str) -> float:
    """A counter's value."""
    return float(metric.labels(result)._value.get())


def test_clean_evidence_verifies_itself(office: Office) -> None:
    """Machines accept, verify and by policy approve; nobody is needed, and the contract is there."""
    before = counted(STRAIGHT_THROUGH, "approved")
    case = itself(office, office.complete())
    assert (case.state, case.verified_by, case.touched_at) == ("approved", "machine", None)
    standing = office.standing(case.id)
    assert [each.event for each in standing.events][-2:] == ["machine_verify", "approve_final"]
    assert {each.state for each in standing.documents} == {"accepted"}
    assert office.look(lambda connection: store.approvals_of(connection, case.id)) == ()
    assert office.service.ask("GET", f"/v1/applications/{case.application_id}/contract").status_code == 200
    facts = office.service.facts_of(case.decision_id)
    assert facts.documents is not None
    assert facts.documents.value is not None
    assert facts.documents.value.by == "machine"
    assert counted(STRAIGHT_THROUGH, "approved") == before + 1


@pytest.mark.parametrize(("draws", "drawn"), [(0, True), (999, True), (1_000, False), (9_999, False)])
def test_one_in_ten_is_drawn(lone_office: Office, draws: int, drawn: bool) -> None:
    """Of ten thousand numbers as likely as each other, the policy's thousand mean that people look."""
    assert lone_office.desk.policy().verification.sample_bps == 1_000
    case = itself(lone_office, lone_office.complete(), draws)
    assert case.sampled == drawn
    assert case.state == ("open" if drawn else "approved")


def test_chance_is_nobodys_to_know(lone_office: Office) -> None:
    """The service draws from the system's own source: whole numbers below the bound, and not always the same."""
    drawn = {lone_office.desk.draw(10_000) for _ in range(200)}
    assert drawn <= set(range(10_000))
    assert len(drawn) > 100


def test_people_uphold_what_machines_found(office: Office) -> None:
    """A drawn case verified with the machine's own values counts as upheld, in the metric and on the board."""
    before = counted(QUALITY, "upheld")
    case = office.settle(office.take(itself(office, office.complete(), DRAWN)))
    office.do(working.verify(office.desk, case.id, case.version, VERA))
    assert counted(QUALITY, "upheld") == before + 1
    quality = office.look(lambda connection: store.quality_of(connection, case.opened_at - SECOND))
    assert (quality.sampled, quality.upheld, quality.overturned) == (1, 1, 0)


def test_people_overturn_what_machines_found(office: Office) -> None:
    """A value that a person recorded otherwise overturns, whether or not the decision moves."""
    before = counted(QUALITY, "overturned")
    case = office.settle(office.take(itself(office, office.complete(), DRAWN)))
    proof = next(each for each in office.standing(case.id).documents if each.kind == "bank_account_proof")
    other = {"account_name": "SOMEBODY ELSE PTY LTD"}
    case = office.do(working.record(office.desk, case.id, case.version, VERA, proof.id, other))
    office.do(working.verify(office.desk, case.id, case.version, VERA))
    assert counted(QUALITY, "overturned") == before + 1
    quality = office.look(lambda connection: store.quality_of(connection, case.opened_at - SECOND))
    assert (quality.sampled, quality.upheld, quality.overturned) == (1, 0, 1)


def test_what_was_not_drawn_is_no_measure_of_machines(lone_office: Office) -> None:
    """A case that people verified anyway moves neither count."""
    before = counted(QUALITY, "upheld"), counted(QUALITY, "overturned")
    lone_office.verified()
    assert (counted(QUALITY, "upheld"), counted(QUALITY, "overturned")) == before


# -- why people look -------------------------------------------------------------------------------------------


def a_picture(office: Office) -> store.CaseRow:
    """A document without text of its own."""
    return office.hand_in(office.accepted(), electronic=False)


def a_doubt(office: Office) -> store.CaseRow:
    """A check that did not pass."""
    return office.hand_in(office.accepted(), verdict="warn")


def unsure(office: Office) -> store.CaseRow:
    """A check below the least confidence."""
    return office.hand_in(office.accepted(), sure_bps=8_999)


def touched(office: Office) -> store.CaseRow:
    """Somebody had it and gave it back."""
    case = office.take(office.complete())
    return office.do(working.release(office.desk, case.id, VERA))


def put_off(office: Office) -> store.CaseRow:
    """Somebody had it and put it off."""
    case = office.take(office.complete())
    until = office.clock.now + working.LONGEST_SNOOZE
    return office.do(working.snooze(office.desk, case.id, case.version, VERA, until, "They call back."))


def called_for_help(office: Office) -> store.CaseRow:
    """Somebody asked for eyes above."""
    return office.do(working.escalate(office.desk, office.complete().id, BETH, "Odd."))


def left_aside(office: Office) -> store.CaseRow:
    """A document was waived while the case waited, and everything else is clean."""
    case = office.accepted()
    case = office.do(working.waive(office.desk, case.id, case.version, VERA, "bank_account_proof", "Known", ""))
    return office.hand_in(case)


def asked_for(office: Office) -> store.CaseRow:
    """A person asked for one document more, and it came."""
    case = office.take(office.complete())
    case = office.do(
        working.request(office.desk, case.id, case.version, VERA, "bank_account_proof", None, "The other one.")
    )
    office.clock.advance(1)
    return office.hand_in(case)


def drawn_before(office: Office) -> store.CaseRow:
    """It was drawn, and then one document more was sent: there is no second draw."""
    case = itself(office, office.complete(), DRAWN)
    office.found(office.send(case, "bank_account_proof").json()["document_id"])
    return office.case(case.id)


def still_looked_at(office: Office) -> store.CaseRow:
    """Another document came meanwhile and was not looked at yet."""
    case = office.complete()
    office.send(case, "bank_account_proof")
    return office.case(case.id)


@pytest.mark.parametrize(
    "history",
    [a_picture, a_doubt, unsure, touched, put_off, called_for_help, left_aside, asked_for, drawn_before,
     still_looked_at],
    ids=lambda each: str(each.__name__),
)  # fmt: skip
def test_anything_else_is_for_people(lone_office: Office, history: Callable[[Office], store.CaseRow]) -> None:
    """There is a reason in words, and the machine leaves case and documents exactly as they are."""
    case = history(lone_office)
    assert case.state == "open"
    documents = lone_office.standing(case.id).documents
    assert reasons(lone_office, case.id)
    assert itself(lone_office, case) == case
    assert lone_office.standing(case.id).documents == documents


def test_the_reasons_are_told_with_the_case(lone_office: Office) -> None:
    """The event with which a case becomes complete says why people look; of a clean one it says nothing."""
    for case, told in ((lone_office.complete(), False), (a_doubt(lone_office), True)):
        [complete] = [each for each in lone_office.standing(case.id).events if each.event == "complete"]
        assert bool(complete.details["people"]) is told


def test_periods_that_do_not_follow_one_another_are_a_reason(sqlite_url: str) -> None:
    """Four quarters in a row are none; with one of them a quarter earlier the case says which kind has the gap."""
    gap = "the periods of activity_statement do not follow one another"

    def quarters(office: Office, case: store.CaseRow, periods: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
        statements = [each for each in office.standing(case.id).documents if each.kind == "activity_statement"]
        for document, (first, last) in zip(statements, periods, strict=True):
            said = {"period_from": first, "period_to": last}
            case = office.do(working.record(office.desk, case.id, case.version, VERA, document.id, said))
        return reasons(office, case.id)

    with telling(sqlite_url, STRONG) as service:
        office = Office.of(service)
        held = office.take(office.complete(STRONG))
        assert gap not in quarters(office, held, QUARTERS)
        assert gap in quarters(office, office.case(held.id), (("2025-04-01", "2025-06-30"), *QUARTERS[1:]))


def test_it_is_all_or_nothing(office: Office) -> None:
    """Where somebody takes the case in the same moment, no document was accepted and no value recorded for them."""
    case = office.complete()
    held = office.take(case, by=ABEL)
    office.do(reading.verify_itself(replace(office.desk, draw=lambda below: below - 1), case))
    assert office.case(case.id) == held
    assert {each.state for each in office.standing(case.id).documents} == {"checked"}
    assert office.look(lambda connection: store.latest_values(connection, case.id)) == ()
