"""The ladder's own conduct, over real sockets: whom it asks, when, what it stamps, and what it never lets through."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from api.metrics import REGISTRY
from api.sandbox.stories import book
from api.sources import OUTSIDE, Answer, Asking, Gathered, Source, failed
from api.sources.exchange import Conversation, Exchange, Line
from api.sources.ladder import Ladder, Post
from engine.facts import BankData, RegisterRecord
from tests.support.exchanging import leaving_nothing
from tests.support.laddering import ASKED, LONG_S, now, question, settings_of, standing
from tests.support.sandbox import SandboxServer


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """A sandbox of the test's own, so that its requests can be counted."""
    with SandboxServer() as running:
        yield running


def ask(sandbox: SandboxServer, *questions: Asking) -> list[Gathered]:
    """What one ladder gathers, question after question."""

    async def work() -> list[Gathered]:
        async with standing(settings_of(sandbox.url)) as rungs:
            return [await rungs.gather(each) for each in questions]

    return leaving_nothing(work())


def without(consent: str) -> Asking:
    """The clean story's question, this consent refused."""
    asked = question()
    given = asked.application.consents
    refused = tuple(each.model_copy(update={"given": False}) if each.kind == consent else each for each in given)
    return replace(asked, application=asked.application.model_copy(update={"consents": refused}))


# -- whom it asks --------------------------------------------------------------------------------------------


def test_the_paid_source_is_not_asked_where_free_facts_settle_it(sandbox: SandboxServer) -> None:
    """A question that free facts settle leaves the bureau alone: an absent fact that says that nobody was asked."""
    seen: list[Gathered] = []

    def settled(partial: Gathered) -> bool:
        seen.append(partial)
        return partial.registry.value is not None and not partial.registry.value.abn_active

    open_, closed = question("clean", settled=settled), question("cancelled_abn", settled=settled)
    told = ask(sandbox, closed)[0]
    assert (told.bureau.status, told.bureau.source) == ("absent", "ladder/not-asked")
    assert (told.compliance.status, sandbox.requests["bureau"]) == ("present", 0)
    assert ask(sandbox, open_)[0].bureau.status == "present"
    assert (sandbox.requests["bureau"], len(seen)) == (1, 2)
    assert {seen[1].of(name).status for name in ("registry", "marketplace", "bank")} == {"present"}


def test_only_what_failed_is_asked_again(sandbox: SandboxServer) -> None:
    """Facts that were had are taken over as they are; the bureau, once paid for, is never paid for again."""
    sandbox.switch("bank", fault="busy")
    first = ask(sandbox, question())[0]
    assert first.failed == ("bank",)
    sandbox.switch("bank")
    before = dict(sandbox.requests)
    second = ask(sandbox, question(earlier=first))[0]
    assert second.failed == ()
    assert all(second.of(name) is first.of(name) for name in OUTSIDE if name != "bank")
    assert {source for source in ASKED if sandbox.requests[source] > before.get(source, 0)} == {"bank"}


def test_a_paid_source_that_was_not_asked_is_asked_when_it_matters(sandbox: SandboxServer) -> None:
    """ "Nobody was asked" is no fact that was had: once free facts leave the decision open, the bureau is asked."""
    first = ask(sandbox, question(settled=lambda _: True))[0]
    assert (first.bureau.source, sandbox.requests["bureau"]) == ("ladder/not-asked", 0)
    second = ask(sandbox, question(earlier=first))[0]
    assert (second.bureau.status, sandbox.requests["bureau"]) == ("present", 1)


@pytest.mark.parametrize(
    ("consent", "source"), [("commercial_bureau", "bureau"), ("marketplace_data", "marketplace"), ("bank_data", "bank")]
)
def test_without_consent_nobody_is_asked(sandbox: SandboxServer, consent: str, source: Source) -> None:
    """A refused consent makes its fact absent without one request, now and at every later time."""
    asked = without(consent)
    first = ask(sandbox, asked)[0]
    again = ask(sandbox, replace(asked, earlier=first))[0]
    assert (first.of(source).status, first.of(source).digest) == ("absent", None)
    assert again.of(source) == first.of(source)
    assert sandbox.requests[source] == 0


