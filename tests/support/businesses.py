"""Named businesses for tests: an application and facts from a short story.

A story is a nested table (from a TOML case or a test) laid over an ordinary, healthy business. Nothing here
is random, so a story is the same statement for ever.
"""

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from typing import Any

from engine.application import Application
from engine.canonical import canonical_bytes
from engine.facts import Facts
from engine.facts.bank import KINDS, day_number
from engine.facts.marketplace import COMPLETED
from engine.people import Person

AS_OF = datetime(2026, 8, 3, 1, 0, tzinfo=UTC)
TODAY = AS_OF.date()
CONSENTS = (
    "privacy_notice", "commercial_bureau", "bank_data", "marketplace_data", "electronic_communications",
    "business_purpose", "authority",
)  # fmt: skip

BASE: dict[str, Any] = {
    "application": {
        "business": {
            "entity_type": "company", "abn": "37955501005", "acn": "955501005",
            "legal_name": "BANKSIA HOMEWARES PTY LTD", "anzsic": "G", "state": "VIC",
            "trading_since": "2018-03-01", "staff_band": "5-19", "gst_registered": True,
        },
        "request": {"amount_cents": 4_000_000, "purpose": "stock"},
        "finances": {
            "turnover_12m_cents": 96_000_000, "other_lenders": 0, "other_repayments_month_cents": 0,
            "overdue_tax_cents": 0,
        },
    },
    "registry": {
        "status": "present", "abn_active": True, "abn_active_from": "2018-02-15", "entity_type_code": "PRV",
        "gst_from": "2018-03-01", "state": "VIC", "company_status": "REGD",
    },
    "compliance": {"status": "present"},
    "marketplace": {
        "status": "present", "joined_on": "2021-05-10", "orders_a_month": 10, "order_cents": 250_000,
        "suppliers": 4, "days_late": 0, "months": 12,
    },
    "bank": {
        "status": "present", "evidence": "connected", "days": 180, "sales_a_month_cents": 8_000_000, "payers": 8,
        "costs_a_month_cents": 6_600_000, "balance_cents": 11_500_000, "dishonours": 0, "lenders": [],
        "gambling_cents": 0, "last_half_factor": 1.0,
    },
    "bureau": {
        "status": "present", "score": 720, "file_since": "2018-06-01", "enquiries_days_ago": [400],
        "days_beyond_terms": 2,
    },
    "exposure": {"status": "present"},
}  # fmt: skip


def story(overrides: Mapping[str, Any] | None = None, **tables: Any) -> dict[str, Any]:
    """The ordinary business with a story laid over it, table by table."""
    return _overlay(deepcopy(BASE), {**(overrides or {}), **tables})


