"""Every model input: declared in full, forbidden attributes kept out, missing exactly where its rule says so."""

import re
from collections import Counter
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine.features
from engine import features
from engine.application import Application
from engine.features import FEATURE_NAMES, FEATURES, Evidence, Feature, contract_digest, feature_row, row_of
from engine.features.business import DIVISION_RISK
from engine.features.catalogue import MISSING, Catalogue
from engine.reasons import CATALOGUE
from engine.values import DIVISIONS
from tests.support.attributes import PROTECTED, PROXIES
from tests.support.businesses import application_json, business, story
from tests.support.stories import stories

GROUPS = ("business", "request", "marketplace", "bank", "bureau")


def values_of(overrides: dict[str, Any] | None = None) -> dict[str, float]:
    """Features of a story by name."""
    return dict(zip(FEATURE_NAMES, feature_row(*business(overrides)).tolist(), strict=True))


def same(one: dict[str, float], other: dict[str, float]) -> bool:
    """Equal, NaN being equal to NaN."""
    return bool(np.array_equal(np.array(list(one.values())), np.array(list(other.values())), equal_nan=True))


# -- declarations --------------------------------------------------------------------------------------------


def test_the_catalogue_is_whole() -> None:
    """At least 45 features in five groups, group after group, each name once."""
    assert len(FEATURES) >= 45
    assert tuple(dict.fromkeys(f.group for f in FEATURES)) == GROUPS
    assert [f.group for f in FEATURES] == sorted((f.group for f in FEATURES), key=GROUPS.index)
    assert Counter(FEATURE_NAMES).most_common(1)[0][1] == 1


@pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.name)
def test_a_declaration_says_everything(feature: Feature) -> None:
    """Unit, range, direction, reason in the catalogue, missing rule, meaning, and the personal information read."""
    assert feature.unit in {"months", "days", "dollars", "ratio", "share", "count", "flag", "rank"}
    assert feature.low < feature.high
    assert feature.direction in {-1, 0, 1}
    assert feature.reason in CATALOGUE
    assert feature.reason_missing in CATALOGUE
    assert feature.missing
    assert feature.meaning.endswith(".")
    assert feature.personal
    assert re.fullmatch(r"[a-z][a-z0-9_]{2,79}", feature.name)
    if feature.unit in {"share", "flag"}:
        assert feature.low == 0


@pytest.mark.parametrize("name", PROTECTED + PROXIES)
def test_a_protected_attribute_cannot_be_declared(name: str) -> None:
    """No attribute that must not drive a decision, and no proxy of one, can become a feature."""
    catalogue = Catalogue("business", missing="never", personal=None)

    def compute(evidence: Evidence) -> float:
        """Something."""
        return 0.0

    compute.__name__ = name
    with pytest.raises(ValueError, match="forbidden or proxy"):
        catalogue.feature("count", 0, 1, 0, "R15")(compute)
    assert catalogue.features == []


def test_an_empty_range_cannot_be_declared() -> None:
    """A feature whose lowest value is not below its highest is a slip."""
    with pytest.raises(ValueError, match="empty range"):
        Catalogue("bank", missing="never", personal=None).feature("count", 1, 1, 0, "R15")(lambda e: 0.0)


def test_features_do_not_read_people() -> None:
    """No module of the features knows engine.people, and no people, names or references of an application."""
    folder = Path(engine.features.__file__).parent
    for path in sorted(folder.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert "engine.people" not in text, path.name
        assert not [word for word in (".people", "legal_name", "entity_name") if word in text], path.name


def test_who_applies_does_not_move_a_feature() -> None:
    """Other people, another name, another identity of the business and other consents give the same row."""
    application, facts = business()
    stated = application_json(story())
    stated["people"] = [{"ref": "per_other", "roles": ["contact"]}, {"ref": "per_b", "roles": ["director"]}]
    stated["business"].update(
        abn="77912345674",
        acn="912345674",
        legal_name="ANOTHER NAME PTY LTD",
        state="NT",
        gst_registered=False,
    )
    stated["consents"].append({"kind": "direct_marketing", "version": "1", "given": True, "at": "2026-01-01T00:00:00Z"})
    other = Application.model_validate(stated, strict=False)
    assert np.array_equal(feature_row(application, facts), feature_row(other, facts), equal_nan=True)


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("defaults_count", 1), ("defaults_unpaid", 1), ("court_actions", 1), ("tax_debt_disclosed", 1),
        ("enquiries_6m", 1), ("bureau_score", -1), ("days_beyond_terms", 1), ("registrations_6m", 1),
        ("dishonours_90", 1), ("negative_days_90", 1), ("lenders_seen", 1), ("gambling_share", 1),
        ("revenue_trend", -1), ("debt_service_cover", -1), ("trading_age_months", -1), ("chargebacks", 1),
    ],
)  # fmt: skip
def test_known_signals_have_their_direction(name: str, direction: int) -> None:
    """What raises the chance of default in the published outcomes may only raise the PD."""
    assert features.BY_NAME[name].direction == direction


