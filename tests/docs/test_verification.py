"""The page on full approval says what the tables, the rules and policy say."""

import re
from pathlib import Path

from engine.verification.clock import ALERT_HOURS
from engine.verification.documents import DOCUMENT_KINDS, KINDS, RETURN_REASONS
from engine.verification.states import CASE, DOCUMENT, diagram
from tests.support.businesses import AS_OF
from tests.support.releases import fake_release

PAGE = (Path(__file__).parents[2] / "docs" / "verification.md").read_text(encoding="utf-8")
POLICY = fake_release().policy.on(AS_OF.date())


def section(title: str) -> str:
    """The part of the page under a heading."""
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_diagrams_are_drawn_from_the_tables() -> None:
    """The page holds the two drawings, and no other."""
    drawn = re.findall(r"```mermaid\n(.*?)\n```", PAGE, re.DOTALL)
    assert drawn == [diagram(CASE), diagram(DOCUMENT)]


def test_every_number_of_policy_is_policys() -> None:
    """Each number of `[base.verification]` stands on the page under its name, with those it builds on, and no other."""
    terms = POLICY.verification.model_dump()
    ages, machine_kinds = terms.pop("most_age_days"), terms.pop("machine_kinds")
    others = {
        "statements_above_cents": POLICY.offer.statements_above_cents,
        "financials_above_cents": POLICY.offer.financials_above_cents,
        "bank_connected_cents": POLICY.limits.bank_connected_cents,
    }
    told = {name: int(number) for name, number in re.findall(r"`([a-z_]+)` = ([0-9]+)", PAGE)}
    assert told == {**terms, **ages, **others}
    listed = section("Straight through").split("`machine_kinds`:", 1)[1].split(";", 1)[0]
    assert re.findall(r"`([a-z_]+)`", listed) == list(machine_kinds)


def test_every_kind_and_what_it_asks_for_is_listed() -> None:
    """The table of kinds is the table of the code, word for word; each kind that may be required says when."""
    rows = re.findall(r"^\| `([a-z_]+)` \| (.+) \| (.+) \| (.+) \|$", section("Which documents, when"), re.MULTILINE)
    assert rows == [
        (
            kind.name,
            kind.title,
            kind.ask,
            "; ".join(each.label + ("" if each.needed else " (if shown)") for each in kind.fields),
        )
        for kind in KINDS.values()
    ]
    when = re.findall(r"^\| `([a-z_]+)`(?: \(four\))? \| [^|]+ \|$", PAGE, re.MULTILINE)
    assert set(DOCUMENT_KINDS) - set(when) == {"supplier_invoice", "rates_notice"}  # asked for by a verifier alone


def test_every_reason_is_told_as_the_applicant_reads_it() -> None:
    """The table of reasons is the table of the code, word for word."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(reason.code, reason.wrong, reason.send) for reason in RETURN_REASONS.values()]


def test_the_marks_of_the_clock_are_the_clocks() -> None:
    """The hours of the table are those of the code."""
    assert [int(hours) for hours in re.findall(r"^\| ([0-9]+) h \|", PAGE, re.MULTILINE)] == list(ALERT_HOURS)
