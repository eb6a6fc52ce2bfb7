"""What sources report: status, time, blocks and reports hold only what can be true."""

import json
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from engine.canonical import canonical_bytes
from engine.facts import SOURCES, BankData, BureauReport, Facts, MarketplaceHistory, Orders, Transactions
from engine.facts.bank import KINDS, day_number
from engine.facts.columns import MARK, MAX_ROWS, Aside
from engine.facts.marketplace import CHARGEBACK, DAY_RANGE, NOT_PAID_YET
from engine.facts.register import entity_class
from engine.facts.standing import Brake, Exposure
from tests.support.businesses import AS_OF, business
from tests.support.stories import stories

CANARY = "CANARY7f3a"
ORDINARY = business()[1]
WRITTEN: dict[str, Any] = ORDINARY.model_dump(mode="json")
ORDER: dict[str, list[int]] = {
    "placed_day": [20_000, 20_001], "amount_cents": [5, 6], "supplier": [0, 1], "outcome": [0, 4],
    "days_late": [-1, 3],
}  # fmt: skip


def rewritten(source: str, **changes: Any) -> Facts:
    """The ordinary facts with one source's fact changed, read from JSON."""
    values = {**WRITTEN, source: {**WRITTEN[source], **changes}}
    return Facts.model_validate_json(canonical_bytes(values))


@pytest.mark.parametrize("source", SOURCES)
def test_only_a_present_fact_has_a_value(source: str) -> None:
    """Present without a value, and absent or failed with one, cannot be built; absent and failed differ."""
    for status, value in (
        ("present", None),
        ("absent", WRITTEN[source]["value"]),
        ("failed", WRITTEN[source]["value"]),
    ):
        with pytest.raises(ValidationError, match="exactly when it is present"):
            rewritten(source, status=status, value=value)
    absent, failed = (rewritten(source, status=status, value=None) for status in ("absent", "failed"))
    assert absent != failed


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_comes_from_the_future(source: str) -> None:
    """A fact fetched after as_of is refused by the source's name; one fetched at as_of is not."""
    assert rewritten(source, fetched_at=AS_OF.isoformat()).as_of == AS_OF
    with pytest.raises(ValidationError, match=f"{source} was fetched after as_of"):
        rewritten(source, fetched_at=(AS_OF + timedelta(microseconds=1)).isoformat())


def test_the_clock_is_one_moment() -> None:
    """The zone in which a time is written does not matter; a time without one is refused."""
    local = {**WRITTEN, "as_of": "2026-08-03T11:00:00+10:00"}
    assert Facts.model_validate_json(canonical_bytes(local)) == ORDINARY
    with pytest.raises(ValidationError, match="needs its zone"):
        rewritten("bank", fetched_at="2026-08-03T01:00:00")


def test_one_made_up_source_makes_facts_synthetic() -> None:
    """Facts count as synthetic as long as any source says so."""
    facts = ORDINARY
    for source in SOURCES:
        assert facts.synthetic
        fact = getattr(facts, source).model_copy(update={"source": f"bureau/{source}"})
        facts = facts.model_copy(update={source: fact})
    assert not facts.synthetic


# -- blocks --------------------------------------------------------------------------------------------------


@st.composite
def order_columns(draw: st.DrawFn) -> dict[str, list[int]]:
    count = draw(st.integers(0, 40))

    def column(low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=count, max_size=count))

    columns = {name: column(*bounds) for name, bounds in Orders.columns.items()}
    return {**columns, "placed_day": sorted(columns["placed_day"])}


@given(order_columns())
def test_a_block_survives_lists(columns: dict[str, list[int]]) -> None:
    """Columns in, the same columns out, as plain integers; arrays give the same block."""
    block = Orders(columns)
    assert block.as_json() == columns
    assert len(block) == len(columns["placed_day"])
    arrays = Orders({name: np.array(values, dtype=np.int64) for name, values in columns.items()})
    assert arrays == block
    assert hash(arrays) == hash(block)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"placed_day": [20_001, 20_000]}, "in order"),
        ({"placed_day": [20_000]}, "same number of rows"),
        ({"placed_day": [-1, 5]}, "between"),
        ({"placed_day": [0, DAY_RANGE[1] + 1]}, "between"),
        ({"amount_cents": [-1, 5]}, "between"),
        ({"amount_cents": [0, 10_000_000_001]}, "between"),
        ({"amount_cents": [0, 2**63]}, "between"),
        ({"outcome": [0, CHARGEBACK + 1]}, "between"),
        ({"days_late": [NOT_PAID_YET - 1, 0]}, "between"),
        ({"amount_cents": [0, 1.0]}, "lists of integers"),
        ({"amount_cents": [0, "1"]}, "lists of integers"),
        ({"amount_cents": [0, True]}, "lists of integers"),
        ({"amount_cents": [0, None]}, "lists of integers"),
        ({"amount_cents": [[0], [1]]}, "lists of integers"),
        ({"amount_cents": "01"}, "lists of integers"),
        ({"amount_cents": np.array([0.0, 1.9])}, "lists of integers"),
        ({"amount_cents": np.array([False, True])}, "lists of integers"),
        ({"amount_cents": np.array([0, 2**64 - 5], dtype=np.uint64)}, "lists of integers"),
        ({"amount_cents": np.array([[0, 1]])}, "between"),
        ({"surprise": [1, 2]}, "exactly"),
    ],
)
def test_a_block_that_exists_is_valid(changes: dict[str, Any], rule: str) -> None:
    """Order, length, range and type are checked column by column, for lists and arrays alike."""
    with pytest.raises(ValueError, match=rule):
        Orders({**ORDER, **changes})


