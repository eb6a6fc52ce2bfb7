"""The made-up market behaves like the published figures behind it, and its signals mean what they should."""

from collections.abc import Callable
from datetime import date, timedelta
from statistics import median

import numpy as np
import pytest
from stdnum.au import abn as stdnum_abn
from stdnum.au import acn as stdnum_acn

from engine.facts import Facts
from engine.features.statement import summarise
from engine.values import DIVISIONS
from training.simulate.bank import bank_connected
from training.simulate.bureau import Adverse, make_bureau
from training.simulate.outcome import PERFORMANCE_CUT_OFF, draw_outcome, window_closed
from training.simulate.population import (
    FIRST_DAY,
    LAST_DAY,
    MOST_BUSINESSES,
    Business,
    draw_business,
    numbers,
)
from training.simulate.story import make
from training.simulate.trades import SHARES, TRADES

SEED = 7
Person = tuple[Business, Adverse, bool]


@pytest.fixture(scope="module")
def population() -> list[Person]:
    """Twelve thousand businesses with their adverse records and outcomes, without their statements."""
    drawn = [draw_business(SEED, index) for index in range(12_000)]
    reports = [make_bureau(business).adverse for business in drawn]
    return [
        (business, adverse, bool(draw_outcome(business, adverse, indeterminate=False).bad))
        for business, adverse in zip(drawn, reports, strict=True)
    ]


def bad_rate(population: list[Person], belongs: Callable[[Business, Adverse], bool]) -> float:
    """Share of bads among those who belong; at least 20 must, or the figure says nothing."""
    bads = [bad for business, adverse, bad in population if belongs(business, adverse)]
    assert len(bads) >= 20
    return sum(bads) / len(bads)


def test_numbers_are_valid_unique_and_never_issued() -> None:
    """Every ABN is valid and unique with a body of 900 000 000 or more; a company's ends in its valid ACN."""
    seen = set()
    for index in [*range(3_000), MOST_BUSINESSES - 1]:
        for entity_type in ("company", "trust"):
            abn, acn = numbers(SEED, index, entity_type)
            assert stdnum_abn.is_valid(abn)
            assert int(abn[:2]) >= 11
            assert int(abn[2:]) >= 900_000_000
            assert (acn is not None) == (entity_type == "company") == stdnum_acn.is_valid(abn[2:])
            assert acn in (None, abn[2:])
            seen.add(abn)
    assert len(seen) == 2 * 3_001


@pytest.mark.parametrize("index", [-1, MOST_BUSINESSES])
def test_an_index_without_a_number_is_refused(index: int) -> None:
    """There are ten million synthetic bodies and no more."""
    with pytest.raises(ValueError, match="index"):
        numbers(SEED, index, "company")


def test_the_share_of_bads_before_policy_is_about_six_per_cent(population: list[Person]) -> None:
    """Three thousand businesses, as any other three thousand, hold between 4.5 % and 8 % of bads."""
    for start in range(0, 12_000, 3_000):
        part = population[start : start + 3_000]
        assert 0.045 <= sum(bad for _, _, bad in part) / len(part) <= 0.08


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (lambda b, a: a.defaults >= 1, lambda b, a: a.defaults == 0),
        (lambda b, a: a.tax_disclosed, lambda b, a: not a.tax_disclosed),
        (lambda b, a: a.judgments > 0, lambda b, a: a.judgments == 0),
        (lambda b, a: b.fraud is not None, lambda b, a: b.fraud is None),
        (lambda b, a: len(b.loans) >= 2, lambda b, a: not b.loans),
        (lambda b, a: b.age_years < 2, lambda b, a: b.age_years > 5),
        (lambda b, a: b.division == "H", lambda b, a: b.division == "F"),
        (lambda b, a: b.traits.liquidity < -1, lambda b, a: b.traits.liquidity > 1),
        (lambda b, a: b.overdue_tax_cents > 0 and not b.tax_plan, lambda b, a: b.overdue_tax_cents == 0),
    ],
    ids=["defaults", "tax-disclosed", "judgments", "fraud", "stacking", "youth", "food", "cash", "tax"],
)
def test_signals_point_the_way_they_should(
    population: list[Person],
    worse: Callable[[Business, Adverse], bool],
    better: Callable[[Business, Adverse], bool],
) -> None:
    """Each published warning sign goes with more bads than its absence."""
    assert bad_rate(population, worse) > 1.15 * bad_rate(population, better)


def test_signals_are_as_strong_as_published(population: list[Person]) -> None:
    """Trade defaults 8-20 %, four or more above half, disclosed tax debt near a quarter."""
    assert 0.08 <= bad_rate(population, lambda b, a: a.defaults >= 1) <= 0.2
    assert bad_rate(population, lambda b, a: a.defaults >= 4) > 0.4
    assert 0.14 <= bad_rate(population, lambda b, a: a.tax_disclosed) <= 0.36


