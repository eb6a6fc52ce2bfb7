"""What somebody has typed and not sent: kept sealed, changed only as it was seen, and sent as it stands.

It does: keep answers under a draft's id, and give them back. It does not: know the questions. The rules it keeps:
answers are sealed at rest and forgotten once they became an application or the week is over; two tabs change what each
of them asked, and lose nothing of each other; what was sent is not changed while it is being decided.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from api.applicants.limits import BEGUN, allows
from api.applicants.visits import Lobby, Opened, new_visit
from api.sealing import Sealer
from api.security import new_id
from api.store.queries import applicants as kept

LASTS = timedelta(days=7)
KEPT_FOR = timedelta(days=30)  # visits, links and codes, after their end
MOST_BYTES = 9_000_000  # two megabytes of uploaded statements, each character written in four
_MOST_TRIES = 5
Answers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """Answers by the name of their field, as they were typed, in a version.

    `sent_key` is the idempotency key under which they were sent at `changed_at`; a draft that was refused and sent
    again has another. One draft is one application, however often it is sent.
    """

    id: str
    version: int
    answers: Answers = field(repr=False)
    changed_at: datetime
    sent_key: str | None = None
    application_id: str | None = None

    @property
    def sent(self) -> bool:
        """Whether it is being decided, or was."""
        return self.sent_key is not None or self.application_id is not None


async def begin(
    lobby: Lobby, answers: Answers, visit: kept.VisitRow | None, address: str
) -> tuple[Draft, Opened] | None:
    """A new draft and a visit of its own, in the place of the one that there was; None where too many were begun.

    Whoever is signed in stays so, and no longer than before.
    """
    now, draft_id = lobby.clock(), new_id("drf")
    sealed = _sealed(lobby.sealer, draft_id, answers)
    opened = new_visit(now, visit.applicant_id if visit else None, draft_id)
    if visit is not None and visit.applicant_id is not None:
        opened = opened.ending(visit.ends_at)

    def work(connection: Connection) -> bool:
        if not allows(lobby.index, connection, BEGUN, address, now):
            return False
        kept.insert_draft(connection, draft_id, sealed, now, now + LASTS)
        kept.open_visit(connection, opened.row)
        if visit is not None:
            kept.end_visit(connection, visit.sha256, now)
        return True

    return (Draft(draft_id, 1, answers, now), opened) if await lobby.database.write(work) else None


async def load(lobby: Lobby, draft_id: str | None) -> Draft | None:
    """The draft of a visit; its answers are empty once it became an application, and none is given after its week."""
    if draft_id is None:
        return None
    row = await lobby.database.read(lambda connection: kept.get_draft(connection, draft_id))
    over = row is None or (row.application_id is None and (row.sealed is None or row.expires_at <= lobby.clock()))
    return None if row is None or over else _draft(lobby, row)


async def amend(lobby: Lobby, draft: Draft, changes: Answers) -> Draft | None:
    """The draft with some answers changed, the others as they are now, whoever changed them; None once it is sent."""
    for _ in range(_MOST_TRIES):
        saved = await _save(lobby, draft, {**draft.answers, **changes})
        if saved is not None:
            return saved
        again = await load(lobby, draft.id)
        if again is None or again.sent:
            return None
        draft = again
    return None


async def send(lobby: Lobby, draft: Draft) -> Draft | None:
    """The draft, sent as it was seen; None where it was changed or sent elsewhere since."""
    now, key = lobby.clock(), f"web.{draft.id}.{draft.version}"
    sent = await lobby.database.write(
        lambda connection: kept.send_draft(connection, draft.id, draft.version, key, now)
    )  # fmt: skip
    return Draft(draft.id, draft.version, draft.answers, now, key) if sent else None


async def recall(lobby: Lobby, draft: Draft) -> None:
    """Let a draft be changed again of which nothing was kept."""
    await lobby.database.write(lambda connection: kept.recall_draft(connection, draft.id, draft.sent_key or ""))


async def forget_old(lobby: Lobby) -> int:
    """Forget what is in drafts whose week is over, and what led to them."""
    now = lobby.clock()

    def work(connection: Connection) -> int:
        kept.forget_past(connection, now, KEPT_FOR)
        return kept.forget_drafts(connection, now)

    return await lobby.database.write(work)


def opened_draft(lobby: Lobby, connection: Connection, draft_id: str) -> Draft | None:
    """A draft by its id, within a transaction; None where nothing is left of it."""
    row = kept.get_draft(connection, draft_id)
    return None if row is None or row.sealed is None else _draft(lobby, row)


async def _save(lobby: Lobby, draft: Draft, answers: Answers) -> Draft | None:
    now = lobby.clock()
    sealed = _sealed(lobby.sealer, draft.id, answers)
    changed = await lobby.database.write(
        lambda connection: kept.change_draft(connection, draft.id, draft.version, sealed, now, now + LASTS)
    )
    return Draft(draft.id, draft.version + 1, answers, now) if changed else None


def _draft(lobby: Lobby, row: kept.DraftRow) -> Draft:
    answers: Answers = {} if row.sealed is None else json.loads(lobby.sealer.open(row.sealed, _place(row.id)))
    return Draft(row.id, row.version, answers, row.changed_at, row.sent_key, row.application_id)


def _sealed(sealer: Sealer, draft_id: str, answers: Answers) -> bytes:
    plain = json.dumps(answers, ensure_ascii=False, separators=(",", ":")).encode()
    if len(plain) > MOST_BYTES:
        raise ValueError("answers are bounded field by field")
    return sealer.seal(plain, _place(draft_id))


def _place(draft_id: str) -> str:
    return f"draft/answers/{draft_id}"
