"""Which role may do what: one table, from which the guard, docs/authority.md (handbook.py) and the tests are made.

It does: answer `may`, and look at start-up whether every route says who may call it. It does not: know
cases; that a verifier does not approve what they verified, or work on another's claim, is the case service's to hold.
The rules it keeps: what is not in the table is not allowed; a route without exactly one rule does not start.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from litestar import Litestar
from litestar.handlers import BaseRouteHandler
from litestar.routes import HTTPRoute

from api.security import SCOPES

Role = Literal["verifier", "approver", "compliance", "risk", "admin", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)
# Who looks after staff sees no customer, and who checks on the others takes no part: each of the two stands alone.
ALONE: frozenset[str] = frozenset({"admin", "auditor"})
RULES = ("action", "scopes", "public")


class RuleMissing(RuntimeError):
    """A route that does not say who may call it; the message names it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An action, the roles that may do it, and why these."""

    action: str
    roles: frozenset[Role]
    why: str


def _rule(action: str, roles: str, why: str) -> Rule:
    named: list[Role] = [role for role in ROLES if role in roles.split()]
    if len(named) != len(roles.split()):
        raise ValueError(f"{action}: an unknown role")
    return Rule(action, frozenset(named), why)


TABLE: tuple[Rule, ...] = (
    _rule("board.read", "verifier approver compliance auditor", "Whoever works on cases sees what waits and how long."),
    _rule("case.read", "verifier approver compliance auditor", "A case is read by who works on it and who checks it."),
    _rule("case.claim", "verifier approver", "Taking a case, and giving it back, is for those who can move it on."),
    _rule("case.snooze", "verifier approver", "Putting a case off is part of working on it; its clock runs on."),
    _rule("case.record", "verifier", "What a document says is written down by the person who reads it."),
    _rule("case.accept", "verifier", "A document is relied upon on the word of the person who looked at it."),
    _rule("case.return", "verifier", "Sending a document back, or asking for more, stops the clock: with a reason."),
    _rule("case.waive", "verifier", "A requirement may be left aside with a reason, for one approver more to see."),
    _rule("case.verify", "verifier", "The evidence as a whole is vouched for by a verifier, and approved by another."),
    _rule("case.approve", "approver", "Money is granted, lowered or refused by an approver, on content they saw."),
    _rule("case.second", "approver", "The further approval of large lines and overrides is an approver's too."),
    _rule("case.override", "approver", "Deciding against a rule needs authority, a reason and one approver more."),
    _rule("case.send_back", "approver", "An approver who is not satisfied returns the case to verification."),
    _rule("case.reassign", "approver", "Work is moved between people by who answers for the result."),
    _rule("case.escalate", "verifier approver compliance", "Anybody on a case may ask for eyes above their own."),
    _rule("case.note", "verifier approver compliance", "Notes are for those who act; an auditor leaves no marks."),
    _rule("referral.read", "verifier approver compliance auditor", "Who works on cases sees what waits for a person."),
    _rule("referral.note", "verifier approver compliance", "Notes are for those who act, here as on cases."),
    _rule(
        "referral.ask",
        "verifier approver compliance",
        "A source is asked again by who has said why: it leaves a trace.",
    ),
    _rule(
        "referral.propose", "approver", "Leaving a rule aside, or declining, is proposed with a reason by an approver."
    ),
    _rule("referral.confirm", "approver", "And done once another approver confirms exactly that."),
    _rule("referral.answer", "approver compliance", "Who asked for a person hears from one with authority."),
    _rule(
        "compliance.read", "compliance", "Sanctions and fraud findings are shown to compliance alone: no tipping off."
    ),
    _rule("compliance.clear", "compliance", "A possible match is settled by compliance and by nobody else."),
    _rule("line.due_diligence", "compliance", "No drawdown before compliance has identified the customer."),
    _rule(
        "document.read", "verifier approver compliance auditor", "Pictures of pages: safe to look at, hard to reuse."
    ),
    _rule("document.original", "verifier compliance", "The file as sent is for who looks for alterations in it."),
    _rule("staff.read", "admin auditor", "Who holds which role is checked by people who hold none on cases."),
    _rule("staff.write", "admin", "Members are added and disabled by who has no part in lending."),
    _rule("audit.read", "compliance auditor", "The chain is read by those who check on the others."),
    _rule("risk.read", "risk auditor", "Figures over many decisions, without anybody's documents."),
    _rule("decision.replay", "risk auditor", "Deciding again from the record proves it and changes nothing."),
    _rule("session.own", " ".join(ROLES), "Everybody looks after their own sign-in and ends their own sessions."),
)
# What no page does: a second approval is `case.approve` by another person, whom the case asks for; staff are looked
# after by `creditline staff` alone; replays have no page of staff's, a bearer key replays.
PAGELESS: frozenset[str] = frozenset({"case.second", "staff.read", "staff.write", "decision.replay"})
_BY_ACTION = {rule.action: rule for rule in TABLE}
ACTIONS: frozenset[str] = frozenset(_BY_ACTION)


def may(roles: Iterable[str], action: str) -> bool:
    """Whether one of the roles allows an action; KeyError for an action that is not in the table."""
    return not _BY_ACTION[action].roles.isdisjoint(roles)


def roles_fault(roles: Iterable[str]) -> str | None:
    """What is wrong with a member's roles, in words; none where they can be held together."""
    held = frozenset(roles)
    if not held or not held <= frozenset(ROLES):
        return f"roles are one or more of {', '.join(ROLES)}"
    if held & ALONE and len(held) > 1:
        return "admin and auditor stand alone: they take no part in what they look after or check"
    return None


# -- every route says who may call it ------------------------------------------------------------------------


def require_rules(app: Litestar) -> None:
    """Raise RuleMissing unless each route has exactly one rule, `action`, `scopes` or `public`, that means something.

    A route with an action must also stand behind the guard that enforces it (api.staff.guarding.enforce).
    """
    for path, handler in _handlers(app):
        fault = _fault_of(handler)
        if fault is not None:
            raise RuleMissing(f"{path}: {fault}")


def _handlers(app: Litestar) -> Iterator[tuple[str, BaseRouteHandler]]:
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            yield route.path, route.route_handler
            continue
        for handler in route.route_handlers:
            # The framework answers OPTIONS by itself where nobody else does: with the methods, nothing more.
            if handler.fn.__module__.startswith("litestar.") and handler.http_methods == {"OPTIONS"}:
                continue
            yield f"{' '.join(sorted(handler.http_methods))} {route.path_format}", handler


def _fault_of(handler: BaseRouteHandler) -> str | None:
    rules = [name for name in RULES if name in handler.opt]
    if len(rules) != 1:
        return f"has {' and '.join(rules) or 'none'} of the rules {', '.join(RULES)}, and needs exactly one"
    value = handler.opt[rules[0]]
    match rules[0]:
        case "public":
            return None if value is True else "public is True or left out"
        case "scopes":
            known = isinstance(value, tuple) and value and set(value) <= set(SCOPES)
            return None if known else "scopes are words that a bearer key can have"
    if value not in ACTIONS:
        return f"{value!r} is no action of the table"
    guards = {getattr(guard, "func", guard) for guard in handler.resolve_guards()}
    if not any(getattr(guard, "enforces_actions", False) for guard in guards):
        return "has an action and nothing that enforces it"
    return None