def test_a_block_names_all_its_columns() -> None:
    """A missing column is refused."""
    with pytest.raises(ValueError, match="exactly"):
        Orders({name: column for name, column in ORDER.items() if name != "outcome"})


def test_a_block_has_a_largest_size() -> None:
    """Twenty thousand rows pass, one more does not."""
    columns = {name: [column[0]] * MAX_ROWS for name, column in ORDER.items()}
    assert len(Orders(columns)) == MAX_ROWS == 20_000
    with pytest.raises(ValueError, match="At most"):
        Orders({name: [*column, column[0]] for name, column in columns.items()})


def test_a_block_cannot_be_changed() -> None:
    """Its arrays are read-only, and are not the caller's own."""
    mine = np.array([5, 6], dtype=np.int64)
    block = Orders({**ORDER, "amount_cents": mine})
    mine[0] = 99
    assert block["amount_cents"].tolist() == [5, 6]
    with pytest.raises(ValueError, match="read-only"):
        block["amount_cents"][0] = 1
    assert Orders.empty().as_json() == {name: [] for name in Orders.columns}


@pytest.mark.parametrize("wrong", [[1], "rows", 5, None])
def test_a_block_is_an_object_of_columns(wrong: object) -> None:
    """Anything else in its place is refused."""
    with pytest.raises(ValidationError, match="object of columns"):
        MarketplaceHistory.model_validate({"joined_on": date(2020, 1, 1), "suppliers": (), "orders": wrong})


# -- blocks cut out of JSON ----------------------------------------------------------------------------------

WHOLE = ORDINARY.canonical()
ORDERS_AT = WHOLE.index(b'"orders":{') + len(b'"orders":')
ORDERS_JSON = WHOLE[ORDERS_AT : WHOLE.index(b"}", ORDERS_AT) + 1]


def outcome(read: Any, raw: bytes | str) -> Facts | str:
    """The facts, or everything that is said of what is wrong."""
    try:
        facts: Facts = read(raw)
    except ValidationError as error:
        return str(error)
    return facts


def plainly(raw: bytes | str) -> Facts | str:
    """As pydantic alone reads the same bytes, no block cut out of them."""
    return outcome(partial(BaseModel.model_validate_json.__func__, Facts), raw)  # type: ignore[attr-defined]


def test_a_cut_leaves_the_rest_of_the_json() -> None:
    """Both blocks are read before the rest, and a mark stands in their place: what follows tests the quick way."""
    cut = Aside.cut(WHOLE, {b"orders": Orders, b"transactions": Transactions})
    assert cut is not None
    assert cut[0].count(b"%d" % MARK) == 2
    assert len(cut[0]) < len(WHOLE) / 2
    bank, market = ORDINARY.bank.value, ORDINARY.marketplace.value
    assert bank is not None
    assert market is not None
    assert cut[1].blocks == {Orders: market.orders, Transactions: bank.transactions}


@settings(max_examples=60)
@given(stories())
def test_facts_are_read_as_pydantic_reads_them(told: dict[str, Any]) -> None:
    """Facts of any story are the same with blocks cut out of their bytes, as text, and with blanks between."""
    raw = business(told)[1].canonical()
    plain = plainly(raw)
    assert outcome(Facts.model_validate_json, raw) == plain
    assert outcome(Facts.model_validate_json, raw.decode()) == plain
    assert outcome(Facts.model_validate_json, json.dumps(json.loads(raw), indent=1).encode()) == plain


