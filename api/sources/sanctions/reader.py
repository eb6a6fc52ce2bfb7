"""The Consolidated List of the Department of Foreign Affairs and Trade: its spreadsheet becomes names to screen.

It does: find the columns by their headings wherever they stand, join the rows of one listing, and keep every name
under targeted financial sanctions. It does not: keep addresses, grounds or anything else. The rule it keeps: where
the list is unclear a name is kept and compared with everybody, and a list that lost its columns or most of its names
is refused whole.

Rows: one a *name*. Reference 101 is a primary name, 101a and 101b are other names of the same listing, usually but
not always next to each other; numbers were re-used by mistake. Kind and dates of birth are therefore shared inside
one unbroken run of rows only: a name that loses its dates that way matches more, never less.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Final, Literal

from api.sources.sanctions.births import Years, read_births, read_serial
from api.sources.sanctions.workbook import ListRejected, Row, read_sheets

Kind = Literal["person", "entity", "unknown"]

LEAST_NAMES: Final = 1_000  # the published list holds several thousand; fewer is a broken file
REQUIRED: Final = ("reference", "name_of_individual_or_entity", "type", "date_of_birth")
_HEADING_ROWS: Final = 10  # a title may stand above the headings
_KINDS: Final[Mapping[str, Kind]] = {"individual": "person", "person": "person", "aka": "person", "entity": "entity"}
_UNSET: Final = frozenset({"", "no", "n", "false", "0", "none", "n/a", "na"})
_NUMBER: Final = re.compile(r"\d{1,9}")
_DAYS: Final = ("%d/%m/%Y", "%Y-%m-%d", "%d %B %Y", "%d %b %Y")
_SANCTION: Final = "targeted_financial_sanction"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name on the list; `births` is empty where the list gives no date, or none that is understood."""

    reference: str  # of this name: 101a
    listing: str  # of all names of one listing: 101
    name: str
    kind: Kind
    weak: bool = False
    births: tuple[Years, ...] = ()
    australian: bool = False  # citizenship or address is in Australia

    def __repr__(self) -> str:
        return f"Entry({self.reference})"


@dataclass(frozen=True, slots=True)
class SanctionsList:
    """A list as read: its names, the latest control date in it, and the SHA-256 of the file."""

    entries: tuple[Entry, ...]
    as_of: date | None
    digest: str

    def __repr__(self) -> str:
        return f"SanctionsList({self.count} names, {self.digest[:12]})"

    @property
    def count(self) -> int:
        """How many names are screened against."""
        return len(self.entries)


def read_list(content: bytes, least_names: int = LEAST_NAMES) -> SanctionsList:
    """Read the published XLSX; raises ListRejected, whose words hold nothing of the list."""
    rows = [row for sheet in read_sheets(content) for row in _named(sheet)]
    if not rows:
        raise ListRejected("columns")
    entries = tuple(entry for _, run in groupby(rows, key=_listing) for entry in _entries(list(run)))
    if len(entries) < least_names:
        raise ListRejected("too_few")
    dates = {row.get("control_date", "") for row in rows} - {""}
    as_of = max((day for text in dates if (day := _day(text))), default=None)
    return SanctionsList(entries, as_of, hashlib.sha256(content).hexdigest())


def _named(sheet: Sequence[Row]) -> Iterator[dict[str, str]]:
    """The rows under a sheet's headings by column; nothing where a sheet has none, such as a page of notes."""
    for place, row in enumerate(sheet[:_HEADING_ROWS]):
        headings = [_slug(cell) for cell in row]
        if set(REQUIRED) <= set(headings):
            blank = dict.fromkeys(headings, "")  # a row ends at its last cell that holds something
            for values in sheet[place + 1 :]:
                named = blank | dict(zip(headings, values, strict=False))
                if named["name_of_individual_or_entity"]:
                    yield named
            return


def _listing(row: Mapping[str, str]) -> str:
    """The number that a listing's names share: 101 of 101, 101a and 101.0."""
    number = _NUMBER.match(row["reference"])
    return str(int(number.group())) if number else row["reference"]


def _entries(run: list[dict[str, str]]) -> Iterator[Entry]:
    """The names of one unbroken run of rows with the same number."""
    if not any(row.get(_SANCTION, "set").lower() not in _UNSET for row in run):
        return
    # Blank beside "Individual" is an individual; "Individual" beside "Entity" is anybody's guess.
    kinds: set[Kind] = {_KINDS.get(cell, "unknown") for row in run if (cell := row.get("type", "").lower())}
    shared: Kind = kinds.pop() if len(kinds) == 1 else "unknown"
    births, understood = _births(run)
    told = " ".join(f"{row.get('citizenship', '')} {row.get('address', '')}" for row in run)
    for row in run:
        yield Entry(
            reference=row["reference"].removesuffix(".0")[:20] or "none",
            listing=_listing(row)[:20],
            name=row["name_of_individual_or_entity"],
            kind=shared,
            weak=row.get("alias_strength", "").lower() == "weak",
            births=births if understood else (),
            australian="australia" in told.lower(),
        )


def _births(run: list[dict[str, str]]) -> tuple[tuple[Years, ...], bool]:
    """All years of birth that the run gives, and whether every date in it was understood."""
    cells = {row.get("date_of_birth", "") for row in run} - {""}
    read = [read_births(cell) for cell in sorted(cells)]
    return tuple(sorted({years for found in read for years in found})), all(read)


def _slug(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", heading.lower()).strip("_")


def _day(text: str) -> date | None:
    if (day := read_serial(text)) is not None:
        return day
    for form in _DAYS:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None
