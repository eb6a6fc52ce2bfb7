"""Made-up loan tables for the audit: honest columns whose outcome follows them, and leaks planted on purpose.

Everything here is synthetic.
"""

from collections.abc import Callable

import numpy as np
import polars as pl

Generator = np.random.Generator
Frame = dict[str, pl.Series | np.ndarray]

HONEST = (
    "amount", "limit", "term_asked", "turnover", "age_months", "score", "late_90", "inquiries", "utilisation", "trade",
    "state", "purpose", "opened", "guarantor", "income", "surplus", "noise",
)  # fmt: skip


def honest(generator: Generator, rows: int = 6_000, years: int = 8, level: float = 1.7, pull_of: float = 0.8) -> Frame:
    """Application-time columns with a bad rate near a fifth that moves over time, special codes and gaps."""
    day = np.sort(generator.integers(0, 365 * years, rows)) + np.datetime64("2015-01-01")
    turnover = np.exp(generator.normal(13, 1, rows)).round(-2)
    amount = (turnover * generator.uniform(0.05, 0.4, rows)).round(-3) + 1000
    score = generator.normal(600, 80, rows).round()
    late = generator.poisson(np.exp(-(score - 500) / 120))
    age = generator.integers(1, 400, rows)
    utilisation = generator.beta(2, 3, rows).round(4)
    trade = generator.choice([f"t{i:02d}" for i in range(30)], rows)
    tide = 0.5 * np.sin(np.arange(rows) / rows * 6)
    pull = -(score - 600) / 90 + 0.5 * np.minimum(late, 4) + 1.2 * (utilisation - 0.4) - 0.3 * np.log(age / 60) + tide
    y = (generator.random(rows) < 1 / (1 + np.exp(level - pull_of * pull))).astype(int)
    score = np.where(generator.random(rows) < 0.05, -9, score)  # no file
    same = generator.random(rows) < 0.8
    income = np.where(generator.random(rows) < 0.2, np.nan, (turnover / 10).round())
    return {
        "bad": y, "day": day, "amount": amount,
        "limit": np.where(same, amount, (amount * generator.uniform(0.5, 0.95, rows)).round(-3)),
        "term_asked": generator.choice([12, 24, 36, 48, 60, 84], rows), "turnover": turnover, "age_months": age,
        "score": score, "late_90": late, "inquiries": generator.poisson(2, rows), "utilisation": utilisation,
        "trade": trade, "state": generator.choice(["NSW", "VIC", "QLD", "WA", "SA"], rows),
        "purpose": generator.choice(["stock", "plant", "freight"], rows),
        "opened": day - (age * 30).astype("timedelta64[D]"), "guarantor": generator.integers(0, 2, rows),
        "income": income, "surplus": (turnover * generator.normal(0.1, 0.1, rows)).round(2),
        "noise": generator.normal(size=rows),
    }  # fmt: skip


def _status(g: Generator, f: Frame) -> tuple[str, object]:
    return "status", np.where(f["bad"] == 1, "WRITTEN OFF", g.choice(["CLOSED", "OPEN"], len(f["bad"])))


def _collections_code(g: Generator, f: Frame) -> tuple[str, object]:
    some = (np.asarray(f["bad"]) == 1) & (g.random(len(f["bad"])) < 0.3)
    return "queue", np.where(some, "WORKOUT", g.choice(["A", "B", "C"], len(f["bad"])))


def _written_off_on(g: Generator, f: Frame) -> tuple[str, object]:
    day = f["day"] + g.integers(60, 900, len(f["bad"])).astype("timedelta64[D]")
    return "closed_on", np.where(f["bad"] == 1, day, np.datetime64("NaT"))


def _recovered(g: Generator, f: Frame) -> tuple[str, object]:
    return "recovered", np.where(
        f["bad"] == 1, (np.asarray(f["amount"]) * g.uniform(0, 0.4, len(f["bad"]))).round(2), 0
    )


def _term_rewritten(g: Generator, f: Frame) -> tuple[str, object]:
    return "term", np.where(f["bad"] == 1, g.integers(3, 60, len(f["bad"])), f["term_asked"])


def _balance(g: Generator, f: Frame) -> tuple[str, object]:
    """Equal to the amount for some goods only: a relation, of values that are ordinary by themselves."""
    n = len(f["bad"])
    equal = (np.asarray(f["bad"]) == 0) & (g.random(n) < 0.3)
    return "balance", np.where(equal, f["amount"], np.exp(g.normal(11.5, 1, n)).round(-3))


def _paid(g: Generator, f: Frame) -> tuple[str, object]:
    """The whole with interest for goods, a part for bads: shows in the ratio to the amount alone."""
    n = len(f["bad"])
    return "paid", (
        np.asarray(f["amount"]) * np.where(f["bad"] == 1, g.uniform(0.1, 1.05, n), g.uniform(1.0, 1.2, n))
    ).round(2)


def _disbursed_on(g: Generator, f: Frame) -> tuple[str, object]:
    return "paid_out_on", f["day"] + g.integers(1, 60, len(f["bad"])).astype("timedelta64[D]")


def _refreshed_score(g: Generator, f: Frame) -> tuple[str, object]:
    return "score_now", (600 - 160 * np.asarray(f["bad"]) + g.normal(0, 60, len(f["bad"]))).round()


def _phone(g: Generator, f: Frame) -> tuple[str, object]:
    """Cleared where the account went bad."""
    n = len(f["bad"])
    gone = np.where(f["bad"] == 1, g.random(n) < 0.85, g.random(n) < 0.03)
    return "contact_code", np.where(gone, np.nan, g.integers(1, 9, n))


def _drawn(g: Generator, f: Frame) -> tuple[str, object]:
    """The amount, but what was drawn in the end where the account ran on, more often for bads."""
    n = len(f["bad"])
    ran = g.random(n) < np.where(f["bad"] == 1, 0.22, 0.12)
    return "drawn", np.where(ran, (np.asarray(f["amount"]) * g.uniform(0.6, 1.8, n)).round(), f["amount"])


def _backfilled(g: Generator, f: Frame) -> tuple[str, object]:
    """A region code that older rows lack, and newer rows lack mostly where they went bad."""
    n = len(f["bad"])
    late = np.arange(n) > 0.6 * n
    lacks = np.where(late, g.random(n) < np.where(f["bad"] == 1, 0.18, 0.03), g.random(n) < 0.95)
    return "region", np.where(lacks, 0, g.integers(1, 4, n))


PLANTED: dict[str, Callable[[Generator, Frame], tuple[str, object]]] = {
    "status text": _status,
    "a code for a third of the bads": _collections_code,
    "a date that only bads have": _written_off_on,
    "an amount that is nothing for goods": _recovered,
    "a term rewritten for bads": _term_rewritten,
    "equal to another column for goods only": _balance,
    "a ratio to another column": _paid,
    "a date after the decision": _disbursed_on,
    "a score taken again afterwards": _refreshed_score,
    "cleared for bads": _phone,
    "a copy rewritten later": _drawn,
    "filled in later for the living": _backfilled,
}


def table(
    seed: int, planted: tuple[str, ...] = (), rows: int = 6_000, level: float = 1.7, pull_of: float = 0.8
) -> tuple[pl.DataFrame, tuple[str, ...]]:  # fmt: skip
    """A table with leaks planted, and the names of their columns."""
    generator = np.random.default_rng(seed)
    frame = honest(generator, rows, level=level, pull_of=pull_of)
    leaks = dict(PLANTED[name](generator, frame) for name in planted)
    return pl.DataFrame({**frame, **leaks}, nan_to_null=True), tuple(leaks)
