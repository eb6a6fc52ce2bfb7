"""The hard rules, one case a rule; what an outage can and cannot do; what the public may be told."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.facts import SOURCES, Facts
from engine.features import Evidence
from engine.reasons import CATALOGUE
from engine.screening import RULES, Case, Finding, knock_outs, referrals, screen
from engine.screening.referrals import name_overlap_bps
from tests.support.businesses import AS_OF, business, facts_of, story
from tests.support.releases import fake_release
from tests.support.stories import stories

POLICY = fake_release(guarded=True).policy.on(AS_OF.date())
COMPLIANCE = {"sanctions_hit", "politically_exposed", "fraud_flagged"}

Told = dict[str, Any]


def finances(**values: Any) -> Told:
    return {"application": {"finances": values}}


def stated(**values: Any) -> Told:
    return {"application": {"business": values}}


def supplier(**values: Any) -> Told:
    return {"application": {"request": {"supplier_id": "SUP-0"}}, "marketplace": {"supplier": values}}


def lenders(*names: str) -> Told:
    return {"bank": {"lenders": [{"name": name, "month_cents": 10_000} for name in names]}}


def brake(**values: Any) -> Told:
    return {"exposure": {"brakes": [values]}}


def guards(**counts: int) -> Told:
    return {"exposure": {"guards": counts}}


FIVE = ("PROSPA", "MOULA", "LUMI", "BANJO", "ONDECK")
# Rule -> stories in which it fires. A rule without a line here fails test_every_rule_has_its_case.
CASES: dict[str, tuple[Told, ...]] = {
    "company_insolvent": ({"registry": {"company_status": "EXAD"}}, {"registry": {"company_status": "DRGD"}}),
    "insolvency_on_file": ({"bureau": {"insolvency": "business"}}, {"bureau": {"insolvency": "director"}}),
    "abn_not_active": ({"registry": {"abn_active": False}}, {"registry": {"found": False}}),
    "entity_not_eligible": ({"registry": {"entity_type_code": "SMF"}}, {"registry": {"entity_type_code": "LGE"}}),
    "purpose_not_business": tuple(
        {"application": {"request": {"purpose": p}}} for p in ("household", "residential_property", "personal_tax")
    ),
    "industry_excluded": (stated(anzsic="O"), stated(anzsic="7510")),
    "amount_outside_policy": (),  # the draft policy is as wide as the product: see the narrower policy below
    "trading_too_short": (stated(trading_since="2026-02-04"),),
    "abn_too_young": ({"registry": {"abn_active_from": "2026-02-04"}},),
    "turnover_too_low": (finances(turnover_12m_cents=7_199_999),),
    "revenue_too_low": ({"bank": {"sales_a_month_cents": 599_990}},),
    "too_many_dishonours": ({"bank": {"dishonours": 9}},),
    "too_many_lenders": (lenders(*FIVE),),
    "gambling": ({"bank": {"gambling_cents": 600_000}},),
    "unpaid_defaults": ({"bureau": {"defaults": [{"on": "2025-01-01", "amount_cents": 500_001, "paid": False}]}},),
    "tax_debt_disclosed": ({"bureau": {"tax_debt_disclosed_cents": 10_000_001}},),
    "exposure_reached": ({"exposure": {"business_cents": 29_500_001}}, {"exposure": {"group_cents": 49_500_001}}),
    "sanctions_hit": ({"compliance": {"sanctions_hits": 1}},),
    "politically_exposed": ({"compliance": {"politically_exposed": True}},),
    "fraud_flagged": ({"compliance": {"fraud_flags": ["device"]}},),
    "supplier_related": (supplier(related_to_buyer=True),),
    "supplier_below_gate": (
        *(supplier(active_since="2026-02-04"), supplier(orders_12m=9), supplier(value_12m_cents=1_999_999)),
        *(supplier(dispute_bps=301), supplier(on_time_bps=8_999)),
    ),
    "strike_off_in_progress": ({"registry": {"company_status": "SOFF"}},),
    "entity_needs_a_person": ({"registry": {"entity_type_code": "COP"}}, {"registry": {"entity_type_code": "ZZZ"}}),
    "entity_differs": (
        *({"registry": {"entity_type_code": "DTT"}}, {"registry": {"acn": "912345674"}}),
        *({"registry": {"entity_name": "WATTLE FOODS PTY LTD"}}, stated(entity_type="other")),
    ),
    "age_overstated": ({"registry": {"abn_active_from": "2020-04-01"}},),
    "gst_expected": ({"registry": {"gst_from": None}},),
    "industry_referred": (stated(anzsic="B"), stated(anzsic="6240")),
    "overdue_tax": (finances(overdue_tax_cents=2_500_001, tax_plan=False),),
    "coverage_too_short": ({"bank": {"days": 89}},),
    "turnover_overstated": (finances(turnover_12m_cents=192_000_001),),
    "recent_judgment": ({"bureau": {"court_actions": [{"on": "2024-08-04", "amount_cents": 1, "judgment": True}]}},),
    "nothing_to_go_by": ({"bank": {"status": "absent"}, "marketplace": {"status": "absent"}},),
    "registry_absent": ({"registry": {"status": "absent"}},),
    "compliance_absent": ({"compliance": {"status": "absent"}},),
    "exposure_absent": ({"exposure": {"status": "absent"}},),
    "open_applications": (guards(open_applications=1),),
    "retyped": (guards(retypes=1),),
    "person_elsewhere": (guards(person_entities=2),),
    "account_elsewhere": (guards(account_entities=1),),
    "device_elsewhere": (guards(device_hours_entities=3), guards(device_days_entities=5)),
    "contact_elsewhere": (guards(contact_entities=3),),
    "group_too_large": (guards(group_entities=6),),
}
GUARDS = tuple(CASES)[-7:]
# The same thresholds from the other side: the value that policy still accepts.
ACCEPTED: dict[str, tuple[Told, ...]] = {
    "company_insolvent": ({"registry": {"company_status": None}},),
    "purpose_not_business": tuple(
        {"application": {"request": {"purpose": p}}}
        for p in ("supplier_invoice", "freight_duty", "equipment", "other_business")
    ),
    "trading_too_short": (stated(trading_since="2026-02-03"),),
    "abn_too_young": ({"registry": {"abn_active_from": "2026-02-03"}},),
    "turnover_too_low": (finances(turnover_12m_cents=7_200_000),),
    "revenue_too_low": ({"bank": {"sales_a_month_cents": 600_000}}, {"bank": {"days": 29, "sales_a_month_cents": 10}}),
    "too_many_dishonours": ({"bank": {"dishonours": 8}},),
    "too_many_lenders": (lenders(*FIVE[:4]),),
    "gambling": ({"bank": {"gambling_cents": 500_000}},),
    "unpaid_defaults": (
        {"bureau": {"defaults": [{"on": "2025-01-01", "amount_cents": 500_000, "paid": False}]}},
        {"bureau": {"defaults": [{"on": "2025-01-01", "amount_cents": 9_000_000, "paid": True}]}},
    ),
    "tax_debt_disclosed": ({"bureau": {"tax_debt_disclosed_cents": 10_000_000}},),
    "exposure_reached": ({"exposure": {"business_cents": 29_500_000}}, {"exposure": {"group_cents": 49_500_000}}),
    "supplier_related": (supplier(),),
    "supplier_below_gate": (
        supplier(
            active_since="2026-02-03", orders_12m=10, value_12m_cents=2_000_000, dispute_bps=300, on_time_bps=9_000
        ),
        {"application": {"request": {"supplier_id": "SUP-UNKNOWN"}}},
    ),
    "entity_differs": (
        {"registry": {"entity_name": "Banksia Homewares Pty. Limited"}},
        {"registry": {"found": False, "entity_name": "WATTLE"}},
    ),
    "age_overstated": ({"registry": {"abn_active_from": "2020-03-01"}},),
    "gst_expected": ({"registry": {"gst_from": None}, **finances(turnover_12m_cents=7_499_999)},),
    "overdue_tax": (
        finances(overdue_tax_cents=2_500_000, tax_plan=False),
        finances(overdue_tax_cents=90_000_000, tax_plan=True),
    ),
    "coverage_too_short": ({"bank": {"days": 90}},),
    "turnover_overstated": (finances(turnover_12m_cents=192_000_000), {"bank": {"days": 29}}),
    "recent_judgment": (
        {"bureau": {"court_actions": [{"on": "2024-08-03", "amount_cents": 1, "judgment": True}]}},
        {"bureau": {"court_actions": [{"on": "2026-08-01", "amount_cents": 1, "judgment": False}]}},
    ),
    "nothing_to_go_by": ({"bank": {"status": "absent"}}, {"marketplace": {"status": "absent"}}),
    "person_elsewhere": (guards(person_entities=1),),
    "device_elsewhere": (guards(device_hours_entities=2, device_days_entities=4),),
    "contact_elsewhere": (guards(contact_entities=2),),
    "group_too_large": (guards(group_entities=5),),
}


def case_of(told: Told | None = None, policy: Any = POLICY) -> Case:
    application, facts = business(told)
    return Case(application, facts, Evidence.of(application, facts), policy)


def findings(told: Told | None = None, policy: Any = POLICY) -> dict[str, Finding]:
    return {finding.rule: finding for finding in screen(case_of(told, policy))}


def test_the_ordinary_business_has_no_finding() -> None:
    """The story that all others are laid over passes every rule."""
    assert findings() == {}


def test_every_rule_has_its_case() -> None:
    """As many cases as rules, each under a name that a rule has."""
    assert len(CASES) == len(RULES)
    assert all(hasattr(knock_outs, name) or hasattr(referrals, name) for name in CASES)
    assert set(ACCEPTED) <= set(CASES)


@pytest.mark.parametrize(("rule", "told"), [(rule, told) for rule, stories_ in CASES.items() for told in stories_])
def test_a_rule_fires_on_its_story(rule: str, told: Told) -> None:
    """Each rule fires, says what it found, and gives a reason of the catalogue where the public is told one."""
    finding = findings(told)[rule]
    assert finding.what.endswith(".")
    assert finding.source in {*SOURCES, "application"}
    assert finding.reason is None or finding.reason in CATALOGUE
    assert finding.kind == "referral" or finding.reason is not None, "a decline always has a reason"


@pytest.mark.parametrize(("rule", "told"), [(rule, told) for rule, stories_ in ACCEPTED.items() for told in stories_])
def test_a_rule_does_not_fire_at_its_threshold(rule: str, told: Told) -> None:
    """The last value that policy accepts is accepted."""
    assert rule not in findings(told)


def test_a_policy_may_be_narrower_than_the_product() -> None:
    """Amounts that the product has and this policy has not are a knock-out with R28, at either end."""
    narrow = fake_release(
        policy={"screening.least_amount_cents": 1_000_000, "screening.most_amount_cents": 15_000_000}
    ).policy.on(AS_OF.date())
    outside = {}
    for amount in (950_000, 1_000_000, 15_000_000, 15_050_000):
        told = {"application": {"request": {"amount_cents": amount}}}
        outside[amount] = findings(told, narrow).get("amount_outside_policy")
    assert [finding is not None for finding in outside.values()] == [True, False, False, True]
    assert outside[950_000] is not None
    assert outside[950_000].reason == "R28"
    assert "amount_outside_policy" not in findings({"application": {"request": {"amount_cents": 500_000}}})


@pytest.mark.parametrize("source", SOURCES)
def test_a_failed_source_refers_and_is_named(source: str) -> None:
    """What could not be had is one referral that names the source, without a public reason."""
    found = findings({source: {"status": "failed"}})
    finding = found.pop(f"{source}_failed")
    assert (finding.kind, finding.source, finding.reason) == ("referral", source, None)
    assert source in finding.what
    assert found == {}


@pytest.mark.parametrize("rule", sorted(COMPLIANCE))
def test_compliance_findings_have_no_public_reason(rule: str) -> None:
    """Sanctions, exposure and fraud refer without a reason that could tip anyone off."""
    finding = findings(CASES[rule][0])[rule]
    assert (finding.kind, finding.reason, finding.source) == ("referral", None, "compliance")


@pytest.mark.parametrize("rule", GUARDS)
def test_guards_refer_without_a_reason_and_can_be_turned_off(rule: str) -> None:
    """The lender's own record refers and tells nobody why; a policy without guards finds nothing."""
    for told in CASES[rule]:
        finding = findings(told)[rule]
        assert (finding.kind, finding.reason, finding.source) == ("referral", None, "exposure")
        assert findings(told, fake_release().policy.on(AS_OF.date())) == {}
    assert rule not in findings({"exposure": {"status": "failed"}})


