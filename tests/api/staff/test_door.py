"""Signing in stage by stage, sessions and their ends, throttling: the door itself, without requests."""

import asyncio
from datetime import timedelta

import pytest

from api.security import sha256_of
from api.staff import codes, factors
from api.staff.door import Held, Refused, Sender
from api.staff.sessions import IDLE, LONGEST, PASSWORD_STAGE, Opened
from api.staff.throttle import FREE_FAILURES, MOST_FAILURES, MOST_WAIT
from api.store import queries as store
from tests.support.staffing import ADDRESS, PASSWORD, House, Person, house, opened, run

HERE = Sender(ADDRESS)


def _half(place: House, person: Person, sender: Sender = HERE) -> Held:
    """The session after the password."""
    token = opened(run(place.door.password(person.login, person.password, sender))).token
    held = run(place.door.held(token))
    assert held is not None
    return held


def _in(place: House, person: Person, sender: Sender = HERE) -> Opened:
    """The session after both stages, by a code that was not used before."""
    place.clock.advance(2 * codes.STEP_SECONDS)
    return opened(run(place.door.code(_half(place, person, sender), place.code(person), sender)))


# -- stages --------------------------------------------------------------------------------------------------


def test_both_stages_lead_in_each_with_a_new_token(both: House) -> None:
    """The password opens a session that is not yet full; the code ends it and opens another, also for the token."""
    person = both.member()
    first = opened(run(both.door.password("  VERA ", PASSWORD, HERE)))
    half = run(both.door.held(first.token))
    assert half is not None
    assert (half.session.stage, half.member.login) == ("password", "vera")
    second = opened(run(both.door.code(half, both.code(person), HERE)))
    full = run(both.door.held(second.token))
    assert full is not None
    assert (full.session.stage, full.member.id) == ("full", person.id)
    assert len({first.token, second.token, first.row.csrf, second.row.csrf}) == 4
    assert run(both.door.held(first.token)) is None


def test_a_session_is_kept_as_a_digest_alone(lone: House) -> None:
    """Neither token is in the database, and a digest in its place opens nothing."""
    token = _in(lone, lone.member()).token
    assert len(token) >= 43
    rows = lone.look(lambda connection: str([*connection.exec_driver_sql("SELECT * FROM staff_session")]))
    assert (token in rows, sha256_of(token) in rows) == (False, True)
    assert run(lone.door.held(sha256_of(token))) is None


def test_a_token_that_we_did_not_make_is_never_taken_on(lone: House) -> None:
    """Fixation: what an attacker chose opens nothing before, and nothing after, the victim signs in."""
    chosen, person = "chosen-by-somebody-else" * 2, lone.member()
    assert run(lone.door.held(chosen)) is None
    assert _in(lone, person).token != chosen
    assert run(lone.door.held(chosen)) is None


@pytest.mark.parametrize("case", ["unknown", "wrong", "disabled", "not enrolled", "demo"])
def test_whoever_may_not_come_in_gets_one_answer_after_one_verification(lone: House, case: str) -> None:
    """An unknown login, a wrong password, a disabled, unfinished or pretended member: the same, at the same cost."""
    person = lone.member(demo=case == "demo", enrolled=case != "not enrolled")
    if case == "disabled":
        with lone.database.transaction() as connection:
            store.disable_staff(connection, person.id, lone.clock())
    login, password = ("nobody" if case == "unknown" else "vera"), ("x" * 20 if case == "wrong" else PASSWORD)
    assert run(lone.door.password(login, password, HERE)) == Refused("wrong")
    assert len(lone.passwords.verified) == 1
    assert (lone.count("sign_in"), lone.count("staff_session")) == (1, 0)


def test_demo_staff_come_in_where_development_is_served(sqlite_url: str) -> None:
    """The same member, with the same password, is let in there; and a session of theirs is worth nothing elsewhere."""
    with house(sqlite_url, development=True) as place:
        token = _in(place, place.member(demo=True)).token
        assert run(place.door.held(token)) is not None
    with house(sqlite_url) as place:
        assert run(place.door.held(token)) is None


