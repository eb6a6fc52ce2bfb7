"""What an operator sees: each family with its labels, true after what was just done, and free of personal data."""

from collections.abc import Mapping
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from api.metrics import REGISTRY
from api.sources import OUTSIDE
from api.sources.ladder import Ladder
from api.store import queries
from tests.support.businesses import AS_OF
from tests.support.releases import fake_release
from tests.support.service import PERSON, Clock, Service, body_of, opened, telling

# Family -> the labels it promises.
PROMISED = {
    "creditline_decisions": {"outcome"},
    "creditline_stage_seconds": {"stage", "le"},
    "creditline_request_seconds": {"route", "status", "le"},
    "creditline_source_seconds": {"source", "status", "le"},
    "creditline_source_failures": {"source", "why"},
    "creditline_source_retries": {"source"},
    "creditline_source_breaker": {"source"},
    "creditline_degraded_decisions": {"outcome", "missing"},
    "creditline_deadlines_exceeded": set(),
    "creditline_follow_ups": {"result"},
    "creditline_follow_ups_waiting": set(),
    "creditline_problems": {"slug"},
    "creditline_sanctions_list_timestamp_seconds": set(),
    "creditline_brakes_in_force": {"kind"},
    "creditline_cases": {"state"},
    "creditline_cases_past": {"hours"},
    "creditline_documents": {"verdict"},
    "creditline_straight_through": {"result"},
    "creditline_quality_control": {"result"},
    "creditline_messages_dead": set(),
    "creditline_referrals_late": set(),
    "creditline_monitor_file_fault": set(),
    "creditline_monitor_timestamp_seconds": set(),
    "creditline_monitor_decisions": set(),
    "creditline_monitor_psi": {"of"},
    "creditline_monitor_rate": {"of"},
    "creditline_monitor_limit_dollars": set(),
    "creditline_monitor_calibration_ratio": set(),
    "creditline_monitor_alarms": {"kind"},
    "creditline_sign_ins": {"stage", "result"},
    "creditline_staff_denied": {"action", "why"},
    "creditline_release_info": {"release", "digest", "engine"},
    "process_resident_memory_bytes": set(),
    "process_open_fds": set(),
    "process_max_fds": set(),
    "process_start_time_seconds": set(),
}


def seen(service: Service) -> dict[str, Metric]:
    """What /metrics says, by family; what only says when a series began is left out."""
    reply = service.ask("GET", "/metrics")
    assert reply.status_code == 200
    families = {family.name: family for family in text_string_to_metric_families(reply.text)}
    return {name: family for name, family in families.items() if not name.endswith("_created")}


