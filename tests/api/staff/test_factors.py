"""Enrolment and factors: links, the first and another authenticator app, recovery codes, passkeys."""

import json
from datetime import timedelta
from typing import Any

import pytest

from api.staff import codes, factors
from api.staff.door import Held, Refused, Sender
from api.staff.factors import Enrolled, Fault
from api.staff.passkeys import CHALLENGE_LASTS, Party
from api.staff.sessions import PROVED, Opened
from api.store import queries as store
from tests.support.authenticator import Authenticator, encoded
from tests.support.staffing import ADDRESS, ORIGIN, PASSWORD, House, Person, opened, run

HERE = Sender(ADDRESS)
CHOSEN = "a kettle of quite another colour"
HOST = "console.lender.example"


def _held(place: House, token: str) -> Held:
    held = run(place.door.held(token))
    assert held is not None
    return held


def _in(place: House, person: Person) -> Held:
    """A full session of a moment ago."""
    place.clock.advance(2 * codes.STEP_SECONDS)
    half = _held(place, opened(run(place.door.password(person.login, person.password, HERE))).token)
    return _held(place, opened(run(place.door.code(half, place.code(person), HERE))).token)


def _again(place: House, held: Held) -> Held:
    """The same session, as the next request finds it."""
    found = place.look(lambda connection: store.session_by_sha(connection, held.session.sha256))
    assert found is not None
    return Held(*found)


# -- enrolment -----------------------------------------------------------------------------------------------


def test_a_link_leads_to_a_password_a_factor_and_in(both: House) -> None:
    """The link is taken with the password; the code of the seed that was shown confirms it and gives recovery codes."""
    person = both.member(enrolled=False)
    token = both.link(person)
    half = _held(both, opened(run(factors.enrol(both.door, token, CHOSEN, HERE))).token)
    seed = factors.pending_seed(both.door, half)
    assert seed is not None
    assert run(factors.confirm_seed(both.door, half, "000000", HERE)) is None
    done = run(factors.confirm_seed(both.door, half, codes.code_at(seed, both.clock()), HERE))
    assert isinstance(done, Enrolled)
    assert _held(both, done.opened.token).session.stage == "full"
    assert run(both.door.held(half.session.sha256)) is None
    enrolled = Person(person.id, person.login, seed, CHOSEN)
    assert _in(both, enrolled).member.enrolled_at is not None
    both.clock.advance(60)
    again = _held(both, opened(run(both.door.password("vera", CHOSEN, HERE))).token)
    opened(run(both.door.code(again, done.recovery_codes[3], HERE)))
    actions = both.look(lambda connection: [json.loads(each.body)["action"] for each in store.audit_tail(connection)])
    assert actions == ["confirm_staff_codes", "set_staff_password"]


@pytest.mark.parametrize("case", ["used", "old", "replaced", "made up", "disabled"])
def test_a_link_that_is_no_good_sets_nothing(both: House, case: str) -> None:
    """Taken before, a day old, replaced by another, never made, or of a disabled member."""
    person = both.member(enrolled=False)
    token = both.link(person)
    match case:
        case "used":
            opened(run(factors.enrol(both.door, token, PASSWORD, HERE)))
        case "old":
            both.clock.advance(24 * 3600)
        case "replaced":
            both.link(person, "another token")
        case "made up":
            token = "somebody's guess"
        case "disabled":
            with both.database.transaction() as connection:
                store.disable_staff(connection, person.id, both.clock())
    before = both.count("staff_session")
    assert run(factors.enrolee(both.door, token)) is None
    assert run(factors.enrol(both.door, token, CHOSEN, HERE)) is None
    assert both.count("staff_session") == before


def test_a_password_that_is_not_taken_leaves_the_link(lone: House) -> None:
    """The words say why, and another try with the same link goes through."""
    token = lone.link(lone.member(enrolled=False))
    assert isinstance(run(factors.enrol(lone.door, token, "short", HERE)), Fault)
    assert isinstance(run(factors.enrol(lone.door, token, CHOSEN, HERE)), Opened)


def test_a_new_password_leaves_the_second_factor_and_ends_every_session(both: House) -> None:
    """Whoever takes the link of an enrolled member still has to show the code, and can set up no other."""
    person = both.member()
    before = _in(both, person)
    half = _held(both, opened(run(factors.enrol(both.door, both.link(person), CHOSEN, HERE))).token)
    assert both.count("staff_session", "stage = 'full' AND ended_at IS NULL") == 0
    assert (factors.may_change(both.door, half), factors.pending_seed(both.door, half)) == (False, None)
    assert run(factors.confirm_seed(both.door, half, "000000", HERE)) is None
    both.clock.advance(60)
    opened(run(both.door.code(half, both.code(person), HERE)))
    assert before.session.stage == "full"


def test_nobody_comes_in_by_a_password_alone_before_a_factor_is_confirmed(lone: House) -> None:
    """Stopped after the password: signing in is refused as if the login were unknown, and only a new link helps."""
    person = lone.member(enrolled=False)
    opened(run(factors.enrol(lone.door, lone.link(person), CHOSEN, HERE)))
    assert run(lone.door.password("vera", CHOSEN, HERE)) == Refused("wrong")
    opened(run(factors.enrol(lone.door, lone.link(person, "another token"), CHOSEN, HERE)))


