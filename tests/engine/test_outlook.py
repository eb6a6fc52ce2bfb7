"""What-if in blocks says what blind re-decision says: on the simulated market, on any story, under any release."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings

import models
from engine import whatif
from engine.application import Application
from engine.canonical import canonical_bytes
from engine.decision import DecidingRelease, decide
from engine.facts import BankData, BureauReport, Fact, Facts, RegisterRecord, Review, VerifiedDocuments
from engine.facts.documents import VerifiedDocument
from engine.whatif import BAND_FIELDS, ShownBy
from engine.whatif.changed import with_finances
from engine.whatif.outlook import Outlooks
from tests.support import redeciding
from tests.support.businesses import business
from tests.support.releases import WEIGHTS, fake_release
from tests.support.stories import stories
from training.simulate import make

SEED = 20_261
EVERYBODY: tuple[ShownBy, ...] = ("documents", "registry", "bureau")
TERMS = (1, 6, 24)
Told = dict[str, Any]
Pair = tuple[Application, Facts]


@cache
def market(index: int) -> Pair:
    """One business of the simulated market."""
    made = make(SEED, index)
    application = Application.model_validate_json(canonical_bytes(made.application))
    return application, Facts.model_validate_json(made.facts_bytes)


@cache
def releases() -> dict[str, DecidingRelease]:
    """The champion, and stand-ins that lend more, less and by other features."""
    return {
        "champion": models.champion(),
        "linear": fake_release(),
        "generous": fake_release(base=-4.5),
        "by size": fake_release(
            weights={"amount_to_turnover": 6.0, "turnover_declared": -1e-6, "days_since_order": 0.05,
                     "orders_12m": -0.01, "gst_age_months": -0.02, "repayments_to_turnover": 5.0}, base=-3.0,
        ),
        "guarded": fake_release(guarded=True),
    }  # fmt: skip


def same(application: Application, facts: Facts, release: DecidingRelease, until: datetime) -> None:
    """Every what-if of a case, in blocks and blind."""
    offer = decide(application, facts, release).offer
    limit = offer.limit_cents if offer else application.request.amount_cents
    amounts = sorted({limit, max(limit // 100_000 * 50_000, 500_000), 500_000})
    for name, more in {
        "explore": (amounts, TERMS), "suggest": (), "promises": (until, EVERYBODY), "bands": (),
    }.items():  # fmt: skip
        blocks: Callable[..., object] = getattr(whatif, name)
        blind: Callable[..., object] = getattr(redeciding, name)
        assert blocks(application, facts, release, *more) == blind(application, facts, release, *more), name


# -- equal to blind re-decision ------------------------------------------------------------------------------


@pytest.mark.parametrize("index", range(70))
def test_what_ifs_of_the_market_are_those_of_blind_re_decision(index: int) -> None:
    """Explorer, suggestions, promises and three bands of each business under the champion."""
    application, facts = market(index)
    same(application, facts, releases()["champion"], facts.as_of + timedelta(days=index % 31))


@pytest.mark.parametrize("name", ["linear", "generous", "by size", "guarded"])
@pytest.mark.parametrize("index", range(70, 76))
def test_so_they_are_under_other_releases(index: int, name: str) -> None:
    """The same under stand-ins, whose scores move with what bands and days move."""
    application, facts = market(index)
    same(application, facts, releases()[name], facts.as_of + timedelta(days=30))


def test_a_promise_of_what_is_dated_is_tried_with_the_date_of_each_day() -> None:
    """GST registered on the last day is not a month old then, however much worse the score makes a month."""
    application, facts = business({"registry": {"gst_from": None}})
    release = fake_release(weights={**WEIGHTS, "gst_age_months": 0.5})
    until = facts.as_of + timedelta(days=90)
    found = whatif.promises(application, facts, release, until, EVERYBODY)
    assert found == redeciding.promises(application, facts, release, until, EVERYBODY) != ()


@pytest.mark.parametrize("index", range(76, 136))
def test_any_change_of_the_facts_is_seen(index: int) -> None:
    """Random changes, several at once and in one batch with the unchanged case: each outlook is its own decision's."""
    chance, release = Random(index), releases()[["champion", "generous"][index % 2]]
    cases = [market(index)]
    for _ in range(12):
        cases.append(changed(*chance.choice(cases), chance))
    expected = [redeciding.seen(decide(*case, release)) for case in cases]
    assert [tuple(outlook) for outlook in Outlooks(release).of(cases)] == expected


@settings(max_examples=40)
@given(stories())
def test_any_story_has_the_what_ifs_of_blind_re_decision(told: Told) -> None:
    """Sources absent and failed, households, knock-outs and brakes included."""
    application, facts = business(told)
    same(application, facts, releases()["linear"], facts.as_of + timedelta(days=4))


