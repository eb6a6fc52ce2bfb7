"""What applicants type stays where it belongs: twenty planted words, every route asked with them, and a search.

One person applies with a second one, mistypes on every page, comes back by link and code, sends files, confirms and
signs. Then logs, addresses, metrics, outbox, audit, and the database file are searched.
"""

import json
import re
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
import structlog
from prometheus_client import generate_latest
from sqlalchemy import text
from structlog.testing import CapturingLogger

from api.store.database import Database
from tests.api.journey.test_protection import path_of, routes
from tests.support.applying import Browser, House, house
from tests.support.deskwork import PICTURE
from tests.support.service import champion_once

CANARIES = {
    "given name": "Zephyrine", "family name": "Quillfeather", "second given": "Ottoline", "second family": "Brandywine",
    "mobile": "0491570110", "second mobile": "0491570313", "mail": "owner@quokka-mail.example",
    "second mail": "second@numbat-mail.example", "birthday": "1961-07-23", "wrong name": "bilby-wrong",
    "wrong mail": "wombat-wrong", "wrong code": "983471", "in a path": "lorikeet-path", "in a query": "rosella-query",
    "in a header": "budgerigar-header", "in a form": "cockatoo-form", "file name": "bandicoot-file",
    "in a file": "echidna-in-a-file", "business": "PLATYPUS TRADING PTY LTD",
}  # fmt: skip
SPELLED = {"mobile": ("0491 570 110", "+61491570110"), "second mobile": ("0491 570 313", "+61491570313"),
           "birthday": ("23 July 1961", "23/07/1961")}  # fmt: skip


def found_in(content: str, *leave: str) -> list[str]:
    """The canaries that stand in a text, in any spelling."""
    lowered = unquote(content).lower()
    return [
        name for name, word in CANARIES.items()
        if name not in leave and any(each.lower() in lowered for each in (word, *SPELLED.get(name, ())))
    ]  # fmt: skip


def applied(place: House) -> tuple[Browser, str]:
    """The whole way, with everything mistyped once."""
    browser = place.browser()
    me = {"me-given": "Zephyrine", "me-family": "Quillfeather", "me-born-day": "23", "me-born-month": "7",
          "me-born-year": "1961", "me-mobile": "0491 570 110", "me-email": CANARIES["mail"], "me-share": "half",
          "others": "1"}  # fmt: skip
    second = {"other1-given": "Ottoline", "other1-family": "Brandywine", "other1-born-day": "23",
              "other1-born-month": "7", "other1-born-year": "1961", "other1-mobile": "0491 570 313",
              "other1-email": CANARIES["second mail"], "other1-share": "half", "other1-director": "yes"}  # fmt: skip
    browser.fill_in(you={**me, "me-given": "\u202e" + CANARIES["wrong name"], "me-email": CANARIES["wrong mail"]})
    assert browser.slug == "you"
    browser.post("/apply/you", **me)
    browser.post("/apply/others", **second)
    browser.post("/apply/bank", bank="upload")
    data = browser.form("/apply/statements").filled({})
    file = {"file": (f"{CANARIES['file name']}.csv", CANARIES["in a file"].encode(), "text/csv")}
    assert browser.send("POST", "/apply/statements", data=data, files=file).status_code == 422
    browser.get("/apply/bank")
    browser.post("/apply/bank", bank="later")
    browser.agree()
    application_id = browser.application_id
    browser.post(f"/applications/{application_id}/accept")
    return browser, application_id


def came_back(place: House) -> None:
    """By link, by a wrong code and by the right one; the second person confirms."""
    other = place.browser()
    other.get("/sign-in")
    other.post("/sign-in", email=CANARIES["mail"])
    other.post("/sign-in/code", code=CANARIES["wrong code"])
    other.post("/sign-in/code", code=place.code(CANARIES["mail"]))
    other.get("/my")
    second = place.browser()
    second.get(place.link(CANARIES["second mail"], "/confirm/"))
    second.post("/confirm")


