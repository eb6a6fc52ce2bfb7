"""A story's table turned into engine facts: a made-up business drawn by arithmetic alone.

It does: lay a story over the healthy business, give days ago their dates, and write out its bank lines and orders.
It does not: draw by chance or read a clock: `today` comes in, and moves dates alone. The rule it keeps: every value
is the same whatever the day.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from engine.canonical import canonical_bytes
from engine.facts import SOURCES, Facts
from engine.facts.bank import KINDS, Transactions, day_number
from engine.facts.marketplace import COMPLETED

Table = dict[str, Any]
Add = Callable[..., None]  # age in days, cents, kind, text, and perhaps merchant category and account
_AGO = "_days_ago"
_WORDS = (
    "WATTLE", "KURRAJONG", "BORONIA", "GREVILLEA", "MYRTLE", "CASUARINA", "ACACIA", "CORREA", "LOMANDRA", "HAKEA",
    "DIANELLA", "TELOPEA",
)  # fmt: skip


def laid_over(base: Table, over: Mapping[str, Any]) -> Table:
    """A table with another laid over it, key by key; the text "none" stands for nothing."""
    laid = dict(base)
    for key, value in over.items():
        if isinstance(value, Mapping):
            laid[key] = laid_over(laid.get(key) or {}, value)
        else:
            laid[key] = None if value == "none" else value
    return laid


def dated(value: Any, today: date) -> Any:
    """The same table where `x_days_ago = 5` (or a list of such) has become `x`, the day that was."""
    if isinstance(value, Mapping):
        return {key.removesuffix(_AGO): _day(key, dated(item, today), today) for key, item in value.items()}
    return [dated(item, today) for item in value] if isinstance(value, list) else value


def _day(key: str, value: Any, today: date) -> Any:
    if not key.endswith(_AGO) or value is None:
        return value
    if isinstance(value, list):
        return [_day(key, days, today) for days in value]
    return (today - timedelta(days=value)).isoformat()


def facts_of(tells: Table, abn: str, acn: str | None, today: date) -> Facts:
    """The facts of a story's table, as of the first moment of today."""
    as_of = datetime.combine(today, time(), UTC).isoformat()
    told = dated(tells, today)
    business = {"abn": abn, "acn": acn, "entity_name": told["application"]["business"]["legal_name"]}
    values = {
        "registry": {**business, **_rest(told["registry"])},
        "compliance": _rest(told["compliance"]),
        "marketplace": _marketplace(told["marketplace"], day_number(today)),
        "bank": _bank(told["bank"], abn, today - timedelta(days=1)),
        "bureau": _rest(told["bureau"]),
        "exposure": {},
    }
    facts: Table = {"as_of": as_of}
    for name in SOURCES:
        status = told.get(name, {}).get("status", "present")
        facts[name] = {"source": f"synthetic/sandbox/{name}", "fetched_at": as_of, "status": status}
        if status == "present":
            facts[name]["value"] = values[name]
    return Facts.model_validate_json(canonical_bytes(facts))


def _rest(table: Table) -> Table:
    return {key: value for key, value in table.items() if key != "status"}


