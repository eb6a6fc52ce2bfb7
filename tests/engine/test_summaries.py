"""The vectorised summaries of statements and orders against slow plain ones, and their definitions by example."""

import gc
from dataclasses import asdict
from datetime import date, timedelta
from math import isnan
from statistics import fmean, pstdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.facts import Account, BankData, MarketplaceHistory, Orders, Transactions
from engine.facts.bank import KINDS, day_number
from engine.features.once import Once
from engine.features.statement import BankSummary, _deviation, summarise
from engine.features.trade import summarise_orders
from tests.support.statements import NEWEST, random_bank, random_history, slow_orders, slow_summary

Row = tuple[int, int, int, str, str]  # age in days, account, dollars, kind, text


@pytest.mark.parametrize("seed", range(150))
def test_a_statement_is_summed_up_as_defined(seed: int) -> None:
    """On random statements every figure equals that of plain loops over the rows."""
    bank = random_bank(seed)
    assert asdict(summarise(bank)) == slow_summary(bank)


@pytest.mark.parametrize("seed", range(60))
def test_orders_are_summed_up_as_defined(seed: int) -> None:
    """On random histories every figure equals that of plain loops over the orders; a missing ratio is NaN."""
    history = random_history(seed)
    slow = slow_orders(history, NEWEST)
    for name, value in asdict(summarise_orders(history, NEWEST)).items():
        expected = slow[name]
        if expected is None:
            assert isnan(value), name
        else:
            assert value == float(expected) if isinstance(value, float) else value == expected, name  # type: ignore[arg-type]


@pytest.mark.parametrize("factor", [65_536, 110_000])
@pytest.mark.parametrize("seed", range(60))
def test_no_amount_is_too_large_to_be_summed_up(seed: int, factor: int) -> None:
    """The same on amounts up to the largest that a row holds, and on such that are alike in their low bits."""
    bank = random_bank(seed)
    columns = {name: bank.transactions[name] for name in Transactions.columns}
    large = Transactions({**columns, "amount_cents": columns["amount_cents"] * factor})
    bank = bank.model_copy(update={"transactions": large})
    assert asdict(summarise(bank)) == slow_summary(bank)


@pytest.mark.parametrize("seed", range(150))
def test_monthly_means_are_those_of_the_library(seed: int) -> None:
    """Mean and spread of a month are to the last bit what the statistics library says of the same months."""
    s = summarise(random_bank(seed))
    for mean, months in ((s.revenue_month, s.revenue), (s.debt_service_month, s.debt_service)):
        assert mean == (fmean(months) if months else 0.0)
    assert s.cash_before_debt_month == (fmean(s.net_flow) + fmean(s.debt_service) if s.net_flow else 0.0)
    assert s.revenue_cv == (pstdev(s.revenue) / fmean(s.revenue)) if sum(s.revenue) else isnan(s.revenue_cv)


@given(st.lists(st.integers(0, 2 * 10**14) | st.integers(0, 20), min_size=1, max_size=6))
def test_a_deviation_is_that_of_the_library(months: list[int]) -> None:
    """Whatever the months, the deviation is to the last bit the one that the statistics library takes fractions for."""
    assert _deviation(tuple(months)) == pstdev(months)


def test_random_statements_are_eventful() -> None:
    """The oracle's statements between them reach every figure, so that equality above means something."""
    reached = [asdict(summarise(random_bank(seed))) for seed in range(150)]
    for name in BankSummary.__slots__:
        assert len({str(summary[name]) for summary in reached}) > (name != "evidence"), name


