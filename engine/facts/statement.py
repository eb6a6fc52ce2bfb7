"""Bank data in the Consumer Data Standards' JSON (accounts, balances, transactions) into engine facts.

It does: accept the published shapes of BankingAccountV3, BankingBalance and BankingTransactionV2, ignore
fields it does not need, keep POSTED transactions only, and report every fault by path. It does not: fetch
pages or trust anything: amounts are decimal strings, sizes are capped. Standards: version 1.36.0.
"""

import re
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Literal, NotRequired

import numpy as np
from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, with_config
from typing_extensions import TypeAliasType, TypedDict

from engine.facts.bank import KINDS, Account, BankData, ProductCategory, Transactions, day_number
from engine.facts.columns import MAX_ROWS, Ints, packed

AmountString = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,11}(\.[0-9]{1,4})?$")]
PostedAt = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,18}(Z|[+-][0-9:]{4,6})$")]
AccountId = Annotated[str, StringConstraints(min_length=1, max_length=80)]
KIND_OF = {kind: place for place, kind in enumerate(KINDS)}
_LONGEST_TEXT = 200
_AMOUNT = re.compile(r"-?[0-9]{1,16}(?:\.[0-9]{1,8})?")  # 24 digits: within Decimal's 28
_WHOLE_CENTS = re.compile(r"(?:-?[0-9]{1,16}\.[0-9]{2}\n)*")
_EPOCH = date(1970, 1, 1).toordinal()
_TOLERANT = ConfigDict(extra="ignore", strict=False, hide_input_in_errors=True)


@with_config(_TOLERANT)
class CdsAccount(TypedDict):
    """The fields of BankingAccountV3 that a decision reads."""

    accountId: AccountId
    productCategory: ProductCategory
    openStatus: NotRequired[Literal["OPEN", "CLOSED"]]
    creationDate: NotRequired[date]


@with_config(_TOLERANT)
class CdsBalance(TypedDict):
    """The fields of BankingBalance that a decision reads."""

    accountId: AccountId
    currentBalance: AmountString
    availableBalance: AmountString
    creditLimit: NotRequired[AmountString]


@with_config(_TOLERANT)
class CdsTransaction(TypedDict):
    """The fields of BankingTransactionV2 that a decision reads."""

    accountId: AccountId
    type: Literal[KINDS]  # type: ignore[valid-type]
    status: Literal["PENDING", "POSTED"]
    amount: AmountString
    description: Annotated[str, StringConstraints(max_length=4_000)]
    postingDateTime: NotRequired[PostedAt]
    merchantCategoryCode: NotRequired[Annotated[str, StringConstraints(pattern=r"^[0-9]{3,4}$")]]


@with_config(ConfigDict(extra="forbid", hide_input_in_errors=True))
class Statement(TypedDict):
    """A statement over one window: `oldest` to `newest` inclusive."""

    oldest: date
    newest: date
    accounts: Annotated[list[CdsAccount], Field(min_length=1, max_length=100)]
    balances: Annotated[list[CdsBalance], Field(min_length=1, max_length=100)]
    transactions: Annotated[list[CdsTransaction], Field(max_length=MAX_ROWS)]


# Only the outermost configuration hides input in errors, and a TypedDict's own is never outermost; an alias's is.
_Whole = TypeAliasType("_Whole", Statement)
STATEMENT: TypeAdapter[Statement] = TypeAdapter(_Whole, config=ConfigDict(hide_input_in_errors=True))


def cents(amount: str) -> int:
    """Cents of an amount string, half-up where it has more than two decimals; ValueError where it is none."""
    if _AMOUNT.fullmatch(amount) is None:
        raise ValueError("an amount is a decimal string")
    return int((Decimal(amount) * 100).to_integral_value(ROUND_HALF_UP))


def all_cents(amounts: Sequence[str]) -> Ints:
    """Cents of many amount strings, as `cents` gives them one by one.

    Where all have two decimals, as banks write them, they are checked and read in one pass over the joined text.
    """
    joined = "\n".join((*amounts, ""))
    if _WHOLE_CENTS.fullmatch(joined) and joined.count("\n") == len(amounts):
        return np.fromstring(joined.replace(".", ""), dtype=np.int64, sep="\n")
    return np.array([cents(amount) for amount in amounts], dtype=np.int64)


