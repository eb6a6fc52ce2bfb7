"""Random statements and order histories, and slow plain summaries of them to check the fast ones against.

It does: draw small eventful statements from a seed, and sum them up row by row as the definitions read. It does
not: share a line with engine.features. The rule it keeps: loops and exact integers, nothing clever.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from engine.facts import Account, BankData, MarketplaceHistory, Orders, Supplier, Transactions
from engine.facts.bank import KINDS

NEWEST = date(2026, 8, 2)
EPOCH = date(1970, 1, 1)
TEXTS = (
    "DIRECT CREDIT WATTLE STORES INV1", "DIRECT CREDIT WATTLE STORES INV22", "BORONIA CAFE", "TFR TO SAVINGS",
    "Transfer from main", "DISHONOUR FEE", "RETURNED ITEM 123", "ATO ATO0001234", "PROSPA REPAYMENT",
    "MOULA 881", "BUSINESS LOAN DRAWDOWN", "REFUND BORONIA", "OWNER CONTRIBUTION", "SPORTSBET 8", "WAGES AUGUST",
    "SUPPLIER HAKEA", "INTERNET DEPOSIT", "", "1234 5678",
)  # fmt: skip
MEANINGS = {
    "dishonour": {"DISHONOUR", "RETURNED"},
    "tax": {"ATO"},
    "lender": {"PROSPA", "MOULA", "LOAN"},
    "not_sales": {"REFUND"},
    "injection": {"OWNER", "CONTRIBUTION"},
    "gambling": {"SPORTSBET"},
    "own": {"TFR", "TRANSFER"},
}
CATEGORIES = ("TRANS_AND_SAVINGS_ACCOUNTS", "TRANS_AND_SAVINGS_ACCOUNTS", "CRED_AND_CHRG_CARDS", "OVERDRAFTS")


def random_bank(seed: int) -> BankData:
    """A statement of up to four accounts, 200 days and 150 rows, with amounts that often repeat and cancel."""
    dice = random.Random(seed)
    days = dice.choice([1, 29, 30, 45, 90, 179, 180, 200])
    accounts = tuple(
        Account.model_validate(
            {
                "account_id": f"account-{i}", "product_category": dice.choice(CATEGORIES) if i else CATEGORIES[0],
                "open": dice.random() < 0.8, "current_cents": dice.randint(-200_000, 400_000),
                "available_cents": 0, "credit_limit_cents": dice.choice([0, 500_000]),
            }
        )
        for i in range(dice.randint(1, 4))
    )  # fmt: skip
    texts = tuple(dice.sample(TEXTS, dice.randint(1, len(TEXTS))))
    newest = (NEWEST - EPOCH).days
    rows = sorted(newest - dice.randint(0, days - 1) for _ in range(dice.randint(0, 150)))
    sizes = [dice.randint(1, 900_00) for _ in range(6)]
    return BankData(
        evidence="connected",
        oldest_on=NEWEST - timedelta(days=days - 1),
        newest_on=NEWEST,
        accounts=accounts,
        texts=texts,
        transactions=Transactions(
            {
                "posted_day": rows,
                "account": [dice.randrange(len(accounts)) for _ in rows],
                "amount_cents": [dice.choice([-1, 1]) * dice.choice(sizes) for _ in rows],
                "kind": [dice.randrange(len(KINDS)) for _ in rows],
                "merchant_category": [dice.choice([0, 0, 0, 7995, 7801, 5411]) for _ in rows],
                "text": [dice.randrange(len(texts)) for _ in rows],
            }
        ),
    )


def random_history(seed: int) -> MarketplaceHistory:
    """Up to 80 orders of up to five suppliers, some outside the year."""
    dice = random.Random(seed)
    today = (NEWEST - EPOCH).days
    count, suppliers = dice.choice([0, 1, 5, 80]), dice.randint(1, 5)
    supplier = Supplier(
        id="SUP-0",
        active_since=date(2020, 1, 1),
        orders_12m=1,
        value_12m_cents=1,
        dispute_bps=0,
        on_time_bps=0,
    )
    return MarketplaceHistory(
        joined_on=date(2021, 1, 1),
        suppliers=tuple(supplier.model_copy(update={"id": f"SUP-{i}"}) for i in range(suppliers)),
        orders=Orders(
            {
                "placed_day": sorted(today - dice.randint(-3, 400) for _ in range(count)),
                "amount_cents": [dice.choice([0, dice.randint(1, 10**7)]) for _ in range(count)],
                "supplier": [dice.randrange(suppliers) for _ in range(count)],
                "outcome": [dice.choice([0, 0, 0, 1, 2, 3, 4]) for _ in range(count)],
                "days_late": [dice.choice([-1, 0, 0, 7, 8, 40]) for _ in range(count)],
            }
        ),
    )


def words(text: str) -> list[str]:
    """Runs of letters A to Z, upper case."""
    return "".join(c if "A" <= c <= "Z" else " " for c in text.upper()).split()


@dataclass
class Line:
    """One transaction as a person would read it."""

    age: int
    account: int
    cents: int
    kind: str
    category: int
    text: str
    own: bool = False
    meanings: set[str] = field(default_factory=set)


def read(bank: BankData) -> list[Line]:
    """The rows of a statement, oldest first, with own-account transfers found."""
    newest = (bank.newest_on - EPOCH).days
    lines = [
        Line(newest - day, account, cents, KINDS[kind], category, bank.texts[text])
        for day, account, cents, kind, category, text in zip(*bank.transactions.as_json().values(), strict=True)
    ]
    for line in lines:
        line.meanings = {m for m, known in MEANINGS.items() if known & set(words(line.text))}
        if line.kind in {"TRANSFER_INCOMING", "TRANSFER_OUTGOING"}:
            line.meanings.add("own")
    for place, line in enumerate(lines):
        partners = [
            (other.age - line.age, "own" not in other.meanings, other.account, -earlier)
            for earlier, other in enumerate(lines[:place])
            if not other.own
            and other.cents == -line.cents
            and other.account != line.account
            and other.age - line.age <= 2
            and "own" in line.meanings | other.meanings
        ]
        if partners:
            line.own = lines[-min(partners)[3]].own = True
    return lines


def slow_summary(bank: BankData) -> dict[str, object]:
    """Everything engine.features.statement.BankSummary says, one definition at a time."""
    lines = read(bank)
    days = (bank.newest_on - bank.oldest_on).days + 1
    blocks = range(min(days // 30, 6))
    spending = {i for i, a in enumerate(bank.accounts) if a.product_category == "TRANS_AND_SAVINGS_ACCOUNTS"}
    flow = [line for line in lines if line.account in spending and not line.own]
    sales = [
        line
        for line in flow
        if line.cents > 0
        and not line.meanings & {"lender", "not_sales", "injection", "dishonour", "tax"}
        and line.kind != "INTEREST_PAID"
    ]
    lent = [line for line in flow if line.cents < 0 and "lender" in line.meanings]
    spent = [line for line in flow if line.cents < 0]
    tax = [line.cents for line in spent if "tax" in line.meanings]
    payers: dict[str, int] = {}
    for line in sales:
        payer = " ".join(words(line.text))
        payers[payer] = payers.get(payer, 0) + line.cents
    put_in = {"lender", "injection"}
    net = [line for line in flow if not (line.cents > 0 and line.meanings & put_in)]
    closing = _closing_balances(bank, lines, days)
    revolving = [a for a in bank.accounts if a.open and a.product_category in {"OVERDRAFTS", "CRED_AND_CHRG_CARDS"}]
    return {
        "coverage_days": days,
        "evidence": bank.evidence,
        "revenue": tuple(_in_block(sales, b) for b in blocks),
        "net_flow": tuple(_in_block(net, b) for b in blocks),
        "debt_service": tuple(-_in_block(lent, b) for b in blocks),
        "payer_totals": tuple(sorted(payers.values(), reverse=True)),
        "days_since_sale": min((line.age for line in sales), default=days),
        "balance_low": min(closing),
        "balance_p10": sorted(closing)[(days - 1) // 10],
        "balance_mean": sum(closing) // days,
        "negative_days": sum(balance < 0 for balance in closing[:90]),
        "dishonours": sum("dishonour" in line.meanings and line.age < 90 for line in lines),
        "lenders": len({" ".join(words(line.text)) for line in lent}),
        "tax_plan_debits": max((tax.count(cents) for cents in tax), default=0),
        "gambling": -sum(
            line.cents for line in spent if "gambling" in line.meanings or line.category in {7995, 7800, 7801, 7802}
        ),
        "outflow": -sum(line.cents for line in spent),
        "revolving_used": sum(-a.current_cents for a in revolving if a.current_cents < 0),
        "revolving_limit": sum(a.credit_limit_cents for a in revolving),
    }


def _in_block(lines: list[Line], block: int) -> int:
    return sum(line.cents for line in lines if block * 30 <= line.age < (block + 1) * 30)


def _closing_balances(bank: BankData, lines: list[Line], days: int) -> list[int]:
    """Balance of all open spending accounts at the end of each day, newest first, walked back from today's."""
    held = {i for i, a in enumerate(bank.accounts) if a.open and a.product_category == "TRANS_AND_SAVINGS_ACCOUNTS"}
    balance = sum(bank.accounts[i].current_cents for i in held)
    closing = []
    for age in range(days):
        closing.append(balance)
        balance -= sum(line.cents for line in lines if line.age == age and line.account in held)
    return closing


