"""An XLSX workbook as rows of text, read with the standard library alone, every size limited.

It does: give each sheet's rows, cells as text, in order. It does not: know formats, formulae or dates (a date is the
number that the file holds), nor build a grid: a cell far to the right or far down costs what one cell costs. The rule
it keeps: nothing in the file decides how much memory is used; what is too large, or no workbook, is ListRejected.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Final
from xml.parsers import expat

MOST_BYTES: Final = 50_000_000  # of the file; the published list is under 5 MB
MOST_INFLATED: Final = 100_000_000  # of all its parts together
MOST_RATIO: Final = 200  # inflated to packed, of a part above a megabyte; a real sheet has 10 to 30
MOST_PARTS: Final = 1_000
MOST_ROWS: Final = 200_000
MOST_COLUMNS: Final = 64
MOST_CELL_CHARS: Final = 500
_RATIO_FROM: Final = 1_000_000
_CHUNK: Final = 1 << 20
_ENCRYPTED: Final = 0x1
_STRINGS: Final = "xl/sharedStrings.xml"
_ESCAPED: Final = re.compile(r"_x00[01][0-9A-Fa-f]_")  # control characters as spreadsheets write them
_COLUMN: Final = re.compile(r"[A-Z]{1,3}")

Row = tuple[str, ...]


class ListRejected(Exception):
    """A list that is not taken; `why` is one word and never holds what the list says."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def read_sheets(content: bytes) -> Iterator[list[Row]]:
    """The rows of each sheet, cells as text cut to 500 characters, "" where a row has a gap; raises ListRejected."""
    if len(content) > MOST_BYTES:
        raise ListRejected("oversized")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            _check_parts(packed.infolist())
            names = packed.namelist()
            strings = _strings(packed) if _STRINGS in names else []
            for name in sorted(name for name in names if PurePosixPath(name).match("xl/worksheets/*.xml")):
                yield _rows(packed, name, strings)
    except (
        zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError, KeyError,
        expat.ExpatError,
    ):  # fmt: skip
        # What zipfile and expat are known to raise on damaged files.
        raise ListRejected("not_a_workbook") from None


def _check_parts(parts: list[zipfile.ZipInfo]) -> None:
    if len(parts) > MOST_PARTS:
        raise ListRejected("inflated")
    if any(part.flag_bits & _ENCRYPTED for part in parts):
        raise ListRejected("encrypted")
    if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
        raise ListRejected("not_a_workbook")
    # zipfile never reads more of a part than is declared here, so a part that lies is cut short, not inflated.
    if sum(part.file_size for part in parts) > MOST_INFLATED:
        raise ListRejected("inflated")
    if any(part.file_size > max(part.compress_size * MOST_RATIO, _RATIO_FROM) for part in parts):
        raise ListRejected("inflated")


def _strings(packed: zipfile.ZipFile) -> list[str]:
    """The table of shared texts; phonetic readings beside them are left out."""
    found: list[str] = []
    text: list[str] = []
    inside: list[str] = []

    def begin(name: str, _: dict[str, str]) -> None:
        inside.append(_local(name))
        if inside[-1] == "si":
            text.clear()

    def end(name: str) -> None:
        inside.pop()
        if _local(name) == "si":
            found.append(_clean("".join(text)))

    def characters(data: str) -> None:
        if inside and inside[-1] == "t" and "rPh" not in inside:
            text.append(data)

    _parse(packed, _STRINGS, begin, end, characters)
    return found


class _Sheet:
    """One sheet as its elements come by."""

    def __init__(self, strings: list[str]) -> None:
        self.rows: list[Row] = []
        self._strings = strings
        self._row: dict[int, str] = {}
        self._column = -1
        self._type = ""
        self._text: list[str] = []
        self._taking = False

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        match _local(name):
            case "row":
                self._row, self._column = {}, -1
            case "c":
                self._column = _column(attributes.get("r", ""), self._column + 1)
                self._type = attributes.get("t", "n")
                self._text = []
            case "v" | "t":
                self._taking = True

    def end(self, name: str) -> None:
        match _local(name):
            case "row":
                if len(self.rows) >= MOST_ROWS:
                    raise ListRejected("too_many")
                width = max(self._row, default=-1) + 1
                self.rows.append(tuple(self._row.get(place, "") for place in range(width)))
            case "c" if 0 <= self._column < MOST_COLUMNS:
                self._row[self._column] = self._value("".join(self._text))
            case "v" | "t":
                self._taking = False

    def characters(self, data: str) -> None:
        if self._taking:
            self._text.append(data)

    def _value(self, text: str) -> str:
        if self._type != "s":
            return _clean(text)
        place = int(text)
        if not 0 <= place < len(self._strings):
            raise ListRejected("not_a_workbook")
        return self._strings[place]


def _rows(packed: zipfile.ZipFile, name: str, strings: list[str]) -> list[Row]:
    sheet = _Sheet(strings)
    _parse(packed, name, sheet.begin, sheet.end, sheet.characters)
    return sheet.rows


def _parse(
    packed: zipfile.ZipFile,
    name: str,
    begin: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    characters: Callable[[str], None],
) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    # A spreadsheet has no document type; one that does declares entities, which can grow without limit.
    parser.StartDoctypeDeclHandler = _refuse
    with packed.open(name) as part:
        while chunk := part.read(_CHUNK):
            parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _refuse(*_: object) -> None:
    raise ListRejected("not_a_workbook")


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _column(reference: str, following: int) -> int:
    """The column of "AB12" counted from 0; the one that follows where a cell does not say."""
    letters = _COLUMN.match(reference)
    if letters is None:
        return following
    place = 0
    for letter in letters.group():
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def _clean(text: str) -> str:
    return " ".join(_ESCAPED.sub(" ", text[: 2 * MOST_CELL_CHARS]).split())[:MOST_CELL_CHARS]
