"""An applicant's browser in this process: it keeps cookies, reads the forms of a page and sends them as browsers do.

It does: fill in the form page by page for any kind of business, open the letters that were written, and ask under a
clock and a register that a test holds. It does not: run scripts, or use a socket (tests/api/journey/browser does). The
rules it keeps: what is typed has a control on the page that is shown, and what is not typed is sent as it stands there.
"""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from html import unescape
from html.parser import HTMLParser
from typing import Any, TypeVar

import httpx
from sqlalchemy import Connection, select

from api.applicants.visits import COOKIE, Lobby, visit_of
from api.cases import working
from api.journey.sending import Desk
from api.sources import failed
from api.store import queries as store
from api.store.queries.applicants import VisitRow
from api.store.tables import letter, outbox
from engine.facts import Fact, RegisterRecord
from tests.support.businesses import facts_of, story
from tests.support.deskwork import PICTURE, VERA, Office
from tests.support.releases import fake_release
from tests.support.service import Clock, RemoteStories, Service, StorySources, opened

T = TypeVar("T")
ORIGIN = "https://apply.lender.example"
ADDRESS = "192.0.2.44"
ABN = "37 955 501 005"
Fields = Mapping[str, str]
EMAIL = "ann@banksia.example"
ME: Fields = {
    "me-given": "Ann", "me-family": "Sample", "me-born-day": "29", "me-born-month": "2", "me-born-year": "1984",
    "me-mobile": "0491 570 006", "me-email": EMAIL,
}  # fmt: skip
SECOND: Fields = {
    "other1-given": "Ben", "other1-family": "Specimen", "other1-born-day": "3", "other1-born-month": "11",
    "other1-born-year": "1979", "other1-mobile": "0491 570 156", "other1-email": "ben@banksia.example",
}  # fmt: skip
PAGES: dict[str, Fields] = {
    "abn": {"abn": ABN},
    "business": {"industry": "household", "staff": "5-19"},
    "need": {"amount": "40,000", "purpose": "stock"},
    "money": {"turnover": "960,000", "lenders": "0", "overdue": "no"},
    "you": {**ME, "me-director": "yes", "me-share": "all", "others": "0"},
    "bank": {"bank": "later"},
}
_MOST_PAGES = 14
CONSENTS = (
    "privacy-notice", "commercial-bureau", "marketplace-data", "electronic-communications", "authority",
)  # fmt: skip


# -- what a page holds ---------------------------------------------------------------------------------------


@dataclass
class Form:
    """One form of a page: where it goes, and what it would send if nothing were typed."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    choices: dict[str, set[str]] = field(default_factory=dict)  # of radio buttons, boxes to tick and lists
    files: set[str] = field(default_factory=set)

    def filled(self, typed: Fields) -> dict[str, str]:
        """What is sent once this was typed; a choice that is not on the page is no choice."""
        for name, value in typed.items():
            assert name in self.values or name in self.choices, f"{self.action} has no {name}"
            if value and name in self.choices and name not in self.values:
                assert value in self.choices[name], f"{name} has no {value}"
        return {name: value for name, value in {**self.values, **typed}.items() if name not in self.choices or value}


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(told.get("action", ""), told.get("method", "get")))
        if not self.forms or (tag != "option" and "name" not in told):
            return
        form, name = self.forms[-1], told.get("name", self._select)
        match tag, told.get("type", ""):
            case "input", "radio" | "checkbox":
                form.choices.setdefault(name, set()).add(told["value"])
                if "checked" in told:
                    form.values[name] = told["value"]
            case "input", "file":
                form.files.add(name)
            case "input", _:
                form.values[name] = told.get("value", "")
            case "select", _:
                self._select = name
                form.choices[name] = set()
            case "option", _ if self._select:
                form.choices[name].add(told["value"])
                if "selected" in told:
                    form.values[name] = told["value"]


def forms_of(html: str) -> list[Form]:
    """The forms of a page, in order."""
    parser = _Forms()
    parser.feed(html)
    return parser.forms


def text_of(page: str) -> str:
    """The words of a page."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


# -- a browser -----------------------------------------------------------------------------------------------