@settings(max_examples=400)
@given(st.data())
def test_damaged_facts_are_read_as_pydantic_reads_them(data: st.DataObject) -> None:
    """Bytes changed anywhere, most of them near a block, are taken or refused in the same words as without a cut."""
    at = data.draw(st.integers(ORDERS_AT - 40, ORDERS_AT + len(ORDERS_JSON) + 40) | st.integers(0, len(WHOLE) - 1))
    gone = data.draw(st.integers(0, 3))
    put = data.draw(st.sampled_from(PIECES) | st.binary(max_size=2))
    raw = WHOLE[:at] + put + WHOLE[at + gone :]
    assert outcome(Facts.model_validate_json, raw) == plainly(raw)


PIECES = (
    b"", b"0", b"1", b"-", b".0", b"e1", b",", b"[", b"]", b"{", b"}", b'"', b":", b" ", b"null", b"true", b"1.5,",
    b"99999999999999999999", b'"orders":{},', b'"orders":null,', b'"orders":%b,' % ORDERS_JSON, b"%d" % MARK,
    b'"transactions":{},', b'\\"orders":{', b"[[1]]",
)  # fmt: skip


@pytest.mark.parametrize(
    "orders",
    [
        b"null", b"%d" % MARK, b"%d.0" % MARK, b'"%d"' % MARK, b"[]", b"{}", b'{"amount_cents":[]}',
        ORDERS_JSON.replace(b"[", b"[1.0,"), ORDERS_JSON.replace(b"[", b"[true,"), ORDERS_JSON.replace(b"[", b"[-1,"),
        ORDERS_JSON.replace(b"[", b"[[1],"), ORDERS_JSON.replace(b"[", b"[01,"), ORDERS_JSON.replace(b"]", b",9]"),
        ORDERS_JSON.replace(b"[", b"[123456789012345678901234567890,"), ORDERS_JSON.replace(b'"s', b'"\\u0073'),
        ORDERS_JSON.replace(b"{", b'{"outcome":[9],'), ORDERS_JSON.replace(b"}", b',"outcome":[9]}'),
        ORDERS_JSON + b',"orders":null',
        ORDERS_JSON + b',"orders":' + ORDERS_JSON, b'null,"orders":' + ORDERS_JSON,
        ORDERS_JSON + b',"orders":%d' % MARK, b'%d,"orders":' % MARK + ORDERS_JSON,
        ORDERS_JSON + b', "orders" : {}', ORDERS_JSON + b',"x\\"orders":' + ORDERS_JSON,
    ],
    ids=range(24),
)  # fmt: skip
def test_an_odd_block_is_read_as_pydantic_reads_it(orders: bytes) -> None:
    """No block, a block twice, a mark that was there before, numbers of another kind: as without a cut."""
    raw = WHOLE.replace(ORDERS_JSON, orders, 1)
    assert outcome(Facts.model_validate_json, raw) == plainly(raw)


# -- sources -------------------------------------------------------------------------------------------------


def bank(**changes: Any) -> BankData:
    """Two accounts, two texts, two transactions on 2 and 3 August 2026."""
    day = day_number(date(2026, 8, 2))
    account = {"product_category": "TRANS_AND_SAVINGS_ACCOUNTS", "current_cents": 0, "available_cents": 0}
    rows = {
        "posted_day": [day, day + 1], "account": [0, 1], "amount_cents": [100, -50], "kind": [5, 5],
        "merchant_category": [0, 0], "text": [0, 1],
    }  # fmt: skip
    values: dict[str, Any] = {
        "evidence": "connected", "oldest_on": date(2026, 8, 2), "newest_on": date(2026, 8, 3),
        "accounts": [{"account_id": "a", **account}, {"account_id": "b", **account}], "texts": ["x", "y"],
    }  # fmt: skip
    rows.update({name: changes.pop(name) for name in list(changes) if name in rows})
    return BankData.model_validate({**values, "transactions": Transactions(rows), **changes})


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"account": [0, 2]}, "out of range"),
        ({"text": [0, 2]}, "out of range"),
        ({"texts": ["x", "x"]}, "distinct"),
        ({"newest_on": date(2026, 8, 1)}, "before oldest_on"),
        ({"newest_on": date(2026, 8, 2)}, "outside the window"),
        ({"oldest_on": date(2026, 8, 3)}, "outside the window"),
        ({"accounts": []}, "at least 1 item"),
        ({"evidence": "guessed"}, "connected"),
    ],
)
def test_a_statement_fits_together(changes: dict[str, Any], rule: str) -> None:
    """Rows point to accounts and texts that exist, inside the window, and texts are stated once."""
    assert len(bank().transactions) == 2
    with pytest.raises(ValidationError, match=rule):
        bank(**changes)