def bank_data(statement: Statement, evidence: Literal["connected", "declared"]) -> BankData:
    """A validated statement as engine facts; raises ValueError naming what does not fit together."""
    balances = {b["accountId"]: b for b in statement["balances"]}
    accounts = tuple(_account(a, balances.get(a["accountId"])) for a in statement["accounts"])
    index = {a.account_id: i for i, a in enumerate(accounts)}
    if len(index) != len(accounts):
        raise ValueError("an accountId is repeated")
    # Pending rows cannot be linked to the posted row that follows.
    posted = [t for t in statement["transactions"] if t["status"] == "POSTED"]
    owners, times = [t["accountId"] for t in posted], [t.get("postingDateTime", "") for t in posted]
    if not index.keys() >= set(owners) or "" in times:
        raise ValueError("a POSTED transaction needs a listed accountId and a postingDateTime")
    merchants = [t.get("merchantCategoryCode", "0") for t in posted]
    day_of = {time: day_number(date.fromisoformat(time[:10])) for time in set(times)}
    code_of = {merchant: int(merchant) for merchant in set(merchants)}
    return assembled(
        evidence,
        (statement["oldest"], statement["newest"]),
        accounts,
        {
            "posted_day": packed([day_of[time] for time in times]),
            "account": packed([index[owner] for owner in owners]),
            "amount_cents": all_cents([t["amount"] for t in posted]),
            "kind": packed([KIND_OF[t["type"]] for t in posted]),
            "merchant_category": packed([code_of[merchant] for merchant in merchants]),
        },
        [t["description"] for t in posted],
    )


def assembled(
    evidence: Literal["connected", "declared"],
    window: tuple[date, date],
    accounts: tuple[Account, ...],
    columns: dict[str, Ints],
    descriptions: list[str],
) -> BankData:
    """Bank data of columns in any order: every column of Transactions but `text`, which the descriptions give.

    Within a day rows keep their order; descriptions are cut, and equal ones are held once. ValueError where the
    values break a limit of the facts.
    """
    cut = {text: text[:_LONGEST_TEXT] for text in dict.fromkeys(descriptions)}
    place_of = {text: place for place, text in enumerate(dict.fromkeys(cut.values()))}
    place_of = {text: place_of[short] for text, short in cut.items()}
    columns = {**columns, "text": packed([place_of[text] for text in descriptions])}
    days = columns["posted_day"]
    if bool((days[1:] < days[:-1]).any()):  # the standards list newest first
        order = np.argsort(days, kind="stable")
        columns = {name: column[order] for name, column in columns.items()}
    return BankData(
        evidence=evidence,
        oldest_on=window[0],
        newest_on=window[1],
        accounts=accounts,
        texts=tuple(dict.fromkeys(cut.values())),
        transactions=Transactions(columns),
    )


def _account(account: CdsAccount, balance: CdsBalance | None) -> Account:
    if balance is None:
        raise ValueError("every account needs a balance")
    return Account(
        account_id=account["accountId"],
        product_category=account["productCategory"],
        open=account.get("openStatus", "OPEN") == "OPEN",
        opened_on=account.get("creationDate"),
        current_cents=cents(balance["currentBalance"]),
        available_cents=cents(balance["availableBalance"]),
        credit_limit_cents=abs(cents(balance.get("creditLimit", "0"))),
    )


def statement_of(bank: BankData) -> Statement:
    """Bank data back in the standards' JSON, newest transaction first, as a bank would list it."""
    rows = bank.transactions.as_json()
    transactions: list[CdsTransaction] = []
    for day, account, amount, kind, mcc, text in zip(*rows.values(), strict=True):
        transaction: CdsTransaction = {
            "accountId": bank.accounts[account].account_id,
            "type": KINDS[kind],
            "status": "POSTED",
            "amount": amount_string(amount),
            "description": bank.texts[text],
            "postingDateTime": f"{date.fromordinal(day + _EPOCH).isoformat()}T12:00:00+10:00",
        }
        if mcc:
            transaction["merchantCategoryCode"] = f"{mcc:04d}"
        transactions.append(transaction)
    return {
        "oldest": bank.oldest_on,
        "newest": bank.newest_on,
        "accounts": [_cds_account(a) for a in bank.accounts],
        "balances": [
            {
                "accountId": a.account_id,
                "currentBalance": amount_string(a.current_cents),
                "availableBalance": amount_string(a.available_cents),
                "creditLimit": amount_string(a.credit_limit_cents),
            }
            for a in bank.accounts
        ],
        "transactions": transactions[::-1],
    }


def amount_string(amount_cents: int) -> str:
    """Cents as the standards write an amount: sign, dollars, two decimals."""
    sign = "-" if amount_cents < 0 else ""
    return f"{sign}{abs(amount_cents) // 100}.{abs(amount_cents) % 100:02d}"


def _cds_account(account: Account) -> CdsAccount:
    stated: CdsAccount = {
        "accountId": account.account_id,
        "productCategory": account.product_category,
        "openStatus": "OPEN" if account.open else "CLOSED",
    }
    if account.opened_on is not None:
        stated["creationDate"] = account.opened_on
    return stated
