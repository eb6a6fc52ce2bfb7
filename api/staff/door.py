"""Signing in and out: password, then a second factor, then a session that is looked up at every request.

It does: lead a person through the stages and say who holds a session. It does not: read requests or make pages
(guarding and pages do), or change anybody's password or factors (factors does). The rules it keeps: an unknown login,
one that is disabled and a wrong password take the same path and get the same answer; nobody is in before a second
factor was shown; demo staff come in only where development is served.
"""

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Literal

import structlog
from sqlalchemy import Connection

from api.guards import BlindIndex
from api.sealing import Sealer
from api.security import sha256_of
from api.staff import codes, passkeys, sessions
from api.staff.counts import SIGN_INS
from api.staff.passkeys import Party
from api.staff.passwords import Passwords
from api.staff.sessions import Opened
from api.staff.throttle import Counted, Waiting, count_attempt, count_success, counted
from api.store import queries as store
from api.store.database import Database
from api.store.moment import microseconds

log = structlog.get_logger()

Stage = Literal["password", "code", "passkey", "again"]
MOST_LOGIN = 100
_BROWSER_PARTS = 3


@dataclass(frozen=True, slots=True)
class Refused:
    """A proof that did not hold, or that has to wait; `closed` is one for which waiting does not help."""

    why: Literal["wrong", "waiting", "closed"]


@dataclass(frozen=True, slots=True)
class Held:
    """A session that holds, and whose it is."""

    session: store.SessionRow
    member: store.StaffRow


@dataclass(frozen=True, slots=True)
class Sender:
    """What is known of who sends a request: the address, and the browser's own seal if it has one."""

    address: str
    browser: str | None = None


