"""Businesses that could do better, over a service and an office on either database."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.deskwork import Office
from tests.support.releases import WEIGHTS, fake_release
from tests.support.service import Service, telling

Told = dict[str, Any]
# Offered $75,000 on statements that were uploaded; tax is overdue without a plan, below what refers.
OWING: Told = {
    "application": {
        "request": {"amount_cents": 12_000_000},
        "finances": {"overdue_tax_cents": 2_000_000, "tax_plan": False},
    },
    "bank": {"evidence": "declared", "sales_a_month_cents": 20_000_000, "costs_a_month_cents": 15_000_000},
    "marketplace": {"order_cents": 900_000},
}
WITHOUT_GST: Told = {"registry": {"gst_from": None}}
DEFAULTED: Told = {"bureau": {"defaults": [{"on": "2025-01-01", "amount_cents": 600_000, "paid": False}]}}

# Offered something, and more once the defaults are paid: under a release that minds what is unpaid.
UNPAID: Told = {**OWING, "bureau": {"defaults": [{"on": "2025-01-01", "amount_cents": 400_000, "paid": False}]}}
MINDFUL = fake_release(weights={**WEIGHTS, "defaults_count": 0.0, "defaults_unpaid": 0.0001})


@pytest.fixture
def owing(url: str) -> Iterator[Office]:
    """An office over either database, where every business owes tax and has uploaded its statements."""
    with telling(url, OWING) as service:
        yield Office.of(service)


@pytest.fixture
def lone_owing(sqlite_url: str) -> Iterator[Service]:
    """The same on SQLite alone."""
    with telling(sqlite_url, OWING) as service:
        yield service
