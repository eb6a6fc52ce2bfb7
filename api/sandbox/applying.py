"""Made-up businesses that apply to a service in development, so that there is something to look at.

It does: send a market's applications one after another, and count what became of them. It does not: draw arrivals or
measure (benchmarks does). The rule it keeps: whoever is told to come back does so under the same idempotency key.
"""

import http.client
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from api.commands import example_body
from api.routes.decisions import APPLICATIONS

_TRIES = 5
_PATIENCE_S = 30.0
_MOST_REST_S = 10.0


def apply_each(market: Path, first: int, count: int, url: str, key: str, progress: Callable[[], None]) -> Counter[str]:
    """How many were approved, referred, declined, or refused by which problem; ClickException without a service."""
    found: Counter[str] = Counter()
    place, seen = urlsplit(url), set[str]()
    for index in range(first, first + count):
        told = example_body(market, index, datetime.now(UTC))  # of the next business with a bank, so maybe one again
        if told["business"]["abn"] not in seen:
            seen.add(told["business"]["abn"])
            try:
                found[_applied(place.hostname or "", place.port, json.dumps(told).encode(), key)] += 1
            except OSError as error:
                raise click.ClickException(f"no service answers at {url} ({error}): start one first") from None
        progress()
    return found


def _applied(host: str, port: int | None, body: bytes, key: str) -> str:
    headers = {
        "Content-Type": "application/json", "Authorization": f"Bearer {key}", "Idempotency-Key": str(uuid.uuid4()),
    }  # fmt: skip
    told: dict[str, Any] = {}
    for _ in range(_TRIES):
        connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE_S)
        connection.request("POST", APPLICATIONS, body, headers)
        reply = connection.getresponse()
        told = json.loads(reply.read())
        connection.close()
        if (rest := reply.headers.get("Retry-After")) is None:
            break
        time.sleep(min(float(rest), _MOST_REST_S))
    outcome: str = told.get("outcome") or told["type"].rsplit("/", 1)[-1]
    return outcome
