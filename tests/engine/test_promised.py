"""Promises: what is named, decided again as if it were there on any day, gives at least what was promised."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.application import Application
from engine.decision import decide
from engine.facts import Facts
from engine.whatif import EVIDENCE, Promise, Shown, ShownBy, fulfils, honoured, is_met, promises
from tests.support.businesses import AS_OF, business
from tests.support.releases import fake_release
from tests.support.stories import stories

RELEASE = fake_release()
UNTIL = AS_OF + timedelta(days=30)
EVERYBODY: tuple[ShownBy, ...] = ("documents", "registry", "bureau")
BY_KIND = {each.kind: each for each in EVIDENCE}
Told = dict[str, Any]

OWING: Told = {
    "application": {
        "request": {"amount_cents": 12_000_000},
        "finances": {"overdue_tax_cents": 2_000_000, "tax_plan": False},
    },
    "bank": {"evidence": "declared", "sales_a_month_cents": 20_000_000, "costs_a_month_cents": 15_000_000},
    "marketplace": {"order_cents": 900_000},
}
DEFAULT = {"on": "2025-01-01", "amount_cents": 600_000, "paid": False}
LARGE: Told = {
    "application": {
        "request": {"amount_cents": 30_000_000}, "finances": {"turnover_12m_cents": 963_000_000},
    },
    "bank": {
        "sales_a_month_cents": 80_000_000, "costs_a_month_cents": 50_000_000, "balance_cents": 90_000_000,
    },
    "marketplace": {"order_cents": 4_000_000},
    "bureau": {"score": 980},
}  # fmt: skip
EXAMPLES: dict[str, Told] = {
    "owing and unverified": OWING,
    "without GST": {"registry": {"gst_from": None}},
    "defaulted": {"bureau": {"defaults": [DEFAULT]}},
    "disclosed": {"bureau": {"tax_debt_disclosed_cents": 12_000_000}},
    "large": LARGE,
}


def made(told: Told) -> tuple[Application, Facts, tuple[Promise, ...]]:
    """A business and what it is promised."""
    application, facts = business(told)
    return application, facts, promises(application, facts, RELEASE, UNTIL, EVERYBODY)


def shown(promise: Promise, facts: Facts, days: int = 0) -> Facts:
    """The facts some days later, with exactly what the promise names."""
    later = facts.model_copy(update={"as_of": facts.as_of + timedelta(days=days)})
    for each in promise.evidence:
        later = BY_KIND[each.kind].apply(each, later)
    return later


# -- what is promised comes true -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_business_that_could_do_better_is_promised_something(name: str) -> None:
    """Each of these has at least one promise of a line above what it has now, and of what it asked for at most."""
    application, facts, found = made(EXAMPLES[name])
    offer = decide(application, facts, RELEASE).offer
    assert 1 <= len(found) <= 3
    for promise in found:
        assert (offer.limit_cents if offer else 0) < promise.limit_cents <= application.request.amount_cents
        assert promise.held_until == UNTIL


@settings(max_examples=40)
@given(stories(), st.integers(0, 37))
def test_what_is_shown_gives_what_was_promised_on_any_day(told: Told, days: int) -> None:
    """Of any story: with exactly what is named, today, on the last day or a week after, the line is no less."""
    application, facts, found = made(told)
    now = decide(application, facts, RELEASE)
    assert len(found) <= 3
    for promise in found:
        there = shown(promise, facts, days)
        assert not fulfils(now, promise)
        assert not is_met(promise, facts, facts.as_of)
        assert is_met(promise, there, UNTIL)
        assert fulfils(decide(application, there, RELEASE), promise)


@settings(max_examples=20)
@given(stories(), st.sampled_from([{"sanctions_hits": 1}, {"politically_exposed": True}, {"fraud_flags": ["x"]}]))
def test_nothing_is_promised_where_compliance_found_something(told: Told, compliance: Told) -> None:
    """Whatever else is the matter: no evidence that an applicant brings would change it."""
    application, facts = business({**told, "compliance": compliance})
    assert promises(application, facts, RELEASE, UNTIL, EVERYBODY) == ()


def test_an_approval_in_full_needs_no_promise() -> None:
    """Who gets what was asked for is promised nothing."""
    assert made({})[2] == ()


def test_only_who_may_still_show_something_is_named() -> None:
    """With documents alone nothing of the register is promised, and the other way round."""
    application, facts = business(OWING)
    kinds = {each.kind for p in promises(application, facts, RELEASE, UNTIL, ("documents",)) for each in p.evidence}
    assert set() < kinds <= {"statements", "tax_paid", "tax_plan", "financials"}
    assert promises(application, facts, RELEASE, UNTIL, ("registry", "bureau")) == ()


# -- what meets a promise ------------------------------------------------------------------------------------


def test_figures_that_are_named_are_round() -> None:
    """Turnover is rounded down to two figures, overdue tax up to a thousand dollars, money coming in to a dollar."""
    owing = made({**OWING, "application": {**OWING["application"], "finances": {
        "overdue_tax_cents": 2_000_100, "tax_plan": False}}})  # fmt: skip
    named = [each for _, facts, found in (owing, made(LARGE)) for promise in found for each in promise.evidence]
    amounts = {(each.kind, "least"): each.least_cents for each in named} | {
        (each.kind, "most"): each.most_cents for each in named
    }
    assert amounts["financials", "least"] == 960_000_000
    assert (amounts["statements", "least"] or 1) % 100 == 0
    application, facts = business({**OWING, "bank": {**OWING["bank"], "evidence": "connected"}})
    plan = BY_KIND["tax_plan"].name(application, facts)
    assert plan == Shown(kind="tax_plan", most_cents=2_000_000, plan=True)


@pytest.mark.parametrize(
    ("kind", "less"),
    [
        ("financials", lambda each: {"least_cents": each.least_cents - 100}),
        ("financials", lambda each: {"most_cents": (each.most_cents or 0) + 100}),
        ("tax_plan", lambda each: {"most_cents": each.most_cents + 100}),
        ("tax_plan", lambda _: {"plan": False}),
        ("statements", lambda each: {"first_on": each.first_on - timedelta(days=1)}),
    ],
)
def test_short_by_a_dollar_is_short(kind: str, less: Callable[[Shown], Told]) -> None:
    """Evidence that shows a dollar or a day less than is named does not meet it; exactly so much does."""
    application, facts = business(LARGE if kind == "financials" else OWING)
    evidence = BY_KIND[kind]  # type: ignore[index]
    named = evidence.name(application, facts)
    assert named is not None
    assert evidence.met(named, evidence.apply(named, facts))
    short = named.model_copy(update=less(named))
    if kind == "statements":  # the window that is named is the longer one here
        assert not evidence.met(short, evidence.apply(named, facts))
    elif short.plan is False:
        without = evidence.apply(named, facts)
        documents = without.documents
        assert documents is not None
        assert documents.value is not None
        value = documents.value.model_copy(update={"tax_plan": False})
        fact = documents.model_copy(update={"value": value})
        assert not evidence.met(named, without.model_copy(update={"documents": fact}))
    else:
        assert not evidence.met(named, evidence.apply(short, facts))


def test_a_promise_is_met_in_time_or_not_at_all() -> None:
    """What came on the last moment counts however long it takes us to look; a second later it does not."""
    application, facts, (promise, *_) = made(OWING)
    there = shown(promise, facts, 33)
    assert is_met(promise, there, UNTIL)
    assert not is_met(promise, there, UNTIL + timedelta(seconds=1))
    assert application.request.amount_cents == 12_000_000


# -- honouring -----------------------------------------------------------------------------------------------

LATER_RELEASE = fake_release(base=-0.9)  # a champion that lends less


def honour(application: Application, facts: Facts, *kept: Promise, shown_at: datetime = AS_OF) -> tuple[Any, Any]:
    """What the later champion decides, and what comes of it with these promises."""
    decided = decide(application, facts, LATER_RELEASE)
    return decided, honoured(application, facts, decided, [(each, RELEASE) for each in kept], shown_at)


def test_what_another_champion_would_not_give_its_own_release_does() -> None:
    """The decision is the one of the promise's release, on the same facts, and names it."""
    application, facts, (promise, *_) = made(OWING)
    there = shown(promise, facts)
    decided, (best, kept) = honour(application, there, promise)
    assert not fulfils(decided, promise)
    assert kept is promise
    assert best == decide(application, there, RELEASE)
    assert fulfils(best, promise)