def test_findings_stand_most_adverse_first() -> None:
    """Knock-outs before referrals, in the order of the rules, then outages, then brakes."""
    told = {
        "compliance": {"sanctions_hits": 1}, "registry": {"company_status": "DRGD", "gst_from": None},
        "bureau": {"status": "failed"}, **stated(anzsic="O"), **brake(kind="refer_all", segment="all"),
    }  # fmt: skip
    assert list(findings(told)) == [
        "company_insolvent", "industry_excluded", "sanctions_hit", "gst_expected", "bureau_failed", "brake_refer_all",
    ]  # fmt: skip
    order = {name: place for place, name in enumerate(CASES)}
    kinds = [findings(stories_[0])[name].kind for name, stories_ in CASES.items() if stories_]
    assert kinds == sorted(kinds), "knock-outs are declared before referrals"
    assert order["company_insolvent"] == 0


@settings(max_examples=40)
@given(stories(every_source=True), st.sampled_from(SOURCES), st.sampled_from(["absent", "failed"]))
def test_losing_a_source_never_adds_a_knock_out(told: Told, source: str, status: str) -> None:
    """Whatever the story, without a source every remaining knock-out was there with it."""
    whole = {f.rule for f in screen(case_of(told)) if f.kind == "knock_out"}
    told[source] = {**told.get(source, {}), "status": status}
    lost = {f.rule for f in screen(case_of(told)) if f.kind == "knock_out"}
    assert lost <= whole


