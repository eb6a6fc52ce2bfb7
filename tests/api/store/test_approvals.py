"""Approvals, contracts, signatures and lines: each once, by another person, on exactly what was seen."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from api.store import queries
from api.store.database import Database
from api.store.queries import CaseRow, Exposure, NewLine, NewSignature
from tests.support.casework import (
    ANN,
    BEN,
    CAT,
    CONTENT,
    a_contract,
    a_waiting_case,
    an_approval,
    an_open_case,
    at_once,
    changed,
    hire,
    verified,
)
from tests.support.records import ABN, NOON, a_decision, a_record, a_refusal, digest_of

DAY = timedelta(days=1)
LATER = NOON + 100 * DAY


def _line(case: CaseRow, limit_cents: int = 6_000_000) -> NewLine:
    return NewLine(
        f"line_{case.id}", case.application_id, case.id, case.decision_id, f"con_{case.id}", case.abn, limit_cents, 145
    )


# -- approvals -----------------------------------------------------------------------------------------------


def test_one_person_gives_one_verdict_on_one_content(database: Database) -> None:
    """A second verdict on the same content is not kept; on another content it is."""
    with database.transaction() as connection:
        hire(connection)
        case = verified(connection, an_open_case(connection))
        first = queries.insert_approval(connection, an_approval(case), NOON)
        assert first is not None
        again = an_approval(case, id="apr_again", verdict="decline", limit_cents=None, reason="other")
        assert queries.insert_approval(connection, again, NOON) is None
        second = queries.insert_approval(connection, an_approval(case, CAT), NOON + DAY)
        other = an_approval(case, id="apr_other", content_sha256=digest_of("other"))
        third = queries.insert_approval(connection, other, NOON + 2 * DAY)
        assert queries.approvals_of(connection, case.id) == (first, second, third)
        assert queries.approvals_of(connection, case.id, CONTENT) == (first, second)
        assert queries.approvals_by(connection, BEN) == (third, first)
        assert queries.approvals_by(connection, BEN, limit=1) == (third,)


IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"staff_id": ANN}, "maker_checker"),
    ({"limit_cents": None}, "approve_has_limit"),
    ({"verdict": "decline"}, "approve_has_limit"),
    ({"verdict": "decline", "limit_cents": None}, "decline_has_reason"),
    ({"overrides": True}, "override_has_reason"),
    ({"limit_cents": 6_000_001}, "limit_step"),
    ({"limit_cents": 30_050_000}, "limit_range"),
]


def test_a_verdict_that_cannot_be_is_refused(database: Database) -> None:
    """Nobody approves what they verified; verdict, limit and reason go together."""
    with database.transaction() as connection:
        hire(connection)
        case = verified(connection, an_open_case(connection))
    for changes, constraint in IMPOSSIBLE:
        with pytest.raises(IntegrityError, match=f"ck_approval_{constraint}"), database.transaction() as connection:
            queries.insert_approval(connection, an_approval(case, **changes), NOON)


# -- contracts and signatures --------------------------------------------------------------------------------


def test_a_case_has_one_contract_kept_to_the_byte(database: Database) -> None:
    """It is found by case and by id, with the digest of its text."""
    with database.transaction() as connection:
        case = an_open_case(connection)
        assert queries.contract_of(connection, case.id) is None
        contract = queries.insert_contract(connection, a_contract(case), NOON)
        assert (contract.body, contract.body_sha256) == (b"The text.", digest_of("The text."))
        assert queries.contract_of(connection, case.id) == queries.get_contract(connection, contract.id) == contract
        assert queries.get_contract(connection, "con_none") is None
    with pytest.raises(IntegrityError), database.transaction() as connection:
        queries.insert_contract(connection, a_contract(case), NOON)


def test_a_signature_is_of_the_text_that_is_kept(database: Database) -> None:
    """One of any other text is refused, and nobody signs twice."""
    with database.transaction() as connection:
        case = an_open_case(connection, a_decision(id="dec_one"))
        contract = queries.insert_contract(connection, a_contract(case), NOON)
        new = NewSignature(contract.id, "per_dec_one", "director", contract.body_sha256, "key_caller")
        signature = queries.insert_signature(connection, new, NOON)
        assert signature is not None
        assert queries.insert_signature(connection, new, NOON + DAY) is None
        assert queries.signatures_of(connection, contract.id) == (signature,)
        other = NewSignature(contract.id, "per_dec_one", "director", digest_of("other"), "key_caller")
        with pytest.raises(ValueError, match="not the contract's"):
            queries.insert_signature(connection, other, NOON)


# -- lines and exposure --------------------------------------------------------------------------------------


def test_an_application_has_one_line(database: Database) -> None:
    """A second line on the same application is not opened; the first is found by application and business."""
    with database.transaction() as connection:
        case = an_open_case(connection)
        assert queries.line_of(connection, case.application_id) is None
        queries.insert_contract(connection, a_contract(case), NOON)
        opened = queries.open_line(connection, _line(case), NOON)
        assert opened is not None
        assert queries.open_line(connection, replace(_line(case), id="line_2"), NOON) is None
        assert queries.line_of(connection, case.application_id) == opened
        assert queries.lines_of(connection, ABN) == (opened,)
        assert (opened.limit_cents, opened.due_diligence_at) == (6_000_000, None)


def test_a_line_counts_in_place_of_its_offer_and_for_good(database: Database) -> None:
    """Opening swaps the offer for the line in every count; when the offer expires nothing changes."""
    with database.transaction() as connection:
        case = an_open_case(connection, a_decision(state="VIC"))
        queries.record_decision(connection, a_record(a_decision(limit_cents=1_000_000, state="NSW")))
        assert queries.exposure_of(connection, ABN, NOON) == Exposure(2, 7_000_000)
        changed(connection, case, state="approved", closed_at=NOON)
        queries.insert_contract(connection, a_contract(case), NOON)
        queries.open_line(connection, _line(case, 4_000_000), NOON)
        assert queries.exposure_of(connection, ABN, NOON) == Exposure(2, 5_000_000)
        assert queries.exposure_of(connection, ABN, LATER) == Exposure(1, 4_000_000)
        assert queries.open_book(connection, NOON) == 5_000_000
        assert queries.open_book(connection, NOON, "state:VIC") == 4_000_000
        assert queries.open_book(connection, LATER, "state:NSW") == 0
        assert queries.open_book(connection, LATER, but_not=case.application_id) == 0


def test_an_offer_whose_case_is_worked_on_does_not_expire(database: Database) -> None:
    """While the case is in hand the offer is held; approved, it has its date again; rejected, it is gone at once."""
    with database.transaction() as connection:
        case = a_waiting_case(connection)
        assert queries.exposure_of(connection, ABN, LATER) == Exposure(1, 6_000_000)
        approved = changed(connection, case, state="approved", closed_at=NOON)
        assert queries.exposure_of(connection, ABN, NOON) == Exposure(1, 6_000_000)
        assert queries.exposure_of(connection, ABN, LATER) == Exposure(0, 0)
        changed(connection, approved, state="rejected")
        assert queries.exposure_of(connection, ABN, NOON) == Exposure(0, 0)


def test_a_new_decision_on_verified_facts_counts_once(database: Database) -> None:
    """The decision that superseded the accepted one counts in its place, as offer and as line; a decline not at all."""
    with database.transaction() as connection:
        case = an_open_case(connection)
        lower = a_decision(application_id=case.application_id, supersedes=case.decision_id, limit_cents=5_000_000)
        queries.record_decision(connection, a_record(lower, application=None))
        case = changed(connection, case, decision_id=lower.id, limit_cents=5_000_000)
        assert queries.exposure_of(connection, ABN, LATER) == Exposure(1, 5_000_000)
        queries.insert_contract(connection, a_contract(case), NOON)
        queries.open_line(connection, _line(case, 5_000_000), NOON)
        assert queries.exposure_of(connection, ABN, LATER) == Exposure(1, 5_000_000)
        other = an_open_case(connection, a_decision(abn="51900000009"))
        declined = a_refusal(application_id=other.application_id, supersedes=other.decision_id, abn="51900000009")
        queries.record_decision(connection, a_record(declined, application=None))
        assert queries.exposure_of(connection, "51900000009", NOON) == Exposure(0, 0)


def test_a_line_and_a_decision_at_once_are_both_counted(url: str) -> None:
    """Lines opened beside decisions of the same business wait for each other and lose nothing."""
    with Database.open(url) as database, database.transaction() as connection:
        case = an_open_case(connection)
        queries.insert_contract(connection, a_contract(case), NOON)
    decisions = [a_decision(limit_cents=1_000_000) for _ in range(3)]

    def work(database: Database, number: int) -> bool:
        with database.transaction() as connection:
            if number == 3:
                opened = queries.open_line(connection, _line(case), NOON)
                changed(connection, case, rank=1)
                return opened is not None
            return isinstance(queries.record_decision(connection, a_record(decisions[number])), queries.Recorded)

    assert at_once(url, 4, work) == [True] * 4
    with Database.open(url) as database, database.transaction() as connection:
        assert queries.exposure_of(connection, ABN, NOON) == Exposure(4, 9_000_000)
        assert queries.verify_audit(connection) is None