@dataclass
class Browser:
    """One browser of somebody who applies."""

    house: "House"
    address: str = ADDRESS
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)
    shown: str = ""
    place: str = "/"

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request; redirections are not followed."""
        headers = {"Accept": "text/html,application/xhtml+xml", **more.pop("headers", {})}
        if method != "GET":
            headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", **headers}
        headers = {name: value for name, value in headers.items() if value is not None}

        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.house.service.app, client=(self.address, 40_000))  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=self.cookies) as client:
                reply = await client.request(method, path, headers=headers, **more)
                self.cookies = client.cookies
                return reply

        reply = self.house.runner.run(once())
        self.house.replies.append(reply)
        if reply.headers.get("content-type", "").startswith("text/html"):
            self.shown, self.place = reply.text, path
        return reply

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Look at an address."""
        return self.send("GET", path, **more)

    def follow(self, reply: httpx.Response) -> httpx.Response:
        """Where a reply leads to, in the end."""
        for _ in range(6):
            if reply.status_code != 303:
                return reply
            reply = self.get(reply.headers["location"])
        raise AssertionError("it leads nowhere")

    def form(self, action: str) -> Form:
        """The form of the page that goes there."""
        found = next((each for each in forms_of(self.shown) if each.action == action and each.method == "post"), None)
        assert found is not None, f"{self.place} has no form to {action}: {text_of(self.shown)[:600]}"
        return found

    def post(self, action: str, **typed: str) -> httpx.Response:
        """Fill in a form of the page that is shown and send it; follow where it leads."""
        return self.follow(self.post_once(action, **typed))

    def post_once(self, action: str, **typed: str) -> httpx.Response:
        """The same, and look at the reply itself."""
        return self.send("POST", action, data=self.form(action).filled(typed))

    @property
    def token(self) -> str | None:
        """The visit's token, which only the browser holds."""
        return self.cookies.get(COOKIE)

    @property
    def visit(self) -> VisitRow:
        """The visit itself, as the service keeps it."""
        found = self.house.run(visit_of(self.house.lobby, self.token))
        assert found is not None, "there is no visit"
        return found

    @property
    def csrf(self) -> str:
        """The visit's other token, in the page that is shown."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.shown)
        return found[1] if found else ""

    @property
    def faults(self) -> dict[str, str]:
        """What is wrong, by the name of the box to go to, as the top of the page says; the fields say the same."""
        summary = re.search(r'id="summary".*?</div>', self.shown, re.DOTALL)
        found = dict(re.findall(r'<a href="#([^"]+)">([^<]*)</a>', summary[0])) if summary else {}
        beside = dict(re.findall(r'id="([^"]+)-fault"><span class="unseen">Error:</span> ([^<]*)</p>', self.shown))
        assert found == beside or "answers" in found, (found, beside)
        return found

    # -- the form --------------------------------------------------------------------------------------------

    def fill_in(self, **changes: Fields) -> httpx.Response:
        """Every page up to the last, or to one that finds fault; `changes` are laid over what a company answers."""
        reply = self.get("/apply")
        for _ in range(_MOST_PAGES):
            slug = self.slug
            if slug in {"check", "statements", ""} or self.faults:
                return reply
            reply = self.answer(slug, **{**PAGES.get(slug, {}), **changes.get(slug, {})})
        raise AssertionError(f"the form does not end: {slug}")

    def answer(self, slug: str, **typed: str) -> httpx.Response:
        """One page; what an answer leads to is asked and answered on the same page."""
        action = "/apply" if slug == "abn" else f"/apply/{slug}"
        there = self.form(action)
        now = {name: value for name, value in typed.items() if name in there.values or name in there.choices}
        reply = self.post(action, **now)
        left = {name: value for name, value in typed.items() if name not in now}
        if left and self.slug == slug and not self.faults:
            reply = self.post(action, **{name: typed[name] for name in typed if name in _names(self.form(action))})
        return reply

    def agree(self, *also: str, without: tuple[str, ...] = ()) -> httpx.Response:
        """Tick what is needed on the last page, and send the application."""
        wanted = [*CONSENTS, *also, *(["bank-data"] if "consent-bank-data" in self.shown else [])]
        wanted += ["business-purpose"] if "consent-business-purpose" in self.shown else []
        ticks = {f"consent-{name}": "yes" for name in wanted if name not in without}
        return self.post("/apply/check", **ticks)

    def apply(self, **changes: Fields) -> str:
        """The whole form, sent; the application's id."""
        self.fill_in(**changes)
        self.agree()
        return self.application_id

    @property
    def slug(self) -> str:
        """Which page of the form is shown."""
        found = re.search(r'<form method="post" action="/apply(?:/([a-z]+))?"', self.shown)
        return "" if found is None else found[1] or "abn"

    @property
    def application_id(self) -> str:
        """Whose page is shown."""
        found = re.search(r"app_[0-9a-f]{32}", self.place)
        assert found is not None, f"{self.place}: {text_of(self.shown)[:600]}"
        return found[0]

    def accept(self, **changes: Fields) -> str:
        """Apply and take the offer up; the application's id."""
        application_id = self.apply(**changes)
        self.post(f"/applications/{application_id}/accept")
        return application_id

    def send_file(
        self,
        application_id: str,
        kind: str,
        person_ref: str | None = None,
        content: bytes = b"",
        name: str = "a.png",
        media_type: str = "image/png",
    ) -> httpx.Response:
        """Send one file by the form of its kind; its content is new unless it is given."""
        self.get(f"/applications/{application_id}/documents")
        self.house.sent += 1
        content = content or PICTURE + str(self.house.sent).encode()
        data = {"csrf": self.csrf, "kind": kind, "person_ref": person_ref or ""}
        return self.send(
            "POST", f"/applications/{application_id}/documents", data=data, files={"file": (name, content, media_type)}
        )

    def sign_in(self, email: str = EMAIL) -> httpx.Response:
        """Come back by a code."""
        self.get("/sign-in")
        self.post("/sign-in", email=email)
        return self.post("/sign-in/code", code=self.house.code(email))


def _names(form: Form) -> set[str]:
    return {*form.values, *form.choices}


