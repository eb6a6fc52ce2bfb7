"""From the ABN to the last page, in a browser: straight through, approved by people, less, referred, declined."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from playwright.sync_api import Browser, expect

from api.checks.values import Kind
from api.sandbox.stories import Story, book
from api.store.queries import CaseRow
from tests.support.browser import PHONE, visit
from tests.support.journeying import gallery
from tests.support.journeying.filling import Told, Who, apply, statement_csv, told_of
from tests.support.journeying.gallery import approved, at, returned, send, sign
from tests.support.journeying.hand import Hand
from tests.support.journeying.staging import Stage


def heading(hand: Hand, words: str) -> None:
    """The page's heading, once it is these words."""
    expect(hand.page.get_by_role("heading", level=1)).to_have_text(words, timeout=20_000)


def shown(hand: Hand, words: str) -> None:
    """These words, once the page has them: it looks for news by itself."""
    expect(hand.page.get_by_text(words)).to_be_visible(timeout=20_000)


def offered(stage: Stage, hand: Hand, story: Story, told: Told | None = None) -> str:
    """An offer that was accepted; the application's id."""
    apply(hand, story, told)
    heading(hand, "You have a conditional offer")
    application = hand.page.url.rpartition("/")[2]
    hand.press("Accept and go on")
    heading(hand, "Send your documents")
    return application


def signed(stage: Stage, hand: Hand, application: str) -> None:
    """From an approved case to the open line."""
    hand.page.goto(f"{stage.base}/applications/{application}/documents")
    heading(hand, "Your line is approved")
    hand.page.get_by_role("link", name="Go to the contract").click()
    heading(hand, "Read the contract, and sign it")
    sign(hand)
    heading(hand, "Your line is open")
    assert hand.complaints == []


def test_straight_through(stage: Stage, browser: Browser) -> None:
    """Clean papers verify themselves and the page says so by itself: nobody of the lender did anything.

    One case in ten is drawn for people to look at, so another business may have to try.
    """
    for name in ("clean", "slow_bank", "slow_bureau", "falling_sales"):
        story = book()[name]
        told = replace(told_of(story), amount="40,000")
        with at(stage, browser, "/apply") as hand:
            application = offered(stage, hand, story, told)
            case = stage.case(application)
            send(hand, "identity", stage.paper(case, "identity", told.me))
            send(hand, "bank_account_proof", stage.paper(case, "bank_account_proof", told.me))
            if stage.settled(application).sampled:
                continue
            heading(hand, "Your line is approved")  # the page looks again by itself
            signed(stage, hand, application)
            assert stage.case(application).verified_by == "machine"
            return
    pytest.fail("four in a row were drawn, as happens once in ten thousand")


def returned_and_signed(stage: Stage, browser: Browser) -> None:
    """People return a document, it is sent again, they approve, and the contract is signed."""
    story = book()["thin"]
    told = told_of(story)
    with at(stage, browser, "/apply") as hand:
        application = offered(stage, hand, story, told)
        here, case = hand.page.url, stage.case(application)
        send(hand, "identity", stage.paper(case, "identity", told.me, "other_name"))
        send(hand, "bank_account_proof", stage.paper(case, "bank_account_proof", told.me))
        stage.case_in(application, "open")
        returned(stage, application)
        heading(hand, "Send your documents")  # by itself again
        shown(hand, gallery.WORDS)
        shown(hand, "The clock stands: we wait for you")
        send(hand, "identity", stage.paper(case, "identity", told.me))
        heading(hand, "We are checking your documents")
        shown(hand, "We answer by")
        stage.case_in(application, "open")
        approved(stage, application)
        hand.page.goto(here)
        signed(stage, hand, application)
        stage.mail(told.me.email, "your line of credit is open")


def test_approved_by_people(stage: Stage, browser: Browser) -> None:
    """On SQLite: returned with the reviewer's words, the clock paused; sent again, approved, signed, open."""
    returned_and_signed(stage, browser)


@pytest.mark.postgres
def test_approved_by_people_on_postgresql(postgres_stage: Stage, browser: Browser) -> None:
    """The same on PostgreSQL."""
    returned_and_signed(postgres_stage, browser)


