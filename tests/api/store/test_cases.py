"""A case changes in one way only: head, event and audit entry together, at the version that was seen."""

import hashlib
import json
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from api.store import queries
from api.store.database import Database
from api.store.errors import StoreBusy
from api.store.queries import CaseRow, Stale
from engine.canonical import canonical_bytes
from tests.support.casework import (
    ANN,
    BEN,
    LEASE,
    a_contract,
    a_document,
    an_approval,
    an_event,
    an_open_case,
    at_once,
    changed,
    hire,
    verified,
)
from tests.support.records import ABN, NOON, a_decision, a_record

WORDS = "The director rang twice."


def test_an_application_has_one_case(database: Database) -> None:
    """A second case on the same application is not opened, and leaves neither event nor entry."""
    with database.transaction() as connection:
        opened = an_open_case(connection)
        before = queries.audit_tail(connection, 1)
        again = queries.NewCase(
            "case_again", opened.application_id, opened.decision_id, ABN, "X", "waiting", 500_000, opened.expires_at
        )
        assert queries.open_case(connection, again, an_event("open")) is None
        assert queries.audit_tail(connection, 1) == before
        assert queries.get_case(connection, opened.id) == opened
        assert queries.case_of_application(connection, opened.application_id) == opened
        assert queries.get_case(connection, "case_again") is None
        assert queries.case_of_application(connection, "app_none") is None


def test_two_who_open_at_once_open_one(url: str) -> None:
    """Of six workers that accept the same offer at the same moment one opens the case."""
    decision = a_decision()
    with Database.open(url) as database, database.transaction() as connection:
        queries.record_decision(connection, a_record(decision))

    def work(database: Database, number: int) -> bool:
        assert decision.expires_at is not None
        new = queries.NewCase(
            f"case_{number}", decision.application_id, decision.id, ABN, "X", "waiting", 500_000, decision.expires_at
        )
        with database.transaction() as connection:
            return queries.open_case(connection, new, an_event("open")) is not None

    assert sorted(at_once(url, 6, work)) == [False] * 5 + [True]


def test_a_change_needs_the_version_that_was_seen(database: Database) -> None:
    """A change on an older version writes nothing and shows the case as it stands; without a version it is taken."""
    with database.transaction() as connection:
        opened = an_open_case(connection)
        first = changed(connection, opened, rank=5)
        second = queries.change_case(connection, opened.id, opened.version, {"rank": 9}, an_event())
        assert second == Stale(first)
        third = queries.change_case(connection, opened.id, None, {"alerted_hours": 12}, an_event("alert"))
        assert isinstance(third, CaseRow)
        assert (third.rank, third.version) == (5, 3)
        assert len(queries.case_events(connection, opened.id)) == 3
        with pytest.raises(LookupError):
            queries.change_case(connection, "case_none", 1, {}, an_event())


def test_what_never_changes_in_a_case_is_refused(database: Database) -> None:
    """A change of anything but the named fields is a mistake of the program."""
    with database.transaction() as connection:
        opened = an_open_case(connection)
        with pytest.raises(ValueError, match="abn"):
            queries.change_case(connection, opened.id, 1, {"abn": "1"}, an_event())  # type: ignore[typeddict-unknown-key]


def test_of_two_who_change_at_once_one_is_stale(url: str) -> None:
    """Six people act on the version that all of them saw: one act is kept, five are told."""
    with Database.open(url) as database, database.transaction() as connection:
        opened = an_open_case(connection)

    def work(database: Database, number: int) -> bool:
        with database.transaction() as connection:
            after = queries.change_case(connection, opened.id, 1, {"rank": number}, an_event())
            return isinstance(after, Stale)

    assert sorted(at_once(url, 6, work)) == [False] + [True] * 5
    with Database.open(url) as database, database.transaction() as connection:
        assert [each.version for each in queries.case_events(connection, opened.id)] == [1, 2]
        assert queries.verify_audit(connection) is None


@pytest.mark.postgres
def test_a_held_case_waits_for_nobody_and_others_for_it(postgres_url: str) -> None:
    """Who holds a case changes it; another change meanwhile gets no lock in time, and a claim passes it over."""
    with Database.open(postgres_url) as database:
        with database.transaction() as connection:
            hire(connection)
            opened = an_open_case(connection)
            assert queries.hold_case(connection, "case_none") is None
        with database.transaction() as connection:
            assert queries.hold_case(connection, opened.id) == opened
            with pytest.raises(StoreBusy), database.transaction() as other:
                queries.change_case(other, opened.id, 1, {"rank": 2}, an_event())
            with database.transaction() as other:
                assert queries.claim_next(other, "verify", ANN, NOON, LEASE) is None
            assert changed(connection, opened, rank=1).version == 2


