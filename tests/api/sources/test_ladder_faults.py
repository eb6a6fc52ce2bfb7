"""Every fault of every source, through the real clients and the whole ladder: failed with its word, and only that."""

import asyncio
from collections.abc import Iterator
from itertools import product
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from api.sources import OUTSIDE, Gathered, Why
from api.sources.bank import Bank
from api.sources.breaker import Breaker
from api.sources.exchange import Exchange, Line
from api.sources.ladder import FREE_SHARE, Ladder, Post
from tests.support.exchanging import leaving_nothing
from tests.support.faults import Fault, FaultProxy
from tests.support.laddering import ASKED, FACT_OF, LONG_S, gathered, now, question, settings_of, standing
from tests.support.sandbox import SandboxServer

SHORT_S = 0.5  # for a source that is to run out of time
GENEROUS_S = 2.0  # over a promised moment, for a busy machine
IN_THE_SHEET = 5_000  # a place in the list's rows: in the packing around them a wrong byte may mean nothing

WORDS: dict[Fault, Why] = {
    "refuse": "refused", "reset": "reset", "cut_short": "reset", "black_hole": "timeout", "trickle": "timeout",
    "slow_start": "timeout", "corrupt_byte": "encoding", "truncated_json": "malformed", "wrong_schema": "schema",
    "oversized": "oversized", "oversized_announced": "oversized", "wrong_charset": "encoding",
    "compressed": "encoding", "redirect": "redirect", "unauthorised": "unauthorised", "server_error": "status",
    "too_many": "busy", "garbage": "malformed", "long_header": "malformed",
}  # fmt: skip
# The register wraps its JSON for a callback: another shape lacks the wrapper, so it is not even well formed.
OTHERWISE: dict[tuple[str, Fault], Why] = {("register", "wrong_schema"): "malformed"}
LATE = tuple(fault for fault, why in WORDS.items() if why == "timeout")
TLS: tuple[Fault, ...] = ("tls_failure", "tls_garbage")

# The list is a workbook, not a text, and is not waited for by anybody: what was wrong with it is logged.
LIST_WORDS: dict[Fault, str] = {
    **{fault: why for fault, why in WORDS.items() if fault not in LATE},
    "corrupt_byte": "not_a_workbook", "truncated_json": "not_a_workbook", "wrong_schema": "not_a_workbook",
    "oversized": "not_a_workbook", "oversized_announced": "not_a_workbook",  # a list may just have 50 MB
}  # fmt: skip
del LIST_WORDS["wrong_charset"]  # of no meaning for a workbook


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    """A sandbox that knows the stories alone."""
    with SandboxServer() as running:
        yield running


@pytest.fixture(scope="module")
def whole(sandbox: SandboxServer) -> Gathered:
    """What all the sources say of the clean story when nothing is wrong."""
    found, _ = leaving_nothing(gathered(settings_of(sandbox.url)))
    assert {found.of(name).status for name in OUTSIDE} == {"present"}
    return found


def port_of(sandbox: SandboxServer) -> int:
    """The sandbox's port."""
    return urlsplit(sandbox.url).port or 0


def check_others(found: Gathered, whole: Gathered, failing: str) -> None:
    """Every other fact is present and says what it says without the fault."""
    for name in OUTSIDE:
        if name != FACT_OF[failing]:
            assert found.of(name).value == whole.of(name).value is not None, name


@pytest.mark.parametrize(("source", "fault"), [*product(ASKED, WORDS)])
def test_each_fault_fails_its_fact_alone(sandbox: SandboxServer, whole: Gathered, source: str, fault: Fault) -> None:
    """The fact is failed with the fault's word, without a value; the others come; no task or socket is left."""

    async def work() -> Gathered:
        with FaultProxy(port_of(sandbox)) as proxy:
            proxy.fault, proxy.delay_s = fault, 30.0
            short = {source: SHORT_S} if fault in LATE else {}
            found, _ = await gathered(settings_of(sandbox.url, {source: proxy.url}, short))
            return found

    found = leaving_nothing(work())
    fact = found.of(FACT_OF[source])
    assert (fact.status, fact.failure) == ("failed", OTHERWISE.get((source, fault), WORDS[fault]))
    assert (fact.value, fact.digest) == (None, None)
    check_others(found, whole, source)


