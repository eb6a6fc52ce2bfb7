"""The page on settings names every variable that the service reads, and says which ones production needs."""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from api.settings import Settings, Unset
from api.sources.settings import SourceSettings

COMPLETE = {
    "CREDITLINE_TRUST": "trust.json",
    "CREDITLINE_INDEX_KEY": "i" * 32, "CREDITLINE_SEAL_KEYS": "new:" + b64encode(bytes(32)).decode(),
    "CREDITLINE_ORIGIN": "https://credit.example", "CREDITLINE_LENDER_NAME": "Sample Lender Pty Ltd",
    "CREDITLINE_CONTRACT_TEMPLATE": "contract", "CREDITLINE_CONTACTS": "contacts.toml", "CREDITLINE_SMTP": "smtps://mail.lender.example",
    "CREDITLINE_MAIL_FROM": "credit@lender.example", "CREDITLINE_STAFF_MAIL": "team@lender.example",
    "CREDITLINE_CHECKPOINTS": "checkpoints", "CREDITLINE_CHECKPOINT_KEY": b64encode(bytes(32)).decode(),
    "CREDITLINE_RECEIPT_KEY": b64encode(bytes(32)).decode(), "CREDITLINE_PAGE_URL": "https://apply.lender.example",
}  # fmt: skip
DOCS = Path(__file__).parents[2] / "docs"
ROWS = re.findall(
    r"^\| `(CREDITLINE_[A-Z_<>]+)` \| (.+) \|$",
    "\n".join((DOCS / name).read_text(encoding="utf-8") for name in ("sources.md", "settings.md")),
    re.MULTILINE,
)


class Environment(Mapping[str, str]):
    """An environment with a sandbox and a mail server in it, which remembers what was looked up."""

    def __init__(self) -> None:
        self.told = {
            "CREDITLINE_SANDBOX": "http://127.0.0.1:8100", "CREDITLINE_SMTP": "smtps://mail.lender.example",
        }  # fmt: skip
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return self.told[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.told)

    def __len__(self) -> int:
        return len(self.told)


def test_every_variable_is_on_the_page() -> None:
    """The pages' variables, written out for each source, are those that the settings look up."""
    environment = Environment()
    Settings.from_environment(environment)
    sources = [name.upper() for name, _ in SourceSettings.from_environment(environment.told).places]
    listed = {name.replace("<SOURCE>", source) for name, _ in ROWS for source in sources}
    assert listed == environment.read


@pytest.mark.parametrize("name", COMPLETE)
def test_what_production_needs_is_named(name: str) -> None:
    """Without a variable that the page calls needed nothing is served, and the message names it; development may."""
    Settings.from_environment(COMPLETE).require_complete()
    without = {key: value for key, value in COMPLETE.items() if key != name}
    with pytest.raises(Unset, match=name):
        Settings.from_environment(without).require_complete()
    Settings.from_environment({**without, "CREDITLINE_DEVELOPMENT": "1"}).require_complete()


def test_the_page_calls_needed_what_is() -> None:
    """The rows that end in "needed" are exactly what production is asked for."""
    assert {name for name, what in ROWS if "needed" in what} == set(COMPLETE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CREDITLINE_PORT", "eighty"), ("CREDITLINE_WORKER_MIB", "64"),
        ("CREDITLINE_INDEX_KEY", "short"), ("CREDITLINE_SEAL_KEYS", "one:secret-text"),
        ("CREDITLINE_LENDER_NAME", "two\nlines"), ("CREDITLINE_RECEIPT_KEY", "short"),
        ("CREDITLINE_RECEIPT_TRUSTED", "not-a-key"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_and_not_repeated(name: str, value: str) -> None:
    """A value that is no value of its variable is a ValueError that names the variable alone."""
    with pytest.raises(ValueError, match=name) as refused:
        Settings.from_environment({**COMPLETE, name: value})
    assert value not in str(refused.value)
