"""The company register: the regulator's company dataset, as a CKAN catalogue's datastore serves it row by row.

It does: ask for the rows of one ACN and say what has become of the company. It does not: read names, or directors
(the dataset has none). The rules it keeps: of several rows the worst status counts; a status that policy has no word
for is a failure, so that no insolvency is missed; a company that is not in the dataset has no status, since the
dataset is published weekly.

    GET /api/3/action/datastore_search?resource_id=<id>&filters={"ACN":"004085616"}&limit=100
    {"success": true, "result": {"records": [{"Company Name": ..., "ACN": "004085616", "Status": "REGD", ...}]}}

A company has one row a name it has had. ACNs are text, but numbers where a copy of the dataset lost its leading zeros.
"""

import json
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Literal, Protocol

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from api.sources import FailedElsewhere, SourceFailed
from api.sources.exchange import Conversation
from api.sources.reading import read

SEARCH_PATH = "/api/3/action/datastore_search"
COMPANY_DATASET = "5c3914e6-413e-4a2c-b890-bf8efe3eabf2"  # the dataset's resource on data.gov.au, the same for years

CompanyStatus = Literal["REGD", "EXAD", "SOFF", "DRGD"]
_WORST_FIRST: tuple[CompanyStatus, ...] = ("DRGD", "EXAD", "SOFF", "REGD")
_MOST_ROWS = 100
_ACN_DIGITS = 9


class _Row(TypedDict):
    ACN: str | int
    Status: str


class _Result(TypedDict):
    records: Annotated[list[_Row], Field(max_length=_MOST_ROWS, fail_fast=True)]


class _Found(TypedDict):
    success: Literal[True]
    result: _Result


_FOUND = TypeAdapter(_Found)


class Opener(Protocol):
    """What opens conversations: an Exchange."""

    def conversation(self, until: float) -> AbstractAsyncContextManager[Conversation]:
        """A conversation that ends at `until` of time.monotonic() at the latest."""
        ...


class Companies:
    """The company register over an exchange of its own."""

    def __init__(self, exchange: Opener, resource_id: str = COMPANY_DATASET) -> None:
        self._exchange = exchange
        self._resource_id = resource_id

    async def status_of(self, acn: str, until: float) -> tuple[CompanyStatus | None, Conversation]:
        """What has become of the company, None where it is not listed, and the ended conversation that told it.

        Raises FailedElsewhere, since it is asked in the middle of a conversation with the ABN register.
        """
        try:
            return await self._ask(acn, until)
        except SourceFailed as failure:
            raise FailedElsewhere(failure.why) from None

    async def _ask(self, acn: str, until: float) -> tuple[CompanyStatus | None, Conversation]:
        filters = json.dumps({"ACN": acn}, separators=(",", ":"))
        query = {"resource_id": self._resource_id, "filters": filters, "limit": str(_MOST_ROWS)}
        async with self._exchange.conversation(until) as conversation:
            reply = await conversation.get(SEARCH_PATH, query)
            rows = read(_FOUND, reply.body)["result"]["records"]
            if any(str(row["ACN"]).zfill(_ACN_DIGITS) != acn for row in rows):
                raise SourceFailed("schema")  # the filter was not heeded: these are other companies
        told = {row["Status"] for row in rows}
        if not told <= set(_WORST_FIRST):
            raise SourceFailed("schema")  # after the conversation: a rare status does not make the source an ill one
        return next((status for status in _WORST_FIRST if status in told), None), conversation
