"""Staff at the console of a whole service in this process: they sign in, read pages, and fill in the forms on them.

It does: find a form on the page that is shown and send it as a browser would, with what stands in its fields. It does
not: send what is not on the page (`push` does, for what somebody might try). The rule it keeps: every page that is
looked at is valid and kept to itself.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import count
from typing import Any, Final

import httpx
from litestar import Litestar

from api.cases.acts import Actor
from api.guards import BlindIndex
from api.pages.replies import HEADERS
from api.sealing import Sealer
from api.staff.door import Door
from api.store import queries as store
from tests.support.console_samples.markup import faults_of
from tests.support.deskwork import Office
from tests.support.service import Service
from tests.support.staffing import ORIGIN, Browser, CountingPasswords, House, Person


@dataclass
class Form:
    """One form as it stands on a page: where it is sent, and what is in its fields."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)  # addresses of buttons that send it elsewhere


class _Forms(HTMLParser):
    """All forms of a page, with fields that stand elsewhere and name their form."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._named: dict[str, Form] = {}
        self._inside: Form | None = None
        self._select: tuple[Form | None, str] = (None, "")
        self._area: tuple[Form, str] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note forms and what stands in their fields."""
        told = {name: value or "" for name, value in attrs}
        if tag == "form" and told.get("method") == "post":
            self._inside = Form(told.get("action", ""))
            self.forms.append(self._inside)
            self._named[told.get("id", "")] = self._inside
            return
        form = self._named.get(told["form"]) if "form" in told else self._inside
        if tag == "option":
            chosen, name = self._select
            if chosen is not None and ("selected" in told or name not in chosen.fields):
                chosen.fields[name] = told.get("value", "")
        elif form is not None and tag == "button" and "formaction" in told:
            form.others.append(told["formaction"])
        elif form is not None and told.get("name"):
            self._field(tag, told, form)

    def _field(self, tag: str, told: dict[str, str], form: Form) -> None:
        if tag == "select":
            self._select = (form, told["name"])
        elif tag == "textarea":
            self._area = (form, told["name"])
            form.fields[told["name"]] = ""
        elif tag == "input":
            form.fields[told["name"]] = "" if told.get("type") == "checkbox" else told.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """Leave a form or field."""
        if tag == "form":
            self._inside = None
        elif tag == "select":
            self._select = (None, "")
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        """What stands in a larger field."""
        if self._area is not None:
            self._area[0].fields[self._area[1]] += data


def forms_in(text: str) -> list[Form]:
    """The forms of a page."""
    return _Forms(text).forms


@dataclass
class Visitor:
    """Somebody who is signed in."""

    browser: Browser
    person: Person
    role: str

    @property
    def actor(self) -> Actor:
        """The same person, to the case service."""
        return Actor(self.person.id, self.role)

    @property
    def shown(self) -> str:
        """The page that is shown."""
        return self.browser.shown

    def see(self, path: str, status: int = 200) -> str:
        """Look at a page; it must be valid, and told to nobody."""
        return self._checked(self.browser.get(path), status)

    def answer(self, action: str, fields: Mapping[str, str] | None = None, status: int = 303) -> httpx.Response:
        """Fill in the one form of the page that leads to an address ending like this, and send it."""
        found = [
            each for each in forms_in(self.shown) if any(to.endswith(action) for to in (each.action, *each.others))
        ]
        assert len(found) == 1, (action, [each.action for each in forms_in(self.shown)])
        [form] = found
        assert set(fields or {}) <= set(form.fields), set(fields or {}) - set(form.fields)
        place = next(to for to in (form.action, *form.others) if to.endswith(action))
        filled = {name: value for name, value in {**form.fields, **(fields or {})}.items() if value or name == "words"}
        return self.push(place, filled, status)

    def push(self, path: str, fields: Mapping[str, str], status: int = 303) -> httpx.Response:
        """Send these fields with the token of the page that is shown, whatever is on it."""
        reply = self.browser.send("POST", path, data={**fields, "csrf": self.browser.csrf})
        if status == 303:
            assert reply.status_code == 303, (reply.status_code, reply.text[-2_000:])
            for name, value in HEADERS.items():
                assert reply.headers[name] == value
        else:
            self._checked(reply, status)
        return reply

    def go(self, reply: httpx.Response) -> str:
        """The page that a form led to."""
        return self.see(reply.headers["location"].partition("#")[0])

    @staticmethod
    def _checked(reply: httpx.Response, status: int) -> str:
        assert reply.status_code == status, (reply.status_code, reply.text[-2_000:])
        for name, value in HEADERS.items():
            assert reply.headers[name] == value
        assert reply.headers["content-type"] == "text/html; charset=utf-8"
        faults = faults_of(reply.text)
        assert faults == [], faults
        return reply.text


