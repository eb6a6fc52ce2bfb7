"""`creditline staff`: members are added, listed, disabled; links are printed once; only demo codes are told."""

import json
import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from api.sealing import Sealer
from api.security import sha256_of
from api.staff import factors
from api.staff.commands import StaffRefused, demo_code
from api.staff.demo import DEMO_PASSWORD, DEMO_STAFF, demo_staff
from api.staff.door import Sender
from api.store import queries as store
from api.store.database import Database
from tests.support.commands import failed, ran, run
from tests.support.staffing import ADDRESS, CHEAP, CountingPasswords, house, opened
from tests.support.staffing import run as wait

VERA = ("staff", "add", "--login", "Vera", "--name", "Vera Sample", "--role", "verifier")
KEYS = {"tests": bytes(range(32))}


def _token(printed: str) -> str:
    """The token at the end of a printed link."""
    found = re.fullmatch(r"https://console\.lender\.example/console/enrol/([A-Za-z0-9_-]{43})\n", printed)
    assert found is not None, printed
    return found[1]


def test_a_member_is_added_with_a_link_that_enrols_them(url: str) -> None:
    """The link holds 256 random bits and is kept as a digest; the audit chain holds roles and an id, no name."""
    token = _token(ran(url, *VERA, "--role", "approver", "--origin", "https://console.lender.example"))
    with house(url) as place:
        place.clock.now = datetime.now(UTC)
        member = wait(factors.enrolee(place.door, token))
        assert member is not None
        assert (member.login, member.name, sorted(member.roles)) == ("vera", "Vera Sample", ["approver", "verifier"])
        rows = place.look(lambda connection: str([*connection.exec_driver_sql("SELECT * FROM enrolment")]))
        assert (token in rows, sha256_of(token) in rows) == (False, True)
        [entry] = place.look(store.audit_tail)
    told = json.loads(entry.body)
    assert (told["action"], told["object"], told["details"]) == (
        "add_staff", f"staff/{member.id}", {"roles": "approver verifier"},
    )  # fmt: skip
    assert "era" not in entry.body.replace("operator", "")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"--login": "v"}, "a login is"), ({"--login": "vera sample"}, "a login is"), ({"--name": " "}, "a name is"),
        ({"--name": "Vera\nSample"}, "a name is"), ({"--login": "omar"}, "with that login"),
    ],
)  # fmt: skip
def test_a_member_that_cannot_be_is_refused_in_one_line(sqlite_url: str, changes: dict[str, str], words: str) -> None:
    """A strange login or name, or a login that is taken."""
    ran(sqlite_url, "staff", "add", "--login", "omar", "--name", "Omar", "--role", "risk")
    given = {"--login": "vera", "--name": "Vera", "--role": "risk", **changes}
    assert words in failed(sqlite_url, "staff", "add", *(word for pair in given.items() for word in pair))


def test_roles_that_stand_alone_are_not_joined(sqlite_url: str) -> None:
    """An administrator who verifies is refused, and a role that is none is a usage error."""
    assert "stand alone" in failed(sqlite_url, *VERA, "--role", "admin")
    assert run(sqlite_url, *VERA, "--role", "owner").exit_code == 2
    assert ran(sqlite_url, "staff", "list").startswith("there are no staff")


def test_members_are_listed_and_disabled_for_good(sqlite_url: str) -> None:
    """A line each with roles and state; a disabled one keeps the login, and gets no more links."""
    ran(sqlite_url, *VERA)
    assert re.fullmatch(
        r"vera  verifier  not enrolled  stf_[0-9a-f]{32}  Vera Sample\n", ran(sqlite_url, "staff", "list")
    )
    assert ran(sqlite_url, "staff", "disable", "vera") == "vera is disabled\n"
    assert "  disabled  " in ran(sqlite_url, "staff", "list")
    for words in (("disable", "vera"), ("link", "vera"), ("disable", "nobody")):
        assert "no member with that login" in failed(sqlite_url, "staff", *words)
    assert "with that login" in failed(sqlite_url, *VERA)


