"""Letters that let somebody in: sealed until they are sent, forgotten afterwards, and never sent too late."""

import asyncio
from collections import Counter
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import text

from api.applicants import drafts, entering
from api.applicants.entering import CODE_LASTS, Words
from api.applicants.letters import TOPIC, send_letter
from api.notices.channel import NotSent
from api.notices.sending import PostOffice, Result, send_due, wait_before
from api.notices.settings import NoticeSettings
from api.sealing import Sealer
from api.store import queries as store
from tests.support.lobbying import ADDRESS, EMAIL, Foyer
from tests.support.noticing import letters as wording

CODE = Words("Your code is {code}", "{code} is the code")
LINK = Words("A link", "here {link}")


class Box:
    """A post that keeps what it is given, or refuses it with a word."""

    def __init__(self, refuses: str = "") -> None:
        self.refuses = refuses
        self.sent: list[tuple[str, EmailMessage]] = []

    async def send(self, message: EmailMessage, to: str) -> None:
        """Take one."""
        if self.refuses:
            raise NotSent(self.refuses)  # type: ignore[arg-type]
        self.sent.append((to, message))


def round_of(place: Foyer, box: Box) -> Counter[Result]:
    """One round of the post office with letters among its topics."""
    office = PostOffice(place.lobby.database, NoticeSettings(), wording(), box, None, place.clock)

    async def send(message: store.OutboxRow) -> bool:
        return await send_letter(place.lobby, box, "credit@lender.example", message)

    return asyncio.run(send_due(office, ((TOPIC, send),)))


def code_asked(place: Foyer, email: str = EMAIL) -> None:
    """Somebody asked for a code."""
    place.run(entering.send_code(place.lobby, email, ADDRESS, CODE))


def test_a_letter_is_sealed_until_it_is_sent_and_then_forgotten(either: Foyer) -> None:
    """Address and code stand nowhere in the open while it waits; once it went out nothing of it is left."""
    either.applicant()
    code_asked(either)
    told = either.letters(EMAIL)[0]["text"].split()[0]
    kept = either.look(lambda connection: str([*connection.execute(text("SELECT * FROM letter, outbox"))]))
    assert EMAIL not in kept
    assert told not in kept
    box = Box()
    assert round_of(either, box) == Counter(sent=1)
    [(to, mail)] = box.sent
    assert (to, mail["To"], mail["Subject"]) == (EMAIL, EMAIL, f"Your code is {told}")
    assert told in mail.get_content()
    assert either.letters() == []
    assert (either.count("letter"), either.count("letter", "sealed IS NULL")) == (1, 1)
    assert round_of(either, box) == Counter()


def test_a_letter_to_nobody_goes_nowhere(either: Foyer) -> None:
    """What was written for an unknown address is closed like one whose receiver is gone."""
    code_asked(either)
    box = Box()
    assert round_of(either, box) == Counter(closed=1)
    assert box.sent == []
    assert either.letters() == []


def test_a_letter_that_comes_too_late_is_not_sent(either: Foyer) -> None:
    """A code that works no longer is not mailed: it is closed, and forgotten by the hourly tidying."""
    either.applicant()
    code_asked(either)
    either.clock.advance(CODE_LASTS.total_seconds())
    box = Box()
    assert round_of(either, box) == Counter(closed=1)
    assert box.sent == []
    either.run(drafts.forget_old(either.lobby))
    assert either.letters() == []


def test_a_letter_that_fails_is_tried_again(either: Foyer) -> None:
    """While the mail server is away it stays sealed, and it goes out once as soon as the server is back."""
    either.applicant()
    code_asked(either)
    assert round_of(either, Box("unreachable")) == Counter(failed=1)
    assert len(either.letters(EMAIL)) == 1
    either.clock.advance(wait_before(1).total_seconds() + 15)
    box = Box()
    assert round_of(either, box) == Counter(sent=1)
    assert len(box.sent) == 1


def test_a_dead_letter_is_forgotten_when_its_time_is_over(lone: Foyer) -> None:
    """A link that could not be sent all day is given up; a week later nothing of it can be read."""
    found = lone.run(drafts.begin(lone.lobby, {}, None, ADDRESS))
    assert found is not None
    lone.run(entering.send_resume_link(lone.lobby, found[0].id, EMAIL, "https://x.example/r", LINK, ADDRESS))
    total: Counter[Result] = Counter()
    for _ in range(store.ATTEMPTS_MAX):
        total += round_of(lone, Box("refused"))
        lone.clock.advance(timedelta(hours=2).total_seconds())
    assert total["dead"] == 1
    assert round_of(lone, Box()) == Counter()
    assert len(lone.letters(EMAIL)) == 1
    lone.clock.advance(timedelta(days=6).total_seconds())
    lone.run(drafts.forget_old(lone.lobby))
    assert lone.letters() == []


def test_a_letter_under_a_lost_key_is_given_up_in_a_word(lone: Foyer) -> None:
    """A letter that cannot be opened any more fails as unaddressable, and keeps no other from being sent."""
    lone.applicant()
    code_asked(lone)
    lost = lone.lobby.__class__(
        lone.lobby.database, Sealer({"other": bytes(32)}), lone.lobby.index, lone.clock, lone.lobby.origins
    )
    found = lone.look(lambda connection: store.due_messages(connection, lone.clock(), 5, TOPIC))
    with pytest.raises(NotSent, match="unaddressable"):
        asyncio.run(send_letter(lost, Box(), "credit@lender.example", found[0]))


@pytest.mark.parametrize("email", ["a\r\nBcc: x@y.example", "no mailbox", "zoë@x.example", "a@x.example, b@y.example"])
def test_what_is_no_mailbox_is_written_to_nobody(lone: Foyer, email: str) -> None:
    """Nothing that was typed as an address adds a header or a receiver."""
    lone.applicant(email)
    code_asked(lone, email)
    assert lone.letters() == [{}]
    assert round_of(lone, Box()) == Counter(closed=1)


def test_nothing_private_is_in_the_file_while_letters_wait(lone: Foyer, tmp_path: Path) -> None:
    """Neither the database file nor its log of changes holds an address, a code or a link."""
    lone.applicant()
    code_asked(lone)
    found = lone.run(drafts.begin(lone.lobby, {}, None, ADDRESS))
    assert found is not None
    lone.run(entering.send_resume_link(lone.lobby, found[0].id, EMAIL, "https://x.example/r", LINK, ADDRESS))
    token = lone.letters(EMAIL)[-1]["text"].rpartition("/")[2]
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"ltr_" in files
    for private in (EMAIL, token, found[1].token):
        assert private.encode() not in files
