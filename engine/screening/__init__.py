"""The hard rules of policy: a list of small functions, each giving a finding or nothing.

It does: knock out (never lend) or refer (a person looks), by dated thresholds. It does not: price, score or
fetch. The rules it keeps: each rule reads the application and at most one source, so that losing a source can
remove a finding but never add a knock-out; a failed source always refers; compliance findings have no reason.
"""

from engine.facts import SOURCES, Brake
from engine.screening import knock_outs, referrals  # in this order: importing them declares their rules
from engine.screening.rules import RULES, SOURCE_OF_RULE, Case, Finding, Rule

__all__ = [
    "RULES", "SOURCE_OF_RULE", "Case", "Finding", "Rule", "brakes", "failed_sources", "knock_outs", "referrals",
    "screen",
]  # fmt: skip


def screen(case: Case) -> tuple[Finding, ...]:
    """Every finding, in the order of the rules: most adverse first."""
    found = [finding for fires, finding in RULES if fires(case)]
    return (*found, *failed_sources(case), *brakes(case))


_FAILED = {
    name: Finding(
        rule=f"{name}_failed", kind="referral", reason=None, source=name,
        what=f"The {name} source could not be reached.",
    )
    for name in SOURCES
}  # fmt: skip


def failed_sources(case: Case) -> list[Finding]:
    """A referral that names each source which could not be had."""
    return [_FAILED[name] for name in SOURCES if getattr(case.facts, name).status == "failed"]


def brakes(case: Case) -> list[Finding]:
    """A referral for each of the lender's brakes that this application meets."""
    held = case.facts.exposure.value
    if held is None or not held.brakes:
        return []
    return [
        Finding(
            rule=f"brake_{brake.kind}", kind="referral", reason=None, source="exposure",
            what=f"The lender's brake on {brake.segment} is pulled or reached.",
        )
        for brake in held.brakes
        if _meets(case, brake)
    ]  # fmt: skip


def _meets(case: Case, brake: Brake) -> bool:
    business = case.application.business
    here = {
        "all", "group", f"division:{business.division}", f"state:{business.state}", f"entity:{business.entity_type}",
    }  # fmt: skip
    return brake.segment in here and (brake.kind == "refer_all" or brake.stops(case.application.request.amount_cents))
