"""A document is looked at by one worker at a time, and found again wherever the same one was sent."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from api.store import queries
from api.store.database import Database
from api.store.queries import CaseRow, DocumentChange, DocumentRow, Likeness, NewCheck, NewValue
from tests.support.casework import ANN, LEASE, a_document, a_waiting_case, at_once
from tests.support.records import NOON, digest_of

SECOND = timedelta(seconds=1)
HASH = "0f1e2d3c4b5a6978"


def _received(connection: Connection, case: CaseRow, number: int = 1, **changes: object) -> DocumentRow:
    """One more second later for each number."""
    return queries.insert_document(connection, a_document(case, number, **changes), NOON + number * SECOND)


def _hashed(connection: Connection, case: CaseRow, perceptual: str, number: int = 1) -> DocumentRow:
    document = _received(connection, case, number)
    hashed: DocumentChange = {"state": "clean", "pages": 1, "perceptual": perceptual}
    changed = queries.change_document(connection, document.id, "received", hashed)
    assert changed is not None
    return changed


def _flipped(perceptual: str, *bits: int) -> str:
    number = int(perceptual, 16)
    for bit in bits:
        number ^= 1 << bit
    return f"{number:016x}"


# -- states --------------------------------------------------------------------------------------------------


def test_documents_of_a_case_come_in_the_order_of_receipt(database: Database) -> None:
    """A case lists its own documents and no others."""
    with database.transaction() as connection:
        case, other = a_waiting_case(connection), a_waiting_case(connection)
        second, first = _received(connection, case, 2), _received(connection, case, 1)
        _received(connection, other)
        assert queries.documents_of(connection, case.id) == (first, second)
        assert queries.get_document(connection, first.id) == first
        assert queries.get_document(connection, "doc_none") is None
    assert (first.state, first.attempts, first.lease_until, first.pages) == ("received", 0, None, None)


def test_a_document_changes_from_the_state_that_was_seen(database: Database) -> None:
    """A change on another state writes nothing; settling a document ends the lease of who looked at it."""
    with database.transaction() as connection:
        document = _received(connection, a_waiting_case(connection))
        assert queries.claim_document(connection, NOON, LEASE) is not None
        assert queries.change_document(connection, document.id, "clean", {"state": "checked"}) is None
        clean = queries.change_document(connection, document.id, "received", {"state": "clean", "pages": 3})
        assert clean is not None
        assert (clean.state, clean.pages, clean.lease_until) == ("clean", 3, NOON + LEASE)
        back: DocumentChange = {"state": "returned", "reason": "BLURRY", "words": "Again.", "settled_at": NOON}
        returned = queries.change_document(connection, document.id, "clean", back)
        assert returned is not None
        assert (returned.state, returned.reason, returned.lease_until) == ("returned", "BLURRY", None)
        with pytest.raises(ValueError, match="sha256"):
            queries.change_document(connection, document.id, "returned", {"sha256": "x"})  # type: ignore[typeddict-unknown-key]


def test_a_refusal_has_a_reason(database: Database) -> None:
    """A document that is returned without a code, or accepted with one, cannot be kept."""
    with database.transaction() as connection:
        document = _received(connection, a_waiting_case(connection))
    for change in (DocumentChange(state="returned"), DocumentChange(state="accepted", reason="BLURRY")):
        with pytest.raises(IntegrityError, match="refused_with_reason"), database.transaction() as connection:
            queries.change_document(connection, document.id, "received", change)


# -- looking at them -----------------------------------------------------------------------------------------


def test_the_longest_waiting_document_is_looked_at_first(database: Database) -> None:
    """In order of receipt; one that is held is passed over, and comes back when its lease has lapsed."""
    with database.transaction() as connection:
        case = a_waiting_case(connection)
        later, first = _received(connection, case, 2), _received(connection, case, 1)
        _received(connection, case, 3, state="checked")
        order = [queries.claim_document(connection, NOON, LEASE) for _ in range(3)]
        assert [each and each.id for each in order] == [first.id, later.id, None]
        again = queries.claim_document(connection, NOON + LEASE, LEASE)
        assert again is not None
        assert (again.id, again.attempts, again.lease_until) == (first.id, 2, NOON + 2 * LEASE)


def test_a_document_that_nobody_gets_through_is_left_to_people(database: Database) -> None:
    """After five attempts it is claimed no more, and told once the last lease has lapsed."""
    with database.transaction() as connection:
        document = _received(connection, a_waiting_case(connection))
        for number in range(5):
            assert queries.given_up_documents(connection, NOON + number * LEASE) == ()
            assert queries.claim_document(connection, NOON + number * LEASE, LEASE) is not None
        assert queries.claim_document(connection, NOON + 9 * LEASE, LEASE) is None
        assert [each.id for each in queries.given_up_documents(connection, NOON + 9 * LEASE)] == [document.id]


def test_two_workers_never_look_at_one_document(url: str) -> None:
    """Four threads empty a queue of twenty at the same moment, and each document is claimed once."""
    with Database.open(url) as database, database.transaction() as connection:
        case = a_waiting_case(connection)
        documents = {_received(connection, case, number).id for number in range(20)}

    def work(database: Database, _: int) -> list[str]:
        won: list[str] = []
        while True:
            with database.transaction() as connection:
                found = queries.claim_document(connection, NOON, LEASE)
            if found is None:
                return won
            won.append(found.id)

    everything = [each for one in at_once(url, 4, work) for each in one]
    assert (len(everything), set(everything)) == (20, documents)


# -- checks and recorded values ------------------------------------------------------------------------------


def test_a_check_is_made_once(database: Database) -> None:
    """Checks are told of a document and of its case, and the same one cannot be written again."""
    with database.transaction() as connection:
        case, other = a_waiting_case(connection), a_waiting_case(connection)
        first, second, third = _received(connection, case), _received(connection, case, 2), _received(connection, other)
        checks = NewCheck("abn", "pass", 9_900, '{"page":1}'), NewCheck("totals", "unread", 0, "{}")
        queries.insert_checks(connection, first.id, checks, NOON)
        queries.insert_checks(connection, second.id, checks[:1], NOON)
        queries.insert_checks(connection, third.id, (), NOON)
        told = [(each.name, each.verdict, each.confidence_bps) for each in queries.checks_of(connection, first.id)]
        assert told == [("abn", "pass", 9_900), ("totals", "unread", 0)]
        assert [each.document_id for each in queries.checks_of_case(connection, case.id)] == [
            first.id, first.id, second.id,
        ]  # fmt: skip
        assert queries.checks_of_case(connection, other.id) == ()
    with pytest.raises(IntegrityError), database.transaction() as connection:
        queries.insert_checks(connection, first.id, checks[:1], NOON)


def test_the_last_recorded_value_of_a_field_counts(database: Database) -> None:
    """A correction is one more value; each document has its own, and the history keeps all."""
    with database.transaction() as connection:
        case = a_waiting_case(connection)
        one, two = _received(connection, case, 1).id, _received(connection, case, 2).id
        queries.insert_values(
            connection, case.id, (NewValue(one, "total", "1"), NewValue(one, "abn", '"x"')), ANN, NOON
        )
        queries.insert_values(connection, case.id, (NewValue(two, "total", "2"),), "machine", NOON)
        queries.insert_values(connection, case.id, (NewValue(one, "total", "3"),), ANN, NOON - SECOND)
        queries.insert_values(connection, case.id, (), ANN, NOON)
        every = queries.recorded_values(connection, case.id)
        latest = queries.latest_values(connection, case.id)
    assert [(each.field, each.value) for each in every] == [
        ("total", "1"),
        ("abn", '"x"'),
        ("total", "2"),
        ("total", "3"),
    ]
    assert latest == every[1:]
    assert [(each.document_id, each.recorded_by) for each in latest] == [(one, ANN), (two, "machine"), (one, ANN)]


# -- the same document elsewhere -----------------------------------------------------------------------------


def test_the_same_file_is_found_in_other_cases_alone(database: Database) -> None:
    """Equal bytes in another case are told, newest first; in the same case they are not."""
    with database.transaction() as connection:
        cases = [a_waiting_case(connection) for _ in range(3)]
        same = digest_of("same")
        ours = _received(connection, cases[0], 1, sha256=same)
        _received(connection, cases[0], 2, sha256=same)
        _received(connection, cases[1], 3)
        older, newer = _received(connection, cases[1], 4, sha256=same), _received(connection, cases[2], 5, sha256=same)
        assert queries.same_files(connection, ours) == (
            Likeness(newer.id, newer.case_id, 0, same_file=True),
            Likeness(older.id, older.case_id, 0, same_file=True),
        )
        assert len(queries.same_files(connection, ours, limit=1)) == 1


@pytest.mark.parametrize("bits", [(), (63,), (0, 1, 2, 3), (15, 31, 47, 63)])
def test_a_page_that_looks_alike_is_found(database: Database, bits: tuple[int, ...]) -> None:
    """Up to four bits apart, wherever they are, and in other cases alone; the nearest comes first."""
    with database.transaction() as connection:
        ours = _hashed(connection, a_waiting_case(connection), HASH)
        near = _hashed(connection, a_waiting_case(connection), _flipped(HASH, *bits))
        far = _hashed(connection, a_waiting_case(connection), _flipped(HASH, 1, 17, 33, 49, 50))
        _received(connection, a_waiting_case(connection))
        found = Likeness(near.id, near.case_id, len(bits), same_file=False)
        assert queries.look_alikes(connection, ours) == (found,)
        wider = Likeness(far.id, far.case_id, 5, same_file=False)
        assert queries.look_alikes(connection, ours, distance=5) == (found, wider)
        assert queries.look_alikes(connection, ours, distance=7, limit=1) == (found,)


def test_seven_bits_apart_are_found_in_every_spread(database: Database) -> None:
    """However seven bits fall on the four parts, one part differs in one bit at most: nothing near is missed."""
    spreads = [(2, 2, 2, 1), (0, 2, 2, 3), (7, 0, 0, 0), (1, 2, 2, 2), (3, 3, 1, 0), (2, 1, 2, 2)]
    with database.transaction() as connection:
        ours = _hashed(connection, a_waiting_case(connection), HASH)
        for spread in spreads:
            bits = [part * 16 + 2 * bit for part, count in enumerate(spread) for bit in range(count)]
            _hashed(connection, a_waiting_case(connection), _flipped(HASH, *bits))
        found = queries.look_alikes(connection, ours, distance=7)
        assert [each.distance for each in found] == [7] * len(spreads)
        assert queries.look_alikes(connection, ours, distance=6) == ()
        with pytest.raises(ValueError, match="0 to 7"):
            queries.look_alikes(connection, ours, distance=8)


def test_a_page_without_features_is_like_none(database: Database) -> None:
    """Blank pages all look the same, which says nothing about who sent them."""
    with database.transaction() as connection:
        for blank in ("0000000000000000", "ffffffffffffffff", "0000000000000007"):
            ours = _hashed(connection, a_waiting_case(connection), blank)
            _hashed(connection, a_waiting_case(connection), blank)
            assert queries.look_alikes(connection, ours) == ()


def test_a_document_not_yet_hashed_is_like_none(database: Database) -> None:
    """Without a hash there is nothing to compare."""
    with database.transaction() as connection:
        ours = _received(connection, a_waiting_case(connection))
        _hashed(connection, a_waiting_case(connection), HASH)
        assert queries.look_alikes(connection, ours) == ()
        assert connection.execute(text("SELECT count(*) FROM document_part")).scalar_one() == 4
