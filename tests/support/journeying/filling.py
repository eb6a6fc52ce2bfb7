"""The form filled in for a story of the sandbox, page by page.

It does: answer every question as the people of a story would. It does not: look at what comes of it. The rule it keeps:
everything typed is made up; telephone numbers are of those that are given to nobody.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

from api.sandbox.stories import Story
from tests.support.journeying.hand import Act, Hand

Bank = Literal["connect", "upload", "later"]


@dataclass(frozen=True)
class Who:
    """A made-up person as they describe themselves."""

    given: str = "Robin"
    family: str = "Sample"
    born: date = date(1984, 2, 29)
    mobile: str = "0491 570 006"
    email: str = "robin@shop.example"
    share: str = "half"
    director: bool = True


ME = Who()
SECOND = Who("Alex", "Specimen", date(1979, 11, 3), "0491 570 156", "alex@shop.example")


@dataclass(frozen=True)
class Told:
    """What is answered in the form; `statement` is a CSV file where one is uploaded."""

    amount: str = "40,000"
    purpose: str = "stock"
    turnover: str = "960,000"
    lenders: int = 0
    repayments: str = ""
    overdue: str = ""
    me: Who = ME
    others: tuple[Who, ...] = ()
    bank: Bank = "connect"
    statement: Path | None = None
    entity: str = "company"  # where the register does not tell


def box_of(hand: Hand, name: str, value: str) -> str:
    """The id of one of a few choices: the first bears the name of the question alone."""
    radio = hand.page.locator(f"input[name='{name}'][value='{value}']")
    return str(radio.get_attribute("id"))


def choose(hand: Hand, name: str, value: str) -> None:
    """Choose an answer by its value."""
    hand.choose(box_of(hand, name, value))


def fill_in(hand: Hand, story: Story, told: Told | None = None) -> Iterator[str]:
    """The whole form for a story, page by page: each page's slug before it is filled in, and `sent` at the end."""
    told = told or told_of(story)
    for slug, fill in _PAGES:
        if not _is_at(hand, slug):
            continue
        yield slug
        fill(hand, story, told)
    yield "sent"


def apply(hand: Hand, story: Story, told: Told | None = None) -> None:
    """The whole form for a story, sent."""
    for _ in fill_in(hand, story, told):
        pass


def told_of(story: Story) -> Told:
    """What the person of a story says in the form."""
    body = story.submission(datetime.now(UTC).date())
    finances, person = body["finances"], body["people"][0]
    overdue = finances["overdue_tax_cents"]
    return Told(
        amount=f"{body['request']['amount_cents'] // 100:,}",
        turnover=f"{finances['turnover_12m_cents'] // 100:,}",
        lenders=finances["other_lenders"],
        repayments=f"{finances['other_repayments_month_cents'] // 100:,}",
        overdue=f"{overdue // 100:,}" if overdue else "",
        me=replace(
            ME, given=person["given_names"], family=person["family_name"],
            born=date.fromisoformat(str(person["date_of_birth"])), email=person["email"],
        ),
        bank="connect" if story.connection else "later",
    )  # fmt: skip


def _is_at(hand: Hand, slug: str) -> bool:
    return hand.page.url.partition("?")[0].endswith("/apply" if slug == "abn" else f"/apply/{slug}")


def _abn(hand: Hand, story: Story, _told: Told) -> None:
    hand.type("abn", story.abn)
    hand.press("Continue")


def _business(hand: Hand, _story: Story, told: Told) -> None:
    known = hand.page.get_by_role("button", name="Yes, continue").count() > 0
    if not known:
        choose(hand, "entity", told.entity)
        hand.type("legal-name", "BANKSIA HOMEWARES")
        choose(hand, "state", "VIC")
        choose(hand, "gst", "yes")
    if hand.page.locator("#since-year").input_value() == "":
        hand.type("since-month", "3")
        hand.type("since-year", "2018")
    hand.pick("industry", "online")
    choose(hand, "staff", "5-19")
    hand.press("Yes, continue" if known else "Continue")