def test_a_login_that_no_login_could_be_is_a_wrong_one(both: House) -> None:
    """Bytes that a database would not take as text, and endless ones, are answered as any other."""
    for login in ("ve\0ra", "\ud800", "v" * 10_000, "", "ｖｅｒａ"):
        assert run(both.door.password(login, "x", HERE)) == Refused("wrong")


# -- one-time and recovery codes -----------------------------------------------------------------------------


def test_a_code_works_once(both: House) -> None:
    """The second session of the same half minute needs another code: the one shown, and all before it, are used."""
    person = both.member()
    code = both.code(person)
    opened(run(both.door.code(_half(both, person), code, HERE)))
    half = _half(both, person)
    assert run(both.door.code(half, code, HERE)) == Refused("wrong")
    assert run(both.door.code(half, both.code(person, -1), HERE)) == Refused("wrong")
    opened(run(both.door.code(half, both.code(person, 1), HERE)))


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_counts_one_step_early_or_late(lone: House, steps: int, taken: bool) -> None:
    """Thirty seconds either way, and no more."""
    person = lone.member()
    outcome = run(lone.door.code(_half(lone, person), lone.code(person, steps), HERE))
    assert isinstance(outcome, Opened) is taken


@pytest.mark.parametrize("code", ["", "000000", "12345", "1234567", "١٢٣٤٥٦", "abcdef", "x" * 10_000])
def test_what_is_no_code_is_wrong(lone: House, code: str) -> None:
    """Digits of another script, too few, too many: refused like any wrong code."""
    assert run(lone.door.code(_half(lone, lone.member()), code, HERE)) == Refused("wrong")


def test_a_code_is_written_as_people_write_it(lone: House) -> None:
    """A space in the middle, as apps show it, does no harm."""
    person = lone.member()
    code = lone.code(person)
    opened(run(lone.door.code(_half(lone, person), f" {code[:3]} {code[3:]} ", HERE)))


def test_a_recovery_code_works_once_and_for_its_owner(both: House) -> None:
    """However it is typed; kept as a digest; not for another member, and not twice."""
    mine, other = both.member(), both.member(login="omar")
    made = codes.new_recovery_codes()
    with both.database.transaction() as connection:
        store.set_recovery_codes(connection, mine.id, map(codes.recovery_sha256, made))
    assert len(set(made)) == codes.RECOVERY_CODES
    assert run(both.door.code(_half(both, other), made[0], HERE)) == Refused("wrong")
    opened(run(both.door.code(_half(both, mine), f" {made[0].upper().replace('-', ' ')} ", HERE)))
    assert run(both.door.code(_half(both, mine), made[0], HERE)) == Refused("wrong")
    assert both.look(lambda connection: store.recovery_codes_left(connection, mine.id)) == codes.RECOVERY_CODES - 1
    rows = both.look(lambda connection: str([*connection.exec_driver_sql("SELECT * FROM recovery_code")]))
    assert all(code not in rows for code in made)


def test_of_two_who_show_the_same_code_at_once_one_comes_in(both: House) -> None:
    """Two half-way sessions race with one code: one is full, the other is told that it was wrong."""
    person = both.member()
    halves = [_half(both, person), _half(both, person)]

    async def race() -> list[object]:
        shown = both.code(person)
        return list(await asyncio.gather(*(both.door.code(half, shown, HERE) for half in halves)))

    outcomes = run(race())
    assert sorted(type(each).__name__ for each in outcomes) == ["Opened", "Refused"]
    assert both.count("staff_session", "stage = 'full' AND ended_at IS NULL") == 1


# -- how sessions end ----------------------------------------------------------------------------------------


def test_an_idle_session_ends(both: House) -> None:
    """A quarter of an hour after it was last used it is over; used in time, it goes on."""
    token = _in(both, both.member()).token
    both.clock.advance(IDLE.total_seconds() - 1)
    assert run(both.door.held(token)) is not None
    both.clock.advance(IDLE.total_seconds() - 1)
    assert run(both.door.held(token)) is not None
    both.clock.advance(IDLE.total_seconds())
    assert run(both.door.held(token)) is None


