"""The console in a real browser, over made-up views: keys, focus, what fits and can be read, what keeps fresh."""

from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Dialog, Page

from tests.support.browser import PHONE, WIDE, visit
from tests.support.console_samples import SAMPLES
from tests.support.console_samples.boards import BOARD, QUEUE
from tests.support.console_samples.serving import CSRF, Served

LOOKED_AT = [name for name in SAMPLES if not name.startswith("message-")] + ["message-stale-version"]
OPENED = """() => document.querySelectorAll("details").forEach((each) => {
  each.removeAttribute("name");  // of several with one name only one is ever open
  each.open = true;
})"""
FAINT = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const mixed = (top, under) => {
    const [r, g, b, a = 1] = top;
    return [r, g, b].map((each, at) => each * a + under[at] * (1 - a));
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((each) => {
      const part = each / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const behind = element.parentElement ? ground(element.parentElement) : [255, 255, 255];
    return mixed(rgb(getComputedStyle(element).backgroundColor), behind);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || !element.checkVisibility() || element.closest("svg, option, [hidden]")) continue;
    const style = getComputedStyle(element);
    const under = ground(element);
    const [r, g, b] = rgb(style.color);
    let opacity = 1;
    for (let each = element; each; each = each.parentElement) opacity *= Number(getComputedStyle(each).opacity);
    const [one, two] = [light(mixed([r, g, b, opacity], under)), light(under)].sort((x, y) => y - x);
    const contrast = (one + 0.05) / (two + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.6 && style.fontWeight >= 700);
    if (contrast < (large ? 3 : 4.5)) found.push(`${element.className || element.tagName}: ${contrast.toFixed(2)}`);
  }
  return [...new Set(found)];
}"""
NAMELESS = """() => [...document.querySelectorAll("input, select, textarea, button, a[href], summary")]
  .filter((each) => each.checkVisibility() && each.type !== "hidden")
  .filter((each) => !(each.labels && each.labels.length) && !each.getAttribute("aria-label")
    && !(each.textContent.trim()))
  .map((each) => each.outerHTML.slice(0, 90))"""
SMALL = """() => [...document.querySelectorAll("main button, main input:not([type=hidden]), main select, main summary")]
  .filter((each) => each.checkVisibility() && each.type !== "checkbox")
  .filter((each) => each.getBoundingClientRect().height < 24 || each.getBoundingClientRect().width < 24)
  .map((each) => each.outerHTML.slice(0, 90))"""
WIDER = """() => [...document.querySelectorAll("body *")]
  .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .filter((each) => !each.closest(".unseen, .skip, svg, dialog"))
  .map((each) => each.outerHTML.slice(0, 90))"""


def focused(page: Page) -> str:
    """What has the focus: its id, or else its tag and first words."""
    found: str = page.evaluate(
        "() => { const at = document.activeElement;"
        " return at.id || `${at.tagName}: ${at.textContent.trim().slice(0, 40)}` }"
    )
    return found


def marked(page: Page) -> str:
    """The id of the row that is marked."""
    found: str = page.evaluate("() => document.querySelector('[data-field].current')?.id ?? ''")
    return found


# -- what is seen --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "dark"), [(PHONE, False), (WIDE, True)], ids=["phone in the light", "desk in the dark"]
)
def test_every_page_fits_and_can_be_read(browser: Browser, served: Served, size: tuple[int, int], dark: bool) -> None:
    """With everything on it opened: nothing wider than the window, no faint text, all named, nothing too small."""
    faults: dict[str, list[str]] = {}
    with visit(browser, "about:blank", size, dark=dark) as (page, complaints):
        for name in LOOKED_AT:
            page.goto(served.page(name))
            page.evaluate(OPENED)
            found = [fault for look in (WIDER, FAINT, NAMELESS, SMALL) for fault in page.evaluate(look)]
            if page.evaluate("document.documentElement.scrollWidth") != size[0]:
                found.append("scrolls sideways")
            if found:
                faults[name] = found
    assert faults == {}
    assert complaints == []


def test_the_looks_find_what_they_look_for(browser: Browser, served: Served) -> None:
    """A faint word, a field without a name, a small button and a wide table are each found when there is one."""
    with visit(browser, served.page("case-ready"), PHONE) as (page, _):
        page.evaluate("""() => {
          document.querySelector("h1").style.color = "#bbb";
          document.querySelector("label[for=search]").remove();
          document.querySelector(".actions button").style.cssText = "min-height:0;height:10px";
          document.querySelector(".compared").style.width = "900px";
        }""")
        page.evaluate(OPENED)
        for look in (WIDER, FAINT, NAMELESS, SMALL):
            assert page.evaluate(look) != []


def test_a_case_is_one_screen(browser: Browser, served: Served) -> None:
    """On a desk the page itself does not scroll: documents and facts do, each by itself, under head and actions."""
    with visit(browser, served.page("case-full")) as (page, _):
        assert page.evaluate("document.documentElement.scrollHeight") == WIDE[1]
        panes = page.evaluate(
            "() => [...document.querySelectorAll('.pane')].map((each) => each.getBoundingClientRect())"
        )
        assert len(panes) == 2
        assert panes[0]["top"] == panes[1]["top"]
        assert all(each["bottom"] <= WIDE[1] and each["height"] > WIDE[1] / 2 for each in panes)
        page.keyboard.press("]")
        page.keyboard.press("]")
        assert page.evaluate("window.scrollY") == 0
        assert page.locator("details.document[open]").count() == 1


def test_without_its_script_a_page_works(browser: Browser, served: Served) -> None:
    """Drawers open by themselves, forms are sent, and no hint of what only the script could do is shown."""
    with visit(browser, served.page("case-ready"), scripts=False) as (page, _):
        page.locator("#note-drawer summary").click()
        page.locator("#note-words").fill("Without a script")
        assert not page.locator("#help-button").is_visible()
        served.sent.clear()
        page.locator("#note button").click()
        page.wait_for_url("**/console")
        [(path, form)] = served.sent
        assert path.endswith("/note")
        assert (form["words"], form["csrf"], form["version"]) == ("Without a script", CSRF, "17")


# -- keys and focus ------------------------------------------------------------------------------------------


def test_the_board_is_walked_by_keys(browser: Browser, served: Served) -> None:
    """j and k mark cases from mine through the queue, o opens the marked one, and the ends hold."""
    with visit(browser, served.page("board")) as (page, complaints):
        page.keyboard.press("k")
        last = marked(page)
        page.keyboard.press("j")
        assert marked(page) == last == f"queue-{QUEUE[-1].id}"
        page.reload()
        for row in (f"mine-{BOARD.mine[0].id}", f"queue-{QUEUE[0].id}", f"queue-{QUEUE[1].id}"):
            page.keyboard.press("j")
            assert marked(page) == row == focused(page)
        page.keyboard.press("k")
        page.keyboard.press("o")
        page.wait_for_url(f"**/console/cases/{QUEUE[0].id}")
        assert complaints == []


def test_one_key_takes_the_next_case(browser: Browser, served: Served) -> None:
    """n sends the form of the next case with its token, from board and case, once even where it is held down."""
    for name in ("board", "case"):
        with visit(browser, served.page(name)) as (page, _):
            served.sent.clear()
            page.keyboard.down("n")
            page.keyboard.down("n")
            page.wait_for_url("**/console")
            assert served.sent == [("/console/next", {"csrf": CSRF, "stage": ""})]


def test_a_field_is_written_down_by_keys(browser: Browser, served: Served) -> None:
    """j marks a field and its outline on the page; e writes, Esc leaves; m takes over what was read and goes on."""
    with visit(browser, served.page("case")) as (page, complaints):
        page.keyboard.press("j")
        row = marked(page)
        assert page.locator("rect.current").count() == 1
        page.keyboard.press("e")
        assert focused(page) == row.replace("row-", "record-")
        page.keyboard.type("jn")
        page.keyboard.press("Escape")
        assert (focused(page), marked(page)) == (row, row)
        page.keyboard.press("m")
        assert marked(page) != row
        read = page.locator(f"#{row}").get_attribute("data-read")
        assert read
        assert page.locator(f"#{row.replace('row-', 'record-')}").input_value() == read
        page.keyboard.press("m")
        page.keyboard.press("m")
        dates = page.locator("input[type=date]").evaluate_all("(all) => all.slice(0, 2).map((each) => each.value)")
        assert dates == ["2026-05-13", "2026-11-12"]
        assert complaints == []


def test_enter_in_a_field_saves_and_accepting_takes_it_along(browser: Browser, served: Served) -> None:
    """Enter sends the document's form; a puts the focus on accepting, and Enter there sends what was typed with it."""
    for keys, act in ((("Enter",), "record"), (("Escape", "a", "Enter"), "accept")):
        with visit(browser, served.page("case")) as (page, _):
            served.sent.clear()
            page.keyboard.press("j")
            page.keyboard.press("e")
            page.keyboard.type("BANKSIA")
            for key in keys:
                page.keyboard.press(key)
            page.wait_for_url("**/console")
            [(path, form)] = served.sent
            assert path == f"/console/documents/doc_bank/{act}"
            assert form["field.account_name"] == "BANKSIA"


