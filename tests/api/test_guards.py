"""Guards against abuse, through the whole service: who is refused, who is referred, and what nobody is told."""

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from api.guards import LEAST_KEY_BYTES, BlindIndex, declared, signals_of
from engine.facts import BankData, Facts
from engine.facts.columns import MAX_ROWS
from engine.people import Person
from tests.support.businesses import AS_OF, PERSON, application_of, business, story
from tests.support.neighbours import NeighbourSources, body_for, numbers_of
from tests.support.releases import fake_release
from tests.support.service import Service, body_of, telling

INDEX = BlindIndex(b"a key for tests, long enough....")


# -- blind indexes -------------------------------------------------------------------------------------------


def _person(**changes: Any) -> Person:
    return PERSON.model_copy(update=changes)


def _kinds(first: Person, second: Person) -> set[str]:
    """The kinds of signal that two people share."""
    one, other = (signals_of(INDEX, (person,), None, None) for person in (first, second))
    return {signal.kind for signal in one if signal in other}


def _others(**changes: Any) -> Person:
    """Somebody of whom everything is different but what is given."""
    nobody = {
        "given_names": "Ada", "family_name": "Other", "date_of_birth": date(1990, 1, 1), "mobile": "+61400000001",
        "email": "ada@other.example",
    }  # fmt: skip
    return _person(**{**nobody, **changes})


OWNER = _person(given_names="Zoë Mary", family_name="O'Neil", mobile="+61400000000", email="zoe.oneil+loan@gmail.com")


@pytest.mark.parametrize(
    ("changes", "shared"),
    [
        ({}, set()),
        ({"given_names": "ZOE", "family_name": "ONEIL", "date_of_birth": OWNER.date_of_birth}, {"person"}),
        ({"given_names": "Zoë Ann", "family_name": "O’Neil", "date_of_birth": OWNER.date_of_birth}, {"person"}),
        ({"given_names": "Zoë", "family_name": "O'Neil"}, set()),
        ({"given_names": "Mary", "family_name": "O'Neil", "date_of_birth": OWNER.date_of_birth}, set()),
        ({"mobile": "+61400000000"}, {"phone"}),
        ({"email": "Zoe.ONeil@GMail.com"}, {"email"}),
        ({"email": "zoeoneil@gmail.com"}, {"email"}),
        ({"email": "zoe.oneil@other.example"}, set()),
    ],
)
def test_people_are_recognised_however_they_are_written(changes: Mapping[str, Any], shared: set[str]) -> None:
    """Case, accents, middle names and mail tags do not make another person; another birthday does."""
    assert _kinds(OWNER, _others(**changes)) == shared


def test_leaving_out_the_director_id_makes_no_other_person() -> None:
    """A person with a director's number is found by it and by name; with another name, still by the number."""
    numbered = _person(director_id="036000000000001")
    assert "person" in _kinds(numbered, PERSON)
    assert _kinds(numbered, _others(director_id="036000000000001")) == {"person"}


def test_mail_that_is_all_tag_keeps_its_name() -> None:
    """An address that begins with + is not cut to nothing, so that all such were one."""
    assert _kinds(_others(email="+a@other.example"), OWNER) == set()
    assert _kinds(_others(email="+a@other.example"), _others(email="+b@other.example", mobile="+61400000009")) == {
        "person"
    }


def _bank(evidence: str = "connected", account: str = "account-0123456789", **changes: Any) -> BankData:
    told = {"bank": {"evidence": evidence, "days": 180, **changes}}
    facts: Facts = business(told)[1]
    assert facts.bank.value is not None
    renamed = tuple(each.model_copy(update={"account_id": account}) for each in facts.bank.value.accounts)
    return facts.bank.value.model_copy(update={"accounts": renamed})


def _accounts(bank: BankData) -> set[str]:
    return {signal.value for signal in signals_of(INDEX, (), bank, None)}


