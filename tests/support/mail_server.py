"""A real mail server on 127.0.0.1, in the test's own event loop, that takes, refuses, hangs or hangs up as told."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from api.notices.settings import MailServer


@dataclass
class MailPeer:
    """What it answers, and what it took; `held` keeps its answer to a message back, `cuts` hangs up in its place."""

    port: int = 0
    rcpt: str = "250 OK"
    data: str = "250 OK"
    held: asyncio.Event | None = None
    cuts: bool = False
    taken: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)  # receivers that were named
    signed_in: list[tuple[bytes, bytes]] = field(default_factory=list)

    def authenticate(self, *told: Any) -> AuthResult:
        """Take any user and password, and remember them."""
        login: LoginPassword = told[4]
        self.signed_in.append((login.login, login.password))
        return AuthResult(success=True)

    @property
    def server(self) -> MailServer:
        """How to reach it."""
        return MailServer("127.0.0.1", self.port, tls=False, plain=True)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer to one receiver."""
        self.tried.append(address)
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take the message, and answer, hang or hang up."""
        content: Any = envelope.content
        read = message_from_bytes(content, policy=policy.default)
        assert isinstance(read, EmailMessage)
        self.taken.append((list(envelope.rcpt_tos), read))
        if self.held is not None:
            await self.held.wait()
        if self.cuts:
            cut(server)
        return self.data


def cut(connection: SMTP) -> None:
    """Hang up without a word."""
    if isinstance(connection.transport, asyncio.Transport):
        connection.transport.abort()


@asynccontextmanager
async def serving_mail(tls: ssl.SSLContext | None = None, *, at_once: bool = False) -> AsyncIterator[MailPeer]:
    """A mail server for as long as the block lasts; one with `tls` offers STARTTLS, or speaks it from the first byte.

    With TLS it takes no message and no password in the open.
    """
    peer = MailPeer()
    open_ones: list[SMTP] = []

    def connected() -> SMTP:
        offered = None if at_once else tls
        open_ones.append(
            SMTP(
                peer, hostname="mail.example", loop=asyncio.get_running_loop(), tls_context=offered,
                require_starttls=offered is not None, authenticator=peer.authenticate,
                auth_require_tls=not at_once,
            )
        )  # fmt: skip
        return open_ones[-1]

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0, ssl=tls if at_once else None)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        if peer.held is not None:
            peer.held.set()
        for each in open_ones:
            cut(each)
        await server.wait_closed()