def swept(place: House, browser: Browser, application_id: str) -> None:
    """Every route, asked with canaries in path, query, headers and form."""
    csrf = browser.visit.csrf
    words = {f"field-{number}": word for number, word in enumerate(CANARIES.values())}
    form = {"csrf": csrf, "email": CANARIES["wrong mail"], "code": CANARIES["wrong code"],
            "token": CANARIES["in a form"], "kind": CANARIES["in a form"], "person_ref": CANARIES["in a form"],
            "decision_id": CANARIES["in a form"], "sha256": CANARIES["in a form"], "read": "yes", **words}  # fmt: skip
    headers = {"User-Agent": CANARIES["in a header"], "Referer": CANARIES["in a header"],
               "X-Forwarded-For": CANARIES["in a header"]}  # fmt: skip
    for route in routes(place):
        if route.path == "/sign-out":
            continue
        right = path_of(route, application_id)
        wrong = re.sub(r"{(\w+)(?::\w+)?}", CANARIES["in a path"], route.path)
        for path in (right, wrong):
            more = {"data": form} if route.method == "POST" else {}
            query = {CANARIES["in a query"]: CANARIES["in a query"], "kind": CANARIES["in a query"], "bytes": "x"}
            browser.send(route.method, path, params=query, headers=headers, **more)
    browser.get(f"/{CANARIES['in a path']}")


@pytest.fixture
def scene(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> tuple[House, str]:
    """Everything planted; what every module logged."""
    lines, as_json = CapturingLogger(), [structlog.processors.JSONRenderer()]
    for name, module in list(sys.modules.items()):
        if name.startswith("api.") and hasattr(module, "log"):
            monkeypatch.setattr(module, "log", structlog.wrap_logger(lines, processors=as_json))
    told = {"registry": {"entity_name": CANARIES["business"]}}
    with house(sqlite_url, told, champion_once()) as place:
        browser, application_id = applied(place)
        came_back(place)
        browser.send_file(application_id, "bank_account_proof", content=PICTURE + CANARIES["in a file"].encode(),
                          name=f"{CANARIES['file name']}.png")  # fmt: skip
        swept(place, browser, application_id)
        return place, "\n".join(str(call.args) for call in lines.calls)


def test_nothing_private_leaves_its_place(scene: tuple[House, str], tmp_path: Path) -> None:
    """Not in a log line, an address, a redirection, a metric, a message to be sent, the audit, or the database's file.

    A name of a business is public and stands in the record; people's words are kept apart, and drafts and letters
    sealed.
    """
    place, logged = scene
    assert '"event": "request"' in logged
    assert found_in(logged) == []
    assert "Traceback" not in logged
    assert "internal_error" not in logged
    own = [each for each in place.replies if "lorikeet" not in str(each.request.url)]
    for reply in own:
        address = str(reply.request.url.copy_with(query=None))
        assert found_in(address) == [], address
        assert found_in(reply.headers.get("location", "")) == []
    assert found_in(generate_latest().decode()) == []
    database = sqlite(tmp_path)
    for table in ("outbox", "audit"):
        assert found_in(database[table]) == [], table
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("store.sqlite*")).decode("latin-1")
    assert set(found_in(raw)) <= {
        "business", "given name", "family name", "second given", "second family", "mobile", "second mobile", "mail",
        "second mail", "birthday",
    }, "the people of the application are in their own table"  # fmt: skip
    for table in sorted(set(database) - {"person"}):
        assert found_in(database[table], "business") == [], table


def sqlite(folder: Path) -> dict[str, str]:
    """Every table of the file, as text."""
    url = f"sqlite:///{folder / 'store.sqlite'}"
    with Database.open(url) as database, database.transaction(read_only=True) as connection:
        names = [row[0] for row in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))]
        return {name: str([*connection.execute(text(f'SELECT * FROM "{name}"'))]) for name in names}


def test_problems_repeat_nothing(scene: tuple[House, str]) -> None:
    """What a script is told of a mistake is a slug and a rule, never a word that was sent."""
    place, _ = scene
    problems = [each for each in place.replies if each.headers.get("content-type") == "application/problem+json"]
    assert all(found_in(each.text) == [] for each in problems)
    refused = [each for each in place.replies if each.status_code in {400, 401, 403, 404, 409, 410, 413}]
    assert len(refused) > 20
    assert all(found_in(each.text) == [] for each in refused)
    assert all(json.loads(each.text)["type"] for each in problems)