def test_a_connected_account_is_its_banks_id() -> None:
    """The bank's id tells accounts apart, whatever happened in them; a name of few letters is nobody's id."""
    one = _accounts(_bank())
    assert len(one) == 1
    assert _accounts(_bank(sales_a_month_cents=1_000_000)) == one
    assert not one & _accounts(_bank(account="account-9876543210"))
    assert _accounts(_bank(account="main")) == set()


def test_an_uploaded_account_is_its_rows() -> None:
    """An upload is recognised by its whole months, under any id, as long as a month of them is in both."""
    upload = _bank("declared")
    same = _accounts(upload)
    assert len(same) == 3, "the three newest whole months"
    assert _accounts(_bank("declared", account="something else")) == same
    assert not _accounts(_bank("declared", sales_a_month_cents=1_000_000)) & same
    assert not _accounts(_bank("connected")) & same
    assert _accounts(_bank("declared", days=40)) < same
    assert _accounts(_bank("declared", days=20)) == set()


def test_the_largest_upload_is_indexed_by_its_busiest_accounts() -> None:
    """A hundred accounts and as many rows as are read give ten accounts a month, not a signal each."""
    step = MAX_ROWS // 180
    days = [day for day in range(20_000, 20_180) for _ in range(step)]
    account = [place % 100 for place in range(len(days))]
    rows = {
        "posted_day": days, "account": account, "amount_cents": list(range(1, len(days) + 1)),
        "kind": [0] * len(days), "merchant_category": [0] * len(days), "text": [0] * len(days),
    }  # fmt: skip
    template = _bank("declared")
    whole = {
        **template.model_dump(mode="json"), "transactions": rows, "texts": ["x"],
        "oldest_on": "2024-10-04", "newest_on": "2025-04-01",
        "accounts": [{**template.accounts[0].model_dump(), "account_id": f"a-{place}"} for place in range(100)],
    }  # fmt: skip
    bank = BankData.model_validate_json(json.dumps(whole, default=str))
    assert len(signals_of(INDEX, (), bank, "device")) == 31


def test_an_index_depends_on_its_key_and_its_kind_and_shows_neither() -> None:
    """Without the key nothing can be guessed back; a short key is refused; nothing is shown when printed."""
    other = BlindIndex(b"another key for tests, and long enough")
    assert INDEX.of("phone", "x") == INDEX.of("phone", "x")
    assert len({INDEX.of("phone", "x"), INDEX.of("email", "x"), other.of("phone", "x")}) == 3
    assert "key for tests" not in repr(INDEX)
    with pytest.raises(ValueError, match=f"at least {LEAST_KEY_BYTES} bytes"):
        BlindIndex(b"x" * (LEAST_KEY_BYTES - 1))


@pytest.mark.parametrize(
    ("part", "field", "value", "material"),
    [
        ("finances", "turnover_12m_cents", 150_000_000, True),
        ("finances", "other_lenders", 3, True),
        ("finances", "overdue_tax_cents", 0, False),
        ("business", "trading_since", "2019-01-01", True),
        ("business", "anzsic", "4260", True),
        ("business", "staff_band", "200+", True),
        ("business", "legal_name", "ANOTHER NAME PTY LTD", False),
        ("business", "state", "NSW", False),
        ("request", "amount_cents", 500_000, False),
        ("request", "purpose", "equipment", False),
    ],
)
def test_material_values_are_those_a_result_rests_on(part: str, field: str, value: Any, material: bool) -> None:
    """Finances and the shape of the business are material; names, purpose and the amount (counted apart) are not."""
    plain, changed = (application_of(story(told)) for told in ({}, {"application": {part: {field: value}}}))
    assert (declared(INDEX, plain) != declared(INDEX, changed)) is material


# -- the service ---------------------------------------------------------------------------------------------


@pytest.fixture
def guarded(sqlite_url: str) -> Iterator[Service]:
    """The service under the draft policy's own guards."""
    with telling(sqlite_url, release=fake_release(guarded=True)) as running:
        running.state.shell = replace(running.state.shell, sources=NeighbourSources())
        yield running


