"""What people entrust to the service stays where it belongs: forty planted values, and a search for each of them.

The service runs as it is served, on a socket, with its worker. An applicant applies, sends documents and makes every
mistake there is; a member of staff enrols, mistypes and writes notes; every route gets a form full of canaries. Then
logs, metrics, problems, addresses, audit, outbox, checkpoints, temporary files and stored documents are searched.
"""

import json
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from fpdf import FPDF
from litestar import Litestar
from sqlalchemy import text

from api.staff import codes, commands
from api.staff.authority import TABLE
from api.store.database import Database
from tests.support.papers.applicants import tax_file_number
from tests.support.papers.paper import MARK
from tests.support.routes import Route, routes_of
from tests.support.server import Server, serving
from tests.support.service import market_bodies, telling
from tests.support.visiting import Visitor

LEAST_CANARIES = 40
DOCUMENT_ACCOUNT = "90871234"
PASSWORD, LOGIN = "seven bilbies under a jacaranda", "numbat@staff-canary.example"
FORM = {  # every field that a page of the console sends, with a value that is nowhere else
    name: f"echidna-{name.replace('_', '-')}-canary"
    for name in (
        "words", "reason", "q", "limit", "kind", "person", "requirement", "to", "session", "passkey", "name", "login",
        "password", "again", "code", "content", "stage", "minutes", "identified", "field.name", "aside.rule",
    )
}  # fmt: skip
MAY = {rule.action: rule.roles for rule in TABLE}


@dataclass
class Planted:
    """The canaries by what they are, each in the spellings in which it might turn up; and what came back."""

    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    replies: list[httpx.Response] = field(default_factory=list)

    def plant(self, name: str, *spellings: str) -> str:
        """Remember a canary; its first spelling."""
        assert all(len(each) > 5 for each in spellings), "too short to be told from chance"
        self.values[name] = spellings
        return spellings[0]

    def found_in(self, content: str) -> list[str]:
        """The canaries that stand in a text."""
        lowered = content.lower()
        return [name for name, told in self.values.items() if any(each.lower() in lowered for each in told)]


@dataclass
class Scene:
    """A service in which everything was planted."""

    server: Server
    planted: Planted
    case: dict[str, Any]
    documents: list[str]


# -- the applicant -------------------------------------------------------------------------------------------


