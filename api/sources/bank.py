"""Bank accounts and transactions over the Consumer Data Standards (version 1.36.0), through an accredited party.

It does: ask for accounts and balances at once, then for every account's transactions, and hold the pages against
one another. It does not: read what the rows say (api.sources.cds does). The rules it keeps: the window is always
asked for in words, since a bank gives 90 days otherwise; a consent taken back is absent, anything else that
refuses is failed.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from datetime import datetime, time, timedelta
from typing import Any, TypeVar

import msgspec

from api.sources import Answer, Asking, Source, SourceFailed
from api.sources.cds import WINDOW_DAYS, Accounts, Balances, Errors, Page, Total, Transactions, bank_data, kept
from api.sources.exchange import Conversation, segment
from api.zone import SYDNEY
from engine.facts import BankData
from engine.facts.columns import MAX_ROWS

PAGE_SIZE = 1_000  # the most that the standards allow
MOST_PAGES = 20  # of one list
AT_ONCE = 6  # requests in flight
ACCOUNTS = "/cds-au/v1/banking/accounts"
ARRANGEMENT = "x-cdr-arrangement-id"
REVOKED = "urn:au-cds:error:cds-all:Authorisation/RevokedConsent"  # the consumer took it back, or it ran out
_FORBIDDEN = 403
T = TypeVar("T")


class _Revoked(SourceFailed):
    """There is no consent any more."""


_LIST = msgspec.json.Decoder(Page[Accounts])
_BALANCES = msgspec.json.Decoder(Page[Balances])
_ROWS = msgspec.json.Decoder(Page[Transactions])
_ERRORS = msgspec.json.Decoder(Errors)


class Bank:
    """The bank's client."""

    name: Source = "bank"

    async def fetch(self, asking: Asking, conversation: Conversation) -> Answer[BankData]:
        """180 whole days up to yesterday in Sydney; nothing without consent, connection or an account to read.

        At most three round trips one after another, more only where a list of accounts has pages.
        """
        connection = asking.application.bank_connection
        if connection is None or not asking.application.consented("bank_data"):
            return Answer(None)
        pages = _Pages(conversation, connection)
        try:
            listed, balances = await _together(
                pages.all(ACCOUNTS, "3", _LIST), pages.all(f"{ACCOUNTS}/balances", "1", _BALANCES)
            )
            accounts = kept(listed, balances)
            if not accounts:
                return Answer(None)
            now = asking.as_of.astimezone(SYDNEY)
            paths = [f"{ACCOUNTS}/{segment(account.accountId)}/transactions" for account, _ in accounts]
            rows = await _together(*(pages.all(path, "2", _ROWS, _times(now)) for path in paths))
        except _Revoked:
            return Answer(None)
        try:
            return Answer(bank_data(accounts, rows, now.date()))
        except ValueError:  # pydantic's errors are such, too
            raise SourceFailed("schema") from None


class _Pages:
    """Whole lists, page by page, under the limits that all lists of one conversation share."""

    def __init__(self, conversation: Conversation, connection: str) -> None:
        self._conversation, self._connection = conversation, connection
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._rows = 0

    async def all(
        self, path: str, version: str, decoder: msgspec.json.Decoder[Any], query: Mapping[str, str] | None = None
    ) -> list[Any]:
        """The first page, then the others at once; their totals must agree with one another and with the rows."""
        first = await self._page(path, version, decoder, query or {}, 1)
        total: Total = first.meta
        if total.totalPages > MOST_PAGES or total.totalRecords > MAX_ROWS:
            raise SourceFailed("oversized")
        others = range(2, total.totalPages + 1)
        pages = [first, *await _together(*(self._page(path, version, decoder, query or {}, n) for n in others))]
        rows = [row for page in pages for row in page.data.rows]
        if any(page.meta != total for page in pages) or len(rows) != total.totalRecords:
            raise SourceFailed("schema")
        return rows

    async def _page(
        self, path: str, version: str, decoder: msgspec.json.Decoder[Any], query: Mapping[str, str], number: int
    ) -> Page[Any]:
        headers = {"x-v": version, "x-min-v": "1", ARRANGEMENT: self._connection}
        query = {**query, "page": str(number), "page-size": str(PAGE_SIZE)}
        async with self._turn:
            reply = await self._conversation.get(path, query, headers=headers, allow=(_FORBIDDEN,))
        if reply.status == _FORBIDDEN:
            raise _refusal(reply.body)
        page: Page[Any] = _decoded(decoder, reply.body)
        self._rows += len(page.data.rows)
        if self._rows > MAX_ROWS:
            raise SourceFailed("oversized")
        return page


async def _together(*jobs: Coroutine[Any, Any, T]) -> list[T]:
    """All results in order; the first failure ends the others and leaves as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(job) for job in jobs]
    except BaseExceptionGroup as failures:
        first = failures.exceptions[0]
    else:
        return [task.result() for task in tasks]
    raise first


def _decoded(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise SourceFailed("schema") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise SourceFailed("malformed") from None


def _refusal(body: bytes) -> SourceFailed:
    """Only the code for a consent taken back says so; any other refusal is one of ours to mend."""
    try:
        revoked = any(error.code == REVOKED for error in _ERRORS.decode(body).errors)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        revoked = False
    return _Revoked("unauthorised") if revoked else SourceFailed("unauthorised")


def _times(now: datetime) -> dict[str, str]:
    """The window as the standards ask for it: without `oldest-time` a bank gives 90 days."""
    first = datetime.combine(now.date() - timedelta(days=WINDOW_DAYS), time(), SYDNEY)
    return {"oldest-time": first.isoformat(), "newest-time": now.isoformat(timespec="seconds")}
