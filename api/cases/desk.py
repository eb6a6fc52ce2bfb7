"""What the case service works with, and how it tells people.

It does: hold the shell, the lender's contract and whether somebody listens by webhook, and write notices with the act
that they tell of. It does not: send them. The rule it keeps: a notice names people by reference alone.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from api.contracts.rendering import ContractTemplate
from api.errors import Problem
from api.flow import Shell
from api.notices.messages import TOPICS, Notice, Topic, contacts_of, notice_messages
from api.stated import application_of
from api.store import queries as store
from engine.policy import Policy


@dataclass(frozen=True, slots=True)
class Desk:
    """What the functions of this package are given; `draw` gives a number below another, each as likely."""

    shell: Shell
    template: ContractTemplate
    lender_name: str
    webhook: bool = False
    draw: Callable[[int], int] = secrets.randbelow

    def policy(self) -> Policy:
        """The policy in force today."""
        return self.shell.release.policy.on(self.shell.clock().date())


def tell(
    desk: Desk,
    connection: Connection,
    topic: Topic,
    case: store.CaseRow,
    *,
    kinds: tuple[str, ...] = (),
    reason: str | None = None,
    hours: int | None = None,
    to: tuple[str, ...] | None = None,
) -> None:
    """Write a notice about a case after an act on it; `to` are its contacts unless others are named."""
    if TOPICS[topic].audience == "staff":
        to = ()
    elif to is None:
        to = contacts_of(application_of(connection, case.application_id))
    notice = Notice(
        topic=topic, application_id=case.application_id, case_id=case.id, object_id=case.id, version=case.version,
        to=to, document_kinds=kinds, reason=reason, hours=hours,
    )  # fmt: skip
    store.insert_messages(connection, notice_messages(notice, webhook=desk.webhook), desk.shell.clock())


def known_case(connection: Connection, case_id: str, *, hold: bool = False) -> store.CaseRow:
    """A case by its id, held against others until the transaction ends where that is asked for; Problem `not-found`."""
    case = (store.hold_case if hold else store.get_case)(connection, case_id)
    if case is None:
        raise Problem("not-found")
    return case
