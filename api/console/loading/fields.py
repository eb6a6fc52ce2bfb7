"""Declared beside machine-read beside recorded, with the band once it is recorded."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from api.console.loading.names import Named
from api.console.views import BandView, ComparedField
from api.pages.wording import Unit, Value
from api.store import queries as store
from engine.application import Application
from engine.verification.documents import KINDS, Field, parse_value
from engine.whatif import Band

_UNITS: dict[str, Unit] = {"cents": "cents", "date": "date", "text": "text", "bool": "flag"}
# Which recorded field speaks to which declared figure, and so to which band.
_SPEAKS_TO = {
    ("tax_account", "overdue_cents"): "overdue_tax_cents",
    ("financial_statements", "turnover_cents"): "turnover_12m_cents",
    ("activity_statement", "sales_cents"): "turnover_12m_cents",
}
_QUARTER = 4


def compared(
    document: store.DocumentRow,
    application: Application,
    people: Mapping[str, Named],
    checks: tuple[store.CheckRow, ...],
    values: Mapping[tuple[str, str], store.ValueRow],
    names: Mapping[str, str],
    bands: tuple[Band, ...],
    *,
    editable: bool,
) -> tuple[ComparedField, ...]:
    """The fields that this kind of document says."""
    found, read = [], _read(checks)
    for field in KINDS[document.kind].fields:
        row = values.get((document.id, field.name))
        recorded = None if row is None else _typed(field, json.loads(row.value))
        text, sure_bps = read.get(field.name, (None, None))
        declared = _declared(document, field.name, application, people)
        figure = _SPEAKS_TO.get((document.kind, field.name))
        band = next((each for each in bands if each.field == figure), None) if figure and recorded is not None else None
        found.append(
            ComparedField(
                document_id=document.id,
                field=field.name,
                label=field.label,
                unit=_UNITS[field.unit],
                declared=declared,
                read=_parsed(document.kind, field, text),
                read_bps=sure_bps,
                recorded=recorded,
                recorded_by=names.get(row.recorded_by, "machine") if row else None,
                differs=None if declared is None or recorded is None else not _alike(declared, recorded),
                band=_band(band, document.kind, recorded),
                banded=figure is not None,
                editable=editable,
            )
        )
    return tuple(found)


def _read(checks: tuple[store.CheckRow, ...]) -> dict[str, tuple[str, int]]:
    """The first value that any check read, by field, and how sure that check was; as api.cases.checking takes it."""
    read: dict[str, tuple[str, int]] = {}
    for each in checks:
        for told in json.loads(each.body).get("found", ()):
            read.setdefault(told["field"], (str(told["value"]), each.confidence_bps))
    return read


def _band(band: Band | None, kind: str, recorded: Value) -> BandView | None:
    """Whether what was recorded lies in its band; a year's over a quarter's statement is a quarter of it, since four
    alike make the year.
    """
    if band is None or not isinstance(recorded, int):
        return None
    share = _QUARTER if kind == "activity_statement" else 1
    low, high = band.low // share, band.high // share
    inside = (band.low_open or low <= recorded) and (band.high_open or recorded <= high)
    return BandView(low, high, band.low_open, band.high_open, inside)


def _declared(document: store.DocumentRow, name: str, application: Application, people: Mapping[str, Named]) -> Value:
    business, finances = application.business, application.finances
    person = people.get(document.person_ref or "")
    declared: dict[str, Value] = {
        "abn": business.abn, "acn": business.acn, "account_name": business.legal_name,
        "overdue_cents": finances.overdue_tax_cents, "plan": finances.tax_plan,
        "turnover_cents": finances.turnover_12m_cents, "sales_cents": finances.turnover_12m_cents // _QUARTER,
        "name": business.legal_name if person is None else person.name,
    }  # fmt: skip
    return declared.get(name)


def _parsed(kind: str, field: Field, text: str | None) -> Value:
    """What the machine read, as the field's own kind of value; text that is none is shown as it was read."""
    if text is None:
        return None
    if field.unit == "cents" and text.lstrip("-").isdigit():
        return int(text)  # checks give whole cents
    try:
        return _typed(field, parse_value(kind, field.name, text))
    except ValueError:
        return text


def _typed(field: Field, value: Any) -> Value:
    return date.fromisoformat(value) if field.unit == "date" else value


def _alike(declared: Value, recorded: Value) -> bool:
    if isinstance(declared, str) and isinstance(recorded, str):
        return "".join(declared.casefold().split()) == "".join(recorded.casefold().split())
    return declared == recorded
