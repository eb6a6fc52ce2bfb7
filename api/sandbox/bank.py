"""The bank's half of the sandbox: a made-up business's accounts, as the Consumer Data Standards publish them.

It does: the three banking endpoints that a decision needs, with versions, arrangements, pages, windows and error
objects as the standards have them, and pending rows that must not count. It does not: check what a real holder
would of certificates and signatures. The rule it keeps: the arrangement `sandbox-<abn>` shares that ABN's accounts.
"""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from api.sandbox import Ask, Told, World
from engine.facts import BankData
from engine.facts.bank import KINDS, Account
from engine.facts.statement import amount_string

ARRANGEMENT = "sandbox-"
TOKEN = "Bearer sandbox-token"
_ROOT = "/cds-au/v1/banking/accounts"
_MOST_ROWS = 1_000  # of a page
_WINDOW_DAYS, _DEFAULT_DAYS = 180, 90  # what a lender asks for; what a bank gives where nobody says
_SECONDS = 86_400
_POSTED_AT = "T12:00:00+10:00"
_POSTED_SECOND = 2 * 3_600  # the same, of a day in UTC
_VERSIONS = {"accounts": 3, "balances": 1, "transactions": 2}
_ALL = "urn:au-cds:error:cds-all:"
_ERRORS = {
    "Header/Missing": (400, "Missing Required Header"),
    "Header/InvalidVersion": (400, "Invalid Version"),
    "Header/UnsupportedVersion": (406, "Unsupported Version"),
    "Field/InvalidPageSize": (400, "Invalid Page Size"),
    "Field/InvalidDateTime": (400, "Invalid Date"),
    "Field/InvalidPage": (422, "Invalid Page"),
    "Authorisation/RevokedConsent": (403, "Consent Is Revoked"),
    "Authorisation/InvalidArrangement": (422, "Invalid Consent Arrangement"),
    "Resource/NotFound": (404, "Resource Not Found"),
    "Service/Unavailable": (503, "Service Unavailable"),
}

Json = dict[str, Any]


class _Refused(Exception):
    """An error of the standards, by the end of its code."""


def answer(world: World, ask: Ask) -> Told:
    """What the bank says; the same question gets the same answer all day."""
    if ask.headers.get("authorization") != TOKEN:
        return Told(b"", 401, headers={"WWW-Authenticate": "Bearer"})
    try:
        return _told(_page(world, ask), headers={"x-v": str(_version(ask))})
    except _Refused as refused:
        status, title = _ERRORS[str(refused)]
        error = {"code": _ALL + str(refused), "title": title, "detail": title, "meta": {}}
        return _told({"errors": [error]}, status)


def _told(body: Json, status: int = 200, headers: dict[str, str] | None = None) -> Told:
    return Told(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), status, headers=headers or {})


def _page(world: World, ask: Ask) -> Json:
    """One page of whatever is asked for, with its links and totals."""
    _version(ask)
    bank = _bank(world, ask)
    match _resource(ask):
        case "accounts", _:
            return _enveloped(ask, "accounts", [_account(bank, account) for account in bank.accounts])
        case "balances", _:
            return _enveloped(ask, "balances", [_balance(account) for account in bank.accounts])
        case _, account_id:
            places = [place for place, account in enumerate(bank.accounts) if account.account_id == account_id]
            if not places:
                raise _Refused("Resource/NotFound")
            return _transactions(world.today, ask, bank, places[0])


def _resource(ask: Ask) -> tuple[str, str]:
    """What the path names, and of which account."""
    below = ask.path.removeprefix(_ROOT).split("/") if ask.path.startswith(_ROOT) and ask.method == "GET" else []
    match below:
        case [""]:
            return "accounts", ""
        case ["", "balances"]:
            return "balances", ""
        case ["", account, "transactions"]:
            return "transactions", account
    raise _Refused("Resource/NotFound")


def _version(ask: Ask) -> int:
    """The version that is answered: the one asked for, if it is between `x-min-v` and what there is."""
    there = _VERSIONS[_resource(ask)[0]]
    wanted = ask.headers.get("x-v")
    least = ask.headers.get("x-min-v", wanted)
    if wanted is None:
        raise _Refused("Header/Missing")
    if not (wanted.isdecimal() and least is not None and least.isdecimal() and int(wanted) > 0):
        raise _Refused("Header/InvalidVersion")
    if not int(least) <= there <= int(wanted):
        raise _Refused("Header/UnsupportedVersion")
    return there


def _bank(world: World, ask: Ask) -> BankData:
    """The accounts of the arrangement; one that was never connected counts as taken back."""
    arrangement = ask.headers.get("x-cdr-arrangement-id", "")
    facts = world.facts(arrangement.removeprefix(ARRANGEMENT)) if arrangement.startswith(ARRANGEMENT) else None
    if facts is None:
        raise _Refused("Authorisation/InvalidArrangement")
    if facts.bank.status == "failed":
        raise _Refused("Service/Unavailable")
    if facts.bank.value is None:
        raise _Refused("Authorisation/RevokedConsent")
    return facts.bank.value


# -- pages ----------------------------------------------------------------------------------------------------


def _enveloped(ask: Ask, name: str, rows: list[Json]) -> Json:
    first, size = _cut(ask, len(rows))
    return _envelope(ask, name, rows[first : first + size], len(rows))


