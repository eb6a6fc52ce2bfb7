"""Who applies: made-up businesses drawn from published Australian distributions, re-weighted to goods buyers.

It does: draw legal form, industry, state, size, age, hidden health and private affairs of business `index` of
market `seed`. It does not: say what any source reports (bank, marketplace, bureau, register do), nor what
becomes of it (outcome does). The rule it keeps: a business is a function of (seed, index) alone, and every
number that could be a real one (ABN, ACN) lies where the registers have never issued any.
"""
# ruff: noqa: PLR2004 - the figures are the made-up world itself; a name for each would say no more

import math
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import NormalDist

import numpy as np
from stdnum.au import abn as stdnum_abn
from stdnum.au import acn as stdnum_acn

from training.simulate.trades import SHARES, TRADES, Trade

FIRST_DAY, LAST_DAY = date(2024, 1, 1), date(2026, 6, 30)
MOST_BUSINESSES = 10_000_000  # seven free digits in a synthetic company number

# Companies 42 %, sole proprietors 30 %, trusts 19 %, partnerships 9 % (June 2023,
# https://www.money.com.au/research/australian-business-statistics); a few co-operatives and the like beside.
_FORMS = (
    ("company", 0.418),
    ("sole_trader", 0.299),
    ("trust", 0.19),
    ("partnership", 0.09),
    ("other", 0.003),
)
# Businesses by main state, shares of the national count (NSW: 896,485 in 2024, abs.gov.au; the rest rounded).
_STATES = (
    ("NSW", 0.335), ("VIC", 0.272), ("QLD", 0.193), ("WA", 0.093), ("SA", 0.06), ("TAS", 0.018),
    ("ACT", 0.014), ("NT", 0.015),
)  # fmt: skip
# Lognormal through the approximate turnover bands of the Bureau of Statistics' counts of businesses.
_TURNOVER_MU, _TURNOVER_SIGMA = 11.9695, 1.9065
_TURNOVER_LOW, _TURNOVER_HIGH = 72_000.0, 20_000_000.0
_NORMAL = NormalDist()

FRAUDS = ("inflated_turnover", "round_deposits", "related_supplier")
_FRAUD_RATE = 0.018

Rng = np.random.Generator