def person(planted: Planted, number: int) -> dict[str, Any]:
    """Somebody whose every detail is a canary."""
    letters = "abcdefghijklmnopqrstuvwxyz"[number % 26] + "abcdefghijklmnopqrstuvwxyz"[number // 26]
    return {
        "given_names": planted.plant("given names", "Zephyrine") + letters,
        "family_name": planted.plant("family name", "Quillfeather") + letters,
        "date_of_birth": planted.plant("date of birth", "1961-07-23", "19610723", "23/07/1961", "23 July 1961"),
        "mobile": planted.plant("mobile", "0491 5719", "04915719", "+614915719", "4915719") + f"{number:02}",
        "email": f"owner{number}@" + planted.plant("mail", "quokka-mail.example"),
    }


def statement(planted: Planted, bank: dict[str, Any]) -> dict[str, Any]:
    """The bank statement of an application, under another account number and with words of ours."""
    told = json.dumps(bank)
    account = bank["accounts"][0]["accountId"]
    told = told.replace(json.dumps(account), json.dumps(planted.plant("account number", "062-000-77814421")))
    changed: dict[str, Any] = json.loads(told)
    changed["transactions"][0]["description"] = planted.plant("a transaction", "WOMBAT PAYMENT TO KATE")
    return changed


def applied(server: Server, planted: Planted, market: Path) -> dict[str, Any]:
    """Apply for one business after another until one is offered a line; that reply. Their every word is a canary."""
    for number, body in enumerate(market_bodies(market)):
        for place, each in enumerate(body["people"]):
            each.update(person(planted, 2 * number + place))
        if "bank" in body:
            body["bank"] = statement(planted, body["bank"])
        key = planted.plant("idempotency key", f"potoroo-key-{number:010}")
        reply = server.apply(body, key)
        planted.replies.append(reply)
        if reply.status_code == 201 and reply.json()["outcome"] == "approve":
            abn, name = body["business"]["abn"].replace(" ", ""), body["business"]["legal_name"]
            planted.plant("abn", abn, f"{abn[:2]} {abn[2:5]} {abn[5:8]} {abn[8:]}")
            planted.plant("business", name)
            found: dict[str, Any] = reply.json()
            return found
    raise AssertionError("nobody was offered anything")


def mistakes(server: Server, planted: Planted, application_id: str) -> None:
    """Everything that can be sent wrong, with something private in it."""
    secret, said = (
        planted.plant("a false key", "cl_live_galah-galah-galah"),
        planted.plant("in a body", "cockatoo-body"),
    )
    path, query = planted.plant("in a path", "lorikeet-path"), planted.plant("in a query", "rosella-query")
    header = planted.plant("in a header", "budgerigar-header")
    under = f"/v1/applications/{application_id}"
    body = json.dumps({"business": {"abn": said}, "people": [{"given_names": said, "mobile": said}]}).encode()
    wrong: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/v1/applications", {"content": body, "headers": {"Idempotency-Key": header + "-0000000"}}),
        ("POST", "/v1/applications", {"content": body, "headers": {"Idempotency-Key": f"{header} no key"}}),
        ("POST", "/v1/applications", {"content": f'{{"{said}": '.encode(), "headers": {"Idempotency-Key": "k" * 20}}),
        ("POST", "/v1/applications", {"content": body, "headers": {"Request-Deadline-Ms": header}}),
        ("POST", f"/v1/applications?{query}={query}", {"content": body, "secret": secret}),
        ("POST", f"{under}/acceptance", {"json": {"decision_id": said}}),
        ("POST", f"{under}/acceptance", {"content": said.encode(), "headers": {"Content-Type": header}}),
        ("POST", f"{under}/documents", {"params": {"kind": query, "person_ref": query}, "content": said.encode()}),
        ("POST", f"{under}/documents", {"content": said.encode(), "headers": {"Content-Type": header}}),
        ("POST", f"{under}/contract/signatures", {"json": {"person_ref": said, "body_sha256": said}}),
        ("POST", "/v1/connection-value", {"json": {"abn": said}}),
        ("GET", f"/v1/decisions/{path}", {}),
        ("GET", f"/v1/decisions/{path}/replay?{query}", {}),
        ("GET", f"/v1/applications/{path}/case", {}),
        ("GET", f"/{path}/{path}", {}),
        ("PUT", f"/v1/applications?{query}", {"content": body}),
        ("GET", f"/problems/{path}", {}),
        ("GET", "/metrics", {"secret": secret}),
    ]
    for method, place, more in wrong:
        headers = {"Content-Type": "application/json", "User-Agent": header, "X-Forwarded-For": header}
        whole = {**more, "headers": {**headers, **more.get("headers", {})}}
        planted.replies.append(server.ask(method, place, **whole))


def paper(planted: Planted) -> bytes:
    """A page of a made-up document that holds what nobody may keep or show."""
    made, digits = FPDF(), tax_file_number(Random(7))
    made.add_page()
    made.set_font("Helvetica", size=12)
    for line in (
        MARK, planted.plant("name on a document", "Bilbarina Kowari"), f"BSB 062-000 Account {DOCUMENT_ACCOUNT}",
        f"Tax file number {digits[:3]} {digits[3:6]} {digits[6:]}",
    ):  # fmt: skip
        made.cell(0, 10, line, new_x="LMARGIN", new_y="NEXT")
    planted.plant("account on a document", DOCUMENT_ACCOUNT)
    planted.plant("tax file number", digits, f"{digits[:3]} {digits[3:6]} {digits[6:]}")
    return bytes(made.output())


def handed_in(server: Server, planted: Planted, case: dict[str, Any]) -> list[str]:
    """Everything that the case wants, under a file name of its own."""
    name, ids, content = planted.plant("file name", "bandicoot-statement"), [], paper(planted)
    for wanted in [each for each in case["wanted"] if each["required"]]:
        headers = {"Content-Type": "application/pdf", "Content-Disposition": f'attachment; filename="{name}.pdf"'}
        asked = {"kind": wanted["kind"], "filename": f"{name}.pdf"} | (
            {"person_ref": wanted["person_ref"]} if wanted["person_ref"] else {}
        )
        where = f"/v1/applications/{case['application_id']}/documents"
        reply = server.ask("POST", where, params=asked, content=content, headers=headers)
        assert reply.status_code == 201, reply.text
        planted.replies.append(reply)
        ids.append(reply.json()["document_id"])
    return ids


