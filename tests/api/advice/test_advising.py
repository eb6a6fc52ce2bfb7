"""Advice: what would change the decision, kept once; sources and whom to ask; and nothing of what compliance found."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from api.advice import exploring, looking, reviewing
from api.advice.advising import Adviser
from api.advice.contacts import Complaints, Contact, Contacts
from api.advice.working import Worker
from api.store import queries as store
from engine.whatif import EVIDENCE
from engine.whatif.outlook import Outlook, Outlooks, Pair
from engine.whatif.sharing import Sight
from tests.api.advice.conftest import DEFAULTED, MINDFUL, OWING, UNPAID, WITHOUT_GST
from tests.support.businesses import story
from tests.support.deskwork import Office
from tests.support.schema import slug_of
from tests.support.service import Service, body_of, telling

STATED = {"application": OWING["application"]}


def advice(service: Service, application_id: str, **more: Any) -> httpx.Response:
    """The reply."""
    return service.ask("GET", f"/v1/applications/{application_id}/advice", **more)


# -- counterfactuals -----------------------------------------------------------------------------------------


def test_it_is_said_in_a_sentence_with_its_date(owing: Office) -> None:
    """What a source has to show, what the line would be, how to go about it, and until which day it is held."""
    offer = owing.offered(STATED)
    told = advice(owing.service, offer["application_id"]).json()
    first, *rest = told["counterfactuals"]
    assert first["words"] == (
        "If your bank statements from 4 February 2026 to 2 August 2026 show at least $1,188,119 coming in, your line "
        "would be $82,500 at 1.55 % a month. Held until 2 September 2026."
    )
    assert first["how"]["code"] == "documents"
    assert first["held_until"] == "2026-09-02T13:59:59Z"
    assert [each["code"] for each in rest[0]["evidence"]] == ["statements", "tax_paid"]
    assert len(told["counterfactuals"]) <= 3
    assert all(each["limit_cents"] > offer["offer"]["limit_cents"] for each in told["counterfactuals"])
    assert len(told["subject_to"]) == 4


def test_it_is_made_once_and_never_changes(owing: Office) -> None:
    """Read again, by another process and much later, it is the same rows; the audit chain has their digest."""
    application_id = owing.offered(STATED)["application_id"]
    first = advice(owing.service, application_id)
    rows = owing.service.count("counterfactual")
    owing.service.state.advice = replace(
        owing.service.state.advice, adviser=Adviser(Worker(), owing.service.state.advice.adviser._contacts)
    )
    owing.clock.advance(86_400)
    assert advice(owing.service, application_id).content == first.content
    assert owing.service.count("counterfactual") == rows == len(first.json()["counterfactuals"])
    entries = owing.look(lambda connection: store.audit_tail(connection, 20))
    assert sum('"action":"promise"' in each.body for each in entries) == 1
    assert owing.look(store.verify_audit) is None


def test_two_who_ask_at_once_are_told_the_same(owing: Office) -> None:
    """Whoever is second reads the first one's rows."""
    application_id = owing.offered(STATED)["application_id"]
    state = owing.service.state
    advisers = [Adviser(Worker(), state.advice.adviser._contacts) for _ in range(4)]
    application = owing.look(lambda connection: store.get_application(connection, application_id))
    assert application is not None

    async def all_at_once() -> list[bytes]:
        asked = [each.answer(state.shell, application.caller_id, application_id) for each in advisers]
        return list(await asyncio.gather(*asked))

    told = asyncio.run(all_at_once())
    assert len(set(told)) == 1
    assert owing.service.count("counterfactual") <= 3


def test_what_has_expired_is_not_shown(owing: Office) -> None:
    """After the day that was told, nothing is left of it, and what holds for it is not told either."""
    application_id = owing.offered(STATED)["application_id"]
    assert advice(owing.service, application_id).json()["counterfactuals"]
    owing.clock.advance(timedelta(days=31).total_seconds())
    told = advice(owing.service, application_id).json()
    assert (told["counterfactuals"], told["subject_to"]) == ([], [])