def test_seeds_are_sealed_to_their_member_and_column(both: House) -> None:
    """Neither seed stands in the database; one that is moved to another row or column opens nothing."""
    person, other = both.member(), both.member(login="omar")
    rows = both.look(lambda connection: [store.staff_by_id(connection, each.id) for each in (person, other)])
    assert rows[0] is not None
    assert rows[0].totp_sealed is not None
    assert person.seed.encode() not in rows[0].totp_sealed
    assert codes.open_seed(both.door.sealer, person.id, rows[0].totp_sealed) == person.seed
    for member, pending in ((other.id, False), (person.id, True)):
        with pytest.raises(Exception, match="sealed elsewhere"):
            codes.open_seed(both.door.sealer, member, rows[0].totp_sealed, pending=pending)


# -- changes need a proof ------------------------------------------------------------------------------------


def test_a_proof_holds_for_five_minutes_and_can_be_given_again(lone: House) -> None:
    """After that, password and code together renew it, in a new session that ends when the old one would have."""
    person = lone.member()
    held = _in(lone, person)
    assert factors.may_change(lone.door, held)
    lone.clock.advance(PROVED.total_seconds())
    assert not factors.may_change(lone.door, held)
    assert run(lone.door.code(held, lone.code(person), HERE, "not the password")) == Refused("wrong")
    assert run(lone.door.code(held, "000000", HERE, PASSWORD)) == Refused("wrong")
    renewed = opened(run(lone.door.code(held, lone.code(person), HERE, PASSWORD)))
    again = _held(lone, renewed.token)
    assert factors.may_change(lone.door, again)
    assert again.session.ends_at == held.session.ends_at
    assert lone.count("staff_session", "ended_at IS NULL") == 1


def test_another_app_takes_the_place_of_the_first(both: House) -> None:
    """The old seed counts until the new one is confirmed; then it does not, and all other sessions are over."""
    person = both.member()
    elsewhere, held = _in(both, person), _in(both, person)
    run(factors.begin_seed(both.door, held))
    held = _again(both, held)
    seed = factors.pending_seed(both.door, held)
    assert seed not in {None, person.seed}
    assert run(factors.confirm_seed(both.door, held, both.code(person, 1), HERE)) is None
    done = run(factors.confirm_seed(both.door, held, codes.code_at(seed or "", both.clock()), HERE))
    assert done is not None
    assert both.count("staff_session", "ended_at IS NULL") == 1
    assert elsewhere.session.sha256 != done.opened.row.sha256
    both.clock.advance(60)
    half = _held(both, opened(run(both.door.password("vera", PASSWORD, HERE))).token)
    assert run(both.door.code(half, both.code(person), HERE)) == Refused("wrong")
    opened(run(both.door.code(half, codes.code_at(seed or "", both.clock()), HERE)))


def test_new_recovery_codes_end_the_old_ones(lone: House) -> None:
    """Ten others, and what was printed before works no longer."""
    person = lone.member()
    held = _in(lone, person)
    first = run(factors.renew_recovery_codes(lone.door, held))
    second = run(factors.renew_recovery_codes(lone.door, held))
    half = _held(lone, opened(run(lone.door.password("vera", PASSWORD, HERE))).token)
    assert run(lone.door.code(half, first[0], HERE)) == Refused("wrong")
    opened(run(lone.door.code(half, second[0], HERE)))


# -- passkeys ------------------------------------------------------------------------------------------------


def _with_passkey(place: House, person: Person) -> Authenticator:
    """Register an authenticator for a member."""
    device = Authenticator(ORIGIN, HOST)
    held = _in(place, person)
    options = json.loads(run(factors.passkey_options(place.door, held)) or "")
    made = json.dumps(device.create(options))
    assert run(factors.add_passkey(place.door, _again(place, held), made, " My key "))
    return device


def _asked(place: House, person: Person) -> tuple[Held, dict[str, Any]]:
    """A half-way session with a ceremony under way, and its options."""
    half = _held(place, opened(run(place.door.password(person.login, person.password, HERE))).token)
    options = json.loads(run(place.door.passkey_options(half)) or "")
    return _again(place, half), options


def test_a_passkey_is_registered_and_is_a_second_factor(both: House) -> None:
    """User verification is asked for; the counter is kept; the session after it is full and new."""
    person = both.member()
    device = _with_passkey(both, person)
    half, options = _asked(both, person)
    assert options["userVerification"] == "required"
    full = opened(run(both.door.passkey(half, json.dumps(device.get(options)), HERE)))
    assert _held(both, full.token).session.stage == "full"
    [kept] = both.look(lambda connection: store.passkeys_of(connection, person.id))
    assert (kept.name, kept.sign_count, kept.last_used_at) == ("My key", 2, both.clock())


