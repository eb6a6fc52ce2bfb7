"""The sandbox's sanctions list: a real workbook, in the published columns, made up from end to end."""

import io
from datetime import date

import pytest
from python_calamine import CalamineWorkbook

from api.sandbox import Ask
from api.sandbox.sanctions import COLUMNS, CONTENT_TYPE, ENTITY, PATH, PERSON, TITLE, answer, published
from api.sandbox.world import MadeUpWorld
from api.sources.sanctions import read_list
from api.sources.sanctions.births import Years

WORLD = MadeUpWorld(date(2026, 11, 24))


def test_it_is_served_as_a_workbook_to_everybody() -> None:
    """The list needs no token, says what it is, and is the same bytes each time."""
    told = answer(WORLD, Ask("GET", PATH))
    assert (told.status, told.content_type, told.body) == (200, CONTENT_TYPE, published())
    published.cache_clear()
    assert answer(WORLD, Ask("GET", PATH)) == told


@pytest.mark.parametrize(("ask", "status"), [(Ask("GET", "/other.xlsx"), 404), (Ask("POST", PATH), 405)])
def test_anything_else_is_refused(ask: Ask, status: int) -> None:
    """Another path and another method have their statuses."""
    assert answer(WORLD, ask).status == status


def test_it_says_that_it_is_synthetic() -> None:
    """The title and every row say so; a spreadsheet library reads the same columns as our reader."""
    rows = CalamineWorkbook.from_filelike(io.BytesIO(published())).get_sheet_by_index(0).to_python()
    assert rows[0][0] == TITLE
    assert "synthetic" in TITLE
    assert rows[1] == list(COLUMNS)
    assert len(rows) > 1_000
    place = COLUMNS.index("Additional Information")
    assert all("Synthetic" in str(row[place]) for row in rows[2:])


def test_our_reader_reads_it_whole() -> None:
    """Every row is a name; both kinds, weak aliases, and dates of birth in every form are there."""
    listed = read_list(published())
    assert (
        listed.count
        == len(CalamineWorkbook.from_filelike(io.BytesIO(published())).get_sheet_by_index(0).to_python()) - 2
    )
    assert {entry.kind for entry in listed.entries} == {"person", "entity"}
    assert {entry.weak for entry in listed.entries} == {True, False}
    spans = {years.last - years.first for entry in listed.entries for years in entry.births}
    assert spans == {0, 4}
    assert any(len(entry.births) == 2 for entry in listed.entries)
    assert listed.as_of == date(2026, 6, 30)


def test_the_documented_names_are_on_it() -> None:
    """The person with his date of birth and the entity that stories speak of."""
    by_name = {entry.name: entry for entry in read_list(published()).entries}
    assert by_name[PERSON[0]].births == (Years(1961, 1961),)
    assert (by_name[PERSON[0]].kind, by_name[ENTITY].kind) == ("person", "entity")