def test_every_division_has_its_risk() -> None:
    """The relative risk of each ANZSIC division is known and inside the feature's range."""
    assert set(DIVISION_RISK) == set(DIVISIONS)
    assert all(0 < risk <= 5 for risk in DIVISION_RISK.values())


def test_the_contract_covers_order_and_declaration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another order, range, direction or missing rule is another contract; another wording of the meaning is not."""
    before = contract_digest()
    first, *rest = FEATURES

    def digest_with(*changed: Feature) -> str:
        monkeypatch.setattr(features, "FEATURES", changed)
        return contract_digest()

    def replaced(**changes: Any) -> Feature:
        names = [n for n in Feature.__slots__ if n not in changes]
        return Feature(**{**{n: getattr(first, n) for n in names}, **changes})

    assert digest_with(*reversed(FEATURES)) != before
    for change in ({"high": first.high + 1}, {"direction": 1}, {"missing": "sometimes"}, {"unit": "count"}):
        assert digest_with(replaced(**change), *rest) != before, change
    assert digest_with(replaced(meaning="Otherwise worded."), *rest) == before


# -- values --------------------------------------------------------------------------------------------------


def missing_rules(e: Evidence) -> dict[str, bool]:
    """Each phrase of the declared missing rules, and whether it holds."""
    bank, orders, report = e.bank, e.orders, e.bureau
    return {
        "never": False,
        "register not present": e.register is None,
        "marketplace not present": orders is None,
        "no order": orders is not None and not orders.orders,
        "no completed order": orders is not None and not orders.completed,
        "no paid order": orders is not None and isnan(orders.days_late_mean),
        "no orders in the earlier quarter": orders is not None and not orders.gmv_previous_quarter_cents,
        "bank not present": bank is None,
        "below one month": bank is not None and bank.coverage_days < 30,
        "below six months": bank is not None and bank.coverage_days < 180,
        "no revenue": bank is not None and not sum(bank.revenue),
        "no earlier revenue": bank is not None and not sum(bank.revenue[3:]),
        "no sales": bank is not None and not bank.payer_totals,
        "no outgoings": bank is not None and not bank.outflow,
        "no overdraft or card": bank is not None and not bank.revolving_limit,
        "bureau report not present": report is None,
        "without a score": report is not None and report.score is None,
        "no trade payment data": report is not None and report.days_beyond_terms is None,
    }


@settings(max_examples=80)
@given(stories(), st.sampled_from([None, 0]))
def test_a_value_is_missing_exactly_where_its_rule_says(told: dict[str, Any], sales: int | None) -> None:
    """NaN where one phrase of the declared rule holds, and a number in range, of four decimals, everywhere else."""
    if sales is not None and told["bank"].get("status", "present") == "present":
        told["bank"].update(sales_a_month_cents=0, costs_a_month_cents=0, lenders=[], dishonours=0, gambling_cents=0)
    evidence = Evidence.of(*business(told))
    holds = missing_rules(evidence)
    for feature, value in zip(FEATURES, row_of(evidence).tolist(), strict=True):
        rule_holds = any(holds[phrase.strip()] for phrase in re.split(r", or |, ", feature.missing))
        assert isnan(value) == rule_holds, (feature.name, value)
        if not rule_holds:
            assert feature.low <= value <= feature.high, feature.name
            assert value == round(value, 4), feature.name


def test_every_phrase_of_a_missing_rule_is_known() -> None:
    """The rules are written in the phrases that the test above can check."""
    phrases = {p.strip() for f in FEATURES for p in re.split(r", or |, ", f.missing)}
    assert phrases == set(missing_rules(Evidence.of(*business())))


@pytest.mark.parametrize("status", ["absent", "failed"])
@pytest.mark.parametrize(
    ("source", "groups"),
    [("registry", {"business"}), ("marketplace", {"marketplace"}), ("bank", {"bank"}), ("bureau", {"bureau"}),
     ("compliance", set()), ("exposure", set())],
)  # fmt: skip
def test_losing_a_source_empties_its_group_alone(source: str, groups: set[str], status: str) -> None:
    """What one source says is missing without it, never zero, and nothing else moves."""
    whole, without = values_of(), values_of({source: {"status": status}})
    for feature in FEATURES:
        if feature.group in groups and feature.missing != "never":
            assert isnan(without[feature.name]), feature.name
        else:
            assert same({"": without[feature.name]}, {"": whole[feature.name]}), feature.name


def test_zero_is_a_value() -> None:
    """A connected bank without a sale, an empty order book and a clean file give zeros where an absence gives NaN."""
    quiet = values_of(
        {
            "bank": {"sales_a_month_cents": 0, "costs_a_month_cents": 0},
            "marketplace": {"orders_a_month": 0},
            "bureau": {"enquiries_days_ago": []},
        }
    )
    for name in ("revenue_month_6", "revenue_month_3", "lenders_seen", "gmv_12m", "orders_12m", "active_months_12",
                 "chargebacks", "enquiries_12m", "defaults_unpaid", "tax_debt_disclosed"):  # fmt: skip
        assert quiet[name] == 0, name
    assert quiet["days_since_sale"] == 180
    assert quiet["days_since_order"] == 365


ORDINARY = {
    "abn_age_months": 101, "trading_age_months": 101, "gst_age_months": 101, "age_overstated_months": 0,
    "industry_risk": 1.15, "staff_rank": 2, "amount_requested": 40_000, "amount_to_turnover": 0.0417,
    "turnover_declared": 960_000, "marketplace_tenure_months": 62, "gmv_12m": 303_570, "orders_12m": 120,
    "active_months_12": 12, "order_value_mean": 2_529.75, "amount_to_gmv_month": 1.5812, "coverage_days": 180,
    "revenue_month_6": 80_000, "revenue_month_3": 80_000, "revenue_trend": 0, "revenue_cv": 0, "cash_margin": 0.175,
    "debt_service_cover": 4.2, "payer_top_share": 0.1333, "turnover_overstated": 0, "bureau_score": 0.72,
    "file_age_months": 98, "months_since_default": 120, "days_beyond_terms": 2,
}  # fmt: skip


def test_the_ordinary_business_has_its_figures() -> None:
    """Worked by hand: 80,000 a month in, 66,000 out, 40,000 asked, so cover is 14,000 / (40,000 / 12)."""
    values = values_of()
    assert {name: values[name] for name in ORDINARY} == ORDINARY


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"application": {"finances": {"turnover_12m_cents": 0}}}, {"amount_to_turnover": 1_000}),
        (
            {"application": {"finances": {"overdue_tax_cents": 9_600_000, "tax_plan": False}}},
            {"overdue_tax_to_turnover": 0.1, "overdue_tax_without_plan": 1},
        ),
        (
            {"application": {"finances": {"overdue_tax_cents": 9_600_000, "tax_plan": True}}},
            {"overdue_tax_to_turnover": 0.1, "overdue_tax_without_plan": 0},
        ),
        (
            {"application": {"finances": {"other_lenders": 2, "other_repayments_month_cents": 800_000}}},
            {"lenders_declared": 2, "repayments_to_turnover": 0.1},
        ),
        ({"bank": {"last_half_factor": 0.5}}, {"revenue_trend": -0.5, "revenue_month_3": 40_000}),
        ({"bank": {"dishonours": 4}}, {"dishonours_90": 4}),
        (
            {"bank": {"lenders": [{"name": "PROSPA", "month_cents": 800_000}]}},
            {"lenders_seen": 1, "lenders_undeclared": 1, "lender_debit_share": 0.1, "debt_service_cover": 1.2353},
        ),
        ({"marketplace": {"outcomes": [1] * 30 + [3] * 12 + [4] * 6}},
         {"cancel_rate": 0.25, "dispute_loss_rate": 0.1, "chargebacks": 6}),
        ({"marketplace": {"days_late": 8}}, {"days_late_mean": 8, "late_share": 1}),
        ({"marketplace": {"days_late": 7}}, {"days_late_mean": 7, "late_share": 0}),
        ({"registry": {"gst_from": None}}, {"gst_age_months": 0}),
        ({"registry": {"abn_active_from": "2025-08-03"}}, {"abn_age_months": 12, "age_overstated_months": 89}),
        (
            {"bureau": {"defaults": [{"on": "2025-08-03", "amount_cents": 120_000, "paid": False},
                                     {"on": "2024-08-03", "amount_cents": 70_000, "paid": True}]}},
            {"defaults_count": 2, "defaults_unpaid": 1_200, "months_since_default": 12},
        ),
        (
            {"bureau": {"court_actions": [{"on": "2025-01-01", "amount_cents": 1, "judgment": True}]}},
            {"court_actions": 2},
        ),
        ({"bureau": {"enquiries_days_ago": [1, 182, 183, 364, 365]}}, {"enquiries_6m": 2, "enquiries_12m": 4}),
        ({"bureau": {"registrations": [{"on": "2026-07-01", "all_assets": True}]}},
         {"registrations_6m": 1, "all_assets_registered": 1}),
        ({"bureau": {"score": 500, "score_low": 0, "score_high": 1_200}}, {"bureau_score": 0.4167}),
        ({"bureau": {"tax_debt_disclosed_cents": 12_000_000}}, {"tax_debt_disclosed": 120_000}),
    ],
)  # fmt: skip
def test_a_story_has_its_figures(told: dict[str, Any], expected: dict[str, float]) -> None:
    """Each part of a story moves the features that speak of it, by the definition."""
    values = values_of(told)
    assert {name: values[name] for name in expected} == expected


def test_values_are_clipped_to_their_range() -> None:
    """A value beyond its declared range counts as the end of the range, so that no outlier leaves the contract."""
    values = values_of({"registry": {"abn_active_from": "1900-01-01"}, "bureau": {"days_beyond_terms": 1_000}})
    assert values["abn_age_months"] == 600
    assert values["days_beyond_terms"] == 365
    assert isnan(MISSING)
