"""Mail: one message to one person, to a mail server or, in development, into a folder.

It does: make the message, hand it over inside a time limit, and turn every way of failing into one word. It does not:
know what a notice says, or keep an address. The rules it keeps: the same message always has the same Message-ID, so
that a repeated one is known; nobody's address or name leaves here but in the message itself.
"""

import asyncio
import hashlib
import os
from datetime import datetime
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

import aiosmtplib

from api.notices.channel import NotSent, Why
from api.notices.settings import MailServer, is_mailbox

SECONDS = 15.0  # for one message, from the connection to the server's word that it has it
MOST_KEPT = 1_000  # messages in the folder of development
_PERMANENT = 500


class Post(Protocol):
    """Takes a message to its receiver, or raises NotSent."""

    async def send(self, message: EmailMessage, to: str) -> None: ...


def compose(subject: str, text: str, *, sender: str, to: str, dedupe: str, at: datetime) -> EmailMessage:
    """A message in plain text, dated when the act happened; NotSent where the address cannot stand in a header."""
    if not is_mailbox(to):
        raise NotSent("unaddressable")
    message = EmailMessage(policy.SMTP)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = at
    message["Message-ID"] = f"<{hashlib.sha256(dedupe.encode()).hexdigest()[:40]}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text, cte="quoted-printable")
    return message


class SmtpPost:
    """Hands messages to a mail server, a connection each: notices are few."""

    def __init__(self, server: MailServer, sender: str, seconds: float = SECONDS) -> None:
        self._server, self._sender, self._seconds = server, sender, seconds

    async def send(self, message: EmailMessage, to: str) -> None:
        """Returns once the server has taken it; NotSent says why it has not, or why that is not known."""
        server = self._server
        try:
            async with asyncio.timeout(self._seconds):
                await aiosmtplib.send(
                    message, sender=self._sender, recipients=[to], hostname=server.host, port=server.port,
                    username=server.user, password=server.password.reveal() if server.password else None,
                    use_tls=server.tls, start_tls=not server.tls and not server.plain, timeout=self._seconds,
                    # Given, because it would be looked up otherwise; a server adds the address that it sees itself.
                    local_hostname=self._sender.rpartition("@")[2],
                )  # fmt: skip
            return
        except (aiosmtplib.SMTPException, OSError) as failure:
            why = _why(failure)
        raise NotSent(why)  # outside the handler: the library's errors hold addresses


class Mailbox:
    """Keeps messages as `.eml` files in a folder, for development; a repeated one takes the place of the first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, message: EmailMessage, to: str) -> None:
        """Write it whole or not at all, readable by its owner alone; the oldest beyond a thousand go."""
        await asyncio.to_thread(self._keep, message)

    def _keep(self, message: EmailMessage) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{message['Message-ID'].strip('<>').partition('@')[0]}.eml"
        half = path.with_suffix(".part")
        with open(half, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(message.as_bytes())
        half.replace(path)
        kept = sorted(self._folder.glob("*.eml"), key=lambda each: each.stat().st_mtime)
        for oldest in kept[:-MOST_KEPT]:
            oldest.unlink(missing_ok=True)


def _why(failure: Exception) -> Why:
    """The word for an error of the library or of the socket."""
    match failure:
        case aiosmtplib.SMTPRecipientsRefused(recipients=refused) if refused:
            return _why(refused[0])
        # Of the server or of our set-up, not of the message: no other message would fare better.
        case aiosmtplib.SMTPConnectResponseError() | aiosmtplib.SMTPHeloError() | aiosmtplib.SMTPAuthenticationError():
            return "unreachable"
        case aiosmtplib.SMTPResponseException(code=code):
            return "rejected" if code >= _PERMANENT else "later"
        case aiosmtplib.SMTPConnectTimeoutError():
            return "timeout"
        case aiosmtplib.SMTPConnectError():
            return "unreachable"
        case TimeoutError():
            return "timeout"
        case ConnectionError():
            return "closed"
    return "unreachable"
