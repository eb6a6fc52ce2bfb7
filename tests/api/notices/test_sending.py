"""What is due is sent at least once, under one id; who is gone is told nothing; what fails waits, and dies at last."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
import structlog
from sqlalchemy import text
from structlog.testing import CapturingLogger

from api.notices import sending
from api.notices.mail import Mailbox, SmtpPost
from api.notices.messages import MAIL, TOPICS, Topic
from api.notices.sending import LEASE, PostOffice, Result, post_office, send_due, wait_before
from api.notices.settings import Hook, NoticeSettings
from api.store.database import Database
from api.store.errors import StoreUnavailable
from api.store.queries import ATTEMPTS_MAX, NewMessage, add_message, erase_person
from tests.support.contracting import CANARIES, approve
from tests.support.http_peer import Peer, serving_peer
from tests.support.mail_server import MailPeer, serving_mail
from tests.support.noticing import NEW, STAFF, a_notice, letters, office, outbox, put, states
from tests.support.service import Clock

T = TypeVar("T")
TWO = {"ann": ("owner", "director", "contact"), "ben": ("director",)}


def bounded(work: Coroutine[Any, Any, T]) -> T:
    """Run it in an event loop of its own, within a minute, and see that it leaves no task."""

    async def watched() -> T:
        async with asyncio.timeout(60):
            result = await work
            while len(asyncio.all_tasks()) > 1:
                await asyncio.sleep(0.01)
        return result

    return asyncio.run(watched())


class Both:
    """A mail server and a webhook's receiver, and rounds of sending to them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database, self.clock = database, clock
        self.told: Callable[[MailPeer, Peer], None] = lambda mail, hook: None

    def send(self, rounds: int = 1, seconds: float = 5.0) -> tuple[MailPeer, Peer, list[Counter[Result]]]:
        """So many rounds; what both received, and how each round ended."""

        async def run() -> tuple[MailPeer, Peer, list[Counter[Result]]]:
            async with serving_mail() as mail, serving_peer() as hook:
                self.told(mail, hook)
                at = office(self.database, self.clock, server=mail.server, url=hook.url + "/hook", seconds=seconds)
                results = [await send_due(at) for _ in range(rounds)]
                await at.close()
                if hook.held is not None:
                    hook.held.set()
                return mail, hook, results

        return bounded(run())


@pytest.fixture
def both(database: Database, clock: Clock) -> Both:
    """Both receivers, on either database."""
    return Both(database, clock)


@pytest.fixture
def alone(lone: Database, clock: Clock) -> Both:
    """The same on SQLite alone."""
    return Both(lone, clock)


@contextmanager
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[CapturingLogger]:
    """What is logged."""
    lines = CapturingLogger()
    monkeypatch.setattr(sending, "log", structlog.wrap_logger(lines, processors=[]))
    yield lines


def test_everything_due_is_sent_once(both: Both) -> None:
    """A mail to each person, one to staff, a webhook for each act; then nothing is left."""
    approved = approve(both.database, TWO)
    put(both.database, both.clock, a_notice(approved, "contract.ready"), webhook=True)
    put(both.database, both.clock, a_notice(approved, "case.warning"), webhook=True)
    mail, hook, results = both.send(rounds=2)
    assert results == [Counter(sent=5), Counter()]
    receivers = [to for taken, _ in mail.taken for to in taken]
    assert sorted(receivers) == sorted([*approved.mails.values(), STAFF])
    assert [json.loads(seen.body)["topic"] for seen in hook.seen] == ["contract.ready", "case.warning"]
    assert states(both.database) == ["sent"] * 5


@pytest.mark.parametrize("topic", list(TOPICS))
def test_every_topic_can_be_sent(alone: Both, topic: Topic) -> None:
    """As mail with its own subject, and as a webhook."""
    put(alone.database, alone.clock, a_notice(approve(alone.database), topic), webhook=True)
    mail, hook, results = alone.send()
    assert results == [Counter(sent=2)]
    [(_, message)] = mail.taken
    assert message["Subject"]
    assert json.loads(hook.seen[0].body)["topic"] == topic