def stream(seed: int, index: int, part: int) -> Rng:
    """The chance of one part of one business: a change to one part leaves every other as it was."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, index, part))))


@dataclass(frozen=True, slots=True)
class Traits:
    """What no source reports: standard normal, all tied to `health`; higher is better except `leverage`."""

    health: float
    profit: float
    liquidity: float
    tax: float
    engagement: float
    momentum: float
    leverage: float


@dataclass(frozen=True, slots=True)
class Loan:
    """A loan from a competing lender; `every_days` is 1 (working days), 7 or 30."""

    lender: int
    every_days: int
    repayment_month_cents: int
    begun_days_ago: int


@dataclass(frozen=True, slots=True)
class Business:
    """One made-up business on the day it applies; money in cents a year unless named otherwise."""

    seed: int
    index: int
    abn: str
    acn: str | None
    entity_type: str
    division: str
    trade: Trade
    anzsic: str
    state: str
    applied_on: date
    age_days: int
    turnover_cents: int
    staff: int
    gst_registered: bool
    name_number: int
    traits: Traits
    margin: float
    loans: tuple[Loan, ...]
    overdue_tax_cents: int
    tax_plan: bool
    platform_share: float
    fraud: str | None

    @property
    def age_years(self) -> float:
        """Years of trading."""
        return self.age_days / 365.25

    @property
    def since(self) -> date:
        """The day trading began."""
        return self.applied_on - timedelta(days=self.age_days)


def draw_business(seed: int, index: int) -> Business:
    """Business `index` of market `seed`; raises ValueError outside 0 .. MOST_BUSINESSES - 1."""
    rng = stream(seed, index, 0)
    u = rng.random(14).tolist()
    division = pick(SHARES, u[0])
    trade = TRADES[division]
    age_days = _age_days(u[1], u[2])
    turnover = _turnover(u[3], age_days)
    entity_type = _entity_type(u[4], turnover)
    traits = draw_traits(rng)
    staff = _staff(turnover, trade, u[5])
    overdue, plan = _overdue_tax(traits, turnover, u[6], u[7])
    abn, acn = numbers(seed, index, entity_type)
    platform = 1 / (1 + math.exp(-0.3 - 0.6 * traits.engagement - 0.6 * float(rng.standard_normal())))
    return Business(
        seed=seed,
        index=index,
        abn=abn,
        acn=acn,
        entity_type=entity_type,
        division=division,
        trade=trade,
        anzsic=division if u[8] < 0.2 else trade.classes[int(u[8] * 997) % len(trade.classes)],
        state=pick(_STATES, u[9]),
        applied_on=FIRST_DAY + timedelta(days=int(((LAST_DAY - FIRST_DAY).days + 1) * u[10] ** 0.93)),
        age_days=age_days,
        turnover_cents=round(turnover * 100),
        staff=staff,
        gst_registered=u[11] < (0.985 if turnover >= 75_000 else 0.5),
        name_number=int(u[12] * 1_000_003),
        traits=traits,
        margin=min(max(0.085 + 0.12 * traits.profit, -0.3), 0.4),
        loans=_loans(rng, traits, turnover),
        overdue_tax_cents=overdue,
        tax_plan=plan,
        platform_share=platform,
        fraud=FRAUDS[int(u[13] / _FRAUD_RATE * len(FRAUDS))] if u[13] < _FRAUD_RATE else None,
    )


def draw_traits(rng: Rng) -> Traits:
    """Hidden traits, each standard normal and correlated with health, so that sources agree only in part."""
    e = rng.standard_normal(7).tolist()
    loads = (0.6, 0.6, 0.5, 0.35, 0.45, -0.4)
    health = e[0]
    return Traits(health, *(load * health + math.sqrt(1 - load**2) * e[1 + i] for i, load in enumerate(loads)))


def numbers(seed: int, index: int, entity_type: str) -> tuple[str, str | None]:
    """ABN, and ACN of a company, unique to the index: eight digits walk all bodies from 900 000 00 on.

    No company number of 900 000 000 or above has been issued. Multiplying by a number coprime to ten million
    is one-to-one, so no two businesses of a market share one.
    """
    if not 0 <= index < MOST_BUSINESSES:
        raise ValueError(f"index must be within 0 and {MOST_BUSINESSES - 1}")
    body = f"9{(index * 7_654_321 + seed * 104_729) % MOST_BUSINESSES:07d}"
    check = str(stdnum_acn.calc_check_digit(body))
    if entity_type == "company":
        acn = body + check
        return stdnum_abn.calc_check_digits(acn) + acn, acn
    nine = body + str((int(check) + 1 + index % 9) % 10)  # any last digit but the one a company would have
    return stdnum_abn.calc_check_digits(nine) + nine, None


def pick(shares: tuple[tuple[str, float], ...], u: float) -> str:
    """The name at `u` (uniform on 0 to 1) of a list of shares that sum to one."""
    for name, share in shares:
        u -= share
        if u < 0:
            return name
    return shares[0][0]


def _age_days(u: float, v: float) -> int:
    """Trading age: few in their first years, then 11.4 % leave a year (2010-14 counts, ABS 8165)."""
    if u < 0.06:
        return 60 + int(v * 305)
    if u < 0.16:
        return 365 + int(v * 365)
    return 730 + int(min(-math.log(1 - v) / 0.114, 48) * 365)


def _turnover(u: float, age_days: int) -> float:
    """Dollars a year: lognormal within the range applicants come from; younger businesses are smaller."""
    mu = _TURNOVER_MU + 0.3 * (math.log1p(age_days / 365) - math.log(7))
    low, high = (_NORMAL.cdf((math.log(x) - mu) / _TURNOVER_SIGMA) for x in (_TURNOVER_LOW, _TURNOVER_HIGH))
    inside = _NORMAL.inv_cdf(low + (high - low) * min(max(u, 1e-9), 1 - 1e-9))
    return min(max(math.exp(mu + _TURNOVER_SIGMA * inside), _TURNOVER_LOW), _TURNOVER_HIGH)


def _entity_type(u: float, turnover: float) -> str:
    """Larger businesses are more often companies or trusts; over all sizes the shares stay as published."""
    size = min(max((math.log(turnover) - 12.9) / 1.2, -1.0), 1.0)
    tilt = {"company": 1 + 0.35 * size, "sole_trader": 1 - 0.75 * size, "trust": 1 + 0.25 * size}
    tilted = [(name, share * tilt.get(name, 1.0)) for name, share in _FORMS]
    total = sum(share for _, share in tilted)
    return pick(tuple((name, share / total) for name, share in tilted), u)


def _staff(turnover: float, trade: Trade, u: float) -> int:
    """Employees: payroll at about $70,000 a head, none for most of the smallest."""
    spread = math.exp(0.6 * _NORMAL.inv_cdf(min(max(u, 1e-6), 1 - 1e-6)))
    return int(turnover * trade.payroll / 70_000 * spread)


def _overdue_tax(traits: Traits, turnover: float, u: float, v: float) -> tuple[int, bool]:
    """Overdue tax in cents, and whether a payment plan is in place."""
    if u > 1 / (1 + math.exp(2.0 + 1.1 * traits.tax)):
        return 0, False
    owed = turnover * 0.035 * math.exp(0.9 * _NORMAL.inv_cdf(min(max(u * 7.3 % 1, 1e-4), 1 - 1e-4)))
    return round(owed / 100) * 10_000, v < 0.5 + 0.12 * traits.tax


def _loans(rng: Rng, traits: Traits, turnover: float) -> tuple[Loan, ...]:
    """Loans from competing lenders: stacking grows with leverage."""
    count = min(int(rng.poisson(math.exp(-1.35 + 0.75 * traits.leverage))), 6)
    if not count:
        return ()
    lenders = rng.permutation(12)[:count].tolist()
    u = rng.random((count, 3)).tolist()
    return tuple(
        Loan(
            lender=lender,
            every_days=1 if how < 0.35 else 7 if how < 0.7 else 30,
            repayment_month_cents=round(turnover / 12 * (0.01 + 0.035 * size) * 100),
            begun_days_ago=int(20 + when * 400),
        )
        for lender, (how, size, when) in zip(lenders, u, strict=True)
    )
