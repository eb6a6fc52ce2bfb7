"""Bank data in the Consumer Data Standards' JSON (version 1.36.0) into engine facts, and back.

Shapes: BankingAccountV3, BankingBalance and BankingTransactionV2 of https://consumerdatastandardsaustralia.github.io/
standards/.
"""

import json
from collections import Counter
from copy import deepcopy
from dataclasses import asdict
from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.facts.bank import KINDS, BankData, ProductCategory, day_number
from engine.facts.statement import STATEMENT, all_cents, amount_string, bank_data, cents, statement_of
from engine.features.statement import summarise
from tests.support.businesses import business
from tests.support.statements import random_bank

CANARY = "CANARY7f3a"
SALE: dict[str, Any] = {
    "accountId": "acc-1", "transactionId": "t-2", "isDetailAvailable": False, "type": "PAYMENT", "status": "POSTED",
    "description": "DIRECT CREDIT WATTLE STORES", "postingDateTime": "2026-08-02T09:30:00+10:00",
    "valueDateTime": "2026-08-02T09:30:00+10:00", "amount": "1001.23", "currency": "AUD", "reference": "",
}  # fmt: skip
PURCHASE: dict[str, Any] = {
    **SALE, "transactionId": "t-1", "amount": "-250.50", "description": "HAKEA WHOLESALE",
    "postingDateTime": "2026-07-30T23:59:59.123+10:00", "merchantName": "Hakea", "merchantCategoryCode": "5039",
}  # fmt: skip
PLAIN: dict[str, Any] = {
    "oldest": "2026-07-01",
    "newest": "2026-08-02",
    "accounts": [
        {
            "accountId": "acc-1", "displayName": "Business One", "openStatus": "OPEN", "isOwned": True,
            "accountOwnership": "ONE_PARTY", "maskedNumber": "xxxx1234", "creationDate": "2019-05-01",
            "productCategory": "TRANS_AND_SAVINGS_ACCOUNTS", "productName": "Everyday Business",
        },
        {"accountId": "acc-2", "productCategory": "OVERDRAFTS", "openStatus": "CLOSED"},
    ],
    "balances": [
        {
            "accountId": "acc-1", "currentBalance": "5120.00", "availableBalance": "5000.00", "currency": "AUD",
            "creditLimit": "0.00", "amortisedLimit": "0.00",
        },
        {"accountId": "acc-2", "currentBalance": "-99.9", "availableBalance": "0", "creditLimit": "2000.00"},
    ],
    "transactions": [SALE, PURCHASE],
}  # fmt: skip


def parsed(values: dict[str, Any]) -> BankData:
    return bank_data(STATEMENT.validate_json(json.dumps(values)), "connected")


def changed(*path: str | int, to: object) -> dict[str, Any]:
    """The plain statement with one value replaced."""
    values: Any = deepcopy(PLAIN)
    place = values
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return dict(values)


def test_a_bank_s_json_becomes_facts() -> None:
    """Accounts, balances and transactions land where they belong, oldest first, in cents; the rest is ignored."""
    bank = parsed(PLAIN)
    assert (bank.evidence, bank.oldest_on, bank.newest_on) == (
        "connected",
        date(2026, 7, 1),
        date(2026, 8, 2),
    )
    everyday, overdraft = bank.accounts
    assert (everyday.current_cents, everyday.available_cents, everyday.opened_on) == (
        512_000,
        500_000,
        date(2019, 5, 1),
    )
    assert (overdraft.current_cents, overdraft.credit_limit_cents, overdraft.open) == (-9_990, 200_000, False)
    assert bank.transactions.as_json() == {
        "posted_day": [day_number(date(2026, 7, 30)), day_number(date(2026, 8, 2))],
        "account": [0, 0],
        "amount_cents": [-25_050, 100_123],
        "kind": [KINDS.index("PAYMENT")] * 2,
        "merchant_category": [5039, 0],
        "text": [1, 0],
    }
    assert bank.texts == ("DIRECT CREDIT WATTLE STORES", "HAKEA WHOLESALE")


def test_pending_transactions_are_left_out() -> None:
    """A pending row cannot be linked to the posted one that follows, so it does not count, dated or not."""
    pending = {**SALE, "status": "PENDING", "amount": "9.00"}
    del pending["postingDateTime"]
    assert parsed(changed("transactions", to=[pending, SALE, PURCHASE])) == parsed(PLAIN)


