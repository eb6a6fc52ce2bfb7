"""The hard rules of policy: a list of small functions, each giving a finding or nothing.

It does: knock out (never lend) or refer (a person looks), by dated thresholds. It does not: price, score or
fetch. The rules it keeps: each rule reads the application and at most one source, so that losing a source can
remove a finding but never add a knock-out; a failed source always refers; compliance findings have no reason.
"""

from engine.facts import SOURCES, Brake
from engine.screening import knock_outs, referrals  # in this order: importing them declares their rules
from engine.screening.rules import RULES, SOURCE_OF_RULE, Case, Finding

__all__ = ["RULES", "SOURCE_OF_RULE", "Case", "Finding", "knock_outs", "referrals", "screen"]


def screen(case: Case) -> tuple[Finding, ...]:
    """Every finding, in the order of the rules: most adverse first."""
    found = [finding for check in RULES if (finding := check(case)) is not None]
    return (*found, *_failed_sources(case), *_brakes(case))


def _failed_sources(case: Case) -> list[Finding]:
    """A referral that names each source which could not be had."""
    return [
        Finding(
            rule=f"{name}_failed", kind="referral", reason=None, source=name,
            what=f"The {name} source could not be reached.",
        )
        for name in SOURCES
        if getattr(case.facts, name).status == "failed"
    ]  # fmt: skip


def _brakes(case: Case) -> list[Finding]:
    """A referral for each of the lender's brakes that this application meets."""
    held = case.facts.exposure.value
    return [
        Finding(
            rule=f"brake_{brake.kind}", kind="referral", reason=None, source="exposure",
            what=f"The lender's brake on {brake.segment} is pulled or reached.",
        )
        for brake in (held.brakes if held else ())
        if _meets(case, brake)
    ]  # fmt: skip


def _meets(case: Case, brake: Brake) -> bool:
    business = case.application.business
    here = {
        "all", "group", f"division:{business.division}", f"state:{business.state}", f"entity:{business.entity_type}",
    }  # fmt: skip
    return brake.segment in here and (brake.kind == "refer_all" or brake.stops(case.application.request.amount_cents))
