"""A whole day at the console: the real service in its own process, a real browser, papers that machines really read."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from api.staff import codes
from api.staff.demo import DEMO_PASSWORD, demo_seed
from api.store import queries as store
from api.store.database import Database
from api.store.errors import StoreUnavailable
from tests.support.browser import PATIENCE_MS, WIDE
from tests.support.commands import run
from tests.support.console_samples.day import Applied, applicants, until
from tests.support.server import Server, serving

MOST_CLEAN = 6  # one in ten is drawn for people by chance: so many in a row are not


@pytest.fixture
def served(url: str, tmp_path: Path, market: Path) -> Iterator[Server]:
    """`creditline serve --development` on a database of its own."""
    with serving(url, tmp_path, market) as running:
        yield running
        assert "Traceback" not in running.log
        assert "internal_error" not in running.log


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """The same database, to look into."""
    with Database.open(url) as opened:
        yield opened


@contextmanager
def signed_in(browser: Browser, server: Server, login: str) -> Iterator[Page]:
    """A window in which a member of the demo staff has signed in, by password and code; nothing is complained of."""
    context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]}, service_workers="block")
    page = context.new_page()
    page.set_default_timeout(3 * PATIENCE_MS)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    foreign: list[str] = []
    here = f"http://127.0.0.1:{server.port}/"
    page.on("request", lambda asked: None if asked.url.startswith(here) else foreign.append(asked.url))
    try:
        page.goto(f"{here}console")
        page.get_by_label("Login").fill(login)
        page.get_by_label("Password").fill(DEMO_PASSWORD)
        page.get_by_role("button", name="Go on").click()
        code = codes.code_at(demo_seed(login), datetime.fromtimestamp(time.time(), UTC))
        page.get_by_label("Code from your authenticator app").fill(code)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/console")
        yield page
    finally:
        context.close()
    assert complaints == []
    assert foreign == []


def press(page: Page, *keys: str) -> None:
    """Press keys of which the last leads to another page, and wait for it."""
    for key in keys[:-1]:
        page.keyboard.press(key)
    with page.expect_navigation():
        page.keyboard.press(keys[-1])


def settle(page: Page) -> None:
    """Write down what every document says and accept it, by keys alone."""
    for _ in range(20):
        if not page.locator("[data-act=accept]").count():
            return
        shown = page.locator("details.document[open]").get_attribute("id")
        if not page.locator(".current[data-field]").count():
            page.keyboard.press("j")
        for _ in range(page.locator(f'tr[data-document="{shown}"]').count()):
            page.keyboard.press("m")
        press(page, "a", "Enter")
    raise AssertionError("there was always another document")


def kept(database: Database, applied: Applied) -> store.CaseRow:
    """The case as the database has it; it is asked again where it was too busy to answer a second reader."""

    def look() -> store.CaseRow | None:
        with suppress(StoreUnavailable), database.transaction(read_only=True) as connection:
            return store.case_of_application(connection, applied.application_id)
        return None

    return until(look)


def concluded(database: Database, applied: Applied) -> store.CaseRow | None:
    """The case, once machines have approved it or drawn it for people."""
    found = kept(database, applied)
    return found if found.sampled or found.closed_at else None


def one_that_verifies_itself(database: Database, waiting: Iterator[Applied]) -> Applied:
    """An applicant whose clean papers need nobody; one in ten is drawn for a look by chance, and another is tried."""
    for applied, _ in zip(waiting, range(MOST_CLEAN), strict=False):
        for wanted in applied.wants():
            applied.send(wanted)
        ended = until(partial(concluded, database, applied))
        if not ended.sampled:
            return applied
    raise AssertionError("all were drawn")


def test_a_day_at_the_console(browser: Browser, url: str, served: Server, market: Path, database: Database) -> None:
    """Papers sent through the API are read by machine; one case concludes itself, another is returned, sent again,
    verified and approved by two people; both contracts are signed, and the audit verifies."""
    waiting = applicants(served, market)
    clean = one_that_verifies_itself(database, waiting)
    told = clean.reached("approved")
    assert told["verified_by_machine"] is True
    assert clean.sign()["may_draw"] is False
    other = next(waiting)
    verify(browser, served, other)
    assert kept(database, other).state == "verified"
    with signed_in(browser, served, "demo-approver") as page:
        while kept(database, other).state != "approved":  # whatever was drawn stands before it
            press(page, "n")
            assert "Demo verifier" in page.locator(".authority").inner_text()
            press(page, "v", "Enter")
            press(page, "b")
    assert other.reached("approved")["verified_by_machine"] is False
    line_id = other.sign()["line_id"]
    with signed_in(browser, served, "demo-compliance") as page:
        page.get_by_role("link", name="Compliance", exact=True).click()
        customer = page.get_by_role("group").filter(has_text=line_id)
        customer.get_by_role("checkbox").check()
        with page.expect_navigation():
            customer.get_by_role("button", name="Record due diligence complete").click()
    assert other.ask("GET", "contract")["may_draw"] is True
    with signed_in(browser, served, "demo-auditor") as page:
        page.get_by_role("link", name="Audit", exact=True).click()
        assert page.get_by_text("open_line").count() == 2
        assert page.get_by_text("complete_due_diligence").count() == 1
    checked = run(url, "audit", "verify", more={"CREDITLINE_DEVELOPMENT": "1"})
    assert checked.exit_code == 0, checked.output


def verify(browser: Browser, served: Server, applied: Applied) -> None:
    """A verifier's part: the wrong paper goes back with a reason, the right one comes, and all is vouched for."""
    identity, account = sorted(applied.wants(), key=lambda each: str(each["kind"]), reverse=True)
    applied.send(identity, "resaved")  # a sign of editing: machines leave that to people
    applied.send(account, "other_name")
    applied.reached("being_verified")
    with signed_in(browser, served, "demo-verifier") as page:
        page.locator(f"a.case-link[href$='{applied.case()['case_id']}']").wait_for()
        take(page, applied)
        picture = page.locator("details.document[open] img").first
        assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 500
        for _ in range(2):
            if page.locator("details.document[open] .document-title").inner_text().startswith("Proof"):
                break
            page.keyboard.press("]")
        assert page.locator("details.document[open]").get_by_text("fail", exact=True).count() >= 1
        page.keyboard.press("r")
        page.locator("details.document[open] select").select_option("NAME_MISMATCH")
        page.locator("details.document[open] textarea").fill("It is another business's account.")
        page.keyboard.press("Tab")
        press(page, "Enter")
        [returned] = applied.wants()
        assert "It is another business's account." in str(returned)
        applied.send(returned)
        applied.reached("being_verified")
        press(page, "b")
        take(page, applied)
        settle(page)
        press(page, "v", "Enter")


def take(page: Page, applied: Applied) -> None:
    """Take the next case until it is this one; what was drawn for a look is looked at, and vouched for, on the way."""
    for _ in range(MOST_CLEAN):
        press(page, "n")
        if page.url.endswith(str(applied.case()["case_id"])):
            return
        settle(page)
        press(page, "v", "Enter")
    raise AssertionError("it is not in the queue")
