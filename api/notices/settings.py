"""Where notices go, from the environment: the mail server, the mailboxes, the webhook and its secrets.

It does: read `CREDITLINE_*` variables and refuse what would be sent in the open. It does not: show a secret. The rule
it keeps: outside development mail and webhooks are encrypted, and nothing is written into a folder instead of sent.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

from api.sources.settings import Secret

_LEAST_SECRET_CHARACTERS = 32
_MOST_SECRETS = 2  # the new one and the one before
_PORTS = {"smtp": 587, "smtps": 465}
_OF_DEVELOPMENT = "creditline@lender.example"


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server: `tls` from the first byte, or else after STARTTLS, unless `plain`."""

    host: str
    port: int
    tls: bool
    plain: bool
    user: str | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class Hook:
    """Where webhooks go; the first secret is the new one, and both sign while there are two."""

    url: str
    secrets: tuple[Secret, ...]


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """Everything that senders are told. No `server` writes mail into the folder `mailbox`, in development alone."""

    server: MailServer | None = None
    mailbox: Path | None = Path("var/mailbox")
    sender: str = _OF_DEVELOPMENT
    staff: str = _OF_DEVELOPMENT
    hook: Hook | None = None
    page: str | None = None  # where applicants see their application

    @classmethod
    def from_environment(cls, variables: Mapping[str, str], *, development: bool) -> Self:
        """Read `CREDITLINE_SMTP`, `_SMTP_PASSWORD`, `_MAIL_FROM`, `_STAFF_MAIL`, `_MAILBOX`, `_WEBHOOK_URL` and so on.

        The password and `CREDITLINE_WEBHOOK_SECRETS` may come from a file, named with `_FILE` behind.
        ValueError names the variable that cannot be used, and never repeats it.
        """
        folder = Path(variables.get("CREDITLINE_MAILBOX", "var/mailbox"))
        return cls(
            server=_server(variables, development),
            mailbox=folder if development else None,
            sender=_mailbox("CREDITLINE_MAIL_FROM", variables, development),
            staff=_mailbox("CREDITLINE_STAFF_MAIL", variables, development),
            hook=_hook(variables, development),
            page=_page(variables, development),
        )

    def missing(self) -> str | None:
        """The variable without which nothing can be sent outside development, the first of several."""
        told = {
            "CREDITLINE_SMTP": self.server,
            "CREDITLINE_MAIL_FROM": self.sender,
            "CREDITLINE_STAFF_MAIL": self.staff,
        }
        return next((name for name, value in told.items() if not value), None)


def _server(variables: Mapping[str, str], development: bool) -> MailServer | None:
    if not (text := variables.get("CREDITLINE_SMTP")):
        return None
    parts = _parts("CREDITLINE_SMTP", text)
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.password:
        raise ValueError("CREDITLINE_SMTP is written smtps://user@host:port or smtp://user@host:port")
    password = _from_file_or("CREDITLINE_SMTP_PASSWORD", variables)
    if bool(parts.username) != bool(password):
        raise ValueError("CREDITLINE_SMTP names a user exactly where CREDITLINE_SMTP_PASSWORD is set")
    plain = development and parts.scheme == "smtp" and is_loopback(parts.hostname)
    return MailServer(
        host=parts.hostname,
        port=parts.port or _PORTS[parts.scheme],
        tls=parts.scheme == "smtps",
        plain=plain,
        user=unquote(parts.username) if parts.username else None,
        password=Secret(password) if password else None,
    )


def _hook(variables: Mapping[str, str], development: bool) -> Hook | None:
    url, text = variables.get("CREDITLINE_WEBHOOK_URL"), _from_file_or("CREDITLINE_WEBHOOK_SECRETS", variables)
    if not url:
        return None
    parts = _parts("CREDITLINE_WEBHOOK_URL", url)
    if not _is_sealed(parts, development) or parts.query or parts.username or parts.password:
        raise ValueError("CREDITLINE_WEBHOOK_URL is an https address without user, query and fragment")
    secrets = [part.strip() for part in (text or "").split(",")]
    if len(secrets) > _MOST_SECRETS or any(len(each) < _LEAST_SECRET_CHARACTERS for each in secrets):
        raise ValueError(
            f"CREDITLINE_WEBHOOK_SECRETS holds one secret or two, of {_LEAST_SECRET_CHARACTERS} characters or more,"
            " with a comma between"
        )
    return Hook(url, tuple(Secret(each) for each in secrets))


def _page(variables: Mapping[str, str], development: bool) -> str | None:
    url = variables.get("CREDITLINE_PAGE_URL") or None
    if url is not None and (not _is_sealed(_parts("CREDITLINE_PAGE_URL", url), development) or not url.isascii()):
        raise ValueError("CREDITLINE_PAGE_URL is an https address")
    return url


def _mailbox(name: str, variables: Mapping[str, str], development: bool) -> str:
    text = variables.get(name) or (_OF_DEVELOPMENT if development else "")
    if text and not is_mailbox(text):
        raise ValueError(f"{name} must be one mail address")
    return text


def is_mailbox(text: str) -> bool:
    """Whether it is one plain address that a mail header can hold as it stands."""
    try:
        address = Address(addr_spec=text)
    except (ValueError, IndexError, MessageError):
        return False
    return bool(address.domain) and address.addr_spec == text and text.isascii()


def is_loopback(host: str) -> bool:
    """Whether it is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_sealed(parts: SplitResult, development: bool) -> bool:
    """An encrypted address, or in development one of this machine."""
    if not parts.hostname or parts.fragment:
        return False
    return parts.scheme == "https" or (development and parts.scheme == "http" and is_loopback(parts.hostname))


def _parts(name: str, text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError(f"{name} is not an address") from None
    return parts


def _from_file_or(name: str, variables: Mapping[str, str]) -> str | None:
    file = variables.get(f"{name}_FILE")
    if file is None:
        return variables.get(name)
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"{name}_FILE cannot be read") from None
