"""What a commercial bureau, the registers and the compliance lists hold on a made-up business.

It does: draw a score, defaults, court actions, enquiries, registrations, tax disclosure, and the register's
record. It does not: know the outcome: both follow from the same hidden traits and from the same adverse
records. The rule it keeps: a score travels with its range, and a thin file is a report without a score.
"""
# ruff: noqa: PLR2004 - the figures are the made-up world itself; a name for each would say no more

import math
from dataclasses import dataclass
from datetime import date, timedelta

from training.simulate import words
from training.simulate.ledger import Ints
from training.simulate.population import Business, Rng, stream

Json = dict[str, object]
_DEFAULT_YEARS = 5  # a commercial default stays on file five years, paid or not
_DISCLOSED_FROM_CENTS = 10_000_000  # the tax office discloses debts of $100,000 and more
_SCORE_LOW, _SCORE_HIGH = 0, 1_000

_CODES: dict[str, tuple[tuple[str, float], ...]] = {
    "company": (("PRV", 0.993), ("PUB", 0.007)),
    "sole_trader": (("IND", 1.0),),
    "partnership": (("FPT", 0.75), ("PTR", 0.25)),
    "trust": (("DTT", 0.6), ("FUT", 0.2), ("HYT", 0.1), ("DIT", 0.1)),
    "other": (("COP", 0.6), ("OIE", 0.4)),
}


@dataclass(frozen=True, slots=True)
class Adverse:
    """Adverse records that weigh on the outcome beyond the hidden traits."""

    defaults: int
    judgments: int
    tax_disclosed: bool
    insolvency: str


@dataclass(frozen=True, slots=True)
class Report:
    """The report as engine.facts.BureauReport, what in it is adverse, and whether it has a score."""

    json: Json
    adverse: Adverse
    scored: bool


def make_bureau(business: Business) -> Report:
    """The commercial report of a business: some 6 % are thin files, without a score."""
    rng = stream(business.seed, business.index, 4)
    u = rng.random(8).tolist()
    traits, on = business.traits, business.applied_on
    thin = u[0] < (0.16 if business.age_years < 2 else 0.042)
    file_days = int(min(business.age_days * (0.5 + 0.5 * u[1]), 9_000))
    adverse = Adverse(0, 0, False, "none") if thin else _adverse(business, rng, u)
    months = min(file_days, _DEFAULT_YEARS * 365 - 1)
    enquiries = int(rng.poisson(0.35 if thin else math.exp(0.25 + 0.45 * traits.leverage - 0.2 * traits.liquidity)))
    beyond = 6 - 7 * traits.liquidity - 3 * traits.health + 7 * float(rng.standard_normal()) + _stress(on)
    debt = max(business.overdue_tax_cents, int(_DISCLOSED_FROM_CENTS * (1 + u[6])))
    json: Json = {
        "bureau": "synthetic-bureau",
        "score_name": "synthetic-commercial",
        "score": None if thin else _score(business, adverse, rng),
        "score_low": _SCORE_LOW,
        "score_high": _SCORE_HIGH,
        "file_since": None if thin and u[2] < 0.6 else (on - timedelta(days=max(file_days, 1))).isoformat(),
        "defaults": _defaults(business, adverse.defaults, months, rng),
        "court_actions": _court_actions(business, adverse.judgments, months, rng),
        "enquiries": _dates(on, rng.integers(1, 720, enquiries)),
        "registrations": _registrations(business, thin, rng),
        "insolvency": adverse.insolvency,
        "days_beyond_terms": None if thin or u[3] < 0.2 else int(min(max(round(beyond), -20), 150)),
        "tax_debt_disclosed_cents": debt if adverse.tax_disclosed else None,
    }
    return Report(json, adverse, scored=not thin)


def _stress(on: date) -> float:
    """Trade payments have slowed a little over the period."""
    return 1.5 * (on - date(2024, 1, 1)).days / 912


def _adverse(business: Business, rng: Rng, u: list[float]) -> Adverse:
    """Few have any default; those who have one often have more."""
    traits = business.traits
    rate = math.exp(-2.65 - 0.55 * traits.liquidity - 0.35 * traits.health) * float(rng.gamma(0.22, 1 / 0.22))
    judged = math.exp(-4.6 - 0.5 * traits.health - 0.3 * traits.liquidity)
    disclosed = business.overdue_tax_cents >= _DISCLOSED_FROM_CENTS and not business.tax_plan and u[5] < 0.5
    hidden = u[5] > 1 - 0.006 * math.exp(-0.8 * traits.tax)
    insolvent = "business" if u[7] < 0.0004 else "director" if u[7] < 0.003 else "none"
    return Adverse(
        defaults=min(int(rng.poisson(rate)), 25),
        judgments=min(int(rng.poisson(judged)), 6),
        tax_disclosed=disclosed or hidden,
        insolvency=insolvent,
    )