def test_a_day_is_the_bank_s_day() -> None:
    """The date is taken as the bank wrote it, whatever its zone."""
    for written in ("2026-07-30T00:00:00Z", "2026-07-30T23:59:59-11:00", "2026-07-30T12:00:00.000000+10:00"):
        bank = parsed(changed("transactions", 1, "postingDateTime", to=written))
        assert int(bank.transactions["posted_day"][0]) == day_number(date(2026, 7, 30))


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("-1001.23", -100_123), ("0.00", 0), ("-0.01", -1), ("-0.50", -50), ("5", 500), ("-5", -500), ("7.1", 710),
        ("1.005", 101), ("-1.005", -101), ("1.0049", 100), ("99999999999.99", 9_999_999_999_999), ("00012.30", 1_230),
    ],
)  # fmt: skip
def test_amounts_are_exact(text: str, amount: int) -> None:
    """Decimal strings to whole cents, half away from zero where a bank gives more than two decimals."""
    assert cents(text) == amount


@given(st.integers(-(10**12), 10**12))
def test_an_amount_survives_its_string(amount: int) -> None:
    """Cents written the standards' way read back as the same cents."""
    assert cents(amount_string(amount)) == amount


AMOUNTS = st.from_regex(r"-?[0-9]{1,14}(\.[0-9]{1,4})?", fullmatch=True, alphabet=st.characters(codec="ascii"))


@given(st.lists(AMOUNTS) | st.lists(st.from_regex(r"-?[0-9]{1,14}\.[0-9]{2}", fullmatch=True)))
def test_many_amounts_are_read_as_one_by_one(amounts: list[str]) -> None:
    """The quick way over a whole column gives what the slow one gives, whatever the decimals."""
    assert all_cents(amounts).tolist() == [cents(amount) for amount in amounts]


@pytest.mark.parametrize("wrong", ["5.00\n6.00", "5.00\n", "", "1,0.00", "1e3.00", "٣.00", " 5.00", "NaN", "--1.00"])
def test_one_wrong_amount_among_many_is_refused(wrong: str) -> None:
    """Nothing slips through by what stands beside it."""
    with pytest.raises(ValueError, match="decimal string"):
        all_cents(["1.00", wrong, "2.00"])


WRONG_AMOUNTS = (
    "1,000.00",
    "$5.00",
    "+5.00",
    "",
    "-",
    "1e3",
    ".50",
    "5.",
    "NaN",
    "1.00000",
    "１.00",
    "5.00\n",
    5,
    5.0,
    None,
)


@pytest.mark.parametrize("wrong", WRONG_AMOUNTS)
def test_an_amount_is_an_amount_string(wrong: object) -> None:
    """Numbers, signs, separators, exponents and anything else are refused, by path."""
    with pytest.raises(ValidationError) as caught:
        parsed(changed("transactions", 1, "amount", to=wrong))
    assert [e["loc"] for e in caught.value.errors()] == [("transactions", 1, "amount")]


