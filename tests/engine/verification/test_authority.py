"""Four eyes, and two more: who may approve, how many are needed, and of what."""

from hypothesis import given
from hypothesis import strategies as st

from engine.policy import VerificationTerms
from engine.verification.authority import MACHINE, approvals_needed, approvers_of, may_approve, why_so_many
from tests.support.businesses import AS_OF
from tests.support.releases import fake_release

TERMS = fake_release().policy.on(AS_OF.date()).verification
ABOVE = TERMS.second_approver_above_cents
ONE, OTHER = "a" * 64, "b" * 64
staff = st.sampled_from(["stf_1", "stf_2", "stf_3"])


def test_a_large_line_an_override_or_a_waiver_takes_one_approver_more() -> None:
    """$100,000 is approved by one person, $100,500 by two; and two for any rule or document that was left aside."""
    assert approvals_needed(ABOVE, False, 0, TERMS) == 1
    assert approvals_needed(ABOVE + 50_000, False, 0, TERMS) == 2
    assert approvals_needed(500_000, True, 0, TERMS) == 2
    assert approvals_needed(500_000, False, 1, TERMS) == 2
    assert approvals_needed(500_000, False, 0, VerificationTerms()) == 2  # a policy that says nothing: the stricter


@given(st.integers(500_000, 30_000_000), st.booleans(), st.integers(0, 3))
def test_the_words_say_what_the_count_says(limit_cents: int, overrides: bool, waivers: int) -> None:
    """Two approvers are told with each reason, one approver without any."""
    told = why_so_many(limit_cents, overrides, waivers, TERMS)
    causes = (limit_cents > ABOVE) + overrides + (waivers > 0)
    assert told.startswith(
        "Two approvers: " if approvals_needed(limit_cents, overrides, waivers, TERMS) == 2 else "One "
    )
    assert told.count(" and ") == max(causes - 1, 0)


@given(staff, st.sampled_from(["stf_1", MACHINE]), st.sets(staff))
def test_nobody_approves_their_own_work_or_twice(me: str, verified_by: str, approved_by: set[str]) -> None:
    """Who verified may not approve, and who approved may not again; the machine is nobody's colleague."""
    assert may_approve(me, verified_by, approved_by) == (me != verified_by and me not in approved_by)


@given(st.lists(st.tuples(staff, st.sampled_from([ONE, OTHER]))))
def test_an_approval_counts_for_exactly_what_was_approved(approvals: list[tuple[str, str]]) -> None:
    """Approvals of content that has changed since count for nothing, one person counts once, the verifier never."""
    found = approvers_of(ONE, "stf_3", approvals)
    assert found == {who for who, what in approvals if what == ONE and who != "stf_3"}
    assert approvers_of("c" * 64, "stf_3", approvals) == frozenset()