def test_no_session_lasts_longer_than_eight_hours(lone: House) -> None:
    """However busily it is used; a proof in between gives a new token and no more time."""
    person = lone.member()
    token, used = _in(lone, person).token, timedelta()
    while used + timedelta(minutes=10) < LONGEST:
        lone.clock.advance(600)
        used += timedelta(minutes=10)
        held = run(lone.door.held(token))
        assert held is not None
        if used == timedelta(hours=4):
            token = opened(run(lone.door.code(held, lone.code(person), HERE, PASSWORD))).token
    lone.clock.advance(600)
    assert run(lone.door.held(token)) is None


def test_who_stops_half_way_begins_again(lone: House) -> None:
    """After ten minutes without a second factor the password has to be shown again."""
    person = lone.member()
    token = opened(run(lone.door.password("vera", PASSWORD, HERE))).token
    lone.clock.advance(PASSWORD_STAGE.total_seconds() - 1)
    assert run(lone.door.held(token)) is not None
    lone.clock.advance(1)
    assert run(lone.door.held(token)) is None
    assert person.login == "vera"


def test_a_disabled_member_is_out_at_once(both: House) -> None:
    """The next request finds nobody, and the sessions are ended for good."""
    person = both.member()
    token = _in(both, person).token
    with both.database.transaction() as connection:
        assert store.disable_staff(connection, person.id, both.clock())
        assert not store.disable_staff(connection, person.id, both.clock())
    assert run(both.door.held(token)) is None
    assert both.count("staff_session", "ended_at IS NULL") == 0


def test_signing_out_ends_the_session_on_the_server(lone: House) -> None:
    """The token opens nothing any more, wherever a copy of it is."""
    token = _in(lone, lone.member()).token
    held = run(lone.door.held(token))
    assert held is not None
    run(lone.door.sign_out(held))
    assert run(lone.door.held(token)) is None


def test_the_clock_revives_nobody(lone: House) -> None:
    """Jumps of an hour or 400 days either way: what was over stays over, and a clock behind itself extends nothing."""
    person = lone.member()
    for jump in (3600.0, 400 * 86_400.0):
        token = _in(lone, person).token
        lone.clock.advance(jump)
        assert run(lone.door.held(token)) is None
        lone.clock.advance(-jump)
        assert run(lone.door.held(token)) is None
    token = _in(lone, person).token
    lone.clock.advance(-3600)
    assert run(lone.door.held(token)) is None
    lone.clock.advance(3600)
    assert run(lone.door.held(token)) is None


def test_use_is_written_down_once_a_minute(lone: House) -> None:
    """Requests within a minute write nothing; the next one after it does."""
    token = _in(lone, lone.member()).token
    began = lone.clock()

    def seen() -> float:
        found = lone.look(lambda connection: store.session_by_sha(connection, sha256_of(token)))
        assert found is not None
        return (found[0].seen_at - began).total_seconds()

    noted = []
    for _ in range(5):
        lone.clock.advance(25)
        assert run(lone.door.held(token)) is not None
        noted.append(seen())
    assert noted == [0, 0, 75, 75, 75]


def test_ones_own_sessions_are_listed_and_ended(both: House) -> None:
    """Each by its own, or all but this one; another member's is not in reach."""
    mine, other = both.member(), both.member(login="omar")
    tokens = [_in(both, mine).token for _ in range(3)]
    foreign = _in(both, other)
    held = run(both.door.held(tokens[0]))
    assert held is not None
    assert {each.sha256 for each in run(both.door.sessions(held))} == set(map(sha256_of, tokens))
    run(both.door.end(held, foreign.row.sha256))
    run(both.door.end(held, sha256_of(tokens[1])))
    assert [run(both.door.held(token)) is not None for token in (*tokens, foreign.token)] == [True, False, True, True]
    run(both.door.end(held, None))
    assert [run(both.door.held(token)) is not None for token in (*tokens, foreign.token)] == [True, False, False, True]


