"""Sending the form: the application is decided, and whoever sent it may see it from then on.

It does: hand the answers to the flow of a decision under the draft's own key, and join the application to the draft
and to the address of who sent it. It does not: make pages. The rules it keeps: one draft is one application, however
often it is sent; what a crash cut off is taken up by the next look, and joined without one; a page waits for a moment,
the decision for as long as it takes.
"""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from api import flow
from api.applicants import entering
from api.applicants.drafts import Draft, opened_draft
from api.applicants.letters import write_letter
from api.applicants.visits import Lobby
from api.deadline import Budget
from api.errors import Problem, as_problem
from api.journey.form import questions
from api.journey.form.fields import clean
from api.journey.form.submission import body_of
from api.journey.wording import CONFIRM, DECIDED
from api.security import WEB, Caller
from api.stated import application_of
from api.store.queries import applicants as kept
from api.wire import fingerprint, parse_submission

CALLER: Final = Caller(WEB, "the applicants' pages", frozenset({"apply"}))
ROUTE: Final = "/apply"
PATIENCE_SECONDS: Final = 2.5  # how long the page of a POST waits before it shows progress instead
# Problems after which nothing was kept, so that the answers can be changed and sent again under another key.
REFUSED: Final = frozenset({"duplicate-application", "application-locked", "validation-failed", "malformed-json"})
# Problems of this moment: the next look asks again under the same key, and finds what was decided meanwhile.
GOES_ON: Final = frozenset(
    {"deadline-exceeded", "idempotency-in-flight", "outcome-unknown", "overloaded", "dependency-unavailable"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of sending: the application, or the problem that there was; neither while it goes on."""

    application_id: str | None = None
    problem: Problem | None = None


@dataclass(slots=True)
class Desk:
    """The applications of one process that are being decided, by draft."""

    lobby: Lobby
    shell: flow.Shell
    page: str  # where the pages are found, for links in letters
    _running: dict[str, asyncio.Task[Outcome]] = field(default_factory=dict)

    async def send(self, draft: Draft, request_id: str, patience: float = PATIENCE_SECONDS) -> Outcome:
        """Decide a draft that was sent, or go on waiting for it; comes back after `patience` seconds at the latest."""
        if draft.application_id is not None:
            return Outcome(draft.application_id)
        task = self._running.get(draft.id)
        if task is None:
            task = asyncio.create_task(self._decide(draft, request_id))
            self._running[draft.id] = task
            task.add_done_callback(lambda _: self._running.pop(draft.id, None))
        done, _ = await asyncio.wait({task}, timeout=patience)
        return task.result() if done else Outcome()

    async def join_left(self) -> int:
        """Join what was decided while nobody waited for it any more, or a crash came between; how many there were."""
        left = await self.lobby.database.read(lambda connection: kept.answered_drafts(connection, CALLER.id, ROUTE))
        for draft_id, application_id in left:
            await self._join(draft_id, application_id, unseen=True)
        return len(left)

    async def _decide(self, draft: Draft, request_id: str) -> Outcome:
        try:
            return Outcome(await self._decided(draft, request_id))
        except Exception as error:  # nobody may wait for this task: it ends with words, not with a traceback
            problem = as_problem(error)
            return Outcome() if problem.slug in GOES_ON else Outcome(problem=problem)

    async def _decided(self, draft: Draft, request_id: str) -> str:
        assert draft.sent_key is not None, "only what was sent is decided"
        at = draft.changed_at  # the same at every try, as the consents' moment is
        statements = tuple(json.loads(draft.answers.get("statements") or "[]"))
        submission = parse_submission(body_of(draft.answers, at, statements=statements), at.date())
        asked = flow.Asked(
            caller=CALLER, key=draft.sent_key, route=ROUTE, fingerprint=fingerprint(ROUTE, submission),
            submission=submission, request_id=request_id, budget=Budget.of(None, time.monotonic()),
        )  # fmt: skip
        answer = await flow.answer(self.shell, asked)
        application_id = str(json.loads(answer.body)["application_id"])
        await self._join(draft.id, application_id)
        return application_id

    async def _join(self, draft_id: str, application_id: str, *, unseen: bool = False) -> None:
        """The application belongs to who sent it, and the others are asked to confirm: all of it, once.

        Who sent it is written to where nobody looks: the page of progress promised that.
        """
        at = self.shell.clock()

        def work(connection: Connection) -> None:
            draft = opened_draft(self.lobby, connection, draft_id)
            if draft is None or not kept.finish_draft(connection, draft_id, application_id, at):
                return
            email = clean(draft.answers["me-email"])
            entering.let_in(self.lobby, connection, email, application_id)
            if unseen:
                text = DECIDED.text.format(link=f"{self.page}/sign-in")
                write_letter(self.lobby, connection, email, DECIDED.subject, text, at, entering.OTHERS_LAST)
            people = application_of(connection, application_id).people
            for person, prefix in zip(people[1:], questions.prefixes(draft.answers)[1:], strict=True):
                entering.send_personal_link(
                    self.lobby, connection, "confirm", application_id, person.ref,
                    clean(draft.answers[f"{prefix}-email"]), f"{self.page}/confirm", CONFIRM,
                )  # fmt: skip

        await self.shell.database.write(work)
