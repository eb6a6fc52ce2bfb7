"""Reading the sanctions list: its untidiness kept, hostile files refused, nothing of it in an error."""

import io
import zipfile
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.sandbox.sanctions import COLUMNS, Cell, write_workbook
from api.sources.sanctions import ListRejected, SanctionsList, read_list
from api.sources.sanctions.births import Years, agrees, read_births
from api.sources.sanctions.workbook import MOST_CELL_CHARS, MOST_ROWS, read_sheets

CANARY = "Canary Nobodysson"
SHEET = "xl/worksheets/sheet1.xml"


def row(reference: Cell, name: str = CANARY, **columns: Cell) -> tuple[Cell, ...]:
    """A row of the list; columns by heading, blanks as underscores."""
    told: dict[str, Cell] = {"Reference": reference, "Name of Individual or Entity": name, "Type": "Individual"}
    told |= {"Targeted Financial Sanction": "TRUE"}
    told |= {key.replace("_", " "): value for key, value in columns.items()}
    return tuple(told.get(column) for column in COLUMNS)


def listed(*rows: tuple[Cell, ...], least: int = 1) -> SanctionsList:
    """These rows as a list."""
    return read_list(write_workbook([COLUMNS, *rows]), least)


def why(content: bytes, least: int = 1) -> str | None:
    """Why a list is not taken, None where it is; the error never holds what the list says."""
    try:
        read_list(content, least)
    except ListRejected as error:
        rejected = error
    else:
        return None
    assert CANARY not in f"{rejected!r} {rejected.__cause__!r}"
    return rejected.why


def workbook(sheet: str | bytes, **others: str | bytes) -> bytes:
    """A workbook whose sheet is this XML."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(SHEET, sheet)
        for name, body in others.items():
            archive.writestr(f"xl/{name}.xml", body)
    return packed.getvalue()


def inline(rows: list[list[str]], *, placed: bool = False) -> str:
    """Rows as XML with their texts in place; cells say where they stand only where `placed`."""

    def cell(text: str, number: int, place: int) -> str:
        where = f' r="{chr(65 + place)}{number}"' if placed else ""
        return f'<c t="inlineStr"{where}><is><t>{text}</t></is></c>'

    lines = (
        f"<row>{''.join(cell(text, number, place) for place, text in enumerate(texts))}</row>"
        for number, texts in enumerate(rows, start=1)
    )
    return f"<worksheet><sheetData>{''.join(lines)}</sheetData></worksheet>"


HEADINGS = ["Reference", "Name of Individual or Entity", "Type", "Date of Birth"]
PLAIN = [HEADINGS, ["1", CANARY, "Individual", "1970"]]


# -- the list's own untidiness ------------------------------------------------------------------------------


def test_one_row_is_one_name_and_names_of_a_listing_share_its_dates_and_kind() -> None:
    """101, 101a and 101b are three names of one listing, born when its primary name says."""
    found = listed(
        row(101, "First", Date_of_Birth="5 Feb. 1970"),
        row("101a", "Second", Type=None),
        row("101b", "Third", Alias_Strength="Weak"),
    ).entries
    assert [entry.reference for entry in found] == ["101", "101a", "101b"]
    assert {entry.listing for entry in found} == {"101"}
    assert {entry.kind for entry in found} == {"person"}
    assert {entry.births for entry in found} == {(Years(1970, 1970),)}
    assert [entry.weak for entry in found] == [False, False, True]


def test_a_number_used_twice_shares_nothing() -> None:
    """A name further down under the same number, perhaps somebody else's, keeps no date that could clear anybody."""
    found = listed(row(7, "First", Date_of_Birth="1970"), row(8, "Other"), row("7a", "Far", Type=None)).entries
    assert [(entry.births, entry.kind) for entry in found] == [
        ((Years(1970, 1970),), "person"), ((), "person"), ((), "unknown"),
    ]  # fmt: skip


def test_a_listing_called_both_is_compared_with_everybody() -> None:
    """Individual beside Entity, or a kind nobody knows, is unknown."""
    found = listed(row(1), row("1a", Type="Entity"), row(2, Type="Vessel"), row(3, Type="Aka")).entries
    assert [entry.kind for entry in found] == ["unknown", "unknown", "unknown", "person"]


def test_only_names_under_financial_sanctions_are_kept() -> None:
    """FALSE, no and blank are not under them; an alias follows its listing; without the column all are kept."""
    heading = "Targeted_Financial_Sanction"
    rows = [row(1, "No", **{heading: "FALSE"}), row(2, "Blank", **{heading: None}), row(3, "Yes", **{heading: "Yes"})]
    rows += [row("3a", "Alias", **{heading: None})]
    assert [entry.name for entry in listed(*rows).entries] == ["Yes", "Alias"]
    without = [COLUMNS[:-1], *(values[:-1] for values in rows)]
    assert read_list(write_workbook(without), 1).count == 4


