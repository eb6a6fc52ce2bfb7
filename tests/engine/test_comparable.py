"""A comparable business: it names nobody, sums up as the original, and is moved and scaled as it says."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.canonical import canonical_bytes
from engine.comparable import (
    GROUPS,
    LEAST_RATIO,
    MOST_RATIO,
    Comparable,
    deidentified,
    fitted,
    group_of,
)
from engine.facts import BankData, Facts
from engine.facts.bank import KINDS
from engine.features import feature_row
from engine.features.statement import summarise
from engine.features.trade import summarise_orders
from engine.features.vocabulary import categorise
from engine.values import DIVISIONS
from tests.support.businesses import TODAY, business
from tests.support.statements import TEXTS, random_bank
from tests.support.stories import stories


def facts_with(bank: BankData) -> Facts:
    """The ordinary business's facts with another statement."""
    facts = business()[1]
    return facts.model_copy(update={"bank": facts.bank.model_copy(update={"value": bank})})


# -- de-identified -------------------------------------------------------------------------------------------


@given(st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_a_statement_without_names_sums_up_as_before(seed: int) -> None:
    """Whatever the texts, accounts and rows, everything that a decision reads of the statement stays the same."""
    bank = random_bank(seed)
    comparable = deidentified("G", facts_with(bank))
    if not sum(summarise(bank).revenue):
        assert comparable is None
        return
    assert comparable is not None
    assert summarise(comparable.bank) == summarise(bank)


@given(st.lists(st.text(max_size=60), min_size=1, max_size=30, unique=True))
@settings(max_examples=150, deadline=None)
def test_texts_keep_their_meanings_and_who_they_are_from(texts: list[str]) -> None:
    """Each text's categories stay, and two texts have one made-up party exactly where they had one payer."""
    count = len(texts)
    rows = {
        "posted_day": [20_000] * count, "account": [0] * count, "amount_cents": [100 + i for i in range(count)],
        "kind": [KINDS.index("PAYMENT")] * count, "merchant_category": [0] * count, "text": list(range(count)),
    }  # fmt: skip
    bank = BankData.model_validate_json(
        canonical_bytes(
            {
                "evidence": "connected", "oldest_on": "2024-09-01", "newest_on": "2024-10-10",
                "accounts": [
                    {"account_id": "1", "product_category": "TRANS_AND_SAVINGS_ACCOUNTS", "current_cents": 0,
                     "available_cents": 0}
                ],
                "texts": texts, "transactions": rows,
            }
        )
    )  # fmt: skip
    comparable = deidentified("G", facts_with(bank))
    if comparable is None:  # none of it is a sale
        return
    bits, keys = categorise(bank.texts)
    new_bits, new_keys = categorise(comparable.bank.texts)
    now = comparable.bank.transactions["text"].tolist()
    assert [new_bits[text] for text in now] == bits.tolist()
    assert len(set(zip(keys, [new_keys[text] for text in now], strict=True))) == len(set(keys)) == len(set(new_keys))
    assert summarise(comparable.bank) == summarise(bank)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("bank", "texts", 0), "DIRECT CREDIT WATTLE STORES"),
        (("bank", "texts", 0), "PARTY TAB"),
        (("bank", "accounts", 0, "account_id"), "062-000 1234"),
        (("bureau", "bureau"), "some-bureau"),
        (("bureau", "score_name"), "some-score"),
        (("marketplace", "suppliers", 0, "id"), "SUP-0"),
        (("revenue_12m_cents",), 0),
        (("division",), "T"),
        (("abn",), "37955501005"),
    ],
)
def test_a_comparable_that_names_somebody_cannot_be(path: tuple[Any, ...], value: object) -> None:
    """A text, account, supplier or bureau that is not made up is refused, and so is any further field."""
    comparable = deidentified("G", business()[1])
    assert comparable is not None
    record = json.loads(comparable.canonical())
    assert Comparable.model_validate_json(canonical_bytes(record)) == comparable
    spot = record
    for step in path[:-1]:
        spot = spot[step]
    spot[path[-1]] = value
    with pytest.raises(ValidationError) as caught:
        Comparable.model_validate_json(canonical_bytes(record))
    if isinstance(value, str):
        assert value not in str(caught.value)


