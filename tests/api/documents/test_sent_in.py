"""Files sent over HTTP and looked at as the service does: what is refused, what the applicant is told, what is left."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from api.cases.intray import Intray
from api.cases.reading import look_at_next
from api.console.loading.documents import SHOWABLE
from api.documents.receiving import Door
from api.documents.scanner import Scanner
from api.documents.storage import StorageDown
from api.store import queries as store
from tests.api.documents.test_confinement import children_of
from tests.support.clamd import EICAR, Manner, scanning
from tests.support.deskwork import Office
from tests.support.hostile import honest, pictures
from tests.support.hostile.files import EXHAUSTING, HOSTILE
from tests.support.hostile.writing import pdf, stream
from tests.support.schema import slug_of
from tests.support.service import telling

KIND = "bank_account_proof"
# A few of each kind that the bad inputs of the record name, and one that takes all that its process may.
SENT = {
    "scripts": ("when opened", "in a later save"), "actions": ("starts a program",), "attachments": ("by name",),
    "encrypted": ("revision 6, to open",), "polyglots": ("PDF and ZIP", "PDF in a page", "JPEG and ZIP"),
    "pixels": ("PNG of 60,000 by 60,000",), "bombs": ("one stream of 100 MB",), "outlines": ("next is itself",),
    "metadata": ("of a PDF", "of a PNG"), "other files": ("SVG", "a page", "a DOS program", "ZIP", "GIF", "one byte"),
    "cut": ("PDF at 80 %",), "broken pictures": ("wrong checksum",), "loops": ("pages that hold themselves",),
    "exhausting": ("a page of 50 million strokes",),
}  # fmt: skip
FILES = [
    pytest.param(each, id=f"{each.family}: {each.name}")
    for each in HOSTILE + EXHAUSTING
    if each.name in SENT.get(each.family, ())
]


@pytest.fixture
def office(url: str) -> Iterator[Office]:
    """Three members of staff over either database."""
    with telling(url) as service:
        yield Office.of(service)


@pytest.fixture
def lone_office(sqlite_url: str) -> Iterator[Office]:
    """The same on SQLite alone, where the database makes no difference."""
    with telling(sqlite_url) as service:
        yield Office.of(service)


def intray_of(office: Office) -> Intray:
    """What documents come in through."""
    intray: Intray = office.service.state.intray
    return intray


def files(office: Office) -> list[Path]:
    """Every file in the storage."""
    return [path for path in Path(office.service.state.settings.documents).rglob("*") if path.is_file()]


def sent(office: Office, content: bytes, media_type: str = "application/pdf") -> store.DocumentRow:
    """A document that was sent and that nobody has looked at."""
    reply = office.send(office.accepted(), KIND, None, content, headers={"Content-Type": media_type})
    assert reply.status_code == 201, reply.text
    return row(office, reply.json()["document_id"])


def row(office: Office, document_id: str) -> store.DocumentRow:
    """The document as it is now."""
    found = office.look(lambda connection: store.get_document(connection, document_id))
    assert found is not None
    return found


def look(office: Office, intray: Intray | None = None) -> bool:
    """Look at the next document, as the service's loop does."""
    return office.do(look_at_next(office.desk, intray or intray_of(office)))


@contextmanager
def nothing_left() -> Iterator[None]:
    """No process, and no open descriptor, more than before."""
    processes, descriptors = children_of(os.getpid()), len(os.listdir("/proc/self/fd"))
    yield
    assert children_of(os.getpid()) <= processes
    assert len(os.listdir("/proc/self/fd")) <= descriptors


def codes_of(office: Office, document: store.DocumentRow) -> list[str]:
    """The codes that the case's history tells of a document."""
    events = office.look(lambda connection: store.case_events(connection, document.case_id))
    return [each.details["code"] for each in events if each.document_id == document.id and "code" in each.details]


def told_applicant(office: Office, document: store.DocumentRow) -> dict[str, Any]:
    """The document as the applicant's own reply tells it."""
    case = office.case(document.case_id)
    reply = office.service.ask("GET", f"/v1/applications/{case.application_id}/case").json()
    found: dict[str, Any] = next(
        each for wanted in reply["wanted"] for each in wanted["documents"] if each["document_id"] == document.id
    )
    return found


def rejected(office: Office, document: store.DocumentRow, codes: tuple[str, ...]) -> None:
    """Refused for good: told in the case and to the applicant, never to be shown, one sealed file in quarantine."""
    after = row(office, document.id)
    assert (after.state, after.reason, after.lease_until) == ("rejected", "UNREADABLE_FILE", None)
    assert after.state not in SHOWABLE
    assert (after.media_type, after.pages, after.perceptual) == (None, None, None)
    [code] = codes_of(office, after)
    assert code in codes
    told = told_applicant(office, after)
    assert told["state"] == "refused"
    assert "could not open this file safely" in told["wrong"]
    assert code not in json.dumps(told)
    notices = office.look(lambda connection: connection.execute(text("SELECT dedupe FROM outbox")).scalars().all())
    assert any(f"document.returned:{after.case_id}" in notice for notice in notices)
    [path] = files(office)
    assert not path.name.endswith(".part")


