"""Bank accounts and posted transactions, after the Consumer Data Standards' banking shape (1.36.0).

It does: hold accounts, and transactions as a block with a table of distinct texts. It does not: parse
JSON (engine.facts.statement does) nor classify (engine.features does). The rule it keeps: only POSTED
transactions, amounts in cents, negative is money out, days as the bank dated them.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from engine.facts.columns import Block
from engine.facts.marketplace import DAY_RANGE
from engine.values import Cents, Frozen, SignedCents, problem

KINDS = (
    "DIRECT_DEBIT", "FEE", "INTEREST_CHARGED", "INTEREST_PAID", "OTHER", "PAYMENT",
    "TRANSFER_INCOMING", "TRANSFER_OUTGOING",
)  # fmt: skip
ProductCategory = Literal[
    "BUSINESS_LOANS", "BUY_NOW_PAY_LATER", "CRED_AND_CHRG_CARDS", "LEASES", "MARGIN_LOANS", "OVERDRAFTS",
    "PERS_LOANS", "REGULATED_TRUST_ACCOUNTS", "RESIDENTIAL_MORTGAGES", "TERM_DEPOSITS", "TRADE_FINANCE",
    "TRANS_AND_SAVINGS_ACCOUNTS", "TRAVEL_CARDS",
]  # fmt: skip
MOST_DAYS = 400  # thirteen months: a year's statement and its cut ends
Text = Annotated[str, StringConstraints(max_length=200)]


class Account(Frozen):
    """One account: balances now; `current_cents` is negative where money is owed."""

    account_id: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    product_category: ProductCategory
    open: bool = True
    opened_on: date | None = None
    current_cents: SignedCents
    available_cents: SignedCents
    credit_limit_cents: Cents = 0


class Transactions(Block):
    """One row a posted transaction, by posting day.

    account: index into `BankData.accounts`; kind: index into KINDS; merchant_category: ISO 18245 code or 0;
    text: index into `BankData.texts`.
    """

    columns: ClassVar[Mapping[str, tuple[int, int]]] = {
        "posted_day": DAY_RANGE,
        "account": (0, 99),
        "amount_cents": (-10_000_000_000, 10_000_000_000),
        "kind": (0, len(KINDS) - 1),
        "merchant_category": (0, 9_999),
        "text": (0, 19_999),
    }
    day_column = "posted_day"


class BankData(Frozen):
    """Up to 180 days of the business's accounts, `oldest_on` to `newest_on` inclusive.

    `evidence`: `connected` straight from the bank under consent, `declared` where the applicant supplied it, `verified`
    where the statements that it was read from were accepted.
    """

    evidence: Literal["connected", "declared", "verified"]
    oldest_on: date
    newest_on: date
    accounts: Annotated[tuple[Account, ...], Field(min_length=1, max_length=100, strict=False)]
    texts: Annotated[tuple[Text, ...], Field(max_length=20_000, strict=False)]
    transactions: Transactions

    @field_validator("texts", mode="after")
    @classmethod
    def _texts_distinct(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(texts)) != len(texts):
            raise problem("texts_repeated", "Texts must be distinct")
        return texts

    @model_validator(mode="after")
    def _indexes_in_range(self) -> Self:
        rows = self.transactions
        if not 0 <= (self.newest_on - self.oldest_on).days < MOST_DAYS:
            raise problem("window", f"newest_on must not be before oldest_on, nor {MOST_DAYS} days after it")
        if len(rows) == 0:
            return self
        if int(rows["account"].max()) >= len(self.accounts) or int(rows["text"].max()) >= len(self.texts):
            raise problem("index_range", "An account or text index is out of range")
        first, last = int(rows["posted_day"][0]), int(rows["posted_day"][-1])
        if first < day_number(self.oldest_on) or last > day_number(self.newest_on):
            raise problem("window", "A transaction lies outside the window")
        return self


_EPOCH = date(1970, 1, 1).toordinal()


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH
