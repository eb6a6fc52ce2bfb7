"""A bank statement summed up once: revenue by block, balances by day, dishonours, lenders, debt service.

It does: derive everything the bank features, the limits and the screening read, in a few passes over the
columns. It does not: decide. Months are blocks of 30 whole days counted back from the newest day, since the
first and last calendar months of a 180-day window are cut. Sums are integers, so they are the same everywhere.
"""

from collections import Counter
from dataclasses import dataclass
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from engine.facts.bank import KINDS, Account, BankData, day_number
from engine.features import vocabulary as words

BLOCK_DAYS = 30
BLOCKS = 6
RECENT_DAYS = 90
OWN_TRANSFER_DAYS = 2
_SPENDING = frozenset({"TRANS_AND_SAVINGS_ACCOUNTS"})
_REVOLVING = frozenset({"OVERDRAFTS", "CRED_AND_CHRG_CARDS"})

Ints = NDArray[np.int64]
Codes = NDArray[np.uint16]
Mask = NDArray[np.bool_]

# A row's code is what its words, kind and shop say of it (in the bits of the words' categories), whether its account is
# an everyday one, and an open one at that, and which way the money went.
_EVERYDAY, _OPEN, _IN, _OUT, _CODES = (1 << bit for bit in range(7, 12))
_OF_KIND = np.zeros(len(KINDS), dtype=np.uint16)
_OF_KIND[[KINDS.index("TRANSFER_INCOMING"), KINDS.index("TRANSFER_OUTGOING")]] = words.OWN
_OF_KIND[KINDS.index("INTEREST_PAID")] = words.NOT_SALES
_OF_SHOP = np.zeros(10_000, dtype=np.uint16)
_OF_SHOP[[7995, 7800, 7801, 7802]] = words.GAMBLING  # ISO 18245: betting, lotteries, online gambling, race tracks
_OF_SIGN = np.array([0, _IN, _OUT], dtype=np.uint16)  # of 0, 1 and -1


def _roles(code: Codes) -> Mask:
    """What rows of each code count as: sales, flow kept, payments to lenders, money held; spending, gambling, tax."""

    def has(bits: int) -> Mask:
        found: Mask = (code & bits) != 0
        return found

    credit, debit = has(_EVERYDAY) & has(_IN), has(_EVERYDAY) & has(_OUT)
    no_sale = has(words.LENDER | words.NOT_SALES | words.DISHONOUR | words.TAX | words.INJECTION)
    put_in = credit & has(words.LENDER | words.INJECTION)  # borrowed, granted or given: not earned
    kept = has(_EVERYDAY) & ~put_in
    summed = (credit & ~no_sale, kept, debit & has(words.LENDER), has(_OPEN))
    return np.array([*summed, debit, debit & has(words.GAMBLING), debit & has(words.TAX)])


_ROLES = _roles(np.arange(_CODES, dtype=np.uint16))
_LOW_BITS = (1 << 14) - 1


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
        return sum(self.revenue) / len(self.revenue) if self.revenue else 0.0

    @property
    def debt_service_month(self) -> float:
        """Mean monthly payments to competing lenders, cents."""
        return sum(self.debt_service) / len(self.debt_service) if self.debt_service else 0.0

    @property
    def cash_before_debt_month(self) -> float:
        """Mean monthly net cash flow before debt service, cents."""
        return sum(self.net_flow) / len(self.net_flow) + self.debt_service_month if self.net_flow else 0.0

    @property
    def revenue_trend(self) -> float:
        """Last three blocks against the three before, minus one; NaN below six blocks or without earlier sales."""
        if len(self.revenue) < BLOCKS or not sum(self.revenue[3:]):
            return float("nan")
        return sum(self.revenue[:3]) / sum(self.revenue[3:]) - 1

    @property
    def revenue_cv(self) -> float:
        """Standard deviation of block revenue over its mean; NaN without sales."""
        return _deviation(self.revenue) / self.revenue_month if sum(self.revenue) else float("nan")