# -- a member of staff ---------------------------------------------------------------------------------------


def enrolled(server: Server, planted: Planted) -> Visitor:
    """A verifier who was added, took the link, set a password and an app, and came in with a recovery code later."""
    origin = f"http://127.0.0.1:{server.port}"
    planted.plant("login", LOGIN)
    name = planted.plant("name of staff", "Marsupia Wallaroo")
    link = commands.add(server.url, origin, LOGIN, name, ["verifier"])
    planted.plant("enrolment link", link.rpartition("/")[2])
    visitor, place = Visitor(origin), link.removeprefix(origin)
    assert visitor.get(place).status_code == 200
    wrong = planted.plant("a password that differs", "bettong bettong quoll devil")
    assert visitor.post(place, password=PASSWORD, again=wrong).status_code == 422
    assert visitor.post(place, password=planted.plant("password", PASSWORD), again=PASSWORD).status_code == 303
    planted.plant("half a session", visitor.session)
    shown = visitor.get("/console/second-factor").text
    seed = re.sub(r"\s", "", re.findall(r"[A-Z2-7]{4}(?: [A-Z2-7]{4})+", shown)[0])
    planted.plant("seed", seed, " ".join(seed[start : start + 4] for start in range(0, len(seed), 4)))
    planted.plant("csrf token", visitor.csrf)
    done = visitor.post("/console/second-factor", code=codes.code_at(seed, datetime.now(UTC)))
    assert done.status_code == 200
    recovery = re.findall(r"[a-z2-7]{6}-[a-z2-7]{6}-[a-z2-7]{6}-[a-z2-7]{6}", done.text)
    planted.plant("recovery code", recovery[0])
    planted.plant("session", visitor.session)
    again = Visitor(origin)
    planted.replies.append(again.post("/console/sign-in", login=LOGIN, password=planted.plant("wrong", "possum " * 3)))
    assert again.post("/console/sign-in", login=LOGIN, password=PASSWORD).status_code == 303
    again.get("/console/sign-in/code")
    assert again.post("/console/sign-in/code", code="echidna-code-canary").status_code == 403
    assert again.post("/console/sign-in/code", code=recovery[0]).status_code == 303
    planted.plant("second session", again.session)
    planted.replies += [*visitor.replies, *again.replies]
    return visitor


def swept(server: Server, planted: Planted, routes: list[Route], member: Visitor, ids: dict[str, str]) -> None:
    """Every route of the console, asked by who may, with a form in which every field is a canary."""
    people = {role: Visitor.demo(member.origin, f"demo-{role}") for role in ("approver", "compliance", "risk", "admin")}
    people["verifier"] = member
    planted.values.update({f"form: {name}": (value,) for name, value in FORM.items()})
    for route in routes:
        if not route.path.startswith("/console") or route.last == "sign-out":
            continue
        role = next((name for name in people if name in MAY.get(str(route.value), ())), "verifier")
        visitor = people[role]
        path = re.sub(r"{(\w+)}", lambda found: ids.get(found[1], "echidna-path-canary"), route.path)
        visitor.get("/console/me")  # its token
        for version in ("999999999", "echidna-version"):
            form = {"csrf": visitor.csrf, "version": version, **FORM}
            more: dict[str, Any] = {"data": form} if route.method == "POST" else {"params": FORM}
            planted.replies.append(visitor.send(route.method, path, **more))


# -- the scene, and the search -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, market: Path) -> Iterator[Scene]:
    """Everything planted, everything looked at by the worker, and the service stopped."""
    folder = tmp_path_factory.mktemp("canaries")
    shutil.copy(sqlite_template, folder / "store.sqlite")
    shutil.copy(sqlite_template, folder / "another.sqlite")
    with telling(f"sqlite:///{folder / 'another.sqlite'}") as service:
        assert isinstance(service.app.app, Litestar)
        routes = routes_of(service.app.app)
    (folder / "tmp").mkdir()
    planted = Planted()
    url = f"sqlite:///{folder / 'store.sqlite'}"
    with serving(url, folder, market, more={"TMPDIR": str(folder / "tmp")}) as server:
        planted.plant("key", server.secret)
        offered = applied(server, planted, market)
        mistakes(server, planted, offered["application_id"])
        under = f"/v1/applications/{offered['application_id']}"
        case = server.ask("POST", f"{under}/acceptance", json={"decision_id": offered["decision_id"]}).json()
        documents = handed_in(server, planted, case)
        member = enrolled(server, planted)
        ids = {"case_id": case["case_id"], "document_id": documents[0]}
        note = planted.plant("note", "platypus at the door")
        member.get("/console/me")
        assert member.post(f"/console/cases/{case['case_id']}/note", version="1", words=note).status_code == 303
        _until(lambda: not _unchecked(server, under))
        swept(server, planted, routes, member, ids)
        _until(lambda: list((folder / "var" / "mailbox").glob("*.eml")))
        planted.replies.append(server.ask("GET", "/metrics"))
        yield Scene(server, planted, case, documents)


