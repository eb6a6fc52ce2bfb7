"""docs/authority.md: who may do what, and how people sign in, printed from what is enforced."""

from collections.abc import Iterator
from datetime import timedelta
from textwrap import wrap

from api.staff import codes, passkeys, passwords, sessions, throttle
from api.staff.authority import PAGELESS, ROLES, TABLE, Rule
from api.staff.commands import LINK_LASTS
from api.staff.demo import DEMO_PASSWORD, DEMO_STAFF

_WIDTH = 118


def page() -> str:
    """The page as `creditline staff authority` prints it."""
    return "\n".join([*_authority(), *_signing_in(), *_demo()]).rstrip() + "\n"


def _authority() -> Iterator[str]:
    yield "# Who may do what\n"
    yield from _paragraph(
        "This page is printed by `creditline staff authority` from the table in `api/staff/authority.py`, which is "
        "also what the console enforces. What is not in it is not allowed. Every route says at start-up by which rule "
        "it is reached: an action of this table, the scopes of a bearer key, or public; the service does not start "
        "with a route that has not exactly one."
    )
    yield f"| action | {' | '.join(ROLES)} | why |"
    yield "|---|" + ":-:|" * len(ROLES) + "---|"
    yield from map(_row, TABLE)
    yield ""
    pageless = ", ".join(f"`{rule.action}`" for rule in TABLE if rule.action in PAGELESS)
    yield from _paragraph(
        f"No page of the console does {pageless}: a further approval is `case.approve` by another person, whom the "
        "case asks for; members are looked after by `creditline staff`; decisions are replayed with a bearer key."
    )
    yield from _paragraph(
        "A member may hold several roles, but `admin` and `auditor` stand alone. Roles are necessary and never enough: "
        "that a case is claimed by who acts on it, that verifier and approver are two people, and that a large line or "
        "an override has one approver more, is held by the case itself, whatever roles somebody has."
    )


def _row(rule: Rule) -> str:
    cells = ("yes" if role in rule.roles else "" for role in ROLES)
    return f"| `{rule.action}` | {' | '.join(cells)} | {rule.why} |"


def _signing_in() -> Iterator[str]:
    yield "## How people sign in\n"
    yield from _paragraph(
        "`creditline staff add --login vera --name 'Vera Sample' --role verifier` prints a link, which works once "
        f"within {_hours(LINK_LASTS)}. Behind it the member sets a password, an authenticator app and gets "
        f"{codes.RECOVERY_CODES} recovery codes; passkeys (at most {passkeys.MOST_PASSKEYS}) are added under My "
        "account. `creditline staff link` makes another link, for a new password; the second factor stays as it is "
        "unless `--new-factor` is given, which forgets everything at once. `creditline staff disable` is for good, and "
        "ends sessions at the next request. Nobody is ever deleted, and each of these acts is in the audit chain."
    )
    yield from _paragraph(
        f"A password has {passwords.LEAST_CHARACTERS} to {passwords.MOST_CHARACTERS} characters of any kind; what is "
        "on the list in `api/staff/common.txt`, repeats itself or is made of one's own name is refused. It is kept as "
        "an argon2id hash. A code counts one step of "
        f"{codes.STEP_SECONDS} seconds early or late, and once. A passkey has to verify its user."
    )
    yield from _paragraph(
        f"A session ends {_minutes(sessions.IDLE)} after it was last used (written down once a minute) and "
        f"{_hours(sessions.LONGEST)} after it began. Its token is new at every stage and kept as a digest. "
        f"Changing passkeys or codes asks for password and code again, unless that was {_minutes(sessions.PROVED)} ago "
        "at most; afterwards all other sessions of the member are over. A POST has to come from a page of ours and "
        "carry the session's token."
    )
    yield from _paragraph(
        f"Failures are counted before they are verified. After {throttle.FREE_FAILURES} in a row a login waits, one "
        f"second at first and {_minutes(throttle.MOST_WAIT)} at most; after {throttle.MOST_FAILURES} it closes. This "
        "holds for strangers: a browser that the login has signed in from (it keeps a sealed cookie for "
        f"{sessions.BROWSER_KNOWN.days} days) is counted apart, so guessing from outside locks nobody out of their "
        "own. A sign-in, or a new link, opens a closed login again. An address that failed "
        f"{throttle.FREE_OF_ADDRESS} times within an hour, with whatever logins, waits too. Logins that nobody has are "
        "counted, answered and timed in the same way. The address is that of the connection: behind a proxy all share "
        "one, and a proxy should throttle by itself."
    )


def _demo() -> Iterator[str]:
    yield "## Demo staff\n"
    logins = ", ".join(f"`{login}`" for login in DEMO_STAFF)
    yield from _paragraph(
        f"In development there are {logins}, all with the password `{DEMO_PASSWORD}`; `creditline staff code LOGIN` "
        "tells their one-time code. Outside development they cannot sign in, and no other member's code is ever told."
    )


def _hours(length: timedelta) -> str:
    return f"{length / timedelta(hours=1):g} hours"


def _minutes(length: timedelta) -> str:
    return f"{length / timedelta(minutes=1):g} minutes"


def _paragraph(text: str) -> list[str]:
    return [*wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False), ""]