def _marketplace(table: Table, today: int) -> Table:
    """Orders spread evenly over the months, the suppliers taking turns; the first supplier may be given otherwise."""
    suppliers, span = int(table["suppliers"]), int(table["months"]) * 30
    count = int(table["orders_a_month"]) * int(table["months"])
    outcomes = list(table.get("outcomes", []))
    ages = [(count - i) * span // count for i in range(count)]  # oldest first, the last placed a few days ago
    orders = {
        "placed_day": [today - age for age in ages],
        "amount_cents": [int(table["order_cents"]) + 1_000 * (i % 7) for i in range(count)],
        "supplier": [i % suppliers for i in range(count)],
        "outcome": [outcomes[i] if i < len(outcomes) else COMPLETED for i in range(count)],
        "days_late": [int(table["days_late"])] * count,
        "ship_days": [1 + i % 3 for i in range(count)],
    }
    records = [
        {"id": f"SUP-{i + 1}", **table["each_supplier"], **(table.get("first_supplier", {}) if i == 0 else {})}
        for i in range(suppliers)
    ]
    return {"joined_on": table["joined_on"], "suppliers": records, "orders": orders}


def _bank(table: Table, abn: str, newest: date) -> Table:
    """Two accounts up to yesterday: takings every day, suppliers, wages, rent, tax, savings, and what a story adds."""
    days, last = int(table["days"]), day_number(newest)
    rows: list[tuple[int, int, int, int, int, int]] = []
    texts: dict[str, int] = {}

    def add(age: int, cents: int, kind: str, text: str, category: int = 0, account: int = 0) -> None:
        rows.append((last - age, account, cents, KINDS.index(kind), category, texts.setdefault(text, len(texts))))

    _trade(table, days, add)
    _trouble(table, days, add)
    rows.sort(key=lambda row: row[0])
    balances = {"everyday": int(table["balance_cents"]), "savings": int(table["savings_cents"])}
    return {
        "evidence": table["evidence"],
        "oldest_on": (newest - timedelta(days=days - 1)).isoformat(),
        "newest_on": newest.isoformat(),
        "accounts": [
            {
                "account_id": f"sandbox-{abn}-{name}", "product_category": "TRANS_AND_SAVINGS_ACCOUNTS",
                "opened_on": table["opened_on"], "current_cents": cents, "available_cents": cents,
            }
            for name, cents in balances.items()
        ],
        "texts": list(texts),
        "transactions": {name: [row[i] for row in rows] for i, name in enumerate(Transactions.columns)},
    }  # fmt: skip


def _trade(table: Table, days: int, add: Add) -> None:
    """An ordinary business's lines; the takings of each day differ by up to a tenth."""
    sales, costs, payers = (int(table[key]) for key in ("sales_a_month_cents", "costs_a_month_cents", "payers"))
    for age in range(days):
        share = int(table["last_half_pct"]) if age < days // 2 else 100
        cents = sales // 30 * (90 + age * 7 % 21) // 100 * share // 100
        add(age, cents, "PAYMENT", f"DIRECT CREDIT {_WORDS[age % payers]} STORES INV{age}")
        if age % 3 == 0:
            add(age, -costs * 65 // 1_000, "PAYMENT", f"SUPPLIER {_WORDS[age // 3 % 5]} WHOLESALE", 5_099)
        if age % 14 == 4:  # noqa: PLR2004 - a fortnight's wages
            add(age, -costs * 93 // 1_000, "TRANSFER_OUTGOING", "WAGES PAYRUN")
        if age % 30 == 10:  # noqa: PLR2004 - once a month
            add(age, -costs * 12 // 100, "DIRECT_DEBIT", "RENT SAMPLE PROPERTY")
            add(age, -1_000, "FEE", "ACCOUNT FEE")
            add(age, -100_000, "TRANSFER_OUTGOING", "TRANSFER TO SAVINGS")
            add(age, 100_000, "TRANSFER_INCOMING", "TRANSFER FROM EVERYDAY", account=1)
        if age % 90 == 30:  # noqa: PLR2004 - once a quarter
            add(age, -costs * 6 // 100, "PAYMENT", "ATO ACTIVITY STATEMENT", 9_311)


def _trouble(table: Table, days: int, add: Add) -> None:
    """What a story adds to the lines: other lenders once a month, dishonours, betting."""
    for lender in table["lenders"]:
        for age in range(5, days, 30):
            add(age, -int(lender["month_cents"]), "DIRECT_DEBIT", f"{lender['name']} REPAYMENT")
    for number in range(int(table["dishonours"])):
        add(7 + 4 * number, -1_500, "FEE", "DISHONOUR FEE")
    for age in range(2, days, 30) if table["gambling_a_month_cents"] else ():
        add(age, -int(table["gambling_a_month_cents"]), "PAYMENT", "SPORTSBET ONLINE", 7_995)
