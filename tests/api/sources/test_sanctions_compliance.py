"""The compliance client: no list, an old list and a bad list never read as "nobody found"; names stay out of logs."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from api.metrics import REGISTRY
from api.sandbox.sanctions import COLUMNS, ENTITY, PERSON, published, write_workbook
from api.sources import Answer, Asking, ScreenedName, SourceFailed
from api.sources.sanctions import Compliance
from engine.facts import ComplianceCheck
from tests.support.unplugged import asking

LISTED = ScreenedName(*PERSON, person=True)
NOBODY = ScreenedName("Wattle Q Nobodysson", date(1980, 1, 1), person=True)
WEEK_S = 7 * 86_400


class Publisher:
    """What the list's publisher gives, one thing after the other, the last for ever."""

    def __init__(self, *given: bytes | Exception) -> None:
        self._given = list(given)
        self.asked = 0

    async def __call__(self) -> bytes:
        """The next one."""
        self.asked += 1
        given = self._given.pop(0) if len(self._given) > 1 else self._given[0]
        if isinstance(given, Exception):
            raise given
        return given


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        """The moment."""
        return self.now


def loaded(publisher: Publisher, clock: Clock, loads: int = 1) -> Compliance:
    """A client that has loaded its list so often."""
    client = Compliance(publisher, now=clock)
    for _ in range(loads):
        asyncio.run(client.load())
    return client


def about(*names: ScreenedName, entity_type: str = "company") -> Asking:
    """A question about these names."""
    question = asking()
    business = question.application.business.model_copy(update={"entity_type": entity_type})
    return replace(question, application=question.application.model_copy(update={"business": business}), names=names)


def check(client: Compliance, question: Asking) -> Answer[ComplianceCheck]:
    """What the client answers."""
    return asyncio.run(client.fetch(question))


def why(client: Compliance, question: Asking) -> str | None:
    """Why it does not."""
    try:
        check(client, question)
    except SourceFailed as failed:
        return failed.why
    return None


def small(names: int) -> bytes:
    """A list of so many names."""
    return write_workbook(
        [COLUMNS, *((place, f"Name Number{place}", "Individual", *[None] * 15, "TRUE") for place in range(names))]
    )


def test_listed_people_and_businesses_are_hits_and_others_are_not() -> None:
    """Each listing counts once; nobody else does; political exposure and fraud are not judged here."""
    client = loaded(Publisher(published()), Clock())
    assert check(client, about(LISTED, NOBODY)) == Answer(ComplianceCheck(sanctions_hits=1))
    assert check(client, about(NOBODY, ScreenedName(ENTITY))) == Answer(ComplianceCheck(sanctions_hits=1))
    assert check(client, about(LISTED, LISTED, ScreenedName(ENTITY))) == Answer(ComplianceCheck(sanctions_hits=2))
    assert check(client, about(NOBODY)) == Answer(ComplianceCheck())


def test_a_sole_traders_business_is_screened_as_a_person() -> None:
    """The business's name is compared with people too, with the date of birth of the person that it names."""
    client = loaded(Publisher(published()), Clock())
    trading = ScreenedName(PERSON[0])
    assert check(client, about(trading)) == Answer(ComplianceCheck())
    assert check(client, about(trading, entity_type="sole_trader")) == Answer(ComplianceCheck(sanctions_hits=1))
    namesake = replace(LISTED, born=date(1999, 1, 1))
    assert check(client, about(namesake, trading, entity_type="sole_trader")) == Answer(ComplianceCheck())
    assert check(client, about(NOBODY, trading, entity_type="sole_trader")) == Answer(ComplianceCheck(sanctions_hits=1))


def test_the_compliance_role_gets_the_reference_and_the_list() -> None:
    """The hits themselves say which listing, how near, on the list of which digest."""
    client = loaded(Publisher(published()), Clock())
    found = asyncio.run(client.screen((LISTED,)))
    assert client.in_force is not None
    assert ([(hit.reference, hit.score) for hit in found.hits], found.digest) == (
        [("1", 1.0)], client.in_force.listed.digest,
    )  # fmt: skip


def test_without_a_list_nobody_is_screened() -> None:
    """Nothing loaded, nothing configured and a publisher who fails all fail the fact."""
    clock = Clock()
    assert why(Compliance(None), about(NOBODY)) == "not_configured"
    assert asyncio.run(Compliance(None).load()) is False
    for publisher in (Publisher(b"x"), Publisher(SourceFailed("timeout")), Publisher(RuntimeError("x"))):
        assert why(loaded(publisher, clock), about(NOBODY)) == "not_configured"


