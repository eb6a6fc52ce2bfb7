"""Everybody x every route x everything there is: what comes back is what the table of authority says, and nothing else.

The routes are those of the application that is served, so that a new one is asked for at once. What is expected is
worked out here from the rule of each route, api/staff/authority.py's table, the scopes, and who owns or holds what.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copy
from typing import Any

import httpx
import pytest

from api.staff.authority import ROLES, TABLE
from engine.reasons import CATALOGUE
from tests.support.accessing import NOTHING, WRONG_VERSION, Somebody, Target, World, told, world
from tests.support.deskwork import SAID
from tests.support.routes import Route, routes_of

LEAST_CASES = 1_500
MAY = {rule.action: rule.roles for rule in TABLE}
# The acts of whoever holds the case, and of nobody else: by action, or by path where others share the action.
HOLDERS = {"case.record", "case.accept", "case.return", "case.waive", "case.verify", "case.approve", "case.send_back"}
HOLDING = {"release", "renewal", "snooze"}
TAKING = ("/claim", "/unsnooze")
# Public pages that are one's own after a first step, and the step: everybody else is sent to the door.
STEPS = {
    "POST /console/sign-in/code": "password", "POST /console/sign-in/passkey": "password",
    "POST /console/sign-in/passkey/options": "password", "POST /console/second-factor": "full",
}  # fmt: skip
# What an application or a decision has to have before a route finds anything.
NEEDS = {"case": "case", "documents": "case", "contract": "contract", "signatures": "contract",
         "difference": "superseded"}  # fmt: skip
KEPT = ("audit", "case_event", "outbox", "document", "recorded_value", "approval", "signature", "line", "application")
PLAIN = {"slug": "not-found", "name": "console.css", "token": "no-such-link", "page": "1.png", "upload_id": "0" * 32}
FORMS = {
    "return": {"reason": "BLURRY"}, "decline": {"reason": min(CATALOGUE)}, "snooze": {"minutes": "60"},
    "reassign": {"to": ""}, "note": {"words": ""}, "escalate": {"words": ""}, "override": {},
    "due-diligence": {"identified": "yes"}, "request": {"kind": "bank_statement"},
}  # fmt: skip
BODIES = {
    "acceptance": {"decision_id": "dec_" + "0" * 32},
    "signatures": {"person_ref": "per_" + "0" * 32, "body_sha256": "0" * 64},
}
FIELDS = {f"field.{name}": value for said in SAID.values() for name, value in said.items()}


def asks_for(route: Route) -> str:
    """The kind of thing that a route's address names."""
    named = [name for name in re.findall(r"{(\w+)}", route.path) if name not in PLAIN]
    assert len(named) <= 1, f"{route.name}: say here what its parameters name"
    return named[0] if named else NOTHING.kind


@dataclass(frozen=True)
class Answer:
    """One case of the matrix: who asked for what, what is due, and what came."""

    who: Somebody
    route: Route
    target: Target
    due: str
    came: str
    reply: httpx.Response

    @property
    def is_right(self) -> bool:
        """Whether what came is what was due; a page for everybody may say what it likes but that."""
        match self.due:
            case "open":
                return self.came not in {"door", "forbidden", "not held"}
            case "page":
                return self.reply.status_code < 500
            case "closed":
                return self.came in {"door", "missing"} or (not self.who.visit and self.came == "csrf-failed")
        return self.came == self.due

    @property
    def words(self) -> str:
        """The case in a line."""
        return f"{self.who.name}: {self.route.name} of {self.target.name}: {self.due} was due, {self.came} came"


# -- what is due ---------------------------------------------------------------------------------------------


def due(who: Somebody, route: Route, target: Target) -> str:
    """What somebody is to be told: `door`, `forbidden`, `missing`, `not held`, or `in`.

    `open` is a page for everybody; `page` one of applicants', who are told to begin or to sign in; `closed` is one of
    another applicant's, which shows nothing.
    """
    if route.rule == "public":
        if target.kind != NOTHING.kind:  # a page of an applicant's own
            return "page" if who.visit and target.owner == who.owns else "closed"
        if not route.path.startswith("/console"):
            return "page"
        step = STEPS.get(route.name)
        return "open" if step in {None, who.stage} else "door"
    if route.rule == "scopes":
        return _due_to_key(who, route, target)
    if who.stage != "full":
        return "door"
    if MAY[route.value].isdisjoint(who.roles):
        return "forbidden"
    return _due_to_member(who, route, target)


def _due_to_key(who: Somebody, route: Route, target: Target) -> str:
    if not who.scopes:
        return "door"
    shared = who.scopes & set(route.value)
    if not shared:
        return "forbidden"
    theirs = bool(target.owner) and target.owner == who.owns
    sees = target.kind == NOTHING.kind or (target.there and (theirs or "audit" in shared))
    return "in" if sees and NEEDS.get(route.last, "") in {"", *target.has} else "missing"


def _due_to_member(who: Somebody, route: Route, target: Target) -> str:
    if target.kind == "line_id":  # an unknown line is one that nothing can be recorded of any more
        return "in" if target.id.startswith("line_") else "missing"
    if not target.there:
        # Nobody holds an unknown case either: to give one back, or keep it longer, is refused in the same words.
        return "not held" if route.last in {"release", "renewal"} and target.id.startswith("case_") else "missing"
    if route.path.endswith(TAKING):
        role = "approver" if target.state in {"verified", "approving"} else "verifier"
        if role not in who.roles:
            return "forbidden"
        return "in" if target.state in {"open", "verified"} else "not held"
    if route.value in HOLDERS or route.last in HOLDING:
        return "in" if target.holder == who.staff_id else "not held"
    return "in"


# -- what comes ----------------------------------------------------------------------------------------------


