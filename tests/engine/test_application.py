"""What an applicant may state: well formed, free of contradictions, every fault at once, no value in an error."""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.application import REQUIRED_CONSENTS, Application
from tests.support.businesses import CONSENTS, application_json, story
from tests.support.stories import amounts

CANARY = "CANARY7f3a"
ORDINARY = application_json(story())


def stated(**changes: Any) -> dict[str, Any]:
    """The ordinary application's JSON with values replaced by dotted path (double underscore for the dot)."""
    values = deepcopy(ORDINARY)
    for path, value in changes.items():
        part, _, field = path.partition("__")
        if field:
            values[part][field] = value
        else:
            values[part] = value
    return values


def parse(values: dict[str, Any], today: date | None = None) -> Application:
    return Application.model_validate_json(json.dumps(values), context={"today": today} if today else None)


def faults(values: dict[str, Any], today: date | None = None) -> set[tuple[str, str]]:
    """Field and rule of every error."""
    with pytest.raises(ValidationError) as caught:
        parse(values, today)
    return {(".".join(map(str, e["loc"])), e["type"]) for e in caught.value.errors()}


applications = st.fixed_dictionaries(
    {
        "business__legal_name": st.text(st.characters(min_codepoint=33, max_codepoint=0xD7FF), min_size=1, max_size=40)
        .filter(lambda t: not any(c in t for c in "\x7f\u2028\u2029") and not any(0x80 <= ord(c) < 0xA0 for c in t))
        .filter(str.strip),
        "business__anzsic": st.sampled_from(["A", "S", "4511", "0111"]),
        "business__trading_since": st.dates(date(1800, 1, 1), date(2026, 8, 3)).map(date.isoformat),
        "request__amount_cents": amounts,
        "request__purpose": st.sampled_from(["stock", "supplier_invoice", "household"]),
        "request__purpose_detail": st.sampled_from([None, "Christmas stock — dolls & blocks"]),
        "finances__turnover_12m_cents": st.integers(0, 10**11),
        "finances__other_lenders": st.integers(1, 50),
        "finances__other_repayments_month_cents": st.integers(0, 10**11),
        "finances__overdue_tax_cents": st.integers(1, 10**11),
        "finances__tax_plan": st.booleans(),
    }
)


@given(applications)
def test_an_application_survives_json(changes: dict[str, Any]) -> None:
    """Canonical bytes, parsed and written again, are the same bytes and the same value."""
    first = parse(stated(**changes))
    again = Application.model_validate_json(first.canonical())
    assert again == first
    assert again.canonical() == first.canonical()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"business__acn": None}, ("business.acn", "acn_missing")),
        ({"business__acn": "004085616"}, ("business.acn", "abn_acn_mismatch")),
        ({"business__abn": "10000000000"}, ("business.abn", "abn_invalid")),
        ({"business__anzsic": "6111"}, ("business.anzsic", "anzsic_unknown")),
        ({"business__anzsic": "T"}, ("business.anzsic", "anzsic_unknown")),
        ({"request__amount_cents": 4_000_001}, ("request.amount_cents", "amount_step")),
        ({"request__amount_cents": 4_025_000}, ("request.amount_cents", "amount_step")),
        ({"request__amount_cents": 450_000}, ("request.amount_cents", "greater_than_equal")),
        ({"request__amount_cents": 30_050_000}, ("request.amount_cents", "less_than_equal")),
        (
            {"finances__other_repayments_month_cents": 1},
            ("finances.other_repayments_month_cents", "lenders_contradict"),
        ),
        ({"finances__overdue_tax_cents": 1}, ("finances.tax_plan", "tax_plan_missing")),
        ({"finances__tax_plan": True}, ("finances.tax_plan", "tax_plan_contradicts")),
        ({"finances__other_lenders": 51}, ("finances.other_lenders", "less_than_equal")),
        ({"finances__turnover_12m_cents": -1}, ("finances.turnover_12m_cents", "greater_than_equal")),
        ({"consents": []}, ("consents", "consent_missing")),
        ({"consents": ORDINARY["consents"] + ORDINARY["consents"][:1]}, ("consents", "consent_repeated")),
        ({"people": []}, ("people", "too_short")),
        ({"people": [{"ref": "per_a", "roles": ["director"]}]}, ("people", "contact_missing")),
        (
            {"people": [{"ref": "per_a", "roles": ["owner", "contact"], "ownership_bps": 2_499}]},
            ("people", "owner_share"),
        ),
        (
            {"people": [{"ref": f"per_{i}", "roles": ["owner", "contact"], "ownership_bps": 5_001} for i in "ab"]},
            ("people", "ownership_over_whole"),
        ),
        ({"surprise": 1}, ("surprise", "extra_forbidden")),
        ({"request__surprise": 1}, ("request.surprise", "extra_forbidden")),
    ],
)
def test_a_contradiction_is_refused_by_name(changes: dict[str, Any], fault: tuple[str, str]) -> None:
    """Each rule names its field and itself, and nothing else is found wrong."""
    assert faults(stated(**changes)) == {fault}