DECLINED = {"application": {"request": {"purpose": "household"}}}  # by the rules, and no longer open


def _body(told: Mapping[str, Any] | None = None, **person: Any) -> dict[str, Any]:
    return body_of(told, {**body_of()["people"][0], **person})


def _rules(service: Service, reply: httpx.Response) -> set[str]:
    """The rules that fired, as the record has them."""
    with service.database.transaction(read_only=True) as connection:
        found = connection.execute(
            text("SELECT body FROM decision WHERE id = :id"), {"id": reply.json()["decision_id"]}
        ).scalar_one()
    return set(re.findall(r'"rule":"([a-z_]+)"', bytes(found).decode()))


def _slug(reply: httpx.Response) -> str:
    slug: str = reply.json()["type"].rpartition("/")[2]
    return slug


def test_a_second_application_names_the_first_to_its_owner(guarded: Service) -> None:
    """409 with the decision that stands; the same key again still has its own answer."""
    first = guarded.apply(_body(), "first-key-00000001")
    assert first.json()["outcome"] == "approve"
    second = guarded.apply(_body())
    assert (second.status_code, _slug(second)) == (409, "duplicate-application")
    assert second.json()["earlier_decision"] == first.json()["decision_id"]
    assert guarded.apply(_body(), "first-key-00000001").content == first.content
    assert guarded.count("decision") == 1
    guarded.state.shell.clock.now = AS_OF + timedelta(days=31)
    assert guarded.apply(_body()).json()["outcome"] == "approve"


def test_another_caller_is_referred_and_not_told(guarded: Service) -> None:
    """Somebody else's second application is a referral; nothing in it speaks of the first."""
    first = guarded.apply(_body())
    reply = guarded.apply(_body(), secret=guarded.key("apply"))
    assert reply.json()["outcome"] == "refer"
    assert _rules(guarded, reply) == {"open_applications"}
    assert first.json()["decision_id"] not in reply.text
    assert first.json()["application_id"] not in reply.text


def test_changed_values_after_a_result_are_referred_then_locked(guarded: Service) -> None:
    """After a decline: the same again is decided again, the first change referred, then refused, then locked."""
    assert guarded.apply(_body(DECLINED)).json()["outcome"] == "decline"
    assert guarded.apply(_body()).json()["outcome"] == "approve", "another purpose is no retype"
    guarded.state.shell.clock.now = AS_OF + timedelta(days=29)
    seen = []
    for turnover in (100_000_000, 100_000_001, 100_000_002, 100_000_003, 100_000_002):
        told = {"application": {"finances": {"turnover_12m_cents": turnover}}}
        seen.append(_slug(guarded.apply(_body(told))))
    assert seen == [*["duplicate-application"] * 2, *["application-locked"] * 3]
    guarded.state.shell.clock.now = AS_OF + timedelta(days=59, seconds=1)
    assert guarded.apply(_body()).json()["outcome"] == "approve", "thirty days later it is over"


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({"finances": {"turnover_12m_cents": 130_000_000}}, {"retyped"}),
        ({"business": {"staff_band": "200+"}}, {"retyped"}),
        ({"request": {"amount_cents": 4_050_000}}, {"retyped"}),
        ({"request": {"amount_cents": 3_950_000}}, set()),
        ({}, set()),
    ],
)
def test_what_counts_as_a_change(guarded: Service, change: dict[str, Any], rules: set[str]) -> None:
    """A declared value, or a higher amount, after a decline; asking for less, or for the same, is decided."""
    assert guarded.apply(_body(DECLINED)).json()["outcome"] == "decline"
    assert _rules(guarded, guarded.apply(_body({"application": change}))) == rules