def _cut(ask: Ask, total: int) -> tuple[int, int]:
    """The first row of the page asked for and how many a page has."""
    size, page = ask.query.get("page-size", "25"), ask.query.get("page", "1")
    if not (size.isdecimal() and 1 <= int(size) <= _MOST_ROWS):
        raise _Refused("Field/InvalidPageSize")
    if not (page.isdecimal() and 1 <= int(page) <= max(-(-total // int(size)), 1)):
        raise _Refused("Field/InvalidPage")
    return (int(page) - 1) * int(size), int(size)


def _envelope(ask: Ask, name: str, rows: list[Json], total: int) -> Json:
    first, size = _cut(ask, total)
    page, pages = first // size + 1, -(-total // size)

    def link(number: int) -> str:
        return f"https://sandbox.invalid{ask.path}?page={number}&page-size={size}"

    links = {"self": link(page)}
    if pages > 1:
        links |= {"first": link(1), "last": link(pages)}
    if page > 1:
        links["prev"] = link(page - 1)
    if page < pages:
        links["next"] = link(page + 1)
    return {"data": {name: rows}, "links": links, "meta": {"totalRecords": total, "totalPages": pages}}


# -- accounts, balances, transactions -------------------------------------------------------------------------


def _account(bank: BankData, account: Account) -> Json:
    told: Json = {
        "accountId": account.account_id, "displayName": "Synthetic account", "maskedNumber": "xxxx0000",
        "openStatus": "OPEN" if account.open else "CLOSED", "isOwned": True, "accountOwnership": "ONE_PARTY",
        "productCategory": account.product_category, "productName": "Synthetic",
    }  # fmt: skip
    opened = account.opened_on
    if account.product_category == "TRANS_AND_SAVINGS_ACCOUNTS":
        # How far back a bank can tell shows in the day an account began.
        short = (bank.newest_on - bank.oldest_on).days + 1 < _WINDOW_DAYS
        opened = bank.oldest_on if short or opened is None else opened
    if opened is not None:
        told["creationDate"] = opened.isoformat()
    return told


def _balance(account: Account) -> Json:
    return {
        "accountId": account.account_id, "currentBalance": amount_string(account.current_cents),
        "availableBalance": amount_string(account.available_cents),
        "creditLimit": amount_string(account.credit_limit_cents), "amortisedLimit": "0.00", "currency": "AUD",
    }  # fmt: skip


def _transactions(today: date, ask: Ask, bank: BankData, account: int) -> Json:
    """An account's rows of the window asked for, latest first: what is pending comes before what is posted."""
    newest = _moment(ask, "newest-time") or datetime.combine(today + timedelta(days=1), time(), UTC)
    oldest = _moment(ask, "oldest-time") or newest - timedelta(days=_DEFAULT_DAYS)
    rows = bank.transactions
    seconds = rows["posted_day"] * _SECONDS + _POSTED_SECOND
    within = (rows["account"] == account) & (seconds >= oldest.timestamp()) & (seconds <= newest.timestamp())
    places = np.flatnonzero(within)[::-1].tolist()
    account_id = bank.accounts[account].account_id
    pending = [_pending(account_id, today, number) for number in range(2)]
    total = len(pending) + len(places)
    first, size = _cut(ask, total)
    listed = places[max(first - len(pending), 0) : max(first + size - len(pending), 0)]
    page = pending[first : first + size] + [_posted(bank, account_id, place) for place in listed]
    return _envelope(ask, "transactions", page, total)


def _moment(ask: Ask, name: str) -> datetime | None:
    """A moment of the query; None where it is not given."""
    if name not in ask.query:
        return None
    try:
        moment = datetime.fromisoformat(ask.query[name])
    except ValueError:
        raise _Refused("Field/InvalidDateTime") from None
    if moment.tzinfo is None:
        raise _Refused("Field/InvalidDateTime")
    return moment


def _pending(account_id: str, today: date, number: int) -> Json:
    """A card payment that the bank has only authorised: it has no posting time, and may come to nothing."""
    return {
        "accountId": account_id, "isDetailAvailable": False, "type": "PAYMENT", "status": "PENDING",
        "description": "PENDING CARD PURCHASE", "executionDateTime": today.isoformat() + _POSTED_AT,
        "amount": f"-{number + 1}2.50", "currency": "AUD", "reference": "",
    }  # fmt: skip


def _posted(bank: BankData, account_id: str, place: int) -> Json:
    rows = bank.transactions
    day = date(1970, 1, 1) + timedelta(days=int(rows["posted_day"][place]))
    told = {
        "accountId": account_id, "transactionId": f"{account_id}-{place}", "isDetailAvailable": False,
        "type": KINDS[rows["kind"][place]], "status": "POSTED", "description": bank.texts[rows["text"][place]],
        "postingDateTime": day.isoformat() + _POSTED_AT, "valueDateTime": day.isoformat() + _POSTED_AT,
        "amount": amount_string(int(rows["amount_cents"][place])), "currency": "AUD", "reference": "",
    }  # fmt: skip
    if merchant := int(rows["merchant_category"][place]):
        told |= {"merchantName": "Synthetic merchant", "merchantCategoryCode": f"{merchant:04d}"}
    return told