def test_who_was_erased_gets_no_mail(both: Both) -> None:
    """The message is closed, not tried again; the other person's is sent, and the webhook, which holds no data."""
    approved = approve(both.database, TWO)
    put(both.database, both.clock, a_notice(approved, "contract.ready"), webhook=True)
    with both.database.transaction() as connection:
        erase_person(connection, approved.refs["ben"], both.clock.now)
    mail, hook, results = both.send()
    assert results == [Counter(sent=2, closed=1)]
    assert [taken for taken, _ in mail.taken] == [[approved.mails["ann"]]]
    assert len(hook.seen) == 1
    assert states(both.database) == ["sent"] * 3


def test_a_person_of_another_application_is_not_written_to(alone: Both) -> None:
    """A reference that is not of the notice's own application, or of nobody, closes the message."""
    approved, other = approve(alone.database), approve(alone.database)
    for version, ref in enumerate((other.refs["ann"], "per_none"), 2):
        put(alone.database, alone.clock, a_notice(approved, version=version).model_copy(update={"to": (ref,)}))
    mail, _, results = alone.send()
    assert (mail.taken, results) == ([], [Counter(closed=2)])


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (lambda mail: setattr(mail, "rcpt", "550 canary"), "rejected"),
        (lambda mail: setattr(mail, "data", "451 canary"), "later"),
        (lambda mail: setattr(mail, "cuts", True), "closed"),
        (lambda mail: setattr(mail, "held", asyncio.Event()), "timeout"),
    ],
)
def test_a_mail_that_fails_is_tried_again_later(
    alone: Both, monkeypatch: pytest.MonkeyPatch, told: Callable[[MailPeer], None], why: str
) -> None:
    """It is logged with one word, is not due at once, and goes out when its wait is over."""
    put(alone.database, alone.clock, a_notice(approve(alone.database)))
    alone.told = lambda mail, hook: told(mail)
    with logged(monkeypatch) as lines:
        _, _, results = alone.send(rounds=2, seconds=0.5)
    assert results == [Counter(failed=1), Counter()]
    assert [(call.kwargs["event"], call.kwargs["why"]) for call in lines.calls] == [("notice_failed", why)]
    assert states(alone.database) == ["due 1"]
    alone.told = lambda mail, hook: None
    alone.clock.advance(15)
    mail, _, results = alone.send()
    assert (len(mail.taken), results) == (1, [Counter(sent=1)])


@pytest.mark.parametrize("status", [500, 404, 302])
def test_a_webhook_that_fails_holds_back_no_mail(both: Both, status: int) -> None:
    """The two channels are apart: the mail is sent, the webhook waits for its next attempt."""
    put(both.database, both.clock, a_notice(approve(both.database)), webhook=True)
    both.told = lambda mail, hook: setattr(hook, "status", status)
    _, _, results = both.send()
    assert results == [Counter(sent=1, failed=1)]
    assert states(both.database) == ["sent", "due 1"]


def test_a_receiver_that_is_away_costs_one_message_an_attempt(both: Both) -> None:
    """The first that finds nobody ends the round: the others are due as before, with no attempt lost."""
    approved = approve(both.database)
    put(both.database, both.clock, *(a_notice(approved, version=version) for version in range(2, 7)))
    at = office(both.database, both.clock, server=MailPeer(port=1).server, seconds=2.0)
    assert asyncio.run(send_due(at)) == Counter(failed=1)
    assert states(both.database) == ["due 1"] + ["due 0"] * 4
    mail, _, results = both.send()
    assert (len(mail.taken), results) == (4, [Counter(sent=4)])


def test_a_sick_webhook_is_left_alone_without_costing_attempts(alone: Both) -> None:
    """Five failures open its breaker; the sixth message is put off by its lease and keeps its attempts."""
    approved = approve(alone.database)
    put(alone.database, alone.clock, *(a_notice(approved, version=v) for v in range(2, 10)), webhook=True)
    alone.told = lambda mail, hook: setattr(hook, "status", 500)
    _, hook, results = alone.send()
    assert (len(hook.seen), results) == (5, [Counter(sent=8, failed=5, postponed=1)])
    hooks = [row["attempts"] for row in outbox(alone.database) if row["topic"] != MAIL]
    assert hooks == [1] * 5 + [0] * 3


def test_a_round_takes_so_many_and_no_more(alone: Both) -> None:
    """Twenty a channel; the rest comes with the next round."""
    approved = approve(alone.database)
    put(alone.database, alone.clock, *(a_notice(approved, version=version) for version in range(2, 25)))
    _, _, results = alone.send(rounds=2)
    assert results == [Counter(sent=20), Counter(sent=3)]


