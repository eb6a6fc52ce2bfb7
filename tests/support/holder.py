"""A made-up data holder: what a bank under the Consumer Data Standards (version 1.36.0) sends, page by page.

It does: hold lists of BankingAccountV3, BankingBalance and BankingTransactionV2 with all their published fields, and
tell them in pages of any size. It does not: check what is asked. The rule it keeps: a test changes one thing.
"""

import asyncio
import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote

from api.sandbox import Ask, Told
from api.sources import Asking
from api.sources.bank import ACCOUNTS, PAGE_SIZE, Bank
from engine.application import Application
from engine.facts import BankData
from tests.support.businesses import business
from tests.support.unplugged import Unplugged, asking, fetched, why_not

AS_OF = datetime(2026, 8, 3, 1, 0, tzinfo=UTC)  # eleven in the morning in Sydney
NEWEST, START = date(2026, 8, 2), date(2026, 2, 4)
CONNECTION = "arr-5f0c"
EVERYDAY: dict[str, Any] = {
    "accountId": "ev/ery day", "creationDate": "2019-05-01", "displayName": "Everyday", "nickname": "Till",
    "openStatus": "OPEN", "isOwned": True, "accountOwnership": "ONE_PARTY", "maskedNumber": "xxxx4321",
    "productCategory": "TRANS_AND_SAVINGS_ACCOUNTS", "productName": "Business One",
}  # fmt: skip
SAVER: dict[str, Any] = {**EVERYDAY, "accountId": "saver", "creationDate": "2021-01-01"}
BALANCES: list[dict[str, Any]] = [
    {
        "accountId": "ev/ery day", "currentBalance": "5120.00", "availableBalance": "5000.00", "creditLimit": "0.00",
        "amortisedLimit": "0.00", "currency": "AUD", "purses": [],
    },
    {"accountId": "saver", "currentBalance": "900.00", "availableBalance": "900.00"},
]  # fmt: skip


def row(number: int, day: date, amount: str, account: str = "ev/ery day", **more: Any) -> dict[str, Any]:
    """One posted transaction with all its published fields."""
    at = f"{day.isoformat()}T09:30:00+10:00"
    return {
        "accountId": account, "transactionId": f"t-{number}", "isDetailAvailable": False, "type": "PAYMENT",
        "status": "POSTED", "description": "DIRECT CREDIT WATTLE STORES", "postingDateTime": at, "valueDateTime": at,
        "executionDateTime": at, "amount": amount, "currency": "AUD", "reference": "", "apcaNumber": "123456",
    } | more  # fmt: skip


SALE = row(2, date(2026, 8, 1), "1001.23")
PURCHASE = row(1, date(2026, 7, 1), "-250.50", merchantName="Hakea", merchantCategoryCode="5039", type="DIRECT_DEBIT")
LISTS: dict[str, list[dict[str, Any]]] = {
    "accounts": [EVERYDAY, SAVER],
    "balances": BALANCES,
    "ev/ery day": [SALE, PURCHASE],
    "saver": [],
}


class Holder:
    """A bank that tells what a test gives it, page by page; `edit` may change a body before it is sent."""

    def __init__(self, lists: Mapping[str, list[dict[str, Any]]] = LISTS, size: int = PAGE_SIZE) -> None:
        self.lists = deepcopy(dict(lists))
        self.size = size
        self.in_flight = self.most_in_flight = 0

    def edit(self, _ask: Ask, body: dict[str, Any]) -> Any:
        """The body as it is."""
        return body

    async def __call__(self, ask: Ask) -> Told:
        """One page."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(0)
        self.in_flight -= 1
        below = ask.path.removeprefix(ACCOUNTS).strip("/").split("/")
        name = unquote(below[0]) or "accounts"
        rows, page = self.lists[name], int(ask.query["page"])
        here = rows[(page - 1) * self.size : page * self.size]
        meta = {"totalRecords": len(rows), "totalPages": -(-len(rows) // self.size)}
        body = {
            "data": {name if name in ("accounts", "balances") else "transactions": here},
            "links": {"self": "https://bank.invalid"},
            "meta": meta,
        }
        edited = self.edit(ask, body)
        return edited if isinstance(edited, Told) else Told(json.dumps(edited).encode())


def applicant(**changes: Any) -> Application:
    """The ordinary business with a connected bank."""
    return business()[0].model_copy(update={"bank_connection": CONNECTION, **changes})


def question(as_of: datetime = AS_OF, **changes: Any) -> Asking:
    """What is asked about it."""
    return asking(applicant(**changes), as_of)


def read(holder: Holder | None = None, /, **lists: Any) -> BankData:
    """What the client makes of a bank."""
    bank = fetched(Bank(), question(), Unplugged(holder or Holder({**LISTS, **lists}))).value
    assert isinstance(bank, BankData)
    return bank


def failure(holder: Holder | None = None, /, **lists: Any) -> str | None:
    """Why the client takes nothing from a bank."""
    return why_not(Bank(), question(), Unplugged(holder or Holder({**LISTS, **lists})))


def spoiled(place: str, number: int, **changes: Any) -> dict[str, list[dict[str, Any]]]:
    """The lists with fields of one item changed; None takes a field away."""
    lists = deepcopy(LISTS)
    item = {**lists[place][number], **changes}
    lists[place][number] = {name: value for name, value in item.items() if value is not None}
    return lists
