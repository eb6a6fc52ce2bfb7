"""Which documents a case needs: every entity type, every size of line, and what was shown already."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from engine.decision import decide
from engine.policy import Policy
from engine.verification.documents import DOCUMENT_KINDS
from engine.verification.requirements import Requirement, age_ok, required
from tests.support.businesses import AS_OF, business
from tests.support.releases import fake_release
from tests.support.stories import stories

RELEASE = fake_release()
POLICY: Policy = RELEASE.policy.on(AS_OF.date())
K = 100_000  # a thousand dollars
PAID = {"identity": 1, "bank_account_proof": 1}
BAS, ALL_TAX = {"activity_statement": 4}, {"activity_statement": 4, "tax_account": 1}
ENTITY: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "company": ({}, {}),
    "unconfirmed company": ({"registry": {"company_status": None}}, {"company_extract": 1}),
    "company in strike-off": ({"registry": {"company_status": "SOFF"}}, {"company_extract": 1}),
    "unknown company": ({"registry": {"status": "failed"}}, {"company_extract": 1}),
    "sole trader": ({"application": {"business": {"entity_type": "sole_trader"}}}, {}),
    "trust": ({"application": {"business": {"entity_type": "trust"}}}, {"trust_deed": 1}),
    "partnership": ({"application": {"business": {"entity_type": "partnership"}}}, {"partnership_agreement": 1}),
}
SIZES: list[tuple[int, dict[str, int]]] = [
    (5 * K, {}),
    (50 * K, {}),
    (505 * K // 10, BAS),
    (100 * K, BAS),
    (1_005 * K // 10, ALL_TAX),
    (150 * K, ALL_TAX),
    (1_505 * K // 10, {**ALL_TAX, "financial_statements": 1}),
    (300 * K, {**ALL_TAX, "financial_statements": 1}),
]


def needed(found: tuple[Requirement, ...]) -> dict[str, int]:
    """How many of each kind are required."""
    counts: dict[str, int] = {}
    for each in found:
        if each.required:
            counts[each.kind] = counts.get(each.kind, 0) + each.count
    return counts


@pytest.mark.parametrize("entity", ENTITY)
@pytest.mark.parametrize(("limit_cents", "by_size"), SIZES)
def test_documents_by_entity_and_size(entity: str, limit_cents: int, by_size: dict[str, int]) -> None:
    """Each entity type adds its own document, and each threshold of policy is passed by the step above it alone."""
    told, own = ENTITY[entity]
    application, facts = business(told)
    assert needed(required(application, limit_cents, facts, POLICY)) == {**PAID, **own, **by_size}


@pytest.mark.parametrize(
    ("bank", "asked"),
    [({}, False), ({"evidence": "declared"}, True), ({"status": "absent"}, True), ({"status": "failed"}, True)],
)
def test_statements_are_asked_for_where_no_bank_showed_them(bank: dict[str, Any], asked: bool) -> None:
    """What a bank has shown under consent is not asked for again on paper."""
    application, facts = business(bank=bank)
    assert ("bank_statement" in needed(required(application, 5 * K, facts, POLICY))) is asked


@pytest.mark.parametrize(
    "told",
    [
        {"application": {"finances": {"overdue_tax_cents": 1, "tax_plan": True}}},
        {"bureau": {"tax_debt_disclosed_cents": 50_000}},
    ],
)
def test_tax_that_is_flagged_is_looked_at_in_any_line(told: dict[str, Any]) -> None:
    """Overdue tax as declared, or a tax debt as reported, takes the tax office's account even for a small line."""
    application, facts = business(told)
    assert "tax_account" in needed(required(application, 5 * K, facts, POLICY))


