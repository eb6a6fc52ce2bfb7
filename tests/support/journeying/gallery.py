"""Every page of the applicant's and every state that it has, one after the other, as somebody comes by it.

It does: walk there and stop. It does not: look (tests and pictures do). The rule it keeps: each state is reached by
what people and machines do, never by a page that is made up for the purpose.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from playwright.sync_api import Browser, Page

from api.cases import approving, working
from api.sandbox.stories import book
from api.store import queries as store
from tests.support.browser import PHONE, visit
from tests.support.deskwork import ABEL, VERA
from tests.support.journeying.filling import SECOND, Told, apply, fill_in, statement_csv, told_of
from tests.support.journeying.hand import Hand
from tests.support.journeying.staging import Stage

Shown = tuple[str, Page]
_ABOUT_REPLIES = re.compile(r"status of 4\d\d|net::ERR")  # what a browser says of every page that tells a fault
WORDS = "The lower half is in shadow. Please take it again by a window."


def gallery(stage: Stage, browser: Browser) -> Iterator[Shown]:
    """All of it: a name, and the page as it is then."""
    for part in (before, company, others, mistakes, decisions, documents, contract, coming_back):
        yield from part(stage, browser)


@contextmanager
def at(stage: Stage, browser: Browser, path: str) -> Iterator[Hand]:
    """Somebody with a browser of their own at a page."""
    with visit(browser, f"{stage.base}{path}", PHONE) as (page, complaints):
        yield Hand(page, complaints=complaints)
        assert [each for each in complaints if not _ABOUT_REPLIES.search(each)] == []


def before(stage: Stage, browser: Browser) -> Iterator[Shown]:
    """Before the form, and what anybody may read."""
    with at(stage, browser, "/") as hand:
        yield "start", hand.page
        for path in ("/help", "/automated-decisions", "/sign-in", "/nothing-here", "/apply/you"):
            hand.page.goto(stage.base + path)
            yield path.strip("/").replace("/", "-"), hand.page


def company(stage: Stage, browser: Browser) -> Iterator[Shown]:
    """The common way: a company with one director, who connects the bank."""
    with at(stage, browser, "/apply") as hand:
        for slug in fill_in(hand, book()["clean"]):
            if slug != "sent":
                yield f"form-{slug}", hand.page
        yield "decision-approve", hand.page
        opened = hand.page.locator("details")
        opened.evaluate_all("(all) => all.forEach((each) => { each.open = true; })")
        yield "decision-approve-opened", hand.page
        here = hand.page.url
        hand.page.goto(f"{here}/explore")
        yield "explore", hand.page
        hand.page.goto(f"{here}/explore?amount=lots&months=6&draw=5000")
        yield "explore-wrong", hand.page
        hand.page.goto(f"{here}/receipt")
        yield "receipt", hand.page


def others(stage: Stage, browser: Browser) -> Iterator[Shown]:
    """Sole trader, trust and partnership; the register away; two directors; statements instead of a connection."""
    for name in ("sole_trader", "trust"):
        with at(stage, browser, "/apply") as hand:
            for slug in fill_in(hand, book()[name]):
                if slug in {"business", "you", "check"}:
                    yield f"{name.replace('_', '-')}-{slug}", hand.page
    story = book()["slow_bureau"]
    csv = statement_csv(stage.server.folder / "statement.csv", date.today())
    told = Told(
        me=told_of(story).me, others=(SECOND,), bank="upload", statement=csv, lenders=2, repayments="1,500",
        overdue="2,000",
    )  # fmt: skip
    with at(stage, browser, "/apply") as hand:
        for slug in fill_in(hand, story, told):
            if slug == "statements":
                hand.page.locator("#file").set_input_files({"name": "x.csv", "mimeType": "text/csv", "buffer": b"no"})
                hand.press("Upload")
                yield "statements-wrong", hand.page
            elif slug == "money":
                yield "money", hand.page
                hand.choose("lenders-2")
                hand.choose("overdue")
                yield "money-more", hand.page
            elif slug in {"others", "check"}:
                yield f"second-{slug}", hand.page
        hand.page.goto(f"{stage.base}/apply/statements")
    stage.sandbox.switch("register", fault="error")
    try:
        with at(stage, browser, "/apply") as hand:
            hand.type("abn", book()["thin"].abn)
            hand.press("Continue")
            yield "business-unknown", hand.page
    finally:
        stage.sandbox.switch("register")


def mistakes(stage: Stage, browser: Browser) -> Iterator[Shown]:
    """What each page says when it is sent empty, and when it is sent with nonsense."""
    with at(stage, browser, "/apply") as hand:
        hand.type("abn", "12 345 678 901")
        hand.press("Continue")
        yield "wrong-abn", hand.page
        for slug in fill_in(hand, book()["new_to_marketplace"], Told(others=(SECOND,), bank="later")):
            if slug == "abn":
                continue
            button = hand.page.locator("main form button[type=submit]").first
            with hand.page.expect_navigation():
                button.click()
            yield f"wrong-{slug}", hand.page
            if slug == "check":
                return  # not sent: another applies for this business
            if slug == "you":
                for box, text in (("me-born-day", "31"), ("me-born-month", "2"), ("me-born-year", "1990")):
                    hand.page.fill(f"#{box}", text)
                hand.page.fill("#me-given", "\u202e" + "Wolfeschlegelsteinhausenbergerdorff " * 3)
                hand.page.fill("#me-email", "robin@")
                with hand.page.expect_navigation():
                    button.click()
                yield "wrong-you-nonsense", hand.page


def decisions(stage: Stage, browser: Browser) -> Iterator[Shown]:
    """Less than was asked, referred for an outage and for what a person should see, declined; and while it is made."""
    for name in ("bank_not_connected", "down_bureau", "strike_off", "sanctioned", "over_indebted", "tax_debt"):
        with at(stage, browser, "/apply") as hand:
            told = told_of(book()[name])
            if name == "bank_not_connected":
                told = Told(amount="120,000", turnover="960,000", me=told.me, bank="later")
            apply(hand, book()[name], told)
            hand.page.wait_for_url("**/applications/app_*")
            yield f"decision-{name.replace('_', '-')}", hand.page
            if name == "over_indebted":
                hand.press("Ask for a person to look again")
                yield "decision-person-asked", hand.page
    yield from deciding(stage, browser)


def deciding(stage: Stage, browser: Browser) -> Iterator[Shown]:
    """The page of progress, seen from another tab while a source takes its time."""
    with at(stage, browser, "/apply") as hand:
        for slug in fill_in(hand, book()["falling_sales"]):
            if slug == "check":
                break
        for box in hand.page.locator("input[type=checkbox]").all():
            box.check()
        other = hand.page.context.new_page()
        stage.sandbox.switch("bureau", latency_ms=5_000)
        hand.page.locator("main form").evaluate("(form) => form.requestSubmit()")
        for _ in range(20):
            other.goto(f"{stage.base}/apply/deciding")
            if not other.url.endswith("/apply/check"):
                break
        yield "deciding", other
        stage.sandbox.switch("bureau")


def documents(stage: Stage, browser: Browser) -> Iterator[Shown]:
    """What is wanted, sent, returned with words, sent again, checked, approved; with the clock running and standing."""
    story = book()["slow_bank"]
    who = told_of(story).me
    with at(stage, browser, "/apply") as hand:
        apply(hand, story)
        application = hand.page.url.rpartition("/")[2]
        hand.press("Accept and go on")
        yield "documents-wanted", hand.page
        here = hand.page.url
        case = stage.case(application)
        with hand.page.expect_navigation():
            hand.page.locator("form.send").first.evaluate("(form) => form.submit()")
        yield "documents-none-chosen", hand.page
        hand.page.goto(here)
        send(hand, "identity", stage.paper(case, "identity", who, "other_name"))
        send(hand, "bank_account_proof", stage.paper(case, "bank_account_proof", who))
        stage.case_in(application, "open")
        hand.page.goto(here)
        yield "documents-checked", hand.page
        returned(stage, application)
        hand.page.goto(here)
        yield "documents-returned", hand.page
        send(hand, "identity", stage.paper(case, "identity", who))
        stage.case_in(application, "open")
        hand.page.goto(here)
        yield "documents-again", hand.page
        approved(stage, application)
        hand.page.goto(here)
        yield "documents-approved", hand.page


def contract(stage: Stage, browser: Browser) -> Iterator[Shown]:
    """The contract read, not yet ticked, and signed; and a case that was declined after all."""
    for name, ending in (("thin", "signed"), ("new_to_marketplace", "declined")):
        story = book()[name]
        told = replace(told_of(story), bank="connect")
        with at(stage, browser, "/apply") as hand:
            apply(hand, story, told)
            application = hand.page.url.rpartition("/")[2]
            hand.press("Accept and go on")
            case = stage.case(application)
            send(hand, "identity", stage.paper(case, "identity", told.me, "other_name"))
            send(hand, "bank_account_proof", stage.paper(case, "bank_account_proof", told.me))
            stage.case_in(application, "open")
            if ending == "declined":
                declined(stage, application)
                hand.page.goto(f"{stage.base}/applications/{application}/documents")
                yield "documents-declined", hand.page
                continue
            approved(stage, application)
            hand.page.goto(f"{stage.base}/applications/{application}/contract")
            yield "contract", hand.page
            hand.press("Sign")
            yield "contract-wrong", hand.page
            sign(hand)
            yield "contract-signed", hand.page


def coming_back(stage: Stage, browser: Browser) -> Iterator[Shown]:
    """By a link from a mail, by a code, and as somebody who was named."""
    me = told_of(book()["clean"]).me
    with at(stage, browser, "/dev/mailbox") as hand:
        yield "mailbox", hand.page
        hand.page.goto(stage.link(SECOND.email, "/confirm/"))
        yield "confirm", hand.page
        hand.press("Yes, that is right")
        yield "confirmed", hand.page
        hand.page.goto(stage.base + "/my")
        hand.type("email", "robin@")
        hand.press("Send me a code")
        yield "sign-in-wrong", hand.page
        hand.type("email", me.email)
        hand.press("Send me a code")
        yield "code", hand.page
        hand.type("code", "000000")
        hand.press("Continue")
        yield "code-wrong", hand.page
        hand.type("code", stage.code(me.email))
        hand.press("Continue")
        yield "my", hand.page
    with at(stage, browser, "/apply/resume/not-a-link") as hand:
        yield "resume", hand.page
        hand.press("Continue")
        yield "resume-expired", hand.page


# -- what is done on the way -------------------------------------------------------------------------------------


def send(hand: Hand, kind: str, *files: Path) -> None:
    """Send files of a kind by the page's script, one after the other, and wait until each is there."""
    for file in files:
        form = hand.page.locator(f"form.send:has(input[name=kind][value={kind}])").first
        with hand.page.expect_response(lambda reply: reply.request.method == "PUT" and reply.json().get("done", False)):
            form.locator("input[type=file]").set_input_files(file)
        hand.page.locator(".sending > *").first.wait_for(state="detached")