def _overlay(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in over.items():
        base[key] = _overlay(base.get(key) or {}, value) if isinstance(value, Mapping) else value
    return base


def application_json(told: Mapping[str, Any]) -> dict[str, Any]:
    """The application of a story as JSON values, people by reference."""
    stated: dict[str, Any] = dict(told["application"])
    stated["consents"] = [
        {"kind": kind, "version": "2026-11", "given": True, "at": "2026-08-03T00:55:00Z"} for kind in CONSENTS
    ]
    stated["people"] = [{"ref": "per_test", "roles": ["owner", "director", "contact"], "ownership_bps": 10_000}]
    return stated


def application_of(told: Mapping[str, Any]) -> Application:
    """The application of a story."""
    return Application.model_validate_json(canonical_bytes(application_json(told)))


def facts_of(told: Mapping[str, Any], as_of: datetime = AS_OF) -> Facts:
    """The facts of a story."""
    makers = {
        "registry": _registry, "compliance": _plain, "marketplace": _marketplace, "bank": _bank,
        "bureau": _bureau, "exposure": _plain,
    }  # fmt: skip
    facts: dict[str, Any] = {"as_of": as_of.isoformat()}
    for name, make in makers.items():
        table = dict(told[name])
        status = table.pop("status")
        fact = {"source": f"synthetic/{name}", "fetched_at": as_of.isoformat(), "status": status}
        facts[name] = {**fact, "value": make(table, told)} if status == "present" else fact
    return Facts.model_validate_json(canonical_bytes(facts))


def business(overrides: Mapping[str, Any] | None = None, **tables: Any) -> tuple[Application, Facts]:
    """Application and facts of a story laid over the ordinary business."""
    told = story(overrides, **tables)
    return application_of(told), facts_of(told)


def _plain(table: dict[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    return table


def _registry(table: dict[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    stated = told["application"]["business"]
    return {"abn": stated["abn"], "acn": stated.get("acn"), "entity_name": stated["legal_name"], **table}


def _bureau(table: dict[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    days_ago = table.pop("enquiries_days_ago", [])
    return {
        "bureau": "test-bureau", "score_name": "commercial", "score_low": 0, "score_high": 1_000,
        "enquiries": [(TODAY - timedelta(days=d)).isoformat() for d in days_ago], **table,
    }  # fmt: skip


def _marketplace(table: dict[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    monthly, suppliers = int(table["orders_a_month"]), int(table["suppliers"])
    today, outcomes = day_number(TODAY), list(table.get("outcomes", []))
    count = monthly * int(table["months"])
    days = sorted(today - 1 - (i * int(table["months"]) * 30) // max(count, 1) for i in range(count))
    rows = {
        "placed_day": days,
        "amount_cents": [int(table["order_cents"]) + 1_000 * (i % 7) for i in range(count)],
        "supplier": [i % suppliers for i in range(count)],
        "outcome": [outcomes[i] if i < len(outcomes) else COMPLETED for i in range(count)],
        "days_late": [int(table["days_late"])] * count,
    }
    gate = table.get("supplier", {})
    records = [
        {
            "id": f"SUP-{i}", "active_since": "2020-01-01", "orders_12m": 400, "value_12m_cents": 90_000_000,
            "dispute_bps": 50, "on_time_bps": 9_700, **(gate if i == 0 else {}),
        }
        for i in range(suppliers)
    ]  # fmt: skip
    return {"joined_on": table["joined_on"], "suppliers": records, "orders": rows}


def _bank(table: dict[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    newest, days = TODAY - timedelta(days=1), int(table["days"])
    last, texts, rows = day_number(newest), {}, []  # type: ignore[var-annotated]

    def add(age: int, cents: int, kind: str, text: str, mcc: int = 0, account: int = 0) -> None:
        rows.append((last - age, account, cents, KINDS.index(kind), mcc, texts.setdefault(text, len(texts))))

    payers = int(table["payers"])
    for age in range(0, days, 3):
        factor = float(table["last_half_factor"]) if age < days // 2 else 1.0
        cents = int(int(table["sales_a_month_cents"]) / 10 * factor)
        add(age, cents, "PAYMENT", f"DIRECT CREDIT {_WORDS[(age // 3) % payers]} STORES INV{age}")
        add(
            age,
            -int(table["costs_a_month_cents"]) // 10,
            "PAYMENT",
            f"SUPPLIER {_WORDS[(age // 3) % 5]} WHOLESALE",
        )
    for lender in table["lenders"]:
        for age in range(5, days, 30):
            add(age, -int(lender["month_cents"]), "DIRECT_DEBIT", f"{lender['name']} REPAYMENT")
    for i in range(int(table["dishonours"])):
        add(7 + 4 * i, -1_500, "FEE", "DISHONOUR FEE")
    if table["gambling_cents"]:
        for age in range(2, days, 30):
            add(age, -int(table["gambling_cents"]), "PAYMENT", "SPORTSBET ONLINE", 7995)
    rows.sort(key=lambda row: row[0])
    names = ("posted_day", "account", "amount_cents", "kind", "merchant_category", "text")
    return {
        "evidence": table["evidence"],
        "oldest_on": (newest - timedelta(days=days - 1)).isoformat(),
        "newest_on": newest.isoformat(),
        "accounts": [
            {
                "account_id": "main", "product_category": "TRANS_AND_SAVINGS_ACCOUNTS",
                "current_cents": int(table["balance_cents"]), "available_cents": int(table["balance_cents"]),
            }
        ],
        "texts": list(texts),
        "transactions": {name: [row[i] for row in rows] for i, name in enumerate(names)},
    }  # fmt: skip


_WORDS = (
    "WATTLE", "KURRAJONG", "BORONIA", "GREVILLEA", "MYRTLE", "CASUARINA", "ACACIA", "CORREA", "LOMANDRA",
    "HAKEA", "DIANELLA", "TELOPEA",
)  # fmt: skip


def day(text: str) -> date:
    """A date from its ISO form."""
    return date.fromisoformat(text)


PERSON = Person.model_validate_json(
    canonical_bytes(
        {
            "roles": ["owner", "contact"],
            "ownership_bps": 10_000,
            "given_names": "Example",
            "family_name": "Person",
            "date_of_birth": "1984-02-29",
            "mobile": "0491 570 006",
            "email": "person@example.com",
        }
    )
)
