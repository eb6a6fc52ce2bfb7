"""What an approver is shown: whose agreement a case takes, what was left aside, what could be."""

from collections.abc import Mapping

from api.cases.wanted import Standing
from api.console.views import ApprovalView, AuthorityView, Told
from api.store import queries as store
from engine.decision import Decision
from engine.facts import Facts
from engine.policy import VerificationTerms
from engine.verification.authority import approvals_needed, why_so_many
from engine.verification.documents import KINDS


def authority_view(
    standing: Standing,
    decision: Decision,
    facts: Facts,
    approvals: tuple[store.ApprovalRow, ...],
    names: Mapping[str, str],
    terms: VerificationTerms,
) -> AuthorityView:
    """The approval of a case that was verified."""
    case = standing.case
    aside = facts.review.value.set_aside if facts.review and facts.review.value else ()
    waived = [each for each in standing.wanted if each.waived]
    return AuthorityView(
        content_sha256=case.content_sha256 or "",
        needed=approvals_needed(case.limit_cents, bool(aside), standing.waivers, terms),
        given=tuple(
            ApprovalView(
                names.get(each.staff_id, "somebody"), each.at, each.verdict, each.limit_cents,  # type: ignore[arg-type]
                each.content_sha256 == case.content_sha256, each.words or "",
            )
            for each in approvals
        ),
        verified_by=names.get(case.verified_by or "", "somebody"),
        most_cents=case.limit_cents,
        why=why_so_many(case.limit_cents, bool(aside), standing.waivers, terms),
        overrides=(
            *(f"Left aside: {rule.replace('_', ' ')}" for rule in aside),
            *(f"Waived: {KINDS[each.kind].title}, {each.waived_because}" for each in waived),
        ),
        referrals=referrals_of(decision),
    )  # fmt: skip


def referrals_of(decision: Decision) -> tuple[Told, ...]:
    """The rules that an approver may leave aside: referrals, without those that compliance alone may settle."""
    found = (each for each in decision.findings if each.kind == "referral" and each.source != "compliance")
    return tuple(dict.fromkeys(Told(each.rule, each.what) for each in found))