def test_everybody_who_matters_is_identified_by_name() -> None:
    """Each director, owner and guarantor shows who they are; somebody who is only the contact does not."""
    application, facts = business()
    values = application.model_dump()
    values["people"] = (
        {"ref": "per_director", "roles": ("director",)},
        {"ref": "per_guarantor", "roles": ("guarantor",)},
        {"ref": "per_owner", "roles": ("owner",), "ownership_bps": 4_000},
        {"ref": "per_holder", "roles": ("contact",), "ownership_bps": 2_500},
        {"ref": "per_contact", "roles": ("contact",), "ownership_bps": 2_400},
    )
    found = required(type(application).model_validate(values), 5 * K, facts, POLICY)
    shown = [each.person_ref for each in found if each.kind == "identity"]
    assert shown == ["per_director", "per_guarantor", "per_owner", "per_holder"]


def test_a_line_kept_down_by_its_evidence_is_told_what_would_lift_it() -> None:
    """$300,000 asked for and $150,000 offered on connected data: the missing evidence is named with what it adds."""
    application, facts = business(application={"request": {"amount_cents": 300 * K}})
    extra = [each for each in required(application, 150 * K, facts, POLICY) if not each.required]
    assert [(each.kind, each.adds) for each in extra] == [
        ("financial_statements", "With activity statements, tax account and financial statements: up to $300,000")
    ]


@pytest.mark.parametrize(
    ("asked", "limit", "bank"),
    [(300 * K, 140 * K, {}), (150 * K, 150 * K, {}), (300 * K, 20 * K, {"status": "absent"})],
)
def test_nothing_is_promised_where_documents_would_not_lift_the_line(
    asked: int, limit: int, bank: dict[str, Any]
) -> None:
    """A line that something else keeps down, or that is all that was asked for, is told of no further document."""
    application, facts = business(application={"request": {"amount_cents": asked}}, bank=bank)
    assert [each for each in required(application, limit, facts, POLICY) if not each.required] == []


@settings(max_examples=60)
@given(told=stories())
def test_a_larger_line_never_takes_fewer_documents(told: dict[str, Any]) -> None:
    """Whatever the business, each size of line needs all that a smaller one needs; what is required comes first."""
    application, facts = business(told)
    before: dict[str, int] = {}
    for limit_cents, _ in SIZES:
        found = required(application, limit_cents, facts, POLICY)
        assert [each.required for each in found] == sorted((each.required for each in found), reverse=True)
        assert {each.kind for each in found} <= set(DOCUMENT_KINDS)
        now = needed(found)
        assert all(now.get(kind, 0) >= count for kind, count in before.items())
        before = now


def test_the_conditions_of_an_offer_ask_for_nothing_else() -> None:
    """An offer that says activity or financial statements are a condition belongs to a case that requires them."""
    kinds = {"activity_statements": "activity_statement", "financial_statements": "financial_statements"}
    strong = {
        "bank": {"sales_a_month_cents": 100_000_000, "costs_a_month_cents": 70_000_000, "balance_cents": 250_000_000},
        "marketplace": {"orders_a_month": 40, "order_cents": 1_500_000},
    }
    limits = set()
    for amount in (20 * K, 60 * K, 120 * K):
        stated = {"request": {"amount_cents": amount}, "finances": {"turnover_12m_cents": 1_200_000_000}}
        application, facts = business({**strong, "application": stated})
        offer = decide(application, facts, RELEASE).offer
        assert offer is not None
        limits.add(offer.limit_cents)
        wanted = needed(required(application, offer.limit_cents, facts, POLICY))
        assert {kinds[c] for c in offer.conditions if c in kinds} == wanted.keys() & set(kinds.values())
    assert len(limits) == 3


def test_how_old_a_document_may_be() -> None:
    """To the day as policy says; one from tomorrow is refused, and a kind without a rule may be of any age."""
    terms, today = POLICY.verification, date(2026, 11, 24)
    for kind, days in terms.most_age_days.items():
        assert age_ok(kind, today - timedelta(days=days), today, terms)
        assert not age_ok(kind, today - timedelta(days=days + 1), today, terms)
        assert not age_ok(kind, today + timedelta(days=1), today, terms)
    assert age_ok("trust_deed", date(1988, 1, 1), today, terms)
    assert set(terms.most_age_days) <= set(DOCUMENT_KINDS)