# -- throttling ----------------------------------------------------------------------------------------------


def _try(place: House, sender: Sender = HERE, login: str = "vera", password: str = "wrong wrong wrong") -> object:
    return run(place.door.password(login, password, sender))


def test_who_fails_often_waits_longer_and_longer(both: House) -> None:
    """The first failures cost nothing; then a second, two, four, at most five minutes; waiting uses up no attempt."""
    both.member()
    assert [_try(both) for _ in range(FREE_FAILURES)] == [Refused("wrong")] * FREE_FAILURES
    for wait in (1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300):
        assert _try(both) == Refused("waiting")
        both.clock.advance(wait - 0.001)
        assert _try(both) == Refused("waiting")
        both.clock.advance(0.001)
        assert _try(both) == Refused("wrong")
    assert len(both.passwords.verified) == FREE_FAILURES + 11


def _fill(place: House, login: str = "vera") -> int:
    """Guess from ever other addresses until nothing is verified any more; how often that was."""
    before = len(place.passwords.verified)
    for number in range(3 * MOST_FAILURES):
        sender = Sender(f"198.51.100.{number % 250}")
        if _try(place, sender, login) == Refused("closed"):
            break
        place.clock.advance(MOST_WAIT.total_seconds())
    return len(place.passwords.verified) - before


def test_an_account_takes_a_hundred_failures_and_then_closes_to_strangers(lone: House) -> None:
    """However many addresses are used and however long it takes; a login that nobody has closes in the same way."""
    lone.member()
    assert _fill(lone) == MOST_FAILURES
    assert _fill(lone, "nobody") == MOST_FAILURES
    lone.clock.advance(400 * 86_400)
    assert (_try(lone), _try(lone, login="nobody")) == (Refused("closed"), Refused("closed"))


def test_nobody_is_locked_out_of_their_own_browser(lone: House) -> None:
    """While strangers wait or find it closed, the browser that the login has used comes in, and opens it again."""
    person = lone.member()
    known = Sender(ADDRESS, lone.door.seal_browser("vera"))
    _in(lone, person, known)
    _fill(lone)
    assert _try(lone, password=PASSWORD) == Refused("closed")
    _in(lone, person, known)
    _in(lone, person)


def test_a_known_browser_is_known_for_its_own_login_and_for_its_time(lone: House) -> None:
    """Another login's, a made-up or an old seal is no browser of this one."""
    lone.member()
    _fill(lone)
    seal = lone.door.seal_browser("vera")
    name, ends, mark = seal.split(".")
    later = str(int(ends) + 1)
    for wrong in (
        lone.door.seal_browser("omar"),
        f"{name}.{later}.{mark}",
        f"x{seal}",
        "a.b",
        "a.1.b",
        "a.é.ü",
        "." * 9,
    ):
        assert _try(lone, Sender(ADDRESS, wrong)) == Refused("closed"), wrong
    assert _try(lone, Sender(ADDRESS, seal)) == Refused("wrong")
    lone.clock.advance(181 * 86_400)
    assert _try(lone, Sender(ADDRESS, seal)) == Refused("closed")


def test_a_known_browser_guesses_no_more_than_others(lone: House) -> None:
    """A stolen one has its own hundred, with the same waits."""
    lone.member()
    stolen, before = Sender(ADDRESS, lone.door.seal_browser("vera")), len(lone.passwords.verified)
    while _try(lone, stolen) != Refused("closed"):
        lone.clock.advance(MOST_WAIT.total_seconds())
    assert len(lone.passwords.verified) - before == MOST_FAILURES