def _unchecked(server: Server, under: str) -> bool:
    told = server.ask("GET", f"{under}/case").json()["wanted"]
    return any(each["state"] == "being_checked" for wanted in told for each in wanted["documents"])


def _until(done: Any, seconds: float = 90.0) -> None:
    """Wait for something that the worker does."""
    ends = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < ends, "the worker did not get to it"
        time.sleep(0.2)


def _rows(scene: Scene, query: str) -> str:
    with Database.open(scene.server.url) as database, database.transaction(read_only=True) as connection:
        return "\n".join(str(tuple(row)) for row in connection.execute(text(query)))


def test_forty_values_were_planted_and_are_kept_where_they_belong(scene: Scene) -> None:
    """The search below can find something: people, notes and mails hold what was planted."""
    planted = scene.planted
    assert len(planted.values) >= LEAST_CANARIES
    kept = set(planted.found_in(_rows(scene, "SELECT body FROM person") + _rows(scene, "SELECT body FROM case_event")))
    assert {"given names", "family name", "date of birth", "mobile", "mail", "note"} <= kept
    mails = "".join(path.read_text() for path in (scene.server.folder / "var" / "mailbox").glob("*.eml"))
    assert {"given names", "mail"} <= set(planted.found_in(mails))


def test_nothing_private_is_logged(scene: Scene) -> None:
    """Standard output and error of server and worker, whatever was sent; and they did log every request."""
    log = scene.server.log
    assert scene.planted.found_in(log) == []
    assert log.count('"event": "request"') >= len(scene.planted.replies)
    assert "internal_error" not in log


def test_nothing_private_is_measured(scene: Scene) -> None:
    """Metrics hold no value and no path, but templates."""
    metrics = scene.planted.replies[-1].text
    assert scene.planted.found_in(metrics) == []
    assert "creditline_staff_denied" in metrics


def test_no_problem_repeats_what_was_sent(scene: Scene) -> None:
    """Bodies of problems, and headers of every reply: where one is sent on to, and everything else but cookies."""
    found = []
    for reply in scene.planted.replies:
        headers = {name: value for name, value in reply.headers.items() if name != "set-cookie"}
        body = reply.text if reply.headers.get("content-type", "").startswith("application/problem") else ""
        found += [(reply.request.method, name) for name in scene.planted.found_in(f"{headers} {body}")]
    assert found == []
    assert sum(reply.status_code >= 400 for reply in scene.planted.replies) > 40


def test_the_audit_and_the_outbox_hold_ids_and_digests(scene: Scene) -> None:
    """Every column of both, and the checkpoints beside them."""
    planted = scene.planted
    for table in ("audit", "outbox"):
        rows = _rows(scene, f"SELECT * FROM {table}")
        assert planted.found_in(rows) == []
        assert len(rows) > 200
    files = [path for path in scene.server.folder.rglob("*") if path.is_file() and "checkpoints" in str(path)]
    assert planted.found_in("".join(path.read_text() for path in files)) == []


def test_documents_lie_sealed_and_nothing_lies_about(scene: Scene) -> None:
    """Stored files hold none of it in the open, nor do their names; temporary files are gone or hold none of it."""
    folder = scene.server.folder
    kept = {folder / "log", folder / "store.sqlite", folder / "another.sqlite"}
    mails = set((folder / "var" / "mailbox").glob("*.eml"))
    found, looked_at = [], 0
    for path in folder.rglob("*"):
        if not path.is_file() or path in kept | mails or ".sqlite-" in path.name or path.name == "development.key":
            continue
        looked_at += 1
        names = scene.planted.found_in(f"{path} {path.read_bytes().decode('latin-1')}")
        found += [(path.name, name) for name in names]
    assert found == []
    assert looked_at >= len(scene.documents)