# -- brakes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pulled", "meets"),
    [
        ({"kind": "refer_all", "segment": "all"}, True),
        ({"kind": "refer_all", "segment": "division:G"}, True),
        ({"kind": "refer_all", "segment": "division:H"}, False),
        ({"kind": "refer_all", "segment": "state:VIC"}, True),
        ({"kind": "refer_all", "segment": "state:NSW"}, False),
        ({"kind": "refer_all", "segment": "entity:company"}, True),
        ({"kind": "refer_all", "segment": "entity:trust"}, False),
        ({"kind": "daily_dollars", "segment": "all", "limit_cents": 10_000_000, "used_cents": 6_000_000}, False),
        ({"kind": "daily_dollars", "segment": "all", "limit_cents": 10_000_000, "used_cents": 6_000_001}, True),
        ({"kind": "concentration", "segment": "division:G", "limit_cents": 0}, True),
        ({"kind": "concentration", "segment": "division:G"}, True),
        ({"kind": "concentration", "segment": "division:H", "limit_cents": 0}, False),
        ({"kind": "concentration", "segment": "group", "limit_cents": 9_000_000, "used_cents": 5_000_000}, False),
        ({"kind": "concentration", "segment": "group", "limit_cents": 9_000_000, "used_cents": 5_000_001}, True),
    ],
)
def test_a_brake_refers_what_it_meets(pulled: Told, meets: bool) -> None:
    """By segment; by dollars where the amount asked for, 40,000, would go past the limit."""
    found = findings(brake(**pulled))
    assert list(found) == ([f"brake_{pulled['kind']}"] if meets else [])
    assert all(f.kind == "referral" and f.reason is None for f in found.values())


