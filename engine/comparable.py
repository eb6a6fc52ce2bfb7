"""A comparable business: what sources said of one, with everything taken out that says who it is.

It does: de-identify facts, re-date them, and scale them to another turnover. It does not: choose which businesses are
comparable (training samples them, the shell picks the nearest). The rule it keeps: a Comparable that exists names
nobody, and its statement sums up exactly as the one that it was made from.
"""

import re
from datetime import date, timedelta
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from engine.facts import (
    Account,
    BankData,
    BureauReport,
    Facts,
    MarketplaceHistory,
    Orders,
    Supplier,
    Transactions,
)
from engine.features import vocabulary
from engine.features.statement import summarise
from engine.values import Frozen, problem

REFERENCE_DAY = date(2020, 1, 1)  # the day on which every comparable is told, so that no date of its own remains
LEAST_RATIO, MOST_RATIO = 0.5, 2.0  # beyond them another size of business would be made up, not scaled
NOBODY = "comparable"  # stands in the place of the bureau's name and of its score's

# How alike the statements of divisions read: made and built, traded, served at a counter, moved, done for others.
GROUPS = ("ABCDE", "FG", "HR", "IJ", "KLMNOPQS")

# A made-up party has a number in letters of which no word of the vocabulary is made; one word stands for a category.
_DIGITS = "BCDFGHJKLM"
_WORDS = {
    vocabulary.DISHONOUR: "DISHONOUR", vocabulary.TAX: "TAXATION", vocabulary.LENDER: "LENDER",
    vocabulary.NOT_SALES: "REFUND", vocabulary.INJECTION: "GRANT", vocabulary.GAMBLING: "CASINO",
    vocabulary.OWN: "TRANSFER",
}  # fmt: skip
_TEXT = re.compile(rf"PARTY [{_DIGITS}]+( ({'|'.join(_WORDS.values())}))*")
_ACCOUNT, _SUPPLIER = re.compile(r"account-[0-9]+"), re.compile(r"supplier-[0-9]+")
_MOST_CENTS = Transactions.columns["amount_cents"][1]

Ints = NDArray[np.int64]


class Heading(Frozen):
    """First line of a file of comparables; `count` lines follow, one Comparable each."""

    format: Literal["creditline-comparables-1"] = "creditline-comparables-1"
    synthetic: bool
    count: Annotated[int, Field(ge=1, le=1_000)]


class Comparable(Frozen):
    """What the sources said of one business on REFERENCE_DAY; `revenue_12m_cents` is a year at its statement's rate."""

    division: Annotated[str, Field(pattern="^[A-S]$")]
    revenue_12m_cents: Annotated[int, Field(ge=1, le=100_000_000_000)]
    bank: BankData
    bureau: BureauReport
    marketplace: MarketplaceHistory | None

    @model_validator(mode="after")
    def _names_nobody(self) -> Self:
        report, market = self.bureau, self.marketplace
        made_up = (
            all(_TEXT.fullmatch(text) for text in self.bank.texts)
            and all(_ACCOUNT.fullmatch(account.account_id) for account in self.bank.accounts)
            and all(_SUPPLIER.fullmatch(supplier.id) for supplier in (market.suppliers if market else ()))
            and report.bureau == report.score_name == NOBODY
        )
        if not made_up:
            raise problem("comparable_identified", "A comparable holds made-up names only")
        return self


def group_of(division: str) -> str:
    """The group of divisions that this one is compared with; a division of none stands alone."""
    return next((group for group in GROUPS if division in group), division)


def deidentified(division: str, facts: Facts) -> Comparable | None:
    """The comparable made of a business's facts, None without a connected statement that shows sales, or a report.

    The same statement in numbers: every text gives way to one made up for its payer or payee, with its categories;
    every date moves by the same days.
    """
    bank, report, market = facts.bank.value, facts.bureau.value, facts.marketplace.value
    if bank is None or report is None or bank.evidence != "connected":
        return None
    revenue = summarise(bank).revenue
    if not sum(revenue):
        return None
    days = (REFERENCE_DAY - facts.as_of.date()).days
    return Comparable(
        division=division,
        revenue_12m_cents=12 * sum(revenue) // len(revenue),
        bank=_bank(_nameless(bank), days, 1.0),
        bureau=_report(report.model_copy(update={"bureau": NOBODY, "score_name": NOBODY}), days),
        marketplace=None if market is None else _market(_nameless_market(market), days, 1.0),
    )


