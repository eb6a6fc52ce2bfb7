"""What is sent to the service: applications of made-up businesses, whole and ready.

It does: make a market, write each of its applications as a request, and one with a bank statement inside. It does
not: send them. The rule it keeps: every application asks for a little, so that offers made again and again to one
business do not reach the most lent to it; past that mark it would be declined unscored, and cheaply.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.commands import example_body
from api.routes.decisions import APPLICATIONS
from api.sources.market import MarketFile
from api.sources.standin import moved
from benchmarks.arrivals import http
from benchmarks.subject import subject
from engine.application import Application
from engine.facts.statement import STATEMENT, statement_of
from training.simulate import write_market

BUSINESSES = 400  # the stand-in for sources holds 512 at once
SEED = 7
ASKED_CENTS = 1_000_000
HEALTH = http("GET", "/health")


def make_market(path: Path) -> None:
    """Write the market file that the service reads."""
    write_market(path, count=BUSINESSES, seed=SEED)


def applications(market: Path, key: str) -> list[str]:
    """One request a business; its facts come from the service's sources."""
    person, now = example_body(market, 0, datetime.now(UTC))["people"][0], datetime.now(UTC)
    requests = []
    with MarketFile.open(market) as file:
        for application in file.sample_applications(BUSINESSES):
            facts = file.facts_for(application.business.abn)
            if facts is not None:
                body = _body(moved(application, (now - facts.as_of).days), person)
                requests.append(_request(body, key))
    return requests


def with_statement(market: Path, key: str) -> str:
    """A request that carries a statement of 1,800 transactions, as the bank writes it."""
    now = datetime.now(UTC)
    chosen = subject()
    bank = chosen.facts.bank.value
    if bank is None:
        raise LookupError("the subject has a bank")
    days = (now - chosen.facts.as_of).days
    person = example_body(market, 0, now)["people"][0]
    body = _body(moved(chosen.application, days), person)
    body["bank"] = STATEMENT.dump_python(statement_of(moved(bank, days)), mode="json")
    return _request(body, key)


def _body(application: Application, person: dict[str, Any]) -> dict[str, Any]:
    body = application.model_dump(mode="json", exclude={"people"})
    body["request"]["amount_cents"] = min(application.request.amount_cents, ASKED_CENTS)
    body["people"] = [
        {**person, "roles": list(ref.roles), "ownership_bps": ref.ownership_bps} for ref in application.people
    ]
    return body


def _request(body: dict[str, Any], key: str) -> str:
    headers = (
        ("Authorization", f"Bearer {key}"),
        ("Idempotency-Key", "{key}"),
        ("Content-Type", "application/json"),
    )
    return http("POST", APPLICATIONS, headers, json.dumps(body, separators=(",", ":")))