def test_missing_evidence_is_as_common_as_intended(population: list[Person]) -> None:
    """5-10 % connect no bank and 1-3 % are frauds."""
    drawn = [business for business, _, _ in population]
    assert 0.05 <= sum(not bank_connected(b) for b in drawn) / len(drawn) <= 0.10
    assert 0.01 <= sum(b.fraud is not None for b in drawn) / len(drawn) <= 0.03


def test_legal_forms_and_sizes_are_as_published(population: list[Person]) -> None:
    """Companies 42 %, sole traders 30 %, trusts 19 %, partnerships 9 %, within margins; turnover in range."""
    drawn = [business for business, _, _ in population]
    for form, share, margin in (
        ("company", 0.42, 0.05),
        ("sole_trader", 0.30, 0.06),
        ("trust", 0.19, 0.04),
        ("partnership", 0.09, 0.03),
    ):
        assert abs(sum(b.entity_type == form for b in drawn) / len(drawn) - share) < margin
    assert all(7_200_000 <= b.turnover_cents <= 2_000_000_000 for b in drawn)
    assert 25_000_000 < median(b.turnover_cents for b in drawn) < 60_000_000


def test_industries_are_real_and_their_shares_sum_to_one() -> None:
    """Every division and class exists in ANZSIC 2006; goods buyers are most of the market."""
    assert sum(share for _, share in SHARES) == pytest.approx(1)
    assert sum(share for letter, share in SHARES if letter in "FGCHEI") > 0.8
    for letter, trade in TRADES.items():
        _, low, high = DIVISIONS[letter]
        assert all(low <= int(code[:2]) <= high for code in trade.classes)


def test_days_of_application_span_the_period_and_late_outcomes_stay_open(population: list[Person]) -> None:
    """Applications fall on all of the period; a window that is not closed by the cut-off has no outcome."""
    days = [business.applied_on for business, _, _ in population]
    assert FIRST_DAY <= min(days) < FIRST_DAY + timedelta(days=10)
    assert LAST_DAY - timedelta(days=10) < max(days) <= LAST_DAY
    assert window_closed(date(2025, 11, 1))
    assert not window_closed(date(2025, 11, 2))
    assert window_closed(date(2024, 2, 29))
    for business, adverse, _ in population[:500]:
        outcome = draw_outcome(business, adverse)
        assert (outcome.bad is None) == (not window_closed(business.applied_on))
        assert (outcome.months_to_bad is not None) == (outcome.bad is True)
        assert outcome.months_to_bad is None or 3 <= outcome.months_to_bad <= 12
    assert date(2026, 11, 1) == PERFORMANCE_CUT_OFF


@pytest.fixture(scope="module")
def statements() -> list[tuple[Business, Facts]]:
    """Three hundred whole businesses as the engine reads them."""
    made = [make(SEED, index) for index in range(300)]
    return [(m.business, Facts.model_validate_json(m.facts_bytes)) for m in made]


def test_the_engine_reads_the_statement_as_it_was_meant(statements: list[tuple[Business, Facts]]) -> None:
    """For honest businesses revenue follows the true turnover, and the lenders found are those drawn."""
    ratios, wrong_lenders, seen = [], 0, 0
    for business, facts in statements:
        bank = facts.bank.value
        if bank is None or business.fraud or (bank.newest_on - bank.oldest_on).days < 170:
            continue
        summary = summarise(bank)
        ratios.append(12 * summary.revenue_month / business.turnover_cents)
        seen += 1
        wrong_lenders += summary.lenders != len(business.loans)
    assert 0.85 < median(ratios) < 1.15
    assert 0.4 < min(ratios) < max(ratios) < 2.5
    assert wrong_lenders <= 0.03 * seen  # a loan begun on the last days has not been repaid yet


def test_rows_a_business_have_the_intended_spread(statements: list[tuple[Business, Facts]]) -> None:
    """Some 600 to 900 transactions a statement on average, some 100 orders, both with long tails."""
    rows = [len(facts.bank.value.transactions) for _, facts in statements if facts.bank.value]
    orders = [len(facts.marketplace.value.orders) for _, facts in statements if facts.marketplace.value]
    assert 550 < np.mean(rows) < 950
    assert max(rows) > 2 * np.mean(rows)
    assert 70 < np.mean(orders) < 170
    assert max(orders) > 5 * np.mean(orders)


def test_some_files_are_thin_and_scores_lie_in_range(statements: list[tuple[Business, Facts]]) -> None:
    """A few per cent of reports have no score; the others keep to their own range."""
    reports = [facts.bureau.value for _, facts in statements if facts.bureau.value]
    assert len(reports) == len(statements)
    assert 0.02 <= sum(report.score is None for report in reports) / len(reports) <= 0.12
    assert all((report.score_low, report.score_high) == (0, 1_000) for report in reports)
