"""The banking JSON of the Consumer Data Standards (version 1.36.0), page by page, into engine facts.

It does: read what decisions need of BankingAccountV3, BankingBalance and BankingTransactionV2 straight into
columns, and refuse what does not fit together. It does not: fetch, or read account numbers, names of people and
whatever else no decision reads. The rules it keeps: only posted rows of whole days count, and a window is never
said to be longer than the accounts are old.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import chain, compress
from typing import Annotated, Generic, Literal, TypeVar, get_args

import numpy as np
from msgspec import Meta, Struct, convert, field

from api.sources import SourceFailed
from engine.facts import Account, BankData
from engine.facts.bank import ProductCategory, day_number
from engine.facts.columns import Ints, packed
from engine.facts.statement import KIND_OF, all_cents, assembled, cents

WINDOW_DAYS = 180
MOST_ACCOUNTS = 30
_SPENDING = "TRANS_AND_SAVINGS_ACCOUNTS"
_CATEGORIES = frozenset(get_args(ProductCategory))
_MERCHANT = re.compile(r"[0-9]{3,4}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LONGEST_ID = 80  # of an account in facts
_EPOCH = date(1970, 1, 1).toordinal()

T = TypeVar("T")
_Moments = list[Annotated[datetime, Meta(tz=True)]]
_Id = Annotated[str, Meta(pattern=r"\A[ -~]{1,200}\Z")]


class Listed(Struct, gc=False):
    """What is read of BankingAccountV3."""

    accountId: _Id
    productCategory: str
    openStatus: Literal["OPEN", "CLOSED"] | None = None
    creationDate: date | None = None
    isOwned: bool | None = None


class Balance(Struct, gc=False):
    """What is read of BankingBalance."""

    accountId: _Id
    currentBalance: str
    availableBalance: str
    creditLimit: str | None = None
    currency: str | None = None


class Row(Struct, gc=False):
    """What is read of BankingTransactionV2."""

    accountId: str
    type: str
    status: Literal["PENDING", "POSTED"]
    amount: str
    description: str
    transactionId: str | None = None
    postingDateTime: str | None = None  # checked in columns, each text of a time once
    merchantCategoryCode: str | None = None
    currency: Literal["AUD"] | None = None


class Accounts(Struct):
    rows: list[Listed] = field(name="accounts")


class Balances(Struct):
    rows: list[Balance] = field(name="balances")


class Transactions(Struct):
    rows: list[Row] = field(name="transactions")


class Total(Struct, frozen=True):
    totalRecords: Annotated[int, Meta(ge=0)]
    totalPages: Annotated[int, Meta(ge=0)]


class Page(Struct, Generic[T]):
    data: T
    meta: Total


class Error(Struct):
    code: str


class Errors(Struct):
    errors: list[Error]


def kept(listed: Sequence[Listed], balances: Sequence[Balance]) -> list[tuple[Listed, Balance]]:
    """The accounts that are read, each with its balance.

    Left out: another owner's, those in another currency, and those of a category newer than this version of the
    standards, which is no everyday account; were all of them so, we would not understand this bank.
    """
    balance_of = {balance.accountId: balance for balance in balances}
    known = [account for account in listed if account.productCategory in _CATEGORIES]
    repeated = len({account.accountId for account in listed}) != len(listed) or len(balance_of) != len(balances)
    if repeated or (listed and not known):
        raise SourceFailed("schema")
    read = []
    for account in known:
        balance = balance_of.get(account.accountId)
        if balance is None and account.openStatus == "CLOSED":
            balance = Balance(account.accountId, "0.00", "0.00")  # there is no money in a closed account
        if balance is None:
            raise SourceFailed("schema")
        if account.isOwned is not False and balance.currency in (None, "AUD"):
            read.append((account, balance))
    if len(read) > MOST_ACCOUNTS:
        raise SourceFailed("oversized")
    return read


def bank_data(accounts: list[tuple[Listed, Balance]], lists: list[list[Row]], today: date) -> BankData:
    """The facts; ValueError for what no bank should say. Rows of today only take the balances back to yesterday."""
    for (listed, _), rows in zip(accounts, lists, strict=True):
        _check_rows(listed.accountId, rows)
    day_of = _days([row.postingDateTime for rows in lists for row in rows])
    newest, start = today - timedelta(days=1), today - timedelta(days=WINDOW_DAYS)
    each = [[row for row in rows if row.status == "POSTED"] for rows in lists]
    posted = list(chain.from_iterable(each))
    columns = _columns(posted, [len(rows) for rows in each], day_of)
    days, account = columns["posted_day"], columns["account"]
    if len(days) and int(days.max()) > day_number(today) + 1:  # a day of leeway for times in other zones
        raise ValueError("a transaction lies in the future")
    late = days > day_number(newest)
    since = np.zeros(len(accounts), dtype=np.int64)
    np.add.at(since, account[late], columns["amount_cents"][late])
    oldest = _oldest([pair[0] for pair in accounts], days[~late], account[~late], start, newest)
    whole = ~late & (days >= day_number(oldest))
    return assembled(
        "connected",
        (oldest, newest),
        tuple(_account(*pair, moved) for pair, moved in zip(accounts, since.tolist(), strict=True)),
        {name: column[whole] for name, column in columns.items()},
        _clean([row.description for row in compress(posted, whole.tolist())]),
    )


def _clean(texts: list[str]) -> list[str]:
    """Texts without control characters; nearly always that is how they come."""
    return texts if "".join(texts).isprintable() else [_CONTROL.sub(" ", text) for text in texts]


def _check_rows(account: str, rows: list[Row]) -> None:
    """One account's rows belong to it and come once each."""
    ids = [row.transactionId for row in rows if row.transactionId]
    if len(set(ids)) != len(ids):
        raise ValueError("a transactionId is repeated")
    if [row.accountId for row in rows].count(account) != len(rows):
        raise ValueError("a transaction of another account")


