"""What a member proves themselves with, and how it changes: enrolment, one-time codes, recovery codes, passkeys.

It does: take a link, set a password, show and confirm a seed, keep passkeys, each with its audit entry in the same
transaction. It does not: sign anybody in who has a second factor already: a new password leaves it as it was. The rules
it keeps: a link works once; a seed counts when a code of it was shown; changes need a proof of the last five minutes;
after a change every other session of the member is over.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.security import sha256_of
from api.staff import codes, passkeys, passwords, sessions
from api.staff.door import Door, Held, Sender
from api.staff.sessions import Opened
from api.staff.throttle import count_success
from api.store import queries as store


@dataclass(frozen=True, slots=True)
class Fault:
    """Why something was not taken, in words for who sent it."""

    words: str


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A second factor just confirmed: the session, and the recovery codes, which are never shown again."""

    opened: Opened
    recovery_codes: tuple[str, ...]

    def __repr__(self) -> str:
        return "Enrolled()"


# -- by a link -----------------------------------------------------------------------------------------------


async def enrolee(door: Door, token: str) -> store.StaffRow | None:
    """Whom a link is for; none where it was used, is over, or never was."""
    sha256, now = sha256_of(token), door.clock()
    found = await door.database.read(lambda connection: store.enrolment_of(connection, sha256, now))
    return found if found is not None and door.admits(found) else None


async def enrol(door: Door, token: str, password: str, sender: Sender) -> Opened | Fault | None:
    """Take a link and set the password; the session leads to the second factor. None where the link is no good."""
    member = await enrolee(door, token)
    if member is None:
        return None
    if (words := passwords.fault_of(password, member.login, member.name)) is not None:
        return Fault(words)
    kept, now, sha256 = await door.passwords.hash(password), door.clock(), sha256_of(token)
    opened, where = sessions.open_new(member.id, "password", now), door.counted(member.login, sender)
    seed = codes.seal_seed(door.sealer, member.id, codes.new_seed(), pending=True)

    def work(connection: Connection) -> bool:
        if not store.use_enrolment(connection, sha256, now):
            return False
        store.set_password(connection, member.id, kept)
        if member.enrolled_at is None:
            store.set_pending_seed(connection, member.id, seed)
        store.end_sessions_of(connection, member.id, now)
        store.open_session(connection, opened.row)
        count_success(connection, where, now)  # a link is an administrator's word
        _audit(connection, member, "set_staff_password", now)
        return True

    return opened if await door.database.write(work) else None


# -- one-time codes ------------------------------------------------------------------------------------------


def may_change(door: Door, held: Held) -> bool:
    """Whether a second factor may be set up now: the first one after a link, or another after a fresh proof."""
    first = held.session.stage == "password" and held.member.enrolled_at is None
    return first or sessions.is_proved(held.session, door.clock())


def pending_seed(door: Door, held: Held) -> str | None:
    """The seed to be shown to its owner; none where there is none, or it is not theirs to see now."""
    pending = held.member.totp_pending
    if pending is None or not may_change(door, held):
        return None
    return codes.open_seed(door.sealer, held.member.id, pending, pending=True)


async def begin_seed(door: Door, held: Held) -> None:
    """Make another seed to be confirmed; the one in use counts until then."""
    sealed = codes.seal_seed(door.sealer, held.member.id, codes.new_seed(), pending=True)
    await door.database.write(lambda connection: store.set_pending_seed(connection, held.member.id, sealed))


async def confirm_seed(door: Door, held: Held, code: str, sender: Sender) -> Enrolled | None:
    """Take the pending seed into use if the code is its; none where it is not."""
    seed, now, member, pending = pending_seed(door, held), door.clock(), held.member, held.member.totp_pending
    step = None if seed is None else codes.step_of(seed, code, now)
    if seed is None or pending is None or step is None:
        return None
    sealed, recovery = codes.seal_seed(door.sealer, member.id, seed), codes.new_recovery_codes()
    ends_at = held.session.ends_at if held.session.stage == "full" else None
    opened = sessions.open_new(member.id, "full", now, ends_at)
    where = door.counted(member.login, sender)

    def work(connection: Connection) -> bool:
        if not store.confirm_seed(connection, member.id, pending, sealed, step, now):
            return False
        store.set_recovery_codes(connection, member.id, map(codes.recovery_sha256, recovery))
        store.end_sessions_of(connection, member.id, now)
        store.open_session(connection, opened.row)
        count_success(connection, where, now)
        _audit(connection, member, "confirm_staff_codes", now)
        return True

    return Enrolled(opened, recovery) if await door.database.write(work) else None


async def renew_recovery_codes(door: Door, held: Held) -> tuple[str, ...]:
    """Ten new recovery codes in the place of the earlier ones."""
    made, now = codes.new_recovery_codes(), door.clock()

    def work(connection: Connection) -> None:
        store.set_recovery_codes(connection, held.member.id, map(codes.recovery_sha256, made))
        store.end_sessions_of(connection, held.member.id, now, but=held.session.sha256)
        _audit(connection, held.member, "renew_staff_recovery_codes", now)

    await door.database.write(work)
    return made


# -- passkeys ------------------------------------------------------------------------------------------------


async def passkey_options(door: Door, held: Held) -> str | None:
    """What the browser's authenticator is asked to make a passkey, as JSON; none beyond the most there may be."""
    challenge, member = passkeys.new_challenge(door.clock()), held.member

    def work(connection: Connection) -> tuple[store.Passkey, ...]:
        store.set_challenge(connection, held.session.sha256, challenge)
        return store.passkeys_of(connection, member.id)

    keys = await door.database.write(work)
    if len(keys) >= passkeys.MOST_PASSKEYS:
        return None
    return passkeys.registration_options(door.party, member.id, member.login, member.name, keys, challenge)


async def add_passkey(door: Door, held: Held, credential: str, name: str) -> bool:
    """Keep the passkey that a browser made for the challenge of this session; False where it is none, or is held."""
    now, challenge, member = door.clock(), held.session.challenge, held.member
    if challenge is None or not passkeys.challenge_holds(challenge, now):
        return False
    name = name.strip()[: passkeys.MOST_NAME] or "Passkey"
    made = passkeys.registered(door.party, challenge, credential, member.id, name, now)

    def work(connection: Connection) -> bool:
        taken = store.take_challenge(connection, held.session.sha256, challenge)
        if not taken or made is None or len(store.passkeys_of(connection, member.id)) >= passkeys.MOST_PASSKEYS:
            return False
        store.add_passkey(connection, made)
        store.end_sessions_of(connection, member.id, now, but=held.session.sha256)
        _audit(connection, member, "add_staff_passkey", now)
        return True

    try:
        return await door.database.write(work)
    except IntegrityError:  # the same credential, registered before
        return False


async def remove_passkey(door: Door, held: Held, passkey_id: str) -> bool:
    """Forget a passkey; False where the member has no such."""
    now, member = door.clock(), held.member

    def work(connection: Connection) -> bool:
        removed = store.remove_passkey(connection, member.id, passkey_id)
        if removed:
            store.end_sessions_of(connection, member.id, now, but=held.session.sha256)
            _audit(connection, member, "remove_staff_passkey", now)
        return removed

    return await door.database.write(work)


def _audit(connection: Connection, member: store.StaffRow, action: str, now: datetime) -> None:
    happened = store.AuditEvent(member.id, " ".join(sorted(member.roles)), action, f"staff/{member.id}")
    store.append_audit(connection, happened, now)