# -- screening -----------------------------------------------------------------------------------------------


def listed_name() -> str:
    """A name that is on the made-up list: the sanctioned story's director."""
    person = book()["sanctioned"].submission(now().date())["people"][0]
    return f"{person['given_names']} {person['family_name']}"


class NamedRegister:
    """A register that knows every business by one name."""

    name: Source = "registry"

    def __init__(self, entity_name: str) -> None:
        self._entity_name = entity_name

    async def fetch(self, asking: Asking, conversation: Conversation) -> Answer[RegisterRecord]:
        """A sole trader of that name."""
        record = RegisterRecord(
            abn=asking.application.business.abn, abn_active=True, abn_active_from=now().date() - timedelta(days=900),
            entity_name=self._entity_name, entity_type_code="IND",
        )  # fmt: skip
        return Answer(record)


def test_the_registers_names_are_screened(sandbox: SandboxServer) -> None:
    """A name that only the register tells is looked for, also when the register answers at the second time only."""

    async def work() -> list[int | None]:
        async with standing(settings_of(sandbox.url)) as rungs:
            first = await rungs.gather(question("sole_trader"))
            line = Line("register", sandbox.url, {}, timeout_s=LONG_S)
            named = Ladder(
                {"registry": Post(NamedRegister(listed_name()), Exchange(line))},
                rungs._compliance,
                now,
                development=True,
            )
            asked = question("sole_trader")
            found = [first, await named.gather(asked)]
            missed = replace(first, registry=failed("registry", "timeout", now()))
            found.append(await named.gather(replace(asked, earlier=missed)))
            found.append(await named.gather(replace(asked, earlier=first)))
            return [each.compliance.value.sanctions_hits if each.compliance.value else None for each in found]

    assert leaving_nothing(work()) == [0, 1, 1, 0]


# -- what it stamps ------------------------------------------------------------------------------------------


def test_each_fact_says_where_it_is_from(sandbox: SandboxServer) -> None:
    """Sandbox facts are marked synthetic, with the moment and the digest of what came, the same for the same bytes."""
    began = now()
    one, other = ask(sandbox, question(), question())
    for name in OUTSIDE:
        fact = one.of(name)
        assert (fact.source, fact.status, fact.failure) == (f"synthetic/sandbox/{name}", "present", None)
        assert began <= fact.fetched_at <= now()
        assert fact.digest == other.of(name).digest
        assert fact.digest is not None
        assert len(fact.digest) == 64


def test_outside_development_a_sandbox_is_no_source(sandbox: SandboxServer) -> None:
    """Whatever carries the sandbox's mark is failed as pretended: the absent, the list and 404s too."""

    async def work() -> Gathered:
        async with standing(settings_of(sandbox.url)) as rungs:
            real = Ladder(rungs._posts, rungs._compliance, now, development=False, made_up_list=rungs._made_up_list)
            return await real.gather(question("new_to_marketplace"))

    told = leaving_nothing(work())
    assert {(told.of(name).status, told.of(name).failure) for name in OUTSIDE} == {("failed", "pretended")}


# -- what goes wrong -----------------------------------------------------------------------------------------


class Broken:
    """A client with a mistake in it."""

    name: Source = "bank"

    async def fetch(self, asking: Asking, conversation: Conversation) -> Answer[BankData]:
        """Raise what a mistake raises, with what nobody may see."""
        raise KeyError(asking.application.business.abn, asking.application.business.legal_name)


def test_a_clients_mistake_costs_one_fact(sandbox: SandboxServer) -> None:
    """The fact is failed as internal and the others come; the log has the error's type and place, and no more."""

    async def work() -> Gathered:
        async with standing(settings_of(sandbox.url)) as rungs:
            mistaken = {**rungs._posts, "bank": replace(rungs._posts["bank"], client=Broken())}
            return await Ladder(mistaken, rungs._compliance, now, development=True).gather(question())

    with capture_logs() as logged:
        told = leaving_nothing(work())
    assert (told.failed, told.bank.failure) == (("bank",), "internal")
    (error,) = (each for each in logged if each["log_level"] == "error")
    assert (error["event"], error["source"], error["error_type"]) == ("source_error", "bank", "KeyError")
    assert "test_ladder.py" in error["where"]
    assert error.keys() == {"event", "log_level", "source", "error_type", "where"}
    business = question().application.business
    assert business.abn not in str(logged)
    assert business.legal_name not in str(logged)


