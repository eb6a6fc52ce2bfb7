"""The description of what follows an offer is true: every problem that it names can be had, and no other was told."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copy
from typing import Any

import httpx
import pytest
from litestar import Request
from litestar.exceptions import InternalServerException
from sqlalchemy import make_url

from api.cases import receiving
from api.cases.acts import Actor
from api.openapi.cases import case_paths
from api.store.errors import OutcomeUnknown, StorageFull, StoreBusy, StoreUnavailable
from api.store.queries import people_of
from tests.support.accessing import World, world
from tests.support.neighbours import body_for
from tests.support.schema import slug_of

UNDER = "/v1/applications/{application_id}"
ROUTES = {"acceptance": "POST", "case": "GET", "documents": "POST", "contract": "GET", "contract/signatures": "POST"}
WRITTEN = {"acceptance", "documents", "contract/signatures"}
READING: tuple[Exception, ...] = (StoreUnavailable("away"), StoreBusy("busy"), RuntimeError("a mistake"))
WRITING: tuple[Exception, ...] = (StorageFull("full"), OutcomeUnknown("silence"))
SIGNATURE = {"person_ref": "per_" + "0" * 32, "body_sha256": "0" * 64}
JSON = {"Content-Type": "application/json"}


@dataclass
class Applicant:
    """Somebody with an offer, a case and a contract, and the problems that they were told at each route."""

    made: World
    told: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in ROUTES})

    def ask(self, name: str, application_id: str, **more: Any) -> httpx.Response:
        """One request, remembered by the problem that it ended in."""
        path = f"{UNDER.format(application_id=application_id)}/{name}"
        reply = self.made.service.ask(ROUTES[name], path, **more)
        if reply.status_code >= 400:
            self.told[name].add(slug_of(reply))
        return reply

    def having(self, *what: str) -> str:
        """The application of theirs that has this and no more."""
        targets = [each for each in self.made.targets if each.kind == "application_id" and each.owner == "owner"]
        return next(each.id for each in targets if each.has == set(what))


@pytest.fixture
def applicant(sqlite_template: Path, tmp_path: Path) -> Iterator[Applicant]:
    """An applicant of a service in which everything happened already."""
    with world(f"sqlite:///{copy(sqlite_template, tmp_path / 'store.sqlite')}") as made:
        yield Applicant(made)


def described(name: str) -> set[str]:
    """Every slug that the description names for a route."""
    [operation] = case_paths()[f"{UNDER}/{name}"].values()
    told = [each["description"] for status, each in operation["responses"].items() if status >= "400"]
    return {slug for each in told for slug in each.split(" | ")}


def test_every_problem_that_is_described_can_be_had(applicant: Applicant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Authority, form, size, state, quota, and every way in which the store fails, for each of the five routes."""
    _authority(applicant)
    _form(applicant)
    _store(applicant, monkeypatch)
    _state(applicant, monkeypatch)
    assert applicant.told == {name: described(name) for name in ROUTES}


def _authority(applicant: Applicant) -> None:
    whole = applicant.having("case", "contract")
    for name in ROUTES:
        applicant.ask(name, whole, secret=None)
        applicant.ask(name, whole, secret=applicant.made.service.key("audit"))
        body = {"acceptance": {"decision_id": "dec_" + "0" * 32}, "contract/signatures": SIGNATURE}.get(name)
        applicant.ask(name, "app_" + "0" * 32, **({"json": body} if body else {}))


def _form(applicant: Applicant) -> None:
    whole, waiting = applicant.having("case", "contract"), applicant.having("case")
    for name in ("acceptance", "contract/signatures"):
        applicant.ask(name, whole, content=b"{", headers=JSON)
        applicant.ask(name, whole, json={"limit_cents": 30_000_000})
        applicant.ask(name, whole, content=b'"' + b"x" * 5_000 + b'"', headers=JSON)
        applicant.ask(name, whole, content=b"{}", headers={"Content-Type": "text/plain"})
    picture = {"Content-Type": "image/png"}
    asked = _wanted(applicant)
    applicant.ask("documents", waiting, params={"kind": "none"}, content=b"x", headers=picture)
    applicant.ask("documents", waiting, params=asked, content=b"x", headers=JSON)
    applicant.ask("documents", waiting, params=asked, content=b"x" * (receiving.MOST_BYTES + 1), headers=picture)