def test_documents_are_turned_and_sent_back_by_keys(browser: Browser, served: Served) -> None:
    """] and [ turn, with what each says beside it; r opens the reasons of the one that is shown, Esc shuts them."""
    with visit(browser, served.page("case-ready")) as (page, _):
        page.keyboard.press("]")
        assert page.locator("details.document[open]").get_attribute("id") == "doc_bas"
        assert marked(page).startswith("row-doc_bas-")
        page.keyboard.press("r")
        assert focused(page) == "return-doc_bas-reason"
        page.keyboard.press("Escape")
        assert not page.locator("#return-doc_bas-drawer").get_attribute("open")
        page.keyboard.press("[")
        assert page.locator("details.document[open]").get_attribute("id") == "doc_bank"
        page.keyboard.press("[")
        assert page.locator("details.document[open]").get_attribute("id") == "doc_bank"


def test_a_case_is_concluded_by_a_key(browser: Browser, served: Served) -> None:
    """v goes to verifying or approving, and only Enter after it sends; where neither can be, it says so."""
    with visit(browser, served.page("case-ready")) as (page, _):
        served.sent.clear()
        page.keyboard.press("v")
        assert focused(page).startswith("BUTTON: Verify")
        page.keyboard.press("Enter")
        page.wait_for_url("**/console")
        assert [path.rpartition("/")[2] for path, _ in served.sent] == ["verify"]
    with visit(browser, served.page("case-approving")) as (page, _):
        page.keyboard.press("v")
        assert focused(page).startswith("BUTTON: Approve")
    with visit(browser, served.page("case-new")) as (page, _):
        page.keyboard.press("v")
        page.locator("#status").filter(has_text="cannot be verified").wait_for(state="attached")