def test_columns_are_found_by_heading() -> None:
    """Another order, another case, more columns and a title above change nothing."""
    rows: list[tuple[Cell, ...]] = [
        ("A title",),
        ("Notes", "DATE OF BIRTH", "name of individual or  entity", "Type ", "Reference", "New"),
        ("x", 1970, CANARY, "Individual", "9", "y"),
    ]
    (entry,) = read_list(write_workbook(rows), 1).entries
    assert (entry.reference, entry.name, entry.births) == ("9", CANARY, (Years(1970, 1970),))


def test_artefacts_and_long_cells_are_cleaned() -> None:
    """_x000D_, line breaks and runs of blanks become one blank; a cell is cut to its limit."""
    found = listed(row(1, "Ab_x000D_\n  Cd"), row(2, "x" * 600)).entries
    assert [entry.name for entry in found] == ["Ab Cd", "x" * MOST_CELL_CHARS]


def test_a_name_without_a_reference_is_kept() -> None:
    """A missing number costs no name."""
    assert [entry.reference for entry in listed(row(None), row("x9")).entries] == ["none", "x9"]


def test_the_list_is_as_old_as_its_newest_control_date() -> None:
    """Day numbers and written dates are both read; the digest is the file's."""
    found = listed(row(1, Control_Date="30/06/2025"), row(2, Control_Date=46_203), row(3, Control_Date="soon"))
    assert found.as_of == date(2026, 6, 30)
    assert len(found.digest) == 64


def test_neither_a_list_nor_an_entry_shows_a_name() -> None:
    """What is printed of them holds a count, a digest and a reference."""
    found = listed(row(1))
    assert CANARY not in f"{found!r} {found} {found.entries!r}"


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("", []),
        ("1960", [(1960, 1960)]),
        ("22383", [(1961, 1961)]),
        ("22383.0", [(1961, 1961)]),
        ("1961-04-12", [(1961, 1961)]),
        ("12/04/1961", [(1961, 1961)]),
        ("12 Apr. 1961", [(1961, 1961)]),
        ("March 16, 1972", [(1972, 1972)]),
        ("29-Aprl-1967", [(1967, 1967)]),
        ("12/1961", [(1961, 1961)]),
        ("Approximately 1960", [(1958, 1962)]),
        ("c. 1960", [(1958, 1962)]),
        ("circa 1960", [(1958, 1962)]),
        ("early 1960", [(1958, 1962)]),
        ("late 1960s", []),
        ("between 1958 and 1962", [(1958, 1962)]),
        ("Between 5 May 1958 and 1 June 1962", [(1958, 1962)]),
        ("1958 to 1962", [(1958, 1962)]),
        ("1970-1973", [(1970, 1973)]),
        ("1970 – 1973", [(1970, 1973)]),
        ("1958 and 1970", [(1958, 1958), (1970, 1970)]),
        ("a) 1 Jan 1958, b) 2 Feb 1970", [(1958, 1958), (1970, 1970)]),
        ("5/06/1953   15/06/1953", [(1953, 1953)]),
        ("01/10/1983,15/10/1983, 01/01/1980", [(1980, 1980), (1983, 1983)]),
        ("5 Feb. 1970 (this aka only, alt born 5 Feb. 1969)", [(1969, 1969), (1970, 1970)]),
        ("07/04/62", []),
        ("23-Apr-68", []),
        ("1972, 07/04/62", []),
        ("10/061962", []),
        ("1962, 10/061970", []),
        ("unknown", []),
        ("1066", []),
        ("9" * 400, []),
    ],
)
def test_dates_of_birth_are_read_as_years(text: str, years: list[tuple[int, int]]) -> None:
    """Every form that the list uses gives its years; what is not understood whole gives none."""
    assert list(read_births(text)) == [Years(*pair) for pair in years]


@given(st.text(max_size=60) | st.from_regex(r"[0-9/. a-dA-Z-]{1,40}", fullmatch=True))
def test_any_text_is_read_as_dates_or_none(text: str) -> None:
    """No cell breaks the reader, and years stay in their order."""
    assert all(years.first <= years.last for years in read_births(text))