def _need(hand: Hand, _story: Story, told: Told) -> None:
    hand.type("amount", told.amount)
    choose(hand, "purpose", told.purpose)
    hand.press("Continue")


def _money(hand: Hand, _story: Story, told: Told) -> None:
    for _ in range(2):  # without a script the questions that an answer leads to come with the next page
        if not _is_at(hand, "money"):
            return
        hand.type("turnover", told.turnover)
        choose(hand, "lenders", str(min(told.lenders, 5)))
        choose(hand, "overdue", "yes" if told.overdue else "no")
        if told.lenders and hand.page.locator("#repayments").is_visible():
            hand.type("repayments", told.repayments)
        if told.overdue and hand.page.locator("#overdue-amount").is_visible():
            hand.type("overdue-amount", told.overdue)
            choose(hand, "plan", "no")
        hand.press("Continue")


def _you(hand: Hand, _story: Story, told: Told) -> None:
    _person(hand, "me", told.me)
    if hand.page.locator("input[name=others]").count():
        choose(hand, "others", str(len(told.others)))
    hand.press("Continue")


def _others(hand: Hand, _story: Story, told: Told) -> None:
    for place, who in enumerate(told.others, 1):
        _person(hand, f"other{place}", who)
    hand.press("Continue")


def _person(hand: Hand, prefix: str, who: Who) -> None:
    hand.type(f"{prefix}-given", who.given)
    hand.type(f"{prefix}-family", who.family)
    for part, value in (("day", who.born.day), ("month", who.born.month), ("year", who.born.year)):
        hand.type(f"{prefix}-born-{part}", str(value))
    hand.type(f"{prefix}-mobile", who.mobile)
    hand.type(f"{prefix}-email", who.email)
    if hand.page.locator(f"input[name={prefix}-director]").count():
        choose(hand, f"{prefix}-director", "yes" if who.director else "no")
    if hand.page.locator(f"input[name={prefix}-share]").count():
        choose(hand, f"{prefix}-share", who.share)


def _bank(hand: Hand, _story: Story, told: Told) -> None:
    choose(hand, "bank", told.bank)
    hand.press("Continue")


def _connect(hand: Hand, _story: Story, _told: Told) -> None:
    hand.press("Connect the sandbox bank")


def _statements(hand: Hand, _story: Story, told: Told) -> None:
    assert told.statement is not None, "an upload needs a file"
    hand.page.locator("#file").set_input_files(told.statement)
    hand.acts.append(Act(hand.place, "pick", "file"))
    hand.press("Upload")


def _check(hand: Hand, _story: Story, _told: Told) -> None:
    for box in hand.page.locator("input[type=checkbox]").all():
        if "optional" not in hand.page.locator(f"label[for='{box.get_attribute('id')}']").inner_text():
            hand.choose(str(box.get_attribute("id")))
    hand.press("Send and get the decision")
    hand.page.wait_for_url(re.compile(r"/(applications/app_|apply/deciding|apply/check)"))


_PAGES: tuple[tuple[str, Callable[[Hand, Story, Told], None]], ...] = (
    ("abn", _abn), ("business", _business), ("need", _need), ("money", _money), ("you", _you), ("others", _others),
    ("bank", _bank), ("connect", _connect), ("statements", _statements), ("check", _check),
)  # fmt: skip


def statement_csv(path: Path, today: date, days: int = 182) -> Path:
    """Half a year of a made-up account that takes more than it spends, as a bank's CSV file."""
    balance, lines = 90_000_00, ["Date,Description,Debit,Credit,Balance"]
    for day in range(days, 0, -1):
        on = f"{today - timedelta(days=day):%d/%m/%Y}"
        for what, cents in (("DIRECT CREDIT WATTLE STORES", 2_700_00), ("HAKEA WHOLESALE", -2_100_00)):
            balance += cents
            spent, came = (f"{-cents / 100:.2f}", "") if cents < 0 else ("", f"{cents / 100:.2f}")
            lines.append(f"{on},{what},{spent},{came},{balance / 100:.2f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