# -- names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated_name", "registered", "overlap"),
    [
        ("Banksia Homewares", "BANKSIA HOMEWARES PTY LTD", 10_000),
        ("Smith & Sons", "SMITH AND SONS PTY. LIMITED", 10_000),
        ("The Trustee for Smith Family Trust", "SMITH FAMILY TRUST", 10_000),
        ("Wattle Foods", "BANKSIA HOMEWARES", 0),
        ("Banksia Foods", "BANKSIA HOMEWARES", 5_000),
        ("Jane O'Neil", "O'NEIL, JANE", 10_000),
        ("", "BANKSIA", 0),
        ("Pty Ltd", "The Trust", 10_000),
    ],
)
def test_names_are_compared_by_their_words(stated_name: str, registered: str, overlap: int) -> None:
    """Case, order, legal suffixes and & for and do not count; shared words do, either way round."""
    assert name_overlap_bps(stated_name, registered) == overlap
    assert name_overlap_bps(registered, stated_name) == overlap


def test_thresholds_are_those_of_the_day() -> None:
    """Ages are counted to as_of: half a year later the young business is old enough."""
    application, _ = business(stated(trading_since="2026-02-04"))
    facts: Facts = facts_of(story(), AS_OF + timedelta(days=1))
    case = Case(application, facts, Evidence.of(application, facts), POLICY)
    assert "trading_too_short" not in {f.rule for f in screen(case)}
