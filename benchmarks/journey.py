"""`python -m benchmarks.journey`: what the form asks of a person, and how soon the decision is painted.

It does: fill the form in in a browser for every kind of business, count fields, pages and words, estimate the time by
the keystroke-level model, weigh the pages, and time the way from sending to the painted decision beside what the
sources took; with `--pictures FOLDER` make a picture of every page at phone and desktop width. It does not: watch
people. The rule it keeps: the model's operators stand here with their source, and thinking is counted at every act.
"""

import argparse
import gzip
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from api.sandbox.stories import book
from api.store.migrations import upgrade
from benchmarks.machine import Machine
from tests.support.browser import PHONE, chromium, visit
from tests.support.journeying.filling import SECOND, Told, apply, fill_in, statement_csv, told_of
from tests.support.journeying.gallery import gallery
from tests.support.journeying.hand import Act, Hand
from tests.support.journeying.staging import Stage, staged

# Card, Moran and Newell, "The keystroke-level model for user performance time with interactive systems", Communications
# of the ACM 23(7), 1980: a key by somebody who is no typist (0.28 s), a digit of a number read off paper as a "complex
# code" (0.75 s), pointing (1.10 s), hand to keyboard or back (0.40 s), thinking before an act (1.35 s). Kieras, "Using
# the keystroke-level model to estimate execution times", 1993: pressing and letting go (0.20 s).
KEY, CODE_KEY, POINT, HOME, THINK, CLICK = 0.28, 0.75, 1.10, 0.40, 1.35, 0.20
_CODES = frozenset({"abn", "mobile"})  # read off something, digit by digit
# Businesses that are timed, each once: one application is open at a time.
_OTHERS = ("falling_sales", "new_to_marketplace", "over_indebted", "dishonours", "overstated", "tax_debt", "strike_off")


def seconds_of(act: Act) -> float:
    """What the model takes for one act; the page that follows is not in it."""
    point = THINK + POINT + CLICK
    match act.does:
        case "type":
            key = CODE_KEY if act.what.rpartition("-")[2] in _CODES else KEY
            return point + 2 * HOME + act.keys * key
        case "pick":
            return 2 * point  # open it, and choose in it
    return point


@dataclass(frozen=True, slots=True)
class Counted:
    """What one way through the form asked: typed fields, choices, pages sent, words shown, seconds by the model."""

    what: str
    typed: int
    chosen: int
    pages: int
    words: int
    seconds: float


def ways(folder: Path) -> Iterator[tuple[str, str, Told]]:
    """Each kind of business: what it is called, its story, and what is told."""
    csv = statement_csv(folder / "statement.csv", datetime.now(UTC).date())

    def told(name: str, **more: Any) -> Told:
        return replace(told_of(book()[name]), **more)

    yield "company, one director, bank connected", "clean", told("clean")
    yield "company, one director, statements", "slow_bank", told("slow_bank", bank="upload", statement=csv)
    yield "company, two directors", "slow_bureau", told("slow_bureau", others=(SECOND,))
    yield "company, loans and overdue tax", "thin", told("thin", lenders=2, repayments="900", overdue="500")
    yield "sole trader", "sole_trader", told("sole_trader")
    yield "trust, one trustee", "trust", told("trust")


def unknown(stage: Stage, browser: Browser) -> Iterator[Counted]:
    """Where the register is away and nothing is known beforehand; two partners have no story of their own."""
    stage.sandbox.switch("register", fault="error")
    try:
        told = replace(told_of(book()["declared"]), bank="connect")
        yield counted("company, one director, register away", stage, browser, "declared", told)
        told = replace(told_of(book()["super_fund"]), others=(SECOND,), entity="partnership", bank="connect")
        yield counted("partnership, two partners, register away", stage, browser, "super_fund", told)
    finally:
        stage.sandbox.switch("register")


def counted(what: str, stage: Stage, browser: Browser, name: str, told: Told) -> Counted:
    """One way through, in a browser."""
    words = 0
    with visit(browser, f"{stage.base}/apply", PHONE) as (page, _):
        hand = Hand(page)
        for slug in fill_in(hand, book()[name], told):
            words += 0 if slug == "sent" else len(page.locator("main").inner_text().split())
        chosen = sum(act.does in {"choose", "pick"} for act in hand.acts)
        seconds = sum(map(seconds_of, hand.acts))
        return Counted(what, len(hand.typed), chosen, len(hand.pages), words, seconds)


# -- from sending to the painted decision ------------------------------------------------------------------------

PAINTED = """() => new Promise((done) => {
  const found = performance.getEntriesByName("first-contentful-paint");
  if (found.length) return done(found[0].startTime);
  new PerformanceObserver((list, self) => { self.disconnect(); done(list.getEntries()[0].startTime); })
    .observe({ type: "paint", buffered: true });
})"""


