"""The standards' banking JSON into facts: published shapes, windows, and everything that must not pass."""

import json
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sandbox import Ask, Told
from api.sources.bank import Bank
from engine.facts.bank import KINDS, day_number
from engine.features.statement import summarise
from tests.support.holder import (
    BALANCES,
    EVERYDAY,
    LISTS,
    NEWEST,
    PURCHASE,
    SALE,
    SAVER,
    START,
    Holder,
    failure,
    question,
    read,
    row,
    spoiled,
)
from tests.support.unplugged import Unplugged, fetched

# -- what it reads ---------------------------------------------------------------------------------------------


def test_a_bank_becomes_facts() -> None:
    """Accounts, balances and rows of the published shapes land where they belong; account numbers nowhere."""
    bank = read()
    assert (bank.evidence, bank.oldest_on, bank.newest_on) == ("connected", START, NEWEST)
    everyday, saver = bank.accounts
    assert (everyday.account_id, everyday.current_cents, everyday.opened_on) == (
        "ev/ery day",
        512_000,
        date(2019, 5, 1),
    )
    assert (saver.account_id, saver.available_cents) == ("saver", 90_000)
    assert bank.transactions.as_json() == {
        "posted_day": [day_number(date(2026, 7, 1)), day_number(date(2026, 8, 1))],
        "account": [0, 0],
        "amount_cents": [-25_050, 100_123],
        "kind": [KINDS.index("DIRECT_DEBIT"), KINDS.index("PAYMENT")],
        "merchant_category": [5039, 0],
        "text": [0, 0],
    }
    assert b"4321" not in bank.canonical()


def test_accounts_without_anything_to_read_are_absent() -> None:
    """A consent that shares no account, or only one in another currency, gives nothing to be had."""
    assert fetched(Bank(), question(), Unplugged(Holder({"accounts": [], "balances": []}))).value is None
    lists = {"accounts": [SAVER], "balances": [{**BALANCES[1], "currency": "USD"}]}
    assert fetched(Bank(), question(), Unplugged(Holder(lists))).value is None


def test_pending_rows_do_not_count() -> None:
    """A pending row has no posting time and cannot be linked to the posted row that follows."""
    pending = {**SALE, "transactionId": None, "status": "PENDING", "postingDateTime": None, "amount": "9.00"}
    assert read(**{"ev/ery day": [pending, SALE, PURCHASE]}) == read()


def test_today_takes_the_balance_back_to_yesterday() -> None:
    """The window ends with yesterday: what was posted since then is in the bank's balance but not in ours."""
    today = row(3, date(2026, 8, 3), "120.00")
    bank = read(**{"ev/ery day": [today, SALE, PURCHASE]})
    assert bank.accounts[0].current_cents == 512_000 - 12_000
    assert bank.transactions == read().transactions


def test_rows_before_the_window_do_not_count() -> None:
    """A bank that gives more than was asked for changes nothing."""
    early = row(0, date(2026, 2, 3), "7.00")
    assert read(**{"ev/ery day": [SALE, PURCHASE, early]}).transactions == read().transactions


def test_the_window_is_sydney_s() -> None:
    """Late in the evening in UTC it is the next day already."""
    late = fetched(Bank(), question(datetime(2026, 8, 3, 15, 0, tzinfo=UTC)), Unplugged(Holder())).value
    assert (late.oldest_on, late.newest_on) == (START + timedelta(days=1), NEWEST + timedelta(days=1))


@pytest.mark.parametrize(
    ("everyday", "saver", "oldest"),
    [
        ("2019-05-01", "2026-07-15", START),  # the earliest account counts
        ("2026-06-15", "2026-07-15", date(2026, 6, 15)),
        ("2026-07-20", "2026-07-25", date(2026, 7, 1)),  # a row proves an earlier beginning
        (None, None, date(2026, 7, 1)),  # only the rows tell
        (None, "2026-06-20", date(2026, 6, 20)),
        ("2026-08-09", "2026-08-09", date(2026, 7, 1)),
    ],
)
def test_coverage_is_not_overstated(everyday: str | None, saver: str | None, oldest: date) -> None:
    """A window begins with the earliest everyday account, by its date of creation or its first row."""
    accounts = [{**EVERYDAY, "creationDate": everyday}, {**SAVER, "creationDate": saver}]
    assert read(accounts=accounts).oldest_on == oldest


def test_an_old_card_does_not_lengthen_a_new_account() -> None:
    """Rows of a card from before the everyday account began are left out with the days they stand on."""
    card = {**SAVER, "creationDate": "2015-01-01", "productCategory": "CRED_AND_CHRG_CARDS"}
    bought = row(5, date(2026, 3, 1), "-40.00", "saver")
    bank = read(accounts=[{**EVERYDAY, "creationDate": "2026-06-15"}, card], saver=[bought])
    assert bank.oldest_on == date(2026, 6, 15)
    assert len(bank.transactions) == 2


