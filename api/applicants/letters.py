"""Mails that let an applicant in: a link, or a one-time code.

It does: keep a letter sealed beside its message in the outbox, and hand it to the post when it is due. It does not:
send by itself (the post office does, with retries and an end). The rules it keeps: an address and a secret stand
nowhere in the open; a letter that was sent, or is too late, is forgotten.
"""

import json
from datetime import datetime, timedelta

from sqlalchemy import Connection

from api.applicants.visits import Lobby
from api.notices.channel import NotSent
from api.notices.mail import Post, compose
from api.notices.settings import is_mailbox
from api.sealing import CannotOpen, Sealer
from api.security import new_id
from api.store import queries as store
from api.store.queries import applicants as kept

TOPIC = "letter.mail"


def write_letter(
    lobby: Lobby, connection: Connection, to: str | None, subject: str, text: str, at: datetime, lasts: timedelta
) -> None:
    """Have a letter sent; with nobody to send it to, the same is written and nothing goes out."""
    letter_id = new_id("ltr")
    told = {} if to is None or not is_mailbox(to) else {"to": to, "subject": subject, "text": text}
    sealed = lobby.sealer.seal(json.dumps(told).encode(), _place(letter_id))
    kept.add_letter(connection, letter_id, sealed, at, at + lasts)
    store.add_message(connection, store.NewMessage(TOPIC, letter_id, f"{TOPIC}:{letter_id}"), at)


async def send_letter(lobby: Lobby, post: Post, sender: str, message: store.OutboxRow) -> bool:
    """Send the letter of a message; False where there is nothing to send any more. Raises NotSent."""
    now = lobby.clock()
    row = await lobby.database.read(lambda connection: kept.get_letter(connection, message.object_id))
    if row is None or row.sealed is None or row.expires_at <= now:
        return False
    told = _opened(lobby.sealer, row.id, row.sealed)
    if told:
        mail = compose(
            told["subject"], told["text"], sender=sender, to=told["to"], dedupe=message.dedupe, at=message.at
        )
        await post.send(mail, told["to"])
    await lobby.database.write(lambda connection: kept.forget_letters(connection, row.id, now))
    return bool(told)


def _opened(sealer: Sealer, letter_id: str, sealed: bytes) -> dict[str, str]:
    try:
        told: dict[str, str] = json.loads(sealer.open(sealed, _place(letter_id)))
    except CannotOpen:
        raise NotSent("unaddressable") from None
    return told


def _place(letter_id: str) -> str:
    return f"letter/sealed/{letter_id}"
