"""Everybody who might come to the door, everything they might ask for, and one way to ask: for tests of authority.

It does: open one service with cases in every state and applications of two callers, sign a member of each role in, and
send requests as any of them. It does not: know what may be had (tests/api/access works that out). The rule it keeps:
sessions, keys, cases and documents are real; a request that is let in is made so that it changes as little as can be.
"""

import asyncio
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
from litestar import Litestar
from PIL import Image

from api.applicants import visits
from api.cases import working
from api.cases.acts import Actor
from api.commands import add_key
from api.console.messages import MESSAGES
from api.pages.forms import CSRF_HEADER
from api.security import new_id, sha256_of
from api.staff import codes, sessions
from api.staff.sessions import SESSION_COOKIE, Opened
from api.store import queries as store
from api.store.queries import applicants
from tests.support.deskwork import Office
from tests.support.neighbours import NeighbourSources, body_for
from tests.support.releases import fake_release
from tests.support.schema import check_reply, operation_of, slug_of
from tests.support.service import Clock, Service, champion_once, opened

WRONG_VERSION = "999999999"  # of a case: whoever holds it is told that it moved on, and nothing is changed
UNKNOWN, MALFORMED = "0" * 32, ("x", "%00", "a" * 300)
_TITLES = {told.title: slug for slug, told in MESSAGES.items()}
_MODES = {"owner", "director", "contact"}


@dataclass(frozen=True)
class Somebody:
    """Who asks: by a key with these scopes, or by a session at this stage with these roles; or by neither."""

    name: str
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    stage: str = ""
    staff_id: str = ""
    owns: str = ""  # which applications are theirs
    visit: str = ""  # as which applicant they were let into the applicants' pages
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def is_nobody(self) -> bool:
        """Whether they have nothing that holds."""
        return not (self.scopes or self.stage or self.visit)


@dataclass(frozen=True)
class Target:
    """What is asked for: `id` in the address, whose it is, and in which state."""

    kind: str
    name: str
    id: str
    there: bool = True
    state: str = ""
    holder: str = ""  # the member who holds the case
    owner: str = ""  # the caller whose application it is
    has: frozenset[str] = frozenset()


NOTHING = Target("nothing", "nothing", "")


