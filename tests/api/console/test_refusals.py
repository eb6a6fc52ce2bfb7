"""What the console's forms refuse, with what is said: older versions, other people's cases, what cannot be read."""

import re
from datetime import timedelta
from typing import Any

import pytest

from tests.support.console_samples.floor import Floor, Visitor, forms_in
from tests.support.schema import slug_of

FILLED = {  # what else each form of a case needs, so that the version alone is wrong
    "verify": {}, "request": {"kind": "rates_notice", "words": "x"}, "snooze": {"minutes": "30", "words": "x"},
    "waive": {"requirement": "identity", "reason": "HELD_BEFORE", "words": "x"}, "return": {"reason": "BLURRY"},
    "record": {"field.name": "ANN SAMPLE"}, "accept": {}, "approve": {"limit": "1,000", "reason": "R20"},
    "override": {"aside.any": "yes", "reason": "R20"}, "decline": {"reason": "R20"}, "send-back": {"words": "x"},
}  # fmt: skip


def test_who_was_slower_is_told(floor: Floor) -> None:
    """Every form that names a version is refused with an older one, and nothing of the case changes."""
    vera, abel = floor.hire("verifier"), floor.hire("approver")
    case = floor.office.take(floor.office.complete(), by=vera.actor)
    seen = []
    for who, stage in ((vera, "verify"), (abel, "approve")):
        if who is abel:
            case = floor.office.take(floor.office.verified(by=vera.actor), "approve", abel.actor)
        text = who.see(floor.place(case))
        for form in forms_in(text):
            act = form.action.rpartition("/")[2]
            if "version" not in form.fields or act in {"note", "escalate", "release", "reassign"}:
                continue
            told = {**form.fields, **FILLED[act], "version": str(case.version - 1)}
            assert "Somebody was quicker" in who.push(form.action, told, 409).text, act
            who.see(floor.place(case))
            seen.append((stage, act))
        assert floor.case(case.id) == case
    assert {act for _, act in seen} >= {"request", "snooze", "return", "record", "approve", "decline", "send-back"}


def test_who_does_not_hold_it_is_told(floor: Floor) -> None:
    """The same forms from a colleague, or after the lease has lapsed, are refused by name, and nothing changes."""
    vera, other = floor.hire("verifier"), floor.hire("verifier")
    case = floor.office.take(floor.office.complete(), by=vera.actor)
    forms = [each for each in forms_in(vera.see(floor.place(case))) if "version" in each.fields]
    other.see(floor.place(case))
    for form in forms:
        act = form.action.rpartition("/")[2]
        if act in FILLED and act != "verify":
            told = {**form.fields, **FILLED[act]}
            assert "You do not hold this case" in other.push(form.action, told, 409).text, act
    assert "You do not hold this case" in other.push(f"{floor.place(case)}/claim", {}, 409).text
    assert floor.case(case.id) == case
    for _ in range(2):
        vera.see("/console/me")
        floor.house.clock.advance(8 * 60)
    vera.see("/console/me")
    for form in forms:
        if form.action.endswith(("/snooze", "/record")):
            told = {**form.fields, **FILLED[form.action.rpartition("/")[2]]}
            assert "You do not hold this case" in vera.push(form.action, told, 409).text


def test_a_case_stays_with_who_works_on_it(floor: Floor) -> None:
    """The page holds the case on without changing it; nobody else can, and not once it was lost."""
    vera, other = floor.hire("verifier"), floor.hire("verifier")
    case = floor.office.take(floor.office.complete(), by=vera.actor)
    assert f'data-renewal="{floor.place(case)}/renewal"' in vera.see(floor.place(case))
    floor.house.clock.advance(14 * 60)

    def renew(who: Visitor) -> Any:
        headers = {"Accept": "*/*", "X-CSRF-Token": who.browser.csrf}
        who.see("/console/me")
        return who.browser.send("POST", f"{floor.place(case)}/renewal", headers=headers)

    reply = renew(vera)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert re.fullmatch(r"[A-Z][a-z]{2} \d\d:\d\d", reply.text)
    held = floor.case(case.id)
    assert held.lease_until == floor.house.clock() + timedelta(minutes=15)
    assert held.version == case.version
    assert (renew(other).status_code, slug_of(renew(other))) == (409, "not-held")
    for _ in range(2):
        vera.see("/console/me")
        floor.house.clock.advance(8 * 60)
    assert slug_of(renew(vera)) == "not-held"


