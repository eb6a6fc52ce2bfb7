"""The business register, played: ABN Lookup's JSON service for made-up businesses.

It does: answer as the service does, errors included: HTTP 200 with a `Message`, wrapped for a callback. It does not:
know any real ABN. The rule it keeps: a business is on the register exactly where its facts say that it was found.
"""

import json
import re

from api.sandbox import Ask, Told, World
from api.sources.register import DETAILS_PATH
from engine.facts import RegisterRecord
from engine.values import parse_abn

GUID = "sandbox-guid"
UNKNOWN_GUID = "The GUID entered is not recognised as a Registered Party"
NOT_AN_ABN = "Search text is not a valid ABN or ACN"
NO_RECORD = "No record found"

_CALLBACK = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_POSTCODES = {
    "NSW": "2000", "VIC": "3000", "QLD": "4000", "SA": "5000", "WA": "6000", "TAS": "7000", "NT": "0800", "ACT": "2600",
}  # fmt: skip
_TYPES = {
    "IND": "Individual/Sole Trader", "PRV": "Australian Private Company", "PUB": "Australian Public Company",
    "FPT": "Family Partnership", "PTR": "Other Partnership", "DTT": "Discretionary Trading Trust",
    "FUT": "Fixed Unit Trust", "HYT": "Hybrid Trust", "DIT": "Discretionary Investment Trust", "COP": "Co-operative",
}  # fmt: skip


def answer(world: World, ask: Ask) -> Told:
    """The reply to one request."""
    if ask.method != "GET" or ask.path != DETAILS_PATH:
        return Told(b"<html><body>Not Found (404)</body></html>", 404, "text/html; charset=utf-8")
    callback = ask.query.get("callback", "callback")
    if not _CALLBACK.fullmatch(callback):
        return Told(b"<html><body>Bad Request (400)</body></html>", 400, "text/html; charset=utf-8")
    body = f"{callback}({json.dumps(_details(world, ask))})"
    return Told(body.encode(), content_type="application/javascript; charset=utf-8")


def _details(world: World, ask: Ask) -> dict[str, object]:
    if ask.query.get("guid") != GUID:
        return _message(UNKNOWN_GUID)
    try:
        abn = parse_abn(ask.query.get("abn"))
    except ValueError:
        return _message(NOT_AN_ABN)
    facts = world.facts(abn)
    record = facts.registry.value if facts is not None else None
    return _message(NO_RECORD) if record is None or not record.found else _found(record)


def _message(words: str) -> dict[str, object]:
    """The service's refusal: every field there, and empty."""
    empty = dict.fromkeys(("Abn", "AbnStatus", "AbnStatusEffectiveFrom", "Acn", "AddressPostcode", "AddressState"), "")
    more = {"EntityName": "", "EntityTypeCode": "", "EntityTypeName": "", "Gst": None, "Message": words}
    return {**empty, "AddressDate": None, "BusinessName": [], **more}


def _found(record: RegisterRecord) -> dict[str, object]:
    return {
        "Abn": record.abn,
        "AbnStatus": "Active" if record.abn_active else "Cancelled",
        "AbnStatusEffectiveFrom": record.abn_active_from.isoformat(),
        "Acn": record.acn or "",
        "AddressDate": None,
        "AddressPostcode": _POSTCODES.get(record.state or "", ""),
        "AddressState": record.state or "",
        "BusinessName": list(record.business_names),
        "EntityName": record.entity_name,
        "EntityTypeCode": record.entity_type_code,
        "EntityTypeName": _TYPES.get(record.entity_type_code, "Other Entity"),
        "Gst": record.gst_from.isoformat() if record.gst_from else None,
        "Message": "",
    }
