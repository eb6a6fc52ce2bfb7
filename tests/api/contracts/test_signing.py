"""A contract is drawn up once, signed as exactly that text, and its last signature opens one line."""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TypeVar

import pytest
from sqlalchemy import Connection, text

from api.contracts.rendering import load_template
from api.contracts.signing import NotDrawn, NotSigned, Signed, draw_up, may_draw, record_due_diligence, sign
from api.store.database import Database
from api.store.queries import audit_tail, erase_person
from api.store.queries.contracts import ContractRow, get_contract, line_of, lines_of, signatures_of
from api.store.queries.exposure import exposure_of
from tests.support.businesses import AS_OF
from tests.support.contracting import CANARIES, Approved, approve
from tests.support.records import digest_of

T = TypeVar("T")
LATER = AS_OF + timedelta(hours=2)
TEMPLATE = load_template(development=True)
THREE = {"ann": ("owner", "director", "contact"), "ben": ("director",), "gus": ("guarantor",), "cat": ("contact",)}


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A migrated database of either kind, opened."""
    with Database.open(url) as opened:
        yield opened


def within(database: Database, work: Callable[[Connection], T]) -> T:
    """One transaction."""
    with database.transaction() as connection:
        return work(connection)


def drawn(database: Database, approved: Approved) -> ContractRow:
    """The contract of an approved case."""
    found = within(database, lambda c: draw_up(c, approved.case.id, TEMPLATE, "Sample Lender", LATER))
    assert isinstance(found, ContractRow), found
    return found


def signed(
    database: Database, contract: ContractRow, ref: str, *, sha256: str | None = None, hours: float = 0
) -> Signed | NotSigned:
    """One person's signature, of the contract's text unless another digest is given."""
    at = LATER + timedelta(hours=hours)
    shown = sha256 or contract.body_sha256
    return within(database, lambda c: sign(c, contract.id, ref, shown, "key_caller", at))


def entries(database: Database) -> list[dict[str, object]]:
    """What the audit chain holds, oldest first."""
    with database.transaction(read_only=True) as connection:
        return [json.loads(entry.body) for entry in reversed(audit_tail(connection, 100))]


def test_a_contract_is_drawn_up_once(database: Database) -> None:
    """Its text holds the terms of the decision; a second call, with another template even, gives the same row."""
    approved = approve(database)
    first = drawn(database, approved)
    assert (first.case_id, first.decision_id) == (approved.case.id, approved.case.decision_id)
    assert f"Reference {first.id}".encode() in first.body
    assert b"Canarygiven Canaryfamily" in first.body
    assert within(database, lambda c: draw_up(c, approved.case.id, TEMPLATE, "Another Lender", AS_OF)) == first
    assert within(database, lambda c: get_contract(c, first.id)) == first
    last = entries(database)[-1]
    assert (last["action"], last["object"]) == ("draw_contract", first.id)
    assert last["details"] == {
        "case": approved.case.id, "body_sha256": first.body_sha256, "template_sha256": TEMPLATE.sha256,
    }  # fmt: skip


def test_nothing_is_drawn_up_where_the_record_does_not_carry_it(database: Database) -> None:
    """An unknown or unapproved case, another limit than the decision's, nobody to sign, an erased person."""

    def why(approved: Approved) -> ContractRow | NotDrawn:
        return within(database, lambda c: draw_up(c, approved.case.id, TEMPLATE, "Sample Lender", LATER))

    assert within(database, lambda c: draw_up(c, "case_none", TEMPLATE, "Sample Lender", LATER)) == "not_approved"
    assert why(approve(database, state="waiting")) == "not_approved"
    assert why(approve(database, {"ann": ("contact",)})) == "no_director"
    erased = approve(database)
    within(database, lambda c: erase_person(c, erased.refs["ann"], LATER))
    assert why(erased) == "person_erased"
    smaller = approve(database)
    with database.transaction() as connection:
        connection.execute(
            text("UPDATE verification_case SET limit_cents = 500000 WHERE id = :id"), {"id": smaller.case.id}
        )
    assert why(smaller) == "limit_differs"