def value(name: str, **labels: str) -> float:
    """One series as it stands; 0 where it has not begun."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def unreachable(url: str) -> Any:
    """The service on a ladder with no source set up."""
    clock = Clock()
    return opened(url, sources=Ladder({}, None, clock, development=True), release=fake_release(), clock=clock)


def test_every_family_is_exposed_with_its_labels(sqlite_url: str) -> None:
    """After a decision from a story and one on a bare ladder, each family that has a series has exactly its labels."""
    with telling(sqlite_url) as service:
        assert service.apply(body_of()).status_code == 201
        families = seen(service)
    # Addresses and retries get a series with the first connection; everything else has one from the start.
    begun = PROMISED.keys() - {"creditline_source_breaker", "creditline_source_retries", "creditline_source_seconds"}
    assert begun <= families.keys()
    for name, labels in PROMISED.items():
        found = {frozenset(sample.labels) - {"le"} for sample in families[name].samples} if name in families else set()
        assert found <= {frozenset(labels - {"le"})}, name


@pytest.mark.parametrize(
    ("told", "outcome", "missing"),
    [
        ({}, "approve", "none"),
        ({"bank": {"status": "failed"}, "bureau": {"status": "failed"}}, "refer", "bank+bureau"),
        ({"registry": {"company_status": "EXAD"}}, "decline", "none"),
        ({"registry": {"company_status": "EXAD"}, "bank": {"status": "failed"}}, "decline", "bank"),
    ],
    ids=["approved", "two failed", "declined", "declined without its bank"],
)
def test_a_decision_is_counted_with_what_it_lacked(
    sqlite_url: str, told: Mapping[str, Any], outcome: str, missing: str
) -> None:
    """One decision adds one to its outcome, one to its outcome with the failed set, and one to every stage."""
    series = {
        "creditline_decisions_total": {"outcome": outcome},
        "creditline_degraded_decisions_total": {"outcome": outcome, "missing": missing},
        "creditline_request_seconds_count": {"route": "/v1/applications", "status": "201"},
    }
    before = {name: value(name, **labels) for name, labels in series.items()}
    stages = ("receive", "enrich", "decide", "record")
    worked = {stage: value("creditline_stage_seconds_count", stage=stage) for stage in stages}
    with telling(sqlite_url, told) as service:
        assert service.apply(body_of(told)).json()["outcome"] == outcome
    assert {name: value(name, **labels) - before[name] for name, labels in series.items()} == dict.fromkeys(series, 1)
    assert all(value("creditline_stage_seconds_count", stage=stage) > worked[stage] for stage in stages)


def test_a_source_that_cannot_be_had_is_counted_with_its_reason(sqlite_url: str) -> None:
    """On a ladder where nothing is set up, every outside source adds one failure `not_configured` and one time."""
    before = {
        source: value("creditline_source_failures_total", source=source, why="not_configured") for source in OUTSIDE
    }
    timed = {source: value("creditline_source_seconds_count", source=source, status="failed") for source in OUTSIDE}
    with unreachable(sqlite_url) as service:
        assert service.apply(body_of()).json()["outcome"] == "refer"
    for source in OUTSIDE:
        failures = value("creditline_source_failures_total", source=source, why="not_configured")
        assert failures - before[source] == 1
        assert value("creditline_source_seconds_count", source=source, status="failed") - timed[source] == 1


def test_the_release_in_force_is_told(lone_service: Service) -> None:
    """One series says 1 for the release in force, with the first twelve digits of its digest and of the engine's."""
    shell = lone_service.state.shell
    labels = {"release": shell.release.name, "digest": shell.release.digest[:12], "engine": shell.engine_digest[:12]}
    samples = seen(lone_service)["creditline_release_info"].samples
    assert [sample.value for sample in samples if sample.labels == labels] == [1.0]


def test_a_problem_is_counted_by_its_slug(lone_service: Service) -> None:
    """An error reply adds one to its slug."""
    before = value("creditline_problems_total", slug="malformed-json")
    assert lone_service.apply(b"{").status_code == 400
    assert value("creditline_problems_total", slug="malformed-json") - before == 1


def test_brakes_in_force_are_counted_when_somebody_looks(lone_service: Service) -> None:
    """A brake that is pulled shows at the next look at /metrics, by its kind."""
    with lone_service.database.transaction() as connection:
        queries.set_brake(connection, "refer_all", AS_OF, "tests")
    samples = seen(lone_service)["creditline_brakes_in_force"].samples
    assert {sample.labels["kind"]: sample.value for sample in samples}["refer_all"] == 1


def test_decisions_that_wait_for_a_fact_are_counted_when_somebody_looks(sqlite_url: str) -> None:
    """A referral without a failed source waits to be looked at again, and /metrics says so."""
    told = {"bank": {"status": "failed"}}
    with telling(sqlite_url, told) as service:
        assert service.apply(body_of(told)).json()["outcome"] == "refer"
        assert [sample.value for sample in seen(service)["creditline_follow_ups_waiting"].samples] == [1.0]


def test_no_label_holds_personal_data(sqlite_url: str) -> None:
    """Nothing that was stated about the business or its people is in a label, after good, bad and strange requests."""
    body = body_of()
    with unreachable(sqlite_url) as service:
        assert service.apply(body).status_code == 201
        assert service.apply({**body, "business": {**body["business"], "abn": "37955501006"}}).status_code == 422
        abn, name = body["business"]["abn"], body["business"]["legal_name"]
        for path in (f"/v1/decisions/{abn}", f"/{name}", f"/v1/applications?abn={abn}"):
            assert service.ask("GET", path).status_code in {404, 405}
        values = {
            label for family in seen(service).values() for sample in family.samples for label in sample.labels.values()
        }
    stated = [body["business"][field] for field in ("abn", "acn", "legal_name")]
    stated += [PERSON[field] for field in ("given_names", "family_name", "date_of_birth", "mobile", "email")]
    assert {"not_configured", "unmatched", "/v1/applications"} <= values
    assert [(one, label) for one in stated for label in values if one.lower() in label.lower()] == []
    assert [label for label in values if any(part.isdigit() and len(part) >= 4 for part in label.split())] == []
