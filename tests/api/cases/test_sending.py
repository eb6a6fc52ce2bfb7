"""Sending documents: what a case takes, from whom, how many; sealed at rest; nothing kept of what is refused."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.cases import receiving
from api.store import queries as store
from tests.support.deskwork import Office
from tests.support.schema import slug_of


def files(office: Office) -> list[Path]:
    """Every file in the storage."""
    folder = Path(office.service.state.settings.documents)
    return [path for path in folder.rglob("*") if path.is_file()]


def ref_of(office: Office, case: store.CaseRow) -> str:
    """The one person of a case."""
    [ref] = office.standing(case.id).people
    return ref


def test_a_document_is_kept_sealed_and_told_back(office: Office) -> None:
    """The reply names kind, size and digest; on disk there is one file, which does not hold what was sent."""
    case = office.accepted()
    content = b"\x89PNG\r\n\x1a\n a canary that nobody reads on disk"
    reply = office.send(case, "identity", ref_of(office, case), content)
    assert (reply.status_code, reply.json()["state"], reply.json()["bytes"]) == (201, "received", len(content))
    [path] = files(office)
    assert b"canary" not in path.read_bytes()
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    told = office.service.ask("GET", f"/v1/applications/{case.application_id}/case").json()
    assert told["wanted"][0]["state"] == "being_checked"
    assert told["wanted"][0]["documents"] == [reply.json()]


@pytest.mark.parametrize(
    ("kind", "more", "slug"),
    [
        ("trust_deed", {}, "validation-failed"), ("nothing", {}, "validation-failed"), ("", {}, "validation-failed"),
        ("identity", {}, "validation-failed"),
        ("bank_account_proof", {"headers": {"Content-Type": "application/zip"}}, "unsupported-media-type"),
        ("bank_account_proof", {"headers": {"Content-Type": "text/html"}}, "unsupported-media-type"),
        ("bank_account_proof", {"content": b"x" * 10_000_001}, "payload-too-large"),
        ("bank_account_proof", {"secret": None}, "unauthenticated"),
    ],
)  # fmt: skip
def test_what_a_case_does_not_take_leaves_nothing(
    lone_office: Office, kind: str, more: dict[str, Any], slug: str
) -> None:
    """Kinds that are not wanted, an identity of nobody, other types, too much, no key: refused, and no file stays."""
    case = lone_office.accepted()
    assert slug_of(lone_office.send(case, kind, **more)) == slug
    assert files(lone_office) == []
    assert lone_office.service.count("document") == 0


def test_another_callers_case_is_as_good_as_missing(lone_office: Office) -> None:
    """Reading, sending and signing for somebody else's application are all not-found."""
    case = lone_office.accepted()
    other, under = lone_office.service.key("apply"), f"/v1/applications/{case.application_id}"
    for method, path in (("GET", "case"), ("POST", "documents?kind=identity"), ("GET", "contract")):
        headers = {"Content-Type": "image/png"}
        reply = lone_office.service.ask(method, f"{under}/{path}", secret=other, headers=headers)
        assert slug_of(reply) == "not-found"


def test_a_case_takes_so_many_and_no_more(lone_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its number of files, its bytes or its files a day the quota is told; a day later the last is new."""
    case = lone_office.accepted()
    monkeypatch.setattr(receiving, "MOST_A_DAY", 2)
    for _ in range(2):
        assert lone_office.send(case, "bank_account_proof").status_code == 201
    assert slug_of(lone_office.send(case, "bank_account_proof")) == "quota-exceeded"
    lone_office.clock.advance(timedelta(days=1, seconds=1).total_seconds())
    assert lone_office.send(case, "bank_account_proof").status_code == 201
    monkeypatch.setattr(receiving, "MOST_FILES", 3)
    assert slug_of(lone_office.send(case, "bank_account_proof")) == "quota-exceeded"
    monkeypatch.setattr(receiving, "MOST_FILES", 40)
    monkeypatch.setattr(receiving, "MOST_CASE_BYTES", 10)
    assert slug_of(lone_office.send(case, "bank_account_proof")) == "quota-exceeded"
    assert len(files(lone_office)) == 3


def test_a_closed_case_takes_none(lone_office: Office) -> None:
    """After approval a document is not-now."""
    case = lone_office.approved(lone_office.verified())
    assert case.state == "approved"
    assert slug_of(lone_office.send(case, "bank_account_proof")) == "not-now"


def test_a_row_that_fails_takes_its_file_with_it(lone_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the database refuses the document, its file is removed again."""
    case = lone_office.accepted()

    def refuse(*_: object) -> None:
        raise OSError("the disk is away")

    monkeypatch.setattr(store, "insert_document", refuse)
    assert lone_office.send(case, "bank_account_proof").status_code >= 500
    assert files(lone_office) == []
