"""Referrals in the console: what each member sees, and every form of the page to its good end and its refusals."""

import re
from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest

from tests.support.console_samples.floor import Floor, forms_in
from tests.support.console_samples.floor import floor as opened_floor
from tests.support.referring import HIT, TAX, WORDS, Referring
from tests.support.service import telling

LIST = "/console/referrals"


@pytest.fixture
def floor(sqlite_url: str) -> Iterator[Floor]:
    """The console of a service whose applications are referred for overdue tax."""
    with telling(sqlite_url, TAX) as service, opened_floor(service) as found:
        yield found


@pytest.fixture
def held(sqlite_url: str) -> Iterator[Floor]:
    """The same where every name is on a list, and nothing else refers."""
    with telling(sqlite_url, HIT) as service, opened_floor(service) as found:
        yield found


def place(floor: Floor, told: dict[str, object] | None = None) -> str:
    """The address of an application that was referred."""
    return f"{LIST}/{Referring(floor.office).referred(told).application_id}"


def test_a_referral_goes_from_the_list_to_an_offer(floor: Floor) -> None:
    """The board counts it; one approver proposes, reads their own proposal without a way to confirm, another does."""
    there = place(floor)
    abel, beth = floor.hire("approver"), floor.hire("approver")
    assert '<span class="tile-figure">1</span>' in abel.see("/console")
    shown = abel.see(LIST)
    assert there in shown
    assert "BANKSIA HOMEWARES PTY LTD" in shown
    assert "score 720" in shown
    abel.see(there)
    shown = abel.go(abel.answer("/aside", {"aside.overdue_tax": "yes", "reason": "R10", "words": WORDS}))
    assert "Proposed: leave rules aside" in shown
    assert "You proposed it" in shown
    assert not [each for each in forms_in(shown) if each.action.endswith(("/confirm", "/aside", "/decline"))]
    assert "to confirm" in beth.see(LIST)
    beth.see(there)
    shown = beth.go(beth.answer("/confirm", {"words": "The letter is here."}))
    assert "Decided. The applicant is told." in shown
    assert "An officer left aside: overdue_tax." in shown
    assert "Nothing is referred." in beth.see(LIST)
    assert '<span class="tile-figure">0</span>' in beth.see("/console")


def test_a_referral_is_declined_and_who_asked_is_answered(floor: Floor) -> None:
    """Proposed, withdrawn, proposed and confirmed; the request for a person is then answered by somebody else."""
    referring = Referring(floor.office)
    referral = referring.referred()
    there = f"{LIST}/{referral.application_id}"
    referring.requested(referral)
    abel, beth, carl = (floor.hire("approver") for _ in range(3))
    for end in ("/withdraw", "/confirm"):
        abel.see(there)
        abel.go(abel.answer("/decline", {"reason": "R10", "words": WORDS}))
        beth.see(there)
        beth.go(beth.answer(end, {"words": WORDS}))
    carl.see(LIST)
    assert "The decision that stands: decline" in carl.shown
    carl.see(there)
    shown = carl.go(carl.answer("/answer", {"words": "We looked again: the tax is still overdue."}))
    assert "it was decided again" in shown
    assert "Nobody waits for an answer." in carl.see(LIST)


def test_notes_and_questions(floor: Floor) -> None:
    """A verifier notes and asks a source again, which says the same; what was typed in vain comes back."""
    there, vera = place(floor), floor.hire("verifier")
    vera.see(there)
    shown = vera.go(vera.answer("/note", {"words": f"{WORDS}\r\nAnd by us."}))  # as a browser sends two lines
    assert f"{WORDS}\nAnd by us." in shown
    shown = vera.go(vera.answer("/ask", {"source.bank": "yes", "words": "The feed was late."}))
    assert "Nothing came that changes the decision." in shown
    assert "asked the sources again: Bank" in shown
    vera.answer("/ask", {"words": "Which one?"}, 422)
    assert "Name the sources to ask" in vera.shown
    assert "Which one?" in vera.shown
    assert not [each for each in forms_in(vera.shown) if each.action.endswith(("/aside", "/decline"))]


