"""Policy rules as a decision graph of zen-engine's, made from the shipped policy, and the same cases for both.

It does: write every knock-out, the grade table, the plain caps and the price grid as the graph's tables and
expressions. It does not: give it the rest of ours: 27 referrals, the debt-service cap, the guards. The rule it keeps:
the graph reads numbers that were derived beforehand, and answers as our rules do, or the run is void.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import models
from benchmarks.scoring.models import SEED
from engine.application import NON_BUSINESS_PURPOSES, Application
from engine.canonical import canonical_bytes
from engine.facts import Facts
from engine.features import Evidence, row_of
from engine.policy import Policy
from engine.screening import Case
from engine.screening.rules import revenue_year
from engine.values import months_between
from training.simulate import make

CASES = 100
_TRIED = 600


@dataclass(frozen=True, slots=True)
class Ready:
    """A case that gets as far as a price, with its PD and grade."""

    case: Case
    pd: float
    grade: str


@cache
def ready() -> tuple[Ready, ...]:
    """Made-up businesses with every source and a grade."""
    release, found = models.champion(), list[Ready]()
    for index in range(_TRIED):
        made = make(SEED, index)
        application = Application.model_validate_json(canonical_bytes(made.application))
        facts = Facts.model_validate_json(made.facts_bytes)
        policy = release.policy.on(facts.as_of.date())
        case = Case(application, facts, Evidence.of(application, facts), policy)
        evidence = case.evidence
        if None in (evidence.bank, evidence.orders, evidence.bureau, evidence.register, facts.exposure.value):
            continue
        if evidence.bank is None or not evidence.bank.revenue:
            continue
        pd = release.calibration.pd(release.scorer.raw(row_of(evidence)))
        grade = next((g.name for g in policy.grades if round(pd, 4) * 10_000 <= g.pd_most_bps), None)
        if grade is not None:
            found.append(Ready(case, pd, grade))
        if len(found) == CASES:
            return tuple(found)
    raise LookupError(f"fewer than {CASES} of {_TRIED} businesses are graded")


def inputs(one: Ready) -> dict[str, Any]:
    """The numbers that the graph reads, all derived beforehand."""
    case, today = one.case, one.case.facts.as_of.date()
    bank, orders, bureau, register = (
        case.evidence.bank, case.evidence.orders, case.evidence.bureau, case.evidence.register,
    )  # fmt: skip
    held = case.facts.exposure.value
    assert bank is not None
    assert orders is not None
    assert bureau is not None
    assert register is not None
    assert held is not None
    business, request, finances = case.application.business, case.application.request, case.application.finances
    recent, earlier = sum(bank.revenue[:3]), sum(bank.revenue[3:])
    return {
        "pd_bps": round(round(one.pd, 4) * 10_000), "requested": request.amount_cents, "purpose": request.purpose,
        "division": business.division, "trading_months": months_between(business.trading_since, today),
        "turnover": finances.turnover_12m_cents, "company_status": register.company_status or "",
        "abn_ok": register.found and register.abn_active, "entity_class": register.entity_class,
        "abn_months": months_between(register.abn_active_from, today), "insolvency": bureau.insolvency,
        "unpaid_defaults": sum(d.amount_cents for d in bureau.defaults if not d.paid),
        "tax_debt": bureau.tax_debt_disclosed_cents or 0, "revenue_year": revenue_year(case),
        "revenue_months": len(bank.revenue), "revenue_sum": sum(bank.revenue), "revenue_recent": recent,
        "revenue_earlier": earlier, "dishonours": bank.dishonours, "lenders": bank.lenders,
        "gambling": bank.gambling, "outflow": bank.outflow, "bank_evidence": bank.evidence,
        "gmv": orders.gmv_cents, "business_held": held.business_cents, "group_held": held.group_cents,
    }  # fmt: skip


def graph(policy: Policy) -> str:
    """The decision graph: request, knock-outs, grade, caps, price, response."""
    nodes = (
        {"id": "in", "type": "inputNode", "name": "request", "position": _AT},
        _table("knock_outs", "collect", _knock_outs(policy), ("rule",)),
        _table("grade", "first", _grades(policy), ("name", "turnover_bps", "gmv_bps", "budget")),
        _expressions("caps", _caps(policy)),
        _expressions("limit", {"limit": "max([floor(min(caps.all) / 50000) * 50000, 500000])"}),
        _table("price", "first", _prices(policy), ("rate_bps",)),
        {"id": "out", "type": "outputNode", "name": "response", "position": _AT},
    )
    order = [str(node["id"]) for node in nodes]
    edges = [
        {"id": f"e{place}", "sourceId": one, "targetId": other, "type": "edge"}
        for place, (one, other) in enumerate(pairwise(order))
    ]
    return json.dumps({"nodes": nodes, "edges": edges})


_AT = {"x": 0, "y": 0}
_PASS = {"passThrough": True, "inputField": None, "executionMode": "single"}


def _table(name: str, hits: str, rows: Sequence[tuple[str, ...]], outputs: Sequence[str]) -> dict[str, object]:
    """A decision table of one condition a row."""
    columns = [{"id": f"o{place}", "name": each, "field": each} for place, each in enumerate(outputs)]
    rules = [
        {"_id": f"{name}{place}", "c": condition, **{f"o{at}": value for at, value in enumerate(values)}}
        for place, (condition, *values) in enumerate(rows)
    ]
    content = {
        "hitPolicy": hits, "inputs": [{"id": "c", "name": "condition"}], "outputs": columns, "rules": rules,
        **_PASS, "outputPath": name,
    }  # fmt: skip
    return {"id": name, "type": "decisionTableNode", "name": name, "position": _AT, "content": content}


def _expressions(name: str, values: dict[str, str]) -> dict[str, object]:
    rows = [{"id": f"{name}{at}", "key": key, "value": value} for at, (key, value) in enumerate(values.items())]
    content = {"expressions": rows, **_PASS, "outputPath": name}
    return {"id": name, "type": "expressionNode", "name": name, "position": _AT, "content": content}


def _knock_outs(policy: Policy) -> list[tuple[str, ...]]:
    """All of engine.screening.knock_outs, in their order."""
    terms, limits = policy.screening, policy.limits
    purposes = json.dumps(sorted(NON_BUSINESS_PURPOSES))
    conditions = {
        "company_insolvent": "company_status in ['EXAD', 'DRGD']",
        "insolvency_on_file": "insolvency != 'none'",
        "abn_not_active": "not abn_ok",
        "entity_not_eligible": "entity_class == 'excluded'",
        "purpose_not_business": f"purpose in {purposes}",
        "industry_excluded": f"division in {json.dumps(terms.excluded_divisions)}",
        "amount_outside_policy": f"requested < {terms.least_amount_cents} or requested > {terms.most_amount_cents}",
        "trading_too_short": f"trading_months < {terms.least_trading_months}",
        "abn_too_young": f"abn_months < {terms.least_trading_months}",
        "turnover_too_low": f"turnover < {terms.least_turnover_cents}",
        "revenue_too_low": f"revenue_year < {terms.least_turnover_cents}",
        "too_many_dishonours": f"dishonours > {terms.most_dishonours}",
        "too_many_lenders": f"lenders > {terms.most_lenders}",
        "gambling": f"gambling * 10000 > outflow * {terms.most_gambling_bps}",
        "unpaid_defaults": f"unpaid_defaults > {terms.most_unpaid_defaults_cents}",
        "tax_debt_disclosed": f"tax_debt > {terms.most_tax_debt_cents}",
        "exposure_reached": f"min([{limits.most_business_cents} - business_held, "
        f"{limits.most_group_cents} - group_held]) < {terms.least_amount_cents}",
    }
    return [(condition, f"'{rule}'") for rule, condition in conditions.items()]


def _grades(policy: Policy) -> list[tuple[str, ...]]:
    return [
        (
            f"pd_bps <= {grade.pd_most_bps}", f"'{grade.name}'", str(grade.turnover_factor_bps),
            str(grade.gmv_factor_bps), str(grade.loss_budget_cents),
        )
        for grade in policy.grades
    ]  # fmt: skip


def _caps(policy: Policy) -> dict[str, str]:
    """The caps that are plain arithmetic: all but debt service, which needs an annuity."""
    terms = policy.limits
    falling = (
        f"revenue_months == 6 and revenue_recent * 10000 < revenue_earlier * {10_000 - terms.falling_sales_bps}"
    )  # fmt: skip
    return {
        "fall": f"({falling}) ? {terms.falling_sales_factor_bps} : 10000",
        "stack": f"lenders >= {terms.stacking_lenders} ? {terms.stacking_factor_bps} : 10000",
        "base": "floor(revenue_sum * grade.turnover_bps / (revenue_months * 10000))",
        "turnover": "max([floor(floor($.base * $.fall / 10000) * $.stack / 10000), 0])",
        "marketplace": f"floor(gmv * {terms.cycle_months} * grade.gmv_bps / 120000)",
        "loss": f"floor(grade.budget * 100000000 / (pd_bps * {terms.loss_given_default_bps}))",
        "evidence": f"bank_evidence == 'declared' ? {min(terms.bank_declared_cents, terms.bank_connected_cents)} "
        f": {terms.bank_connected_cents}",
        "exposure": f"max([min([{terms.most_business_cents} - business_held, "
        f"{terms.most_group_cents} - group_held]), 0])",
        "all": f"[requested, {policy.screening.most_amount_cents}, $.turnover, $.marketplace, $.loss, $.evidence, "
        "$.exposure]",
    }


def _prices(policy: Policy) -> list[tuple[str, ...]]:
    grid = policy.pricing
    return [
        (f"grade.name == '{row.grade}' and limit.limit <= {to}", str(rate))
        for row in grid.rates
        for to, rate in zip(grid.bands_cents, row.rates_bps, strict=True)
    ]


def lay(folder: Path) -> Path:
    """Write graph and inputs where contestants look."""
    folder.mkdir(parents=True)
    cases = ready()
    (folder / "graph.json").write_text(graph(cases[0].case.policy))
    (folder / "inputs.json").write_text(json.dumps([inputs(one) for one in cases]))
    return folder
