"""A bank statement summed up once: revenue by block, balances by day, dishonours, lenders, debt service.

It does: derive everything the bank features, the limits and the screening read, in a few passes over the
columns. It does not: decide. Months are blocks of 30 whole days counted back from the newest day, since the
first and last calendar months of a 180-day window are cut. Sums are integers, so they are the same everywhere.
"""

from dataclasses import dataclass
from statistics import fmean, pstdev

import numpy as np
from numpy.typing import NDArray

from engine.facts.bank import KINDS, BankData, day_number
from engine.features import vocabulary as words

BLOCK_DAYS = 30
BLOCKS = 6
RECENT_DAYS = 90
OWN_TRANSFER_DAYS = 2
_SPENDING = frozenset({"TRANS_AND_SAVINGS_ACCOUNTS"})
_REVOLVING = frozenset({"OVERDRAFTS", "CRED_AND_CHRG_CARDS"})
_TRANSFER_IN, _TRANSFER_OUT = KINDS.index("TRANSFER_INCOMING"), KINDS.index("TRANSFER_OUTGOING")
_INTEREST_PAID = KINDS.index("INTEREST_PAID")
_BETTING, _LOTTERY, _RACE_TRACK = 7995, 7800, 7802  # ISO 18245; 7801 between them is online gambling

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BankSummary:
    """What a statement says; amounts in cents, `revenue` newest block first, outflows as positive numbers."""

    coverage_days: int
    evidence: str
    revenue: tuple[int, ...]
    net_flow: tuple[int, ...]
    debt_service: tuple[int, ...]
    payer_totals: tuple[int, ...]
    days_since_sale: int
    balance_low: int
    balance_p10: int
    balance_mean: int
    negative_days: int
    dishonours: int
    lenders: int
    tax_plan_debits: int
    gambling: int
    outflow: int
    revolving_used: int
    revolving_limit: int

    @property
    def revenue_month(self) -> float:
        """Mean monthly qualifying credits over the covered blocks, cents; 0.0 without any block."""
        return fmean(self.revenue) if self.revenue else 0.0

    @property
    def debt_service_month(self) -> float:
        """Mean monthly payments to competing lenders, cents."""
        return fmean(self.debt_service) if self.debt_service else 0.0

    @property
    def cash_before_debt_month(self) -> float:
        """Mean monthly net cash flow before debt service, cents."""
        return fmean(self.net_flow) + self.debt_service_month if self.net_flow else 0.0

    @property
    def revenue_trend(self) -> float:
        """Last three blocks against the three before, minus one; NaN below six blocks or without earlier sales."""
        if len(self.revenue) < BLOCKS or not sum(self.revenue[3:]):
            return float("nan")
        return sum(self.revenue[:3]) / sum(self.revenue[3:]) - 1

    @property
    def revenue_cv(self) -> float:
        """Standard deviation of block revenue over its mean; NaN without sales."""
        return pstdev(self.revenue) / self.revenue_month if sum(self.revenue) else float("nan")