def test_one_person_has_room_for_two_businesses(guarded: Service) -> None:
    """The second business of one owner is decided, with the first one's line counted; the third is referred."""
    numbers = [guarded.apply(body_for(number, director_id="036000000000001")) for number in range(3)]
    assert [reply.json()["outcome"] for reply in numbers] == ["approve", "approve", "refer"]
    assert _rules(guarded, numbers[2]) == {"person_elsewhere"}
    held = [guarded.facts_of(reply.json()["decision_id"]).exposure.value for reply in numbers]
    assert [each.group_cents for each in held if each] == [0, 4_000_000, 8_000_000]
    assert [each.business_cents for each in held if each] == [0, 0, 0]


def test_one_account_for_two_businesses_is_referred(guarded: Service) -> None:
    """The second entity on one connected account is for a person, whatever else is different."""
    guarded.state.shell.sources.accounts = {numbers_of(number)[0]: "one-account-0001" for number in range(2)}
    replies = [guarded.apply(body_for(number)) for number in range(3)]
    assert [_rules(guarded, reply) for reply in replies] == [set(), {"account_elsewhere"}, set()]


def _blanked(reply: httpx.Response) -> tuple[bytes, dict[str, str]]:
    """A reply without its ids, times and hashes, and its headers without the request's id."""
    body = re.sub(rb"(app|dec)_[0-9a-f]{32}", rb"\1_", reply.content)
    body = re.sub(rb'"(receipt_hash|decided_at)":"[^"]+"', rb'"\1":""', body)
    body = re.sub(rb'"audit_seq":[0-9]+', b'"audit_seq":0', body)
    return body, {**reply.headers, "x-request-id": ""}


def test_a_guard_reads_like_any_referral(guarded: Service) -> None:
    """Byte for byte, headers too, apart from ids, times and hashes: guards against a referral for compliance."""
    guarded.state.shell.sources.told = {"compliance": {"politically_exposed": True}}
    plain = guarded.apply(_body(), secret=guarded.key("apply"))
    assert _rules(guarded, plain) == {"politically_exposed"}
    guarded.state.shell.clock.advance(1)
    guarded.state.shell.sources.told = {}
    elsewhere = guarded.apply(_body())
    assert _rules(guarded, elsewhere) == {"open_applications"}
    assert _blanked(elsewhere) == _blanked(plain)


def test_refused_attempts_are_counted_and_sworn(guarded: Service) -> None:
    """A 409 leaves an attempt and an audit entry without anything that identifies anybody; a repeat leaves no more."""
    guarded.apply(_body())
    for _ in range(3):
        assert guarded.apply(_body(mobile="0400 000 000")).status_code == 409
    assert (guarded.count("attempt"), guarded.count("decision")) == (2, 1)
    with guarded.database.transaction(read_only=True) as connection:
        body = connection.execute(text("SELECT body FROM audit ORDER BY seq DESC LIMIT 1")).scalar_one()
        rows = connection.execute(text("SELECT * FROM signal")).all()
    assert '"action":"refuse"' in body
    assert '"problem":"duplicate-application"' in body
    kept = f"{body} {rows}"
    assert [word for word in ("Example", "person@", "61400000000", "1984-02-29") if word in kept] == []


def test_twenty_at_once_get_one_decision(url: str) -> None:
    """Twenty applications of one business at the same time under twenty keys: one decision, nineteen refusals."""
    with telling(url, release=fake_release(guarded=True)) as service:
        replies = service.settle([(_body(), f"parallel-key-{number:08}") for number in range(20)])
        decided = [reply for reply in replies if reply.status_code == 201]
        assert len(decided) == 1
        first = decided[0].json()["decision_id"]
        assert {reply.json().get("earlier_decision", first) for reply in replies if reply.status_code == 409} == {first}
        assert service.count("decision") == 1


def test_a_deep_copy_is_no_other_version(guarded: Service) -> None:
    """Spacing, order and case that validation takes away do not make another version of the same values."""
    body = _body(DECLINED)
    guarded.apply(body)
    other = deepcopy(body)
    other["business"] = dict(reversed(other["business"].items()))
    other["business"]["abn"] = f"ABN {body['business']['abn']}"
    again = guarded.apply(other)
    assert (again.json()["outcome"], "retyped" in _rules(guarded, again)) == ("decline", False)
