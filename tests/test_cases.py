"""Golden decisions: the named businesses of tests/cases, decided under the shipped champion."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

import models
from engine.decision import Decision, decide
from engine.release import Release
from tests.support.businesses import business

CASES = sorted(Path(__file__).parent.joinpath("cases").glob("*.toml"))
FEWEST_CASES = 25


@pytest.fixture(scope="module")
def champion() -> Release:
    """The shipped champion."""
    return models.champion()


def told(path: Path) -> dict[str, Any]:
    """A case, with "none" read as nothing."""

    def read(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: read(item) for key, item in value.items()}
        return None if value == "none" else value

    case: dict[str, Any] = tomllib.loads(path.read_text())
    return {**case, "tells": read(case.get("tells", {}))}


def summed_up(decision: Decision) -> dict[str, Any]:
    """What a case may expect of a decision."""
    offer = decision.offer
    found: dict[str, Any] = {"outcome": decision.outcome}
    if offer:
        found |= {
            "limit_cents": offer.limit_cents,
            "monthly_rate_bps": offer.monthly_rate_bps,
            "bound_by": decision.bound_by,
        }
    if decision.score:
        found["grade"] = decision.score.grade or "none"
    if decision.reasons:
        found["reasons"] = [reason.code for reason in decision.reasons]
    if decision.findings:
        found["findings"] = [finding.rule for finding in decision.findings]
    return found


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path, champion: Release) -> None:
    """The named business gets exactly the decision that its file states."""
    case = told(path)
    application, facts = business(case["tells"])
    assert summed_up(decide(application, facts, champion)) == case["expect"], case["story"]


def test_there_are_enough_cases_and_every_outcome() -> None:
    """At least 25 cases, and each outcome occurs, so that the suite says something about all three."""
    assert len(CASES) >= FEWEST_CASES
    assert {told(path)["expect"]["outcome"] for path in CASES} == {"approve", "refer", "decline"}
