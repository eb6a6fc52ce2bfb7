"""The business register: ABN Lookup's JSON service, with the company register beside it where one is set up.

It does: ask for one ABN, tell "no such ABN" from every other message, and add the company's status. It does not:
search by name, or read street addresses (the service has none). The rules it keeps: the service answers errors with
HTTP 200 and a `Message`, and only the messages known to mean "not on the register" are read so: an outage never is;
where a company register is set up and fails, the whole fact fails, so that no insolvency is missed.

    GET /json/AbnDetails.aspx?abn=<11 digits>&callback=callback&guid=<ours>        ->        callback({...})

The service takes its credential, the GUID, in the query; it goes nowhere else.
"""

import asyncio
from datetime import date, timedelta
from typing import Annotated, Literal, get_args

from pydantic import StringConstraints, TypeAdapter, ValidationError
from stdnum.au import acn as stdnum_acn
from typing_extensions import TypedDict

from api.sources import Answer, Asking, Source, SourceFailed
from api.sources.company_register import Companies
from api.sources.exchange import Conversation
from api.sources.reading import Day, clean, read
from engine.facts import RegisterRecord
from engine.facts.register import entity_class
from engine.values import State

DETAILS_PATH = "/json/AbnDetails.aspx"
CALLBACK = "callback"

_NOT_FOUND = frozenset({"no record found", "no records found", "search text is not a valid abn or acn"})
_STATES = frozenset(get_args(State))
_EARLIEST = date(1900, 1, 1)
_AHEAD = timedelta(days=366)  # a registration may be dated ahead
_LONGEST_NAME = 200
_MOST_NAMES = 50


class _Said(TypedDict):
    Message: str


class _Details(TypedDict):
    Abn: str
    AbnStatus: Literal["Active", "Cancelled"]
    AbnStatusEffectiveFrom: Day
    Acn: str | None
    AddressState: str | None
    BusinessName: list[str]
    EntityName: str
    EntityTypeCode: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    Gst: Day | None


_SAID = TypeAdapter(_Said)
_DETAILS = TypeAdapter(_Details)


class Register:
    """ABN Lookup's client; `guid` is the credential that the service issues."""

    name: Source = "registry"

    def __init__(self, guid: str, companies: Companies | None = None) -> None:
        self._guid = guid
        self._companies = companies

    async def fetch(self, asking: Asking, conversation: Conversation) -> Answer[RegisterRecord]:
        """The record of the application's ABN, with its company's status; `found` is False where there is none.

        The company register is asked about the stated ACN at once; where the register knows the business under
        another ACN, that one counts and is asked about after. The answer rests on both conversations. Raises
        SourceFailed.
        """
        if self._companies is None:
            return Answer(await self._look_up(asking, conversation))
        stated = asking.application.business.acn
        early = asyncio.ensure_future(self._companies.status_of(stated, asking.until)) if stated else None
        try:
            record = await self._look_up(asking, conversation)
            if record.acn is None:
                return Answer(record)
            same = early is not None and record.acn == stated
            asked = early if early is not None and same else self._companies.status_of(record.acn, asking.until)
            status, other = await asked
            return Answer(record.model_copy(update={"company_status": status}), (other,))
        finally:
            if early is not None:
                early.cancel()
                await asyncio.gather(early, return_exceptions=True)

    async def _look_up(self, asking: Asking, conversation: Conversation) -> RegisterRecord:
        abn = asking.application.business.abn
        query = {"abn": abn, "callback": CALLBACK, "guid": self._guid}
        body = _unwrapped((await conversation.get(DETAILS_PATH, query)).body)
        said = read(_SAID, body)["Message"].strip().rstrip(".").lower()
        if said in _NOT_FOUND:
            return _not_found(abn, asking.as_of.date())
        if said:
            raise SourceFailed("unauthorised" if "guid" in said else "status")
        return _record(read(_DETAILS, body), abn, asking.as_of.date())


def _unwrapped(body: bytes) -> bytes:
    """The JSON between the first parenthesis and the last; names hold parentheses too."""
    start, end = body.find(b"("), body.rstrip().removesuffix(b";").rstrip()
    if start < 0 or not end.endswith(b")"):
        raise SourceFailed("malformed")
    return end[start + 1 : -1]


def _not_found(abn: str, today: date) -> RegisterRecord:
    return RegisterRecord(
        abn=abn, found=False, abn_active=False, abn_active_from=today, entity_name="NOT FOUND", entity_type_code="OIE"
    )


def _acn(told: str | None, code: str) -> str | None:
    """The ACN; the register gives bodies that are no companies a number too, which need not be one."""
    if not told or (entity_class(code) != "company" and not stdnum_acn.is_valid(told)):
        return None
    return told


def _record(told: _Details, abn: str, today: date) -> RegisterRecord:
    since, gst = told["AbnStatusEffectiveFrom"], told["Gst"]
    plausible = all(_EARLIEST <= day <= today + _AHEAD for day in (since, gst) if day is not None)
    if told["Abn"] != abn or not plausible:
        raise SourceFailed("schema")
    names = (clean(name, _LONGEST_NAME) for name in told["BusinessName"][:_MOST_NAMES])
    try:
        return RegisterRecord(
            abn=abn,
            abn_active=told["AbnStatus"] == "Active",
            abn_active_from=since,
            acn=_acn(told["Acn"], told["EntityTypeCode"]),
            entity_name=clean(told["EntityName"], _LONGEST_NAME),
            entity_type_code=told["EntityTypeCode"],
            gst_from=gst,
            state=told["AddressState"] if told["AddressState"] in _STATES else None,  # type: ignore[arg-type]
            business_names=tuple(name for name in names if name),
        )
    except ValidationError:
        pass
    raise SourceFailed("schema")