@dataclass
class World:
    """One service with everybody and everything in it."""

    service: Service
    office: Office
    loop: asyncio.Runner
    people: list[Somebody] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    _applied: int = 0

    @property
    def app(self) -> Litestar:
        """The framework's application, for its routes."""
        inner = self.service.app.app
        assert isinstance(inner, Litestar)
        return inner

    @property
    def origin(self) -> str:
        """The console's own address."""
        origins: tuple[str, ...] = self.service.state.staff.origins
        return origins[0]

    # -- people --------------------------------------------------------------------------------------------------

    def member(self, *roles: str) -> str:
        """Add an enrolled member; their id."""
        staff_id, now, door = new_id("stf"), self.office.clock(), self.service.state.staff
        sealed = codes.seal_seed(door.sealer, staff_id, codes.new_seed())
        pending = codes.seal_seed(door.sealer, staff_id, codes.new_seed(), pending=True)
        new = store.NewStaff(staff_id, f"m-{staff_id[4:12]}", "A Member", frozenset(roles), now, "tests",
                             "$argon2id$", sealed, now)  # fmt: skip
        with self.service.database.transaction() as connection:
            store.add_staff(connection, new)
            store.set_pending_seed(connection, staff_id, pending)
        return staff_id

    def session(self, staff_id: str, stage: str = "full", before: timedelta = timedelta()) -> Opened:
        """Open a session of a member, begun so long ago."""
        made = sessions.open_new(staff_id, stage, self.office.clock() - before)
        with self.service.database.transaction() as connection:
            store.open_session(connection, made.row)
        return made

    def headers_of(self, made: Opened) -> dict[str, str]:
        """What a browser with this session sends from a page of ours."""
        return {
            "Cookie": f"{SESSION_COOKIE}={made.token}", CSRF_HEADER: made.row.csrf, "Origin": self.origin,
            "Sec-Fetch-Site": "same-origin",
        }  # fmt: skip

    def staff(self, name: str, *roles: str, stage: str = "full", staff_id: str = "") -> Somebody:
        """A member who is signed in."""
        staff_id = staff_id or self.member(*roles)
        headers = self.headers_of(self.session(staff_id, stage))
        return Somebody(name, roles=frozenset(roles), stage=stage, staff_id=staff_id, headers=headers)

    def applicant(self, name: str, owns: str) -> Somebody:
        """Somebody who showed whose mail address they have, and may see these applications on the applicants' pages."""
        with self.service.database.transaction() as connection:
            held = applicants.applicant_of(connection, new_id("apl"), sha256_of(name), self.office.clock())
            for target in self.targets:
                if target.kind == "application_id" and target.owner == owns:
                    applicants.hold_application(connection, held, target.id, self.office.clock())
        return Somebody(name, owns=owns, visit=held, headers=self.visit(held))

    def visit(self, applicant_id: str) -> dict[str, str]:
        """What the browser of an applicant sends from a page of ours, on a visit that was just opened."""
        made = visits.new_visit(self.office.clock(), applicant_id)
        with self.service.database.transaction() as connection:
            applicants.open_visit(connection, made.row)
        return {
            "Cookie": f"{visits.COOKIE}={made.token}", CSRF_HEADER: made.row.csrf, "Origin": self.origin,
            "Sec-Fetch-Site": "same-origin",
        }  # fmt: skip

    def caller(self, name: str, *scopes: str, owns: str = "", secret: str = "") -> Somebody:
        """The holder of a key."""
        secret = secret or add_key(self.service.url, name, scopes)
        headers = {"Authorization": f"Bearer {secret}"}
        return Somebody(name, scopes=frozenset(scopes), owns=owns, headers=headers)

    # -- things --------------------------------------------------------------------------------------------------

    def applied(self, secret: str = "") -> dict[str, Any]:
        """The reply to an application of its own business that is offered a line."""
        self._applied += 1
        body = body_for(self._applied)
        body["people"][0]["roles"] = sorted(_MODES)
        reply = self.service.apply(body, **({"secret": secret} if secret else {})).json()
        assert reply["outcome"] == "approve", reply
        found: dict[str, Any] = reply
        return found

    def accepted(self) -> store.CaseRow:
        """A case that waits for documents."""
        offered = self.applied()
        reply = self.office.accept(offered["application_id"], offered["decision_id"])
        assert reply.status_code == 201, reply.text
        return self.office.case(reply.json()["case_id"])

    def complete(self) -> store.CaseRow:
        """A case with everything handed in."""
        case = self.accepted()
        for wanted in self.office.standing(case.id).wanted:
            for _ in range(wanted.count if wanted.required else 0):
                reply = self.office.send(case, wanted.kind, wanted.person_ref, _picture(self.office.sent))
                assert reply.status_code == 201, reply.text
                self.office.found(reply.json()["document_id"])
        return self.office.case(case.id)

    def verified(self, by: Actor) -> store.CaseRow:
        """A case that somebody verified."""
        case = self.office.settle(self.office.take(self.complete(), by=by), by=by)
        return self.office.do(working.verify(self.office.desk, case.id, case.version, by))

    def of_case(self, name: str, case: store.CaseRow) -> None:
        """Add a case as a target, and one of its documents."""
        self.targets.append(Target("case_id", name, case.id, state=case.state, holder=case.owner or ""))
        standing = self.office.standing(case.id)
        for document in standing.documents[:1]:
            self.targets.append(
                Target("document_id", f"document of {name}", document.id, state=case.state, holder=case.owner or "")
            )

    # -- asking --------------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, headers: dict[str, str], **more: Any) -> httpx.Response:
        """One request, its reply checked against the API's description where that is not a page for people."""
        reply = self.loop.run(self._send(httpx.Request(method, f"{self.origin}{path}", headers=headers, **more)))
        place = httpx.URL(path).path
        if place.startswith("/v1/") or operation_of(method, place) is not None:
            check_reply(method, place, reply)
        return reply

    async def _send(self, request: httpx.Request) -> httpx.Response:
        # Past the client, which would keep cookies; over one loop, since thousands of requests are made.
        reply = await httpx.ASGITransport(app=self.service.app).handle_async_request(request)  # type: ignore[arg-type]
        await reply.aread()
        return reply

    def free(self, place: str, who: Somebody) -> None:
        """Give back a case that was taken, so that the next one finds it as it was."""
        found = re.fullmatch(r"/console/cases/(case_[0-9a-f]{32})", place)
        if found and self.office.case(found[1]).owner == who.staff_id:
            asyncio.run(working.release(self.office.desk, found[1], Actor(who.staff_id, "verifier")))


def told(reply: httpx.Response) -> str:
    """A reply in one word: the slug of a problem or of a page that tells one, or else its status."""
    if reply.headers.get("content-type", "").startswith("application/problem+json"):
        return slug_of(reply)
    title = re.search(r"<h1>([^<]+)</h1>", reply.text) if reply.status_code >= 400 else None
    return _TITLES.get(title[1], str(reply.status_code)) if title else str(reply.status_code)


def _picture(number: int) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (40, 40), (number % 256, 7, 7)).save(made, "PNG")
    return made.getvalue()


@contextmanager
def world(url: str) -> Iterator[World]:
    """The service with everybody and everything in it."""
    owner = add_key(url, "owner", ("apply",))
    # The page on automated decisions reads the manifest, of which a release of arithmetic has none.
    release: Any = replace(fake_release(), manifest=champion_once().manifest)  # type: ignore[arg-type]
    service_of = opened(url, sources=NeighbourSources(), release=release, clock=Clock(), secret=owner)
    with service_of as service, asyncio.Runner() as loop:
        made = World(service, Office.of(service), loop)
        _people(made, owner)
        _things(made)
        made.people += [made.applicant("the applicant", "owner"), made.applicant("another applicant", "another")]
        yield made


