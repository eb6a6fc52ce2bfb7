"""The table of degraded outcomes: what is decided when sources fail or are absent, found by deciding.

It does: decide made-up businesses under a release with every mixture of present, absent and failed sources, hold two
promises against each, and write the page. It does not: ask a source or read a clock. The rule it keeps: a broken
promise is an error and never a page.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import chain, combinations, product
from textwrap import wrap

from api.recording import FIRST_RETRY
from api.replies import Recorded, public_reply
from api.sandbox.facts import facts_of, laid_over
from api.sandbox.stories import book
from api.sources import OUTSIDE, absent, failed
from api.store.queries import ATTEMPTS_MAX
from api.worker import WAITS
from engine.application import Application
from engine.decision import DecidingRelease, Decision, decide
from engine.facts import SOURCES, Facts, Status
from engine.policy import Policy
from engine.reasons import CATALOGUE

DAY = date(2026, 12, 1)  # the page's today: the policy in force on it counts
ASKED_CENTS = 15_000_000  # so much that the caps on evidence bind
# One business that is approved, and one for each outside source that can knock out.
_STORIES = {
    "clean": "healthy shop", "cancelled_abn": "ABN cancelled", "dishonours": "dishonours",
    "unpaid_default": "unpaid default",
}  # fmt: skip
_WEAK_SALES_CENTS = 1_000_000  # a month
_WEAK = {"sales_a_month_cents": _WEAK_SALES_CENTS, "costs_a_month_cents": 900_000, "balance_cents": 1_500_000}

_WIDTH = 110  # of the page's lines

Mix = tuple[Status, ...]  # one status a source, in the order of SOURCES


class PromiseBroken(Exception):
    """A failed source declined somebody, or let something be approved."""


def mix_of(failing: Iterable[str] = (), lacking: Iterable[str] = ()) -> Mix:
    """The mixture in which these sources are failed, those absent, and the rest present."""
    failing, lacking = set(failing), set(lacking)
    return tuple("failed" if name in failing else "absent" if name in lacking else "present" for name in SOURCES)


@dataclass(frozen=True)
class Business:
    """A made-up business that asks for a line, with everything known about it."""

    title: str
    application: Application
    facts: Facts
    release: DecidingRelease

    def decided(self, mix: Mix) -> Decision:
        """The decision where each source is as `mix` says."""
        at, gone = self.facts.as_of, dict(zip(SOURCES, mix, strict=True))
        lost = {name: absent(name, at) for name, status in gone.items() if status == "absent"}
        lost |= {name: failed(name, "timeout", at) for name, status in gone.items() if status == "failed"}
        return decide(self.application, self.facts.model_copy(update=lost), self.release)

    @cached_property
    def decisions(self) -> Mapping[Mix, Decision]:
        """The decision for every mixture that there can be."""
        statuses: tuple[Status, ...] = ("present", "absent", "failed")
        return {mix: self.decided(mix) for mix in product(statuses, repeat=len(SOURCES))}

    def with_declared_statement(self) -> "Business":
        """The same, its statement supplied by the applicant."""
        bank = self.facts.bank
        value = bank.value and bank.value.model_copy(update={"evidence": "declared"})
        return replace(self, facts=self.facts.model_copy(update={"bank": bank.model_copy(update={"value": value})}))


def businesses(release: DecidingRelease) -> tuple[Business, ...]:
    """The healthy shop, one business that each source knocks out, and last the shop with a poor statement."""
    made = [_business(name, title, release) for name, title in _STORIES.items()]
    return (*made, _business("clean", "weak shop", release, bank=_WEAK))


def _business(name: str, title: str, release: DecidingRelease, bank: Mapping[str, int] | None = None) -> Business:
    story = book()[name]
    told = laid_over(story.tells, {"bank": bank or {}})
    application = story.application(DAY)
    asked = application.request.model_copy(update={"amount_cents": ASKED_CENTS})
    year = {"turnover_12m_cents": 12 * int(told["bank"]["sales_a_month_cents"])}
    stated = {"request": asked, "finances": application.finances.model_copy(update=year)}
    facts = facts_of(told, story.abn, story.acn, DAY)
    return Business(title, application.model_copy(update=stated), facts, release)


def hold(decisions: Mapping[Mix, Decision]) -> int:
    """Compare each decision with a failed source with the one where it answered; the number of them.

    PromiseBroken where a failed source declined (what is declined without it must be declined with it), or where
    anything was approved without it, which alone could raise a limit. It names the mixture.
    """
    compared = 0
    for mix, decision in decisions.items():
        if "failed" not in mix:
            continue
        compared += 1
        had = decisions[tuple("present" if status == "failed" else status for status in mix)]
        if decision.outcome == "approve" or (decision.outcome == "decline" and had.outcome != "decline"):
            raise PromiseBroken(f"{decision.outcome} with {dict(zip(SOURCES, mix, strict=True))}")
    return compared


# -- the page ------------------------------------------------------------------------------------------------


def page(release: DecidingRelease) -> str:
    """The page in Markdown; PromiseBroken where it would show one."""
    known = businesses(release)
    compared = sum(hold(business.decisions) for business in known)
    policy = release.policy.on(DAY)
    parts = _head(policy), _failures(known[:-1]), _evidence(known[0], known[-1], policy), _afterwards(compared)
    return "\n".join(chain.from_iterable(parts))


def _head(policy: Policy) -> Iterator[str]:
    yield "# When sources fail or are absent\n"
    yield from _paragraph(
        f"Made by `creditline degraded`, which decides each row under the shipped release; a test makes it again and "
        f"compares. Policy `{policy.name}` as in force on {DAY}. The businesses are made up; each asks for "
        f"{_dollars(ASKED_CENTS)}."
    )
    yield "- **Failed**: we could not get it. Never a decline, never a higher limit: a person looks, we ask again."
    yield "- **Absent**: the applicant did not connect it, or has none. The rest carries less, up to a stated cap.\n"


def _failures(known: tuple[Business, ...]) -> Iterator[str]:
    yield "## Every set of failed sources\n"
    yield from _paragraph(
        "A knock-out stands as long as its own source answered; without that source a person looks. «Told» is what "
        "the applicant hears of: compliance is never named."
    )
    yield from _head_row("failed", *(business.title for business in known), "told")
    for gone in _subsets():
        decisions = [business.decisions[mix_of(gone)] for business in known]
        yield _row(", ".join(gone) or "none", *map(_outcome, decisions), ", ".join(_told(decisions[0])) or "–")
    yield ""
    yield from _paragraph(f"Where the lender's own exposure cannot be read either, {_without_exposure(known)}.")


def _subsets() -> Iterator[tuple[str, ...]]:
    """Every set of outside sources, small ones first."""
    return chain.from_iterable(combinations(OUTSIDE, size) for size in range(len(OUTSIDE) + 1))


def _without_exposure(known: tuple[Business, ...]) -> str:
    """What changes in the table where exposure has failed too."""
    changed = [
        f"the {business.title} of the row «{', '.join(gone) or 'none'}» becomes **{without.outcome}**"
        for gone in _subsets()
        for business in known
        if (without := business.decisions[mix_of((*gone, "exposure"))]).outcome
        != business.decisions[mix_of(gone)].outcome
    ]
    return " and ".join((*changed, "nothing else changes") if changed else ("nothing changes",))


def _evidence(healthy: Business, weak: Business, policy: Policy) -> Iterator[str]:
    terms = policy.limits
    yield "## Absent evidence\n"
    yield from _head_row("evidence", "at most")
    yield _row("bank connected, until tax and financial evidence is in", _dollars(terms.bank_connected_cents))
    yield _row("bank declared: statements that the applicant supplies", _dollars(terms.bank_declared_cents))
    yield _row("bank absent", _dollars(terms.bank_absent_cents))
    yield _row("marketplace absent", _dollars(terms.marketplace_absent_cents))
    yield _row("bureau absent", _dollars(terms.bureau_absent_cents))
    yield ""
    yield from _paragraph(
        "The smallest that applies counts, beside every other cap. «Bound by» and «reasons» are the healthy shop's; "
        f"the weak shop states, and its statement shows, sales of {_dollars(_WEAK_SALES_CENTS)} a month."
    )
    yield from _combinations(healthy, weak)
    yield from _paragraph(_unconnected(weak))
    yield "The other three are never left out on purpose. Where one was not asked, a person looks:\n"
    yield from _head_row("absent", healthy.title, "found")
    for name in ("registry", "compliance", "exposure"):
        decision = healthy.decisions[mix_of((), [name])]
        yield _row(name, _outcome(decision), " ".join(finding.what for finding in decision.findings))
    yield ""


def _combinations(healthy: Business, weak: Business) -> Iterator[str]:
    """One row for each evidence that an applicant may give, and the words of the reasons in them."""
    used: set[str] = set()
    yield from _head_row("bank", "marketplace", "bureau", healthy.title, "bound by", "reasons", weak.title)
    for bank, marketplace, bureau in product(("connected", "declared", "absent"), *[("present", "absent")] * 2):
        given = {"bank": bank, "marketplace": marketplace, "bureau": bureau}
        mix = mix_of((), [name for name, how in given.items() if how == "absent"])
        shops = (healthy, weak) if bank != "declared" else map(Business.with_declared_statement, (healthy, weak))
        one, other = (shop.decided(mix) for shop in shops)
        codes = [reason.code for reason in one.reasons]
        used.update(codes)
        bound_by = one.bound_by if one.offer else None
        yield _row(*given.values(), _outcome(one), bound_by or "–", " ".join(codes), _outcome(other))
    yield ""
    yield from _paragraph("; ".join(f"{code}: {CATALOGUE[code].text}" for code in sorted(used)) + ".")


def _unconnected(weak: Business) -> str:
    """What a business may win by leaving its bank out, in a sentence."""
    whole, without = (weak.decisions[mix_of((), lacking)] for lacking in ((), ("bank",)))
    one, other = (decision.offer.limit_cents if decision.offer else 0 for decision in (whole, without))
    if other <= one:
        return "The weak shop wins nothing by leaving its bank out."
    return (
        "What is absent may raise a limit, since it is the applicant who leaves it out: the weak shop gets "
        f"{_dollars(other)} without its bank and {_dollars(one)} with it. The cap on an absent bank is what the "
        "lender stakes on that."
    )


def _afterwards(compared: int) -> Iterator[str]:
    yield "## What happens next\n"
    yield from _paragraph(
        "A referral that lacks a failed source is looked at again in the background: after "
        f"{FIRST_RETRY.seconds} seconds, and then at growing intervals of at most {WAITS[-1].seconds // 3_600} hours, "
        f"{ATTEMPTS_MAX} times in all. Only what had failed is asked again. As soon as one more source has answered it "
        "is decided again: the new decision supersedes the old one, nothing is edited, and what still fails is asked "
        "for from then on. Meanwhile, and after the last attempt, a person has it. A decline is not looked at again: "
        "it rests on what was known."
    )
    yield from _paragraph(
        f"Behind this page stand {compared:,} decisions with a failed source, each compared with the one where it "
        "answered: none approves, and none declines unless that one does."
    )


def _paragraph(text: str) -> list[str]:
    return [*wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False), ""]


def _told(decision: Decision) -> list[str]:
    """The sources that the public reply names as out of reach."""
    reply = json.loads(public_reply(Recorded("dec", "app", decision.as_of, decision, 0, "")))
    named: list[str] = reply["external_data_unavailable"]
    return named


def _outcome(decision: Decision) -> str:
    return f"approve {_dollars(decision.offer.limit_cents)}" if decision.offer else decision.outcome


def _dollars(cents: int) -> str:
    return f"${cents // 100:,}"


def _head_row(*cells: str) -> Iterator[str]:
    yield _row(*cells)
    yield "|" + "---|" * len(cells)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
