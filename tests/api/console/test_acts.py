"""The way of a case through the console: every form's good end, over a whole service, without a browser.

Forms are found on the page that was shown and sent with what stands in them; every page looked at is checked for
markup, headers and addresses on the way (tests.support.console_samples.floor).
"""

import re
from datetime import timedelta

from api.store import queries as store
from tests.support.console_samples.floor import LARGE, Floor, content, forms_in, said_by, settle, verified
from tests.support.console_samples.floor import floor as opened_floor
from tests.support.service import telling

REFERRED = {"application": {"finances": {"overdue_tax_cents": 100_000, "tax_plan": True}}}


def test_a_case_goes_from_the_board_to_its_approval(floor: Floor) -> None:
    """Taken as the next one, recorded, accepted, verified, and approved by somebody else, all by forms of its pages."""
    case, vera, abel = floor.office.complete(), floor.hire("verifier"), floor.hire("approver")
    assert "Nothing waits" not in vera.see("/console")
    shown = vera.go(vera.answer("/console/next"))
    assert (floor.case(case.id).owner, floor.case(case.id).state) == (vera.person.id, "claimed")
    assert "Not ready to verify" in shown
    for document in floor.office.standing(case.id).documents:
        saved = vera.answer(f"{document.id}/record", said_by(floor.office, document.id))
        assert saved.headers["location"] == f"{floor.place(case)}#{document.id}"
        vera.go(saved)
        shown = vera.go(vera.answer(f"{document.id}/accept"))
    assert "Not ready to verify" not in shown
    assert "/approve" not in vera.go(vera.answer("/verify"))
    assert (floor.case(case.id).state, floor.case(case.id).verified_by) == ("verified", vera.person.id)
    abel.see("/console")
    shown = abel.go(abel.answer("/console/next"))
    assert floor.case(case.id).content_sha256 in re.findall(r'name="content" value="([0-9a-f]{64})"', shown)
    abel.go(abel.answer("/approve"))
    assert floor.case(case.id).state == "approved"
    assert [each.staff_id for each in floor.office.look(lambda c: store.approvals_of(c, case.id))] == [abel.person.id]
    assert "Nothing waits" in abel.see("/console")


def test_a_document_goes_back_and_comes_again(floor: Floor) -> None:
    """Returned with a reason and words, the applicant reads both, the clock stands, and a new one brings it back."""
    case, vera = floor.office.complete(), floor.hire("verifier")
    vera.see(floor.place(case))
    vera.go(vera.answer("/claim"))
    first = floor.office.standing(case.id).documents[0]
    shown = vera.go(vera.answer(f"{first.id}/return", {"reason": "BLURRY", "words": "The lower half, please."}))
    assert floor.case(case.id).state == "waiting"
    assert "the picture is blurred" in shown
    assert "The lower half, please." in shown
    assert "paused" in shown
    told = floor.office.service.ask("GET", f"/v1/applications/{case.application_id}/case").json()
    assert "The lower half, please." in str(told["wanted"])
    floor.office.hand_in(case)
    assert floor.case(case.id).state == "open"
    assert f"{case.id}/claim" in vera.see("/console")


def test_a_verifier_has_every_act_on_the_page(floor: Floor) -> None:
    """Note, escalate, put off and take up again, ask for one more, give back: each is kept and seen in the history."""
    case, vera = floor.office.complete(), floor.hire("verifier")
    vera.see(floor.place(case))
    vera.go(vera.answer("/claim"))
    assert "Called them." in vera.go(vera.answer("/note", {"words": "Called them."}))
    assert "escalated" in vera.go(vera.answer("/escalate", {"words": "Other eyes, please."}))
    put_off = vera.answer("/snooze", {"minutes": "60", "words": "They call back."})
    assert put_off.headers["location"] == "/console"
    assert floor.case(case.id).snoozed_until == floor.house.clock() + timedelta(minutes=60)
    assert "put off to" in vera.go(put_off)
    vera.see(floor.place(case))
    vera.go(vera.answer("/unsnooze"))
    assert (floor.case(case.id).snoozed_until, floor.case(case.id).owner) == (None, None)
    vera.go(vera.answer("/claim"))
    assert vera.answer("/release").headers["location"] == "/console"
    vera.see(floor.place(case))
    vera.go(vera.answer("/claim"))
    asked = {"kind": "rates_notice", "words": "The latest one."}
    shown = vera.go(vera.answer("/request", asked))
    assert floor.case(case.id).state == "waiting"
    for words in ("Called them.", "Other eyes, please.", "They call back.", "The latest one.", "Council rates notice"):
        assert words in shown


def test_what_a_waiting_case_still_wants_is_waived_on_its_page(floor: Floor) -> None:
    """With a reason a requirement is left aside; the last one brings the case in, and it takes one approver more."""
    vera, abel = floor.hire("verifier"), floor.hire("approver")
    case = floor.office.hand_in(floor.office.accepted(), "identity")
    vera.see(floor.place(case))
    waiver = {"requirement": "bank_account_proof", "reason": "HELD_BEFORE", "words": "From last year's line."}
    vera.go(vera.answer("/waive", waiver))
    assert floor.case(case.id).state == "open"
    vera.go(vera.answer("/claim"))
    settle(floor, vera, case)
    vera.go(vera.answer("/verify"))
    abel.see(floor.place(case))
    shown = abel.go(abel.answer("/claim"))
    assert "Waived: Proof of bank account" in shown
    reason = {"reason": "R20", "words": "It was held."}
    assert "one more" in abel.go(abel.answer("/approve", reason))
    assert floor.case(case.id).state == "verified"