def summarise(bank: BankData) -> BankSummary:
    """Sum up a statement. Own-account transfers, loan proceeds, refunds, injections and tax are not revenue."""
    rows = bank.transactions
    amount, account, kind = rows["amount_cents"], rows["account"], rows["kind"]
    newest = day_number(bank.newest_on)
    age = newest - rows["posted_day"]
    spending = np.array([a.product_category in _SPENDING for a in bank.accounts], dtype=bool)[account]
    text_bits, keys = words.categorise(bank.texts)
    bits = text_bits[rows["text"]] if len(text_bits) else np.zeros(0, dtype=np.int64)
    own = own_transfers(amount, account, age, kind, bits)
    flow = spending & ~own
    lender = (bits & words.LENDER) > 0
    credit, debit = flow & (amount > 0), flow & (amount < 0)
    no_sale = words.NOT_SALES | words.DISHONOUR | words.TAX | words.INJECTION
    put_in = credit & (lender | ((bits & words.INJECTION) > 0))  # borrowed, granted or given: not earned
    sales = credit & ~lender & ((bits & no_sale) == 0) & (kind != _INTEREST_PAID)
    lent = debit & lender
    shop = rows["merchant_category"]
    betting_shop = (shop == _BETTING) | ((shop >= _LOTTERY) & (shop <= _RACE_TRACK))
    coverage = newest - day_number(bank.oldest_on) + 1
    blocks = min(coverage // BLOCK_DAYS, BLOCKS)
    tax_debits = amount[debit & ((bits & words.TAX) > 0)]
    low, p10, mean, negative = _balances(bank, amount, account, age, coverage)
    revolving = [a for a in bank.accounts if a.product_category in _REVOLVING and a.open]
    return BankSummary(
        coverage_days=coverage,
        evidence=bank.evidence,
        revenue=_by_block(age, amount, sales, blocks),
        net_flow=_by_block(age, amount, flow & ~put_in, blocks),
        debt_service=tuple(-total for total in _by_block(age, amount, lent, blocks)),
        payer_totals=_by_key(rows["text"][sales], amount[sales], keys),
        days_since_sale=int(age[sales].min()) if bool(sales.any()) else coverage,
        balance_low=low,
        balance_p10=p10,
        balance_mean=mean,
        negative_days=negative,
        dishonours=int((((bits & words.DISHONOUR) > 0) & (age < RECENT_DAYS)).sum()),
        lenders=len({keys[text] for text in set(rows["text"][lent].tolist())}),
        tax_plan_debits=_most_repeated(tax_debits),
        gambling=-int(amount[debit & (betting_shop | ((bits & words.GAMBLING) > 0))].sum()),
        outflow=-int(amount[debit].sum()),
        revolving_used=sum(max(-a.current_cents, 0) for a in revolving),
        revolving_limit=sum(a.credit_limit_cents for a in revolving),
    )  # fmt: skip


def own_transfers(amount: Ints, account: Ints, age: Ints, kind: Ints, bits: Ints) -> Mask:
    """Rows that move money between the business's own accounts.

    A pair is an equal and opposite amount on another account within two days, one side a transfer; each row
    pairs once, with the nearest earlier row, one marked as a transfer before one that is not.
    """
    own = np.zeros(len(amount), dtype=bool)
    marked = (kind == _TRANSFER_IN) | (kind == _TRANSFER_OUT) | ((bits & words.OWN) > 0)
    if not marked.any() or account.min() == account.max():  # a pair needs two accounts
        return own
    # Only a row whose opposite amount occurs can pair, and one of the two must be marked.
    may = np.flatnonzero(np.isin(amount, -amount[marked]) | (marked & np.isin(amount, -amount)))
    columns = (may, amount[may], account[may], marked[may], age[may])
    # By amount, then by account and mark: rows are in order of day, so the nearest one waits last.
    waiting: dict[int, dict[tuple[int, bool], list[tuple[int, int]]]] = {}
    for row, size, here, sure, old in zip(*(column.tolist() for column in columns), strict=True):
        near = [
            (rows[-1][1] - old, not known, there)
            for (there, known), rows in waiting.get(-size, {}).items()
            if rows and there != here and (sure or known) and rows[-1][1] - old <= OWN_TRANSFER_DAYS
        ]
        if near:
            _, unmarked, there = min(near)
            own[row] = own[waiting[-size][there, not unmarked].pop()[0]] = True
        else:
            waiting.setdefault(size, {}).setdefault((here, sure), []).append((row, old))
    return own


def _by_block(age: Ints, amount: Ints, mask: Mask, blocks: int) -> tuple[int, ...]:
    """Integer sums of `amount[mask]` over 30-day blocks, newest first."""
    totals = np.zeros(blocks + 1, dtype=np.int64)
    np.add.at(totals, np.minimum(age[mask] // BLOCK_DAYS, blocks), amount[mask])
    return tuple(totals[:blocks].tolist())


def _by_key(text: Ints, amount: Ints, keys: list[str]) -> tuple[int, ...]:
    """Totals a payer, largest first; texts that differ only in digits are one payer."""
    per_text = np.zeros(len(keys) + 1, dtype=np.int64)
    np.add.at(per_text, text, amount)
    totals: dict[str, int] = {}
    for index in np.flatnonzero(per_text).tolist():
        totals[keys[index]] = totals.get(keys[index], 0) + int(per_text[index])
    return tuple(sorted(totals.values(), reverse=True))


def _most_repeated(amounts: Ints) -> int:
    """How often the most frequent amount occurs."""
    return int(np.unique(amounts, return_counts=True)[1].max()) if len(amounts) else 0


def _balances(bank: BankData, amount: Ints, account: Ints, age: Ints, coverage: int) -> tuple[int, int, int, int]:
    """Lowest, tenth-percentile and mean daily closing balance, and negative days of the last 90.

    The standards give no running balance: it is rebuilt backwards from the current one, over all open
    spending accounts together.
    """
    held = [a.product_category in _SPENDING and a.open for a in bank.accounts]
    now = sum(a.current_cents for a, keep in zip(bank.accounts, held, strict=True) if keep)
    mask = np.array(held, dtype=bool)[account]
    net = np.zeros(coverage, dtype=np.int64)
    np.add.at(net, np.clip(age[mask], 0, coverage - 1), amount[mask])
    closing = now - np.concatenate(([0], np.cumsum(net)[:-1]))  # newest day first
    ordered = np.sort(closing)
    return (
        int(ordered[0]),
        int(ordered[(coverage - 1) // 10]),
        int(closing.sum()) // coverage,
        int((closing[:RECENT_DAYS] < 0).sum()),
    )
