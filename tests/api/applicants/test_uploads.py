"""Files piece by piece: in any order of mishaps, each comes whole and once, or not at all."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from api.applicants import uploads
from api.applicants.uploads import LASTS, MOST_OPEN, MOST_PIECE, TAKING, Place
from api.cases.receiving import MOST_BYTES, Sent
from api.documents.storage import Storage, StorageDown
from api.errors import Problem
from api.journey.sending import CALLER
from api.store import queries as store
from api.store.queries.uploads import UploadRow, take_upload
from tests.support.applying import House

SENT = Sent("bank_account_proof", None, "image/png")
CONTENT = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4_000  # a megabyte and a bit: three pieces


@dataclass
class Flaky(Storage):
    """Storage that fails where a test says so; what it keeps is the real storage's."""

    inner: Storage
    fails: set[str] = field(default_factory=set)

    async def put(self, key: str, plain: bytes) -> None:
        """See Storage."""
        self._maybe("put")
        await self.inner.put(key, plain)

    async def get(self, key: str) -> bytes:
        """See Storage."""
        self._maybe("get")
        return await self.inner.get(key)

    async def delete(self, key: str) -> None:
        """See Storage."""
        self._maybe("delete")
        await self.inner.delete(key)

    def _maybe(self, act: str) -> None:
        if act in self.fails:
            raise StorageDown("Made up")


@dataclass
class Line:
    """A case and the place where its files come in."""

    house: House
    place: Place
    case: store.CaseRow
    storage: Flaky

    def announced(self, size: int = len(CONTENT)) -> UploadRow:
        """A file that is going to come."""
        return self.house.run(uploads.begin(self.place, self.case, SENT, size))

    def loaded(self, row: UploadRow) -> UploadRow:
        """How far it has come."""
        return self.house.run(uploads.load(self.place, self.case, row.id))

    def add(self, row: UploadRow, offset: int, piece: bytes) -> UploadRow:
        """One piece."""
        return self.house.run(uploads.add(self.place, row, offset, piece))

    def whole(self, content: bytes = CONTENT) -> UploadRow:
        """Every piece of a file, in order."""
        row = self.announced(len(content))
        for offset in range(0, len(content), MOST_PIECE):
            row = self.add(row, offset, content[offset : offset + MOST_PIECE])
        return row

    def finish(self, row: UploadRow) -> bool:
        """Take it in."""
        return self.house.run(uploads.finish(self.place, CALLER, self.case, row))

    def documents(self) -> tuple[store.DocumentRow, ...]:
        """The documents of the case."""
        return self.house.look(lambda connection: store.documents_of(connection, self.case.id))

    def refused(self, work: Any) -> str:
        """The slug of the problem that something ends in."""
        with pytest.raises(Problem) as problem:
            self.house.run(work)
        return problem.value.slug

    def pieces(self) -> list[str]:
        """The pieces that are in storage."""
        folder = self.storage.inner._folder  # type: ignore[attr-defined]
        return sorted(path.name for path in folder.glob("upl_*")) if folder.exists() else []


def lined(house: House) -> Line:
    """A case that waits for documents."""
    application_id = house.browser().accept()
    storage = Flaky(house.service.state.intray.storage)
    intray = replace(house.service.state.intray, storage=storage)
    return Line(house, Place(house.lobby, house.service.state.desk, intray), house.case(application_id), storage)


@pytest.fixture
def line(both: House) -> Line:
    """A case on either database."""
    return lined(both)


@pytest.fixture
def lone_line(pages: House) -> Line:
    """A case on SQLite."""
    return lined(pages)


def test_a_file_comes_whole(line: Line) -> None:
    """Its pieces in order are one document with the bytes that were sent, and nothing of the pieces is left."""
    row = line.whole()
    assert (row.received, row.pieces) == (len(CONTENT), 3)
    assert len(line.pieces()) == 3
    assert line.finish(row) is True
    [document] = line.documents()
    assert line.house.run(line.storage.get(document.storage_key or "")) == CONTENT
    assert line.loaded(row).document_id == document.id
    assert line.pieces() == []


def test_pieces_are_sealed(lone_line: Line) -> None:
    """Nothing of a file can be read in storage while it is on its way."""
    row = lone_line.announced(40)
    lone_line.add(row, 0, b"bandicoot-statement ")
    folder = lone_line.storage.inner._folder  # type: ignore[attr-defined]
    assert b"bandicoot" not in b"".join(path.read_bytes() for path in folder.iterdir())


