"""One made-up business put together: application, facts, outcome, and a label that tells its story.

It does: assemble what the sources report into the canonical form of engine.facts.Facts. It does not: write
files (market does). The rule it keeps: every fact is present or absent, never failed: outages are the
shell's.
"""

from dataclasses import dataclass

from engine.canonical import canonical_bytes
from engine.facts import Exposure
from training.simulate.bank import make_bank
from training.simulate.bureau import Adverse, make_bureau, make_compliance, make_registry
from training.simulate.marketplace import make_marketplace
from training.simulate.outcome import Outcome, draw_outcome
from training.simulate.population import Business, draw_business
from training.simulate.request import make_application

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Made:
    """Everything about one made-up business, the hidden parts included.

    `transactions` counts the rows of its statement, None without one; `scored`: the bureau gave a score.
    """

    business: Business
    adverse: Adverse
    application: Json
    facts: Json
    outcome: Outcome
    story: str
    transactions: int | None
    orders: int
    scored: bool

    @property
    def facts_bytes(self) -> bytes:
        """The facts' canonical bytes."""
        return canonical_bytes(self.facts)


def make(seed: int, index: int) -> Made:
    """Business `index` of market `seed`, whole."""
    business = draw_business(seed, index)
    market, report, statement = make_marketplace(business), make_bureau(business), make_bank(business)
    as_of = f"{business.applied_on.isoformat()}T10:00:00Z"
    facts: Json = {
        "as_of": as_of,
        "registry": _fact("registry", as_of, make_registry(business)),
        "compliance": _fact("compliance", as_of, make_compliance(business)),
        "marketplace": _fact("marketplace", as_of, market.json),
        "bank": _fact("bank", as_of, statement.json if statement else None),
        "bureau": _fact("bureau", as_of, report.json),
        "exposure": _fact("exposure", as_of, Exposure().model_dump(mode="json")),
    }
    return Made(
        business=business,
        adverse=report.adverse,
        application=make_application(business, market.supplier_ids),
        facts=facts,
        outcome=draw_outcome(business, report.adverse),
        story=tell(business, report.adverse, connected=statement is not None),
        transactions=statement.rows if statement else None,
        orders=market.orders,
        scored=report.scored,
    )


def _fact(name: str, as_of: str, value: Json | None) -> Json:
    status = "absent" if value is None else "present"
    stamp: Json = {"source": f"synthetic/{name}", "fetched_at": as_of, "digest": None, "failure": None}
    return {**stamp, "status": status, "value": value}


def tell(business: Business, adverse: Adverse, *, connected: bool) -> str:
    """The label of the most telling thing about a business, for people who look for an example."""
    traits = business.traits
    labels = (
        (f"fraud-{(business.fraud or '').replace('_', '-')}", business.fraud is not None),
        ("insolvency-on-file", adverse.insolvency != "none"),
        ("tax-debt-disclosed", adverse.tax_disclosed),
        ("serial-defaults", adverse.defaults >= 4),  # noqa: PLR2004 - four and more: over half fail
        ("stacked-lenders", len(business.loans) >= 3),  # noqa: PLR2004 - three or more at once
        ("tax-arrears", business.overdue_tax_cents > 0 and not business.tax_plan),
        ("past-default", adverse.defaults > 0),
        ("bank-not-connected", not connected),
        ("young", business.age_years < 1),
        ("short-of-cash", traits.liquidity < -1),
        ("loss-making", business.margin < -0.05),  # noqa: PLR2004 - share of turnover
        ("shrinking", traits.momentum < -1),
        ("growing", traits.momentum > 1),
        ("sound", traits.health > 1),
    )
    return next((label for label, holds in labels if holds), "steady")