def _score(business: Business, adverse: Adverse, rng: Rng) -> int:
    """A noisy reading of health, higher is better; records and youth pull it down."""
    t = business.traits
    reading = 0.45 * t.health + 0.3 * t.liquidity + 0.15 * t.profit + 0.2 * t.tax - 0.25 * t.leverage
    reading += 0.75 * float(rng.standard_normal()) + 0.25 * (math.log1p(min(business.age_years, 25)) - 1.8)
    points = 610 + 115 * reading - 70 * min(adverse.defaults, 4) - 60 * min(adverse.judgments, 2)
    points -= 120 * adverse.tax_disclosed + 200 * (adverse.insolvency != "none")
    return int(min(max(round(points), _SCORE_LOW + 1), _SCORE_HIGH - 1))


def _dates(on: date, days_ago: Ints) -> list[str]:
    return [(on - timedelta(days=ago)).isoformat() for ago in sorted(days_ago.tolist(), reverse=True)]


def _defaults(business: Business, count: int, days: int, rng: Rng) -> list[Json]:
    dates = _dates(business.applied_on, rng.integers(1, max(days, 2), count))
    paid = 0.55 + 0.1 * business.traits.liquidity
    return [
        {"on": on, "amount_cents": round(math.exp(12.3 + 0.9 * float(rng.standard_normal()))),
         "paid": float(rng.random()) < paid}
        for on in dates
    ]  # fmt: skip


def _court_actions(business: Business, judgments: int, days: int, rng: Rng) -> list[Json]:
    others = int(rng.random() < 0.01)
    dates = _dates(business.applied_on, rng.integers(1, max(days, 2), judgments + others))
    return [
        {"on": on, "amount_cents": round(math.exp(13.2 + 0.8 * float(rng.standard_normal()))),
         "judgment": place < judgments}
        for place, on in enumerate(dates)
    ]  # fmt: skip


def _registrations(business: Business, thin: bool, rng: Rng) -> list[Json]:
    """Security interests: most lenders register one, a few over all assets; leases add others."""
    if thin:
        return []
    found: list[tuple[int, bool]] = []
    for loan in business.loans:
        if float(rng.random()) < 0.7:
            found.append((loan.begun_days_ago, float(rng.random()) < 0.3))
    found += [(int(ago), False) for ago in rng.integers(30, 1_800, int(rng.poisson(0.8))).tolist()]
    found.sort(reverse=True)
    return [
        {"on": (business.applied_on - timedelta(days=ago)).isoformat(), "all_assets": all_assets}
        for ago, all_assets in found
    ]


def make_registry(business: Business) -> Json:
    """The register's record as engine.facts.RegisterRecord; rarely inactive, striking off or ended."""
    rng = stream(business.seed, business.index, 5)
    u = rng.random(6).tolist()
    name = words.business_name(business.name_number, business.entity_type)
    code = pick_code(business.entity_type, u[0])
    status = None
    if business.entity_type == "company":
        strike_off = 0.004 * math.exp(-0.6 * business.traits.tax)
        status = "DRGD" if u[1] < 0.0003 else "EXAD" if u[1] < 0.0008 else "SOFF" if u[1] < strike_off else "REGD"
    gst_days = int(business.age_days * (1.0 if u[2] < 0.75 else u[3]))
    trading_as = words.names(business.name_number, 1, 1)[0] if u[4] < 0.35 else None
    return {
        "abn": business.abn,
        "found": True,
        "abn_active": u[5] > 0.003,
        # Some registered weeks before they traded, a few traded before this ABN was theirs.
        "abn_active_from": (business.since - timedelta(days=_register_lead(u[4]))).isoformat(),
        "acn": business.acn,
        "entity_name": name,
        "entity_type_code": code,
        "gst_from": (business.applied_on - timedelta(days=gst_days)).isoformat() if business.gst_registered else None,
        "state": business.state,
        "business_names": [] if trading_as is None else [trading_as],
        "company_status": status,
    }


def pick_code(entity_type: str, u: float) -> str:
    """The register's code of this legal form at `u`."""
    for code, share in _CODES[entity_type]:
        u -= share
        if u < 0:
            return code
    return _CODES[entity_type][0][0]


def _register_lead(u: float) -> int:
    if u > 0.985:
        return -25
    return int(400 * (u - 0.8)) if u > 0.8 else 0


def make_compliance(business: Business) -> Json:
    """Rare hits; a fifth of frauds trip a flag, and a few honest businesses do."""
    rng = stream(business.seed, business.index, 6)
    u = rng.random(3).tolist()
    flagged = u[2] < (0.2 if business.fraud else 0.0015)
    return {
        "sanctions_hits": int(u[0] < 0.0008),
        "politically_exposed": u[1] < 0.002,
        "fraud_flags": ["details_reused"] if flagged else [],
    }
