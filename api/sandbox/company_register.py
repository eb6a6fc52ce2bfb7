"""The company register, played: a CKAN datastore with one row a name of each made-up company.

It does: answer searches by ACN in the dataset's published columns. It does not: search by anything else. The rule it
keeps: a company is listed exactly where its facts have a company status.
"""

import json

from api.sandbox import Ask, Told, World
from api.sources.company_register import SEARCH_PATH
from engine.facts import RegisterRecord


def answer(world: World, ask: Ask) -> Told:
    """The reply to one request; anything but a search by ACN is refused as CKAN refuses it."""
    if ask.method != "GET" or ask.path != SEARCH_PATH:
        return _told(404, success=False, error={"__type": "Not Found Error", "message": "Not found"})
    acn = _acn_asked(ask.query.get("filters", ""))
    if not ask.query.get("resource_id") or acn is None:
        return _told(409, success=False, error={"__type": "Validation Error"})
    records = _records(world, acn)
    found = {"resource_id": ask.query["resource_id"], "records": records, "total": len(records), "limit": 100}
    return _told(200, success=True, result=found)


def _told(status: int, **content: object) -> Told:
    return Told(json.dumps(content).encode(), status)


def _acn_asked(filters: str) -> str | None:
    try:
        asked = json.loads(filters)
    except ValueError:
        return None
    acn = asked.get("ACN") if isinstance(asked, dict) else None
    return acn if isinstance(acn, str) else None


def _records(world: World, acn: str) -> list[dict[str, object]]:
    abn = world.abn_of_company(acn)
    facts = world.facts(abn) if abn else None
    record = facts.registry.value if facts else None
    if record is None or record.acn != acn or record.company_status is None:
        return []
    return [_row(record, acn, number, name) for number, name in enumerate((record.entity_name, f"{acn} PTY LTD"), 1)]


def _row(record: RegisterRecord, acn: str, number: int, name: str) -> dict[str, object]:
    """One name of the company: its own today, and the number under which it was founded."""
    ended = record.company_status == "DRGD"
    return {
        "_id": number,
        "Company Name": name,
        "ACN": acn,
        "Type": "APUB" if record.entity_type_code == "PUB" else "APTY",
        "Class": "LMSH",
        "Sub Class": "LISU" if record.entity_type_code == "PUB" else "PROP",
        "Status": record.company_status,
        "Date of Registration": record.abn_active_from.strftime("%d/%m/%Y"),
        "Date of Deregistration": record.abn_active_from.strftime("%d/%m/%Y") if ended else "",
        "Previous State of Registration": "",
        "State Registration number": "",
        "Modified since last report": "",
        "Current Name Indicator": "Y" if number == 1 else "",
        "ABN": record.abn,
        "Current Name": "" if number == 1 else record.entity_name,
        "Current Name Start Date": "",
    }
