"""The page on notices says what is sent, and the receiver's code that it shows is run against what we really send."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from api.cases import setup
from api.notices import mail, sending, webhook
from api.notices.messages import TOPICS, Notice, Posted, notice_messages
from api.notices.settings import Hook
from api.notices.webhook import Webhook, payload
from api.store.queries import OutboxRow
from api.store.queries.outbox import ATTEMPTS_MAX
from tests.support.http_peer import Seen, serving_peer
from tests.support.noticing import NEW, OLD

PAGE = (Path(__file__).parents[2] / "docs" / "notices.md").read_text(encoding="utf-8")
AT = datetime(2026, 8, 3, 1, tzinfo=UTC)
NOTICE = Notice(
    topic="document.returned", application_id="app_1", case_id="case_1", object_id="doc_1", version=4, to=("per_1",),
    document_kinds=("identity",), reason="BLURRY",
)  # fmt: skip
MESSAGE = notice_messages(NOTICE, webhook=True)[-1]
ROW = OutboxRow(1, AT, MESSAGE.topic, MESSAGE.object_id, MESSAGE.body, 0, AT, None, None, MESSAGE.dedupe)


def shown() -> Callable[..., bool]:
    """The function of the page, as a receiver would paste it."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(code.strip().splitlines()) <= 10
    place: dict[str, Any] = {}
    exec(code, place)  # the page's own lines, which are part of this project
    found: Callable[..., bool] = place["is_genuine"]
    return found


def sent(secrets: tuple[Any, ...]) -> Seen:
    """What a receiver on a socket sees."""

    async def run() -> Seen:
        async with serving_peer() as peer:
            hook = Webhook(Hook(f"{peer.url}/hook", secrets))
            await hook.send(ROW, Posted.model_validate_json(ROW.body), AT)
            await hook.close()
            [seen] = peer.seen
            return seen

    return asyncio.run(run())


def test_the_receivers_code_believes_what_we_send_and_nothing_else() -> None:
    """With either secret while there are two; not another secret, time, body or signature, not late, not bare."""
    is_genuine, seen, now = shown(), sent((NEW, OLD)), AT.timestamp()
    for secret in (NEW, OLD):
        assert is_genuine(seen.headers, seen.body, secret.reveal(), now)
    new = NEW.reveal()
    assert not is_genuine(seen.headers, seen.body, "another" + new, now)
    assert not is_genuine(seen.headers, seen.body + b" ", new, now)
    assert not is_genuine({**seen.headers, "Creditline-Timestamp": str(int(now) + 1)}, seen.body, new, now)
    assert not is_genuine({**seen.headers, "Creditline-Signature": "v1=é"}, seen.body, new, now)
    assert not is_genuine(seen.headers, seen.body, new, now + 301)
    assert not is_genuine(seen.headers, seen.body, new)
    assert not is_genuine({}, seen.body, new, now)
    assert not is_genuine(sent((OLD,)).headers, seen.body, new, now)


def test_the_table_of_topics_is_the_codes() -> None:
    """Each topic with its audience and occasion, in order."""
    rows = re.findall(r"^\| `([a-z.]+)` \| (\w+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(topic, each.audience, each.when) for topic, each in TOPICS.items()]


def test_the_numbers_are_the_codes() -> None:
    """Rounds, attempts, waits, time limits, and the window of a signature."""
    told = PAGE.replace("\n", " ")
    assert f"every {setup._SEND_SECONDS:g} seconds, {sending.MOST_A_ROUND} messages of each channel" in told
    assert f"| attempts | {ATTEMPTS_MAX} |" in told
    assert (timedelta(seconds=15), timedelta(hours=2)) == (sending._FIRST_WAIT, sending._LONGEST_WAIT)
    assert "15 seconds, doubled up to 2 hours" in told
    assert f"{mail.SECONDS:g} seconds by mail, {webhook.SECONDS:g} by webhook" in told
    assert webhook.REPLAY_WINDOW_SECONDS == 300
    assert "five minutes" in told


def test_the_fields_and_headers_are_the_codes() -> None:
    """Every field of a body and every header stands on the page."""
    fields = set(payload(ROW, Posted.model_validate_json(ROW.body))) | {"hours"}
    assert [
        name for name in (*fields, webhook.ID, webhook.TIMESTAMP, webhook.SIGNATURE) if f"`{name}`" not in PAGE
    ] == []