def sign(hand: Hand) -> None:
    """Sign as the first who has not."""
    hand.choose("person_ref")
    hand.choose("read")
    hand.press("Sign")


def held(stage: Stage, application: str) -> store.CaseRow:
    """The case, held by a verifier."""
    return stage.office.take(stage.case_in(application, "open"))


def returned(stage: Stage, application: str) -> None:
    """A verifier sends the identity back with words."""
    case = held(stage, application)
    paper = next(each for each in stage.office.standing(case.id).documents if each.kind == "identity")
    desk = stage.office.desk
    stage.office.do(working.return_document(desk, case.id, case.version, VERA, paper.id, "BLURRY", WORDS))


def verified(stage: Stage, application: str) -> store.CaseRow:
    """A verifier records what the papers say, and vouches for them."""
    case = stage.office.settle(held(stage, application))
    return stage.office.do(working.verify(stage.office.desk, case.id, case.version, VERA))


def approved(stage: Stage, application: str) -> None:
    """People verify and approve it."""
    stage.office.approved(verified(stage, application))


def declined(stage: Stage, application: str) -> None:
    """People verify it, and decline after all."""
    case = stage.office.take(verified(stage, application), "approve", ABEL)
    verdict = stage.office.verdict(case, reason="R26", words="The papers could not be relied on.")
    stage.office.do(approving.decline(stage.office.desk, case.id, ABEL, verdict))