def _wanted(applicant: Applicant) -> dict[str, str]:
    """What to say of a document that the waiting case wants."""
    told = applicant.made.service.ask("GET", f"/v1/applications/{applicant.having('case')}/case").json()
    wanted = next(each for each in told["wanted"] if each["required"])
    return {"kind": wanted["kind"], **({"person_ref": wanted["person_ref"]} if wanted["person_ref"] else {})}


def _store(applicant: Applicant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store fails, the body does not come, or the connection ends before it."""
    waiting, database = applicant.having("case"), applicant.made.service.database
    more: dict[str, Any] = {"content": b"x", "headers": {"Content-Type": "image/png"}, "params": _wanted(applicant)}
    bodies_of = {
        "acceptance": {"json": {"decision_id": "dec_" + "0" * 32}}, "contract/signatures": {"json": SIGNATURE},
        "documents": more,
    }  # fmt: skip

    def failing(method: str, error: Exception) -> None:
        async def fail(work: object) -> None:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr(database, method, fail)
            for name in ROUTES if method == "read" else WRITTEN:
                place = applicant.having("case", "contract") if name == "contract/signatures" else waiting
                applicant.ask(name, place, **bodies_of.get(name, {}))

    for error in READING:
        failing("write", error)
        failing("read", error)
    for error in WRITING:
        failing("write", error)
    for name in WRITTEN:
        kind = more["headers"] if name == "documents" else JSON
        for fault in (TimeoutError(), InternalServerException()):
            with monkeypatch.context() as patched:
                _broken(patched, fault)
                applicant.ask(name, waiting, content=b"x", headers=kind, params=more["params"])


def _broken(patched: pytest.MonkeyPatch, fault: Exception) -> None:
    """Make the body of every request end in this way, where the framework reads it."""

    async def body(_: object) -> bytes:
        raise fault

    async def stream(_: object) -> AsyncIterator[bytes]:
        for _ in range(1):
            raise fault
        yield b""

    patched.setattr(Request, "body", body)
    patched.setattr(Request, "stream", stream)


def _state(applicant: Applicant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The case and the contract as they should not be; the clock goes on at the end."""
    made, whole = applicant.made, applicant.having("case", "contract")
    asked: dict[str, Any] = {"params": _wanted(applicant), "content": b"x", "headers": {"Content-Type": "image/png"}}
    applicant.ask("documents", whole, **asked)
    with monkeypatch.context() as patched:
        patched.setattr(receiving, "MOST_FILES", 0)
        applicant.ask("documents", applicant.having("case"), **asked)
    applicant.ask("contract/signatures", whole, json=SIGNATURE)
    signed = made.service.ask("GET", f"/v1/applications/{whole}/contract").json()["signatures"][0]["person_ref"]
    applicant.ask("contract/signatures", whole, json={**SIGNATURE, "person_ref": signed})
    _offers(applicant)
    verifier, approver = Actor(made.member("verifier"), "verifier"), Actor(made.member("approver"), "approver")
    unsigned, late = made.office.approved(made.verified(verifier), approver).application_id, made.applied()
    text_of = made.service.ask("GET", f"/v1/applications/{unsigned}/contract").json()
    person = made.office.look(lambda connection: people_of(connection, unsigned))[0].ref
    made.office.clock.advance(60 * 86_400)
    signing = {"person_ref": person, "body_sha256": text_of["body_sha256"]}
    applicant.ask("contract/signatures", unsigned, json=signing)
    applicant.ask("acceptance", late["application_id"], json={"decision_id": late["decision_id"]})


def _offers(applicant: Applicant) -> None:
    """Another decision, one that offers nothing, one for which nobody can sign, and one whose facts were erased."""
    made = applicant.made
    applicant.ask("acceptance", applicant.having(), json={"decision_id": "dec_" + "0" * 32})
    owner_alone = body_for(80)
    owner_alone["people"][0]["roles"] = ["owner", "contact"]
    sources = made.service.state.shell.sources
    sources.told = {"bank": {"dishonours": 12}}
    declined = made.service.apply(body_for(81))
    sources.told = {}
    erased = made.applied()
    file = sqlite3.connect(str(make_url(made.service.url).database))
    file.executescript("DROP TRIGGER fact_set_no_delete; DELETE FROM fact_set WHERE sha256 = (SELECT facts_sha256"
                       f" FROM decision WHERE id = '{erased['decision_id']}')")  # fmt: skip
    file.close()
    for told in (made.service.apply(owner_alone).json(), declined.json(), erased):
        applicant.ask("acceptance", told["application_id"], json={"decision_id": told["decision_id"]})
