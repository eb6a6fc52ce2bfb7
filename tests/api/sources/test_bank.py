"""The bank's client: what it asks, pages, limits and refusals."""

import asyncio
import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sandbox import Ask, Told
from api.sources.bank import ACCOUNTS, ARRANGEMENT, AT_ONCE, MOST_PAGES, REVOKED, Bank
from api.sources.cds import MOST_ACCOUNTS
from engine.facts.columns import MAX_ROWS
from tests.support.holder import (
    BALANCES,
    CONNECTION,
    LISTS,
    NEWEST,
    SAVER,
    Holder,
    failure,
    question,
    read,
    row,
)
from tests.support.unplugged import Unplugged, fetched, why_not

# -- what is asked -----------------------------------------------------------------------------------------------


def test_what_is_asked() -> None:
    """The arrangement and a version with every request, the largest pages, and the window in words."""
    talk = Unplugged(Holder())
    fetched(Bank(), question(), talk)
    paths = [ask.path for ask in talk.asks]
    assert paths[:2] == [ACCOUNTS, f"{ACCOUNTS}/balances"]
    assert set(paths[2:]) == {f"{ACCOUNTS}/ev%2Fery%20day/transactions", f"{ACCOUNTS}/saver/transactions"}
    assert [ask.headers["x-v"] for ask in talk.asks] == ["3", "1", "2", "2"]
    assert {(ask.headers["x-min-v"], ask.headers[ARRANGEMENT]) for ask in talk.asks} == {("1", CONNECTION)}
    assert {(ask.query["page"], ask.query["page-size"]) for ask in talk.asks} == {("1", "1000")}
    assert {(ask.query["oldest-time"], ask.query["newest-time"]) for ask in talk.asks[2:]} == {
        ("2026-02-04T00:00:00+11:00", "2026-08-03T11:00:00+10:00")
    }


@pytest.mark.parametrize("changes", [{"bank_connection": None}, {"consents": ()}])
def test_nobody_is_asked_without_connection_and_consent(changes: dict[str, Any]) -> None:
    """Without either the fact is absent and no request is made."""
    talk = Unplugged(Holder())
    assert fetched(Bank(), question(**changes), talk).value is None
    assert talk.asks == []


@pytest.mark.parametrize("hostile", ["../../admin", "a?x=1", "a#b", "a%2e%2e", "a/../b"])
def test_a_hostile_id_stays_one_segment(hostile: str) -> None:
    """An account id is percent-encoded whole: it neither climbs in the path nor asks for anything else."""
    paths = paths_asked(hostile)
    assert len(paths) == 3
    assert re.fullmatch(re.escape(ACCOUNTS) + r"/[A-Za-z0-9._%-]+/transactions", paths[2])
    assert unquote(paths[2].split("/")[-2]) == hostile


@pytest.mark.parametrize("hostile", [".", ".."])
def test_an_id_that_is_no_segment_is_not_asked_for(hostile: str) -> None:
    """No encoding keeps a dot from meaning a folder."""
    assert paths_asked(hostile) == [ACCOUNTS, f"{ACCOUNTS}/balances"]


def paths_asked(account: str) -> list[str]:
    """What is asked of a bank with one account of this id."""
    lists = {"accounts": [{**SAVER, "accountId": account}], "balances": [{**BALANCES[1], "accountId": account}]}

    def tell(ask: Ask) -> Told:
        name = {ACCOUNTS: "accounts", f"{ACCOUNTS}/balances": "balances"}.get(ask.path, "transactions")
        rows = lists.get(name, [])
        return Told(json.dumps({"data": {name: rows}, "meta": {"totalRecords": len(rows), "totalPages": 1}}).encode())

    talk = Unplugged(tell)
    why_not(Bank(), question(), talk)
    return [ask.path for ask in talk.asks]


# -- pages -----------------------------------------------------------------------------------------------------