# -- the house -----------------------------------------------------------------------------------------------


@dataclass
class Register:
    """What the register says when the form asks it; `record` is changed by a test."""

    told: Mapping[str, Any]
    says: str = "known"
    asked: list[str] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)

    async def __call__(self, abn: str, at: datetime, until: float) -> Fact[RegisterRecord]:
        """As api.sources tells it."""
        self.asked.append(abn)
        if self.says == "away":
            return failed("registry", "timeout", at)
        fact = facts_of(self.told, at).registry
        assert fact.value is not None, "a story's register answers"
        changes = {"abn": abn, "found": self.says == "known", **self.changes}
        return fact.model_copy(update={"value": fact.value.model_copy(update=changes)})


@dataclass
class House:
    """The service with an applicant's side that a test holds: its register, its clock and its loop."""

    service: Service
    register: Register
    runner: asyncio.Runner
    sent: int = 0
    replies: list[httpx.Response] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        """The test's clock."""
        assert self.service.clock is not None
        return self.service.clock

    @property
    def lobby(self) -> Lobby:
        """What applicants are served with."""
        lobby: Lobby = self.service.state.lobby
        return lobby

    @property
    def desk(self) -> Desk:
        """What sends applications."""
        desk: Desk = self.service.state.sending
        return desk

    @cached_property
    def office(self) -> Office:
        """The lender's people."""
        return Office.of(self.service)

    def case(self, application_id: str) -> store.CaseRow:
        """The case of an application."""
        found = self.look(lambda connection: store.case_of_application(connection, application_id))
        assert found is not None
        return found

    def browser(self, address: str = ADDRESS) -> Browser:
        """A browser with no cookies."""
        return Browser(self, address)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for one coroutine, on the loop that requests run on."""
        return self.runner.run(work)

    def look(self, work: Callable[[Connection], T]) -> T:
        """Read from the database."""
        with self.service.database.transaction(read_only=True) as connection:
            return work(connection)

    def hand_in(self, browser: Browser, application_id: str, *kinds: str) -> store.CaseRow:
        """Send by the page's forms what is still wanted (of these kinds alone, where they are named), all in order."""
        for wanted in self.office.standing(self.case(application_id).id).wanted:
            if not wanted.required or wanted.met or (kinds and wanted.kind not in kinds):
                continue
            for _ in range(wanted.count):
                assert browser.send_file(application_id, wanted.kind, wanted.person_ref).status_code == 303
                documents = self.office.standing(self.case(application_id).id).documents
                self.office.found(next(each.id for each in documents if each.state == "received"))
        return self.case(application_id)

    def approved(self, browser: Browser, application_id: str) -> store.CaseRow:
        """The case, handed in, verified by one person and approved by another."""
        office = self.office
        case = office.settle(office.take(self.hand_in(browser, application_id)))
        return office.approved(office.do(working.verify(office.desk, case.id, case.version, VERA)))

    def letters(self, to: str | None = None) -> list[dict[str, str]]:
        """The letters that wait to be sent, the oldest first; {} is one to nobody."""
        waiting = (
            select(letter.c.id, letter.c.sealed)
            .join(outbox, outbox.c.object_id == letter.c.id)
            .where(letter.c.sealed.is_not(None))
            .order_by(outbox.c.id)
        )
        rows = self.look(lambda connection: connection.execute(waiting).all())
        opened = [json.loads(self.lobby.sealer.open(sealed, f"letter/sealed/{name}")) for name, sealed in rows]
        return [each for each in opened if to is None or each.get("to") == to]

    def code(self, to: str) -> str:
        """The code of the newest letter to somebody."""
        return [each["text"] for each in self.letters(to) if "Your code" in each["subject"]][-1].split()[0]

    def link(self, to: str, part: str) -> str:
        """The path of the newest link to somebody with this in it."""
        links = [word for each in self.letters(to) for word in each["text"].split() if part in word]
        assert links, f"nothing for {to}"
        return links[-1].removeprefix(ORIGIN)


def housed(service: Service, told: Mapping[str, Any] | None, runner: asyncio.Runner) -> House:
    """The applicant's side over an opened service."""
    state = service.state
    register = Register(story(told))
    state.lobby = replace(state.lobby, origins=(ORIGIN,))
    state.sending = Desk(state.lobby, state.shell, ORIGIN)
    state.look_up = register
    return House(service, register, runner)


@contextmanager
def house(url: str, told: Mapping[str, Any] | None = None, release: Any = None) -> Iterator[House]:
    """The service whose sources and register tell one story, with a clock that stands still."""
    sources = StorySources(story(told))
    given = release or fake_release()
    with asyncio.Runner() as runner, opened(url, sources=sources, release=given, clock=Clock()) as service:
        yield housed(service, told, runner)


@contextmanager
def remote_house(url: str, sources: RemoteStories, told: Mapping[str, Any] | None = None) -> Iterator[House]:
    """The same with sources outside the process, which a test may slow down."""
    with (
        asyncio.Runner() as runner,
        opened(url, sources=sources, release=fake_release(), clock=Clock()) as service,
    ):
        yield housed(service, told, runner)
