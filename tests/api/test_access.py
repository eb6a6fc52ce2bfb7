"""Who may do what: keys, scopes, and decisions that are somebody else's."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

import api.security
from api.errors import Problem
from api.routes.connections import CONNECTION_VALUE
from api.security import Caller, Keyring, new_key
from api.store import queries
from api.store.database import Database
from tests.support.schema import slug_of
from tests.support.service import APPLICATIONS, EVERY_SCOPE, Service, apply_arguments, body_of

GUARDED = {  # route -> the scopes of which one is enough
    ("POST", APPLICATIONS): {"apply"},
    ("POST", CONNECTION_VALUE): {"apply"},
    ("GET", "/v1/applications/{application_id}/decision"): {"apply", "audit"},
    ("GET", "/v1/decisions/{decision_id}"): {"apply", "audit"},
    ("GET", "/v1/decisions/{decision_id}/difference"): {"audit"},
    ("GET", "/v1/decisions/{decision_id}/replay"): {"audit"},
    ("GET", "/metrics"): {"operate"},
    ("POST", "/v1/applications/{application_id}/acceptance"): {"apply"},
    ("GET", "/v1/applications/{application_id}/case"): {"apply"},
    ("POST", "/v1/applications/{application_id}/documents"): {"apply"},
    ("GET", "/v1/applications/{application_id}/contract"): {"apply"},
    ("POST", "/v1/applications/{application_id}/contract/signatures"): {"apply"},
    ("GET", "/v1/applications/{application_id}/offer-options"): {"apply"},
    ("GET", "/v1/applications/{application_id}/advice"): {"apply"},
    ("POST", "/v1/applications/{application_id}/looks"): {"apply"},
    ("POST", "/v1/applications/{application_id}/review-requests"): {"apply"},
}
OPEN = ("/health", "/ready", "/schema/openapi.json", "/problems/not-found")


@pytest.fixture
def decided(lone_service: Service) -> str:
    """The id of a decision of the first caller's."""
    decision_id: str = lone_service.apply(body_of()).json()["decision_id"]
    return decision_id


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_nobody_passes_without_a_key(lone_service: Service, method: str, path: str) -> None:
    """No key, a wrong one, another scheme or an empty one: 401, the way to ask, and no hint which it was."""
    for header in (
        None, "", "Bearer", "Bearer ", "Bearer cl_live_" + "A" * 43, "Basic dXNlcjpwYXNz", lone_service.secret,
        f"Token {lone_service.secret}", f"Bearer {lone_service.secret}x", f"Bearer {lone_service.secret[:-1]}",
        "Bearer \xff\xfe", "Bearer " + "x" * 10_000,
    ):  # fmt: skip
        headers = {} if header is None else {"Authorization": header.encode("latin-1")}
        where = path.format(decision_id="dec_1", application_id="app_1")
        reply = lone_service.ask(method, where, secret=None, headers=headers)
        assert (reply.status_code, slug_of(reply)) == (401, "unauthenticated"), header
        assert reply.headers["www-authenticate"] == "Bearer"
        assert set(reply.json()) == {"type", "title", "status", "request_id"}


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize("scope", EVERY_SCOPE)
def test_a_scope_opens_its_own_routes_only(
    lone_service: Service, decided: str, method: str, path: str, scope: str
) -> None:
    """A key with one scope is 403 on every route that asks for another."""
    secret = lone_service.key(scope)
    where = path.format(decision_id=decided, application_id="app_" + "0" * 32)
    more = apply_arguments(body_of()) if method == "POST" else {}
    reply = lone_service.ask(method, where, secret=secret, **more)
    allowed = scope in GUARDED[method, path]
    assert (reply.status_code == 403) is not allowed
    assert allowed or slug_of(reply) == "forbidden"


@pytest.mark.parametrize("path", OPEN)
def test_what_everybody_may_read_needs_no_key(lone_service: Service, path: str) -> None:
    """Health, readiness, the description and the problems' meanings are open; a wrong key does not close them."""
    assert lone_service.ask("GET", path, secret=None).status_code == 200
    assert lone_service.ask("GET", path, secret="wrong").status_code == 200


def test_every_route_is_guarded_or_open_on_purpose(lone_service: Service) -> None:
    """Each route that exists is in one of the two lists above, so a new one cannot be forgotten."""
    known = set(GUARDED)
    known |= {("GET", path.replace("not-found", "{slug}")) for path in OPEN}
    assert lone_service.routes() == known


def test_no_key_is_asked_for_before_authority_is_known(lone_service: Service) -> None:
    """Authority comes first: without it neither the idempotency key nor the body is looked at."""
    reply = lone_service.apply(b"{", None, secret=None)
    assert slug_of(reply) == "unauthenticated"
    reply = lone_service.apply(b"{", "short", secret=lone_service.key("audit"))
    assert slug_of(reply) == "forbidden"