def summarise(bank: BankData) -> BankSummary:
    """Sum up a statement. Own-account transfers, loan proceeds, refunds, injections and tax are not revenue."""
    rows = bank.transactions
    day, account, amount, text = rows["posted_day"], rows["account"], rows["amount_cents"], rows["text"]
    newest = day_number(bank.newest_on)
    coverage = newest - day_number(bank.oldest_on) + 1
    # Rows are by day: those of the last `age` days are the rows from since[age] on.
    since = day.searchsorted(newest - np.arange(coverage + 1), side="right")
    of_text, keys = words.categorise(bank.texts)
    of_account = [_of_account(a) for a in bank.accounts]
    code = of_text[text] | _OF_KIND[rows["kind"]] | _OF_SHOP[rows["merchant_category"]]
    own = own_transfers(amount, account, day, code)
    code |= np.array(of_account, dtype=np.uint16)[account] | _OF_SIGN[np.sign(amount)]
    code[own] &= _CODES - 1 - _EVERYDAY
    sales, _, lent, _, spent, gambled, taxed = roles = _ROLES.take(code, axis=1)
    sums = np.zeros((4, len(rows) + 1), dtype=np.int64)  # up to before each row, and of all rows
    np.multiply(amount, roles[:4], out=sums[:, 1:])
    np.cumsum(sums, axis=1, out=sums)
    months = np.diff(-sums[:3, since[: BLOCK_DAYS * BLOCKS + 1 : BLOCK_DAYS]]).tolist()
    now = sum(a.current_cents for a, bits in zip(bank.accounts, of_account, strict=True) if bits & _OPEN)
    closing = now - sums[3, -1] + sums[3, since[:-1]]  # newest day first; the standards give no running balance
    ordered = np.sort(closing)
    sold = np.flatnonzero(sales)
    revolving = [a for a in bank.accounts if a.product_category in _REVOLVING and a.open]
    return BankSummary(
        coverage_days=coverage,
        evidence=bank.evidence,
        revenue=tuple(months[0]),
        net_flow=tuple(months[1]),
        debt_service=tuple(-total for total in months[2]),
        payer_totals=_by_key(text, amount * sales, keys),
        days_since_sale=newest - int(day[sold[-1]]) if len(sold) else coverage,
        balance_low=int(ordered[0]),
        balance_p10=int(ordered[(coverage - 1) // 10]),
        balance_mean=int(closing.sum()) // coverage,
        negative_days=int(np.count_nonzero(closing[:RECENT_DAYS] < 0)),
        dishonours=int(np.count_nonzero(code[since[min(RECENT_DAYS, coverage)] :] & words.DISHONOUR)),
        lenders=len({keys[place] for place in text[lent].tolist()}),
        tax_plan_debits=_most_repeated(amount[taxed]),
        gambling=-int(amount.dot(gambled)),
        outflow=-int(amount.dot(spent)),
        revolving_used=sum(max(-a.current_cents, 0) for a in revolving),
        revolving_limit=sum(a.credit_limit_cents for a in revolving),
    )  # fmt: skip


def _of_account(account: Account) -> int:
    """An account's bits in the codes of its rows."""
    if account.product_category not in _SPENDING:
        return 0
    return _EVERYDAY | _OPEN if account.open else _EVERYDAY


def own_transfers(amount: Ints, account: Ints, day: Ints, code: Codes) -> list[int]:
    """Rows that move money between the business's own accounts.

    A pair is an equal and opposite amount on another account within two days, one side a transfer; each row
    pairs once, with the nearest earlier row, one marked as a transfer before one that is not.
    """
    own: list[int] = []
    # One of a pair is not on the busiest account; the other, if it is, shows in the low bits of its amount.
    apart = account != np.bincount(account, minlength=1).argmax()
    opposite = np.zeros(_LOW_BITS + 1, dtype=bool)
    opposite[-amount[apart] & _LOW_BITS] = True
    may = np.flatnonzero(apart | opposite[amount & _LOW_BITS])
    # By amount, then by account and mark: rows are in order of day, so the nearest one waits last.
    waiting: dict[int, dict[tuple[int, bool], list[tuple[int, int]]]] = {}
    marked = (code[may] & words.OWN) != 0
    columns = [column.tolist() for column in (amount[may], may, account[may], marked, day[may])]
    sizes = set(columns[0])
    for size, row, here, sure, today in zip(*columns, strict=True):
        if -size not in sizes:
            continue
        near = [
            (today - rows[-1][1], not known, there)
            for (there, known), rows in waiting.get(-size, {}).items()
            if rows and there != here and (sure or known) and today - rows[-1][1] <= OWN_TRANSFER_DAYS
        ]
        if near:
            _, unmarked, there = min(near)
            own += row, waiting[-size][there, not unmarked].pop()[0]
        else:
            waiting.setdefault(size, {}).setdefault((here, sure), []).append((row, today))
    return own


def _deviation(values: tuple[int, ...]) -> float:
    """The standard deviation of whole numbers, as near as a float can say it: `statistics.pstdev` without fractions."""
    count = len(values)
    spread: int = count * sum(value * value for value in values) - sum(values) ** 2
    # A root that is not exact lies further from the middle between two floats than 256 binary places can hide.
    return isqrt(spread << 512) / (count << 256)


def _by_key(text: Ints, amount: Ints, keys: list[str]) -> tuple[int, ...]:
    """Totals a payer, largest first; texts that differ only in digits are one payer."""
    totals: dict[str, float] = {}  # whole numbers of cents, far below the 2**53 up to which a float is exact
    for key, total in zip(keys, np.bincount(text, amount, len(keys)).tolist(), strict=True):
        if total:
            totals[key] = totals.get(key, 0.0) + total
    return tuple(sorted(map(int, totals.values()), reverse=True))


def _most_repeated(amounts: Ints) -> int:
    """How often the most frequent amount occurs."""
    return max(Counter(amounts.tolist()).values(), default=0)