def test_a_piece_that_comes_again_changes_nothing(line: Line) -> None:
    """An answer was lost, so the sender repeats: the same piece counts once, also the last one, also afterwards."""
    row = line.announced()
    first = line.add(row, 0, CONTENT[:MOST_PIECE])
    assert line.add(first, 0, CONTENT[:MOST_PIECE]) == first
    row = line.add(first, MOST_PIECE, CONTENT[MOST_PIECE : 2 * MOST_PIECE])
    row = line.add(row, 2 * MOST_PIECE, CONTENT[2 * MOST_PIECE :])
    assert line.finish(row) is True
    row = line.loaded(row)
    assert line.finish(line.add(row, 2 * MOST_PIECE, CONTENT[2 * MOST_PIECE :])) is True
    assert len(line.documents()) == 1


def test_a_piece_for_another_place_is_told_where_to_go_on(line: Line) -> None:
    """Beyond a gap, overlapping what is there, or from a tab that saw less: nothing is kept of it."""
    row = line.announced()
    assert line.refused(uploads.add(line.place, row, 5, b"x" * 10)) == "stale-version"
    row = line.add(row, 0, CONTENT[:100])
    assert line.refused(uploads.add(line.place, row, 50, b"x" * 100)) == "stale-version"
    assert line.refused(uploads.add(line.place, row, 101, b"x")) == "stale-version"
    assert line.loaded(row).received == 100


def test_of_two_tabs_one_piece_counts(line: Line) -> None:
    """Both send the next piece from the same page: one counts, the other is told, and the file is right."""
    row = line.announced()

    async def both_tabs() -> list[object]:
        work = [uploads.add(line.place, row, 0, CONTENT[:MOST_PIECE]) for _ in range(2)]
        return list(await asyncio.gather(*work, return_exceptions=True))

    results = line.house.run(both_tabs())
    assert sorted(each.slug if isinstance(each, Problem) else "kept" for each in results) == ["kept", "stale-version"]
    assert line.loaded(row).received == MOST_PIECE


def test_pieces_that_do_not_fit_together_are_no_document(lone_line: Line) -> None:
    """Two tabs sent other bytes for one place: the file is given up rather than kept wrong."""
    row = lone_line.whole()
    lone_line.house.run(lone_line.storage.put(f"{row.id}/1", b"shorter"))
    assert lone_line.refused(uploads.finish(lone_line.place, CALLER, lone_line.case, row)) == "validation-failed"
    assert lone_line.documents() == ()
    assert lone_line.refused(uploads.load(lone_line.place, lone_line.case, row.id)) == "not-found"
    assert lone_line.pieces() == []


def test_a_lost_piece_is_no_document(lone_line: Line) -> None:
    """A piece that is not in storage any more gives the file up."""
    row = lone_line.whole()
    lone_line.house.run(lone_line.storage.delete(f"{row.id}/1"))
    assert lone_line.refused(uploads.finish(lone_line.place, CALLER, lone_line.case, row)) == "validation-failed"
    assert lone_line.documents() == ()


@pytest.mark.parametrize("size", [0, -1, MOST_BYTES + 1])
def test_a_file_that_no_file_may_be_is_not_announced(lone_line: Line, size: int) -> None:
    """Empty ones, and those above ten megabytes, are refused before anything is sent."""
    assert lone_line.refused(uploads.begin(lone_line.place, lone_line.case, SENT, size)) == "validation-failed"


@pytest.mark.parametrize("piece", [b"", b"x" * (MOST_PIECE + 1)])
def test_a_piece_is_some_bytes_and_not_too_many(lone_line: Line, piece: bytes) -> None:
    """An empty piece changes nothing where it is due; one above the limit is refused."""
    row = lone_line.announced(MOST_PIECE * 3)
    if piece:
        assert lone_line.refused(uploads.add(lone_line.place, row, 0, piece)) == "payload-too-large"
    else:
        assert lone_line.add(row, 0, piece) == row


def test_more_than_was_announced_is_refused(lone_line: Line) -> None:
    """A file is as large as it said."""
    row = lone_line.add(lone_line.announced(100), 0, b"x" * 90)
    assert lone_line.refused(uploads.add(lone_line.place, row, 90, b"x" * 11)) == "payload-too-large"
    assert lone_line.loaded(row).received == 90


def test_a_case_has_so_many_files_on_their_way(line: Line) -> None:
    """Ten at a time; those that lapsed or came do not count."""
    for _ in range(MOST_OPEN):
        line.announced(10)
    assert line.refused(uploads.begin(line.place, line.case, SENT, 10)) == "quota-exceeded"
    line.house.clock.advance(LASTS.total_seconds())
    line.announced(10)