def test_the_events_make_the_head(database: Database) -> None:
    """The values that the events set, one after another, are the head, after every kind of step."""
    with database.transaction() as connection:
        hire(connection)
        opened = an_open_case(connection)
        queries.claim_next(connection, "verify", ANN, NOON, LEASE)
        queries.renew_lease(connection, opened.id, ANN, NOON, 2 * LEASE)
        queries.claim_next(connection, "verify", BEN, NOON + 3 * LEASE, LEASE)
        queries.release_case(connection, opened.id, BEN, NOON)
        queries.claim_case(connection, opened.id, "verify", ANN, NOON, LEASE)
        queries.lapse_leases(connection, NOON + LEASE)
        freed = queries.get_case(connection, opened.id)
        assert freed is not None
        waiting = changed(connection, freed, state="waiting", paused_at=NOON, snoozed_until=NOON + LEASE)
        back = changed(connection, waiting, state="open", paused_at=None, paused_us=7, due_at=NOON, queue_at=NOON)
        verified(connection, back)
        approving = queries.claim_next(connection, "approve", BEN, NOON + LEASE, LEASE)
        assert approving is not None
        changed(connection, approving, state="approved", owner=None, lease_until=None, closed_at=NOON)
        events = queries.case_events(connection, opened.id)
        head = queries.get_case(connection, opened.id)
        last = queries.case_events(connection, opened.id, after=len(events) - 1)
        first = queries.case_events(connection, opened.id, limit=1)
    assert head is not None
    folded: dict[str, object] = {}
    for each in events:
        folded |= each.settings
        assert (folded["version"], folded["state"]) == (each.version, each.state)
    assert folded == head.content()
    assert [each.version for each in events] == list(range(1, head.version + 1))
    words = "open claim lapse claim release claim lapse note note verify claim_approval note"
    assert [each.event for each in events] == words.split()
    assert (first, last) == (events[:1], events[-1:])


def test_the_audit_chain_holds_digests_and_no_words(database: Database) -> None:
    """An entry tells who did what, with digests of the head before and after and of the body, and nothing personal."""
    with database.transaction() as connection:
        opened = an_open_case(connection)
        queries.insert_document(connection, a_document(opened, id="doc_one"), NOON)
        event = an_event("note", details={"words": WORDS}, document_id="doc_one")
        after = changed(connection, opened, event, escalated=True)
        first, second = queries.case_events(connection, opened.id)
        entries = [queries.audit_entry(connection, each.audit_seq) for each in (first, second)]
        assert queries.verify_audit(connection) is None
    told = [json.loads(each.body) for each in entries if each is not None]
    assert [(each["action"], each["actor"], each["actor_role"], each["object"]) for each in told] == [
        ("case_open", ANN, "verifier", opened.id),
        ("case_note", ANN, "verifier", opened.id),
    ]
    digests = [hashlib.sha256(canonical_bytes(each.content())).hexdigest() for each in (opened, after)]
    assert told[0]["details"]["before"] is None
    assert told[0]["details"]["after"] == digests[0]
    assert told[1]["details"] == {
        "after": digests[1],
        "before": digests[0],
        "body_sha256": hashlib.sha256(second.body.encode()).hexdigest(),
        "document": "doc_one",
        "version": 2,
    }
    assert second.details == {"words": WORDS}
    assert second.settings == {"escalated": True, "version": 2}
    for each in entries:
        assert each is not None
        assert not [word for word in (WORDS, ABN, "wattle", "Wattle") if word in each.body]


def test_no_repr_shows_names_or_numbers(database: Database) -> None:
    """What is printed of a case or an event in an error holds neither ABN, name nor words."""
    with database.transaction() as connection:
        opened = an_open_case(connection)
        changed(connection, opened, an_event(details={"words": WORDS}))
        shown = repr((opened, queries.case_events(connection, opened.id), an_event(details={"words": WORDS})))
    assert not [word for word in (WORDS, ABN, "wattle") if word in shown]


def test_names_are_searched_by_one_form() -> None:
    """Case, width of letters and runs of spaces make no difference, and the key has an end."""
    from api.store.queries.cases import name_key  # noqa: PLC0415

    assert name_key("  \uff37attle\u3000&  SONS ") == "wattle & sons"
    assert len(name_key("a" * 500)) == 200


# -- what the database itself refuses ------------------------------------------------------------------------