def _days(times: Sequence[str | None]) -> dict[str | None, int]:
    """The bank's day of each text of a time, pending rows' too; of texts there are few where banks post in batches."""
    texts = [text for text in set(times) if text is not None]
    moments = convert(texts, _Moments)
    return {text: moment.toordinal() - _EPOCH for text, moment in zip(texts, moments, strict=True)}


def _columns(posted: list[Row], counts: list[int], day_of: Mapping[str | None, int]) -> dict[str, Ints]:
    """The rows column by column; a kind that is newer than the standards we know is OTHER, a wrong code none."""
    times = [row.postingDateTime for row in posted]
    if None in times:
        raise ValueError("a POSTED transaction needs its postingDateTime")
    merchants = [row.merchantCategoryCode for row in posted]
    codes = {code: int(code) if code and _MERCHANT.fullmatch(code) else 0 for code in set(merchants)}
    kinds = [row.type for row in posted]
    places = {kind: KIND_OF.get(kind, KIND_OF["OTHER"]) for kind in set(kinds)}
    return {
        "posted_day": packed([day_of[time] for time in times]),
        "account": np.repeat(np.arange(len(counts), dtype=np.int64), counts),
        "amount_cents": all_cents([row.amount for row in posted]),
        "kind": packed([places[kind] for kind in kinds]),
        "merchant_category": packed([codes[code] for code in merchants]),
    }


def _oldest(listed: list[Listed], days: Ints, account: Ints, start: date, newest: date) -> date:
    """The first day that the everyday accounts tell of: the day asked for, or when the earliest of them began.

    An account begins when it was created or with its first row. Where a bank gives no date the first row alone
    counts, so that a new account is never taken for a quiet one.
    """
    everyday = [a.productCategory == _SPENDING for a in listed]
    if not any(everyday):
        everyday = [True] * len(listed)
    seen = days[np.array(everyday, dtype=bool)[account]]
    begun = [day_number(a.creationDate) for a, kept in zip(listed, everyday, strict=True) if kept and a.creationDate]
    first = min([*begun, *([int(seen.min())] if len(seen) else []), day_number(newest)])
    return max(start, newest - timedelta(days=day_number(newest) - first))


def _account(listed: Listed, balance: Balance, moved_since: int) -> Account:
    long = len(listed.accountId) > _LONGEST_ID
    return Account(
        account_id=hashlib.sha256(listed.accountId.encode()).hexdigest() if long else listed.accountId,
        product_category=listed.productCategory,  # type: ignore[arg-type]  # kept has looked
        open=listed.openStatus != "CLOSED",
        opened_on=listed.creationDate,
        current_cents=cents(balance.currentBalance) - moved_since,
        available_cents=cents(balance.availableBalance),
        credit_limit_cents=abs(cents(balance.creditLimit or "0")),
    )
