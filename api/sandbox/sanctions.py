"""The sandbox's sanctions list: made-up names in the columns of the published spreadsheet, as real XLSX bytes.

It does: write some 1,100 names from invented syllables, the same on every day, with the untidiness of the real list:
other names as further rows, interrupted listings, a number used twice, dates of birth in many forms. It does not:
hold anybody who exists. The rule it keeps: the title and every row say that it is synthetic.

Documented names, for stories: the person "Zoltan Example-Karov" (12 April 1961) and the entity "EXAMPLE SHADOW
SHIPPING PTY LTD".
"""

import io
import zipfile
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Final
from xml.sax.saxutils import escape

from api.sandbox import Ask, Told, World

PATH: Final = "/consolidated.xlsx"
CONTENT_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TITLE: Final = "Consolidated List (synthetic: everything on it is made up)"
PERSON: Final = ("Zoltan Example-Karov", date(1961, 4, 12))
ENTITY: Final = "EXAMPLE SHADOW SHIPPING PTY LTD"
COLUMNS: Final = (
    "Reference", "Name of Individual or Entity", "Type", "Name Type", "Alias Strength", "Date of Birth",
    "Place of Birth", "Citizenship", "Address", "Additional Information", "Listing Information", "IMO Number",
    "Committees", "Control Date", "Instrument of Designation", "Travel Ban", "Arms Embargo", "Maritime Restriction",
    "Targeted Financial Sanction",
)  # fmt: skip

Cell = str | int | None

_NOTE: Final = "Synthetic entry_x000D_\nmade up for tests"
_PEOPLE: Final = 320
_ENTITIES: Final = 120
_HEADS: Final = ("Vor", "Tesh", "Mak", "Zel", "Quor", "Brin", "Dast", "Yelk", "Orv", "Hask", "Nim", "Plo", "Skor")
_MIDDLES: Final = ("a", "ilo", "eru", "ondi", "ashe", "uvi", "ekko")
_TAILS: Final = ("dran", "mirek", "zhul", "gosh", "vant", "plin", "kard", "theb", "rusk", "zimo", "fenn")
_TRADES: Final = ("SHIPPING", "TRADING", "ENGINEERING", "AVIATION", "MINERALS", "LOGISTICS", "FINANCE")
_FORMS: Final = ("LLC", "JSC", "LTD", "GROUP", "FZE")
_SERIAL_START: Final = date(1899, 12, 30)
_CONTROL_DATE: Final = date(2026, 6, 30)


def answer(world: World, ask: Ask) -> Told:
    """The list at /consolidated.xlsx, for everybody as the real one is."""
    if ask.path != PATH:
        return Told(b"not found", status=404, content_type="text/plain; charset=utf-8")
    if ask.method not in ("GET", "HEAD"):
        return Told(b"", status=405, content_type="text/plain; charset=utf-8")
    return Told(published(), content_type=CONTENT_TYPE)


@lru_cache(maxsize=1)
def published() -> bytes:
    """The made-up list as it would be downloaded."""
    return write_workbook([(TITLE,), COLUMNS, *_rows()])


def _rows() -> list[tuple[Cell, ...]]:
    rows = [
        _row(1, PERSON[0], "Individual", births=_serial(PERSON[1])),
        _row("1a", "Zoltán Karov", "Individual", alias=True),
    ]
    rows += [_row(2, ENTITY, "Entity", address="Level 1, 1 Example Street, Sydney, Australia")]
    rows += [
        _row("2a", "ESS", "Entity", alias=True, weak=True),
        _row("2b", "Example Shadow Lines", "Entity", alias=True),
    ]
    for place in range(_PEOPLE):
        rows += _person(place)
    for place in range(_ENTITIES):
        rows += _entity(place)
    # Another name of the first listing, far from it, and a number used again by mistake.
    rows.append(_row("1b", "Z. E. Karov", "Individual", alias=True))
    rows.append(_row(100, "Orvashe Quorzimo", "Individual", births=None))
    return rows


def _person(place: int) -> list[tuple[Cell, ...]]:
    reference = 100 + place
    given, middle, family = _word(place * 7 + 1), _word(place * 11 + 5), _word(place * 13 + 3)
    year = 1935 + place % 60
    births: Cell = (
        _serial(date(year, 1 + place % 12, 1 + place % 28)), year, f"{1 + place % 28} Mar. {year}",
        f"Approximately {year}", f"between {year} and {year + 4}", f"{year} and {year + 7}",
        f"a) 1/02/{year}, b) {year + 1}", None,
    )[place % 8]  # fmt: skip
    return [
        _row(reference, f"{given} {middle} {family}", "Individual", births=births),
        _row(f"{reference}a", f"{family.upper()}, {given}", "Individual", alias=True),
        _row(f"{reference}b", given[:3] + family[-4:], None if place % 9 == 0 else "Individual", alias=True, weak=True),
    ]


def _entity(place: int) -> list[tuple[Cell, ...]]:
    reference = 1_000 + place
    word, other = _word(place * 17 + 2).upper(), _word(place * 5 + 9).upper()
    trade, form = _TRADES[place % len(_TRADES)], _FORMS[place % len(_FORMS)]
    return [
        _row(reference, f"{word} {other} {trade} {form}", "Entity"),
        _row(f"{reference}a", f"{word} {other} Holdings", "Entity", alias=True),
    ]


def _word(number: int) -> str:
    head = _HEADS[number % len(_HEADS)]
    middle = _MIDDLES[number // len(_HEADS) % len(_MIDDLES)]
    return head + middle + _TAILS[number % len(_TAILS)]


def _serial(day: date) -> int:
    return (day - _SERIAL_START).days


def _row(
    reference: Cell,
    name: str,
    kind: str | None,
    *,
    births: Cell = None,
    alias: bool = False,
    weak: bool = False,
    address: str | None = None,
) -> tuple[Cell, ...]:
    told: dict[str, Cell] = {
        "Reference": reference,
        "Name of Individual or Entity": name,
        "Type": kind,
        "Name Type": "aka" if alias else "Primary Name",
        "Alias Strength": ("Weak" if weak else "Strong") if alias else None,
        "Date of Birth": births,
        "Address": address,
        "Additional Information": _NOTE,
        "Committees": "Synthetic (Example)",
        "Control Date": _serial(_CONTROL_DATE),
        "Travel Ban": "TRUE" if kind == "Individual" else "FALSE",
        "Targeted Financial Sanction": "TRUE",
    }
    return tuple(told.get(column) for column in COLUMNS)


_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_SHEET_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_PARTS: Final = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEET_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_SHEET_TYPE}.sharedStrings+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="Synthetic" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
}


def write_workbook(rows: Sequence[tuple[Cell, ...]]) -> bytes:
    """A workbook of one sheet: texts in the shared table, numbers in place, None as no cell; the same bytes always."""
    strings: dict[str, int] = {}
    lines = [_line(number, row, strings) for number, row in enumerate(rows, start=1)]
    shared = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in strings)
    parts = {
        **_PARTS,
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{shared}</sst>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>',
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            # A fixed day, or the same list would have another digest each second.
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, _HEAD + text)
    return packed.getvalue()


def _line(number: int, row: tuple[Cell, ...], strings: dict[str, int]) -> str:
    cells = []
    for place, value in enumerate(row):
        reference = f"{chr(ord('A') + place)}{number}"
        if isinstance(value, str):
            cells.append(f'<c r="{reference}" t="s"><v>{strings.setdefault(value, len(strings))}</v></c>')
        elif value is not None:
            cells.append(f'<c r="{reference}"><v>{value}</v></c>')
    return f'<row r="{number}">{"".join(cells)}</row>'