def test_single_keys_are_off_where_people_type(browser: Browser, served: Served) -> None:
    """In a field, with a modifier, or switched off in the list of keys, a letter is only a letter."""
    with visit(browser, served.page("case-ready")) as (page, _):
        served.sent.clear()
        page.keyboard.press("c")
        assert focused(page) == "note-words"
        page.keyboard.type("nbv")
        assert page.locator("#note-words").input_value() == "nbv"
        page.locator("#note-words").fill("")
        page.keyboard.press("Escape")
        assert focused(page).startswith("SUMMARY: Note")
        page.keyboard.press("Control+n")
        page.keyboard.press("?")
        assert page.locator("#help").is_visible()
        page.keyboard.press("n")
        page.locator("#keys-on").uncheck()
        page.keyboard.press("Escape")
        page.keyboard.press("n")
        page.keyboard.press("j")
        assert marked(page) == ""
        assert served.sent == []
    with visit(browser, served.page("board")) as (page, _):
        page.keyboard.press("/")
        assert focused(page) == "search"
        page.keyboard.type("n")
        assert page.locator("#search").input_value() == "n"


def test_the_order_of_the_tab_key_is_that_of_the_page(browser: Browser, served: Served) -> None:
    """The first stop leads past the bar; every stop is seen with an outline; none stands out of turn."""
    for name in ("board", "case"):
        with visit(browser, served.page(name)) as (page, _):
            assert (
                page.evaluate("() => [...document.querySelectorAll('[tabindex]')].some((each) => each.tabIndex > 0)")
                is False
            )
            page.keyboard.press("Tab")
            assert focused(page).startswith("A: To the content")
            page.keyboard.press("Enter")
            assert focused(page) == "main"
            page.reload()
            tops = []
            for _ in range(16):
                page.keyboard.press("Tab")
                look = page.evaluate(
                    "() => { const at = document.activeElement, style = getComputedStyle(at);"
                    " return [style.outlineStyle, parseFloat(style.outlineWidth), at.getBoundingClientRect().top] }"
                )
                assert look[0] == "solid"
                assert look[1] >= 2
                tops.append(look[2])
            assert tops[0] < tops[-1]