@pytest.mark.parametrize("value", [4_000_000.0, "4000000", True, None])
def test_money_is_whole_cents(value: object) -> None:
    """Floats, text and booleans are no amounts: nothing is converted silently."""
    assert {field for field, _ in faults(stated(request__amount_cents=value))} == {"request.amount_cents"}


@pytest.mark.parametrize("value", [0, 1, "true", "yes"])
def test_a_flag_is_a_boolean(value: object) -> None:
    """Numbers and words are no flags."""
    assert {field for field, _ in faults(stated(business__gst_registered=value))} == {"business.gst_registered"}


@pytest.mark.parametrize("amount", [500_000, 550_000, 29_950_000, 30_000_000])
def test_the_product_range_is_inclusive(amount: int) -> None:
    """5,000 and 300,000 dollars are lines, and so is every step of 500 between."""
    assert parse(stated(request__amount_cents=amount)).request.amount_cents == amount


def test_dates_are_checked_against_the_day_given() -> None:
    """Trading from tomorrow is refused where the day is known; without a day there is no clock to ask."""
    values = stated(business__trading_since="2026-08-04")
    assert faults(values, date(2026, 8, 3)) == {("business.trading_since", "date_in_future")}
    assert parse(values, date(2026, 8, 4)).business.trading_since == date(2026, 8, 4)
    assert parse(values).business.trading_since == date(2026, 8, 4)


@pytest.mark.parametrize("entity", ["sole_trader", "partnership"])
def test_natural_persons_declare_a_business_purpose(entity: str) -> None:
    """The declaration is asked of people, whose credit the consumer code could cover, and not of companies."""
    without = [c for c in ORDINARY["consents"] if c["kind"] != "business_purpose"]
    values = stated(consents=without, business__entity_type=entity, business__acn=None)
    assert faults(values) == {("consents", "consent_missing")}
    assert parse(stated(consents=without)).consented("business_purpose") is False
    assert parse(stated(business__entity_type=entity, business__acn=None)).consented("business_purpose")


@pytest.mark.parametrize("kind", sorted(REQUIRED_CONSENTS))
def test_a_refused_consent_is_not_given(kind: str) -> None:
    """Each required consent must be given: a recorded no counts as missing."""
    refused = [{**c, "given": c["kind"] != kind} for c in ORDINARY["consents"]]
    assert faults(stated(consents=refused)) == {("consents", "consent_missing")}


def test_bank_data_and_marketing_are_never_conditions() -> None:
    """The bank may be left out and marketing refused; both change what is known, not whether one may apply."""
    kept = [c for c in ORDINARY["consents"] if c["kind"] != "bank_data"]
    marketing = {**kept[0], "kind": "direct_marketing", "given": False}
    application = parse(stated(consents=[*kept, marketing]))
    assert not application.consented("bank_data")
    assert not application.consented("direct_marketing")
    assert {"bank_data", "direct_marketing"}.isdisjoint(REQUIRED_CONSENTS)
    assert "bank_data" in CONSENTS


def test_only_a_company_abn_holds_its_acn() -> None:
    """A trust's ABN is not its trustee's ACN, so the two may differ there."""
    assert parse(stated(business__entity_type="trust", business__acn="004085616")).business.acn == "004085616"


def test_every_fault_is_reported_at_once() -> None:
    """One answer names all that is wrong, in every part of the application."""
    values = stated(
        business__abn="1", business__acn="2", business__anzsic="61", business__state="XX", request__amount_cents=1,
        request__purpose="fun", finances__overdue_tax_cents=5, finances__other_lenders=-1, people=[], consents=[],
    )  # fmt: skip
    assert {field for field, _ in faults(values)} == {
        "business.abn", "business.acn", "business.anzsic", "business.state", "request.amount_cents",
        "request.purpose", "finances.tax_plan", "finances.other_lenders", "people", "consents",
    }  # fmt: skip


def leaves(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        yield from leaves(value[0], (*path, 0))
    else:
        yield path


@pytest.mark.parametrize("path", list(leaves(ORDINARY)), ids=lambda path: ".".join(map(str, path)))
def test_errors_hold_no_value(path: tuple[str | int, ...]) -> None:
    """A wrong text, number, list or table in any field leaves no trace of itself in the error."""
    for wrong in (f"{CANARY}\n", [CANARY], {CANARY[:0] + "k": CANARY}, -98_765_431, 98_765_431.25):
        values = deepcopy(ORDINARY)
        place: Any = values
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = wrong
        with pytest.raises(ValidationError) as caught:
            parse(values)
        text = str(caught.value) + "".join(e["msg"] for e in caught.value.errors(include_input=False))
        assert CANARY not in text
        assert "98765431" not in text


def test_an_application_cannot_be_changed() -> None:
    """Frozen through and through: assignment is refused, and lists became tuples."""
    application = parse(ORDINARY)
    with pytest.raises(ValidationError, match="frozen"):
        application.request.amount_cents = 500_000  # type: ignore[misc]
    assert [type(value) for value in (application.consents, application.people)] == [tuple, tuple]