@dataclass(frozen=True)
class Door:
    """The people's entrance of one process. `origins` are the addresses under which browsers know the console."""

    database: Database
    sealer: Sealer
    index: BlindIndex
    passwords: Passwords
    clock: Callable[[], datetime]
    origins: tuple[str, ...]
    development: bool = False

    @property
    def party(self) -> Party:
        """Us, as authenticators know us."""
        return Party(self.origins)

    def admits(self, member: store.StaffRow) -> bool:
        """Whether a member may hold a session at all: not disabled, and pretended only in development."""
        return member.disabled_at is None and (self.development or not member.demo)

    # -- sessions --------------------------------------------------------------------------------------------

    async def held(self, token: str | None) -> Held | None:
        """The session of a token, at whatever stage; one that is over, or of a disabled holder, is ended for good."""
        if not token:
            return None
        sha256 = sha256_of(token)
        found = await self.database.read(lambda connection: store.session_by_sha(connection, sha256))
        if found is None:
            return None
        held, now = Held(*found), self.clock()
        if sessions.is_over(held.session, now) or not self.admits(held.member):
            if held.session.ended_at is None:
                await self.database.write(lambda connection: store.end_session(connection, sha256, now))
            return None
        if sessions.is_to_be_seen(held.session, now):
            await self.database.write(lambda connection: store.touch_session(connection, sha256, now))
        return held

    async def sign_out(self, held: Held) -> None:
        """End this session."""
        now = self.clock()
        await self.database.write(lambda connection: store.end_session(connection, held.session.sha256, now))

    async def sessions(self, held: Held) -> tuple[store.SessionRow, ...]:
        """The member's sessions that hold now, the newest first."""
        now = self.clock()
        found = await self.database.read(lambda connection: store.sessions_of(connection, held.member.id, now))
        return tuple(each for each in found if not sessions.is_over(each, now))

    async def end(self, held: Held, sha256: str | None) -> None:
        """End one of the member's sessions, or with none named all but this one; another's is not touched."""
        now, mine = self.clock(), held.session.sha256

        def work(connection: Connection) -> None:
            if sha256 is None:
                store.end_sessions_of(connection, held.member.id, now, but=mine)
            elif any(each.sha256 == sha256 for each in store.sessions_of(connection, held.member.id, now)):
                store.end_session(connection, sha256, now)

        await self.database.write(work)

    # -- proofs ----------------------------------------------------------------------------------------------

    async def password(self, login: str, password: str, sender: Sender) -> Opened | Refused:
        """The first stage: a session that leads to the second factor and nowhere else."""
        login = normal_login(login)
        where, now = self.counted(login, sender), self.clock()

        def work(connection: Connection) -> tuple[Waiting | None, store.StaffRow | None]:
            waiting = count_attempt(connection, where, now)
            return waiting, None if waiting else store.staff_by_login(connection, login)

        waiting, member = await self.database.write(work)
        if waiting is not None:
            return _refused("password", waiting)
        enrolled = member is not None and member.enrolled_at is not None and self.admits(member)
        matches = await self.passwords.verify(member.password_hash if member and enrolled else None, password)
        if member is None or not matches:
            return _refused("password")
        opened = sessions.open_new(member.id, "password", now)
        await self.database.write(lambda connection: store.open_session(connection, opened.row))
        return _opened("password", opened)

    async def code(self, held: Held, code: str, sender: Sender, password: str | None = None) -> Opened | Refused:
        """The second stage by a one-time or recovery code; with the password too, it proves again who is there."""
        stage: Stage = "code" if password is None else "again"
        where, now, member = self.counted(held.member.login, sender), self.clock(), held.member
        if (waiting := await self._count(where, now)) is not None:
            return _refused(stage, waiting)
        if password is not None and not await self.passwords.verify(member.password_hash, password):
            return _refused(stage)
        step, recovery = self._step(member, code, now), codes.recovery_sha256(code)

        def take(connection: Connection) -> bool:
            if step is not None:
                return store.take_totp_step(connection, member.id, step)
            return store.use_recovery_code(connection, member.id, recovery, now)

        return await self._go_on(stage, held, where, now, take)

    async def passkey_options(self, held: Held) -> str | None:
        """What the browser's authenticator is asked, as JSON; none for who has no passkey."""
        challenge = passkeys.new_challenge(self.clock())

        def work(connection: Connection) -> tuple[store.Passkey, ...]:
            if keys := store.passkeys_of(connection, held.member.id):
                store.set_challenge(connection, held.session.sha256, challenge)
            return keys

        keys = await self.database.write(work)
        return passkeys.authentication_options(self.party, keys, challenge) if keys else None

    async def passkey(self, held: Held, credential: str, sender: Sender) -> Opened | Refused:
        """The second stage by a passkey: `credential` is what the browser made of the options."""
        where, now, challenge = self.counted(held.member.login, sender), self.clock(), held.session.challenge
        if (waiting := await self._count(where, now)) is not None:
            return _refused("passkey", waiting)
        keys = await self.database.read(lambda connection: store.passkeys_of(connection, held.member.id))
        named = _credential_id(credential)
        key = next((each for each in keys if each.id == named), None)
        if key is None or challenge is None or not passkeys.challenge_holds(challenge, now):
            return _refused("passkey")
        count = passkeys.shown_count(self.party, challenge, credential, key)

        def take(connection: Connection) -> bool:
            taken = store.take_challenge(connection, held.session.sha256, challenge)
            return taken and count is not None and store.use_passkey(connection, key, count, now)

        return await self._go_on("passkey", held, where, now, take)

    async def _count(self, where: Counted, now: datetime) -> Waiting | None:
        return await self.database.write(lambda connection: count_attempt(connection, where, now))

    async def _go_on(
        self, stage: Stage, held: Held, where: Counted, now: datetime, take: Callable[[Connection], bool]
    ) -> Opened | Refused:
        """Open the full session if what was shown can be taken, and end the one before in the same transaction."""
        again = held.session.stage == "full"
        opened = sessions.open_new(held.member.id, "full", now, held.session.ends_at if again else None)

        def work(connection: Connection) -> bool:
            if not take(connection) or not store.end_session(connection, held.session.sha256, now):
                return False
            store.open_session(connection, opened.row)
            count_success(connection, where, now)
            return True

        return _opened(stage, opened) if await self.database.write(work) else _refused(stage)

    def _step(self, member: store.StaffRow, code: str, now: datetime) -> int | None:
        if member.totp_sealed is None:
            return None
        return codes.step_of(codes.open_seed(self.sealer, member.id, member.totp_sealed), code, now)

    # -- browsers that a login is known to use ---------------------------------------------------------------

    def counted(self, login: str, sender: Sender) -> Counted:
        """Where attempts at a login are counted: apart for a browser that it has signed in from."""
        return counted(self.index, login, self._browser_of(login, sender.browser), sender.address)

    def seal_browser(self, login: str) -> str:
        """What makes a browser known as this login's own: an id, when it ends, and our seal over both."""
        name, ends = token_hex(16), microseconds(self.clock() + sessions.BROWSER_KNOWN)
        return f"{name}.{ends}.{self._seal(login, name, ends)}"

    def _browser_of(self, login: str, sealed: str | None) -> str | None:
        parts = (sealed or "").split(".")
        if len(parts) != _BROWSER_PARTS or not (parts[1].isascii() and parts[1].isdigit()):
            return None
        name, ends, seal = parts
        holds = microseconds(self.clock()) < int(ends[:20])
        return name if holds and hmac.compare_digest(seal.encode(), self._seal(login, name, ends).encode()) else None

    def _seal(self, login: str, name: str, ends: int | str) -> str:
        return self.index.of("known browser", f"{login}\0{name}\0{ends}")


def normal_login(login: str) -> str:
    """A login as it is kept; what no login could be becomes the empty one, which nobody has."""
    plain = login.strip().lower()
    return plain if len(plain) <= MOST_LOGIN and plain.isprintable() else ""


def _credential_id(credential: str) -> str | None:
    try:
        told = json.loads(credential)
    except ValueError:
        return None
    named = told.get("id") if isinstance(told, dict) else None
    return named if isinstance(named, str) else None


def _opened(stage: Stage, opened: Opened) -> Opened:
    SIGN_INS.labels(stage, "opened").inc()
    log.info("staff_sign_in", stage=stage, result="opened", staff_id=opened.row.staff_id)
    return opened


def _refused(stage: Stage, waiting: Waiting | None = None) -> Refused:
    why: Literal["wrong", "waiting", "closed"] = "wrong"
    if waiting is not None:
        why = "closed" if waiting.until is None else "waiting"
    SIGN_INS.labels(stage, why).inc()
    log.warning("staff_sign_in", stage=stage, result=why)
    return Refused(why)
