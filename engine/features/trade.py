"""A year of marketplace orders summed up once: totals, trend, outcomes, payment delay.

Pure integer sums over the block's columns; ratios are left to the features. Sources of the definitions:
Shopify Capital's and Alibaba Trade Assurance's published signals (see docs/features.md).
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from engine.facts.bank import day_number
from engine.facts.marketplace import (
    CANCELLED,
    CHARGEBACK,
    COMPLETED,
    DISPUTE_LOST,
    NOT_PAID_YET,
    WINDOW_DAYS,
    MarketplaceHistory,
)

QUARTER_DAYS = 91
LATE_DAYS = 7
MONTHS = 12


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """Orders of the last 365 days; values in cents, `gmv` counts completed orders only."""

    orders: int
    completed: int
    gmv_cents: int
    gmv_last_quarter_cents: int
    gmv_previous_quarter_cents: int
    active_months: int
    cancelled: int
    disputes_lost: int
    chargebacks: int
    days_late_mean: float
    late_share: float
    top_supplier_share: float
    repeat_share: float
    days_since_last: int


def summarise_orders(history: MarketplaceHistory, as_of: date) -> OrderSummary:
    """Sum up the orders placed in the 365 days before `as_of`."""
    today = day_number(as_of)
    block = history.orders
    age = today - block["placed_day"]
    window = (age >= 0) & (age < WINDOW_DAYS)
    age, amount = age[window], block["amount_cents"][window]
    outcome, late, supplier = block["outcome"][window], block["days_late"][window], block["supplier"][window]
    done = outcome == COMPLETED
    done_age, done_amount = age[done], amount[done]
    gmv = int(done_amount.sum())
    paid = late[late != NOT_PAID_YET]
    by_supplier = np.zeros(int(supplier.max()) + 1 if len(supplier) else 1, dtype=np.int64)
    np.add.at(by_supplier, supplier[done], done_amount)
    counts = np.bincount(supplier[done], minlength=1)
    completed = int(done.sum())
    return OrderSummary(
        orders=len(age),
        completed=completed,
        gmv_cents=gmv,
        gmv_last_quarter_cents=int(done_amount[done_age < QUARTER_DAYS].sum()),
        gmv_previous_quarter_cents=int(done_amount[(done_age >= QUARTER_DAYS) & (done_age < 2 * QUARTER_DAYS)].sum()),
        active_months=len(np.unique(np.minimum(done_age * MONTHS // WINDOW_DAYS, MONTHS - 1))),
        cancelled=int((outcome == CANCELLED).sum()),
        disputes_lost=int((outcome == DISPUTE_LOST).sum()),
        chargebacks=int((outcome == CHARGEBACK).sum()),
        days_late_mean=int(paid.sum()) / len(paid) if len(paid) else float("nan"),
        late_share=int((paid > LATE_DAYS).sum()) / len(paid) if len(paid) else float("nan"),
        top_supplier_share=int(by_supplier.max()) / gmv if gmv else float("nan"),
        repeat_share=int(counts[counts > 1].sum()) / completed if completed else float("nan"),
        days_since_last=int(age.min()) if len(age) else WINDOW_DAYS,
    )
