"""The webhook: a notice as JSON to one fixed address, signed.

It does: sign the body with the time under every secret in force, and send it by the project's one HTTP client. It
does not: follow redirects, read the answer, or hold a person's details: the body is ids and codes. The rules it
keeps: what is signed is what is sent; outside development the address is https.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from api.notices.channel import NotSent, Why
from api.notices.messages import Posted
from api.notices.settings import Hook
from api.sources import SourceFailed
from api.sources import Why as SourceWhy
from api.sources.exchange import Exchange, Line
from api.sources.settings import Secret
from api.store.queries import OutboxRow

SECONDS = 10.0
REPLAY_WINDOW_SECONDS = 300  # a receiver refuses a signature that is older, or from further ahead
ID, TIMESTAMP, SIGNATURE = "Creditline-Id", "Creditline-Timestamp", "Creditline-Signature"
_GOOD = (202, 203, 204, 205, 206)  # besides 200 and 201
_MOST_BYTES = 64_000
_VERSION = 1
_WHY: Mapping[SourceWhy, Why] = {
    "refused": "unreachable", "reset": "closed", "timeout": "timeout", "tls": "unreachable", "redirect": "redirect",
    "breaker_open": "resting", "unauthorised": "rejected", "malformed": "rejected", "encoding": "rejected",
    "oversized": "rejected",
}  # fmt: skip


def payload(message: OutboxRow, posted: Posted) -> dict[str, object]:
    """What is told of a notice: its id, topic and time, the ids of what it is about, and codes. No personal data."""
    told = posted.notice.model_dump(mode="json", exclude={"to"}, exclude_defaults=True)
    return {"v": _VERSION, "id": message.dedupe, "at": message.at.isoformat(timespec="milliseconds"), **told}


def body_of(told: Mapping[str, object]) -> bytes:
    """The bytes that the client sends for it, and that are signed."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")


def signatures(secrets: tuple[Secret, ...], timestamp: int, body: bytes) -> str:
    """`v1=` and the HMAC-SHA256 in hex of the time, a full stop and the body, for each secret, with commas between."""
    signed = f"{timestamp}.".encode() + body
    made = (hmac.new(secret.reveal().encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join(f"v1={each}" for each in made)


class Webhook:
    """Sends notices to the lender's marketplace, one at a time."""

    def __init__(self, hook: Hook, seconds: float = SECONDS) -> None:
        # The client strips the slash at an address's end and puts the path behind it.
        self._path = "/" if urlsplit(hook.url).path.endswith("/") else ""
        self._secrets, self._seconds = hook.secrets, seconds
        line = Line("webhook", hook.url, {}, timeout_s=seconds, most_bytes=_MOST_BYTES, most_connections=2)
        self._exchange = Exchange(line)

    async def send(self, message: OutboxRow, posted: Posted, now: datetime) -> None:
        """Returns once the receiver answered 2xx; NotSent says why it has not, or why that is not known."""
        told = payload(message, posted)
        timestamp = int(now.timestamp())
        headers = {
            ID: message.dedupe,
            TIMESTAMP: str(timestamp),
            SIGNATURE: signatures(self._secrets, timestamp, body_of(told)),
        }
        try:
            # Without an idempotency key the client sends once: the outbox is what tries again.
            async with self._exchange.conversation(time.monotonic() + self._seconds) as talk:
                await talk.post(self._path, told, headers=headers, allow=_GOOD)
            return
        except SourceFailed as failure:
            why = failure.why
        raise NotSent(_WHY.get(why, "later"))

    async def close(self) -> None:
        """Give up the connections."""
        await self._exchange.close()
