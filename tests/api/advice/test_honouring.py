"""A counterfactual that was shown is honoured: whatever champion decides by then, on the evidence, in time."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import models
from api.cases import working
from api.rollout.arms import InService
from api.store import queries as store
from engine.decision import Decision
from tests.api.advice.conftest import DEFAULTED, OWING, WITHOUT_GST
from tests.support.businesses import story
from tests.support.deskwork import VERA, Office
from tests.support.releases import FakeRelease, fake_release
from tests.support.service import Service, body_of, telling

STATED = {"application": OWING["application"]}
LEAST = 118_811_900  # what the uploaded rows have to be borne out by, to the dollar
EARLIER, LATER = fake_release(), replace(fake_release(base=-0.9), name="test-later")


def champion(service: Service, release: FakeRelease, *held: FakeRelease) -> None:
    """Let another release decide from now on; these others are still in the folder."""

    def load(name: str) -> Any:
        found = next((each for each in (release, *held) if each.name == name), None)
        if found is None:
            raise models.ReleaseRejected("name", "not held")
        return found

    shell = replace(service.state.shell, releases=InService(release), load_release=load)  # type: ignore[arg-type]
    service.state.shell, service.state.load_release = shell, load
    service.state.desk = replace(service.state.desk, shell=shell)


def advice(service: Service, application_id: str) -> dict[str, Any]:
    """What is advised."""
    found: dict[str, Any] = service.ask("GET", f"/v1/applications/{application_id}/advice").json()
    return found


def evidence(promise: dict[str, Any]) -> list[str]:
    """The kinds that a counterfactual names."""
    return [each["code"] for each in promise["evidence"]]


def promised(office: Office) -> tuple[dict[str, Any], dict[str, Any]]:
    """The offer, and its promises by evidence."""
    offer = office.offered(STATED)
    told = advice(office.service, offer["application_id"])
    return offer, {"+".join(evidence(each)): each for each in told["counterfactuals"]}


def verified(office: Office, offer: dict[str, Any], credits: int = LEAST, overdue: str = "0") -> Decision:
    """The decision on the documents, where statements show so much coming in and the tax account so much overdue."""
    office.accept(offer["application_id"], offer["decision_id"])
    found = office.look(lambda connection: store.case_of_application(connection, offer["application_id"]))
    assert found is not None
    case = office.hand_in(found)
    for document in office.standing(case.id).documents:
        if document.kind == "bank_statement":
            office.said[document.id] = {
                "account_name": "BANKSIA HOMEWARES PTY LTD", "period_from": "2026-02-04", "period_to": "2026-08-02",
                "closing_cents": "115,000.00", "credits_cents": f"{credits / 100:.2f}",
            }  # fmt: skip
        if document.kind == "tax_account":
            office.said[document.id] = {
                "abn": "37955501005", "as_of": "2026-08-01", "overdue_cents": overdue, "plan": "no",
            }  # fmt: skip
    case = office.settle(office.take(office.case(case.id)))
    return decided(office, verify(office, case))


def verify(office: Office, case: store.CaseRow) -> str:
    """Vouch for the evidence; the new decision's id."""
    return office.do(working.verify(office.desk, case.id, case.version, VERA)).decision_id


def decided(office: Office, decision_id: str) -> Decision:
    """A decision as kept, which replays to the byte."""
    row = office.look(lambda connection: store.get_decision(connection, decision_id))
    assert row is not None
    assert office.service.ask("GET", f"/v1/decisions/{decision_id}/replay").json()["match"] is True
    return Decision.model_validate_json(row.body)


def sworn(office: Office) -> list[Any]:
    """The counterfactuals that audit entries name as honoured."""
    entries = office.look(lambda connection: store.audit_tail(connection, 50))
    assert office.look(store.verify_audit) is None
    told = [json.loads(each.body)["details"].get("honours") for each in entries]
    return [each for each in told if each]


# -- on documents --------------------------------------------------------------------------------------------


def test_a_promise_is_kept_by_its_own_release(owing: Office) -> None:
    """The champion has changed and lends less: the recorded release decides, is named, and replays to the byte."""
    offer, found = promised(owing)
    promise = found["statements+tax_paid"]
    assert promise["limit_cents"] > offer["offer"]["limit_cents"]
    champion(owing.service, LATER, EARLIER)
    decision = verified(owing, offer)
    assert decision.release == EARLIER.name
    assert decision.offer is not None
    assert decision.offer.limit_cents >= promise["limit_cents"]
    assert decision.offer.monthly_rate_bps <= promise["monthly_rate_bps"]
    assert sworn(owing) == [promise["counterfactual_id"]]