def many(count: int) -> list[dict[str, Any]]:
    """So many rows, newest first."""
    return [row(n, NEWEST - timedelta(days=n * 170 // count), f"{n}.25") for n in range(count)]


def test_every_page_is_read() -> None:
    """Twenty pages give what one would, at most six requests being in flight."""
    holder = Holder({**LISTS, "ev/ery day": many(200)}, size=10)
    assert read(holder) == read(**{"ev/ery day": many(200)})
    assert 1 < holder.most_in_flight <= AT_ONCE


def test_three_round_trips_at_most() -> None:
    """First pages of all accounts go out together, and so do all further pages: three waits in all."""

    async def waits() -> int:
        """How often the bank was silent before it said anything, when it answers only what has piled up."""
        piled: list[asyncio.Event] = []
        holder = Holder({**LISTS, "ev/ery day": many(40), "saver": []}, size=10)

        async def hold(ask: Ask) -> Told:
            event = asyncio.Event()
            piled.append(event)
            await event.wait()
            return await holder(ask)

        asked = asyncio.create_task(Bank().fetch(question(), Unplugged(hold)))
        rounds = 0
        while not asked.done():
            for _ in range(200):
                await asyncio.sleep(0)
            waiting, piled[:] = list(piled), []
            rounds += bool(waiting)
            for event in waiting:
                event.set()
        assert asked.result().value is not None
        return rounds

    # Lists of accounts are in pages of ten as well here, but short: one round for both, one for first pages, one more.
    assert asyncio.run(waits()) == 3


@pytest.mark.parametrize(
    ("meta", "why"),
    [
        ({"totalPages": 3}, "schema"),
        ({"totalRecords": 26}, "schema"),
        ({"totalRecords": -1}, "schema"),
        ({"totalPages": "2"}, "schema"),
    ],
)
def test_totals_that_change_between_pages_are_refused(meta: dict[str, Any], why: str) -> None:
    """The second page must tell the same totals as the first."""

    class Moving(Holder):
        def edit(self, ask: Ask, body: dict[str, Any]) -> Any:
            return body | {"meta": body["meta"] | meta} if ask.query["page"] == "2" else body

    assert failure(Moving({**LISTS, "ev/ery day": many(25)}, size=20)) == why


def test_rows_that_are_missing_are_noticed() -> None:
    """A list that is shorter than it says of itself is refused, whatever page the rows are missing from."""

    class Short(Holder):
        def edit(self, ask: Ask, body: dict[str, Any]) -> Any:
            if "transactions" in body["data"]:
                body["data"]["transactions"] = body["data"]["transactions"][:-1]
            return body

    assert failure(Short()) == "schema"


@pytest.mark.parametrize("meta", [{"totalPages": MOST_PAGES + 1}, {"totalRecords": MAX_ROWS + 1}])
def test_a_list_without_end_is_refused_at_once(meta: dict[str, int]) -> None:
    """More than 20 pages or 20,000 rows of an account are not even asked for."""

    class Endless(Holder):
        def edit(self, ask: Ask, body: dict[str, Any]) -> Any:
            return body | {"meta": body["meta"] | meta} if "transactions" in body["data"] else body

    talk = Unplugged(Endless())
    assert why_not(Bank(), question(), talk) == "oversized"
    assert len(talk.asks) <= 4


def test_too_many_accounts_are_refused() -> None:
    """Thirty accounts are read, thirty-one are not."""
    for count, why in ((MOST_ACCOUNTS, None), (MOST_ACCOUNTS + 1, "oversized")):
        ids = [f"a{n}" for n in range(count)]
        lists: dict[str, Any] = {
            "accounts": [{**SAVER, "accountId": name} for name in ids],
            "balances": [{**BALANCES[1], "accountId": name} for name in ids],
            **{name: [] for name in ids},
        }
        assert failure(Holder(lists)) == why


# -- refusals --------------------------------------------------------------------------------------------------


def refused(status: int, code: str) -> Holder:
    """A bank that refuses everything."""

    class Refusing(Holder):
        def edit(self, _ask: Ask, body: dict[str, Any]) -> Any:
            error = {"code": code, "title": "T", "detail": "D", "meta": {}}
            return Told(json.dumps({"errors": [error]}).encode(), status)

    return Refusing()


def test_a_consent_taken_back_is_absent() -> None:
    """The standards' own code for it, and no other, means that there is nothing to be had."""
    assert fetched(Bank(), question(), Unplugged(refused(403, REVOKED))).value is None


@pytest.mark.parametrize(
    ("status", "code", "why"),
    [
        (403, "urn:au-cds:error:cds-all:Authorisation/InvalidConsent", "unauthorised"),
        (403, "urn:au-cds:error:cds-all:Authorisation/AdrStatusNotActive", "unauthorised"),
        (422, "urn:au-cds:error:cds-all:Authorisation/InvalidArrangement", "status"),
        (404, REVOKED, "status"),
        (406, "urn:au-cds:error:cds-all:Header/UnsupportedVersion", "status"),
        (401, "", "unauthorised"),
        (503, "urn:au-cds:error:cds-all:Service/Unavailable", "busy"),
        (500, "urn:au-cds:error:cds-all:GeneralError/Unexpected", "status"),
    ],
)
def test_any_other_refusal_is_failed(status: int, code: str, why: str) -> None:
    """An outage, a wrong arrangement or a fault of ours never reads as if nothing were connected."""
    assert failure(refused(status, code)) == why


@given(st.binary(max_size=60))
def test_a_refusal_may_say_anything(body: bytes) -> None:
    """Whatever stands in a 403, it is a refusal."""

    class Refusing(Holder):
        def edit(self, _ask: Ask, _body: dict[str, Any]) -> Any:
            return Told(body, 403)

    assert failure(Refusing()) == "unauthorised"
