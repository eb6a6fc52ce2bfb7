"""Misbehaviour is counted, never drawn: the same request meets the same fate every time."""

import gzip

import pytest
from pydantic import ValidationError

from api.sandbox import Ask, Told
from api.sandbox.misbehaviour import Conduct, Fault, Switch, asked_about, spoiled, switches, verdict

TOLD = Told(b'{"name":"made up"}')


@pytest.mark.parametrize(("share", "struck"), [(0.0, 0), (0.29, 29), (0.3, 30), (0.5, 50), (1.0, 100)])
def test_a_share_is_kept_exactly(share: float, struck: int) -> None:
    """Of a hundred requests exactly the share is met by the fault."""
    switch = Switch(fault="busy", share=share)
    assert sum(verdict(switch, nth, "bank").fault is not None for nth in range(100)) == struck


def test_half_is_every_other_request() -> None:
    """A share is spread evenly, not bunched."""
    switch = Switch(fault="reset", share=0.5)
    assert [verdict(switch, nth, "bank").fault for nth in range(4)] == [None, "reset", None, "reset"]


def test_jitter_stays_in_its_range_and_repeats() -> None:
    """Jitter adds 0 to its most, differs from request to request and from source to source, and is the same again."""
    switch = Switch(latency_ms=100, jitter_ms=50)
    delays = [verdict(switch, nth, "bank").delay_s for nth in range(200)]
    assert delays == [verdict(switch, nth, "bank").delay_s for nth in range(200)]
    assert delays != [verdict(switch, nth, "bureau").delay_s for nth in range(200)]
    assert min(delays) == 0.1
    assert max(delays) == 0.15


@pytest.mark.parametrize(("fault", "status"), [("error", 500), ("busy", 503), ("unauthorised", 401), ("redirect", 302)])
def test_a_fault_of_the_status_says_nothing_of_the_answer(fault: Fault, status: int) -> None:
    """A status fault replaces the answer wholly."""
    found = spoiled(TOLD, fault)
    assert (found.status, b"name" in found.body) == (status, False)


def test_busy_asks_for_patience_and_a_redirect_points_somewhere() -> None:
    """The headers that belong to these statuses are there."""
    assert spoiled(TOLD, "busy").headers == {"Retry-After": "1"}
    assert spoiled(TOLD, "redirect").headers == {"Location": "/"}


def test_spoiled_bytes_are_what_they_are_called() -> None:
    """Garbage is not UTF-8, truncated is the first half, compressed is the whole answer zipped."""
    with pytest.raises(UnicodeDecodeError):
        spoiled(TOLD, "garbage").body.decode()
    with pytest.raises(UnicodeDecodeError):
        spoiled(Told(b""), "garbage").body.decode()
    assert spoiled(TOLD, "truncated").body == TOLD.body[:9]
    zipped = spoiled(TOLD, "compressed")
    assert (gzip.decompress(zipped.body), zipped.headers["Content-Encoding"]) == (TOLD.body, "gzip")
    assert spoiled(TOLD, None) == TOLD


def test_conduct_concerns_its_first_requests_and_its_path() -> None:
    """A story's conduct meets only the requests that it names."""
    balances, accounts = Ask("GET", "/accounts/balances"), Ask("GET", "/accounts")
    assert [Conduct(first=2).concerns(accounts, nth) for nth in range(3)] == [True, True, False]
    assert [Conduct(path="balances").concerns(ask, 0) for ask in (balances, accounts)] == [True, False]


def test_a_question_can_be_asked_about_another_business() -> None:
    """Numbers are changed in path, query, headers and body, bytes that are no text left alone."""
    ask = Ask("POST", "/a/111/b", {"abn": "111"}, {"x-connection": "sandbox-111"}, b'\xff"111"')
    other = Ask("POST", "/a/222/b", {"abn": "222"}, {"x-connection": "sandbox-222"}, b'\xff"222"')
    assert asked_about(ask, {"111": "222"}) == other


def test_options_become_switches() -> None:
    """Latency and fault of one source are one switch; a hyphen in a name is as good as an underscore."""
    assert switches(["bank=200", "company-register=5"], ["bank=garbage:0.25"]) == {
        "bank": Switch(latency_ms=200, fault="garbage", share=0.25),
        "company_register": Switch(latency_ms=5),
    }


@pytest.mark.parametrize(
    ("latencies", "faults"),
    [(["bnak=1"], []), (["bank"], []), (["bank=x"], []), (["bank=-1"], []), ([], ["bank=gone"]), ([], ["bank=busy:2"])],
)
def test_an_option_that_makes_no_sense_is_refused(latencies: list[str], faults: list[str]) -> None:
    """An unknown source, a fault that does not exist and a number out of range are ValueErrors."""
    with pytest.raises(ValueError, match=r"\w"):
        switches(latencies, faults)


@pytest.mark.parametrize(
    "fields", [{"latency_ms": 60_001}, {"share": 1.1}, {"share": float("nan")}, {"fault": "x"}, {"more": 1}]
)
def test_a_switch_out_of_range_cannot_be_built(fields: dict[str, object]) -> None:
    """Latency is at most a minute, a share between 0 and 1, a fault one of those that exist."""
    with pytest.raises(ValidationError):
        Switch.model_validate(fields)