def test_less_than_was_asked(stage: Stage, browser: Browser) -> None:
    """Without the bank the line is smaller: why, what a smaller one costs, accepted, approved, signed."""
    story = book()["bank_not_connected"]
    told = replace(told_of(story), amount="120,000", bank="later")
    with at(stage, browser, "/apply") as hand:
        apply(hand, story, told)
        heading(hand, "You have a conditional offer")
        shown(hand, "You asked for $120,000.")
        expect(hand.page.get_by_role("heading", name="Why it is not more")).to_be_visible()
        application = hand.page.url.rpartition("/")[2]
        hand.page.get_by_role("link", name="Try other amounts").click()
        heading(hand, "Try other amounts")
        before = hand.page.locator("#result .figures").inner_text()
        hand.page.locator("#draw").fill("6,000")
        expect(hand.page.locator("#result .figures")).to_contain_text("$6,000")
        assert hand.page.locator("#result .figures").inner_text() != before
        hand.page.get_by_role("link", name="Back to the offer").click()
        hand.press("Accept and go on")
        case = stage.case(application)
        for kind in ("identity", "bank_statement", "bank_account_proof"):
            send(hand, kind, _paper(stage, case, kind, told.me))
        stage.case_in(application, "open")
        approved(stage, application)
        signed(stage, hand, application)


def test_referred_for_an_outage(stage: Stage, browser: Browser) -> None:
    """A source that does not answer is named, no fault of the applicant's, and the decision comes when it answers."""
    with at(stage, browser, "/apply") as hand:
        apply(hand, book()["late_bureau"])
        heading(hand, "A person will look at your application")
        shown(hand, "We could not reach the credit reporting body just now.")
        for _ in range(60):
            hand.page.reload()
            if hand.page.get_by_role("heading", name="You have a conditional offer").count():
                break
            hand.page.wait_for_timeout(1_000)
        heading(hand, "You have a conditional offer")
        assert hand.complaints == []


def test_referred_to_a_person(stage: Stage, browser: Browser) -> None:
    """What a person should see is said, and asking for one is taken once, with the days that it takes."""
    with at(stage, browser, "/apply") as hand:
        apply(hand, book()["strike_off"])
        heading(hand, "A person will look at your application")
        expect(hand.page.get_by_role("heading", name="What we look at")).to_be_visible()
        hand.press("Ask for a person to look again")
        shown(hand, "You have asked. A person looks at it within 5 business days")
        assert hand.page.get_by_role("button", name="Ask for a person to look again").count() == 0
        assert hand.complaints == []


def test_declined(stage: Stage, browser: Browser) -> None:
    """A no has its reasons, a promise of what would change it, and a receipt that can be kept."""
    with at(stage, browser, "/apply") as hand:
        apply(hand, book()["tax_debt"])
        heading(hand, "We cannot offer a line now")
        expect(hand.page.get_by_role("heading", name="What would change it")).to_be_visible()
        expect(hand.page.locator(".promise").first).to_contain_text("Held until")
        assert 1 <= hand.page.locator(".reasons li").count() <= 4
        hand.page.get_by_role("link", name="Your receipt").click()
        heading(hand, "Receipt of a credit decision")
        with hand.page.expect_download() as kept:
            hand.page.get_by_role("link", name="Keep the signed file").click()
        assert kept.value.suggested_filename == "receipt.json"
        assert hand.complaints == []


def test_without_a_script(stage: Stage, browser: Browser) -> None:
    """The whole of it by plain forms: conditional questions, statements, documents, sent again, the contract."""
    story = book()["declared"]
    today = datetime.now(UTC).date()
    csv = statement_csv(stage.server.folder / "statement.csv", today)
    told = replace(
        told_of(story), bank="upload", statement=csv, lenders=1, repayments="900", overdue="500", amount="40,000"
    )
    with visit(browser, f"{stage.base}/apply", PHONE, scripts=False) as (page, _):
        hand = Hand(page)
        application = offered(stage, hand, story, told)
        case = stage.case(application)
        assert page.locator(".sending > *").count() == 0
        hand.page.locator("form.send button").first.click()
        expect(page.locator("#summary")).to_contain_text("Choose a file first")
        for wanted in stage.office.standing(case.id).wanted:
            if not wanted.required:
                continue
            form = page.locator(f"form.send:has(input[name=kind][value={wanted.kind}])").first
            form.locator("input[type=file]").set_input_files(_paper(stage, case, wanted.kind, told.me))
            with page.expect_navigation():
                form.locator("button").click()
        stage.case_in(application, "open")
        approved(stage, application)
        signed(stage, hand, application)


def _paper(stage: Stage, case: CaseRow, kind: str, who: Who) -> Path:
    """A paper of a kind: of the identity somebody else's, or machines would leave nothing for people to look at."""
    return stage.paper(case, cast(Kind, kind), who, "other_name" if kind == "identity" else "clean")
