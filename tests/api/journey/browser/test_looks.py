"""Every page in every state that it has: no fault that axe finds, at three widths; weight, hosts, script and style."""

import gzip
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as PlaywrightError

from tests.support.browser import visit
from tests.support.campaign import WHOLE
from tests.support.journeying.gallery import gallery
from tests.support.journeying.staging import Stage

WIDTHS = (320, 768, 1280)
MOST_BYTES = 100_000  # of a page with everything that belongs to it, as it is sent
TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async (tags) => {
  const found = await axe.run(document, {
    runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'], preload: false, iframes: false,
  });
  return found.violations.map((each) => [each.id, ...each.nodes.slice(0, 3).map((node) => node.html.slice(0, 120))]);
}"""
WIDER = """() => [...document.querySelectorAll("body *")]
  .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .filter((each) => !each.closest(".unseen, .skip, svg, .scroll, .contract"))
  .map((each) => each.outerHTML.slice(0, 90))"""
INLINE = """() => [...document.querySelectorAll("script:not([src]), style, [style]")]
  .concat([...document.querySelectorAll("*")].filter((each) => each.getAttributeNames().some((n) => /^on/.test(n))))
  .map((each) => each.outerHTML.slice(0, 90))"""
SENT = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter((each) => !["fetch", "xmlhttprequest"].includes(each.initiatorType))
  .map((each) => [each.name, each.encodedBodySize])"""
HELP = """() => [...document.querySelectorAll("a[href]")].map((each) => each.getAttribute("href"))
  .filter((each) => ["/", "/help", "/automated-decisions", "/#costs"].includes(each)).slice(-3)"""


@cache
def axe_script() -> str:
    """axe-core as it is packaged."""
    return str(Axe().axe_script)


def looked_through(page: Page) -> list[Any]:
    """What axe finds; asked again of a page that loads itself anew meanwhile, as one that waits for something does."""
    for _ in range(3):
        try:
            if page.evaluate("typeof axe") == "undefined":
                page.evaluate(axe_script())
            found: list[Any] = page.evaluate(RUN, TAGS)
            return found
        except PlaywrightError as error:
            if "axe is not defined" not in error.message and "context was destroyed" not in error.message:
                raise
    return ["the page never stayed for axe to look at it"]


def faults_at(page: Page, width: int, *, thorough: bool) -> list[str]:
    """What is wrong with a page at one width; without `thorough` only what goes beyond the window."""
    page.set_viewport_size({"width": width, "height": 800})
    found = [json.dumps(each) for each in looked_through(page)] if thorough else []
    found += [f"wider than the window: {each}" for each in page.evaluate(WIDER)]
    if page.evaluate("document.documentElement.scrollWidth") > width:
        found.append("scrolls sideways")
    return [f"{width}: {each}" for each in found]


def faults_of(stage: Stage, page: Page, turn: int) -> Iterator[str]:
    """What is wrong with a page in one state; axe looks at the width whose turn it is, in a campaign at all."""
    sent = page.evaluate(SENT)
    if (weight := sum(size for _, size in sent)) > MOST_BYTES:
        yield f"weighs {weight:,} bytes"
    yield from (f"asks {name}" for name, _ in sent if not name.startswith(stage.base))
    yield from (f"inline: {each}" for each in page.evaluate(INLINE))
    if page.evaluate(HELP) != ["/help", "/automated-decisions", "/#costs"]:  # 3.2.6
        yield "help is not where it is on every other page"
    if page.locator("h1").count() != 1:
        yield "has not one heading"
    if (wrong := page.locator("#summary").count()) != page.title().startswith("Error: "):
        yield f"{wrong} summaries of faults under the title {page.title()}"
    if wrong and page.evaluate("document.activeElement.id") != "summary":
        yield "the first problem does not have the focus"
    size = page.viewport_size
    for width in WIDTHS:
        yield from faults_at(page, width, thorough=WHOLE or width == WIDTHS[turn % len(WIDTHS)])
    assert size is not None
    page.set_viewport_size(size)


def test_every_page_in_every_state(stage: Stage, browser: Browser) -> None:
    """Nothing is cut off at 320, 768 and 1280 px, axe finds nothing; under 100 KB, from here alone, none inline."""
    faults, names = {}, set()
    for turn, (name, page) in enumerate(gallery(stage, browser)):
        names.add(name)
        if found := list(faults_of(stage, page, turn)):
            faults[name] = found
    assert faults == {}
    assert len(names) > 50


def test_a_page_can_be_read_before_its_script_is_there(stage: Stage, browser: Browser) -> None:
    """With a script that never arrives the first page of the form is painted and can be filled in."""
    with visit(browser, "about:blank") as (page, _):
        page.route("**/journey.js*", lambda _route: None)
        page.goto(f"{stage.base}/apply", wait_until="commit")
        page.locator("#abn").fill("36 999 000 010")
        for _ in range(200):  # asked from outside: the page's own rules let nothing be evaluated in it again and again
            if painted := page.evaluate("performance.getEntriesByName('first-contentful-paint').length"):
                break
            page.wait_for_timeout(50)
        assert painted


@pytest.mark.parametrize("path", ["/", "/apply", "/automated-decisions"])
def test_own_files_are_sent_pressed_and_pages_are_not(stage: Stage, browser: Browser, path: str) -> None:
    """Style and script come compressed; a page holds a token beside what was typed, so it does not."""
    with visit(browser, f"{stage.base}{path}") as (page, complaints):
        for name in ("journey.css", "journey.js"):
            address = page.locator(f"[href*='{name}'], [src*='{name}']").first.evaluate("(e) => e.href || e.src")
            reply = page.request.get(address)
            assert reply.headers["content-encoding"] == "gzip"
            assert "immutable" in reply.headers["cache-control"]
        reply = page.request.get(f"{stage.base}{path}")
        assert "content-encoding" not in reply.headers
        assert reply.headers["content-type"] == "text/html; charset=utf-8"
        assert len(gzip.compress(reply.body())) < len(reply.body())
        assert complaints == []
