"""The marketplace's client: its API as documented, pages, outcomes, days in Sydney, and every contradiction."""

import asyncio
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sandbox import Ask, Told
from api.sources import SourceFailed
from api.sources.marketplace import Marketplace
from engine.facts import MarketplaceHistory, Supplier
from engine.facts.bank import day_number
from engine.facts.marketplace import (
    CANCELLED,
    CHARGEBACK,
    COMPLETED,
    DISPUTE_LOST,
    DISPUTE_WON,
    NOT_PAID_YET,
    NOT_SHIPPED,
)
from tests.support.businesses import TODAY, business
from tests.support.unplugged import Unplugged, asking, fetched, why_not

ABN = "37955501005"
Table = dict[str, Any]
ORDER: Table = {
    "order_id": "o-1", "placed_at": "2026-05-01T03:12:00Z", "supplier_id": "s-1",
    "total": {"amount": "1234.50", "currency": "AUD"}, "status": "completed", "cancelled_by": None, "dispute": None,
    "chargeback": False, "shipped_at": "2026-05-03T22:00:00+10:00", "due_on": "2026-05-31", "paid_on": "2026-06-04",
}  # fmt: skip
SUPPLIER: Table = {
    "supplier_id": "s-1", "active_since": "2019-02-01", "vetted_on": "2026-02-01", "orders_12m": 410,
    "value_12m": {"amount": "912000.00", "currency": "AUD"}, "dispute_rate": "0.0050", "on_time_rate": "0.97",
    "response_rate": "0.95", "response_time_hours": 6.5, "related_to_buyer": False,
}  # fmt: skip


class Shop:
    """A marketplace of one buyer; the tests change what it tells."""

    def __init__(self, orders: list[Table] | None = None, suppliers: list[Table] | None = None) -> None:
        self.orders = [ORDER] if orders is None else orders
        self.suppliers = [SUPPLIER] if suppliers is None else suppliers
        self.buyer: Any = {"abn": ABN, "joined_on": "2021-05-10"}
        self.spoil: Callable[[Ask, Any], object] = lambda ask, told: told

    def tell(self, ask: Ask) -> Told:
        """The reply to one request, as the API documents it."""
        what = ask.path.removeprefix(f"/v1/buyers/{ABN}")
        told: Any = {"": self.buyer, "/suppliers": {"total": len(self.suppliers), "suppliers": self.suppliers}}.get(
            what
        )
        if what == "/orders":
            page, size = int(ask.query["page"]), int(ask.query["page_size"])
            rows = self.orders[(page - 1) * size : page * size]
            told = {"page": page, "total": len(self.orders), "orders": rows}
        spoiled = self.spoil(ask, told)
        return spoiled if isinstance(spoiled, Told) else Told(json.dumps(spoiled).encode())


def history_of(shop: Shop) -> MarketplaceHistory:
    """What the client reads."""
    history: MarketplaceHistory = fetched(Marketplace(), asking(), Unplugged(shop.tell)).value
    return history


def failure_of(shop: Shop) -> str | None:
    """Why the client takes nothing, None where it does."""
    return why_not(Marketplace(), asking(), Unplugged(shop.tell))


def column(name: str, *orders: Table) -> list[int]:
    """One column of the block that these orders make."""
    numbered = [{**ORDER, "order_id": f"o-{place}", **order} for place, order in enumerate(orders)]
    values: list[int] = history_of(Shop(numbered)).orders[name].tolist()
    return values


# -- what it reads -------------------------------------------------------------------------------------------


def test_the_documented_example_is_read() -> None:
    """A buyer with one order and one supplier; money is cents, rates are basis points, hours are whole."""
    history = history_of(Shop())
    assert history.joined_on == date(2021, 5, 10)
    assert history.suppliers == (
        Supplier(
            id="s-1", active_since=date(2019, 2, 1), vetted_on=date(2026, 2, 1), orders_12m=410,
            value_12m_cents=91_200_000, dispute_bps=50, on_time_bps=9_700, response_rate_bps=9_500, response_hours=7,
        ),
    )  # fmt: skip
    assert history.orders.as_json() == {
        "placed_day": [day_number(date(2026, 5, 1))], "amount_cents": [123_450], "supplier": [0],
        "outcome": [COMPLETED], "days_late": [4], "ship_days": [2],
    }  # fmt: skip


def test_a_buyer_of_nothing_is_a_value() -> None:
    """No orders and no suppliers are zero, not absent."""
    history = history_of(Shop([], []))
    assert (len(history.orders), history.suppliers) == (0, ())