def came(answer: str, reply: httpx.Response) -> str:
    """A reply in the words of `due`."""
    known = {"unauthenticated": "door", "forbidden": "forbidden", "not-found": "missing", "404": "missing",
             "not-held": "not held", "not-configured": "in"}  # fmt: skip
    if answer in known:
        return known[answer]
    if reply.status_code == 303 and reply.headers["location"].startswith("/sign-in"):
        return "door"
    return "in" if reply.status_code < 500 and answer not in {"csrf-failed", "separation-of-duties"} else answer


def arguments(route: Route) -> dict[str, Any]:
    """A body that whoever may do it is not let down by before it is known whose the thing is."""
    if route.method != "POST":
        return {}
    if route.rule == "scopes":
        if route.last == "documents":
            return {"content": b"made up", "params": {"kind": "none"}, "headers": {"Content-Type": "image/png"}}
        return {"json": BODIES.get(route.last, {})}
    form = {"version": WRONG_VERSION, "words": "Look again.", "reason": "Known to us.", **FORMS.get(route.last, {})}
    return {"data": {**form, **(FIELDS if route.last in {"record", "accept"} else {})}}


def ask(made: World, who: Somebody, route: Route, target: Target) -> Answer:
    """Ask for it, and put right what being let in changed."""
    names = {**PLAIN, target.kind: target.id}
    path = re.sub(r"{(\w+)}", lambda found: names[found[1]], route.path)
    more, headers = arguments(route), who.headers
    own = route.value == "session.own" or (route.rule == "public" and route.method == "POST")
    if own and who.staff_id:
        # Sessions and factors change here: somebody like them does it, in a session for this alone.
        headers = made.headers_of(made.session(made.member(*who.roles), who.stage))
    if who.visit and route.rule == "public" and target.kind == NOTHING.kind:
        headers = made.visit(who.visit)  # it may end here, or become another
    if route.rule != "scopes":
        headers = {"Origin": made.origin, **headers}
    reply = made.ask(route.method, path, {"Accept": "*/*", **headers, **more.pop("headers", {})}, **more)
    return Answer(who, route, target, due(who, route, target), came(told(reply), reply), reply)


@dataclass(frozen=True)
class Asked:
    """All that was asked, and how many rows there were before and after what was not to be let in."""

    answers: list[Answer]
    before: list[int]
    after: list[int]


@pytest.fixture(scope="module")
def asked(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """The whole matrix, what is refused before what is let in."""
    place = copy(sqlite_template, tmp_path_factory.mktemp("matrix") / "store.sqlite")
    with world(f"sqlite:///{place}") as made:
        cases = [
            (who, route, target)
            for route in routes_of(made.app)
            for target in [each for each in [NOTHING, *made.targets] if each.kind == asks_for(route)]
            for who in made.people
        ]
        assert {route.name for _, route, _ in cases} == {route.name for route in routes_of(made.app)}
        refused = [each for each in cases if due(*each) not in {"in", "open", "page"}]
        before = rows(made)
        answers = [ask(made, *each) for each in refused]
        after = rows(made)
        rest = [each for each in cases if due(*each) in {"in", "open", "page"}]
        for each in sorted(
            rest, key=lambda case: case[1].last == "release"
        ):  # last, since the case is then held no more
            answers.append(ask(made, *each))
            made.free(answers[-1].reply.headers.get("location", ""), each[0])
        yield Asked(answers, before, after)


def rows(made: World) -> list[int]:
    """How many rows there are of everything that an act would leave."""
    kept = (
        "audit",
        "case_event",
        "outbox",
        "document",
        "recorded_value",
        "approval",
        "signature",
        "line",
        "application",
        "referral_act",
    )
    return [made.service.count(table) for table in kept]


# -- and what is proved --------------------------------------------------------------------------------------


def test_every_answer_is_the_one_that_is_due(asked: Asked) -> None:
    """More than fifteen hundred cases, no surprise; an open page turns nobody away for who they are."""
    assert [each.words for each in asked.answers if not each.is_right] == []
    assert len(asked.answers) >= LEAST_CASES


def test_every_kind_of_answer_was_due_to_every_kind_of_asker(asked: Asked) -> None:
    """The matrix has no hole: each role is let in and refused somewhere, each key too, and the nobodies nowhere."""
    seen = defaultdict(set)
    for each in asked.answers:
        seen[each.who.name].add(each.due)
    for role in ROLES:
        assert {"in", "forbidden", "door"} <= seen[role], role
    for role in ("verifier", "approver"):
        assert {"not held", "missing"} <= seen[role]
    assert {"in", "forbidden", "missing"} <= seen["owner's key"] & seen["another applicant's key"]
    for name in {each.who.name for each in asked.answers if each.who.is_nobody}:
        assert seen[name] <= {"door", "open", "page", "closed"}


def test_what_is_refused_is_not_done(asked: Asked) -> None:
    """Not one row of an act, an event, a notice or an entry of the audit came of all that was refused."""
    assert asked.before == asked.after


def test_a_refusal_does_not_tell_what_there_is(asked: Asked) -> None:
    """For one asker and one route each refusal has one text, whether the thing exists, is foreign or is none."""
    texts = defaultdict(set)
    for each in asked.answers:
        if each.due in {"door", "forbidden", "missing"} and not each.route.path.endswith(TAKING):
            texts[each.who.name, each.route.name, each.due].add(_plain(each.reply))
    assert [key for key, found in texts.items() if len(found) > 1] == []
    assert len(texts) > 500


def _plain(reply: httpx.Response) -> tuple[int, str, str]:
    """A reply without the request's id."""
    headers = {name: value for name, value in reply.headers.items() if name != "x-request-id"}
    return reply.status_code, reply.text.replace(reply.headers["x-request-id"], ""), str(sorted(headers.items()))
