"""The webhook over a real HTTP server: signed as the page says, to one address, and every failure is one word."""

import asyncio
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from api.notices.channel import NotSent, Why
from api.notices.messages import Notice, Posted, notice_messages
from api.notices.settings import Hook
from api.notices.webhook import REPLAY_WINDOW_SECONDS, Webhook
from api.sources.settings import Secret
from api.store.queries import OutboxRow
from tests.support.exchanging import leaving_nothing
from tests.support.http_peer import Peer, Seen, serving_peer
from tests.support.noticing import NEW, OLD

NOW = datetime(2026, 8, 3, 1, 0, 7, 900_000, tzinfo=UTC)
ACT = datetime(2026, 8, 3, 1, 0, tzinfo=UTC)
NOTICE = Notice(
    topic="document.returned", application_id="app_1", case_id="case_1", object_id="doc_1", version=4, to=("per_1",),
    document_kinds=("identity",), reason="BLURRY",
)  # fmt: skip
MESSAGE = notice_messages(NOTICE, webhook=True)[-1]
ROW = OutboxRow(
    7, ACT, MESSAGE.topic, MESSAGE.object_id, MESSAGE.body, attempts=0, next_at=ACT, sent_at=None, dead_at=None,
    dedupe=MESSAGE.dedupe,
)  # fmt: skip


def sending(
    told: Callable[[Peer], None] = lambda peer: None, *, secrets: tuple[Secret, ...] = (NEW,), path: str = "/hook",
    seconds: float = 5.0, now: datetime = NOW, times: int = 1,
) -> tuple[Peer, list[Why | None]]:  # fmt: skip
    """Send the message to a receiver that behaves as told: what it saw, and how each ended."""

    async def run() -> tuple[Peer, list[Why | None]]:
        async with serving_peer() as peer:
            told(peer)
            webhook = Webhook(Hook(peer.url + path, secrets), seconds)
            ends: list[Why | None] = []
            for _ in range(times):
                try:
                    await webhook.send(ROW, Posted.model_validate_json(ROW.body), now)
                    ends.append(None)
                except NotSent as failure:
                    ends.append(failure.why)
            await webhook.close()
            if peer.held is not None:
                peer.held.set()
            return peer, ends

    return leaving_nothing(run())


def genuine(seen: Seen, secret: Secret, now: datetime = NOW) -> bool:
    """Whether a receiver that holds this secret believes it: written from the page alone, apart from what signs."""
    headers = {name.lower(): value for name, value in seen.headers.items()}
    stamp = headers["creditline-timestamp"]
    if abs(now.timestamp() - int(stamp)) > 300:
        return False
    wanted = hmac.new(secret.reveal().encode(), stamp.encode() + b"." + seen.body, "sha256").hexdigest()
    given = [part.removeprefix("v1=") for part in headers["creditline-signature"].split(",") if part.startswith("v1=")]
    return any(hmac.compare_digest(each, wanted) for each in given)


def test_ids_and_codes_are_told_and_nothing_else() -> None:
    """The body is exactly this; the id is the same in header and body; one address, one POST."""
    peer, ends = sending()
    assert ends == [None]
    [seen] = peer.seen
    assert (seen.method, seen.raw_path) == ("POST", "/hook")
    assert json.loads(seen.body) == {
        "v": 1, "id": "notice.webhook:document.returned:doc_1:4", "at": "2026-08-03T01:00:00.000+00:00",
        "topic": "document.returned", "application_id": "app_1", "case_id": "case_1", "object_id": "doc_1",
        "version": 4, "document_kinds": ["identity"], "reason": "BLURRY",
    }  # fmt: skip
    assert seen.headers["Creditline-Id"] == json.loads(seen.body)["id"]
    assert seen.headers["Creditline-Timestamp"] == "1785718807"
    assert seen.headers["Content-Type"] == "application/json"


def test_a_receiver_believes_what_was_signed_with_its_secret() -> None:
    """Its own secret and the very bytes sent; not another secret, another body, another time, or an old message."""
    [seen] = sending()[0].seen
    assert genuine(seen, NEW)
    assert not genuine(seen, OLD)
    assert not genuine(Seen(seen.method, seen.raw_path, seen.headers, seen.body + b" "), NEW)
    moved = {**seen.headers, "Creditline-Timestamp": "1785718808"}
    assert not genuine(Seen(seen.method, seen.raw_path, moved, seen.body), NEW)
    assert REPLAY_WINDOW_SECONDS == 300
    assert not genuine(seen, NEW, datetime(2026, 8, 3, 1, 5, 9, tzinfo=UTC))


def test_a_secret_is_rotated_without_a_lost_message() -> None:
    """While there are two, receivers with either believe it; then only those with the new one do."""
    before, during, after = (sending(secrets=each)[0].seen[0] for each in ((OLD,), (NEW, OLD), (NEW,)))
    assert [genuine(each, OLD) for each in (before, during, after)] == [True, True, False]
    assert [genuine(each, NEW) for each in (before, during, after)] == [False, True, True]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_is_taken_for_received(status: int) -> None:
    """Whatever is in the answer."""
    assert sending(lambda peer: (setattr(peer, "status", status), setattr(peer, "body", b""))[0])[1] == [None]  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("status", "why"),
    [(500, "later"), (502, "later"), (503, "later"), (429, "later"), (404, "later"), (401, "rejected")],
)
def test_any_other_status_is_not_received_and_tried_once(status: int, why: Why) -> None:
    """It is the outbox that tries again, later, with the same id; not the client, at once."""
    peer, ends = sending(lambda peer: setattr(peer, "status", status))
    assert (ends, len(peer.seen)) == ([why], 1)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """What points elsewhere gets nothing sent there."""

    def told(peer: Peer) -> None:
        peer.status, peer.headers = status, {"Location": f"{peer.url}/elsewhere"}

    peer, ends = sending(told)
    assert (ends, [each.raw_path for each in peer.seen]) == (["redirect"], ["/hook"])


def test_a_receiver_that_hangs_is_given_up() -> None:
    """The time limit ends it, and nothing of it stays."""
    assert sending(lambda peer: setattr(peer, "held", asyncio.Event()), seconds=0.3)[1] == ["timeout"]


def test_a_receiver_that_hangs_up_is_not_believed() -> None:
    """A connection reset after the request: whether it was received is not known, so it is sent again later."""

    async def run() -> Why | None:
        async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            assert isinstance(writer.transport, asyncio.Transport)
            writer.transport.abort()

        server = await asyncio.start_server(rude, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        webhook = Webhook(Hook(f"http://127.0.0.1:{port}", (NEW,)), 5.0)
        try:
            await webhook.send(ROW, Posted.model_validate_json(ROW.body), NOW)
        except NotSent as failure:
            return failure.why
        finally:
            await webhook.close()
            server.close()
            await server.wait_closed()
        return None

    assert leaving_nothing(run()) == "closed"


def test_a_receiver_that_keeps_failing_is_left_alone_for_a_moment() -> None:
    """After five failures it is not asked at all, which costs no message an attempt."""
    peer, ends = sending(lambda peer: setattr(peer, "status", 500), times=7)
    assert ends == ["later"] * 5 + ["resting"] * 2
    assert len(peer.seen) == 5


@pytest.mark.parametrize("path", ["", "/", "/hook", "/hook/", "/a/b%20c/"])
def test_the_address_is_the_one_that_was_set(path: str) -> None:
    """To the slash at its end."""
    [seen] = sending(path=path)[0].seen
    assert seen.raw_path == (path or "/")