def test_a_large_line_takes_two_people_beyond_its_verifier(url: str) -> None:
    """The second approver sees whose approval stands; the first one is not offered it again; then it is approved."""
    with telling(url, LARGE) as service, opened_floor(service) as floor:
        vera, abel, beth = floor.hire("verifier"), floor.hire("approver"), floor.hire("approver")
        case = verified(floor, vera, LARGE)
        abel.see("/console")
        abel.go(abel.answer("/console/next"))
        abel.go(abel.answer("/approve"))
        assert abel.see("/console").count("/claim") == 0
        assert abel.answer("/console/next").headers["location"] == "/console?none=1"
        beth.see("/console")
        assert "<strong>one more</strong>" in beth.go(beth.answer("/console/next"))
        beth.go(beth.answer("/approve"))
        assert floor.case(case.id).state == "approved"


def test_a_lower_line_a_refusal_and_a_second_look(floor: Floor) -> None:
    """An approver approves less with a reason, sends another back with words, and declines a third with a reason."""
    vera, abel = floor.hire("verifier"), floor.hire("approver")
    case = verified(floor, vera)
    abel.see(floor.place(case))
    abel.go(abel.answer("/claim"))
    shown = abel.push(f"{floor.place(case)}/approve", {**content(abel), "limit": "99,999,999"}, 422).text
    assert "At most what was decided" in shown
    back = abel.answer("/send-back", {"words": "Look at the account again."})
    assert back.headers["location"] == "/console"
    assert floor.case(case.id).state == "open"
    vera.see(floor.place(case))
    assert "Look at the account again." in vera.go(vera.answer("/claim"))
    settle(floor, vera, case)
    vera.go(vera.answer("/verify"))
    abel.see(floor.place(case))
    abel.go(abel.answer("/claim"))
    lower = {"limit": f"{case.limit_cents // 100 - 5_000:,}", "reason": "R20", "words": "Thin margins."}
    abel.go(abel.answer("/approve", lower))
    after = floor.case(case.id)
    assert (after.state, after.limit_cents) == ("approved", case.limit_cents - 500_000)


def test_a_case_is_declined_on_its_page(floor: Floor) -> None:
    """With a coded reason it is closed; nothing can be done with it any more, and its page says how it ended."""
    vera, abel = floor.hire("verifier"), floor.hire("approver")
    case = verified(floor, vera)
    abel.see(floor.place(case))
    abel.go(abel.answer("/claim"))
    shown = abel.go(abel.answer("/decline", {"reason": "R20", "words": "Between us."}))
    assert floor.case(case.id).state == "rejected"
    assert not [each for each in forms_in(shown) if floor.place(case) in each.action]
    assert "Between us." in shown


def test_a_referral_is_left_aside_on_its_page(floor: Floor) -> None:
    """Where nothing is offered only the override is there: with the rule, a reason and words it is decided again."""
    vera, abel = floor.hire("verifier"), floor.hire("approver")
    case = floor.office.hand_in(floor.office.accepted(REFERRED))
    for document in floor.office.standing(case.id).documents:
        if document.kind == "tax_account":
            said = {"abn": "37955501005", "as_of": "2026-08-01", "overdue_cents": "30,000", "plan": "no"}
            floor.office.said[document.id] = said
    vera.see(floor.place(case))
    vera.go(vera.answer("/claim"))
    settle(floor, vera, case)
    vera.go(vera.answer("/verify"))
    abel.see(floor.place(case))
    shown = abel.go(abel.answer("/claim"))
    assert "You cannot approve this" in shown
    [aside] = [name for each in forms_in(shown) for name in each.fields if name.startswith("aside.")]
    refused = abel.answer("/override", {"reason": "R20", "words": "Paid."}, 422).text
    assert "Name the rules to be left aside" in refused
    shown = abel.go(abel.answer("/override", {aside: "yes", "reason": "R20", "words": "Paid last week."}))
    assert floor.case(case.id).state == "verified"
    assert "Left aside: " in shown


def test_a_case_is_handed_over(floor: Floor) -> None:
    """An approver gives a verifier's case to another verifier, who then holds it."""
    vera, other, abel = floor.hire("verifier"), floor.hire("verifier"), floor.hire("approver")
    case = floor.office.take(floor.office.complete(), by=vera.actor)
    abel.see(floor.place(case))
    abel.go(abel.answer("/reassign", {"to": other.person.id, "words": "Vera is away."}))
    assert floor.case(case.id).owner == other.person.id
    assert "With me until" in other.see(floor.place(case))
    assert abel.answer("/reassign", {"to": ""}, 422).text.count("Choose a colleague") == 2