def enriching(stage: Stage) -> float:
    """Seconds that sources took of all decisions so far, by the service's own clock."""
    page = stage.server.ask("GET", "/metrics").text
    line = next(each for each in page.splitlines() if each.startswith('creditline_stage_seconds_sum{stage="enrich"}'))
    return float(line.split()[-1])


def painted(stage: Stage, browser: Browser, number: int) -> tuple[float, float, tuple[int, int]]:
    """Milliseconds from pressing Send to the painted decision, those that the sources took of them, and its weight."""
    story, before = book()[_OTHERS[number]], enriching(stage)
    with visit(browser, f"{stage.base}/apply", PHONE) as (page, _):
        apply(Hand(page), story)
        page.wait_for_url("**/applications/app_*")
        # The document's clock begins with the press: the POST and its redirection are part of its navigation.
        took, weight = float(page.evaluate(PAINTED)), weighed(page)
    return took, (enriching(stage) - before) * 1_000, weight


# -- weight, and pictures ----------------------------------------------------------------------------------------

SENT = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .map((each) => [each.name, each.encodedBodySize, each.decodedBodySize])"""


def weighed(page: Page) -> tuple[int, int]:
    """Bytes of a page with all that belongs to it: as they are sent, and with the page itself pressed as well."""
    sent = page.evaluate(SENT)
    whole = sum(size for _, size, _ in sent)
    html = page.request.get(page.url).body()
    return whole, whole - len(html) + len(gzip.compress(html))


def pictures(stage: Stage, browser: Browser, folder: Path) -> int:
    """A picture of every page in every state, on a phone and on a desk; how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    made = 0
    for name, page in gallery(stage, browser):
        size = page.viewport_size
        for width, height in (PHONE, (1280, 900)):
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
            made += 1
        if size is not None:
            page.set_viewport_size(size)
    return made


@contextmanager
def running() -> Iterator[tuple[Stage, Browser]]:
    """A service of its own, and a browser."""
    with tempfile.TemporaryDirectory(prefix="journey-") as name, chromium() as browser:
        folder = Path(name)
        url = f"sqlite:///{folder / 'store.sqlite'}"
        upgrade(url)
        with staged(url, folder) as stage:
            yield stage, browser


def main() -> int:
    """Measure and print, or make the pictures."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.journey", description=__doc__.partition("\n")[0])
    arguments.add_argument("--pictures", type=Path, metavar="FOLDER", help="pictures of every page, instead of figures")
    folder: Path | None = arguments.parse_args().pictures
    with running() as (stage, browser):
        if folder is not None:
            _say(f"{pictures(stage, browser, folder)} pictures in {folder}")
            return 0
        here = Machine.here()
        _say(f"{here.processor}, {here.cores} cores, load {here.load}, {here.commit}, {here.measured_at}\n")
        _say("| way through the form | typed | chosen | pages | words shown | seconds by the model |")
        _say("|---|---|---|---|---|---|")
        for what, name, told in ways(stage.server.folder):
            _row(counted(what, stage, browser, name, told))
        for each in unknown(stage, browser):
            _row(each)
        heaviest = _timed(stage, browser)
        _weights(stage, browser)
        _say(f"| the heaviest decision | {heaviest[0]:,} | {heaviest[1]:,} |")
    return 0


def _row(each: Counted) -> None:
    _say(f"| {each.what} | {each.typed} | {each.chosen} | {each.pages} | {each.words} | {each.seconds:.0f} |")


def _timed(stage: Stage, browser: Browser) -> tuple[int, int]:
    """Print it; the weight of the heaviest decision."""
    stage.sandbox.switch("bureau", latency_ms=400)
    try:
        found = [painted(stage, browser, number) for number in range(len(_OTHERS))]
    finally:
        stage.sandbox.switch("bureau")
    whole, sources, over = ([each[0] for each in found], [each[1] for each in found], [a - b for a, b, _ in found])
    _say(f"\nFrom Send to the painted decision, {len(found)} businesses, the credit reporting body slowed by 400 ms:")
    _say(f"median {statistics.median(whole):.0f} ms, of which the sources took {statistics.median(sources):.0f} ms;")
    _say(f"beyond the sources median {statistics.median(over):.0f} ms, at most {max(over):.0f} ms")
    return max(each[2] for each in found)


def _weights(stage: Stage, browser: Browser) -> None:
    _say("\n| page | bytes as sent | with the page itself pressed |\n|---|---|---|")
    for path in ("/", "/apply", "/automated-decisions", "/help"):
        with visit(browser, f"{stage.base}{path}", PHONE) as (page, _):
            whole, pressed = weighed(page)
            _say(f"| {path} | {whole:,} | {pressed:,} |")


def _say(what: str) -> None:
    sys.stdout.write(what + "\n")


if __name__ == "__main__":
    sys.exit(main())