def test_an_order_points_to_a_supplier() -> None:
    """Orders of a supplier that is not listed are refused."""
    supplier = {
        "id": "SUP-0", "active_since": date(2020, 1, 1), "orders_12m": 1, "value_12m_cents": 1, "dispute_bps": 0,
        "on_time_bps": 10_000,
    }  # fmt: skip
    history = {"joined_on": date(2020, 1, 1), "orders": Orders(ORDER)}
    whole = MarketplaceHistory.model_validate({**history, "suppliers": (supplier, {**supplier, "id": "SUP-1"})})
    assert whole.supplier("SUP-1") is whole.suppliers[1]
    assert whole.supplier("SUP-2") is None
    with pytest.raises(ValidationError, match="out of range"):
        MarketplaceHistory.model_validate({**history, "suppliers": (supplier,)})


@pytest.mark.parametrize(
    ("low", "high", "score", "valid"),
    [(0, 1_000, 1_000, True), (0, 1_200, 0, True), (0, 850, 851, False), (300, 850, 299, False), (500, 500, 500, False),
     (0, 850, None, True)],
)  # fmt: skip
def test_a_bureau_score_lies_in_its_own_range(low: int, high: int, score: int | None, valid: bool) -> None:
    """A score travels with its range and cannot leave it; a thin file has no score."""
    values = {"bureau": "b", "score_name": "s", "score": score, "score_low": low, "score_high": high}
    if valid:
        assert BureauReport.model_validate(values).score == score
    else:
        with pytest.raises(ValidationError, match="score"):
            BureauReport.model_validate(values)


@pytest.mark.parametrize(
    ("codes", "treated"),
    [
        ("IND", "sole_trader"), ("PRV PUB", "company"), ("FPT PTR LPT", "partnership"),
        ("DTT DIT DST FXT FUT HYT PUT PQT CUT TRT", "trust"),
        ("SMF ARF NRF SUP CGE SGE TGE LGE DES", "excluded"), ("COP OIE UIE", "manual"), ("ZZZ", "manual"),
    ],
)  # fmt: skip
def test_entity_types_have_their_class(codes: str, treated: str) -> None:
    """The register's entity type codes as policy treats them; an unknown one goes to a person."""
    assert {entity_class(code) for code in codes.split()} == {treated}


def test_the_code_goes_before_the_name() -> None:
    """A name that says trust decides only where the code is unknown."""
    assert entity_class("ZZZ", "The Banksia Trust") == "trust"
    assert entity_class("PRV", "TRUST ME PTY LTD") == "company"


@pytest.mark.parametrize("segment", ["all", "division:H", "state:NSW", "entity:sole_trader"])
def test_a_brake_names_its_segment(segment: str) -> None:
    """All, a division, a state or an entity type; nothing else."""
    assert Brake(kind="refer_all", segment=segment).segment == segment
    for wrong in (segment.upper(), f"{segment} ", "postcode:2000", f"{segment}\n", ""):
        with pytest.raises(ValidationError):
            Brake(kind="refer_all", segment=wrong)


@settings(max_examples=30)
@given(st.sampled_from(SOURCES), st.sampled_from([CANARY, [CANARY], {"k": CANARY}, -98_765_431.5]))
def test_errors_hold_no_value(source: str, wrong: object) -> None:
    """A wrong value in a source's report, or in place of it, leaves no trace in the error."""
    value = WRITTEN[source]["value"]
    for field in [None, *value]:
        error = refusal(source, wrong if field is None else {**value, field: wrong})
        if error is None:  # only free text takes the canary
            taken = {"entity_name", "bureau", "score_name"} if wrong == CANARY else {"business_names", "fraud_flags"}
            assert field in taken
        else:
            assert CANARY not in error
            assert "98765431" not in error


def refusal(source: str, value: object) -> str | None:
    """What is said of a source's value that is refused, None where it is taken."""
    try:
        rewritten(source, value=value)
    except ValidationError as error:
        return str(error)
    return None


def test_kinds_are_those_of_the_standards() -> None:
    """The eight transaction types of the Consumer Data Standards, BankingTransactionV2."""
    assert set(KINDS) == {
        "DIRECT_DEBIT", "FEE", "INTEREST_CHARGED", "INTEREST_PAID", "OTHER", "PAYMENT", "TRANSFER_INCOMING",
        "TRANSFER_OUTGOING",
    }  # fmt: skip
    assert datetime(2026, 8, 3, 1, tzinfo=UTC) == AS_OF


def test_an_exposure_from_before_there_were_guards_still_reads() -> None:
    """Facts of an earlier engine parse, and every count that they do not have is nought."""
    old = Exposure.model_validate_json('{"business_cents":1,"group_cents":2,"brakes":[]}')
    assert (old.business_cents, old.group_cents) == (1, 2)
    assert set(old.guards.model_dump().values()) == {0}