@pytest.mark.parametrize(
    "fault",
    [
        "challenge", "origin", "type", "unverified", "counter", "signature", "another key", "replayed", "late", "json",
        "list",
    ],
)  # fmt: skip
def test_an_answer_that_is_not_to_our_question_is_refused(lone: House, fault: str) -> None:
    """Another challenge, page or ceremony, nobody verified, a counter gone back, a false signature, twice, late."""
    person = lone.member()
    device = _with_passkey(lone, person)
    half, options = _asked(lone, person)
    changes: dict[str, Any] = {}
    match fault:
        case "challenge":
            changes = {"challenge": encoded(bytes(64))}
        case "origin":
            changes = {"origin": "https://console.lender.example.evil.example"}
        case "type":
            changes = {"type": "webauthn.create"}
        case "unverified":
            device.verified = False
        case "counter":
            device.counter = 0
        case "another key":
            device.key = Authenticator(ORIGIN, HOST).key
    answer = device.get(options, **changes)
    if fault == "signature":
        answer["response"]["signature"] = encoded(bytes(70))
    if fault == "late":
        lone.clock.advance(CHALLENGE_LASTS.total_seconds())
    if fault == "replayed":
        opened(run(lone.door.passkey(half, json.dumps(answer), HERE)))
        half = _asked(lone, person)[0]
    sent = {"json": "{", "list": "[1, 2]"}.get(fault, json.dumps(answer))
    assert run(lone.door.passkey(half, sent, HERE)) == Refused("wrong")


def test_a_ceremony_is_answered_once(both: House) -> None:
    """A wrong answer uses the challenge up: the right one comes too late, and a new ceremony is needed."""
    person = both.member()
    device = _with_passkey(both, person)
    half, options = _asked(both, person)
    right = device.get(options)
    wrong = {**right, "response": {**right["response"], "signature": encoded(bytes(70))}}
    assert run(both.door.passkey(half, json.dumps(wrong), HERE)) == Refused("wrong")
    assert run(both.door.passkey(half, json.dumps(right), HERE)) == Refused("wrong")
    half, options = _asked(both, person)
    opened(run(both.door.passkey(half, json.dumps(device.get(options)), HERE)))


def test_another_members_passkey_opens_nothing(lone: House) -> None:
    """A good answer of an authenticator that belongs to somebody else is refused."""
    mine, other = lone.member(), lone.member(login="omar")
    device = _with_passkey(lone, other)
    _with_passkey(lone, mine)
    half, options = _asked(lone, mine)
    options["allowCredentials"] = [{"id": encoded(device.credential_id)}]
    assert run(lone.door.passkey(half, json.dumps(device.get(options)), HERE)) == Refused("wrong")


def test_who_has_no_passkey_is_asked_for_none(lone: House) -> None:
    """There are no options, and no ceremony begins."""
    half = _held(lone, opened(run(lone.door.password(lone.member().login, PASSWORD, HERE))).token)
    assert run(lone.door.passkey_options(half)) is None
    assert _again(lone, half).session.challenge is None


def test_a_passkey_is_registered_once_and_removed_by_its_owner(both: House) -> None:
    """The same credential is not taken a second time, from anybody; another member cannot remove it."""
    mine, other = both.member(), both.member(login="omar")
    device = _with_passkey(both, mine)
    held = _in(both, other)
    options = json.loads(run(factors.passkey_options(both.door, held)) or "")
    sent = json.dumps(device.create(options))
    assert not run(factors.add_passkey(both.door, _again(both, held), sent, "Stolen"))
    assert not run(factors.remove_passkey(both.door, held, encoded(device.credential_id)))
    assert run(factors.remove_passkey(both.door, _in(both, mine), encoded(device.credential_id)))
    assert both.count("passkey") == 0


def test_a_false_registration_is_refused(lone: House) -> None:
    """Of another page, without verification, to an old challenge, or no registration at all."""
    person = lone.member()
    for fault in ("origin", "unverified", "late", "rubbish", "none asked"):
        held = _in(lone, person)
        device = Authenticator(ORIGIN, HOST, verified=fault != "unverified")
        options = json.loads(run(factors.passkey_options(lone.door, held)) or "")
        changes = {"origin": "http://console.lender.example"} if fault == "origin" else {}
        sent = "[]" if fault == "rubbish" else json.dumps(device.create(options, **changes))
        asked = held if fault == "none asked" else _again(lone, held)
        if fault == "late":
            lone.clock.advance(CHALLENGE_LASTS.total_seconds())
        assert not run(factors.add_passkey(lone.door, asked, sent, "Key")), fault
    assert lone.count("passkey") == 0


def test_the_party_is_a_host_by_name() -> None:
    """Browsers take no address for a party: on a laptop it is localhost."""
    assert Party((ORIGIN,)).id == HOST
    assert Party(("http://127.0.0.1:8000", "http://localhost:8000")).id == "localhost"


def test_a_day_is_what_a_link_lasts(lone: House) -> None:
    """A second before the end it is good, at the end it is not."""
    token = lone.link(lone.member(enrolled=False))
    lone.clock.advance(timedelta(hours=24).total_seconds() - 1)
    assert run(factors.enrolee(lone.door, token)) is not None
    lone.clock.advance(1)
    assert run(factors.enrolee(lone.door, token)) is None