def told(*rows: Row, days: int = 180, accounts: int = 2, **changes: Any) -> BankSummary:
    """The summary of a few rows over two spending accounts."""
    last = day_number(NEWEST)
    ordered = sorted(rows, key=lambda row: -row[0])
    texts = tuple(dict.fromkeys(row[4] for row in ordered))
    listed = [
        Account(
            account_id=f"a{i}",
            product_category="TRANS_AND_SAVINGS_ACCOUNTS",
            current_cents=0,
            available_cents=0,
        )
        for i in range(accounts)
    ]
    block = Transactions(
        {
            "posted_day": [last - row[0] for row in ordered],
            "account": [row[1] for row in ordered],
            "amount_cents": [row[2] * 100 for row in ordered],
            "kind": [KINDS.index(row[3]) for row in ordered],
            "merchant_category": [0] * len(ordered),
            "text": [texts.index(row[4]) for row in ordered],
        }
    )
    return summarise(
        BankData(
            evidence="connected", oldest_on=NEWEST - timedelta(days=days - 1), newest_on=NEWEST,
            accounts=tuple(listed), texts=texts, transactions=block, **changes,
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("out_text", "in_text", "out_kind", "in_kind"),
    [
        ("TFR TO SAVINGS", "TFR FROM MAIN", "PAYMENT", "PAYMENT"),
        ("TFR TO SAVINGS", "INTERNET DEPOSIT", "PAYMENT", "PAYMENT"),
        ("NETBANK 123", "INTERNET DEPOSIT", "TRANSFER_OUTGOING", "PAYMENT"),
        ("NETBANK 123", "INTERNET DEPOSIT", "PAYMENT", "TRANSFER_INCOMING"),
    ],
)
@pytest.mark.parametrize("days_apart", [0, 1, 2])
def test_money_between_own_accounts_is_no_revenue(
    out_text: str, in_text: str, out_kind: str, in_kind: str, days_apart: int
) -> None:
    """Equal and opposite amounts on two accounts within two days, one side a transfer, are not sales."""
    summary = told((9, 0, -700, out_kind, out_text), (9 - days_apart, 1, 700, in_kind, in_text))
    assert (sum(summary.revenue), sum(summary.net_flow), summary.outflow) == (0, 0, 0)


@pytest.mark.parametrize(
    ("second", "why"),
    [
        ((6, 1, 700, "PAYMENT", "TFR FROM MAIN"), "three days apart"),
        ((9, 0, 700, "PAYMENT", "TFR FROM MAIN"), "on the same account"),
        ((9, 1, 699, "PAYMENT", "TFR FROM MAIN"), "not equal"),
    ],
)
def test_what_is_no_pair_stays(second: Row, why: str) -> None:
    """Three days apart, one account, or another amount: no pair, so the credit counts."""
    summary = told((9, 0, -700, "PAYMENT", "TFR TO SAVINGS"), second)
    assert summary.outflow == 70_000, why
    assert sum(summary.revenue) > 0, why


def test_without_a_transfer_there_is_no_pair() -> None:
    """A sale and a purchase of the same amount on two accounts are a sale and a purchase."""
    summary = told((9, 0, -700, "PAYMENT", "SUPPLIER HAKEA"), (9, 1, 700, "PAYMENT", "BORONIA CAFE"))
    assert (sum(summary.revenue), summary.outflow) == (70_000, 70_000)


def test_each_row_pairs_once_and_with_the_nearest_day() -> None:
    """Of two transfers out and one in, the one of the same day pairs and the older one stays an outgoing."""
    summary = told(
        *((31, 0, -700, "PAYMENT", "TFR TO HAKEA"), (29, 0, -700, "PAYMENT", "TFR TO SAVINGS")),
        (29, 1, 700, "PAYMENT", "TFR FROM MAIN"),
    )
    assert summary.outflow == 70_000
    assert summary.net_flow[:2] == (0, -70_000)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("PROSPA LOAN PROCEEDS", "PAYMENT"), ("REFUND FROM HAKEA", "PAYMENT"), ("CHARGEBACK 12", "PAYMENT"),
        ("OWNER CONTRIBUTION", "PAYMENT"), ("CAPITAL INJECTION", "PAYMENT"), ("SMALL BUSINESS GRANT", "PAYMENT"),
        ("RETURNED ITEM", "PAYMENT"), ("ATO ATO00001234 BAS", "PAYMENT"), ("CREDIT INTEREST", "INTEREST_PAID"),
    ],
)  # fmt: skip
def test_credits_that_are_no_sales(text: str, kind: str) -> None:
    """Loan proceeds, refunds, injections, one-offs from government and interest are not revenue."""
    assert sum(told((5, 0, 900, kind, text)).revenue) == 0


def test_a_day_belongs_to_one_month() -> None:
    """Months are blocks of 30 days counted back from the newest day; a cut block at the far end is left out."""
    rows = tuple((age, 0, 1, "PAYMENT", "BORONIA CAFE") for age in (0, 29, 30, 59, 60, 89, 90))
    assert told(*rows, days=91).revenue == (200, 200, 200)
    assert told(*rows, days=120).revenue == (200, 200, 200, 100)
    assert told(days=29).revenue == ()