@pytest.mark.parametrize(
    ("order", "outcome"),
    [
        ({}, COMPLETED),
        ({"status": "cancelled", "cancelled_by": "buyer"}, CANCELLED),
        ({"status": "cancelled", "cancelled_by": "marketplace"}, CANCELLED),
        ({"status": "cancelled", "cancelled_by": None}, CANCELLED),
        ({"status": "cancelled", "cancelled_by": "supplier"}, None),
        ({"status": "placed"}, None),
        ({"dispute": {"opened_at": "2026-06-01T00:00:00Z", "outcome": "won"}}, DISPUTE_WON),
        ({"dispute": {"opened_at": "2026-06-01T00:00:00Z", "outcome": "open"}}, DISPUTE_WON),
        ({"dispute": {"outcome": "lost"}, "status": "cancelled", "cancelled_by": "supplier"}, DISPUTE_LOST),
        ({"chargeback": True, "dispute": {"outcome": "won"}}, CHARGEBACK),
    ],
)
def test_an_order_has_one_outcome(order: Table, outcome: int | None) -> None:
    """The gravest counts; what is not over, or not the buyer's doing, is left out."""
    assert column("outcome", order) == ([] if outcome is None else [outcome])


@pytest.mark.parametrize(
    ("due_on", "paid_on", "days"),
    [
        ("2026-05-31", None, NOT_PAID_YET),
        ("2026-05-31", "2026-05-31", 0),
        ("2026-05-31", "2026-05-02", 0),
        ("2026-05-31", "2026-06-01", 1),
        (None, "2026-05-01", 0),
        (None, None, NOT_PAID_YET),
    ],
)
def test_days_late_count_from_the_due_day(due_on: str | None, paid_on: str | None, days: int) -> None:
    """Early is on time; what was paid without a due day was paid at once."""
    assert column("days_late", {"due_on": due_on, "paid_on": paid_on}) == [days]


@pytest.mark.parametrize(
    ("placed_at", "day"),
    [
        ("2026-05-01T13:59:59Z", date(2026, 5, 1)),
        ("2026-05-01T14:00:00Z", date(2026, 5, 2)),
        ("2026-01-15T12:59:59.999Z", date(2026, 1, 15)),
        ("2026-01-15T13:00:00Z", date(2026, 1, 16)),
        ("2026-01-15T00:30:00+11:00", date(2026, 1, 15)),
        ("2025-10-04T13:59:59Z", date(2025, 10, 4)),
        ("2025-10-05T13:00:00Z", date(2025, 10, 6)),
    ],
)
def test_days_are_days_in_sydney(placed_at: str, day: date) -> None:
    """The day begins at midnight in Sydney, in winter, in summer and on the day the clocks change."""
    assert column("placed_day", {"placed_at": placed_at, "shipped_at": None}) == [day_number(day)]


def test_what_was_not_shipped_says_so() -> None:
    """No shipment is not a shipment on the same day."""
    shipped = ({"shipped_at": None}, {"shipped_at": ORDER["placed_at"]})
    assert column("ship_days", *shipped) == [NOT_SHIPPED, 0]


def test_orders_come_in_order() -> None:
    """Whatever the order of the pages, rows are by the moment of the order, then by its id."""
    rows = [
        {**ORDER, "order_id": name, "placed_at": at, "total": {"amount": amount, "currency": "AUD"}, "shipped_at": None}
        for name, at, amount in (
            ("o-9", "2026-05-01T03:12:00Z", "3"),
            ("o-1", "2026-05-02T03:12:00Z", "4.1"),
            ("o-5", "2026-05-01T03:12:00Z", "2.05"),
            ("o-7", "2026-05-01T13:11:59+10:00", "0.01"),
        )
    ]
    for orders in (rows, rows[::-1]):
        assert history_of(Shop(orders)).orders["amount_cents"].tolist() == [1, 205, 300, 410]


def test_new_fields_are_tolerated() -> None:
    """What the API may add later is ignored, at every level."""
    shop = Shop([{**ORDER, "colour": "red"}], [{**SUPPLIER, "stars": 5}])
    shop.buyer["tier"] = {"gold": True}
    assert history_of(shop) == history_of(Shop())


def test_nothing_open_is_invented() -> None:
    """What the marketplace does not say of a supplier is not said."""
    silent = {**SUPPLIER, "vetted_on": None, "response_rate": None, "response_time_hours": None}
    supplier = history_of(Shop([], [silent])).suppliers[0]
    assert (supplier.vetted_on, supplier.response_rate_bps, supplier.response_hours) == (None, None, None)