@pytest.mark.parametrize("told", [WITHOUT_GST, DEFAULTED], ids=["refer", "decline"])
def test_a_no_is_told_what_a_source_would_have_to_show(sqlite_url: str, told: dict[str, Any]) -> None:
    """A referral and a decline name the register and the credit file, and ask us to look again."""
    with telling(sqlite_url, told) as service:
        application_id = service.apply(body_of()).json()["application_id"]
        [only] = advice(service, application_id).json()["counterfactuals"]
    assert only["how"]["code"] == "look"
    assert only["evidence"][0]["shown_by"] in {"registry", "bureau"}


def test_a_no_without_an_offer_is_promised_nothing_on_documents(sqlite_url: str) -> None:
    """Documents come with an accepted offer: where there is none, nothing is said that could not be brought."""
    told = {"application": {"finances": {"overdue_tax_cents": 3_000_000, "tax_plan": False}}}
    with telling(sqlite_url, told) as service:
        reply = service.apply(body_of(told)).json()
        assert reply["outcome"] == "refer"
        assert advice(service, reply["application_id"]).json()["counterfactuals"] == []


def test_an_accepted_offer_is_advised_on_documents_alone(sqlite_url: str) -> None:
    """What a source would have to show anew is not named any more: nobody asks it again."""
    with telling(sqlite_url, UNPAID, MINDFUL) as service:
        office = Office.of(service)
        offer = office.offered(STATED)
        office.accept(offer["application_id"], offer["decision_id"])
        told = advice(service, offer["application_id"]).json()
    assert {each["shown_by"] for one in told["counterfactuals"] for each in one["evidence"]} == {"documents"}


# -- compliance ----------------------------------------------------------------------------------------------


def _blanked(reply: httpx.Response) -> tuple[bytes, dict[str, str]]:
    return re.sub(rb"(app|dec)_[0-9a-f]{32}", rb"\1_", reply.content), {**reply.headers, "x-request-id": ""}


