"""The application a made-up business sends: what it says of itself, not always what is so.

It does: state amount, purpose, turnover, lenders, tax, consents and people by reference. It does not: hold
personal data: people are references alone. The rule it keeps: every application is one that the form accepts.
"""
# ruff: noqa: PLR2004 - the figures are the made-up world itself; a name for each would say no more

import math

from training.simulate import words
from training.simulate.bank import bank_connected
from training.simulate.population import Business, Rng, stream

Json = dict[str, object]
CONSENT_VERSION = "2026-11"
_TYPICAL_TURNOVER = 36_500_000.0
_TYPICAL_AMOUNT = 63_000.0  # of a typical turnover; all in all the median asked for is about $75,000
_PURPOSES = (
    ("stock", 0.46), ("supplier_invoice", 0.3), ("freight_duty", 0.06), ("equipment", 0.1),
    ("other_business", 0.075), ("household", 0.002), ("personal_tax", 0.002), ("residential_property", 0.001),
)  # fmt: skip
_BANDS = ((0, "0"), (4, "1-4"), (19, "5-19"), (199, "20-199"))
_CONSENTS = (
    "privacy_notice", "commercial_bureau", "bank_data", "marketplace_data", "identity_check",
    "electronic_communications", "business_purpose", "authority", "direct_marketing",
)  # fmt: skip


def make_application(business: Business, suppliers: list[str]) -> Json:
    """The application in the form of engine.application.Application; `suppliers` are ids it may name."""
    rng = stream(business.seed, business.index, 7)
    return {
        "business": _stated(business),
        "request": _request(business, suppliers, rng),
        "finances": _finances(business, rng),
        "consents": _consents(business, rng),
        "people": _people(business, rng),
        "bank_connection": None,
    }


def _stated(business: Business) -> Json:
    return {
        "entity_type": business.entity_type,
        "abn": business.abn,
        "acn": business.acn,
        "legal_name": words.business_name(business.name_number, business.entity_type).title(),
        "anzsic": business.anzsic,
        "state": business.state,
        "trading_since": business.since.isoformat(),
        "staff_band": next((band for most, band in _BANDS if business.staff <= most), "200+"),
        "gst_registered": business.gst_registered,
    }


def _request(business: Business, suppliers: list[str], rng: Rng) -> Json:
    """Amounts follow turnover, and those under strain ask for more of it."""
    u = rng.random(3).tolist()
    strain = 0.08 * business.traits.leverage - 0.08 * business.traits.liquidity
    level = 0.42 * math.log(business.turnover_cents / _TYPICAL_TURNOVER)
    dollars = _TYPICAL_AMOUNT * math.exp(level + strain + 0.6 * float(rng.standard_normal()))
    if business.fraud:
        dollars *= 1.5
    purpose = _purpose(u[0])
    names_one = bool(suppliers) and purpose in {"stock", "supplier_invoice"} and u[1] < 0.6
    if business.fraud == "related_supplier" and suppliers:
        chosen: str | None = suppliers[0] if u[2] < 0.7 else None
    else:
        chosen = suppliers[int(u[2] ** 2 * len(suppliers))] if names_one else None
    return {
        "amount_cents": min(max(round(dollars / 500), 10), 600) * 50_000,
        "purpose": purpose,
        "purpose_detail": None,
        "supplier_id": chosen,
    }


def _purpose(u: float) -> str:
    for name, share in _PURPOSES:
        u -= share
        if u < 0:
            return name
    return "stock"


def _finances(business: Business, rng: Rng) -> Json:
    """Declared turnover is rounded and a little rosy, fraud's is a multiple; some lenders go unmentioned."""
    u = rng.random(4).tolist()
    rosy = 0.02 - 0.03 * business.traits.health + 0.13 * float(rng.standard_normal())
    turnover = business.turnover_cents / 100 * math.exp(rosy)
    if business.fraud in {"inflated_turnover", "round_deposits"}:
        turnover *= 1.7 + 1.6 * u[0]
    unit = 10 ** max(int(math.log10(turnover)) - 1, 3)
    candour = 1 / (1 + math.exp(-1.2 - 0.4 * business.traits.health))
    told = [loan for loan, v in zip(business.loans, rng.random(6).tolist(), strict=False) if v < candour]
    owns_up = u[1] < 0.85
    overdue = round(business.overdue_tax_cents * (0.6 + 0.4 * u[2])) if owns_up else 0
    return {
        "turnover_12m_cents": max(round(turnover / unit), 1) * unit * 100,
        "other_lenders": len(told),
        "other_repayments_month_cents": sum(loan.repayment_month_cents for loan in told) // 10_000 * 10_000,
        "overdue_tax_cents": overdue,
        "tax_plan": business.tax_plan if overdue else None,
    }


def _consents(business: Business, rng: Rng) -> list[Json]:
    at = f"{business.applied_on.isoformat()}T09:{int(rng.integers(40, 60)):02d}:00Z"
    refused = {"direct_marketing"} if float(rng.random()) < 0.6 else set()
    if not bank_connected(business):
        refused.add("bank_data")
    return [{"kind": kind, "version": CONSENT_VERSION, "given": kind not in refused, "at": at} for kind in _CONSENTS]


def _people(business: Business, rng: Rng) -> list[Json]:
    """One person for sole traders; companies, trusts and partnerships have one to three."""
    ref = f"per_synthetic_{business.seed}_{business.index}"
    if business.entity_type == "sole_trader":
        return [{"ref": f"{ref}_1", "roles": ["owner", "contact"], "ownership_bps": 10_000}]
    count = int(rng.integers(2, 4)) if business.entity_type == "partnership" else int(rng.integers(1, 4))
    also: list[str] = ["director"] if business.entity_type in {"company", "trust"} else []
    share = 10_000 // count
    return [
        {"ref": f"{ref}_{place + 1}", "ownership_bps": share,
         "roles": (["owner", "contact"] if place == 0 else ["owner"]) + also}
        for place in range(count)
    ]  # fmt: skip
