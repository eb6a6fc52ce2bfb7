"""The table of actions and roles: what it allows, the page made from it, and routes that do not say who may call."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar, get

from api.staff.authority import ACTIONS, PAGELESS, ROLES, TABLE, RuleMissing, may, require_rules, roles_fault
from api.staff.guarding import enforce
from api.staff.handbook import page
from tests.support.routes import routes_of
from tests.support.service import Service

PAGE = Path(__file__).parents[3] / "docs" / "authority.md"


@pytest.mark.parametrize(("role", "rule"), list(product(ROLES, TABLE)), ids=lambda each: getattr(each, "action", each))
def test_every_role_may_do_what_its_cell_says(role: str, rule: Any) -> None:
    """For each of the roles and actions the answer is the cell of the page, and no other role changes it."""
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{rule.action}` |"))
    cell = row.split(" | ")[1 + ROLES.index(role)].strip()
    assert may({role}, rule.action) is (cell == "yes")
    assert not may((), rule.action)


def test_the_page_is_the_table() -> None:
    """docs/authority.md is what `creditline staff authority` prints."""
    assert PAGE.read_text(encoding="utf-8") == page(), "creditline staff authority > docs/authority.md"


def test_each_action_stands_once_with_a_reason() -> None:
    """No action is written twice, and each has somebody who may do it and a sentence why."""
    assert len(ACTIONS) == len(TABLE) > 20
    assert all(rule.roles and rule.why.endswith(".") for rule in TABLE)


def test_what_no_role_may_have_together() -> None:
    """Compliance findings are compliance's alone; an administrator sees no case; an auditor reads and does nothing."""
    allowed = {role: {action for action in ACTIONS if may({role}, action)} for role in ROLES}
    assert {role for role in ROLES if "compliance.read" in allowed[role]} == {"compliance"}
    assert allowed["admin"] == {"staff.read", "staff.write", "session.own"}
    assert {action for action in allowed["auditor"] if not action.endswith(".read")} == {
        "decision.replay",
        "session.own",
    }
    assert not allowed["verifier"] & {"case.approve", "case.second", "case.override"}
    assert not allowed["approver"] & {"case.record", "case.accept", "case.verify"}
    assert {role for role in ROLES if "staff.write" in allowed[role]} == {"admin"}


def test_an_action_that_is_not_in_the_table_is_a_bug() -> None:
    """Asking for one raises, whatever the roles."""
    with pytest.raises(KeyError):
        may(ROLES, "case.delete")


@pytest.mark.parametrize(
    ("roles", "fine"),
    [
        ({"verifier"}, True), ({"verifier", "approver", "compliance"}, True), ({"admin"}, True), ({"auditor"}, True),
        (set(), False), ({"owner"}, False), ({"admin", "verifier"}, False), ({"auditor", "risk"}, False),
        ({"admin", "auditor"}, False),
    ],
)  # fmt: skip
def test_which_roles_one_person_may_hold(roles: set[str], fine: bool) -> None:
    """Administrators and auditors hold no other role; the others may be joined."""
    assert (roles_fault(roles) is None) is fine


# -- routes --------------------------------------------------------------------------------------------------


def _app(opt: dict[str, Any], *, guarded: bool = True) -> Litestar:
    @get("/somewhere", opt=opt)
    async def somewhere() -> None: ...

    return Litestar([somewhere], guards=[enforce] if guarded else [], openapi_config=None, logging_config=None)


@pytest.mark.parametrize("opt", [{"action": "case.claim"}, {"scopes": ("apply", "audit")}, {"public": True}])
def test_a_route_with_one_rule_starts(opt: dict[str, Any]) -> None:
    """An action, scopes or public: each alone is enough."""
    require_rules(_app(opt))


@pytest.mark.parametrize(
    ("opt", "words"),
    [
        ({}, "has none of the rules"),
        ({"action": "case.claim", "public": True}, "has action and public"),
        ({"action": "case.delete"}, "no action of the table"),
        ({"scopes": ()}, "scopes"),
        ({"scopes": ("apply", "everything")}, "scopes"),
        ({"scopes": "apply"}, "scopes"),
        ({"public": False}, "public is True"),
    ],
)
def test_a_route_without_exactly_one_rule_does_not_start(opt: dict[str, Any], words: str) -> None:
    """The error names the route and what is wrong with its rule."""
    with pytest.raises(RuleMissing, match=rf"^GET /somewhere: .*{words}"):
        require_rules(_app(opt))


def test_an_action_that_nobody_enforces_does_not_start() -> None:
    """An application without the guard is refused as soon as a route has an action."""
    with pytest.raises(RuleMissing, match="nothing that enforces it"):
        require_rules(_app({"action": "case.claim"}, guarded=False))


def test_every_action_is_a_pages_or_said_to_be_none(lone_service: Service) -> None:
    """An action that no route asks for stands on the list of those that no page does, and no other does."""
    assert isinstance(lone_service.app.app, Litestar)
    asked = {str(route.value) for route in routes_of(lone_service.app.app) if route.rule == "action"}
    assert ACTIONS - asked == PAGELESS


def test_every_route_of_the_service_has_its_rule(lone_service: Service) -> None:
    """The application as it is served starts with the check."""
    app = lone_service.app.app
    assert isinstance(app, Litestar)
    require_rules(app)
