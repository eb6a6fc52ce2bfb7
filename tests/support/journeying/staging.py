"""The real service beside the real sandbox, and the lender's people who work its cases.

It does: start both, read the mailbox, make papers of a case's business, and wait for what machines do. It does not:
fill the form in. The rules it keeps: every wait is bounded; every paper says that it is synthetic.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from api.checks.values import Kind, Person
from api.store import queries as store
from engine.application import Application
from tests.support.deskwork import Office
from tests.support.journeying.filling import ME, Who
from tests.support.papers import WRITERS, Variant
from tests.support.papers.applicants import Applicant, applicant
from tests.support.papers.draft import Draft
from tests.support.sandbox import SandboxServer
from tests.support.server import Server, serving
from tests.support.service import opened

T = TypeVar("T")
_LATE_S = 60.0  # generous: what has not come by then does not come


@dataclass
class Stage:
    """A running service whose sources the sandbox plays, and the lender's people who work its cases."""

    server: Server
    sandbox: SandboxServer
    office: Office
    papers: dict[str, Mapping[str, str]] = field(default_factory=dict)  # what each paper says, by its SHA-256

    @property
    def base(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.server.port}"

    def mails(self, to: str) -> list[str]:
        """The texts of the mails to somebody, the oldest first."""
        files = sorted((self.server.folder / "var" / "mailbox").glob("*.eml"), key=lambda each: each.stat().st_mtime)
        read = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        return [str(each.get_content()) for each in read if each["To"] == to]

    def mail(self, to: str, has: str) -> str:
        """The newest mail to somebody with these words in it, once it has come."""
        return until(lambda: next((each for each in reversed(self.mails(to)) if has in each), None))

    def link(self, to: str, has: str) -> str:
        """The link of the newest mail to somebody that leads to a place with these words in it."""
        return next(word for word in self.mail(to, has).split() if word.startswith("http") and has in word)

    def code(self, to: str) -> str:
        """The one-time code of the newest mail to somebody that has one."""
        return self.mail(to, "It works once").split()[0]

    def case(self, application_id: str) -> store.CaseRow:
        """The case of an application."""
        found = self.office.look(lambda connection: store.case_of_application(connection, application_id))
        assert found is not None
        return found

    def case_in(self, application_id: str, *states: str) -> store.CaseRow:
        """The case, once it is in one of these states and its documents were looked at."""

        def look() -> store.CaseRow | None:
            case = self.case(application_id)
            documents = self.office.standing(case.id).documents
            self.office.said |= {each.id: self.papers[each.sha256] for each in documents if each.sha256 in self.papers}
            busy = any(each.state in {"received", "quarantined", "clean"} for each in documents)
            return case if case.state in states and not busy else None

        return until(look)

    def settled(self, application_id: str) -> store.CaseRow:
        """The case, once machines have approved it or it was drawn for people to look at."""

        def look() -> store.CaseRow | None:
            case = self.case(application_id)
            return case if case.state == "approved" or case.sampled else None

        return until(look)

    def paper(self, case: store.CaseRow, kind: Kind, who: Who = ME, variant: Variant = "clean") -> Path:
        """A made-up paper of this case's business, as a file to send."""
        number = len(self.papers)
        draft = Draft(
            kind, next(iter(WRITERS[kind])), variant, Random(number), datetime.now(UTC).date(),
            self._business(case, who, number), applicant(Random(number + 1)),
        )  # fmt: skip
        WRITERS[kind][draft.layout](draft)
        made = draft.sheet.pdf(datetime.now(UTC) - timedelta(days=1), frozenset())
        path = self.server.folder / f"{kind}-{number}.pdf"
        path.write_bytes(made)
        self.papers[sha256(made).hexdigest()] = {name: _typed(value) for name, value in draft.truth.items()}
        return path

    def _business(self, case: store.CaseRow, who: Who, number: int) -> Applicant:
        row = self.office.look(lambda connection: store.get_application(connection, case.application_id))
        assert row is not None
        stated = Application.model_validate_json(row.body).business
        person = Person(given_names=who.given, family_name=who.family, born=who.born)
        return replace(
            applicant(Random(number)), legal_name=stated.legal_name, company=stated.legal_name, abn=stated.abn,
            acn=stated.acn, people=(person, person),
        )  # fmt: skip


class Floor(Office):
    """An office beside a browser, whose own loop is in this thread: what staff do runs in another."""

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for one act."""
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, work).result()


@contextmanager
def staged(url: str, folder: Path) -> Iterator[Stage]:
    """The service on a migrated database, on a free port, beside a sandbox of its own."""
    with SandboxServer() as sandbox:
        told = {"CREDITLINE_SANDBOX": sandbox.url}
        with serving(url, folder, None, more=told) as server, opened(url, secret=server.secret) as desk:
            yield Stage(server, sandbox, Floor.of(desk))


def until(look: Callable[[], T | None]) -> T:
    """What `look` finds, once it finds something; TimeoutError where it does not."""
    ends = time.monotonic() + _LATE_S
    while time.monotonic() < ends:
        if (found := look()) is not None:
            return found
        time.sleep(0.1)
    raise TimeoutError("it did not come")


def _typed(value: object) -> str:
    """As a verifier types it."""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