def test_two_workers_send_a_message_once(both: Both) -> None:
    """Both find it due; one has its lease."""
    approved = approve(both.database)
    put(both.database, both.clock, *(a_notice(approved, version=version) for version in range(2, 8)))

    async def run() -> tuple[int, Counter[Result]]:
        async with serving_mail() as mail:
            ends = [send_due(office(both.database, both.clock, server=mail.server)) for _ in range(2)]
            results: Counter[Result] = sum(await asyncio.gather(*ends), Counter())
            return len(mail.taken), results

    taken, results = bounded(run())
    assert (taken, results["sent"]) == (6, 6)
    assert states(both.database) == ["sent"] * 6


def test_after_the_last_attempt_a_message_is_dead(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty attempts over at least eleven hours and at most a day; the twenty-first never comes."""
    put(both.database, both.clock, a_notice(approve(both.database)))
    began = both.clock.now
    results: Counter[Result] = Counter()
    at = office(both.database, both.clock, server=MailPeer(port=1).server, seconds=2.0)
    with logged(monkeypatch) as lines:
        for attempt in range(1, ATTEMPTS_MAX + 1):
            results += asyncio.run(send_due(at))
            if attempt < ATTEMPTS_MAX:
                [row] = outbox(both.database)
                assert row["attempts"] == attempt
                both.clock.now = began.fromtimestamp(row["next_at"] / 1_000_000, began.tzinfo)
    assert results == Counter(failed=ATTEMPTS_MAX - 1, dead=1)
    assert timedelta(hours=11) < both.clock.now - began < timedelta(hours=24)
    both.clock.advance(1_000_000)
    assert asyncio.run(send_due(at)) == Counter()
    assert states(both.database) == ["dead"]
    assert lines.calls[-1].kwargs["event"] == "notice_dead"


def test_waits_grow_and_are_never_the_same() -> None:
    """From about fifteen seconds to at most two hours, each between half of its wait and all of it."""
    for attempt, most in ((1, 15), (2, 30), (5, 240), (10, 7_200), (20, 7_200), (10_000, 7_200)):
        waits = {wait_before(attempt).total_seconds() for _ in range(50)}
        assert len(waits) > 1
        assert most / 2 <= min(waits) <= max(waits) <= most


def test_a_mistake_in_one_message_keeps_no_other_from_being_sent(alone: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that is no notice is an attempt, logged without its words; what is due after it goes out."""
    with alone.database.transaction() as connection:
        add_message(connection, NewMessage(MAIL, "case_1", "broken", '{"canary":1}'), alone.clock.now)
    put(alone.database, alone.clock, a_notice(approve(alone.database)))
    with logged(monkeypatch) as lines:
        _, _, results = alone.send()
    assert results == [Counter(failed=1, sent=1)]
    assert [call.kwargs["event"] for call in lines.calls] == ["notice_error", "notice_failed", "notice_sent"]
    assert "canary" not in str(lines.calls)


def test_no_log_line_holds_personal_data(alone: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent, or refused with the address in the server's own words: no name, address or word of either is there."""
    approved = approve(alone.database, TWO)
    lines_of: list[str] = []
    for told in ("250 OK", f"550 {approved.mails['ann']} Canaryfamily unknown"):
        put(alone.database, alone.clock, a_notice(approved, "contract.ready", version=len(told)), webhook=True)
        alone.told = lambda mail, hook, told=told: setattr(mail, "rcpt", told)  # type: ignore[misc]
        with logged(monkeypatch) as lines:
            alone.send()
        lines_of += [str(call) for call in lines.calls]
    assert len(lines_of) == 6
    assert [canary for canary in CANARIES if canary in "".join(lines_of)] == []


def test_a_store_that_is_away_costs_no_attempt(alone: Both) -> None:
    """It is told to whoever asked for the round, and the message is due as before."""
    put(alone.database, alone.clock, a_notice(approve(alone.database)))
    at = office(alone.database, alone.clock, server=MailPeer(port=1).server)
    alone.database.broken = True
    with pytest.raises(StoreUnavailable):
        asyncio.run(send_due(at))
    alone.database.broken = False
    assert states(alone.database) == ["due 0"]


def test_without_a_webhook_its_messages_wait(alone: Both) -> None:
    """Written while there was one and not sent since: they keep."""
    put(alone.database, alone.clock, a_notice(approve(alone.database)), webhook=True)

    async def run() -> Counter[Result]:
        async with serving_mail() as mail:
            return await send_due(office(alone.database, alone.clock, server=mail.server))

    assert asyncio.run(run()) == Counter(sent=1)
    assert states(alone.database) == ["sent", "due 0"]


def test_settings_choose_the_senders(lone: Database, clock: Clock, tmp_path: Path) -> None:
    """A folder where there is no server, and in it each mail as a file; a webhook only where one is set."""
    plain = NoticeSettings(mailbox=tmp_path / "mailbox")
    made = post_office(lone, plain, letters(), clock)
    assert isinstance(made.post, Mailbox)
    assert made.webhook is None
    put(lone, clock, a_notice(approve(lone)))
    assert asyncio.run(send_due(made)) == Counter(sent=1)
    [kept] = (tmp_path / "mailbox").iterdir()
    assert b"your line of credit is approved" in kept.read_bytes()
    more = NoticeSettings(server=MailPeer(port=1).server, hook=Hook("http://127.0.0.1:1", (NEW,)))
    both: PostOffice = post_office(lone, more, letters(), clock)
    assert isinstance(both.post, SmtpPost)
    assert both.webhook is not None


def test_outside_development_no_mail_is_written_into_a_folder(lone: Database, clock: Clock) -> None:
    """Without a mail server nothing is set up there, so that people's addresses lie in no file."""
    with pytest.raises(ValueError, match="CREDITLINE_SMTP"):
        post_office(lone, NoticeSettings.from_environment({}, development=False), letters(), clock)


CHILD = """
import asyncio, sys
from datetime import datetime
from api.notices.sending import send_due
from api.store.database import Database
from tests.support.noticing import office
from tests.support.service import Clock
url, hook, now = sys.argv[1:]
with Database.open(url) as database:
    print("ready", flush=True)
    asyncio.run(send_due(office(database, Clock(datetime.fromisoformat(now)), url=hook)))
"""


def test_a_crash_between_sending_and_marking_sends_again_under_the_same_id(both: Both, url: str) -> None:
    """The sender is killed with -9 when the receiver has the message: it stays leased, then comes again, the same."""
    put(both.database, both.clock, a_notice(approve(both.database)), webhook=True)
    with both.database.transaction() as connection:
        connection.execute(text("DELETE FROM outbox WHERE topic = :mail"), {"mail": MAIL})
    root = Path(__file__).parents[3]

    async def run() -> tuple[int, list[tuple[str, bytes]], list[Counter[Result]]]:
        async with serving_peer() as hook:
            hook.held = asyncio.Event()
            command = (sys.executable, "-c", CHILD, url, hook.url, both.clock.now.isoformat())
            child = await asyncio.create_subprocess_exec(
                *command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, stdout=subprocess.DEVNULL
            )
            async with asyncio.timeout(40):
                while not hook.seen:
                    await asyncio.sleep(0.02)
            child.send_signal(signal.SIGKILL)
            ended = await child.wait()
            hook.held.set()
            at = office(both.database, both.clock, url=hook.url)
            early = await send_due(at)
            both.clock.advance(LEASE.total_seconds())
            late = await send_due(at)
            await at.close()
            return ended, [(seen.headers["Creditline-Id"], seen.body) for seen in hook.seen], [early, late]

    ended, seen, results = asyncio.run(run())
    assert ended == -signal.SIGKILL
    assert results == [Counter(), Counter(sent=1)]
    assert len(seen) == 2
    assert seen[0] == seen[1]
    assert states(both.database) == ["sent"]


def test_a_mail_whose_answer_was_lost_comes_again_under_the_same_id(alone: Both) -> None:
    """The server took it and hung up before its word: whoever gets it twice can tell by the Message-ID."""
    put(alone.database, alone.clock, a_notice(approve(alone.database)))
    alone.told = lambda mail, hook: setattr(mail, "cuts", True)
    first, _, _ = alone.send()
    alone.told = lambda mail, hook: None
    alone.clock.advance(15)
    second, _, _ = alone.send()
    ids = [message["Message-ID"] for peer in (first, second) for _, message in peer.taken]
    assert len(ids) == 2
    assert ids[0] == ids[1]
