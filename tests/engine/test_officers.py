"""What people of the lender decided, as facts: an officer's no, and a settlement by compliance."""

from typing import Any

import pytest

from engine.decision import Decision, decide
from engine.facts import ComplianceCheck, Fact, Facts, Review
from tests.support.businesses import business
from tests.support.releases import fake_release

RELEASE = fake_release()
SETTLEMENT = "act_0123456789abcdef"
FOUND: dict[str, Any] = {"sanctions_hits": 2, "politically_exposed": True, "fraud_flags": ["device"]}


def reviewed(facts: Facts, **review: Any) -> Facts:
    """The facts with what officers decided."""
    fact = Fact[Review](source="referral", fetched_at=facts.as_of, status="present", value=Review(**review))
    return facts.model_copy(update={"review": fact})


def cleared(facts: Facts) -> Facts:
    """The facts once compliance has settled what screening found."""
    check = facts.compliance.value
    assert check is not None
    settled = check.model_copy(update={"cleared": SETTLEMENT})
    return facts.model_copy(update={"compliance": facts.compliance.model_copy(update={"value": settled})})


def rules(decision: Decision) -> list[str]:
    """The rules that found something."""
    return [each.rule for each in decision.findings]


def test_what_compliance_cleared_refers_no_more() -> None:
    """Three findings of screening, and none once they are settled; the offer is the one without them."""
    application, facts = business(compliance=FOUND)
    assert rules(decide(application, facts, RELEASE)) == ["sanctions_hit", "politically_exposed", "fraud_flagged"]
    after = decide(application, cleared(facts), RELEASE)
    assert (after.outcome, rules(after)) == ("approve", [])
    assert after.offer == decide(*business(), RELEASE).offer


def test_a_settlement_settles_nothing_else() -> None:
    """Overdue tax refers as before, and lists that were not asked, or did not answer, refer as well."""
    application, facts = business(
        compliance=FOUND, application={"finances": {"overdue_tax_cents": 3_500_000, "tax_plan": False}}
    )
    assert rules(decide(application, cleared(facts), RELEASE)) == ["overdue_tax"]
    for status in ("absent", "failed"):
        application, facts = business(compliance={"status": status})
        assert rules(decide(application, facts, RELEASE)) == [f"compliance_{status}"]


def test_what_nobody_settled_keeps_its_bytes() -> None:
    """Facts recorded before there were settlements, or an officer's no, are the same bytes as ever."""
    assert "cleared" not in ComplianceCheck(sanctions_hits=1).model_dump(mode="json")
    assert "declined" not in Review(set_aside=("overdue_tax",)).model_dump(mode="json")
    _, facts = business(compliance=FOUND)
    settled = cleared(reviewed(facts, declined="R10"))
    assert Facts.model_validate_json(settled.canonical()) == settled


def test_an_officer_declines_what_was_referred() -> None:
    """With the reason that was named, whatever refers; with what they left aside and would have capped besides."""
    application, facts = business(application={"finances": {"overdue_tax_cents": 3_500_000, "tax_plan": False}})
    for more in ({}, {"set_aside": ("overdue_tax",), "most_cents": 1_000_000, "reason": "R20"}):
        decision = decide(application, reviewed(facts, declined="R22", **more), RELEASE)
        assert (decision.outcome, [each.code for each in decision.reasons], decision.offer) == (
            "decline",
            ["R22"],
            None,
        )


def test_a_knock_out_keeps_its_own_reason() -> None:
    """An officer's no takes no rule's place."""
    application, facts = business(bureau={"insolvency": "business"})
    plain = decide(application, facts, RELEASE)
    assert plain.outcome == "decline"
    assert decide(application, reviewed(facts, declined="R22"), RELEASE).reasons == plain.reasons


@pytest.mark.parametrize("code", ["", "R1", "r10", "R10; sanctions"])
def test_a_reason_is_a_code(code: str) -> None:
    """Nothing else than a code of the catalogue's form can stand for one."""
    with pytest.raises(ValueError, match="should match pattern"):
        Review(declined=code)