def test_every_fault_is_reported_by_path() -> None:
    """One answer names each field that is wrong."""
    values = changed("transactions", 0, "type", to="GIFT")
    values["transactions"][1]["status"] = "MAYBE"
    values["transactions"][1]["merchantCategoryCode"] = "77777"
    values["accounts"][0]["productCategory"] = "PIGGY_BANK"
    values["balances"][1]["currentBalance"] = 5
    values["newest"] = "2026-13-01"
    values["surprise"] = 1
    with pytest.raises(ValidationError) as caught:
        parsed(values)
    assert {".".join(map(str, e["loc"])) for e in caught.value.errors()} == {
        "transactions.0.type", "transactions.1.status", "transactions.1.merchantCategoryCode",
        "accounts.0.productCategory", "balances.1.currentBalance", "newest", "surprise",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        (("transactions", 0, "accountId"), "acc-9", "listed accountId"),
        (("accounts", 1, "accountId"), "acc-1", "repeated"),
        (("balances", 1, "accountId"), "acc-9", "needs a balance"),
        (("newest",), "2026-08-01", "outside the window"),
        (("oldest",), "2026-07-31", "outside the window"),
        (("newest",), "2026-06-01", "before oldest_on"),
        (("transactions", 0, "postingDateTime"), "2026-02-30T09:30:00+10:00", "day"),
        (("transactions", 0, "amount"), "99999999999.99", "between"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_named(path: tuple[str | int, ...], value: str, what: str) -> None:
    """Unknown or repeated accounts, days outside the window and amounts beyond belief are ValueErrors."""
    with pytest.raises(ValueError, match=what):
        parsed(changed(*path, to=value))


def test_a_posted_transaction_has_its_day() -> None:
    """The standards make the posting time mandatory where a transaction is posted."""
    undated = {name: value for name, value in SALE.items() if name != "postingDateTime"}
    with pytest.raises(ValueError, match="postingDateTime"):
        parsed(changed("transactions", to=[undated]))


def test_long_descriptions_are_cut() -> None:
    """200 characters of a description are kept; texts that agree so far are one text."""
    rows = [{**SALE, "description": "x" * 200 + end} for end in ("", "y", "z")]
    assert parsed(changed("transactions", to=rows)).texts == ("x" * 200,)


def test_a_statement_of_no_transactions_is_a_statement() -> None:
    """Nothing moved is a fact, not a fault."""
    bank = parsed(changed("transactions", to=[]))
    assert len(bank.transactions) == 0
    assert bank.texts == ()


def test_every_category_of_the_standards_is_known() -> None:
    """The thirteen product categories of BankingProductCategory."""
    assert set(get_args(ProductCategory)) == {
        "BUSINESS_LOANS", "BUY_NOW_PAY_LATER", "CRED_AND_CHRG_CARDS", "LEASES", "MARGIN_LOANS", "OVERDRAFTS",
        "PERS_LOANS", "REGULATED_TRUST_ACCOUNTS", "RESIDENTIAL_MORTGAGES", "TERM_DEPOSITS", "TRADE_FINANCE",
        "TRANS_AND_SAVINGS_ACCOUNTS", "TRAVEL_CARDS",
    }  # fmt: skip


def rows_of(bank: BankData) -> Counter[tuple[object, ...]]:
    """The transactions as a bag, texts spelled out: a bank's order within a day means nothing."""
    columns = bank.transactions.as_json()
    columns["text"] = [bank.texts[i] for i in columns["text"]]  # type: ignore[misc]
    return Counter(zip(*columns.values(), strict=True))


@pytest.mark.parametrize("seed", range(40))
def test_facts_survive_the_standards_json(seed: int) -> None:
    """Facts written as a bank would list them, newest first, and read again hold the same."""
    bank = random_bank(seed)
    written = STATEMENT.dump_json(statement_of(bank))
    again = bank_data(STATEMENT.validate_json(written), "connected")
    assert rows_of(again) == rows_of(bank)
    assert again.accounts == bank.accounts
    assert (again.oldest_on, again.newest_on) == (bank.oldest_on, bank.newest_on)
    days = [t["postingDateTime"][:10] for t in statement_of(bank)["transactions"]]
    assert days == sorted(days, reverse=True)


def test_a_story_decides_alike_from_either_form() -> None:
    """The ordinary business's statement has the same summary before and after the standards' JSON."""
    bank = business()[1].bank.value
    assert bank is not None
    again = bank_data(STATEMENT.validate_python(statement_of(bank)), "connected")
    assert asdict(summarise(again)) == asdict(summarise(bank))


@pytest.mark.parametrize(
    "path",
    [
        *((part, 0, name) for part in ("accounts", "balances", "transactions") for name in PLAIN[part][0]),
        *((name,) for name in PLAIN),
    ],
    ids=lambda path: ".".join(map(str, path)),
)
def test_errors_hold_no_value(path: tuple[str | int, ...]) -> None:
    """A wrong value anywhere in a statement leaves no trace in the error; ignored fields may hold anything."""
    for wrong in (f"{CANARY}\n", [CANARY], {"k": CANARY}, -98_765_431.5):
        said = refusal(changed(*path, to=wrong))
        assert CANARY not in said
        assert "98765431" not in said


def refusal(values: dict[str, Any]) -> str:
    """What is said of a statement that is refused; nothing where it is taken."""
    try:
        parsed(values)
    except ValueError as error:
        return str(error)
    return ""