def test_of_two_promises_the_higher_line_counts() -> None:
    """Both are met: whichever comes first, the line is that of the higher one."""
    application, facts, (low, *rest) = made(OWING)
    high = max(rest, key=lambda each: each.limit_cents)
    assert high.limit_cents > low.limit_cents
    there = shown(high, shown(low, facts))
    for pair in ((low, high), (high, low)):
        _, (best, kept) = honour(application, there, *pair)
        assert fulfils(best, low)
        assert fulfils(best, high)
        assert kept is high


@pytest.mark.parametrize(
    "worse",
    [
        {"registry": {"company_status": "EXAD"}},
        {"compliance": {"sanctions_hits": 1}},
        {"bureau": {"status": "failed"}},
        {"exposure": {"brakes": [{"kind": "refer_all", "segment": "all"}]}},
    ],
    ids=["knock-out", "compliance", "failed source", "brake"],
)
def test_what_came_up_meanwhile_holds(worse: Told) -> None:
    """A knock-out, a referral, a source that fails and a brake decide as they always do."""
    application, _, (promise, *_) = made(OWING)
    _, changed = business({**OWING, **worse})
    there = shown(promise, changed)
    decided, (best, kept) = honour(application, there, promise)
    assert is_met(promise, there, AS_OF)
    assert (best, kept) == (decided, None)
    assert best.offer is None


def test_what_is_not_met_changes_nothing() -> None:
    """Without the evidence, or too late with it, the champion's decision stands."""
    application, facts, (promise, *_) = made(OWING)
    decided, (best, kept) = honour(application, facts, promise)
    assert (best, kept) == (decided, None)
    there = shown(promise, facts, 30)
    decided, (best, kept) = honour(application, there, promise, shown_at=UNTIL + timedelta(days=1))
    assert (best, kept) == (decided, None)
    assert promise.held_until.date() == date(2026, 9, 2)