def test_a_list_grows_old() -> None:
    """A week after the last good load the fact fails; another good load mends it."""
    clock = Clock()
    client = loaded(Publisher(published()), clock)
    clock.now += WEEK_S
    assert why(client, about(NOBODY)) is None
    clock.now += 1
    assert why(client, about(NOBODY)) == "stale"
    assert asyncio.run(client.load())
    assert why(client, about(NOBODY)) is None
    assert REGISTRY.get_sample_value("creditline_sanctions_list_timestamp_seconds") == clock.now


def test_a_file_is_as_old_as_it_was_written(tmp_path: Path) -> None:
    """Reading an old file again and again does not make it younger."""
    path, clock = tmp_path / "list.xlsx", Clock()
    path.write_bytes(published())
    os.utime(path, (clock.now - WEEK_S - 1, clock.now - WEEK_S - 1))
    client = Compliance(path, now=clock)
    assert asyncio.run(client.load())
    assert why(client, about(LISTED)) == "stale"
    os.utime(path, (clock.now, clock.now))
    assert asyncio.run(client.load())
    assert check(client, about(LISTED)) == Answer(ComplianceCheck(sanctions_hits=1))
    path.unlink()
    assert not asyncio.run(client.load())


@pytest.mark.parametrize(
    "bad", [b"", b"x" * 50_000_001, small(999), SourceFailed("reset"), OSError("x"), ValueError("x"), TimeoutError()]
)
def test_a_bad_list_keeps_the_one_before(bad: bytes | Exception) -> None:
    """Whatever the new one is, the old one stays in force, and the refusal is counted."""
    clock = Clock()
    client = loaded(Publisher(published(), bad), clock, loads=2)
    assert client.rejected == 1
    assert check(client, about(LISTED)) == Answer(ComplianceCheck(sanctions_hits=1))
    clock.now += WEEK_S + 1
    assert why(client, about(LISTED)) == "stale"


def test_a_list_that_lost_half_of_its_names_is_refused() -> None:
    """A list cut short is well formed all the same: it is refused by its size against the one before."""
    client = loaded(Publisher(small(2_100), small(1_049)), Clock(), loads=2)
    assert client.rejected == 1
    assert loaded(Publisher(small(2_100), small(1_051)), Clock(), loads=2).rejected == 0


@pytest.mark.parametrize("names", [(), (ScreenedName("?!"),), (NOBODY,) * 101])
def test_nobody_passes_unscreened(names: Sequence[ScreenedName]) -> None:
    """Nobody to screen, a name without letters and too many names are a failed fact, not a clean one."""
    assert why(loaded(Publisher(published()), Clock()), about(*names)) == "schema"


def test_the_list_is_renewed_on_a_timer() -> None:
    """It is loaded at once, again and again, and asked for sooner while there is none; cancelling ends it."""

    async def renewing() -> int:
        publisher = Publisher(b"", published())
        task = asyncio.create_task(Compliance(publisher, every_s=0.01).renew())
        async with asyncio.timeout(20):
            while publisher.asked < 3:
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        return publisher.asked

    assert asyncio.run(renewing()) >= 3


def test_logs_and_errors_hold_no_name_and_no_hit() -> None:
    """Loading, refusing, hitting and failing leave no name, no date of birth and no count of hits behind."""
    with capture_logs() as logs:
        client = loaded(Publisher(published(), b"Zoltan Example-Karov"), Clock(), loads=2)
        before = len(logs)
        check(client, about(LISTED))
        assert len(logs) == before
        with pytest.raises(SourceFailed) as failed:
            check(client, about(LISTED, ScreenedName("?!")))
    told = f"{logs} {failed.value!r} {failed.value.__cause__!r} {client.in_force!r}".lower()
    assert [entry["event"] for entry in logs] == ["sanctions_list", "sanctions_list_not_taken"]
    assert not [word for word in ("zoltan", "karov", "1961", "shadow") if word in told]


def test_screening_leaves_the_loop_free() -> None:
    """Many screenings at once are answered, each with its own result."""
    client = loaded(Publisher(published()), Clock())

    async def all_of_them() -> list[int]:
        answers = await asyncio.gather(*(client.fetch(about(LISTED if n % 2 else NOBODY)) for n in range(20)))
        return [answer.value.sanctions_hits for answer in answers if answer.value is not None]

    assert asyncio.run(all_of_them()) == [0, 1] * 10
