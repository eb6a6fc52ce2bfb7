"""Exports of decisions on a made-up market, for whatever is watched. Synthetic.

It does: decide businesses under a release and write them down as `creditline export` would. It does not: serve. The
rule it keeps: a record has the fields and forms of the service's own (tests/api/test_watching.py compares them).
"""

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from engine.application import Application
from engine.decision import decide
from engine.facts import Facts
from engine.release import Release
from training.market import businesses


@dataclass(frozen=True, slots=True)
class Decided:
    """One business of a market as decided; `bad` none where nobody knows yet."""

    application: dict[str, Any]
    facts: dict[str, Any]
    decision: dict[str, Any]
    bad: int | None


def decided(market: Path, release: Release, most: int = 10_000) -> list[Decided]:
    """Every business of a market under a release."""
    found = []
    for application, facts, _, bad in businesses(market, closed_only=False):
        told = Facts.model_validate_json(zlib.decompress(facts))
        decision = decide(Application.model_validate_json(application), told, release)
        found.append(
            Decided(json.loads(application), told.model_dump(mode="json"), decision.model_dump(mode="json"), bad)
        )
        if len(found) == most:
            break
    return found


def lines(found: Iterable[tuple[date, Decided]], release: Release) -> list[dict[str, Any]]:
    """Records, one an application, on the days given."""
    return [
        {
            "decision_id": f"dec_{i:032x}", "application_id": f"app_{i:032x}", "audit_seq": i + 1,
            "decided_at": f"{day}T03:00:00+00:00", "engine_digest": "0" * 64, "release_digest": release.digest,
            "application": each.application, "facts": each.facts, "decision": each.decision, "case_state": None,
        }
        for i, (day, each) in enumerate(found)
    ]  # fmt: skip


def spread(found: Sequence[Decided], first: date, days: int) -> list[tuple[date, Decided]]:
    """The same number every day, over so many days."""
    return [(first + timedelta(days=i * days // len(found)), each) for i, each in enumerate(found)]


def write(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    """An export's file."""
    path.write_text("".join(json.dumps(each, sort_keys=True, separators=(",", ":")) + "\n" for each in records))
    return path