# -- what it asks --------------------------------------------------------------------------------------------


def test_three_requests_go_out_at_once() -> None:
    """Buyer, first page and suppliers are asked together: each is answered only once all are."""
    shop, asked, everyone = Shop(), [], asyncio.Event()

    async def tell(ask: Ask) -> Told:
        asked.append(ask)
        if len(asked) == 3:
            everyone.set()
        await everyone.wait()
        return shop.tell(ask)

    fetched(Marketplace(), asking(), Unplugged(tell))
    days = {"from": "2025-08-03", "to": "2026-08-03"}
    assert [(ask.path.removeprefix(f"/v1/buyers/{ABN}"), ask.query) for ask in asked] == [
        ("", {}),
        ("/orders", {**days, "page": "1", "page_size": "1000"}),
        ("/suppliers", {}),
    ]


def test_the_named_supplier_is_asked_for() -> None:
    """A supplier named in the request is included, even if nothing was ever bought from it."""
    conversation = Unplugged(Shop().tell)
    application = business({"application": {"request": {"supplier_id": "s-new"}}})[0]
    fetched(Marketplace(), asking(application), conversation)
    assert [ask.query for ask in conversation.asks if ask.path.endswith("/suppliers")] == [{"include": "s-new"}]


def many(count: int) -> list[Table]:
    """So many orders, newest first."""
    return [
        {**ORDER, "order_id": f"o-{place:05d}", "total": {"amount": str(place), "currency": "AUD"}}
        for place in range(count)
    ]


def test_pages_are_asked_for_until_all_orders_are_there() -> None:
    """2,345 orders are three pages; the third holds the rest."""
    conversation = Unplugged(Shop(many(2_345)).tell)
    history = fetched(Marketplace(), asking(), conversation).value
    assert history.orders["amount_cents"].tolist() == [100 * place for place in range(2_345)]
    assert [ask.query["page"] for ask in conversation.asks if "page" in ask.query] == ["1", "2", "3"]


def test_more_orders_than_can_be_read_are_refused() -> None:
    """Above twenty full pages nothing more is asked: a part of a year would be a wrong year."""
    shop = Shop(many(1_000))
    shop.spoil = lambda ask, told: {**told, "total": 20_001} if "page" in ask.query else told
    conversation = Unplugged(shop.tell)
    assert why_not(Marketplace(), asking(), conversation) == "oversized"
    assert len(conversation.asks) == 3


# -- nothing to be had ---------------------------------------------------------------------------------------


def test_without_consent_nothing_is_asked() -> None:
    """Without the consent the fact is absent, and the marketplace never hears of the applicant."""
    application = business()[0].model_copy(update={"consents": ()})
    conversation = Unplugged(Shop().tell)
    assert fetched(Marketplace(), asking(application), conversation).value is None
    assert conversation.asks == []


def refusing(ending: str, told: Told) -> Shop:
    """A shop that answers so to the requests whose path ends so."""
    shop = Shop()
    shop.spoil = lambda ask, ordinary: told if ask.path.endswith(ending) else ordinary
    return shop


def test_an_unknown_buyer_is_absent() -> None:
    """Only the documented refusal means that nobody of this ABN buys here."""
    shop = Shop()
    shop.spoil = lambda ask, told: Told(b'{"code": "buyer_unknown", "more": 1}', 404)
    assert history_of(shop) is None


@pytest.mark.parametrize(
    "body", [b"", b"<html>Not Found</html>", b"{}", b'{"code": "not_found"}', b'{"code": 1}', b"[]"]
)
def test_any_other_404_is_a_failure(body: bytes) -> None:
    """A wrong address or a broken proxy never reads as "no such buyer"."""
    assert failure_of(refusing(ABN, Told(body, 404))) == "status"


@pytest.mark.parametrize("ending", ["/orders", "/suppliers"])
def test_half_a_buyer_is_a_failure(ending: str) -> None:
    """A buyer who is known, but whose orders or suppliers are not, is a contradiction."""
    assert failure_of(refusing(ending, Told(b'{"code": "buyer_unknown"}', 404))) == "status"


@pytest.mark.parametrize(("status", "why"), [(401, "unauthorised"), (503, "busy"), (500, "status")])
@pytest.mark.parametrize("ending", [ABN, "/orders", "/suppliers"])
def test_each_request_can_fail(ending: str, status: int, why: str) -> None:
    """One of the three failing is the whole failing, by its own word."""
    assert failure_of(refusing(ending, Told(b"{}", status))) == why