@pytest.mark.parametrize(("source", "fault"), [*product(ASKED, TLS)])
def test_a_certificate_that_nobody_vouches_for(
    sandbox: SandboxServer, whole: Gathered, source: str, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger's certificate, or no TLS at all at an https address, is `tls`; the trusted one is answered."""

    async def work(fault: Fault) -> Gathered:
        with FaultProxy(port_of(sandbox), tls=True) as proxy:
            proxy.fault = fault
            monkeypatch.setenv("SSL_CERT_FILE", proxy.ca_file or "")
            found, _ = await gathered(settings_of(sandbox.url, {source: proxy.url}))
            return found

    found = leaving_nothing(work(fault))
    fact = found.of(FACT_OF[source])
    assert (fact.status, fact.failure, fact.value) == ("failed", "tls", None)
    check_others(found, whole, source)
    if fault == TLS[0]:
        assert leaving_nothing(work("pass")).of(FACT_OF[source]).value == whole.of(FACT_OF[source]).value


@pytest.mark.parametrize("fault", [*LIST_WORDS, *LATE])
def test_a_list_that_does_not_come_screens_nobody(sandbox: SandboxServer, whole: Gathered, fault: Fault) -> None:
    """Without a list compliance is failed at once, never "no hits"; the log says why the list was not taken."""

    async def work() -> Gathered:
        with FaultProxy(port_of(sandbox)) as proxy:
            proxy.fault, proxy.delay_s, proxy.offset = fault, 30.0, IN_THE_SHEET
            async with standing(settings_of(sandbox.url, {"sanctions": proxy.url}), listed=False) as rungs:
                assert rungs._compliance is not None
                if fault not in LATE:
                    await rungs._compliance.load()
                return await rungs.gather(question())

    with capture_logs() as logged:
        found = leaving_nothing(work())
    assert (found.compliance.status, found.compliance.failure) == ("failed", "not_configured")
    check_others(found, whole, "sanctions")
    words = {each.get("why") for each in logged if each["event"] == "sanctions_list_not_taken"}
    assert words == ({LIST_WORDS[fault]} if fault not in LATE else set())


@pytest.mark.parametrize("fault", LIST_WORDS)
def test_a_list_in_force_outlives_a_bad_one(sandbox: SandboxServer, whole: Gathered, fault: Fault) -> None:
    """Where the list was had once, a fault at its renewal keeps the one before, and compliance is present."""

    async def work() -> Gathered:
        with FaultProxy(port_of(sandbox)) as proxy:
            async with standing(settings_of(sandbox.url, {"sanctions": proxy.url})) as rungs:
                assert rungs._compliance is not None
                proxy.fault, proxy.offset = fault, IN_THE_SHEET
                assert not await rungs._compliance.load()
                return await rungs.gather(question())

    found = leaving_nothing(work())
    assert found.compliance.value == whole.compliance.value is not None


@pytest.mark.parametrize(("source", "fault"), [*product(ASKED, ("black_hole", "trickle"))])
def test_the_ladder_is_back_in_time(sandbox: SandboxServer, source: str, fault: Fault) -> None:
    """However patient the source's own limit, the ladder is back when the question's time is over."""

    async def work() -> tuple[Gathered, float]:
        with FaultProxy(port_of(sandbox)) as proxy:
            proxy.fault = fault
            return await gathered(settings_of(sandbox.url, {source: proxy.url}), seconds=1.0)

    found, seconds = leaving_nothing(work())
    fact = found.of(FACT_OF[source])
    assert (fact.status, fact.failure) == ("failed", "timeout")
    assert seconds < 1.0 + GENEROUS_S
    # A busy machine may cost another source its time, never its status.
    assert all(found.of(name).status != "absent" for name in OUTSIDE)


@pytest.mark.parametrize("fault", ["reset", "cut_short", "black_hole", "trickle", "oversized", "server_error"])
def test_no_place_in_a_pool_is_lost(sandbox: SandboxServer, fault: Fault) -> None:
    """After more failed questions than a source has connections, its next answer comes as ever."""

    async def work() -> list[str]:
        with FaultProxy(port_of(sandbox)) as proxy:
            token = {"Authorization": "Bearer sandbox-token"}
            line = Line("bank", f"{proxy.url}/cdr", token, timeout_s=LONG_S, most_connections=3)
            never_opens = Breaker("bank", in_a_row=1_000, share=2.0)
            rungs = Ladder({"bank": Post(Bank(), Exchange(line, breaker=never_opens))}, None, now, development=True)
            async with rungs.opened():
                proxy.fault = fault
                short = 0.3 if fault in LATE else LONG_S
                together = [rungs.gather(question(seconds=short / FREE_SHARE)) for _ in range(8)]
                failed = [found.bank.status for found in await asyncio.gather(*together)]
                proxy.fault = "pass"
                return [*failed, (await rungs.gather(question())).bank.status]

    assert leaving_nothing(work()) == ["failed"] * 8 + ["present"]