def slow_orders(history: MarketplaceHistory, as_of: date) -> dict[str, object]:
    """Everything engine.features.trade.OrderSummary says; NaN is None and ratios are exact."""
    today = (as_of - EPOCH).days
    rows = [
        (today - day, cents, supplier, outcome, late)
        for day, cents, supplier, outcome, late, _ in zip(*history.orders.as_json().values(), strict=True)
        if 0 <= today - day < 365
    ]
    done = [row for row in rows if row[3] == 0]
    gmv = sum(row[1] for row in done)
    late = [row[4] for row in rows if row[4] >= 0]
    by_supplier: dict[int, list[int]] = {}
    for row in done:
        by_supplier.setdefault(row[2], []).append(row[1])
    repeats = sum(len(orders) for orders in by_supplier.values() if len(orders) > 1)
    return {
        "orders": len(rows),
        "completed": len(done),
        "gmv_cents": gmv,
        "gmv_last_quarter_cents": sum(row[1] for row in done if row[0] < 91),
        "gmv_previous_quarter_cents": sum(row[1] for row in done if 91 <= row[0] < 182),
        "active_months": len({row[0] * 12 // 365 for row in done}),
        "cancelled": sum(row[3] == 1 for row in rows),
        "disputes_lost": sum(row[3] == 3 for row in rows),
        "chargebacks": sum(row[3] == 4 for row in rows),
        "days_late_mean": Fraction(sum(late), len(late)) if late else None,
        "late_share": Fraction(sum(days > 7 for days in late), len(late)) if late else None,
        "top_supplier_share": Fraction(max(map(sum, by_supplier.values())), gmv) if gmv else None,
        "repeat_share": Fraction(repeats, len(done)) if done else None,
        "days_since_last": min((row[0] for row in rows), default=365),
    }