def test_an_account_of_a_newer_category_is_left_out() -> None:
    """A category that later standards add takes one account away, and its rows are not even asked for."""
    talk = Unplugged(Holder(spoiled("accounts", 1, productCategory="DIGITAL_WALLETS")))
    bank = fetched(Bank(), question(), talk).value
    assert [account.account_id for account in bank.accounts] == ["ev/ery day"]
    assert len(talk.asks) == 3


def test_a_bank_of_newer_categories_only_is_not_understood() -> None:
    """Where no category is known, nothing was learnt: failed, not absent."""
    accounts = [{**account, "productCategory": "DIGITAL_WALLETS"} for account in (EVERYDAY, SAVER)]
    assert failure(accounts=accounts) == "schema"


def test_others_accounts_are_left_out() -> None:
    """An account that the applicant may see but does not own is none of theirs."""
    assert len(read(accounts=[EVERYDAY, {**SAVER, "isOwned": False}]).accounts) == 1


def test_a_newer_kind_is_another_kind() -> None:
    """A kind of transaction that later standards add is OTHER, and a wrong merchant code is none."""
    bank = read(**spoiled("ev/ery day", 0, type="ROUND_UP", merchantCategoryCode="none"))
    assert int(bank.transactions["kind"][1]) == KINDS.index("OTHER")
    assert int(bank.transactions["merchant_category"][1]) == 0


def test_a_closed_account_needs_no_balance() -> None:
    """A closed account holds no money, so that a balance left out of the list is zero."""
    bank = read(accounts=[EVERYDAY, {**SAVER, "openStatus": "CLOSED"}], balances=BALANCES[:1])
    assert (bank.accounts[1].open, bank.accounts[1].current_cents) == (False, 0)


def test_control_characters_do_not_get_into_texts() -> None:
    """Line breaks and the like become spaces; other scripts stay."""
    bank = read(**spoiled("ev/ery day", 0, description="A\r\n\x00B\u2028 é"))
    assert bank.texts[0] == "A B  é"


def test_a_long_account_id_is_held_by_its_digest() -> None:
    """The standards allow longer ids than facts do; such a one stays distinct and is asked for as it is."""
    long = "x" * 150
    lists = spoiled("accounts", 1, accountId=long) | {long: []}
    lists["balances"] = [BALANCES[0], {**BALANCES[1], "accountId": long}]
    assert len(read(**lists).accounts[1].account_id) == 64


# -- what must not pass ----------------------------------------------------------------------------------------

REQUIRED = {
    "accounts": ("accountId", "productCategory"),
    "balances": ("accountId", "currentBalance", "availableBalance"),
    "ev/ery day": ("accountId", "type", "status", "amount", "description", "postingDateTime"),
}


@pytest.mark.parametrize(("place", "name"), [(place, name) for place, names in REQUIRED.items() for name in names])
def test_a_required_field_is_required(place: str, name: str) -> None:
    """Each field that is read and that the standards require, missing or of another type, fails the fact."""
    assert failure(**spoiled(place, 0, **{name: None})) == "schema"
    assert failure(**spoiled(place, 0, **{name: 5})) == "schema"


@pytest.mark.parametrize("part", ["data", "meta"])
def test_the_envelope_is_required(part: str) -> None:
    """A page without its data or totals is none."""

    class Bare(Holder):
        def edit(self, _ask: Ask, body: dict[str, Any]) -> Any:
            return {name: value for name, value in body.items() if name != part}

    assert failure(Bare()) == "schema"


@pytest.mark.parametrize("amount", [
    "1,000.00", "$5.00", "+5.00", "", "-", "1e3", ".50", "5.", "NaN", "１.00", "5.00\n", "5.00\n6.00", " 5.00",
    "100000000.01", "-9999999999999999.00", "99999999999999999.00", "1" * 5_000,
])  # fmt: skip
def test_an_amount_is_an_amount_within_reason(amount: str) -> None:
    """Separators, signs, exponents, sixteen digits and more fail the fact; nothing is rounded to fit."""
    assert failure(**spoiled("ev/ery day", 0, amount=amount)) == "schema"


def test_amounts_with_other_decimals_are_read() -> None:
    """One row with more decimals, or with none, does not change how the others are read."""
    rows = [row(1, NEWEST, "5"), row(2, NEWEST, "-1.005"), row(3, NEWEST, "7.25"), row(4, NEWEST, "0.0000")]
    assert read(**{"ev/ery day": rows}).transactions["amount_cents"].tolist() == [500, -101, 725, 0]