def test_a_file_of_another_case_is_not_found(lone_line: Line) -> None:
    """An upload's id opens nothing to who has another case."""
    row = lone_line.announced()
    other = store.CaseRow(**{**_fields(lone_line.case), "id": "case_other"})
    assert lone_line.refused(uploads.load(lone_line.place, other, row.id)) == "not-found"
    assert lone_line.refused(uploads.load(lone_line.place, lone_line.case, "upl_unknown")) == "not-found"


def _fields(row: store.CaseRow) -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in store.CaseRow.__slots__}


def test_what_does_not_come_within_a_day_is_removed(line: Line) -> None:
    """Its pieces go, and it cannot be gone on with; one that came is left alone."""
    came = line.whole(b"x" * 10)
    line.finish(came)
    row = line.add(line.announced(), 0, CONTENT[:100])
    line.house.clock.advance(LASTS.total_seconds())
    assert line.refused(uploads.load(line.place, line.case, row.id)) == "not-found"
    assert line.house.run(uploads.remove_lapsed(line.place)) == 1
    assert line.pieces() == []
    assert line.house.run(uploads.remove_lapsed(line.place)) == 0
    assert len(line.documents()) == 1


def test_pieces_that_storage_keeps_are_removed_later(line: Line) -> None:
    """Where storage was away when a file was done, its pieces go with the next tidying after their day."""
    row = line.whole()
    line.storage.fails = {"delete"}
    assert line.finish(row) is True
    assert len(line.pieces()) == 3
    line.house.clock.advance(LASTS.total_seconds())
    line.house.run(uploads.remove_lapsed(line.place))
    assert len(line.pieces()) == 3
    line.storage.fails = set()
    assert line.house.run(uploads.remove_lapsed(line.place)) == 1
    assert line.pieces() == []
    assert line.house.run(uploads.remove_lapsed(line.place)) == 0


def test_storage_that_is_away_costs_nothing(line: Line) -> None:
    """A piece that could not be stored does not count; a whole file that could not be read is taken in later."""
    row = line.announced()
    line.storage.fails = {"put"}
    assert line.refused(uploads.add(line.place, row, 0, CONTENT[:10])) == "dependency-unavailable"
    line.storage.fails = set()
    row = line.whole()
    line.storage.fails = {"get"}
    assert line.refused(uploads.finish(line.place, CALLER, line.case, row)) == "dependency-unavailable"
    line.storage.fails = set()
    assert line.finish(line.loaded(row)) is True
    assert len(line.documents()) == 1


def test_a_whole_file_is_taken_in_once(line: Line) -> None:
    """Two that ask at the same moment: one takes it in, the other is told to come again, and there is one document."""
    row = line.whole()

    async def twice() -> list[object]:
        work = [uploads.finish(line.place, CALLER, line.case, row) for _ in range(2)]
        return list(await asyncio.gather(*work, return_exceptions=True))

    results = line.house.run(twice())
    assert sorted(each.slug if isinstance(each, Problem) else str(each) for each in results) == ["True", "overloaded"]
    assert len(line.documents()) == 1
    assert line.finish(line.loaded(row)) is True
    assert len(line.documents()) == 1


def test_a_taker_that_was_cut_off_is_followed(line: Line) -> None:
    """A process died while it took a file in: a minute later another may."""
    row = line.whole()
    now = line.house.clock()
    line.house.run(
        line.house.lobby.database.write(lambda connection: take_upload(connection, row.id, now, now + TAKING))
    )
    assert line.refused(uploads.finish(line.place, CALLER, line.case, row)) == "overloaded"
    line.house.clock.advance(TAKING.total_seconds())
    assert line.finish(row) is True


@pytest.mark.parametrize(
    ("sent", "slug"),
    [
        (Sent("bank_account_proof", None, "application/zip"), "unsupported-media-type"),
        (Sent("wedding_photo", None, "image/png"), "validation-failed"),
        (Sent("identity", "per_somebody", "image/png"), "validation-failed"),
    ],
)
def test_a_file_that_is_not_wanted_is_given_up(lone_line: Line, sent: Sent, slug: str) -> None:
    """What the case does not take is told once it is whole, and its pieces go."""
    row = lone_line.house.run(uploads.begin(lone_line.place, lone_line.case, sent, 10))
    row = lone_line.add(row, 0, b"x" * 10)
    assert lone_line.refused(uploads.finish(lone_line.place, CALLER, lone_line.case, row)) == slug
    assert lone_line.pieces() == []
    assert lone_line.documents() == ()