def test_where_the_champion_gives_as_much_it_decides(owing: Office) -> None:
    """Nothing is honoured that need not be: the decision is the champion's and no entry speaks of a promise."""
    offer, found = promised(owing)
    decision = verified(owing, offer)
    assert decision.offer is not None
    assert decision.offer.limit_cents >= found["statements+tax_paid"]["limit_cents"]
    assert sworn(owing) == []


def test_short_by_a_dollar_is_not_honoured(owing: Office) -> None:
    """Statements that show one dollar less than was named: the later champion's own decision stands."""
    offer, _ = promised(owing)
    champion(owing.service, LATER, EARLIER)
    decision = verified(owing, offer, credits=LEAST - 100, overdue="20,000.00")
    assert decision.release == LATER.name
    assert sworn(owing) == []


def test_of_two_promises_the_one_that_is_met_counts(owing: Office) -> None:
    """Statements alone are borne out, tax is still owed: the lower of the two lines, and no more."""
    offer, found = promised(owing)
    champion(owing.service, LATER, EARLIER)
    decision = verified(owing, offer, overdue="20,000.00")
    assert decision.release == EARLIER.name
    assert decision.offer is not None
    low, high = (found[name]["limit_cents"] for name in ("statements", "statements+tax_paid"))
    assert low <= decision.offer.limit_cents < high  # more turnover was shown than stated
    assert sworn(owing) == [found["statements"]["counterfactual_id"]]


def test_a_promise_expires(owing: Office) -> None:
    """Documents that come a day too late are decided by the champion alone."""
    offer, found = promised(owing)
    owing.accept(offer["application_id"], offer["decision_id"])
    champion(owing.service, LATER, EARLIER)
    owing.clock.advance(timedelta(days=31).total_seconds())
    decision = verified(owing, offer)
    assert found
    assert decision.release == LATER.name
    assert sworn(owing) == []


def test_what_came_in_time_counts_however_long_we_look(owing: Office) -> None:
    """Documents of the last day, verified three days later, are honoured: the promise is for when they came."""
    offer, found = promised(owing)
    owing.accept(offer["application_id"], offer["decision_id"])
    champion(owing.service, LATER, EARLIER)
    owing.clock.advance(timedelta(days=29, hours=23).total_seconds())
    case = owing.look(lambda connection: store.case_of_application(connection, offer["application_id"]))
    assert case is not None
    owing.hand_in(case)
    owing.clock.advance(timedelta(days=3).total_seconds())
    decision = verified(owing, offer)
    assert decision.release == EARLIER.name
    assert decision.offer is not None
    assert decision.offer.limit_cents >= found["statements+tax_paid"]["limit_cents"]


def test_what_was_not_shown_is_not_held(owing: Office) -> None:
    """Nobody read the advice, so nothing was promised: the later champion decides."""
    offer = owing.offered(STATED)
    champion(owing.service, LATER, EARLIER)
    assert verified(owing, offer).release == LATER.name


def test_a_release_that_is_gone_stops_nothing(owing: Office) -> None:
    """Without the recorded release the champion decides, and the log says so."""
    offer, _ = promised(owing)
    champion(owing.service, LATER)
    assert verified(owing, offer).release == LATER.name


# -- on a source that is asked anew --------------------------------------------------------------------------


@pytest.mark.parametrize(("told", "better"), [
    (WITHOUT_GST, {"registry": {"gst_from": "2026-08-10"}}), (DEFAULTED, {"bureau": {"defaults": []}}),
], ids=["refer", "decline"])  # fmt: skip
def test_looking_again_keeps_the_promise(url: str, told: dict[str, Any], better: dict[str, Any]) -> None:
    """A refusal becomes the line that was promised once the source shows it, under the release that promised."""
    with telling(url, told) as service:
        office = Office.of(service)
        first = service.apply(body_of()).json()
        assert first["outcome"] in {"refer", "decline"}
        [promise] = advice(service, first["application_id"])["counterfactuals"]
        champion(service, replace(fake_release(base=0.2), name="test-strict"), EARLIER)
        service.state.shell.sources.told = story(better)
        office.clock.advance(timedelta(days=20).total_seconds())
        service.state.shell.sources._facts.clear()
        told_back = service.ask("POST", f"/v1/applications/{first['application_id']}/looks").json()
        assert told_back["result"] == "changed"
        decision = decided(office, told_back["decision_id"])
        assert decision.offer is not None
        assert decision.offer.limit_cents >= promise["limit_cents"]
        assert decision.release == EARLIER.name
        assert sworn(office) == [promise["counterfactual_id"]]