IMPOSSIBLE = [
    ("owner = NULL, lease_until = NULL", "owner_while_worked"),
    ("lease_until = NULL", "owner_has_lease"),
    ("state = 'approved', closed_at = 1", "owner_while_worked"),
    ("state = 'approved', owner = NULL, lease_until = NULL", "closed"),
    ("due_at = NULL", "queued_by_deadline"),
    ("due_at = NULL, queue_at = NULL", "queued_has_place"),
    ("alerted_hours = 3", "alerted_hours"),
    ("content_sha256 = 'x'", "content_sha256_length"),
    ("state = 'lost', owner = NULL, lease_until = NULL", "state"),
]


def test_a_head_that_cannot_be_is_refused(database: Database) -> None:
    """The design's invariants are CHECKs, so no program can write what breaks them."""
    with database.transaction() as connection:
        hire(connection)
        an_open_case(connection)
        assert queries.claim_next(connection, "verify", ANN, NOON, LEASE) is not None
    for change, constraint in IMPOSSIBLE:
        name = f"ck_verification_case_{constraint}"
        with pytest.raises(IntegrityError, match=name), database.transaction() as connection:
            connection.execute(text(f"UPDATE verification_case SET {change}"))


@pytest.fixture
def kept(database: Database) -> Database:
    """A database with a row in every table of full approval."""
    with database.transaction() as connection:
        hire(connection)
        case = verified(connection, an_open_case(connection, a_decision(id="dec_kept")))
        document = queries.insert_document(connection, a_document(case, id="doc_kept"), NOON)
        queries.change_document(
            connection, "doc_kept", "received", {"state": "clean", "perceptual": "00ff00ff00ff00ff"}
        )
        queries.insert_checks(connection, document.id, (queries.NewCheck("abn", "pass", 9_900, "{}"),), NOON)
        queries.insert_values(connection, case.id, (queries.NewValue("doc_kept", "total", "1"),), ANN, NOON)
        queries.insert_approval(connection, an_approval(case), NOON)
        contract = queries.insert_contract(connection, a_contract(case), NOON)
        signature = queries.NewSignature(contract.id, "per_dec_kept", "director", contract.body_sha256, "key_caller")
        queries.insert_signature(connection, signature, NOON)
        line = queries.NewLine(
            "line_kept", case.application_id, case.id, case.decision_id, contract.id, case.abn, 6_000_000, 145
        )
        queries.open_line(connection, line, NOON)
    return database


KEPT = [
    "verification_case", "case_event", "document", "document_part", "document_check", "recorded_value", "approval",
    "contract", "signature", "line",
]  # fmt: skip


def _refused(database: Database, statement: str) -> None:
    with pytest.raises(IntegrityError, match="is append-only"), database.transaction() as connection:
        connection.execute(text(statement))


EDITS = [
    "verification_case SET id = 'case_other'",
    "verification_case SET version = version - 1",
    "verification_case SET abn = '00000000000'",
    "verification_case SET opened_at = opened_at + 1",
    "case_event SET event = 'other'",
    "document SET sha256 = '" + "0" * 64 + "'",
    "document SET kind = 'identity'",
    "document_part SET value = '0000'",
    "document_check SET verdict = 'fail'",
    "recorded_value SET value = '2'",
    "approval SET limit_cents = 30000000",
    "contract SET body_sha256 = '" + "0" * 64 + "'",
    "signature SET authority = 'trustee'",
    "line SET limit_cents = 30000000",
    "line SET due_diligence_at = 1, due_diligence_by = 'stf_ann', limit_cents = 30000000",
]


def test_nothing_of_full_approval_is_deleted_or_edited(kept: Database) -> None:
    """DELETE is refused on every table, UPDATE on what is written once and on what makes a head the same thing."""
    for table in KEPT:
        _refused(kept, f"DELETE FROM {table}")
    for edit in EDITS:
        _refused(kept, f"UPDATE {edit}")


@pytest.mark.postgres
def test_nothing_of_full_approval_is_truncated(postgres_url: str) -> None:
    """TRUNCATE, which fires no row trigger, is refused as well."""
    with Database.open(postgres_url) as database:
        for table in KEPT:
            _refused(database, f"TRUNCATE {table} CASCADE")


def test_due_diligence_is_recorded_once(kept: Database) -> None:
    """The one change that a line knows dates it, with who recorded it; it is neither repeated nor undone."""
    later = NOON + timedelta(days=1)
    with kept.transaction() as connection:
        assert queries.complete_due_diligence(connection, "line_kept", BEN, later)
        assert not queries.complete_due_diligence(connection, "line_kept", ANN, later)
        (line,) = queries.lines_of(connection, ABN)
    assert (line.due_diligence_at, line.due_diligence_by) == (later, BEN)
    _refused(kept, "UPDATE line SET due_diligence_at = NULL, due_diligence_by = NULL")
