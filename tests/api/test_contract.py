"""The API's own description against the API: routes, replies, problems and examples agree both ways."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
import structlog
from structlog.testing import CapturingLogger

from api import errors, openapi
from api.deadline import DEFAULT_MS, LEAST_MS, MOST_MS
from api.errors import SLUGS
from api.openapi import EXAMPLE, document
from api.store import errors as store_errors
from api.wire import parse_submission
from engine.decision import Outcome
from tests.support.schema import misfits, slug_of
from tests.support.service import Service, body_of, market_bodies

ROOT = Path(__file__).resolve().parents[2]


def test_the_description_names_every_route_and_no_other(lone_service: Service) -> None:
    """Paths and methods of the description are those of the application, both ways."""
    told = {(method.upper(), path) for path, operations in document()["paths"].items() for method in operations}
    assert told == lone_service.routes()


def test_the_description_is_served_as_it_is(lone_service: Service) -> None:
    """What is served is OpenAPI 3.1, every reference leads somewhere, and operation names are unique."""
    served = lone_service.ask("GET", "/schema/openapi.json", secret=None).json()
    assert served == json.loads(json.dumps(document()))
    assert served["openapi"].startswith("3.1")
    for reference in _values(served, "$ref"):
        assert reference.rpartition("/")[2] in served["components"]["schemas"], reference
    names = _values(served["paths"], "operationId")
    assert len(set(names)) == len(names) == len(lone_service.routes())


def test_the_description_tells_how_long_a_request_may_take() -> None:
    """Least, most and usual time of the deadline header are those that the service keeps to."""
    told = document()["paths"]["/v1/applications"]["post"]["parameters"]
    [schema] = [each["schema"] for each in told if each["name"] == "Request-Deadline-Ms"]
    assert (schema["minimum"], schema["maximum"], schema["default"]) == (LEAST_MS, MOST_MS, DEFAULT_MS)
    assert f"from {LEAST_MS} to {MOST_MS}" in SLUGS["invalid-deadline"][1]


def test_the_example_is_accepted(lone_service: Service) -> None:
    """The request body that the description shows fits its schema, is parsed, and gets a decision."""
    schema = {"$ref": "#/components/schemas/Submission"}
    assert misfits(EXAMPLE, schema) == []
    parse_submission(json.dumps(EXAMPLE).encode(), datetime.now(UTC).date())
    assert lone_service.apply(EXAMPLE).status_code == 201
    examples = [value for value in _values(document()["paths"], "example") if isinstance(value, dict)]
    assert examples == [EXAMPLE]


def test_the_bodies_of_a_market_fit_the_description(market: Path) -> None:
    """What the service accepts from sixty businesses, statements included, fits the schema that it publishes."""
    schema = {"$ref": "#/components/schemas/Submission"}
    for body in market_bodies(market):
        parse_submission(json.dumps(body).encode(), datetime.now(UTC).date())
        assert misfits(body, schema) == []


@pytest.mark.parametrize("room", ["business", "request", "finances"])
def test_the_description_refuses_what_the_parser_refuses(room: str) -> None:
    """Missing and unknown fields do not fit the published schema either."""
    schema = {"$ref": "#/components/schemas/Submission"}
    body = body_of()
    del body[room]
    assert misfits(body, schema) != []
    body = body_of()
    body[room]["approved_limit"] = 1
    assert misfits(body, schema) != []


@pytest.mark.parametrize("slug", SLUGS)
def test_every_problem_has_a_page(lone_service: Service, slug: str) -> None:
    """A problem's `type` leads to its meaning: slug, status and title."""
    status, title = SLUGS[slug]
    assert lone_service.ask("GET", f"/problems/{slug}", secret=None).json() == {
        "slug": slug, "status": status, "title": title,
    }  # fmt: skip


def test_an_unknown_problem_has_none(lone_service: Service) -> None:
    """A slug that does not exist is 404, like any other path."""
    assert slug_of(lone_service.ask("GET", "/problems/nothing", secret=None)) == "not-found"


def test_every_problem_is_described() -> None:
    """Each slug is among the replies of a described operation, of the console's pages, or belongs to no route."""
    told = {
        slug
        for operations in document()["paths"].values()
        for operation in operations.values()
        for status, reply in operation["responses"].items()
        if status not in {"200", "201"}
        for slug in reply["description"].split(" | ")
    }
    pages = {"csrf-failed", "separation-of-duties", "not-held"}
    assert told | pages | {"method-not-allowed", "draining"} == set(SLUGS)
    assert all(400 <= status < 600 and title for status, title in SLUGS.values())


def test_the_problems_are_documented() -> None:
    """Where docs/problems.md exists, it lists every slug."""
    page = ROOT / "docs" / "problems.md"
    if page.exists():
        told = page.read_text(encoding="utf-8")
        assert [slug for slug in SLUGS if f"`{slug}`" not in told] == []


def test_every_slug_in_the_code_exists() -> None:
    """No `Problem("...")` in the shell names a slug that is not in the table."""
    named = {
        slug
        for file in (ROOT / "api").rglob("*.py")
        for slug in re.findall(r"(?<!Field)Problem\(\s*\"([a-z0-9-]+)\"", file.read_text(encoding="utf-8"))
    }
    assert named - set(SLUGS) == set()
    assert set(openapi._PROBLEMS_OF_APPLY) <= set(SLUGS)
    assert set(SLUGS) >= errors.RETRY


@pytest.mark.parametrize(
    ("raised", "slug"),
    [
        (store_errors.StoreUnavailable("canary away"), "dependency-unavailable"),
        (store_errors.StoreBusy("canary busy"), "overloaded"),
        (store_errors.StorageFull("canary full"), "storage-full"),
        (store_errors.OutcomeUnknown("canary silence"), "outcome-unknown"),
        (store_errors.InFlight("canary held"), "idempotency-in-flight"),
        (RuntimeError("canary Robin, 0491 570 006"), "internal"),
    ],
)
def test_failures_of_the_store_and_bugs_are_problems(
    lone_service: Service,
    monkeypatch: pytest.MonkeyPatch,
    raised: Exception,
    slug: str,
) -> None:
    """Whatever goes wrong beneath is one problem; a retry is asked for where it helps; no message leaks out."""

    async def fail(work: object) -> None:
        raise raised

    logged = CapturingLogger()
    monkeypatch.setattr("api.errors.log", structlog.wrap_logger(logged, processors=[]))
    lone_service.apply(body_of())  # so that the caller is known
    monkeypatch.setattr("api.flow.LONGEST_WAIT_SECONDS", 0.2)
    monkeypatch.setattr(lone_service.database, "write", fail)
    reply = lone_service.apply(body_of())
    assert slug_of(reply) == slug
    assert (reply.status_code >= 500) is (slug != "idempotency-in-flight")
    assert "canary" not in reply.text + str(logged.calls)
    assert bool(logged.calls) is (slug == "internal")


def test_every_outcome_fits_the_description(lone_service: Service) -> None:
    """The described outcomes are those of the engine."""
    told = document()["components"]["schemas"]["Decision"]["properties"]["outcome"]["enum"]
    assert set(told) == set(get_args(Outcome))


def _values(place: Any, name: str) -> list[Any]:
    """Every value under this name, however deep."""
    if isinstance(place, dict):
        here = [place[name]] if name in place else []
        return here + [value for inner in place.values() for value in _values(inner, name)]
    if isinstance(place, list):
        return [value for inner in place for value in _values(inner, name)]
    return []