def test_the_last_signature_needed_opens_the_line(database: Database) -> None:
    """Both directors and the guarantor: the third signature opens it, with the decision's limit and rate."""
    approved = approve(database, THREE)
    contract, refs = drawn(database, approved), approved.refs
    for name, authority in (("gus", "guarantor"), ("ann", "director")):
        kept = signed(database, contract, refs[name])
        assert isinstance(kept, Signed)
        assert (kept.signature.authority, kept.signature.body_sha256) == (authority, contract.body_sha256)
        assert (kept.line, kept.opened, kept.repeated) == (None, False, False)
    last = signed(database, contract, refs["ben"], hours=1)
    assert isinstance(last, Signed)
    assert last.opened
    line, offer = last.line, approved.decision.offer
    assert line is not None
    assert offer is not None
    assert (line.limit_cents, line.monthly_rate_bps) == (offer.limit_cents, offer.monthly_rate_bps)
    assert (line.contract_id, line.decision_id) == (contract.id, contract.decision_id)
    assert line.opened_at == LATER + timedelta(hours=1)
    assert within(database, lambda c: line_of(c, approved.case.application_id)) == line
    assert within(database, lambda c: exposure_of(c, approved.case.abn, LATER)).limit_cents == offer.limit_cents


@pytest.mark.parametrize(
    ("entity", "people", "needed"),
    [
        ("company", {"ann": ("director", "contact")}, 1),
        ("sole_trader", {"ann": ("owner", "contact"), "bo": ("contact",)}, 1),
        ("partnership", {"ann": ("owner", "contact"), "ben": ("owner",), "cy": ("owner",)}, 3),
        ("trust", {"ann": ("director", "contact"), "ben": ("director",)}, 2),
    ],
)
def test_each_entity_is_bound_by_its_own_people(
    database: Database, entity: str, people: Mapping[str, tuple[str, ...]], needed: int
) -> None:
    """The line opens with exactly the last signature that its kind of entity needs."""
    approved = approve(database, people, entity_type=entity)
    contract = drawn(database, approved)
    signers = [ref for name, ref in approved.refs.items() if people[name] != ("contact",)]
    results = [signed(database, contract, ref) for ref in signers]
    assert [isinstance(each, Signed) and each.opened for each in results] == [False] * (needed - 1) + [True]


def test_what_is_no_signature_of_this_text_is_refused(database: Database) -> None:
    """Another text, nobody, somebody who does not sign, no such contract, after the offer, an erased person."""
    approved = approve(database, THREE)
    contract, refs = drawn(database, approved), approved.refs
    assert signed(database, contract, refs["ann"], sha256=digest_of("another text")) == "another_text"
    assert signed(database, contract, refs["cat"]) == "not_a_signatory"
    assert signed(database, contract, approve(database).refs["ann"]) == "not_a_signatory"
    assert within(
        database, lambda c: sign(c, "con_none", refs["ann"], contract.body_sha256, "key_caller", LATER)
    ) == "no_contract"  # fmt: skip
    offer = approved.decision.offer
    assert offer is not None
    hours = (offer.expires_at - LATER) / timedelta(hours=1)
    assert signed(database, contract, refs["ann"], hours=hours) == "offer_expired"
    within(database, lambda c: erase_person(c, refs["ann"], LATER))
    assert signed(database, contract, refs["ann"]) == "not_a_signatory"
    assert within(database, lambda c: signatures_of(c, contract.id)) == ()
    assert [entry["action"] for entry in entries(database)].count("sign_contract") == 0


def test_a_signature_again_changes_nothing(database: Database) -> None:
    """The same person's second signature, even after the offer expired, gives the first; the line stays the one."""
    approved = approve(database)
    contract, ann = drawn(database, approved), approved.refs["ann"]
    first = signed(database, contract, ann)
    assert isinstance(first, Signed)
    before = len(entries(database))
    again = signed(database, contract, ann, hours=10_000)
    assert again == Signed(first.signature, first.line, opened=False, repeated=True)
    assert len(entries(database)) == before
    assert within(database, lambda c: lines_of(c, approved.case.abn)) == (first.line,)


