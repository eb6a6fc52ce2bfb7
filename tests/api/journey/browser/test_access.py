"""Without a mouse, at 200 %, and the criteria that WCAG 2.2 added, each with a test; help (3.2.6) is in test_looks."""

from collections import Counter
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from api.sandbox.stories import book
from tests.api.journey.browser.test_looks import WIDER
from tests.support.browser import visit
from tests.support.journeying.filling import SECOND, apply, fill_in, told_of
from tests.support.journeying.gallery import at
from tests.support.journeying.hand import Act, Hand
from tests.support.journeying.staging import Stage

SMALL = (320, 568)
COVERED = """() => {
  const at = document.activeElement, box = at.getBoundingClientRect();
  const x = box.left + box.width / 2, y = box.top + Math.min(box.height, innerHeight) / 2;
  const there = document.elementFromPoint(x, y);
  const label = at.labels && at.labels[0];
  return !there || !(at.contains(there) || there.contains(at) || (label && label.contains(there)))
    ? at.outerHTML.slice(0, 90) : "";
}"""
TARGETS = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary")]
  .filter((each) => each.checkVisibility() && !each.closest(".skip") && !each.classList.contains("skip"))
  .filter((each) => !(each.tagName === "A" && getComputedStyle(each).display === "inline"))
  .map((each) => [each, (each.type === "radio" || each.type === "checkbox") ? each.labels[0] : each])
  .filter(([, target]) => { const box = target.getBoundingClientRect(); return box.height < 24 || box.width < 24; })
  .map(([each]) => each.outerHTML.slice(0, 90))"""
ASKED = """() => [...document.querySelectorAll("main form input:not([type=hidden]), main form select")]
  .filter((each) => each.checkVisibility())
  .map((each) => `${each.name}|${each.type}|${each.autocomplete}`)"""


class Keys(Hand):
    """A hand that has only a keyboard: it goes from stop to stop, and no further than a page is long."""

    def reach(self, box: str) -> None:
        """Go on to a control, by its id."""
        for _ in range(120):
            if self.page.evaluate("document.activeElement.id") == box:
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{box} was not reached")

    def type(self, box: str, text: str) -> None:
        """Type into a box, over what stands there."""
        self.reach(box)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)
        self.acts.append(Act(self.place, "type", box, len(text)))

    def choose(self, box: str) -> None:
        """Choose with Space, or with the arrows inside a group."""
        control = self.page.locator(f"[id='{box}']")
        if control.get_attribute("type") == "checkbox":
            self.reach(box)
            self.page.keyboard.press("Space")
            return
        name = control.get_attribute("name")
        for _ in range(120):
            if self.page.evaluate("document.activeElement.name") == name:
                break
            self.page.keyboard.press("Tab")
        self.page.keyboard.press("Space")
        for _ in range(10):
            if control.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{box} was not reached")

    def pick(self, box: str, value: str) -> None:
        """Pick from a list by the first letters."""
        self.reach(box)
        words = self.page.locator(f"[id='{box}'] option[value='{value}']").inner_text()
        self.page.keyboard.type(words[:12])
        assert self.page.locator(f"[id='{box}']").input_value() == value

    def press(self, words: str) -> None:
        """Go to a button and press Enter."""
        for _ in range(120):
            at = self.page.evaluate("[document.activeElement.tagName, document.activeElement.textContent.trim()]")
            if at == ["BUTTON", words]:
                break
            self.page.keyboard.press("Tab")
        with self.page.expect_navigation(wait_until="load"):
            self.page.keyboard.press("Enter")


def test_the_form_is_filled_in_by_keyboard_alone(stage: Stage, browser: Browser) -> None:
    """From the ABN to an accepted offer, with Tab, Space, arrows, letters and Enter."""
    with visit(browser, f"{stage.base}/apply") as (page, complaints):
        hand = Keys(page)
        apply(hand, book()["clean"])
        expect(page.get_by_role("heading", level=1)).to_have_text("You have a conditional offer")
        hand.press("Accept and go on")
        expect(page.get_by_role("heading", level=1)).to_have_text("Send your documents")
        assert complaints == []


def test_the_first_stop_leads_past_the_head(stage: Stage, browser: Browser) -> None:
    """The skip link is first, is seen, and goes to the content."""
    with visit(browser, f"{stage.base}/apply") as (page, _):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("path", ["/", "/apply", "/help", "/automated-decisions", "/sign-in"])
def test_at_two_hundred_per_cent(stage: Stage, browser: Browser, path: str) -> None:
    """At 200 % of zoom, and with letters alone twice as large, nothing is cut off or runs out of the window."""
    with visit(browser, f"{stage.base}{path}", (640, 450)) as (page, _):
        assert page.evaluate(WIDER) == []
        page.set_viewport_size({"width": 1280, "height": 900})
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate(WIDER) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def stops(page: Page) -> list[str]:
    """What hides a control that has the focus, of every stop of a page."""
    found = []
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        found.append(page.evaluate(COVERED))
    assert len(found) > 5
    return [each for each in found if each]


def test_focus_is_never_hidden(stage: Stage, browser: Browser) -> None:
    """2.4.11: on a small phone nothing of ours lies over the control that has the focus; and targets (2.5.8)."""
    with visit(browser, f"{stage.base}/apply", SMALL) as (page, _):
        for slug in fill_in(Hand(page), book()["slow_bank"]):
            assert (slug, stops(page)) == (slug, [])
            assert (slug, page.evaluate(TARGETS)) == (slug, [])


def test_nothing_has_to_be_dragged(stage: Stage, browser: Browser) -> None:
    """2.5.7: beside each slider stands a box that does the same, and the costs follow either."""
    with at(stage, browser, "/apply") as hand:
        apply(hand, book()["slow_bureau"])
        hand.page.get_by_role("link", name="Try other amounts").click()
        sliders = hand.page.locator("input[type=range]")
        assert sliders.count() == 2
        for slider in sliders.all():
            box = hand.page.locator(f"#{slider.get_attribute('data-for')}")
            box.fill("9,500")
            expect(slider).to_have_value("9500")
            expect(hand.page.locator("#result")).to_contain_text("$9,500")
        slider = sliders.last
        slider.focus()
        hand.page.keyboard.press("ArrowLeft")
        expect(hand.page.locator("#draw")).to_have_value("9,000")
        expect(hand.page.locator("#result")).to_contain_text("$9,000")


def test_targets_are_large_enough(stage: Stage, browser: Browser) -> None:
    """2.5.8: what is pressed is at least 24 by 24 pixels, links within sentences aside."""
    with visit(browser, "about:blank", SMALL) as (page, _):
        for path in ("/", "/help", "/sign-in", "/apply", "/automated-decisions", "/dev/mailbox"):
            page.goto(stage.base + path)
            assert (path, page.evaluate(TARGETS)) == (path, [])


def test_nothing_is_asked_twice(stage: Stage, browser: Browser) -> None:
    """3.3.7: no question comes twice, what the register knows is not asked, and going back shows what was typed."""
    story = book()["new_to_marketplace"]
    told = replace(told_of(story), others=(SECOND,), bank="later")
    asked: list[str] = []
    with at(stage, browser, "/apply") as hand:
        for slug in fill_in(hand, story, told):
            if slug == "sent":
                break
            asked += hand.page.evaluate(ASKED)
            if slug == "check":
                expect(hand.page.locator("dl.answers").filter(has_text=told.me.email)).to_be_visible()
                hand.page.go_back()
                hand.page.goto(f"{stage.base}/apply/you")
                assert hand.page.locator("#me-email").input_value() == told.me.email
                hand.page.goto(f"{stage.base}/apply/check")
        names = Counter(each.partition("|")[0] for each in asked if "|radio|" not in each)
        assert [name for name, times in names.items() if times > 1] == []
        assert not {"legal-name", "entity", "state", "gst"} & set(names)
        own = [each.rpartition("|")[2] for each in asked if each.startswith("me-") and "|radio|" not in each]
        assert {"given-name", "family-name", "tel", "email", "bday-day", "bday-month", "bday-year"} == set(own)


def test_signing_in_asks_nothing_of_memory(stage: Stage, browser: Browser) -> None:
    """3.3.8: a code from a mail, which may be pasted, spaces and all, and which the browser may fill in."""
    with at(stage, browser, "/apply") as hand:
        apply(hand, book()["tax_debt"])
        email = told_of(book()["tax_debt"]).me.email
    with at(stage, browser, "/sign-in") as hand:
        assert hand.page.locator("#email").get_attribute("autocomplete") == "email"
        hand.type("email", email)
        hand.press("Send me a code")
        box = hand.page.locator("#code")
        assert box.get_attribute("autocomplete") == "one-time-code"
        assert hand.page.locator("input[type=password]").count() == 0
        code = stage.code(email)
        box.focus()
        hand.page.evaluate(
            """(text) => { const held = new DataTransfer(); held.setData("text", text);
            const sent = new ClipboardEvent("paste", { clipboardData: held, cancelable: true, bubbles: true });
            if (document.activeElement.dispatchEvent(sent)) document.execCommand("insertText", false, text); }""",
            f" {code[:3]} {code[3:]} ",
        )
        assert box.input_value().split() == [code[:3], code[3:]]
        hand.press("Continue")
        expect(hand.page.get_by_role("heading", level=1)).to_have_text("My applications")