@pytest.mark.parametrize(
    "compliance",
    [{"sanctions_hits": 1}, {"politically_exposed": True}, {"fraud_flags": ["x"]}, {"status": "failed"}],
)
@pytest.mark.parametrize("told", [{}, WITHOUT_GST, DEFAULTED], ids=["plain", "refer", "decline"])
def test_compliance_is_answered_as_an_ordinary_referral(
    lone_service: Service, compliance: dict[str, Any], told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte as under a brake, headers too, first time and again; as much is worked out, as little is kept."""
    calls: list[int] = []
    shell, worked = lone_service.state.shell, Worker.do

    async def counted(self: Worker, work: Any) -> Any:
        calls[-1] += 1
        return await worked(self, work)

    monkeypatch.setattr(Worker, "do", counted)
    shell.sources.told = story(told)
    with lone_service.database.transaction() as connection:
        brake = store.set_brake(connection, "refer_all", shell.clock(), "officer")
    plain = lone_service.apply(body_of()).json()
    with lone_service.database.transaction() as connection:
        store.lift_brake(connection, brake, shell.clock(), "officer")
    shell.clock.advance(1)
    shell.sources.told = story({**told, "compliance": compliance})
    hit = lone_service.apply(body_of()).json()
    assert plain["outcome"] == hit["outcome"]
    replies = []
    for each in (plain, hit):
        calls.append(0)
        replies.append([_blanked(advice(lone_service, each["application_id"])) for _ in range(2)])
    assert replies[0] == replies[1]
    assert calls[0] == calls[1]
    assert lone_service.count("counterfactual") == 0


def test_as_many_decisions_are_made_for_compliance_as_for_any_referral(
    lone_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work is counted in cases looked at and in rows scored, which is all the time it takes: the same for both."""
    made: list[int] = []
    scored: list[int] = []
    look, score = Outlooks.of, Outlooks._raws

    def looked(outlooks: Outlooks, pairs: Iterable[Pair]) -> list[Outlook]:
        made[-1] += len(asked := list(pairs))
        return look(outlooks, asked)

    def counted(outlooks: Outlooks, sights: Sequence[Sight]) -> list[float]:
        scored[-1] += len(sights)
        return score(outlooks, sights)

    monkeypatch.setattr(Outlooks, "of", looked)
    monkeypatch.setattr(Outlooks, "_raws", counted)
    for told in (
        {**WITHOUT_GST, "registry": {"gst_from": None, "entity_name": "SOMETHING ELSE PTY LTD"}},
        {**WITHOUT_GST, "compliance": {"sanctions_hits": 1}},
    ):
        lone_service.state.shell.sources.told = story(told)
        lone_service.state.shell.clock.advance(1)
        reply = lone_service.apply(body_of()).json()
        assert reply["outcome"] == "refer"
        made.append(0)
        scored.append(0)
        advice(lone_service, reply["application_id"])
    assert made[0] == made[1] > 1
    assert scored[0] == scored[1]


# -- sources and whom to ask ---------------------------------------------------------------------------------


def test_every_source_that_was_asked_is_named_with_how_to_correct_it(lone_service: Service) -> None:
    """Register, marketplace, bank and bureau, with the free report; lists for compliance are not among them."""
    application_id = lone_service.apply(body_of()).json()["application_id"]
    told = advice(lone_service, application_id).json()
    assert [each["source"] for each in told["sources"]] == ["registry", "marketplace", "bank", "bureau"]
    assert all(each["how_to_get"] and each["how_to_correct"] and each["data"] for each in told["sources"])
    assert [each["free_report"] is not None for each in told["sources"]] == [False, False, False, True]
    assert "compliance" not in str(told).lower()
    assert "sanction" not in str(told).lower()


def test_what_was_not_connected_is_not_named(sqlite_url: str) -> None:
    """An absent bank said nothing; a bureau that failed was asked and did not answer."""
    with telling(sqlite_url, {"bank": {"status": "absent"}, "bureau": {"status": "failed"}}) as service:
        application_id = service.apply(body_of()).json()["application_id"]
        told = advice(service, application_id).json()["sources"]
    assert {each["source"]: each["answered"] for each in told} == {
        "registry": True, "marketplace": True, "bureau": False,
    }  # fmt: skip


def test_a_dispute_scheme_is_named_by_its_members_alone(lone_service: Service) -> None:
    """Without the lender's word there is none; with it, the scheme and the member's number."""
    application_id = lone_service.apply(body_of()).json()["application_id"]
    assert advice(lone_service, application_id).json()["complaints"]["scheme"] is None
    desk = Contact(name="Complaints", telephone="1800 000 000")
    scheme = Contact(name="Sample Scheme", page="scheme.example")
    member = Complaints(desk=desk, scheme_member=True, scheme=scheme, scheme_number="12345")
    state = lone_service.state
    contacts = Contacts(complaints=member, bureau=desk, marketplace=desk)
    state.advice = replace(state.advice, adviser=Adviser(Worker(), contacts))
    told = advice(lone_service, application_id).json()["complaints"]
    assert (told["scheme"]["contact"]["name"], told["scheme"]["member_number"]) == ("Sample Scheme", "12345")
    assert told["desk"]["telephone"] == "1800 000 000"


def test_it_is_its_callers_own(lone_service: Service) -> None:
    """Another caller's application is not there, nor is one that nobody made."""
    application_id = lone_service.apply(body_of()).json()["application_id"]
    assert slug_of(advice(lone_service, application_id, secret=lone_service.key("apply"))) == "not-found"
    assert slug_of(advice(lone_service, "app_" + "0" * 32)) == "not-found"
    assert slug_of(advice(lone_service, application_id, secret=lone_service.key("audit"))) == "forbidden"


# -- kept for good -------------------------------------------------------------------------------------------


def test_what_was_promised_cannot_be_taken_back(owing: Office) -> None:
    """The database refuses to change or delete a counterfactual or a request for a person."""
    application_id = owing.offered(STATED)["application_id"]
    advice(owing.service, application_id)
    owing.service.ask("POST", f"/v1/applications/{application_id}/review-requests")
    for table, change in (("counterfactual", "limit_cents = 500000"), ("review_request", "answer_by = answer_by + 1")):
        for statement in (f"UPDATE {table} SET {change}", f"DELETE FROM {table}"):
            with pytest.raises(Exception, match="is append-only"), owing.service.database.transaction() as connection:
                connection.execute(text(statement))


def test_the_page_says_what_the_code_does() -> None:
    """docs/advice.md has every kind of evidence and the numbers that bound a day."""
    page = (Path(__file__).parents[3] / "docs" / "advice.md").read_text(encoding="utf-8")
    for kind in EVIDENCE:
        assert f"| `{kind.kind}` | {kind.shown_by} |" in page
    assert f"{exploring.MOST_A_DAY} answers" in page
    assert f"{looking.MOST_A_DAY} looks" in page
    assert f"{reviewing.DAYS} business days" in page
