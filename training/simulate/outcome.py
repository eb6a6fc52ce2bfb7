"""What becomes of a made-up business: bad (90 days past due) within twelve months, or not.

It does: draw the outcome from hidden traits, industry, age, adverse records and the mood of the economy,
with chance left over that no model can remove. It does not: read any source. The rule it keeps: sources and
outcome share causes and nothing else, so that a good model on the sources reaches an AUC of 0.75 to 0.80,
not more.
"""
# ruff: noqa: PLR2004 - the figures are the made-up world itself; a name for each would say no more

import math
from dataclasses import dataclass
from datetime import date

from training.simulate.bureau import Adverse
from training.simulate.population import FIRST_DAY, Business, stream

PERFORMANCE_CUT_OFF = date(2026, 11, 1)
_WINDOW_MONTHS = 12
_LEAST_MONTHS = 3  # 90 days past due takes at least three months

# Log-odds of the average applicant; set so that some 6 % of 30,000 applicants turn bad.
_BASE = -3.92
_WEIGHTS = {
    "health": -0.28,
    "profit": -0.27,
    "liquidity": -0.36,
    "tax": -0.16,
    "engagement": -0.16,
    "momentum": -0.22,
    "leverage": 0.28,
}
_CHANCE = 0.6  # standard deviation of what no trait explains


@dataclass(frozen=True, slots=True)
class Outcome:
    """Later performance: `bad` is None where the window is not closed by the cut-off."""

    bad: bool | None
    months_to_bad: int | None


def draw_outcome(business: Business, adverse: Adverse, *, indeterminate: bool = True) -> Outcome:
    """The outcome of a line had it been granted; with `indeterminate` False also where the window is open."""
    rng = stream(business.seed, business.index, 8)
    u, months, chance = float(rng.random()), float(rng.random()), float(rng.standard_normal())
    bad = u < 1 / (1 + math.exp(-log_odds(business, adverse) - _CHANCE * chance))
    if indeterminate and not window_closed(business.applied_on):
        return Outcome(None, None)
    if not bad:
        return Outcome(False, None)
    spread = _WINDOW_MONTHS - _LEAST_MONTHS + 1
    return Outcome(True, _LEAST_MONTHS + int(spread * months ** (1.8 if business.fraud else 0.9)))


def window_closed(applied_on: date) -> bool:
    """Whether twelve months have passed by the cut-off."""
    return applied_on.replace(year=applied_on.year + 1, day=min(applied_on.day, 28)) <= PERFORMANCE_CUT_OFF


def log_odds(business: Business, adverse: Adverse) -> float:
    """Log-odds of bad before chance: causes add up."""
    traits = business.traits
    score = _BASE + sum(weight * float(getattr(traits, name)) for name, weight in _WEIGHTS.items())
    score += math.log(business.trade.risk) + math.log(_age_risk(business.age_years))
    score += 0.15 * min(adverse.defaults, 3) + (2.3 if adverse.defaults >= 4 else 0.0)  # 4 and more: over half fail
    score += 1.6 * adverse.tax_disclosed + 0.5 * min(adverse.judgments, 2)
    score += {"none": 0.0, "director": 1.2, "business": 3.0}[adverse.insolvency]
    score += 0.1 * min(len(business.loans), 4)
    score += 3.5 if business.fraud else 0.0
    return score + macro(business.applied_on)


def macro(on: date) -> float:
    """The economy's mood in log-odds: a mild worsening over the period, and a slow wave on it."""
    years = (on - FIRST_DAY).days / 365.25
    return 0.08 * years + 0.06 * math.sin(2 * math.pi * years / 1.7)


def _age_risk(years: float) -> float:
    """Multipliers by age: first year 2.0, second 1.5, above five 0.8."""
    if years < 1:
        return 2.0
    if years < 2:
        return 1.5
    return 0.8 if years > 5 else 1.0
