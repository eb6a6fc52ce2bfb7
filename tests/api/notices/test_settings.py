"""Settings of notices: encrypted outside development, secrets never shown, what is missing named."""

from pathlib import Path

import pytest

from api.notices.settings import MailServer, NoticeSettings, is_mailbox

SECRET = "s" * 32
FULL = {
    "CREDITLINE_SMTP": "smtps://relay%40lender@mail.lender.example", "CREDITLINE_SMTP_PASSWORD": "hunter-" + SECRET,
    "CREDITLINE_MAIL_FROM": "credit@lender.example", "CREDITLINE_STAFF_MAIL": "team@lender.example",
    "CREDITLINE_WEBHOOK_URL": "https://hooks.market.example/creditline/",
    "CREDITLINE_WEBHOOK_SECRETS": f"new-{SECRET}, old-{SECRET}", "CREDITLINE_PAGE_URL": "https://apply.lender.example",
}  # fmt: skip


def test_everything_is_read_and_no_secret_is_shown() -> None:
    """Server with its user, addresses, webhook with two secrets; a repr holds none of the credentials."""
    settings = NoticeSettings.from_environment(FULL, development=False)
    server = settings.server
    assert server is not None
    assert (server.host, server.port, server.tls, server.plain) == ("mail.lender.example", 465, True, False)
    assert (server.user, server.password and server.password.reveal()) == ("relay@lender", "hunter-" + SECRET)
    assert (settings.sender, settings.staff) == ("credit@lender.example", "team@lender.example")
    assert settings.hook is not None
    assert [each.reveal() for each in settings.hook.secrets] == [f"new-{SECRET}", f"old-{SECRET}"]
    assert SECRET not in repr(settings)


def test_development_needs_nothing() -> None:
    """Mail goes into a folder, and there is no webhook; elsewhere a mail server has to be named."""
    settings = NoticeSettings.from_environment({}, development=True)
    assert (settings.server, settings.hook, settings.mailbox) == (None, None, Path("var/mailbox"))
    assert NoticeSettings.from_environment({"CREDITLINE_MAILBOX": "mails"}, development=False).mailbox is None


@pytest.mark.parametrize("name", ["CREDITLINE_SMTP", "CREDITLINE_MAIL_FROM", "CREDITLINE_STAFF_MAIL"])
def test_what_serving_needs_is_named(name: str) -> None:
    """Commands do without a mail server; whoever serves is told which variable is missing."""
    assert NoticeSettings.from_environment(FULL, development=False).missing() is None
    told = {**FULL, name: ""} if name != "CREDITLINE_SMTP" else {**FULL, name: "", "CREDITLINE_SMTP_PASSWORD": ""}
    assert NoticeSettings.from_environment(told, development=False).missing() == name


def test_only_development_and_only_this_machine_may_be_reached_in_the_open() -> None:
    """Plain mail and http are for the loopback in development; mail that is not TLS from the start needs STARTTLS."""
    local = {"CREDITLINE_SMTP": "smtp://127.0.0.1:2525", "CREDITLINE_WEBHOOK_URL": "http://127.0.0.1:9000/hook"}
    told = NoticeSettings.from_environment({**FULL, **local, "CREDITLINE_SMTP_PASSWORD": ""}, development=True)
    assert told.server == MailServer("127.0.0.1", 2525, tls=False, plain=True)
    elsewhere = {**FULL, "CREDITLINE_SMTP": "smtp://u@mail.lender.example"}
    for development in (True, False):
        server = NoticeSettings.from_environment(elsewhere, development=development).server
        assert server is not None
        assert (server.port, server.tls, server.plain) == (587, False, False)


@pytest.mark.parametrize(
    ("name", "value", "development"),
    [
        ("CREDITLINE_SMTP", "mail.lender.example", False), ("CREDITLINE_SMTP", "https://mail.lender.example", False),
        ("CREDITLINE_SMTP", "smtps://u:secret@mail.lender.example", False), ("CREDITLINE_SMTP", "smtps:///path", False),
        ("CREDITLINE_SMTP", "smtps://mail.lender.example", False), ("CREDITLINE_SMTP", "smtps://u@[x", False),
        ("CREDITLINE_SMTP", "smtps://u@h:99999", False), ("CREDITLINE_SMTP_PASSWORD", "", False),
        ("CREDITLINE_MAIL_FROM", "a@b.example, c@d.example", False),
        ("CREDITLINE_STAFF_MAIL", "Team <team@lender.example>", True), ("CREDITLINE_STAFF_MAIL", "team", True),
        ("CREDITLINE_WEBHOOK_URL", "http://127.0.0.1/hook", False),
        ("CREDITLINE_WEBHOOK_URL", "http://hooks.example/hook", True),
        ("CREDITLINE_WEBHOOK_URL", "http://127.0.0.1.hooks.example/hook", True),
        ("CREDITLINE_WEBHOOK_URL", "https://u:p@hooks.example/hook", False),
        ("CREDITLINE_WEBHOOK_URL", "https://hooks.example/hook?key=secret", False),
        ("CREDITLINE_WEBHOOK_SECRETS", "short", False), ("CREDITLINE_WEBHOOK_SECRETS", "", False),
        ("CREDITLINE_WEBHOOK_SECRETS", ",".join(["s" * 32] * 3), False),
        ("CREDITLINE_PAGE_URL", "http://apply.lender.example", False), ("CREDITLINE_PAGE_URL", "javascript:x", True),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_and_never_repeated(name: str, value: str, development: bool) -> None:
    """A wrong value is a ValueError that names the variable, without what it held."""
    with pytest.raises(ValueError, match=r"CREDITLINE_[A-Z_]+") as refused:
        NoticeSettings.from_environment({**FULL, name: value}, development=development)
    assert name in str(refused.value)
    assert not value or value not in str(refused.value)


def test_secrets_come_from_files_too(tmp_path: Path) -> None:
    """A file named with _FILE is read, without the line feed at its end; one that is not there is named."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    told = {**FULL, "CREDITLINE_WEBHOOK_SECRETS_FILE": str(tmp_path / "secret")}
    hook = NoticeSettings.from_environment(told, development=False).hook
    assert hook is not None
    assert [each.reveal() for each in hook.secrets] == [SECRET]
    with pytest.raises(ValueError, match="CREDITLINE_SMTP_PASSWORD_FILE"):
        NoticeSettings.from_environment({**FULL, "CREDITLINE_SMTP_PASSWORD_FILE": str(tmp_path)}, development=False)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("ann@example.com", True), ("o'brien+a@example.com", True), ("a,b@example.com", False), ("", False),
        ("a(b)@example.com", False), ("ann@example.com\nBcc: x@example.com", False), ("x<y@example.com>", False),
        ("größe@example.com", False), ("ann@", False), ("@example.com", False),
    ],
)  # fmt: skip
def test_an_address_is_one_plain_address(text: str, good: bool) -> None:
    """Anything that a header would read as something else, or as several, is none."""
    assert is_mailbox(text) is good
