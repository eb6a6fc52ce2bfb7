"""Mail over a real mail server on the loopback: taken, refused, unanswered, cut off; and a folder in its place."""

import asyncio
import ssl
import stat
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from api.notices import mail
from api.notices.channel import NotSent, Why
from api.notices.mail import Mailbox, SmtpPost, compose
from api.notices.settings import MailServer
from api.sources.settings import Secret
from tests.support.exchanging import leaving_nothing
from tests.support.faults import certificate
from tests.support.mail_server import MailPeer, serving_mail
from tests.support.noticing import SENDER

AT = datetime(2026, 8, 3, 1, 0, tzinfo=UTC)
TO = "ann@example.com"


def a_mail(text: str = "Hello Ann,\n", dedupe: str = "m1") -> EmailMessage:
    """A message."""
    return compose("Größe: your line", text, sender=SENDER, to=TO, dedupe=dedupe, at=AT)


def sending(
    told: Callable[[MailPeer], None], seconds: float = 5.0, server: Callable[[MailPeer], MailServer] | None = None
) -> tuple[MailPeer, Why | None]:
    """Send one message to a server that behaves as told: what it has, and how it ended."""

    async def run() -> tuple[MailPeer, Why | None]:
        async with serving_mail() as peer:
            told(peer)
            post = SmtpPost(server(peer) if server else peer.server, SENDER, seconds)
            return peer, await why_not(post.send(a_mail(), TO))

    return leaving_nothing(run())


async def why_not(sent: Awaitable[None]) -> Why | None:
    """How a sending failed, with nothing left of the library's own error, which holds addresses."""
    try:
        await sent
    except NotSent as failure:
        left = (failure.__cause__, failure.__context__)
        why: Why = failure.why
    else:
        return None
    assert left == (None, None)
    return why


def test_a_message_arrives_as_it_was_written() -> None:
    """Receiver, headers and text come whole, letters beyond ASCII too."""
    peer, why = sending(lambda peer: None)
    assert why is None
    [(receivers, message)] = peer.taken
    assert receivers == [TO]
    assert (message["To"], message["From"], message["Subject"]) == (TO, SENDER, "Größe: your line")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == AT
    assert message["Message-ID"].endswith("@lender.example>")
    assert message.get_content().replace("\r\n", "\n") == "Hello Ann,\n"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (lambda peer: setattr(peer, "rcpt", "550 no such mailbox"), "rejected"),
        (lambda peer: setattr(peer, "rcpt", "451 try again"), "later"),
        (lambda peer: setattr(peer, "data", "554 not wanted"), "rejected"),
        (lambda peer: setattr(peer, "data", "452 full"), "later"),
        (lambda peer: setattr(peer, "cuts", True), "closed"),
    ],
)
def test_every_refusal_is_one_word(told: Callable[[MailPeer], None], why: Why) -> None:
    """Refused for good or for now, at the receiver or at the message, and a connection that breaks."""
    assert sending(told)[1] == why


def test_a_server_that_hangs_is_given_up() -> None:
    """It takes the message and never answers: the time limit ends it, and no task or socket stays."""
    assert sending(lambda peer: setattr(peer, "held", asyncio.Event()), seconds=0.3)[1] == "timeout"


def test_a_server_that_never_greets_is_given_up() -> None:
    """A connection on which nobody says anything ends with the time limit."""

    async def run() -> Why | None:
        async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await over.wait()
            writer.close()

        over = asyncio.Event()
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        place = MailServer("127.0.0.1", server.sockets[0].getsockname()[1], tls=False, plain=True)
        try:
            return await why_not(SmtpPost(place, SENDER, 0.3).send(a_mail(), TO))
        finally:
            over.set()
            server.close()
            await server.wait_closed()

    assert leaving_nothing(run()) == "timeout"


def test_nobody_there_is_unreachable() -> None:
    """A port that nobody listens on."""
    nobody = MailServer("127.0.0.1", 1, tls=False, plain=True)
    assert asyncio.run(why_not(SmtpPost(nobody, SENDER, 2.0).send(a_mail(), TO))) == "unreachable"


@pytest.mark.parametrize("user", [None, "relay"])
@pytest.mark.parametrize("tls", [True, False])
def test_nothing_is_sent_in_the_open(tls: bool, user: str | None) -> None:
    """A server without TLS, or without STARTTLS, gets neither receiver nor message nor password."""

    def place(peer: MailPeer) -> MailServer:
        return MailServer(
            "127.0.0.1", peer.port, tls=tls, plain=False, user=user, password=Secret("x") if user else None
        )

    peer, why = sending(lambda peer: None, seconds=2.0, server=place)
    assert why == "unreachable"
    assert (peer.tried, peer.taken) == ([], [])


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("at_once", [True, False])
def test_mail_goes_encrypted_to_a_server_whose_certificate_is_good(
    monkeypatch: pytest.MonkeyPatch, at_once: bool, trusted: bool
) -> None:
    """From the first byte or after STARTTLS, signed in with the password; a certificate of nobody's gets neither."""
    good = certificate("mail.example")
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(good))
    offered = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    offered.load_cert_chain(good)

    async def run() -> tuple[MailPeer, Why | None]:
        async with serving_mail(offered, at_once=at_once) as peer:
            server = MailServer("127.0.0.1", peer.port, tls=at_once, plain=False, user="relay", password=Secret("pw"))
            return peer, await why_not(SmtpPost(server, SENDER, 5.0).send(a_mail(), TO))

    peer, why = asyncio.run(run())
    assert why == (None if trusted else "unreachable")
    assert peer.signed_in == ([(b"relay", b"pw")] if trusted else [])
    assert [to for to, _ in peer.taken] == ([[TO]] if trusted else [])


@pytest.mark.parametrize("to", ["a,b@example.com", "größe@example.com", "a(b)@example.com", "x\n@example.com"])
def test_an_address_that_a_header_would_change_gets_no_mail(to: str) -> None:
    """It would be read as another one, or as several."""
    with pytest.raises(NotSent, match="unaddressable"):
        compose("x", "y", sender=SENDER, to=to, dedupe="m1", at=AT)


def test_the_same_message_has_the_same_id() -> None:
    """Composed again it is recognised; another one is not."""
    ids = [a_mail(dedupe=dedupe)["Message-ID"] for dedupe in ("m1", "m1", "m2")]
    assert ids[0] == ids[1] != ids[2]


def test_the_folder_keeps_each_message_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    """A repeated one takes the place of the first; files and folder are private; nothing half written stays."""
    folder = tmp_path / "var" / "mailbox"
    post = Mailbox(folder)
    for message in (a_mail("one\n"), a_mail("one again\n"), a_mail("two\n", dedupe="m2")):
        asyncio.run(post.send(message, TO))
    assert len(list(folder.iterdir())) == 2
    assert sorted(b"again" in path.read_bytes() for path in folder.glob("*.eml")) == [False, True]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_folder_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its limit the oldest go."""
    monkeypatch.setattr(mail, "MOST_KEPT", 3)
    for number in range(5):
        asyncio.run(Mailbox(tmp_path).send(a_mail(dedupe=f"m{number}"), TO))
    assert len(list(tmp_path.iterdir())) == 3