@dataclass
class Floor:
    """The office of a service with a door for its staff."""

    office: Office
    house: House
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def hire(self, *roles: str) -> Visitor:
        """Somebody new with these roles, signed in at a browser of their own."""
        person = self.house.member(*roles, login=f"{roles[0]}{next(self._numbers)}")
        browser = self.house.browser()
        browser.sign_in(person)
        browser.get("/console/me")
        return Visitor(browser, person, roles[0])

    def case(self, case_id: str) -> store.CaseRow:
        """The case as it is now."""
        return self.office.case(case_id)

    def place(self, case: store.CaseRow) -> str:
        """The address of a case's page."""
        return f"/console/cases/{case.id}"


@contextmanager
def floor(service: Service) -> Iterator[Floor]:
    """The console of a service whose clock a test moves; hashes are cheap, everything else is the real thing."""
    assert service.clock is not None
    assert isinstance(service.app.app, Litestar)
    passwords = CountingPasswords()
    sealer, index = Sealer({"tests": bytes(range(32))}), BlindIndex(b"a key of blind indexes for tests")
    door = Door(service.database, sealer, index, passwords, service.clock, (ORIGIN,), development=True)
    opened = service.state.staff
    service.state.staff = door
    house = House(door, service.clock, passwords, service.app.app)
    try:
        yield Floor(Office(service), house)
    finally:
        service.state.staff = opened
        passwords.close()


def said_by(office: Office, document_id: str) -> dict[str, str]:
    """What a person types beside a document, by the names of the form's fields."""
    document = office.look(lambda connection: store.get_document(connection, document_id))
    assert document is not None
    return {f"field.{name}": value for name, value in office.says(document).items()}


LARGE: Final[
    dict[str, Any]
] = {  # offered $141,000: wants activity statements and a tax account, and takes two approvers
    "application": {"request": {"amount_cents": 20_000_000}, "finances": {"turnover_12m_cents": 192_000_000}},
    "bank": {"sales_a_month_cents": 16_000_000, "costs_a_month_cents": 11_880_000, "balance_cents": 30_000_000},
    "marketplace": {"orders_a_month": 10, "order_cents": 500_000},
}


def settle(floor: Floor, who: Visitor, case: store.CaseRow) -> None:
    """Record and accept every document of a case that they hold, on its page."""
    for document in floor.office.standing(case.id).documents:
        if document.state == "checked":
            who.see(floor.place(case))
            who.go(who.answer(f"{document.id}/accept", said_by(floor.office, document.id)))


def verified(floor: Floor, who: Visitor, told: dict[str, Any] | None = None) -> store.CaseRow:
    """A case that they took, settled and verified on its page."""
    case = floor.office.complete(told)
    who.see("/console")
    who.go(who.answer(f"{case.id}/claim"))
    settle(floor, who, case)
    who.go(who.answer("/verify"))
    return floor.case(case.id)


def content(who: Visitor) -> dict[str, str]:
    """What an approver's form says of the page that is shown."""
    [found] = [each for each in forms_in(who.shown) if each.action.endswith("/approve")]
    return {name: found.fields[name] for name in ("version", "content")}