def test_what_was_typed_comes_back_with_what_is_wrong(floor: Floor) -> None:
    """A refused form shows the page again with the words that were typed, the fault beside the field and at the top."""
    vera = floor.hire("verifier")
    case = floor.office.take(floor.office.complete(), by=vera.actor)
    [account] = [each for each in floor.office.standing(case.id).documents if each.kind == "bank_account_proof"]
    vera.see(floor.place(case))
    text = vera.answer(f"{account.id}/record", {"field.matches": "", "field.account_name": "x" * 300}, 422).text
    assert "<strong>Nothing was changed.</strong>" in text
    assert f'id="record-{account.id}-account_name-fault"' in text
    assert "x" * 300 in text
    text = vera.answer(f"{account.id}/accept", {"field.account_name": "BANKSIA"}, 422).text
    assert "Record it first" in text
    assert 'value="BANKSIA"' in text
    for act, told in (
        ("/note", {"words": " "}), ("/escalate", {"words": " "}), ("/request", {"kind": "", "words": "kept words"}),
        (f"{account.id}/return", {"reason": "", "words": "kept words"}),
    ):  # fmt: skip
        text = vera.answer(act, told, 422).text
        assert "<strong>Nothing was changed.</strong>" in text, act
        assert "kept words" not in told.values() or "kept words" in text
        vera.see(floor.place(case))
    shown = vera.push(f"{floor.place(case)}/snooze", {"version": str(case.version), "minutes": "9999"}, 422).text
    assert "Within the next 12 hours" in shown
    assert floor.case(case.id).version == case.version


@pytest.mark.parametrize("version", ["", "x", "1.5", "9" * 10, "-1"])
def test_a_version_is_a_number(floor: Floor, version: str) -> None:
    """A form without a version, or with another thing in its place, is not read at all."""
    vera = floor.hire("verifier")
    case = floor.office.take(floor.office.complete(), by=vera.actor)
    vera.see(floor.place(case))
    text = vera.push(f"{floor.place(case)}/note", {"version": version, "words": "x"}, 400).text
    assert "could not be read" in text
    assert floor.case(case.id) == case


@pytest.mark.parametrize("limit", ["a lot", "1,000.50", "-5", "1" * 10, "１２"])
def test_a_line_is_whole_dollars(floor: Floor, limit: str) -> None:
    """Anything else that is typed as a line is refused beside the field."""
    vera, abel = floor.hire("verifier"), floor.hire("approver")
    case = floor.office.take(floor.office.verified(by=vera.actor), "approve", abel.actor)
    abel.see(floor.place(case))
    text = abel.answer("/approve", {"limit": limit}, 422).text
    assert "Whole dollars, such as 12,500" in text
    assert floor.case(case.id) == case


def test_foreign_and_unsigned_forms_do_nothing(floor: Floor) -> None:
    """Without the token, from another site, or signed out: refused before anything is read; pages lead to the door."""
    vera = floor.hire("verifier")
    case = floor.office.take(floor.office.complete(), by=vera.actor)
    vera.see(floor.place(case))
    place, fields = f"{floor.place(case)}/note", {"version": str(case.version), "words": "x"}
    assert vera.browser.send("POST", place, data={**fields, "csrf": "another"}).status_code == 403
    foreign = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    vera.see(floor.place(case))
    token = vera.browser.csrf
    assert vera.browser.send("POST", place, data={**fields, "csrf": token}, headers=foreign).status_code == 403
    stranger = floor.house.browser()
    for path in ("/console", "/console/search", "/console/audit", "/console/me", floor.place(case)):
        reply = stranger.get(path)
        assert (reply.status_code, reply.headers["location"]) == (303, "/console/sign-in")
    assert stranger.send("GET", "/console/board/version", headers={"Accept": "*/*"}).status_code == 401
    assert floor.case(case.id) == case


@pytest.mark.parametrize("path", ["cases/case_1", "cases/..%2f..", f"cases/case_{'0' * 32}", "documents/x/original"])
def test_what_is_not_there_is_a_page_that_says_so(floor: Floor, path: str) -> None:
    """An unknown id, or what is none, is 404 in words, with a way back."""
    vera = floor.hire("verifier")
    reply = vera.browser.get(f"/console/{path}")
    assert reply.status_code == 404
