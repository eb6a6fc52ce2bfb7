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
    """Sum up the orders placed in the 365 days up to `as_of`, that day included."""
    today, block = day_number(as_of), history.orders
    placed = block["placed_day"]
    # Rows are by day: between the first two of these lie the year's, in order of age.
    ages = (WINDOW_DAYS, 2 * QUARTER_DAYS, QUARTER_DAYS, 0)
    first, half, quarter, end = placed.searchsorted([today - age for age in ages], side="right").tolist()
    placed, amount, supplier = placed[first:end], block["amount_cents"][first:end], block["supplier"][first:end]
    outcome, late = block["outcome"][first:end], block["days_late"][first:end]
    counts = np.bincount(outcome, minlength=CHARGEBACK + 1).tolist()
    done = outcome == COMPLETED
    done_amount = amount * done
    gmv, completed = int(done_amount.sum()), counts[COMPLETED]
    paid = late[late != NOT_PAID_YET]
    # Sums of whole cents stay far below the 2**53 up to which a float is exact.
    by_supplier = np.bincount(supplier, done_amount, 1)
    orders_of = np.bincount(supplier[done])
    months = np.minimum((today - placed[done]) * MONTHS // WINDOW_DAYS, MONTHS - 1)
    return OrderSummary(
        orders=len(placed),
        completed=completed,
        gmv_cents=gmv,
        gmv_last_quarter_cents=int(done_amount[quarter - first :].sum()),
        gmv_previous_quarter_cents=int(done_amount[half - first : quarter - first].sum()),
        active_months=len(set(months.tolist())),
        cancelled=counts[CANCELLED],
        disputes_lost=counts[DISPUTE_LOST],
        chargebacks=counts[CHARGEBACK],
        days_late_mean=int(paid.sum()) / len(paid) if len(paid) else float("nan"),
        late_share=int(np.count_nonzero(paid > LATE_DAYS)) / len(paid) if len(paid) else float("nan"),
        top_supplier_share=int(by_supplier.max()) / gmv if gmv else float("nan"),
        repeat_share=int(orders_of[orders_of > 1].sum()) / completed if completed else float("nan"),
        days_since_last=today - int(placed[-1]) if len(placed) else WINDOW_DAYS,
    )