def test_payers_are_known_by_their_letters() -> None:
    """Texts that differ in digits and case only are one payer."""
    summary = told(
        *((1, 0, 10, "PAYMENT", "Wattle Stores 001"), (2, 0, 20, "PAYMENT", "WATTLE STORES 2")),
        (3, 0, 5, "PAYMENT", "HAKEA"),
    )
    assert summary.payer_totals == (3_000, 500)


def test_the_balance_is_rebuilt_backwards() -> None:
    """The standards give no running balance: today's balance less what came in since is yesterday's."""
    summary = told((0, 0, 500, "PAYMENT", "BORONIA CAFE"), (1, 0, -200, "PAYMENT", "HAKEA"), days=10)
    closings = [0, -50_000, *[-30_000] * 8]
    assert (summary.balance_low, summary.negative_days) == (min(closings), 9)
    assert summary.balance_mean == sum(closings) // 10


def test_many_equal_transfers_stay_quick(record_property: Any) -> None:
    """The worst statement, 20,000 transfers of one amount, is summed up in well under ten seconds."""
    rows = tuple((i % 180, i % 2, 7 * (-1) ** (i // 2), "TRANSFER_OUTGOING", "TFR") for i in range(20_000))
    assert told(*rows).coverage_days == 180
    one_account = tuple((5, 0, 7 * (-1) ** i, "TRANSFER_OUTGOING", "TFR") for i in range(20_000))
    assert told(*one_account).outflow == 7_000_000


def test_only_the_year_before_counts() -> None:
    """Orders of 365 days ago and of tomorrow are outside the window; of today and 364 days ago inside."""
    today = day_number(NEWEST)
    days = [today - 365, today - 364, today, today + 1]
    history = MarketplaceHistory.model_validate(
        {
            "joined_on": date(2020, 1, 1),
            "suppliers": (
                {"id": "S", "active_since": date(2020, 1, 1), "orders_12m": 1, "value_12m_cents": 1, "dispute_bps": 0,
                 "on_time_bps": 0},
            ),
            "orders": Orders(
                {"placed_day": days, "amount_cents": [1, 2, 4, 8], "supplier": [0] * 4, "outcome": [0] * 4,
                 "days_late": [0] * 4}
            ),
        }
    )  # fmt: skip
    assert summarise_orders(history, NEWEST).gmv_cents == 6


# -- once an object ------------------------------------------------------------------------------------------


def counting() -> tuple[Once[BankData, [int], int], list[str]]:
    """A function of a statement and a number, and the evidence of each statement that it was really asked about."""
    asked: list[str] = []

    def rows(bank: BankData, more: int = 0) -> int:
        asked.append(bank.evidence)
        return len(bank.transactions) + more

    return Once(rows), asked


def test_an_object_is_summed_up_once() -> None:
    """The same object with the same argument is not computed again; another argument, or an equal object, is."""
    once, asked = counting()
    bank = random_bank(1)
    rows = len(bank.transactions)
    assert [once(bank, 0), once(bank, 0), once(bank, 5), once(bank, 5)] == [rows, rows, rows + 5, rows + 5]
    assert len(asked) == 2
    assert once(bank.model_copy(), 5) == rows + 5
    assert len(asked) == 3


def test_a_changed_copy_has_a_summary_of_its_own() -> None:
    """What is remembered of a statement is not taken for that of a copy with something changed."""
    once, asked = counting()
    bank = random_bank(1)
    empty = bank.model_copy(update={"transactions": Transactions.empty(), "evidence": "declared"})
    assert once(bank, 0) == len(bank.transactions) > 0
    assert once(empty, 0) == 0
    assert asked == ["connected", "declared"]


def test_what_is_remembered_dies_with_its_object() -> None:
    """Nothing is kept of an object that is gone, nor is an object kept alive by what is remembered of it."""
    once, _ = counting()
    banks = [random_bank(seed) for seed in range(20)]
    for bank in banks:
        once(bank, 0)
        once(bank, 1)
    assert len(once) == 20
    del bank, banks
    gc.collect()
    assert len(once) == 0