@pytest.mark.parametrize(
    ("place", "number", "changes"),
    [
        ("accounts", 1, {"accountId": "ev/ery day"}),
        ("accounts", 0, {"accountId": "a\nb"}),
        ("accounts", 0, {"accountId": "x" * 201}),
        ("accounts", 0, {"accountId": ""}),
        ("accounts", 0, {"openStatus": "AJAR"}),
        ("accounts", 0, {"creationDate": "yesterday"}),
        ("balances", 1, {"accountId": "ev/ery day"}),
        ("balances", 1, {"accountId": "another"}),
        ("balances", 0, {"currentBalance": "99999999999999.99"}),
        ("ev/ery day", 0, {"transactionId": "t-1"}),
        ("ev/ery day", 0, {"accountId": "saver"}),
        ("ev/ery day", 0, {"currency": "USD"}),
        ("ev/ery day", 0, {"status": "MAYBE"}),
        ("ev/ery day", 0, {"postingDateTime": "2026-08-01"}),
        ("ev/ery day", 0, {"postingDateTime": "2026-08-01T09:30:00"}),
        ("ev/ery day", 0, {"postingDateTime": "2026-02-30T09:30:00Z"}),
        ("ev/ery day", 0, {"postingDateTime": "2026-08-05T09:30:00Z"}),
    ],
)
def test_what_does_not_fit_together_is_refused(place: str, number: int, changes: dict[str, Any]) -> None:
    """Repeated or foreign ids, accounts without a balance, other currencies, days that are none or to come."""
    assert failure(**spoiled(place, number, **changes)) == "schema"


GARBAGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "meta", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(GARBAGE, st.sampled_from(["accounts", "balances", "transactions"]))
def test_garbage_only_fails(garbage: Any, place: str) -> None:
    """Whatever JSON takes the place of a page, the fact is failed or read; nothing else is raised."""

    class Wild(Holder):
        def edit(self, _ask: Ask, body: dict[str, Any]) -> Any:
            return Told(json.dumps(garbage).encode()) if place in body["data"] else body

    assert failure(Wild()) == "schema"


@given(st.sampled_from(list(REQUIRED)), st.sampled_from([*EVERYDAY, *BALANCES[0], *SALE]), GARBAGE)
def test_garbage_in_a_field_only_fails(place: str, name: str, garbage: Any) -> None:
    """Whatever stands in one field, the fact is read or failed as schema."""
    lists = deepcopy(LISTS)
    lists[place][0][name] = garbage
    assert failure(**lists) in (None, "schema")


@given(st.binary(max_size=80))
def test_bytes_that_are_not_json_only_fail(body: bytes) -> None:
    """Not JSON is malformed, JSON of another shape is schema."""

    class Wild(Holder):
        def edit(self, _ask: Ask, _body: dict[str, Any]) -> Any:
            return Told(body)

    assert failure(Wild()) in {"malformed", "schema"}


def test_json_without_end_only_fails() -> None:
    """A body nested a hundred thousand deep ends as any other that is not read."""

    class Deep(Holder):
        def edit(self, _ask: Ask, _body: dict[str, Any]) -> Any:
            return Told(b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}")

    assert failure(Deep()) in {"malformed", "schema"}


# -- what features make of it ----------------------------------------------------------------------------------


def test_the_balances_of_past_days_are_rebuilt() -> None:
    """The standards give no running balance: it is taken back from the current one, row by row."""
    rows = [row(2, NEWEST, "-6000.00"), row(1, NEWEST - timedelta(days=1), "8000.00")]
    summary = summarise(read(**{"ev/ery day": rows}))
    # 900 in the saver; everyday 5,120 at the end, 11,120 a day before, 3,120 before that.
    assert (summary.balance_low, summary.coverage_days, summary.negative_days) == (402_000, 180, 0)


def test_transfers_between_own_accounts_are_no_sales() -> None:
    """Money moved from the saver and back is neither revenue nor cost."""
    moved = [
        row(7, NEWEST, "500.00", type="TRANSFER_INCOMING", description="FROM SAVER"),
        row(8, NEWEST - timedelta(days=9), "-80.00", type="TRANSFER_OUTGOING", description="TO SAVER"),
    ]
    mirrored = [
        row(9, NEWEST - timedelta(days=1), "-500.00", "saver", type="OTHER", description="WITHDRAWAL"),
        row(10, NEWEST - timedelta(days=8), "80.00", "saver", type="OTHER", description="DEPOSIT"),
    ]
    summary = summarise(read(**{"ev/ery day": [*moved, SALE, PURCHASE], "saver": mirrored}))
    plain = summarise(read())
    assert (summary.revenue, summary.net_flow, summary.outflow) == (plain.revenue, plain.net_flow, plain.outflow)
    alone = summarise(read(**{"ev/ery day": [*moved, SALE, PURCHASE]}))
    assert alone.revenue != plain.revenue


def test_rows_come_oldest_first() -> None:
    """However a bank orders its pages, days rise."""
    rows = [row(n, NEWEST - timedelta(days=n * 7 % 30), "1.00") for n in range(30)]
    days = read(**{"ev/ery day": rows}).transactions["posted_day"].tolist()
    assert all(a <= b for a, b in pairwise(days))
