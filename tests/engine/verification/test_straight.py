"""What verifies itself: everything has to be right, and each thing that is not is said."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.policy import VerificationTerms
from engine.verification.straight import Looked, needs_people
from tests.support.businesses import AS_OF
from tests.support.releases import fake_release

TERMS = fake_release().policy.on(AS_OF.date()).verification
MOST = TERMS.straight_through_most_cents
CHECKS = (("period", "pass", 9_800), ("names", "pass", 9_000))
CLEAN = Looked("bank_statement", electronic=True, scanned_clean=True, checks=CHECKS)
LICENCE = Looked("identity", electronic=False, scanned_clean=True, checks=CHECKS)
WANTED = ("identity", "bank_statement")


def test_clean_electronic_evidence_verifies_itself() -> None:
    """At the limit itself, with every check passed at the least confidence, nobody has to look."""
    assert needs_people(MOST, WANTED, [LICENCE, CLEAN], TERMS) == ()


@pytest.mark.parametrize(
    ("limit_cents", "looked", "reason"),
    [
        (MOST + 50_000, [LICENCE, CLEAN], "the line is above $50,000"),
        (MOST, [LICENCE], "not every wanted document is there: bank_statement"),
        (MOST, [LICENCE, replace(CLEAN, electronic=False)], "bank_statement was sent as a picture"),
        (MOST, [LICENCE, replace(CLEAN, checks=())], "bank_statement was not checked"),
        (MOST, [LICENCE, replace(CLEAN, unread=("closing_cents",))], "bank_statement does not show closing_cents"),
        (MOST, [LICENCE, replace(CLEAN, scanned_clean=False)], "bank_statement was not found clean by the scanner"),
        (MOST, [LICENCE, replace(CLEAN, checks=(*CHECKS, ("rows", "warn", 9_900)))], "bank_statement: rows is warn"),
        (MOST, [LICENCE, replace(CLEAN, checks=(*CHECKS, ("rows", "fail", 9_900)))], "bank_statement: rows is fail"),
        (MOST, [LICENCE, replace(CLEAN, checks=(*CHECKS, ("rows", "unread", 0)))], "bank_statement: rows is unread"),
        (MOST, [LICENCE, replace(CLEAN, checks=(("rows", "pass", 8_999),))], "bank_statement: rows is not sure enough"),
        (MOST, [LICENCE, CLEAN, replace(CLEAN, kind="trust_deed")], "trust_deed is always looked at by people"),
    ],
)
def test_one_thing_that_is_not_right_takes_people(limit_cents: int, looked: list[Looked], reason: str) -> None:
    """Exactly that is the reason given."""
    assert needs_people(limit_cents, WANTED, looked, TERMS) == (reason,)


def test_each_person_shows_a_document_of_their_own() -> None:
    """Two directors and one licence is one licence too few."""
    wanted = ("identity", "identity", "bank_statement")
    assert needs_people(MOST, wanted, [LICENCE, CLEAN], TERMS) == ("not every wanted document is there: identity",)
    assert needs_people(MOST, wanted, [LICENCE, LICENCE, CLEAN], TERMS) == ()


def test_a_policy_from_before_lets_nothing_through() -> None:
    """Without the terms, each line and each kind is a reason for people, and every case is drawn to be looked at."""
    terms = VerificationTerms()
    assert needs_people(500_000, ("identity",), [LICENCE], terms) == (
        "the line is above $0",
        "identity is always looked at by people",
        "identity: period is not sure enough",
        "identity: names is not sure enough",
    )
    assert terms.sample_bps == 10_000


@given(
    st.lists(
        st.builds(
            Looked,
            kind=st.sampled_from(["bank_statement", "activity_statement", "identity", "trust_deed"]),
            electronic=st.booleans(),
            scanned_clean=st.booleans(),
            checks=st.lists(
                st.tuples(st.just("check"), st.sampled_from(["pass", "pass", "warn"]), st.integers(0, 10_000)),
                max_size=3,
            ).map(tuple),
        ),
        max_size=4,
    )
)
def test_silence_means_that_all_was_right(looked: list[Looked]) -> None:
    """Whatever was sent: no reason is given exactly where each single thing holds."""
    right = all(
        each.kind in TERMS.machine_kinds
        and (each.electronic or each.kind == "identity")
        and each.scanned_clean
        and each.checks
        and all(verdict == "pass" and sure >= TERMS.least_confidence_bps for _, verdict, sure in each.checks)
        for each in looked
    )
    assert (needs_people(MOST, [each.kind for each in looked], looked, TERMS) == ()) == right