def test_what_was_seen_before_is_refused(floor: Floor) -> None:
    """Each form of a page that was left open while others decided is refused, by name, and nothing comes of it."""
    there = place(floor)
    abel, beth, late = (floor.hire("approver") for _ in range(3))
    late.see(there)
    old = {each.action.rpartition("/")[2]: each for each in forms_in(late.shown) if each.action.startswith(there)}
    assert set(old) == {"aside", "decline", "ask", "note"}
    abel.see(there)
    abel.go(abel.answer("/decline", {"reason": "R10", "words": WORDS}))
    refused = late.push(old["decline"].action, {**old["decline"].fields, "reason": "R10", "words": WORDS}, 409)
    assert "Not as things stand" in refused.text
    beth.see(there)
    beth.go(beth.answer("/confirm", {"words": WORDS}))
    for act, form in old.items():
        told = {**form.fields, "reason": "R10", "words": WORDS, "aside.overdue_tax": "yes", "source.bank": "yes"}
        if act == "aside":
            told.pop("limit")
        late.see(there)
        assert "Somebody was quicker" in late.push(form.action, told, 409).text, act


def test_what_screening_found_is_for_compliance_alone(held: Floor) -> None:
    """For everybody else it reads as if a source were out: a check is not finished, and no form answers it."""
    there = place(held, HIT)
    cleo = held.hire("compliance")
    for role in ("verifier", "approver", "auditor"):
        other = held.hire(role)
        for address in (LIST, there, "/console"):
            text = other.see(address).lower()
            assert not [word for word in ("sanction", "possible match", "screening found", "/clear") if word in text]
        assert "A check of ours is not finished." in other.see(LIST)
        assert not [
            each for each in forms_in(other.see(there)) if each.action.endswith(("/aside", "/decline", "/confirm"))
        ]
    assert "Possible matches: 1." in cleo.see(there)
    cleo.go(cleo.answer("/note", {"words": "The passport is asked for."}))
    assert "The passport is asked for." not in other.see(there)
    shown = cleo.see("/console/compliance")
    assert there in shown
    cleo.see(there)
    shown = cleo.go(cleo.answer("/clear", {"reason": "NOT_THEM", "words": "Another date of birth."}))
    assert "Settled." in shown
    assert "Another date of birth." in shown
    text = other.see(there)
    assert "Another date of birth." not in text
    assert "no bar" not in text


def test_a_failed_screening_reads_like_a_match(held: Floor, sqlite_template: Path, tmp_path: Path) -> None:
    """But for ids and tokens, an approver's page is the same whether lists found somebody or did not answer."""
    failed: dict[str, object] = {"compliance": {"status": "failed"}}
    url = f"sqlite:///{copy(sqlite_template, tmp_path / 'other.sqlite')}"
    with telling(url, failed) as service, opened_floor(service) as other:
        assert _bare(other, failed) == _bare(held, HIT)


def _bare(floor: Floor, told: dict[str, object]) -> str:
    """An approver's page of a referral, without ids and tokens."""
    there, abel = place(floor, told), floor.hire("approver")
    return re.sub(r"[0-9a-f]{32,}|value=\"[\w-]{43}\"", "", abel.see(there))


def test_a_confirmed_match_leaves_the_list(held: Floor) -> None:
    """Compliance confirms it: nothing waits, nobody can answer it, and the applicant reads what they read before."""
    there, cleo, abel = place(held, HIT), held.hire("compliance"), held.hire("approver")
    before = abel.see(there)
    cleo.see(there)
    cleo.go(cleo.answer("/match", {"reason": "LISTED", "words": "The same passport."}))
    assert "Nothing is referred." in abel.see(LIST)
    assert [each.action for each in forms_in(abel.see(there))] == [each.action for each in forms_in(before)]