def test_two_years_agree_and_three_do_not() -> None:
    """The tolerance counts from the ends of what the list allows."""
    births = (Years(1958, 1962),)
    assert [agrees(date(year, 6, 1), births) for year in (1955, 1956, 1960, 1964, 1965)] == [
        False, True, True, True, False,
    ]  # fmt: skip


# -- files that are not taken -------------------------------------------------------------------------------


def test_too_few_names_and_lost_columns_are_refused() -> None:
    """A list that shrank to nothing, or lost a column that is needed, is refused whole."""
    assert why(write_workbook([COLUMNS, row(1)]), least=2) == "too_few"
    for lost in HEADINGS:
        assert why(write_workbook([tuple(c for c in COLUMNS if c != lost), row(1)])) == "columns"


def test_cells_without_places_are_read_in_order_and_far_cells_cost_nothing() -> None:
    """A cell may omit its place; one at the last place of the last column neither counts nor fills memory."""
    far = inline(PLAIN).replace("</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')
    for sheet in (inline(PLAIN), inline(PLAIN, placed=True), far):
        assert [entry.name for entry in read_list(workbook(sheet), 1).entries] == [CANARY]


def bomb(megabytes: int) -> bytes:
    """A sheet of one cell, far larger than its file."""
    return workbook(b"<worksheet><row><c><v>" + b" " * (megabytes << 20) + b"</v></c></row></worksheet>")


def lying(content: bytes, declared: int) -> bytes:
    """The same file, whose directory declares fewer bytes than its sheet inflates to."""
    spoilt = bytearray(content)
    for mark, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        start = spoilt.index(mark) + offset
        spoilt[start : start + 4] = declared.to_bytes(4, "little")
    return bytes(spoilt)


def test_bombs_are_refused_before_they_are_inflated() -> None:
    """Too high a ratio, too much in all, too many parts, and a directory that lies are all refused."""
    assert why(bomb(2)) == "inflated"
    assert why(lying(bomb(2), 900_000)) == "not_a_workbook"
    assert why(workbook(inline(PLAIN), **{f"p{place}": "x" for place in range(1_001)})) == "inflated"
    assert why(b"x" * 50_000_001) == "oversized"


def test_nothing_but_plain_workbooks_is_taken() -> None:
    """Entities, encryption, other packings, broken XML and a text that is not in the table are refused."""
    entity = '<!DOCTYPE w [<!ENTITY a "aaaa">]>' + inline(PLAIN)
    assert why(workbook(entity)) == "not_a_workbook"
    assert why(workbook(inline(PLAIN).encode("utf-16"))) is None
    assert why(workbook(entity.encode("utf-16"))) == "not_a_workbook"
    assert why(workbook("<worksheet>")) == "not_a_workbook"
    assert why(workbook('<worksheet><row><c t="s"><v>7</v></c></row></worksheet>')) == "not_a_workbook"
    assert why(workbook('<worksheet><row><c t="s"><v>x</v></c></row></worksheet>')) == "not_a_workbook"
    assert why(b"") == why(b"PK") == why(b"Reference,Name\n1,x\n") == "not_a_workbook"
    locked = bytearray(workbook(inline(PLAIN)))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert why(bytes(locked)) == "encrypted"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr(SHEET, inline(PLAIN))
    assert why(packed.getvalue()) == "not_a_workbook"


def test_too_many_rows_are_refused() -> None:
    """Rows are counted as they are read."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(SHEET, "<worksheet>" + "<row/>" * (MOST_ROWS + 1) + "</worksheet>")
    assert why(packed.getvalue()) == "too_many"


def test_shared_texts_leave_phonetic_readings_out() -> None:
    """A text in runs is joined; the reading aids beside it are not part of it."""
    shared = "<sst><si><r><t>Can</t></r><r><t>ary</t></r><rPh><t>x</t></rPh></si></sst>"
    sheet = '<worksheet><row><c t="s"><v>0</v></c></row></worksheet>'
    assert list(read_sheets(workbook(sheet, sharedStrings=shared))) == [[("Canary",)]]


@settings(max_examples=150)
@given(st.data())
def test_damaged_files_are_only_ever_refused(data: Any) -> None:
    """Bytes changed anywhere in a good file give a list or ListRejected, never anything else."""
    spoilt = bytearray(write_workbook([COLUMNS, row(1), row(2)]))
    for _ in range(data.draw(st.integers(1, 6))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    why(bytes(spoilt))


@given(st.binary(max_size=300))
def test_garbage_is_only_ever_refused(garbage: bytes) -> None:
    """Bytes that are no workbook are refused as such, bare or inside one."""
    assert why(garbage) == "not_a_workbook"
    assert why(workbook(garbage)) in ("not_a_workbook", "columns")