@pytest.mark.parametrize("file", FILES)
def test_a_hostile_file_is_refused_and_leaves_nothing(lone_office: Office, file: Any) -> None:
    """Sent under another type than its own: rejected, told, sealed away, and no process or descriptor stays."""
    content = file.make()
    document = sent(lone_office, content, "image/png" if content.startswith(b"%PDF-") else "application/pdf")
    with nothing_left():
        assert look(lone_office)
    rejected(lone_office, document, file.codes)
    assert not look(lone_office)


def test_a_hostile_file_is_refused_on_either_database(office: Office) -> None:
    """The same on PostgreSQL, and the audit has it."""
    document = sent(office, HOSTILE[0].make())
    assert look(office)
    rejected(office, document, HOSTILE[0].codes)


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "application/zip", "image/gif", ""])
def test_another_type_is_not_taken_at_all(lone_office: Office, media_type: str) -> None:
    """What says itself that it is no document is refused before a byte is kept."""
    case = lone_office.accepted()
    reply = lone_office.send(case, KIND, None, b"<svg/>", headers={"Content-Type": media_type})
    assert slug_of(reply) == "unsupported-media-type"
    assert files(lone_office) == []


def test_an_empty_file_is_not_taken(lone_office: Office) -> None:
    """Nothing is no document; nothing is kept of it."""
    case = lone_office.accepted()
    path = f"/v1/applications/{case.application_id}/documents?kind={KIND}"
    reply = lone_office.service.ask("POST", path, content=b"", headers={"Content-Type": "application/pdf"})
    assert slug_of(reply) == "validation-failed"
    assert files(lone_office) == []


def test_a_full_door_is_told_before_the_file_is_read(lone_office: Office) -> None:
    """Where too many are on their way in, the next is asked to come again, and nothing is kept of it."""
    case, state = lone_office.accepted(), lone_office.service.state
    state.intray = replace(intray_of(lone_office), door=Door(0))
    reply = lone_office.send(case, KIND)
    assert (slug_of(reply), "retry-after" in reply.headers) == ("overloaded", True)
    assert files(lone_office) == []


@pytest.mark.parametrize(
    ("content", "media_type", "pages"),
    [(honest.statement(), "application/pdf", 2), (pictures.turned(6), "image/jpeg", 1)],
    ids=["a statement", "a turned photograph"],
)
def test_an_honest_file_is_clean_with_what_it_is(
    lone_office: Office, content: bytes, media_type: str, pages: int
) -> None:
    """Its type is what it is, whatever its sender called it; then it goes on to the checks."""
    document = sent(lone_office, content, "image/png")
    with nothing_left():
        assert look(lone_office)
    after = row(lone_office, document.id)
    assert (after.media_type, after.pages) == (media_type, pages)
    assert after.state in SHOWABLE
    assert codes_of(lone_office, after) == []


# -- the scanner ---------------------------------------------------------------------------------------------


def looked_with(office: Office, manner: Manner) -> list[bytes]:
    """Look at the next document beside a scanner of that manner; what the scanner was sent."""

    async def beside() -> list[bytes]:
        async with scanning(manner) as clamd:
            intray = replace(intray_of(office), scanner=Scanner(clamd.address, seconds=20))
            assert await look_at_next(office.desk, intray)
            return clamd.streams

    return asyncio.run(beside())


def test_what_the_scanner_finds_is_refused(lone_office: Office) -> None:
    """A sound PDF that carries the makers' test file: the scanner is sent exactly the file, and its word is enough."""
    content = pdf(more=[stream(EICAR)])
    document = sent(lone_office, content)
    assert looked_with(lone_office, "scans") == [content]
    rejected(lone_office, document, ("infected",))


def test_a_scanner_that_is_down_leaves_the_document_where_it_is(lone_office: Office) -> None:
    """However often it is asked the file is neither clean nor refused; it is looked at once the scanner answers."""
    document = sent(lone_office, pdf(more=[stream(EICAR)]))
    for _ in range(8):
        looked_with(lone_office, "hangs up")
        waiting = row(lone_office, document.id)
        assert (waiting.state, waiting.attempts) == ("quarantined", 0)
        assert told_applicant(lone_office, document)["state"] == "being_checked"
        assert not look(lone_office)  # not at once again
        lone_office.clock.advance(60)
    looked_with(lone_office, "scans")
    rejected(lone_office, document, ("infected",))


def test_storage_that_is_down_leaves_the_document_where_it_is(lone_office: Office) -> None:
    """A store that does not answer is no fault of the file either."""

    class Down:
        async def put(self, key: str, plain: bytes) -> None:
            raise StorageDown("put")

        async def get(self, key: str) -> bytes:
            raise StorageDown("get")

        async def delete(self, key: str) -> None:
            raise StorageDown("delete")

    document, up = sent(lone_office, HOSTILE[0].make()), intray_of(lone_office)
    lone_office.service.state.intray = down = replace(up, storage=Down())
    for _ in range(8):
        assert look(lone_office, down)
        waiting = row(lone_office, document.id)
        assert (waiting.state, waiting.attempts) == ("received", 0)
        lone_office.clock.advance(60)
    assert slug_of(lone_office.send(lone_office.case(document.case_id), KIND)) == "dependency-unavailable"
    assert look(lone_office, up)
    rejected(lone_office, document, HOSTILE[0].codes)