def test_people_who_sign_at_the_same_moment_open_one_line(database: Database) -> None:
    """Of ten contracts whose two directors sign at once, each gets one line, opened by one of them."""
    people = {"ann": ("owner", "director", "contact"), "ben": ("director",)}
    for _ in range(10):
        approved = approve(database, people)
        contract, both = drawn(database, approved), Barrier(2)

        def at_once(ref: str, contract: ContractRow = contract, both: Barrier = both) -> Signed | NotSigned:
            both.wait(10)
            return signed(database, contract, ref)

        with ThreadPoolExecutor(2) as threads:
            results = list(threads.map(at_once, approved.refs.values()))
        assert sorted(isinstance(each, Signed) and each.opened for each in results) == [False, True]
        assert len(within(database, lambda c, abn=approved.case.abn: lines_of(c, abn))) == 1  # type: ignore[misc]


def test_a_transaction_that_fails_leaves_neither_signature_nor_line(database: Database) -> None:
    """The last signature and the line are one: what breaks after them takes both back, and both come again."""
    approved = approve(database)
    contract = drawn(database, approved)

    def broken(connection: Connection) -> None:
        done = sign(connection, contract.id, approved.refs["ann"], contract.body_sha256, "key_caller", LATER)
        assert isinstance(done, Signed)
        assert done.opened
        raise RuntimeError("as a lost connection would")

    with pytest.raises(RuntimeError):
        within(database, broken)
    assert within(database, lambda c: signatures_of(c, contract.id)) == ()
    assert within(database, lambda c: line_of(c, approved.case.application_id)) is None
    again = signed(database, contract, approved.refs["ann"])
    assert isinstance(again, Signed)
    assert again.opened


def test_nothing_is_drawn_before_due_diligence_is_complete(database: Database) -> None:
    """A line opens without it and may not be drawn from; recorded once, by a member of staff, it may."""
    approved = approve(database)
    kept = signed(database, drawn(database, approved), approved.refs["ann"])
    assert isinstance(kept, Signed)
    line = kept.line
    assert line is not None
    assert may_draw(line) == "due_diligence_incomplete"
    with database.transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO staff (id, login, name, roles, created_at, created_by, demo)"
                " VALUES ('stf_1', 'sam', 'Sam', 'compliance', 0, 'tests', :demo)"
            ),
            {"demo": True},
        )
    assert within(database, lambda c: record_due_diligence(c, line.id, "stf_1", "compliance", LATER))
    assert not within(database, lambda c: record_due_diligence(c, line.id, "stf_1", "compliance", LATER))
    assert not within(database, lambda c: record_due_diligence(c, "line_none", "stf_1", "compliance", LATER))
    now = within(database, lambda c: line_of(c, approved.case.application_id))
    assert now is not None
    assert may_draw(now) == "yes"
    assert [entry["action"] for entry in entries(database)].count("complete_due_diligence") == 1


def test_the_audit_chain_holds_every_act_and_nobodys_name(database: Database) -> None:
    """Drawing up, each signature with its authority and digest, the opening: ids and digests alone."""
    approved = approve(database, THREE)
    contract = drawn(database, approved)
    for name in ("ann", "ben", "gus"):
        signed(database, contract, approved.refs[name])
    told = entries(database)
    assert [entry["action"] for entry in told][-5:] == [
        "draw_contract", "sign_contract", "sign_contract", "sign_contract", "open_line",
    ]  # fmt: skip
    assert told[-2]["details"] == {
        "case": approved.case.id, "person": approved.refs["gus"], "authority": "guarantor",
        "body_sha256": contract.body_sha256,
    }  # fmt: skip
    assert [canary for canary in CANARIES if canary in json.dumps(told)] == []
