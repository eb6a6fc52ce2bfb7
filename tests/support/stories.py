"""Stories drawn by hypothesis: businesses good and bad, with every source present, absent or failed."""

from typing import Any

from hypothesis import strategies as st

from engine.application import LARGEST_CENTS, SMALLEST_CENTS, STEP_CENTS
from engine.facts import SOURCES

LENDERS = ("PROSPA", "MOULA", "LUMI", "BANJO", "ONDECK", "BIZCAP")
DEFAULT = {"on": "2025-02-03", "amount_cents": 80_000, "paid": True}

amounts = st.integers(SMALLEST_CENTS // STEP_CENTS, LARGEST_CENTS // STEP_CENTS).map(lambda k: k * STEP_CENTS)


@st.composite
def banks(draw: st.DrawFn) -> dict[str, Any]:
    """A bank table, from comfortable to hopeless."""
    sales = draw(st.integers(200_000, 30_000_000))
    days = draw(st.sampled_from([15, 60, 120, 180, 180, 180]))
    return {
        "evidence": draw(st.sampled_from(["connected", "connected", "declared"])),
        "days": days,
        "sales_a_month_cents": sales,
        "payers": draw(st.integers(1, 12)),
        "costs_a_month_cents": sales * draw(st.integers(40, 110)) // 100,
        "balance_cents": draw(st.integers(-500_000, 60_000_000)),
        "dishonours": min(draw(st.sampled_from([0, 0, 0, 2, 9])), days // 15),  # they lie four days apart
        "lenders": [
            {"name": name, "month_cents": draw(st.integers(10_000, 600_000))}
            for name in draw(st.lists(st.sampled_from(LENDERS), max_size=5, unique=True))
        ],
        "gambling_cents": draw(st.sampled_from([0, 0, 0, 90_000])),
        "last_half_factor": draw(st.sampled_from([0.5, 0.9, 1.0, 1.2])),
    }


@st.composite
def bureaus(draw: st.DrawFn) -> dict[str, Any]:
    """A bureau table, thin files included."""
    return {
        "score": draw(st.one_of(st.none(), st.integers(0, 1_000))),
        "enquiries_days_ago": draw(st.lists(st.integers(1, 700), max_size=6)),
        "defaults": [DEFAULT] * draw(st.sampled_from([0, 0, 0, 1, 3])),
        "insolvency": draw(st.sampled_from(["none"] * 9 + ["director"])),
        "days_beyond_terms": draw(st.one_of(st.none(), st.integers(-10, 90))),
        "tax_debt_disclosed_cents": draw(st.sampled_from([None, None, None, 12_000_000])),
    }


@st.composite
def stories(draw: st.DrawFn, every_source: bool = False) -> dict[str, Any]:
    """Overrides for tests.support.businesses.business."""
    overdue = draw(st.sampled_from([0, 0, 0, 900_000, 4_000_000]))
    told: dict[str, Any] = {
        "application": {
            "business": {
                "anzsic": draw(st.sampled_from(["G", "G", "F", "4511", "B"])),
                "trading_since": draw(st.sampled_from(["2018-03-01", "2018-03-01", "2022-09-15", "2026-05-01"])),
            },
            "request": {
                "amount_cents": draw(amounts),
                "purpose": draw(st.sampled_from(["stock"] * 9 + ["household"])),
            },
            "finances": {
                "turnover_12m_cents": draw(st.integers(5_000_000, 300_000_000)),
                "overdue_tax_cents": overdue,
                "tax_plan": draw(st.booleans()) if overdue else None,
            },
        },
        "bank": draw(banks()),
        "bureau": draw(bureaus()),
        "marketplace": {
            "orders_a_month": draw(st.integers(0, 20)),
            "order_cents": draw(st.integers(1_000, 2_000_000)),
            "days_late": draw(st.sampled_from([0, 0, 3, 30])),
        },
        "exposure": {"business_cents": draw(st.sampled_from([0, 0, 0, 10_000_000, 29_800_000]))},
    }
    if not every_source:
        for source in draw(st.lists(st.sampled_from(SOURCES), max_size=2, unique=True)):
            told[source] = {**told.get(source, {}), "status": draw(st.sampled_from(["absent", "failed"]))}
    return told