def test_another_callers_decision_is_as_good_as_missing(service: Service) -> None:
    """B34: somebody else's id, a missing id and nonsense get the same 404, down to the headers."""
    decided = service.apply(body_of()).json()["decision_id"]
    another = service.key("apply")
    replies = [
        service.ask("GET", f"/v1/decisions/{name}", secret=another)
        for name in (decided, "dec_" + "0" * 32, "app_1", "%00", "a" * 300, "..%2f..%2fetc")
    ]
    assert {slug_of(reply) for reply in replies} == {"not-found"}
    told = [{**reply.json(), "request_id": ""} for reply in replies]
    assert told == [told[0]] * len(told)
    heads = [{**reply.headers, "x-request-id": ""} for reply in replies]
    assert heads == [heads[0]] * len(heads)
    assert service.ask("GET", f"/v1/decisions/{decided}").status_code == 200


def test_an_auditor_reads_every_decision(lone_service: Service, decided: str) -> None:
    """A key for auditing alone may read and replay any decision, and may not apply."""
    auditor = lone_service.key("audit")
    mine = lone_service.ask("GET", f"/v1/decisions/{decided}")
    assert lone_service.ask("GET", f"/v1/decisions/{decided}", secret=auditor).content == mine.content
    assert lone_service.ask("GET", f"/v1/decisions/{decided}/replay", secret=auditor).json()["match"] is True
    assert lone_service.ask("GET", "/v1/decisions/dec_none/replay", secret=auditor).status_code == 404


def test_a_revoked_key_stops_working(lone_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Revoked, a key opens nothing as soon as the time is over for which callers are remembered."""
    assert api.security._LIVE_SECONDS <= 2.0
    monkeypatch.setattr(api.security, "_LIVE_SECONDS", 0.2)
    secret = lone_service.key("apply")
    assert lone_service.apply(body_of(), secret=secret).status_code == 201
    with lone_service.database.transaction() as connection:
        held = next(key for key in queries.list_keys(connection) if key.name == "another")
        assert queries.revoke_key(connection, held.id, datetime.now(UTC))
    time.sleep(0.3)
    reply = lone_service.apply(body_of(), secret=secret)
    assert (reply.status_code, slug_of(reply)) == (401, "unauthenticated")


def _found(database: Database, development_served: bool, **changes: object) -> Caller | None:
    """Who is found by a key that is kept with these changes."""
    made = new_key()
    values = {
        "id": made.id, "name": "n", "scopes": frozenset({"apply"}), "secret_sha256": made.sha256,
        "prefix": made.prefix, "created_at": datetime.now(UTC), **changes,
    }  # fmt: skip
    with database.transaction() as connection:
        queries.add_key(connection, queries.CallerKey(**values))  # type: ignore[arg-type]
    try:
        return asyncio.run(Keyring(database, development_served).caller(f"Bearer {made.secret}"))
    except Problem:
        return None


def test_keys_end_and_development_keys_stay_in_development(lone_service: Service) -> None:
    """An expired or revoked key opens nothing, and a development key nothing in production."""
    database, now, hour = lone_service.database, datetime.now(UTC), timedelta(hours=1)
    found: Callable[..., Caller | None] = lambda served=False, **changes: _found(database, served, **changes)  # noqa: E731
    assert found() is not None
    assert found(expires_at=now + hour) is not None
    assert found(expires_at=now - hour) is None
    assert found(revoked_at=now) is None
    assert found(development=True) is None
    assert found(served=True, development=True) is not None


def test_keys_are_unguessable_and_kept_as_digests_alone(lone_service: Service) -> None:
    """A key has 256 random bits; neither it nor any long part of it is in the database."""
    made = {new_key().secret for _ in range(100)}
    assert len(made) == 100
    assert min(map(len, made)) >= 43 + len("cl_dev_")
    with lone_service.database.transaction(read_only=True) as connection:
        rows = str(queries.list_keys(connection))
    assert lone_service.secret not in rows
    assert lone_service.secret[13:] not in rows


def test_guessing_keys_does_not_fill_the_memory(lone_service: Service) -> None:
    """Two thousand wrong keys are remembered by a bounded table, and the right one still works."""

    async def guess() -> None:
        keyring = lone_service.state.keyring
        for number in range(2_000):
            with pytest.raises(Problem):
                await keyring.caller(f"Bearer guess-{number}")
        assert len(keyring._known) <= 1_001

    asyncio.run(guess())
    assert lone_service.apply(body_of()).status_code == 201