# -- contradictions ------------------------------------------------------------------------------------------


def second_page(**change: Any) -> Shop:
    """A shop of 1,500 orders whose second page is changed."""
    shop = Shop(many(1_500))
    shop.spoil = lambda ask, told: {**told, **change} if ask.query.get("page") == "2" else told
    return shop


@pytest.mark.parametrize(
    "shop",
    [
        second_page(total=1_499), second_page(total=1_501), second_page(page=1), second_page(page=3),
        second_page(orders=many(1_500)[1_001:]), second_page(orders=many(1_501)[1_000:]), second_page(orders=[]),
        second_page(orders=many(500)), Shop([ORDER, ORDER]),
        Shop([{**ORDER, "supplier_id": "s-2"}]), Shop([{**ORDER, "supplier_id": "s-2", "status": "placed"}]),
        Shop(suppliers=[SUPPLIER, SUPPLIER]),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(shop: Shop) -> None:
    """Totals that change, pages that are short, long, repeated or another's, strangers among the suppliers."""
    assert failure_of(shop) == "schema"


@pytest.mark.parametrize("change", [{"total": 2}, {"total": 0}, {"total": -1}, {"page": 0}, {"page": 2}])
def test_a_first_page_that_does_not_add_up_is_refused(change: Table) -> None:
    """The first page is checked like the others."""
    shop = Shop()
    shop.spoil = lambda ask, told: {**told, **change} if "page" in ask.query else told
    assert failure_of(shop) == "schema"


def test_the_suppliers_total_is_checked() -> None:
    """A list of suppliers that was cut short is not taken for all of them."""
    shop = Shop()
    shop.spoil = lambda ask, told: {**told, "total": 2} if "suppliers" in told else told
    assert failure_of(shop) == "schema"


@pytest.mark.parametrize("days", range(-368, 4))
def test_orders_lie_in_the_window(days: int) -> None:
    """From a day before the first day asked for to a day after the last; beyond that it answers another question."""
    placed = TODAY + timedelta(days=days)
    order = {**ORDER, "placed_at": f"{placed}T12:00:00+10:00", "shipped_at": None, "due_on": None, "paid_on": None}
    assert failure_of(Shop([order])) == (None if -366 <= days <= 1 else "schema")


@pytest.mark.parametrize("name", sorted(ORDER))
def test_each_field_of_an_order_is_required(name: str) -> None:
    """A missing field is a schema failure: it never stands for nothing."""
    assert failure_of(Shop([{key: value for key, value in ORDER.items() if key != name}])) == "schema"


@pytest.mark.parametrize("name", sorted(SUPPLIER))
def test_each_field_of_a_supplier_is_required(name: str) -> None:
    """The same for a supplier's record."""
    assert failure_of(Shop([], [{key: value for key, value in SUPPLIER.items() if key != name}])) == "schema"


@pytest.mark.parametrize(
    "buyer",
    [
        {"abn": ABN}, {"joined_on": "2021-05-10"}, {"abn": "53004085616", "joined_on": "2021-05-10"},
        {"abn": ABN, "joined_on": "2026-08-05"}, {"abn": ABN, "joined_on": "0001-01-01"},
        {"abn": ABN, "joined_on": None}, {"abn": ABN, "joined_on": 1_620_604_800}, [], None,
    ],
)  # fmt: skip
def test_another_buyer_is_refused(buyer: object) -> None:
    """Another ABN than the one asked about, or a day to come: `schema`."""
    shop = Shop()
    shop.buyer = buyer
    assert failure_of(shop) == "schema"


def money(amount: object, currency: object = "AUD") -> Table:
    """A total."""
    return {"total": {"amount": amount, "currency": currency}}


@pytest.mark.parametrize(
    "change",
    [
        money("10.00", "USD"), money("10.00", None), money(10), money("-1"), money("1.234"), money("1e3"), money(""),
        money("100000001"), money("٣"), {"total": "10.00"}, {"order_id": ""}, {"order_id": "a b"}, {"order_id": 7},
        {"placed_at": "2026-05-01T03:12:00"}, {"placed_at": "2026-05-01"}, {"placed_at": 1_777_605_120},
        {"placed_at": "0"}, {"paid_on": "0"}, {"due_on": "946684800"}, {"placed_at": "0001-01-01T00:00:00+23:59"},
        {"placed_at": "9999-12-31T23:59:59-23:59"}, {"status": "shipped"}, {"cancelled_by": "admin"},
        {"dispute": {"outcome": "draw"}}, {"dispute": {}}, {"dispute": "won"}, {"chargeback": None},
        {"chargeback": "no"}, {"shipped_at": "2026-04-29T00:00:00Z"}, {"shipped_at": "2026-08-06T00:00:00Z"},
        {"shipped_at": "2026-05-04"}, {"paid_on": "2026-08-05"}, {"paid_on": "2026-06-31"}, {"due_on": "0001-01-01"},
        {"due_on": 5},
    ],
)  # fmt: skip
def test_an_order_out_of_range_is_refused(change: Table) -> None:
    """Other currencies, odd amounts, times without a zone, days to come, payments ten years late: `schema`."""
    assert failure_of(Shop([{**ORDER, **change}])) == "schema"


@pytest.mark.parametrize(
    "change",
    [
        {"supplier_id": ""}, {"supplier_id": "x" * 81}, {"active_since": "2026-08-05"}, {"active_since": "1850-01-01"},
        {"vetted_on": "2026-08-05"}, {"orders_12m": -1}, {"orders_12m": 10_000_001}, {"orders_12m": 1.5},
        {"orders_12m": "410"}, {"value_12m": {"amount": "1.00", "currency": "EUR"}},
        {"value_12m": {"amount": "100000000000.01", "currency": "AUD"}}, {"dispute_rate": "1.0001"},
        {"dispute_rate": "-0.01"}, {"dispute_rate": "3%"}, {"dispute_rate": 0.005}, {"on_time_rate": "97"},
        {"response_rate": "2"}, {"response_time_hours": -1}, {"response_time_hours": 10_001},
        {"response_time_hours": "6"}, {"related_to_buyer": None}, {"related_to_buyer": 0},
    ],
)  # fmt: skip
def test_a_supplier_out_of_range_is_refused(change: Table) -> None:
    """The same for a supplier: shares beyond one, negative counts, days to come."""
    assert failure_of(Shop([], [{**SUPPLIER, **change}])) == "schema"


@pytest.mark.parametrize(
    ("share", "bps"), [("0", 0), ("1", 10_000), ("1.0000", 10_000), ("0.00505", 51), ("0.00504999", 50)]
)
def test_a_share_becomes_basis_points(share: str, bps: int) -> None:
    """Shares finer than a basis point are rounded half up."""
    assert history_of(Shop([], [{**SUPPLIER, "dispute_rate": share}])).suppliers[0].dispute_bps == bps


@pytest.mark.parametrize("ending", [ABN, "/orders", "/suppliers"])
@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"page": 1', b"\xff", b"NaNs", b"[" * 50_000])
def test_what_is_no_json_is_malformed(ending: str, body: bytes) -> None:
    """Half an answer or an error page with HTTP 200 is `malformed`, wherever it comes."""
    assert failure_of(refusing(ending, Told(body))) == "malformed"


def test_a_failure_keeps_nothing_of_what_came() -> None:
    """Neither the failure nor what led to it holds a piece of the body."""
    for order in ({"placed_at": "CANARY"}, {"supplier_id": "CANARY"}, {"due_on": "0001-01-01"}):
        with pytest.raises(SourceFailed) as caught:
            history_of(Shop([{**ORDER, **order}]))
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)
        assert "CANARY" not in str(caught.value)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.just({}), st.just([]),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"), st.dates().map(str),
    st.just({"amount": "1", "currency": "AUD"}),
)  # fmt: skip


@given(
    order=st.dictionaries(st.sampled_from(sorted(ORDER)), VALUES, max_size=3),
    supplier=st.dictionaries(st.sampled_from(sorted(SUPPLIER)), VALUES, max_size=2),
    body=st.none() | st.binary(max_size=60),
    ending=st.sampled_from([ABN, "/orders", "/suppliers"]),
)
def test_garbage_is_a_failure_with_a_name(order: Table, supplier: Table, body: bytes | None, ending: str) -> None:
    """Whatever comes, in a field or as a whole, there is a history or SourceFailed; nothing else is raised."""
    shop = Shop([{**ORDER, **order}], [{**SUPPLIER, **supplier}])
    shop.spoil = lambda ask, told: told if body is None or not ask.path.endswith(ending) else Told(body)
    assert failure_of(shop) in {None, "malformed", "schema", "oversized"}