@pytest.mark.parametrize("seconds", [0.0, -5.0])
def test_without_time_nobody_is_asked(sandbox: SandboxServer, seconds: float) -> None:
    """When the time is over already, every fact is failed as a timeout at once, and no source hears of anybody."""

    async def work() -> tuple[Gathered, float]:
        async with standing(settings_of(sandbox.url)) as rungs:
            began = time.monotonic()
            return await rungs.gather(question(seconds=seconds)), time.monotonic() - began

    told, took = leaving_nothing(work())
    assert {(told.of(name).status, told.of(name).failure) for name in OUTSIDE} == {("failed", "timeout")}
    assert sum(sandbox.requests[source] for source in ASKED) == 0
    assert took < 1.0


def test_a_source_that_keeps_failing_is_left_alone(sandbox: SandboxServer) -> None:
    """After five failures in a row the sixth is refused by the breaker, unasked and in under 10 ms; the others come."""
    sandbox.switch("marketplace", fault="error")

    async def work() -> tuple[list[str | None], float, Gathered]:
        async with standing(settings_of(sandbox.url)) as rungs:
            whys = [(await rungs.gather(question())).marketplace.failure for _ in range(5)]
            asked = sandbox.requests["marketplace"]
            least = LONG_S
            for _ in range(5):  # the least of five, for a busy machine
                began = time.monotonic()
                await rungs._ask("marketplace", question(), question().until)
                least = min(least, time.monotonic() - began)
            told = await rungs.gather(question())
            assert sandbox.requests["marketplace"] == asked
            return whys, least, told

    whys, least, told = leaving_nothing(work())
    assert whys == ["status"] * 5
    assert (told.failed, told.marketplace.failure) == (("marketplace",), "breaker_open")
    assert least < 0.010


def test_a_question_that_is_given_up_leaves_nothing(sandbox: SandboxServer) -> None:
    """A caller who goes away in the middle ends every request of the question."""
    sandbox.switch("bank", fault="black_hole")

    async def work() -> None:
        async with standing(settings_of(sandbox.url)) as rungs:
            asked = asyncio.create_task(rungs.gather(question()))
            while not sandbox.requests["bank"]:
                await asyncio.sleep(0.01)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked

    leaving_nothing(work())


def test_many_questions_at_once_are_told_apart(sandbox: SandboxServer) -> None:
    """Twenty questions about ten businesses at one time get each its own business's facts."""
    names = [name for name, story in book().items() if story.expects.outcome == "approve" and not story.conduct][:10]

    async def work() -> list[Gathered]:
        async with standing(settings_of(sandbox.url)) as rungs:
            return list(await asyncio.gather(*(rungs.gather(question(name)) for name in names * 2)))

    told = leaving_nothing(work())
    assert [each.registry.value.abn if each.registry.value else None for each in told] == [
        book()[name].abn for name in names * 2
    ]


def test_a_company_register_that_hangs_is_known_by_its_breaker(sandbox: SandboxServer) -> None:
    """Its conversation ends with the free sources' time, which is enough to blame it; the bureau is asked still."""
    sandbox.switch("company_register", fault="black_hole")

    async def work() -> list[Gathered]:
        async with standing(settings_of(sandbox.url)) as rungs:
            return [await rungs.gather(question(seconds=0.8)) for _ in range(5)]

    told = leaving_nothing(work())
    assert {each.registry.failure for each in told} == {"timeout"}
    assert any(each.bureau.status == "present" for each in told)
    assert REGISTRY.get_sample_value("creditline_source_breaker", {"source": "company-register"}) == 2