def test_a_refused_form_is_where_one_is_led(browser: Browser, served: Served) -> None:
    """The summary of faults has the focus, its link leads to the field, and what was typed stands there."""
    with visit(browser, served.page("case-refused-form")) as (page, _):
        assert focused(page) == "faults"
        page.locator("#faults a").click()
        assert focused(page) == "record-doc_bank-closing_cents"
        assert page.locator("#record-doc_bank-closing_cents").input_value() == "lots"
    with visit(browser, served.page("case-refused-return")) as (page, _):
        page.locator("#faults a").click()
        assert focused(page) == "return-doc_bas-reason"


# -- what keeps itself fresh -----------------------------------------------------------------------------------


def after(page: Page, milliseconds: int) -> None:
    """Let the page's own time pass."""
    page.clock.run_for(milliseconds)


def test_the_board_keeps_itself_up_to_date(browser: Browser, served: Served) -> None:
    """Every ten seconds it is asked with the version that is shown; a change comes in, and the mark stays."""
    with visit(browser, "about:blank") as (page, complaints):
        page.clock.install()
        page.goto(served.page("board"))
        served.statuses.clear()
        page.keyboard.press("j")
        page.keyboard.press("j")
        with page.expect_response("**/console/board/version"):
            after(page, 10_000)
        assert served.statuses == [304]
        served.board = replace(BOARD, lines=(QUEUE[1], QUEUE[0], *QUEUE[2:]), more=99)
        try:
            with page.expect_response("**/console/board/version"):
                after(page, 10_000)
            page.get_by_text("and 99 more").wait_for()
            assert marked(page) == f"queue-{QUEUE[0].id}" == focused(page)
            assert page.locator("#queue-title + table tbody tr").first.get_attribute("id") == f"queue-{QUEUE[1].id}"
            with page.expect_response("**/console/board/version"):
                after(page, 10_000)
            assert served.statuses == [304, 200, 304]
        finally:
            served.board = BOARD
        assert complaints == []


def test_the_board_rests_when_nobody_is_there(browser: Browser, served: Served) -> None:
    """After ten minutes without a sign of anybody it asks no more, so that a session can end, and says so."""
    with visit(browser, "about:blank") as (page, _):
        page.clock.install()
        page.goto(served.page("board"))
        page.clock.fast_forward(601_000)
        served.statuses.clear()
        after(page, 30_000)
        assert "Paused" in page.locator("#live-note").inner_text()
        assert served.statuses == []
        page.keyboard.press("j")
        with page.expect_response("**/console/board/version"):
            after(page, 10_000)
        assert len(served.statuses) == 1


def test_a_case_is_held_on_while_somebody_is_there(browser: Browser, served: Served) -> None:
    """The page asks at once and then every two minutes, with its token; when the case was lost it says so and stops."""
    with visit(browser, "about:blank") as (page, _):
        page.clock.install()
        served.renewals.clear()
        with page.expect_response("**/renewal"):
            page.goto(served.page("case"))
        page.get_by_text("With me until Tue 14:47").wait_for()
        after(page, 90_000)
        assert served.renewals == [CSRF]
        with page.expect_response("**/renewal"):
            after(page, 40_000)
        assert served.renewals == [CSRF, CSRF]
        served.holding = 409
        try:
            with page.expect_response("**/renewal"):
                after(page, 130_000)
            page.get_by_text("You no longer hold this case.").first.wait_for()
            asked = len(served.renewals)
            after(page, 300_000)
            assert len(served.renewals) == asked
        finally:
            served.holding = 200
    served.renewals.clear()
    with visit(browser, served.page("case-overdue")) as (page, _):
        assert served.renewals == []


def test_nothing_typed_is_lost_unasked(browser: Browser, served: Served) -> None:
    """Leaving with an unsaved field asks first; sending it does not."""
    asked: list[str] = []

    def go_on(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    with visit(browser, served.page("case")) as (page, _):
        page.on("dialog", go_on)
        page.keyboard.press("j")
        page.keyboard.press("e")
        page.keyboard.type("BANK")
        page.locator("a.brand").click()
        page.wait_for_url("**/console")
        assert asked == ["beforeunload"]
    with visit(browser, served.page("case")) as (page, _):
        page.on("dialog", go_on)
        page.keyboard.press("j")
        page.keyboard.press("e")
        page.keyboard.type("BANK")
        page.keyboard.press("Enter")
        page.wait_for_url("**/console")
        assert asked == ["beforeunload"]