def fitted(comparable: Comparable, today: date, turnover_12m_cents: int) -> Comparable:
    """The comparable as it would stand today at another turnover: dates moved, flows and balances times one ratio.

    The ratio is held to LEAST_RATIO .. MOST_RATIO. What the credit file says of amounts stays as it is. Ages in days
    are kept; an age in whole months may differ by one.
    """
    ratio = min(max(turnover_12m_cents / comparable.revenue_12m_cents, LEAST_RATIO), MOST_RATIO)
    days, market = (today - REFERENCE_DAY).days, comparable.marketplace
    return Comparable(
        division=comparable.division,
        revenue_12m_cents=max(round(comparable.revenue_12m_cents * ratio), 1),
        bank=_bank(comparable.bank, days, ratio),
        bureau=_report(comparable.bureau, days),
        marketplace=None if market is None else _market(market, days, ratio),
    )


# -- names ---------------------------------------------------------------------------------------------------


def _nameless(bank: BankData) -> BankData:
    """One made-up text for each payer's or payee's key: texts that differ only in digits become one."""
    bits, keys = vocabulary.categorise(bank.texts)
    place = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    meaning = dict(zip(keys, bits.tolist(), strict=True))
    rows = bank.transactions
    merged = np.array([place[key] for key in keys], dtype=np.int64)
    accounts = tuple(
        Account(
            account_id=f"account-{number}", product_category=account.product_category, open=account.open,
            current_cents=account.current_cents, available_cents=0, credit_limit_cents=account.credit_limit_cents,
        )
        for number, account in enumerate(bank.accounts)
    )  # fmt: skip
    columns = {name: rows[name] for name in Transactions.columns}
    if len(rows):
        columns["text"] = merged[rows["text"]]
    return bank.model_copy(
        update={
            "accounts": accounts,
            "texts": tuple(_party(number, meaning[key]) for key, number in place.items()),
            "transactions": Transactions(columns),
        }
    )


def _party(number: int, bits: int) -> str:
    name = "".join(_DIGITS[int(digit)] for digit in str(number))
    return " ".join(["PARTY", name, *(word for bit, word in _WORDS.items() if bits & bit)])


def _nameless_market(market: MarketplaceHistory) -> MarketplaceHistory:
    """Suppliers by number, without figures of their own: a comparable's suppliers are nobody's gate."""
    suppliers = tuple(
        Supplier(
            id=f"supplier-{number}", active_since=market.joined_on, orders_12m=0, value_12m_cents=0, dispute_bps=0,
            on_time_bps=10_000,
        )
        for number in range(len(market.suppliers))
    )  # fmt: skip
    return market.model_copy(update={"suppliers": suppliers})


# -- dates and amounts ---------------------------------------------------------------------------------------


def _bank(bank: BankData, days: int, ratio: float) -> BankData:
    shift, rows = timedelta(days=days), bank.transactions
    columns = {name: rows[name] for name in Transactions.columns}
    columns["posted_day"] = columns["posted_day"] + days
    columns["amount_cents"] = _times(columns["amount_cents"], ratio)
    accounts = tuple(
        account.model_copy(
            update={
                "current_cents": _once(account.current_cents, ratio),
                "credit_limit_cents": _once(account.credit_limit_cents, ratio),
            }
        )
        for account in bank.accounts
    )
    return BankData(
        evidence=bank.evidence, oldest_on=bank.oldest_on + shift, newest_on=bank.newest_on + shift,
        accounts=accounts, texts=bank.texts, transactions=Transactions(columns),
    )  # fmt: skip


def _times(cents: Ints, ratio: float) -> Ints:
    """Amounts times a ratio; opposite amounts stay opposite, so that transfers between own accounts still pair."""
    scaled: Ints = np.clip(np.rint(cents * ratio), -_MOST_CENTS, _MOST_CENTS).astype(np.int64)
    return scaled


def _once(cents: int, ratio: float) -> int:
    return max(min(round(cents * ratio), _MOST_CENTS), -_MOST_CENTS)


def _report(report: BureauReport, days: int) -> BureauReport:
    shift = timedelta(days=days)
    return report.model_copy(
        update={
            "file_since": report.file_since and report.file_since + shift,
            "defaults": tuple(d.model_copy(update={"on": d.on + shift}) for d in report.defaults),
            "court_actions": tuple(c.model_copy(update={"on": c.on + shift}) for c in report.court_actions),
            "enquiries": tuple(day + shift for day in report.enquiries),
            "registrations": tuple(r.model_copy(update={"on": r.on + shift}) for r in report.registrations),
        }
    )


def _market(market: MarketplaceHistory, days: int, ratio: float) -> MarketplaceHistory:
    shift, orders = timedelta(days=days), market.orders
    columns = {name: orders[name] for name in Orders.columns}
    columns["placed_day"] = columns["placed_day"] + days
    columns["amount_cents"] = _times(columns["amount_cents"], ratio)
    suppliers = tuple(s.model_copy(update={"active_since": s.active_since + shift}) for s in market.suppliers)
    return MarketplaceHistory(joined_on=market.joined_on + shift, suppliers=suppliers, orders=Orders(columns))