def test_a_known_password_buys_no_more_guesses_at_the_code(lone: House) -> None:
    """The right password does not take the count back: passwords and codes together end at a hundred."""
    person, guesses = lone.member(), 0
    while True:
        outcome = run(lone.door.password("vera", PASSWORD, HERE))
        if outcome == Refused("closed"):
            break
        lone.clock.advance(MOST_WAIT.total_seconds())
        held = run(lone.door.held(opened(outcome).token))
        assert held is not None
        guesses += run(lone.door.code(held, "000000", HERE)) == Refused("wrong")
        lone.clock.advance(MOST_WAIT.total_seconds())
    assert guesses == MOST_FAILURES // 2
    assert person.login == "vera"


def test_an_address_that_fails_with_many_logins_waits(lone: House) -> None:
    """Fifty logins from one address, once each; the next waits there and nowhere else, but not the known browser."""
    person = lone.member()
    known = lone.door.seal_browser("vera")
    for number in range(50):
        assert _try(lone, login=f"nobody{number}") == Refused("wrong")
    assert _try(lone, login="another") == Refused("waiting")
    assert _try(lone, Sender("192.0.2.8"), login="another") == Refused("wrong")
    assert isinstance(_try(lone, Sender(ADDRESS, known), password=PASSWORD), Opened)
    lone.clock.advance(3_601)
    assert _try(lone, login="another one") == Refused("wrong")
    assert person.login == "vera"


def test_many_at_once_are_not_one(both: House) -> None:
    """Forty guesses at the same moment: five are verified, since each is counted before it is worked on."""
    both.member()

    async def burst() -> list[object]:
        tries = (both.door.password("vera", f"guess number {n}", HERE) for n in range(40))
        return list(await asyncio.gather(*tries, return_exceptions=True))

    outcomes = run(burst())
    assert outcomes.count(Refused("wrong")) == len(both.passwords.verified) == FREE_FAILURES


def test_a_thousand_sign_ins_over_a_hundred_accounts(lone: House) -> None:
    """Twenty addresses guess at a hundred logins, half of them nobody's, while ten members sign in through it all.

    Nobody comes in who should not, no login is tried more than a hundred times, and no member is kept out of a browser
    of their own.
    """
    people = [lone.member(login=f"member{number}") for number in range(50)]
    browsers = {person.login: lone.door.seal_browser(person.login) for person in people}
    logins = [person.login for person in people] + [f"nobody{number}" for number in range(50)]
    answers: dict[str, list[object]] = {login: [] for login in logins}
    for number in range(1_000):
        login = logins[number % 100]
        answers[login].append(_try(lone, Sender(f"203.0.113.{number % 20}"), login, f"guess {number} of them all"))
        lone.clock.advance(7)
        if number % 100 == 99:
            person = people[number // 100]
            _in(lone, person, Sender("203.0.113.1", browsers[person.login]))
    assert not any(isinstance(each, Opened) for outcomes in answers.values() for each in outcomes)
    assert lone.count("sign_in", f"failures > {MOST_FAILURES}") == 0
    verified = {login: outcomes.count(Refused("wrong")) for login, outcomes in answers.items()}
    members = sorted(verified[person.login] for person in people[10:])
    nobodies = sorted(verified[login] for login in logins[60:])
    assert abs(sum(members) / len(members) - sum(nobodies) / len(nobodies)) < 1.5
    digests = lone.look(lambda connection: {row[0] for row in connection.exec_driver_sql("SELECT login FROM sign_in")})
    assert digests.isdisjoint(logins)


def test_a_link_opens_a_closed_account(lone: House) -> None:
    """An administrator's link sets a password, keeps the second factor, and the count begins anew."""
    person = lone.member()
    _fill(lone)
    chosen = "a kettle of quite another colour"
    half = run(factors.enrol(lone.door, lone.link(person), chosen, HERE))
    assert isinstance(half, Opened)
    held = run(lone.door.held(half.token))
    assert held is not None
    opened(run(lone.door.code(held, lone.code(person), HERE)))
    assert run(lone.door.password("vera", PASSWORD, HERE)) == Refused("wrong")
    assert isinstance(run(lone.door.password("vera", chosen, HERE)), Opened)
