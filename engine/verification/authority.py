"""Whose agreement a case takes: four eyes, and two more above a limit or where a rule was left aside.

It does: count and compare people. It does not: know sessions or roles. The rules it keeps: who verified never approves,
one person counts once, and an approval is of exactly one content: what changed since is approved by nobody.
"""

from collections.abc import Iterable

from engine.policy import VerificationTerms

MACHINE = "machine"


def approvals_needed(limit_cents: int, overrides: bool, waivers: int, terms: VerificationTerms) -> int:
    """How many approvers a case takes, the verifier apart: one, or two above the limit, on an override or a waiver."""
    return 2 if overrides or waivers or limit_cents > terms.second_approver_above_cents else 1


def why_so_many(limit_cents: int, overrides: bool, waivers: int, terms: VerificationTerms) -> str:
    """The same in words."""
    reasons = []
    if limit_cents > terms.second_approver_above_cents:
        reasons.append(f"the line is above ${terms.second_approver_above_cents // 100:,}")
    if overrides:
        reasons.append("a rule was left aside")
    if waivers:
        reasons.append("a document was left aside")
    return "Two approvers: " + " and ".join(reasons) if reasons else "One approver, other than the verifier"


def may_approve(staff_id: str, verified_by: str, approved_by: Iterable[str]) -> bool:
    """Whether this person may approve: not what they verified, and not twice."""
    return staff_id != verified_by and staff_id not in set(approved_by)


def approvers_of(content_sha256: str, verified_by: str, approvals: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Who has approved exactly this content, of approvals as (staff id, digest of what was approved)."""
    return frozenset(staff_id for staff_id, digest in approvals if digest == content_sha256) - {verified_by}