def test_a_new_link_replaces_the_one_before(url: str) -> None:
    """The first is no good any more, the second is; nothing else changes for who is enrolled."""
    first = urlsplit(ran(url, *VERA)).path.rpartition("/")[2].strip()
    second = _token(ran(url, "staff", "link", "vera", "--origin", "https://console.lender.example/"))
    with house(url) as place:
        place.clock.now = datetime.now(UTC)
        assert wait(factors.enrolee(place.door, first)) is None
        assert wait(factors.enrolee(place.door, second)) is not None


@pytest.mark.parametrize("new_factor", [False, True])
def test_a_lost_factor_is_forgotten_only_when_that_is_asked_for(url: str, new_factor: bool) -> None:
    """A plain link keeps the seed and the sessions until it is used; with --new-factor all of it is gone at once."""
    with house(url) as place:
        place.clock.now = datetime.now(UTC)
        person = place.member()
        session = opened(wait(place.door.password("vera", person.password, Sender(ADDRESS))))
        ran(url, "staff", "link", "vera", *(["--new-factor"] if new_factor else []))
        kept = place.look(lambda connection: store.staff_by_id(connection, person.id))
        assert kept is not None
        gone = (kept.password_hash, kept.totp_sealed, kept.enrolled_at) == (None, None, None)
        assert gone is new_factor
        assert (wait(place.door.held(session.token)) is None) is new_factor
        action = json.loads(place.look(store.audit_tail)[0].body)["action"]
        assert action == ("reset_staff" if new_factor else "link_staff")


# -- demo staff ----------------------------------------------------------------------------------------------


def test_demo_staff_are_one_a_role_and_can_sign_in(sqlite_url: str) -> None:
    """Each with the documented password and the code that is told; made once; the second approver for large lines."""
    passwords = CountingPasswords()
    with Database.open(sqlite_url) as database:
        assert [demo_staff(database, Sealer(KEYS), passwords) for _ in range(2)] == [len(DEMO_STAFF), 0]
    passwords.close()
    assert sorted(DEMO_STAFF.values()) == sorted(
        ["verifier", "approver", "approver", "compliance", "risk", "admin", "auditor"]
    )
    with house(sqlite_url, development=True) as place:
        for login, role in DEMO_STAFF.items():
            half = wait(place.door.held(opened(wait(place.door.password(login, DEMO_PASSWORD, Sender(ADDRESS)))).token))
            assert half is not None
            code = demo_code(sqlite_url, Sealer(KEYS), login, place.clock())
            session = wait(place.door.held(opened(wait(place.door.code(half, code, Sender(ADDRESS)))).token))
            assert session is not None
            assert (list(session.member.roles), session.member.demo) == ([role], True)
            place.clock.advance(60)


def test_the_code_of_a_real_member_is_never_told(sqlite_url: str) -> None:
    """Nor that of nobody, nor one that was sealed by a key that is not here."""
    with house(sqlite_url) as place:
        place.member()
        place.member(login="pretended", demo=True)
        now = place.clock()
    for login in ("vera", "nobody"):
        with pytest.raises(StaffRefused):
            demo_code(sqlite_url, Sealer(KEYS), login, now)
    with pytest.raises(StaffRefused, match="key that is not here"):
        demo_code(sqlite_url, Sealer({"other": bytes(32)}), "pretended", now)
    assert "only a demo member" in failed(sqlite_url, "staff", "code", "vera", more={"CREDITLINE_DEVELOPMENT": "1"})


def test_the_command_tells_a_demo_members_code(sqlite_url: str) -> None:
    """Six digits, in development without a key of its own."""
    passwords = CountingPasswords()
    with Database.open(sqlite_url) as database:
        demo_staff(database, Sealer({"development": bytes(32)}), passwords)
    passwords.close()
    told = run(sqlite_url, "staff", "code", "demo-verifier", more={"CREDITLINE_DEVELOPMENT": "1"})
    assert re.fullmatch(r"[0-9]{6}\n", told.stdout), told.output
    assert "  (demo)\n" in ran(sqlite_url, "staff", "list")
    assert CHEAP.time_cost == 1