def _people(made: World, owner: str) -> None:
    each = [made.staff(role, role) for role in ("verifier", "approver", "compliance", "risk", "admin", "auditor")]
    both = made.staff("verifier and approver", "verifier", "approver")
    half = made.staff("half signed in", "verifier", stage="password")
    keys = [
        made.caller("owner's key", "apply", owns="owner", secret=owner),
        made.caller("another applicant's key", "apply", owns="another"),
        *(made.caller(f"a key to {scope}", scope) for scope in ("supply", "audit", "operate")),
        made.caller("a key with every scope", "apply", "supply", "audit", "operate"),
    ]
    made.people += [*each, both, half, *keys, *_nobodies(made)]


def _nobodies(made: World) -> list[Somebody]:
    """Those who are nobody: without anything, or with what holds no longer or never did."""
    gone, ended, revoked = made.member("verifier"), made.session(made.member("approver")), "cl_live_" + "A" * 43
    old = made.session(made.member("compliance"), before=sessions.LONGEST)
    idle = made.session(made.member("auditor"), before=sessions.IDLE)
    disabled = made.session(gone)
    forged = sessions.open_new(made.member("admin"), "full", made.office.clock())
    with made.service.database.transaction() as connection:
        store.disable_staff(connection, gone, made.office.clock())
        store.end_session(connection, ended.row.sha256, made.office.clock())
    unfit = {"eight hours old": old, "idle": idle, "signed out": ended, "disabled": disabled, "made up": forged}
    digest = {**made.headers_of(disabled), "Cookie": f"{SESSION_COOKIE}={made.session(made.member('risk')).row.sha256}"}
    return [
        Somebody("nobody", headers={"Origin": made.origin}),
        Somebody("with a key that is none", headers={"Authorization": f"Bearer {revoked}"}),
        *(Somebody(f"with a session that is {name}", headers=made.headers_of(each)) for name, each in unfit.items()),
        Somebody("with a digest for a token", headers=digest),
    ]


def _things(made: World) -> None:
    ids = {each.name: each.staff_id for each in made.people}
    verifier, approver = Actor(ids["verifier"], "verifier"), Actor(ids["approver"], "approver")
    vera, other = Actor(made.member("verifier"), "verifier"), Actor(made.member("approver"), "approver")
    office = made.office
    made.of_case("a case held by the verifier", office.take(made.complete(), by=verifier))
    made.of_case("a case held by another verifier", office.take(made.complete(), by=vera))
    made.of_case("a case that nobody holds", made.complete())
    made.of_case("a case held by the approver", office.take(made.verified(vera), "approve", approver))
    made.of_case("a case held by another approver", office.take(made.verified(vera), "approve", other))
    made.of_case("a case to be approved", made.verified(vera))
    closed = office.approved(made.verified(vera), other)
    made.of_case("a case that is approved", closed)
    contract = office.look(lambda connection: store.contract_of(connection, closed.id))
    assert contract is not None
    signing = {"person_ref": _signer(made, closed), "body_sha256": contract.body_sha256}
    reply = made.service.ask("POST", f"/v1/applications/{closed.application_id}/contract/signatures", json=signing)
    assert reply.status_code == 201, reply.text
    made.targets.append(Target("line_id", "a line", reply.json()["line_id"]))
    _applications(made, closed)
    for kind, prefix in (("case_id", "case_"), ("document_id", "doc_"), ("line_id", "line_"),
                         ("application_id", "app_"), ("decision_id", "dec_")):  # fmt: skip
        made.targets.append(Target(kind, "an unknown one", prefix + UNKNOWN, there=False))
        made.targets += [Target(kind, f"no id ({text[:8]})", text, there=False) for text in MALFORMED]


def _signer(made: World, case: store.CaseRow) -> str:
    return made.office.look(lambda connection: store.people_of(connection, case.application_id))[0].ref


def _applications(made: World, closed: store.CaseRow) -> None:
    another = next(each for each in made.people if each.owns == "another")
    offered, waiting = made.applied(), made.accepted()
    foreign = made.applied(another.headers["Authorization"].removeprefix("Bearer "))
    whole = frozenset({"case", "contract"})
    for name, application_id, owner, has in (
        ("an application with its line", closed.application_id, "owner", whole),
        ("an application with a case", waiting.application_id, "owner", frozenset({"case"})),
        ("an application with an offer", offered["application_id"], "owner", frozenset[str]()),
        ("another applicant's application", foreign["application_id"], "another", frozenset[str]()),
    ):
        made.targets.append(Target("application_id", name, application_id, owner=owner, has=has))
    for name, decision_id, owner, has in (
        ("a decision on verified facts", closed.decision_id, "owner", frozenset({"superseded"})),
        ("a decision", offered["decision_id"], "owner", frozenset[str]()),
        ("another applicant's decision", foreign["decision_id"], "another", frozenset[str]()),
    ):
        made.targets.append(Target("decision_id", name, decision_id, owner=owner, has=has))