def test_only_whole_and_connected_businesses_are_comparable() -> None:
    """Without a statement, a report or a sale, or on an uploaded statement, there is nothing to compare with."""
    assert deidentified("G", business()[1]) is not None
    assert deidentified("G", business({"marketplace": {"status": "absent"}})[1]) is not None
    for told in (
        {"bank": {"status": "absent"}}, {"bank": {"status": "failed"}}, {"bank": {"evidence": "declared"}},
        {"bank": {"days": 15}}, {"bureau": {"status": "absent"}},
    ):  # fmt: skip
        assert deidentified("G", business(told)[1]) is None


def test_every_division_has_one_group() -> None:
    """The groups hold each division once."""
    assert sorted("".join(GROUPS)) == sorted(DIVISIONS)
    assert group_of("H") == "HR"


def test_the_words_of_the_tests_mean_something() -> None:
    """The random texts above hold every category but gambling by merchant, so that the properties have work to do."""
    bits, _ = categorise(TEXTS)
    assert len({int(bit) for bit in bits if bit}) >= 6


# -- fitted --------------------------------------------------------------------------------------------------


@given(stories(every_source=True), st.integers(0, 4_000))
@settings(max_examples=60, deadline=None)
def test_moving_in_time_keeps_what_a_decision_reads(told: dict[str, Any], days: int) -> None:
    """At its own turnover and on any day a comparable's features are those of the business it was made from."""
    told["bank"]["evidence"] = "connected"
    application, facts = business(told)
    comparable = deidentified("G", facts)
    if comparable is None:
        return
    here = fitted(comparable, TODAY, comparable.revenue_12m_cents)
    assert summarise(here.bank) == summarise(facts.bank.value or here.bank)
    market, was = here.marketplace, facts.marketplace.value
    assert market is not None
    assert was is not None
    assert str(summarise_orders(market, TODAY)) == str(summarise_orders(was, TODAY))  # as text, since NaN is not NaN
    update = {name: getattr(facts, name).model_copy(update={"value": getattr(here, name)})
              for name in ("bank", "bureau", "marketplace")}  # fmt: skip
    before, after = feature_row(application, facts), feature_row(application, facts.model_copy(update=update))
    assert before.tobytes() == after.tobytes()
    elsewhere = fitted(comparable, TODAY + timedelta(days=days), comparable.revenue_12m_cents)
    assert summarise(elsewhere.bank) == summarise(here.bank)


@given(st.integers(0, 2**32), st.floats(0.1, 5.0))
@settings(max_examples=100, deadline=None)
def test_scaling_brings_revenue_to_the_stated_turnover(seed: int, ratio: float) -> None:
    """Within the bounds a year's revenue is the stated turnover to rounding; beyond, the bound's share of it."""
    comparable = deidentified("G", facts_with(random_bank(seed)))
    if comparable is None:
        return
    stated = max(round(comparable.revenue_12m_cents * ratio), 1)
    scaled = fitted(comparable, TODAY, stated)
    held = min(max(stated / comparable.revenue_12m_cents, LEAST_RATIO), MOST_RATIO)
    now = summarise(scaled.bank)
    rows = len(scaled.bank.transactions)
    assert abs(12 * sum(now.revenue) / len(now.revenue) - held * comparable.revenue_12m_cents) <= 12 * (rows + 1)
    before = summarise(comparable.bank)
    unscaled = {"lenders", "dishonours", "coverage_days", "days_since_sale"}
    assert {name: getattr(now, name) for name in unscaled} == {name: getattr(before, name) for name in unscaled}
    assert abs(now.balance_mean - held * before.balance_mean) <= rows + 2


def test_what_the_credit_file_says_of_amounts_is_not_scaled() -> None:
    """Defaults and disclosed tax debt stay as reported."""
    facts = business({"bureau": {"defaults": [{"on": "2025-02-03", "amount_cents": 80_000, "paid": True}]}})[1]
    comparable = deidentified("G", facts)
    assert comparable is not None
    report = fitted(comparable, TODAY, 2 * comparable.revenue_12m_cents).bureau
    assert [(d.on, d.amount_cents) for d in report.defaults] == [(date(2025, 2, 3), 80_000)]