@pytest.mark.parametrize("step", [1, 70_000, 3_000_000])
@pytest.mark.parametrize("field", BAND_FIELDS)
@pytest.mark.parametrize("index", [3, 12, 101])
def test_a_band_may_be_walked_in_any_steps(index: int, field: str, step: int) -> None:
    """Up to two hundred steps of a cent, of hundreds and of thousands of dollars."""
    application, facts = market(index)
    for most in (0, 1, 7, 9, 200):
        blocks = whatif.band(application, facts, releases()["champion"], field, step, most)
        assert blocks == redeciding.band(application, facts, releases()["champion"], field, step, most)


# -- random changes ------------------------------------------------------------------------------------------


def changed(application: Application, facts: Facts, chance: Random) -> Pair:
    """The same case with one random thing changed: a figure, a source, an officer's word, or the day."""
    return chance.choice([_finances, _amount, _day, _register, _bureau, _bank, _documents, _review, _source])(
        application, facts, chance
    )


def _finances(application: Application, facts: Facts, chance: Random) -> Pair:
    overdue = chance.choice([0, chance.randrange(1, 9_000_000)])
    return with_finances(
        application,
        turnover_12m_cents=chance.randrange(0, 400_000_000),
        other_lenders=chance.randrange(1, 5),
        overdue_tax_cents=overdue,
        tax_plan=chance.choice([True, False]) if overdue else None,
    ), facts


def _amount(application: Application, facts: Facts, chance: Random) -> Pair:
    return whatif.asking(application, chance.randrange(10, 601) * 50_000), facts


def _day(application: Application, facts: Facts, chance: Random) -> Pair:
    return application, facts.model_copy(update={"as_of": facts.as_of + timedelta(days=chance.randrange(1, 200))})


def _with(facts: Facts, name: str, value: object) -> Facts:
    return facts.model_copy(update={name: getattr(facts, name).model_copy(update={"value": value})})


def _register(application: Application, facts: Facts, chance: Random) -> Pair:
    record: RegisterRecord | None = facts.registry.value
    if record is None:
        return application, facts
    told: Told = chance.choice(
        [
            {"gst_from": None},
            {"gst_from": facts.as_of.date()},
            {"company_status": "SOFF"},
            {"abn_active_from": facts.as_of.date() - timedelta(days=chance.randrange(4_000))},
        ]
    )
    return application, _with(facts, "registry", record.model_copy(update=told))


def _bureau(application: Application, facts: Facts, chance: Random) -> Pair:
    report: BureauReport | None = facts.bureau.value
    if report is None:
        return application, facts
    told: Told = chance.choice(
        [
            {"score": None},
            {"score": report.score_high},
            {"defaults": ()},
            {"enquiries": ()},
            {"court_actions": ()},
            {"tax_debt_disclosed_cents": chance.randrange(20_000_000)},
        ]
    )
    return application, _with(facts, "bureau", report.model_copy(update=told))


def _bank(application: Application, facts: Facts, chance: Random) -> Pair:
    bank: BankData | None = facts.bank.value
    if bank is None:
        return application, facts
    return application, _with(
        facts, "bank", bank.model_copy(update={"evidence": chance.choice(["declared", "verified"])})
    )


def _documents(application: Application, facts: Facts, chance: Random) -> Pair:
    kinds = chance.sample(["tax_account", "financial_statements", "identity"], chance.randrange(3))
    value = VerifiedDocuments(
        by="person",
        accepted=tuple(VerifiedDocument(kind=kind, sha256="0" * 64) for kind in kinds),
        turnover_12m_cents=chance.choice([None, chance.randrange(300_000_000)]),
        overdue_tax_cents=chance.choice([None, 0, 3_000_000]),
        tax_plan=chance.choice([None, True]),
    )
    fact = Fact[VerifiedDocuments](source="verification", fetched_at=facts.as_of, status="present", value=value)
    return application, facts.model_copy(update={"documents": fact})


def _review(application: Application, facts: Facts, chance: Random) -> Pair:
    value = Review(
        most_cents=chance.choice([None, 1_000_000, 30_000_000]),
        set_aside=tuple(chance.sample(["turnover_overstated", "entity_differs", "gst_expected", "overdue_tax"], 3)),
        declined=chance.choice([None, None, "R24"]),
    )
    fact = Fact[Review](source="referrals", fetched_at=facts.as_of, status="present", value=value)
    return application, facts.model_copy(update={"review": fact})


def _source(application: Application, facts: Facts, chance: Random) -> Pair:
    name = chance.choice(["registry", "marketplace", "bank", "bureau", "compliance", "exposure"])
    status = chance.choice(["absent", "failed"])
    return application, facts.model_copy(
        update={name: getattr(facts, name).model_copy(update={"status": status, "value": None})}
    )
